/* SPDX-License-Identifier: Apache-2.0
 *
 * A driver knows how one kind of thing is redeployed and rolled back: a systemd unit, a container, a Kubernetes workload, a model inside Triton. It is a
 * record of data and pure functions: it says what to ask, and reads what was answered. It sends nothing itself (deploy/hands.h), keeps no journal (deploy/run.h), and
 * its only memory is what it is given. One file and one record a driver; deploy/drivers.c has the list.
 *
 *     look    asks a unit what runs there, what it could run instead, and what has to be known to come back
 *     plan    from that, and a version to go to: the steps forward, and the steps back
 *     judge   reads the answer to a step: done, ask again, failed
 *
 * What is asked by `look` changes nothing. What changes something is a step: it stands in the journal before it is taken.
 *
 * Everything that a unit answers is hostile: sizes are bounded by the hands, all else by the driver. Names, versions and labels never become part of a shell's
 * text, a URL's path or JSON by pasting (shell words by argv, paths by ask_url, JSON by cJSON).
 *
 * Threads: any one; nothing blocks. */
#ifndef PITWALL_DEPLOY_DRIVER_H
#define PITWALL_DEPLOY_DRIVER_H

#include "base/arena.h"
#include "base/err.h"
#include "config/deploying.h"
#include "deploy/ask.h"
#include "deploy/option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a driver changes as one. Texts are never NULL. */
struct unit {
	const char *name;    /* the node; of a driver that works on the model as a whole, the model */
	const char *node;    /* "" where it is no node */
	const char *model, *group;
	const char *url;     /* of the target that serves the model: scheme, host and port, no path; "" none */
	/* the machine, for ASK_RUN, ASK_PUT and sockets */
	const char *destination; /* [user@]host as typed after `ssh`; "": none is known */
	const char *user;        /* "": as configured */
	int         port;        /* 0: as configured */
	bool        is_local;    /* this machine */
};

/* Commands can be run on it, over SSH or here. */
bool unit_has_machine(const struct unit *u);

/* A version that a unit runs or could run. Texts are never NULL; "" where not known. */
struct version {
	const char *id;            /* what the driver goes to: an image, a release's name, a revision; unique in a unit */
	const char *name;          /* for people, short */
	const char *image, *tag, *model_version, *config_hash; /* for the difference; image with digest where known */
	const char *by, *cause;    /* who brought it and why, where the source tells */
	int64_t     since_ms;      /* when it came to be there (of the running one: since when it runs); 0: not known */
	bool        is_running;
	bool        is_present;    /* what it needs is there: the folder, image, version directory */
	const char *data;          /* the driver's own JSON, to go there */
};

enum warning_level { WARNING_NOTE, WARNING_CARE, WARNING_SERIOUS /* the name has to be typed */, WARNING_FORBIDS /* it can't be done; why is its text */, WARNING_LEVEL_COUNT };
struct warning {
	enum warning_level level;
	const char        *text; /* a sentence */
};

enum { FOUND_VERSIONS_MAX = 100, FOUND_WARNINGS_MAX = 20 };

/* What a look found. In the look's arena. */
struct found {
	struct version  versions[FOUND_VERSIONS_MAX]; /* newest first; the running one is among them */
	size_t          n_versions;
	struct warning  warnings[FOUND_WARNINGS_MAX];
	size_t          n_warnings;
	const char     *before;  /* the driver's own JSON: what plan needs to go and to come back. Journaled: no secrets */
	bool            is_ready; /* it serves now, as the driver sees it */
};

enum deploy_kind { DEPLOY_REDEPLOY, DEPLOY_ROLLBACK, DEPLOY_KIND_COUNT };

/* ---- looking ---- */

enum look_turn { LOOK_ASK /* send `next` and come again with its answer */, LOOK_WAIT /* come again after wait_ms */, LOOK_DONE, LOOK_FAILED };

struct look {
	/* given */
	const struct fleet_deploy *deploy;
	const struct settings     *settings;
	const struct unit         *unit;
	int64_t                    now_ms;
	struct arena              *arena;
	const struct answer       *last;   /* NULL in the first turn */
	/* the driver's between turns */
	int                        at;     /* 0 in the first */
	void                      *memory; /* in the arena */
	/* taken */
	struct ask                 next;
	int64_t                    wait_ms;
	struct found               found;
};

/* ---- steps ---- */

enum phase { PHASE_DRAIN, PHASE_CHANGE, PHASE_READY /* wait until it serves, the version meant */, PHASE_ENTER /* undrain */, PHASE_COUNT };

/* Texts in the plan's arena, never NULL but `probe`'s. */
struct step {
	enum phase  phase;
	const char *title;         /* for people, short: "restart ranker.service" */
	struct ask  ask;           /* what is asked first. ASK_NONE: nothing is sent, judge is called with a NULL answer until it says done (a wait) */
	struct ask  shown;         /* where judge makes of an answer what is sent in the end: that, without its secrets. For people: never sent. ASK_NONE: `ask` is all */
	int         tag;           /* the driver's own: which step this is */
	const char *note;          /* the driver's own JSON: what judge has to know. Journaled: no secrets */
	bool        changes;       /* something out there is different afterwards; false: it only looks */
	bool        is_trial;      /* it asks the other side whether it would take what comes next, and changes nothing: tried before anybody confirms, too, for the sheet to say. Not in the plan's JSON */
	bool        is_repeatable; /* taking it again does no harm and leads to the same */
	struct ask  probe;         /* where it is not: asked after an interruption; judge with is_probe says done (it had happened), again (it had not: take it) or failed */
	int64_t     poll_ms;       /* the longest after an "again" without a time of its own; 0: 2 s. At first it is asked sooner */
	int64_t     deadline_ms;   /* from its beginning until judge says done; 0: 10 min */
};

enum { STEPS_MAX = 64 };
struct steps {
	struct step *items; /* in the arena; while a driver plans there is room for STEPS_MAX, so that they stay where they are */
	size_t       n;
};

struct planning {
	/* given */
	const struct fleet_deploy *deploy;
	const struct settings     *settings;
	const struct unit         *unit;
	const struct found        *found;
	enum deploy_kind           kind;
	const struct version      *to;     /* one of found->versions (by id), or made from the id where history is the store's; of a redeploy the running one unless a person chose */
	const char                *key;    /* names this run and unit, for idempotency: [A-Za-z0-9-]{1,64} */
	int64_t                    now_ms;
	struct arena              *arena;
	/* taken */
	struct steps              *forward, *back; /* back: the whole way back to what was found, whichever of the steps forward were taken */
	struct warning             warnings[FOUND_WARNINGS_MAX];
	size_t                     n_warnings;
};

/* ---- judging ---- */

enum verdict_kind {
	VERDICT_DONE,
	VERDICT_AGAIN,  /* ask (again) after wait_ms, with `next` where its kind is not ASK_NONE, else with the same */
	VERDICT_FAILED, /* and trying again is for a person to decide */
};
struct verdict {
	enum verdict_kind kind;
	int64_t           wait_ms;   /* 0: the step's poll_ms; below 0: at once */
	struct ask        next;      /* in judging's arena */
	double            progress;  /* 0 to 1; NAN: not known */
	char              text[256]; /* what it does now, or why it failed: a sentence. Not made safe */
};

struct judging {
	const struct fleet_deploy *deploy;
	const struct settings     *settings;
	const struct unit         *unit;
	const struct step         *step;
	const struct answer       *answer;   /* NULL: the step sends nothing */
	bool                       is_probe; /* it answers step->probe */
	int64_t                    began_ms, now_ms; /* of the step */
	struct arena              *arena;    /* until the step ends */
	int                       *at;       /* the driver's; 0 at the step's beginning, also when it begins again after an interruption */
	void                     **memory;   /* likewise, NULL at the beginning; in the arena. Never written down: what is secret may stand there. NULL: whoever calls keeps none */
};

/* What may be asked for of a redeploy instead of a version. */
struct driver_action {
	const char *word;
	int64_t     most;     /* of the number behind it, from 0 ("scale=3"); -1: there is none */
	const char *sentence; /* for people */
};

struct lock_way; /* deploy/lock.h */

struct driver {
	const char          *name;
	const char          *summary;   /* one line */
	const char          *notes;     /* paragraphs for the documentation: what it needs, what it can't do */
	const struct option *options;
	size_t               n_options;
	bool                 is_whole;  /* one unit is the whole model (its scope's targets share it), and waves are the other side's business */
	bool                 needs_machine; /* units must have a machine (SSH or local) */
	bool                 has_history;   /* look gives versions that it could go back to; else history must be the store's */
	bool                 has_running;   /* look tells the running version; else it must be a signal */
	bool                 may_fetch;     /* a redeploy may be to a version that look has not listed: it is fetched */
	/* Whether that may be asked for of a redeploy instead of a version: "pause", "scale=3". `plan` finds it as the id to go to. NULL: there is nothing such. */
	bool          (*is_action)(const struct settings *s, const char *word);
	/* Those that there are with these settings: the i-th, NULL past the last. NULL: there are none. */
	const struct driver_action *(*action_at)(const struct settings *s, size_t i);
	/* More than the options' own ranges; may be NULL. */
	enum err      (*check)(const struct fleet_deploy *d, const struct settings *s, struct why *why);
	enum look_turn (*look)(struct look *l, struct why *why);
	/* ERR_UNSUPPORTED: this can't be planned, why says why and what would make it possible. */
	enum err      (*plan)(struct planning *p, struct why *why);
	void          (*judge)(const struct judging *j, struct verdict *v);
	const struct lock_way *lock;    /* how what it changes is locked against other stores; NULL: by a folder on the machine, where there is one */
};

/* NULL: there is none. */
const struct driver *driver_find(const char *name);
const struct driver *driver_at(size_t i); /* the i-th, NULL past the last */

/* ---- what drivers share (deploy/driver.c) ---- */

/* The driver's own memory of a look, zeroed, in l->memory; NULL: there is none to be had, and `why` says so. */
void *look_memory(struct look *l, size_t size, struct why *why);
void found_warn(struct look *l, enum warning_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
void plan_warn(struct planning *p, enum warning_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Appends a step whose fields are zero but for the title; NULL: no more room (arena_fail is set, the plan fails). */
struct step *steps_add(struct planning *p, struct steps *to, enum phase phase, const char *title, ...) __attribute__((format(printf, 4, 5)));
/* A new version in `found`, its texts ""; NULL: too many. */
struct version *found_version(struct look *l);
const struct version *found_running(const struct found *f); /* NULL: none is */
const struct version *found_by_id(const struct found *f, const char *id);

/* A copy printed into the arena. */
const char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* BASE + path whose segments are given and percent-encoded: ask_url(a, "http://h:1", "v2", "models", "a/b", NULL) = "http://h:1/v2/models/a%2Fb". */
const char *ask_url(struct arena *a, const char *base, ...) __attribute__((sentinel));
/* A command's words, copied: ask_run(a, &ask, "systemctl", "restart", NULL). */
void ask_run(struct arena *a, struct ask *to, ...) __attribute__((sentinel));
/* A request; body NULL: none, else application/json. */
void ask_http(struct arena *a, struct ask *to, const char *method, const char *url, const char *body);

/* For judges. */
void verdict_done(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void verdict_again(struct verdict *v, int64_t wait_ms, const char *format, ...) __attribute__((format(printf, 3, 4)));
void verdict_failed(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What all do when no answer came: again while nothing was sent or the step is repeatable (a node that restarts is not reached for a while), until its deadline;
 * else failed. True: the verdict is given. */
bool verdict_of_silence(const struct judging *j, struct verdict *v);

#endif
