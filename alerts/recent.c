/* SPDX-License-Identifier: Apache-2.0
 *
 * Following: frames and results of rules become samples of the series that are kept. What a layout has that may be wanted is found once for the layout,
 * what of that is wanted of a target once for both; then a frame costs its wanted numbers. */
#include "alerts/recent_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/stale.h"

enum {
	KEEP_MAX_MS = 15 * 60 * 1000,
	SWEEP_MS = 60 * 1000,
	SERIES_MAX = 200000,
	SAMPLES_MAX = 16 << 20,
	SELECTED_PERCENT = 200, /* measured: bench/run windows */
	TRACKS_MAX = 16 << 20,
	SHAPES_MAX = 65536,
	SHAPES_SERIES_MAX = 8 << 20, /* of all shapes' layouts */
};

/* ---- shapes ---- */

static void forget_shapes(struct recent *r)
{
	for (size_t i = 0; i < r->n_shapes; i++) {
		free(r->shapes[i].positions);
		free(r->shapes[i].is_wanted);
	}
	r->n_shapes = r->shapes_series = 0;
}

/* The place of the first shape with that layout or a later one. */
static size_t shape_place(const struct recent *r, int64_t layout)
{
	size_t low = 0, high = r->n_shapes;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->shapes[middle].layout < layout)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct shape *shape_find(const struct recent *r, int64_t layout)
{
	size_t at = shape_place(r, layout);
	return at < r->n_shapes && r->shapes[at].layout == layout ? &r->shapes[at] : NULL;
}

static bool shape_fill(const struct recent *r, const struct layout *l, struct shape *s)
{
	s->n_layout = layout_size(l);
	s->is_wanted = calloc(s->n_layout + 1, sizeof *s->is_wanted);
	if (s->is_wanted == NULL)
		return false;
	for (size_t i = 0; i < s->n_layout; i++) {
		s->is_wanted[i] = recent_wants_metric(r, labels_metric(layout_series(l, i)));
		s->n += s->is_wanted[i];
	}
	s->positions = malloc((s->n + 1) * sizeof *s->positions);
	if (s->positions == NULL)
		return false;
	for (size_t i = 0, n = 0; i < s->n_layout; i++)
		if (s->is_wanted[i])
			s->positions[n++] = (uint32_t)i;
	if (s->n == 0) { /* as of most targets' scrapes: then a shape is its number */
		free(s->is_wanted);
		s->is_wanted = NULL;
	}
	return true;
}

/* NULL: out of memory. */
static const struct shape *shape_of(struct recent *r, int64_t layout, const struct layout *l)
{
	const struct shape *known = shape_find(r, layout);
	if (known != NULL)
		return known;
	if (r->n_shapes >= SHAPES_MAX || r->shapes_series >= SHAPES_SERIES_MAX)
		forget_shapes(r);
	if (r->n_shapes == r->cap_shapes) {
		size_t cap = r->cap_shapes != 0 ? r->cap_shapes * 2 : 16;
		struct shape *shapes = realloc(r->shapes, cap * sizeof *shapes);
		if (shapes == NULL)
			return NULL;
		r->shapes = shapes;
		r->cap_shapes = cap;
	}
	struct shape s = { .layout = layout };
	if (!shape_fill(r, l, &s)) {
		free(s.positions);
		free(s.is_wanted);
		return NULL;
	}
	size_t at = shape_place(r, layout);
	memmove(&r->shapes[at + 1], &r->shapes[at], (r->n_shapes - at) * sizeof *r->shapes);
	r->shapes[at] = s;
	r->n_shapes++;
	r->shapes_series += s.n > 0 ? s.n_layout : 0;
	return &r->shapes[at];
}

static const bool *wants(void *ctx, int64_t layout, const struct layout *l)
{
	const struct shape *s = shape_of(ctx, layout, l);
	return s != NULL && s->n > 0 ? s->is_wanted : NULL; /* where memory ran out, take_frame meets it again and tells */
}

/* A layout is looked at where it is new, or new to its track and something of it is wanted. */
static bool knows(void *ctx, const struct tail_frame *f, const bool **wanted, size_t *n)
{
	const struct recent *r = ctx;
	const struct shape *s = shape_find(r, f->layout_id);
	size_t place = (size_t)f->target * STREAM_COUNT + f->stream;
	if (s == NULL || (s->n > 0 && (place >= r->n_tracks || r->tracks[place] == NULL || r->tracks[place]->layout != f->layout_id)))
		return false;
	*wanted = s->n > 0 ? s->is_wanted : NULL;
	*n = s->n_layout;
	return true;
}

/* ---- tracks ---- */

static void track_free(struct track *t)
{
	labels_unref(t->target_labels);
	free(t->group);
	free(t->picks);
	free(t->members.items);
	free(t);
}

static void forget_tracks(struct recent *r)
{
	for (size_t i = 0; i < r->n_all_tracks; i++)
		track_free(r->all_tracks[i]);
	free(r->all_tracks);
	free(r->tracks);
	r->all_tracks = r->tracks = NULL;
	r->last_group = NULL;
	r->n_all_tracks = r->cap_all_tracks = r->n_tracks = 0;
}

static enum err add_track(struct recent *r, const char *group, struct track **out, struct why *why)
{
	if (r->n_all_tracks == r->cap_all_tracks) {
		size_t cap = r->cap_all_tracks != 0 ? r->cap_all_tracks * 2 : 64;
		struct track **all = realloc(r->all_tracks, cap * sizeof(struct track *));
		if (all == NULL)
			return why_memory(why);
		r->all_tracks = all;
		r->cap_all_tracks = cap;
	}
	struct track *t = calloc(1, sizeof *t);
	if (t == NULL)
		return why_memory(why);
	t->last_ms = INT64_MIN;
	t->group = group != NULL ? strdup(group) : NULL;
	if (group != NULL && t->group == NULL) {
		free(t);
		return why_memory(why);
	}
	r->all_tracks[r->n_all_tracks++] = t;
	*out = t;
	return ERR_OK;
}

/* There are few groups, and what a group gives comes in one go. */
static enum err track_of_group(struct recent *r, const char *group, struct track **out, struct why *why)
{
	*out = r->last_group;
	if (r->last_group != NULL && strcmp(r->last_group->group, group) == 0)
		return ERR_OK;
	for (size_t i = 0; i < r->n_all_tracks; i++) {
		*out = r->last_group = r->all_tracks[i];
		if (r->last_group->group != NULL && strcmp(r->last_group->group, group) == 0)
			return ERR_OK;
	}
	r->last_group = NULL;
	enum err e = add_track(r, group, out, why);
	r->last_group = e == ERR_OK ? *out : NULL;
	return e;
}

static enum err make_places(struct recent *r, size_t n, struct why *why)
{
	if (n <= r->n_tracks)
		return ERR_OK;
	size_t more = r->n_tracks != 0 ? r->n_tracks : 64;
	while (more < n)
		more *= 2;
	if (more > TRACKS_MAX)
		return why_set(why, ERR_LIMIT, "the store has too many targets");
	struct track **tracks = realloc(r->tracks, more * sizeof(struct track *));
	if (tracks == NULL)
		return why_memory(why);
	for (size_t i = r->n_tracks; i < more; i++)
		tracks[i] = NULL;
	r->tracks = tracks;
	r->n_tracks = more;
	return ERR_OK;
}

static enum err track_of(struct recent *r, const struct tail_frame *f, struct track **out, struct why *why)
{
	size_t place = (size_t)f->target * STREAM_COUNT + f->stream;
	enum err e = make_places(r, place + 1, why);
	if (e != ERR_OK)
		return e;
	*out = r->tracks[place];
	if (*out != NULL)
		return ERR_OK;
	const struct label *group = labels_find(f->target_labels, TARGET_RULES);
	e = group != NULL && f->stream == STREAM_SIGNAL ? track_of_group(r, group->value, out, why) : add_track(r, NULL, out, why);
	if (e != ERR_OK)
		return e;
	struct track *t = *out;
	t->target = f->target;
	t->stream = f->stream;
	labels_unref(t->target_labels);
	t->target_labels = labels_ref(f->target_labels);
	r->tracks[place] = t;
	return ERR_OK;
}

/* ---- frames ---- */

static enum err take_value(struct recent *r, const struct track *t, struct held *h, int64_t t_ms, double v, bool is_before)
{
	bool was_live = h->is_live;
	h->seen = t->step;
	h->is_live = !is_stale(v);
	return !is_before && (h->is_live || was_live) ? held_push(r, h, t_ms, v) : ERR_OK;
}

/* What was there before and is not in this step ends here. */
static enum err end_missing(struct recent *r, struct track *t, int64_t t_ms, bool is_before)
{
	enum err e = ERR_OK;
	for (size_t i = 0; i < t->members.n && e == ERR_OK; i++) {
		struct held *h = t->members.items[i];
		if (!h->is_live || h->seen == t->step)
			continue;
		h->is_live = false;
		if (!is_before)
			e = held_push(r, h, t_ms, stale_mark());
	}
	return e;
}

static enum err make_picks(struct recent *r, struct track *t, const struct tail_frame *f, struct why *why)
{
	const struct shape *s = shape_of(r, f->layout_id, f->layout);
	struct pick *picks = s != NULL ? malloc((s->n + 1) * sizeof *picks) : NULL;
	if (picks == NULL)
		return why_memory(why);
	free(t->picks);
	t->picks = picks;
	t->n_picks = 0;
	t->layout = f->layout_id;
	for (size_t i = 0; i < s->n; i++) {
		struct labels *full;
		struct held *h = NULL;
		enum err e = labels_with_target(layout_series(f->layout, s->positions[i]), f->target_labels, &full, why);
		if (e == ERR_OK)
			e = held_of(r, t, full, &h, why);
		if (e != ERR_OK)
			return e;
		if (h != NULL)
			t->picks[t->n_picks++] = (struct pick){ s->positions[i], h };
	}
	return ERR_OK;
}

static void drop_picks(struct track *t)
{
	t->n_picks = 0;
	t->layout = 0;
}

static enum err take_frame(void *ctx, const struct tail_frame *f, struct why *why)
{
	struct recent *r = ctx;
	struct track *t;
	enum err e = track_of(r, f, &t, why);
	r->n_frames++;
	/* What a group gave is known before it comes out of the store. */
	if (e != ERR_OK || f->wall_ms <= t->last_ms)
		return e;
	bool is_other = f->layout_id == 0 || f->layout_id != t->layout;
	if (f->layout_id == 0)
		drop_picks(t);
	else if (is_other)
		e = make_picks(r, t, f, why);
	if (e == ERR_OK && t->n_picks > 0 && f->values == NULL) /* there was no memory to say that they are wanted */
		e = why_memory(why);
	if (e != ERR_OK)
		return e;
	t->step++;
	for (size_t i = 0; i < t->n_picks && e == ERR_OK; i++)
		e = take_value(r, t, t->picks[i].held, f->wall_ms, f->values[t->picks[i].position], f->is_before);
	if (e == ERR_OK && is_other)
		e = end_missing(r, t, f->wall_ms, f->is_before);
	t->last_ms = f->wall_ms;
	return e == ERR_OK ? ERR_OK : why_memory(why);
}

static void forget_samples(struct recent *r)
{
	held_forget_all(r);
	forget_tracks(r);
	forget_shapes(r);
	r->is_started = false;
}

static int64_t keep_for(const struct recent *r, const struct recent_selector *s)
{
	return (s->back_ms < r->o.keep_max_ms ? s->back_ms : r->o.keep_max_ms) + RECENT_SLACK_MS;
}

/* As far back as some selector keeps. */
static void start_keeping(struct recent *r, int64_t now_ms)
{
	int64_t keep_ms = 0;
	for (size_t i = 0; i < r->n_selectors; i++)
		keep_ms = r->selectors[i].keep_ms > keep_ms ? r->selectors[i].keep_ms : keep_ms;
	forget_samples(r);
	r->from_ms = now_ms - keep_ms;
	r->swept_ms = now_ms;
	r->n_frames = 0;
	for (size_t i = 0; i < r->n_selectors; i++) {
		struct selector *s = &r->selectors[i];
		s->kept_from_ms = r->from_ms;
		s->is_beyond = s->has_twins = s->is_too_long = false;
	}
	tail_start(r->tail, r->from_ms);
	r->is_started = true;
}

static void start(struct recent *r, int64_t now_ms)
{
	for (size_t i = 0; i < r->n_selectors; i++)
		r->selectors[i].keep_ms = keep_for(r, &r->selectors[i].of);
	start_keeping(r, now_ms);
}

enum err recent_follow(struct recent *r, int64_t now_ms, struct why *why)
{
	bool was_rewound = false, is_new = !r->is_started;
	enum err e = ERR_OK;
	held_take_back(r);
	if (r->n_selectors == 0)
		return ERR_OK;
	if (is_new)
		start(r, now_ms);
	e = tail_read(r->tail, &was_rewound, why);
	if (e == ERR_OK && was_rewound) {
		is_new = true;
		start(r, now_ms);
		e = tail_read(r->tail, &was_rewound, why);
	}
	if (e == ERR_OK && !was_rewound && is_new && recent_plan(r, now_ms)) {
		r->n_passes++;
		start_keeping(r, now_ms);
		e = tail_read(r->tail, &was_rewound, why);
	}
	if (e == ERR_OK && was_rewound) /* twice in a moment: the next time */
		r->is_started = false;
	if (e == ERR_OK && now_ms - r->swept_ms >= SWEEP_MS) {
		r->swept_ms = now_ms;
		e = held_sweep(r, now_ms, why);
	}
	if (e != ERR_OK)
		forget_samples(r);
	return e;
}

/* ---- results of rules ---- */

static enum err put(struct recent *r, const char *group, const struct labels *l, int64_t t_ms, double v, struct why *why)
{
	struct track *t = NULL;
	struct held *h = NULL;
	enum err e = track_of_group(r, group, &t, why);
	if (e == ERR_OK)
		e = held_of(r, t, labels_ref(l), &h, why);
	if (e != ERR_OK || h == NULL || t_ms <= t->last_ms)
		return e;
	bool is_there_already = h->n > 0 && h->t_ms[h->first + h->n - 1] >= t_ms; /* the first one counts, as in Prometheus */
	if (is_there_already)
		return ERR_OK;
	bool was_live = h->is_live;
	h->seen = t->step + 1;
	h->is_live = !is_stale(v);
	return !h->is_live && !was_live ? ERR_OK : held_push(r, h, t_ms, v) == ERR_OK ? ERR_OK : why_memory(why);
}

static enum err put_end(struct recent *r, const char *group, int64_t t_ms, struct why *why)
{
	struct track *t = NULL;
	enum err e = track_of_group(r, group, &t, why);
	if (e != ERR_OK || t_ms <= t->last_ms)
		return e;
	drop_picks(t);
	t->step++;
	e = end_missing(r, t, t_ms, false);
	t->last_ms = t_ms;
	return e == ERR_OK ? ERR_OK : why_memory(why);
}

/* What is half done is not to be relied on: all is read anew with the next recent_follow, and until then the store answers. */
static enum err give_up(struct recent *r, enum err e)
{
	if (e != ERR_OK)
		r->is_started = false;
	return e;
}

enum err recent_put(struct recent *r, const char *group, const struct labels *l, int64_t t_ms, double v, struct why *why)
{
	bool is_kept = r->is_started && recent_wants_metric(r, labels_metric(l));
	held_take_back(r);
	return is_kept ? give_up(r, put(r, group, l, t_ms, v, why)) : ERR_OK;
}

enum err recent_put_end(struct recent *r, const char *group, int64_t t_ms, struct why *why)
{
	return r->is_started ? give_up(r, put_end(r, group, t_ms, why)) : ERR_OK;
}

/* ---- selectors ---- */

static const char *metric_of(const struct recent_selector *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->m[i].kind == MATCH_EQUAL && strcmp(s->m[i].name, LABEL_NAME) == 0 && s->m[i].value[0] != '\0')
			return s->m[i].value;
	return NULL;
}

static bool is_same(const struct recent_selector *a, const struct recent_selector *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->m[i].kind != b->m[i].kind || strcmp(a->m[i].name, b->m[i].name) != 0 || strcmp(a->m[i].value, b->m[i].value) != 0)
			return false;
	return true;
}

static struct selector *find_like(const struct recent *r, const struct recent_selector *s)
{
	for (size_t i = 0; i < r->n_selectors; i++)
		if (is_same(&r->selectors[i].of, s) && r->selectors[i].keep_ms >= keep_for(r, s))
			return &r->selectors[i];
	return NULL;
}

/* A list of its own, of the same series. */
static enum err take_over(struct selector *to, const struct selector *from)
{
	struct selector was = *to;
	*to = *from;
	to->of = was.of;
	to->metric = was.metric;
	to->held = (struct held_list){ 0 };
	for (size_t i = 0; i < from->held.n; i++)
		if (held_list_add(&to->held, from->held.items[i]) != ERR_OK)
			return ERR_MEMORY;
	return ERR_OK;
}

static int by_metric(const void *a, const void *b)
{
	const struct selector *x = a, *y = b;
	if (x->metric == NULL || y->metric == NULL)
		return (x->metric != NULL) - (y->metric != NULL);
	return strcmp(x->metric, y->metric);
}

static void free_selectors(struct selector *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s[i].held.items);
	free(s);
}

static size_t address_place(const struct recent *r, const struct matcher *m)
{
	size_t at = hash64(&m, sizeof m, 0) & (r->n_addresses - 1);
	while (r->by_address[at] != 0 && r->selectors[r->by_address[at] - 1].of.m != m)
		at = (at + 1) & (r->n_addresses - 1);
	return at;
}

static bool index_addresses(struct recent *r)
{
	size_t n = 16;
	while (n < 2 * r->n_selectors)
		n *= 2;
	free(r->by_address);
	r->by_address = calloc(n, sizeof *r->by_address);
	r->n_addresses = r->by_address != NULL ? n : 0;
	for (size_t i = 0; r->by_address != NULL && i < r->n_selectors; i++)
		r->by_address[address_place(r, r->selectors[i].of.m)] = (uint32_t)i + 1;
	return r->by_address != NULL;
}

struct selector *recent_selector_find(const struct recent *r, const struct matcher *m)
{
	size_t at = r->n_addresses > 0 ? address_place(r, m) : 0;
	return r->n_addresses > 0 && r->by_address[at] != 0 ? &r->selectors[r->by_address[at] - 1] : NULL;
}

static void drop_selectors(struct recent *r)
{
	forget_samples(r);
	free_selectors(r->selectors, r->n_selectors);
	free(r->by_address);
	r->selectors = NULL;
	r->by_address = NULL;
	r->n_selectors = r->n_any = r->n_addresses = 0;
}

/* `made` has what each selector takes over of one that was there, where all were. */
static enum err make_selectors(struct recent *r, const struct recent_selector *selectors, size_t n, struct selector *made, bool *are_known)
{
	*are_known = r->is_started;
	for (size_t i = 0; i < n; i++) {
		const struct selector *like = *are_known ? find_like(r, &selectors[i]) : NULL;
		made[i] = (struct selector){ .of = selectors[i], .metric = metric_of(&selectors[i]), .keep_ms = keep_for(r, &selectors[i]) };
		*are_known &= like != NULL;
		if (like != NULL && take_over(&made[i], like) != ERR_OK)
			return ERR_MEMORY;
	}
	return ERR_OK;
}

enum err recent_set_selectors(struct recent *r, const struct recent_selector *selectors, size_t n, struct why *why)
{
	bool are_known = false;
	struct selector *made = calloc(n + 1, sizeof *made);
	enum err e = made == NULL ? ERR_MEMORY : make_selectors(r, selectors, n, made, &are_known);
	if (e == ERR_OK && !are_known)
		forget_samples(r);
	if (e == ERR_OK) {
		free_selectors(r->selectors, r->n_selectors);
		if (n > 0)
			qsort(made, n, sizeof *made, by_metric);
		r->selectors = made;
		r->n_selectors = n;
		made = NULL;
		for (r->n_any = 0; r->n_any < n && r->selectors[r->n_any].metric == NULL;)
			r->n_any++;
		e = index_addresses(r) ? ERR_OK : ERR_MEMORY;
	}
	if (made != NULL)
		free_selectors(made, n);
	if (e == ERR_OK)
		return ERR_OK;
	drop_selectors(r);
	return why_memory(why);
}

/* ---- life ---- */

static const struct labels *labels_of_held(const void *owner, size_t number)
{
	return ((const struct recent *)owner)->all.items[number]->labels;
}

enum err recent_new(const struct recent_options *o, struct recent **out, struct why *why)
{
	struct recent *r = calloc(1, sizeof *r);
	if (r == NULL)
		return why_memory(why);
	r->o = *o;
	if (r->o.keep_max_ms == 0)
		r->o.keep_max_ms = KEEP_MAX_MS;
	if (r->o.series_max == 0)
		r->o.series_max = SERIES_MAX;
	if (r->o.samples_max == 0)
		r->o.samples_max = SAMPLES_MAX;
	if (r->o.selected_percent == 0)
		r->o.selected_percent = SELECTED_PERCENT;
	labels_index_init(&r->by_labels, labels_of_held, r);
	const struct tail_options tail = { .reader = o->reader, .knows = knows, .wants = wants, .frame = take_frame, .ctx = r };
	enum err e = labels_index_fill(&r->by_labels, 0) == ERR_OK ? tail_new(&tail, &r->tail, why) : why_memory(why);
	if (e != ERR_OK) {
		recent_free(r);
		return e;
	}
	*out = r;
	return ERR_OK;
}

void recent_free(struct recent *r)
{
	if (r == NULL)
		return;
	drop_selectors(r);
	labels_index_release(&r->by_labels);
	tail_free(r->tail);
	free(r->retired);
	free(r->shapes);
	free(r);
}

struct recent_stats recent_stats(const struct recent *r)
{
	struct recent_stats s = { .series = r->all.n, .samples = r->samples, .passes = r->n_passes, .from_memory = r->from_memory, .from_store = r->from_store };
	for (size_t i = 0; i < r->n_selectors; i++)
		s.selectors_beyond += r->selectors[i].is_beyond;
	for (size_t i = 0; i < r->n_selectors; i++)
		s.selectors_too_long += r->selectors[i].is_too_long && !r->selectors[i].is_beyond;
	return s;
}
