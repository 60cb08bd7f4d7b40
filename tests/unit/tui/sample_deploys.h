/* SPDX-License-Identifier: Apache-2.0
 *
 * Redeploys and rollbacks for tests of screens: the same each time. Times are those of sample_view.h. */
#ifndef PITWALL_TESTS_SAMPLE_DEPLOYS_H
#define PITWALL_TESTS_SAMPLE_DEPLOYS_H

#include "deploy/plan.h"
#include "tui/deploys_data.h"
#include "tui/view.h"

#include <stdbool.h>

enum scene {
	SCENE_ASKING,      /* no plan yet */
	SCENE_NO_PLAN,     /* and there will be none */
	SCENE_PLANNED,
	SCENE_BY_NAME,     /* a serious warning: the name has to be typed */
	SCENE_FORBIDDEN,
	SCENE_SECOND,      /* alice has confirmed it, a second person is wanted */
	SCENE_EXPIRED,
	SCENE_RUNNING,     /* wave 3 of 4: some done, one that loads */
	SCENE_PAUSED,
	SCENE_STOPPED,     /* a gate failed, and a node */
	SCENE_INTERRUPTED,
	SCENE_UNDOING,
	SCENE_DONE,
	SCENES
};

enum { SAMPLE_DEPLOY_ID = 7 };
#define SAMPLE_DEPLOY_REQUEST "01933b4e-7a3c-7000-8000-000000000001"

struct sample_deploys;
/* Rollback of ranker from 12.4 to 12.3 on gpu-a-01 to gpu-a-16; the view (lent) is given the list and the one. */
struct sample_deploys *sample_deploys_new(struct view *v, enum scene scene, bool is_hostile);
void                   sample_deploys_free(struct sample_deploys *s);
struct deploy_detail  *sample_deploys_detail(struct sample_deploys *s);
struct deploy_plan    *sample_deploys_plan(struct sample_deploys *s);
const char            *scene_name(enum scene scene); /* in names of pictures, and for who reads that a row failed */

#endif
