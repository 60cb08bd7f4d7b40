/* SPDX-License-Identifier: Apache-2.0
 *
 * A node's machine and services, put together from the details of its targets (rules/detail.h). Two targets of a node may tell of the same thing, as
 * a shell and an exporter on one machine do: the first that does is believed. Memory kills come as a count since the machine started, which says
 * nothing of now; those of the last hour are the events that the kernel's log gave. */
#include "tui/node_facts.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 256, SERVICES_MAX = 1024, RECENT_MS = 3600 * 1000 };

struct facts {
	struct node_view *v;
	struct arena     *a;
};

/* A number of `struct host_view` or of a row: where a detail goes. */
struct place {
	enum detail_id id;
	const char    *label; /* what the detail's first label must be; NULL: anything */
	size_t         at;
};

static void put_number(void *row, size_t at, double v)
{
	double *to = (double *)(void *)((char *)row + at);
	if (isnan(*to))
		*to = v;
}

/* ---- the machine as a whole ---- */

static const struct place host_places[] = {
	{ DETAIL_HOST_PROCESSORS, NULL, offsetof(struct host_view, processors) },
	{ DETAIL_HOST_LOAD, "1", offsetof(struct host_view, load_1m) },
	{ DETAIL_HOST_LOAD, "5", offsetof(struct host_view, load_5m) },
	{ DETAIL_HOST_LOAD, "15", offsetof(struct host_view, load_15m) },
	{ DETAIL_HOST_PRESSURE, "cpu", offsetof(struct host_view, pressure_cpu) },
	{ DETAIL_HOST_PRESSURE, "memory", offsetof(struct host_view, pressure_memory) },
	{ DETAIL_HOST_PRESSURE, "io", offsetof(struct host_view, pressure_io) },
	{ DETAIL_HOST_MEMORY_TOTAL, NULL, offsetof(struct host_view, memory_size) },
	{ DETAIL_HOST_MEMORY_FREE, NULL, offsetof(struct host_view, memory_available) },
	{ DETAIL_HOST_SWAP_TOTAL, NULL, offsetof(struct host_view, swap_size) },
	{ DETAIL_HOST_SWAP_FREE, NULL, offsetof(struct host_view, swap_free) },
	{ DETAIL_HOST_UPTIME, NULL, offsetof(struct host_view, up_seconds) },
	{ DETAIL_HOST_CLOCK_OFFSET, NULL, offsetof(struct host_view, clock_ahead) },
	{ DETAIL_HOST_OOM_KILLS, NULL, offsetof(struct host_view, oom_kills) },
};

static void see_host(struct host_view *h, const struct details *d)
{
	for (size_t i = 0; i < sizeof host_places / sizeof host_places[0]; i++) {
		const struct place *p = &host_places[i];
		for (size_t k = 0; k < d->of[p->id].n; k++) {
			const struct detail_row *row = &d->of[p->id].rows[k];
			if (p->label == NULL || strcmp(row->labels[0], p->label) == 0)
				put_number(h, p->at, row->value);
		}
	}
	for (size_t k = 0; k < d->of[DETAIL_HOST_INFO].n; k++) {
		const struct detail_row *row = &d->of[DETAIL_HOST_INFO].rows[k];
		const char *os = detail_label(DETAIL_HOST_INFO, row, "os"), *kernel = detail_label(DETAIL_HOST_INFO, row, "kernel");
		h->os = h->os[0] == '\0' ? os : h->os;
		h->kernel = h->kernel[0] == '\0' ? kernel : h->kernel;
	}
}

/* ---- its parts: rows that begin with their name ---- */

struct parts {
	const struct place *places; /* by the name that is the details' first label */
	size_t              n_places, size;
	char               *rows;
	size_t              n;
};

static const struct place filesystem_places[] = {
	{ DETAIL_FILESYSTEM_SIZE, NULL, offsetof(struct filesystem_row, size) },
	{ DETAIL_FILESYSTEM_FREE, NULL, offsetof(struct filesystem_row, available) },
	{ DETAIL_FILESYSTEM_USED, NULL, offsetof(struct filesystem_row, used) },
	{ DETAIL_FILESYSTEM_READONLY, NULL, offsetof(struct filesystem_row, read_only) },
};
static const struct place disk_places[] = {
	{ DETAIL_DISK_BUSY, NULL, offsetof(struct disk_row, busy) },
	{ DETAIL_DISK_READ, NULL, offsetof(struct disk_row, read) },
	{ DETAIL_DISK_WRITTEN, NULL, offsetof(struct disk_row, written) },
	{ DETAIL_DISK_WAIT, NULL, offsetof(struct disk_row, wait) },
};
static const struct place network_places[] = {
	{ DETAIL_NETWORK_RECEIVED, NULL, offsetof(struct network_row, received) },
	{ DETAIL_NETWORK_SENT, NULL, offsetof(struct network_row, sent) },
	{ DETAIL_NETWORK_ERRORS, NULL, offsetof(struct network_row, errors) },
};

static const char *name_of(const struct parts *p, size_t i)
{
	const char *name;
	memcpy(&name, p->rows + i * p->size, sizeof name);
	return name;
}

/* The row of that name, a new one where there is none; NULL: there are as many as there may be. */
static char *part_of(struct parts *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(name_of(p, i), name) == 0)
			return p->rows + i * p->size;
	if (p->n == PARTS_MAX || name[0] == '\0')
		return NULL;
	char *row = p->rows + p->n++ * p->size;
	memcpy(row, &name, sizeof name);
	for (size_t i = 0; i < p->n_places; i++)
		*(double *)(void *)(row + p->places[i].at) = (double)NAN;
	return row;
}

static void see_parts(struct parts *p, const struct details *d)
{
	for (size_t i = 0; i < p->n_places; i++) {
		enum detail_id id = p->places[i].id;
		for (size_t k = 0; k < d->of[id].n; k++) {
			char *row = part_of(p, d->of[id].rows[k].labels[0]);
			if (row != NULL)
				put_number(row, p->places[i].at, d->of[id].rows[k].value);
		}
	}
}

static bool parts_read(struct facts *f, struct parts *p, int (*order)(const void *, const void *))
{
	size_t most = 0;
	for (size_t i = 0; i < f->v->n_targets; i++)
		for (size_t k = 0; f->v->targets[i].details != NULL && k < p->n_places; k++)
			most += f->v->targets[i].details->of[p->places[k].id].n;
	p->rows = arena_zeroed(f->a, (most < PARTS_MAX ? most : PARTS_MAX) + 1, p->size);
	if (p->rows == NULL)
		return false;
	for (size_t i = 0; i < f->v->n_targets; i++)
		if (f->v->targets[i].details != NULL)
			see_parts(p, f->v->targets[i].details);
	qsort(p->rows, p->n, p->size, order);
	return true;
}

/* The largest first, what is not known last. */
static int by_number(double a, double b)
{
	return isnan(a) || isnan(b) ? isnan(a) - isnan(b) : (a < b) - (a > b);
}

static int fullest_first(const void *a, const void *b)
{
	const struct filesystem_row *x = a, *y = b;
	int order = by_number(x->used, y->used);
	return order != 0 ? order : strcmp(x->mount, y->mount);
}

static int busiest_first(const void *a, const void *b)
{
	const struct disk_row *x = a, *y = b;
	int order = by_number(x->read + x->written, y->read + y->written); /* what is moved tells more than the busy ratio, which jumps about */
	return order != 0 ? order : strcmp(x->device, y->device);
}

static int by_device(const void *a, const void *b)
{
	return strcmp(((const struct network_row *)a)->device, ((const struct network_row *)b)->device);
}

#define PLACES(a) (a), sizeof(a) / sizeof((a)[0])

static bool fill_parts(struct facts *f, struct host_view *h)
{
	struct parts filesystems = { PLACES(filesystem_places), sizeof(struct filesystem_row), NULL, 0 };
	struct parts disks = { PLACES(disk_places), sizeof(struct disk_row), NULL, 0 };
	struct parts networks = { PLACES(network_places), sizeof(struct network_row), NULL, 0 };
	if (!parts_read(f, &filesystems, fullest_first) || !parts_read(f, &disks, busiest_first) || !parts_read(f, &networks, by_device))
		return false;
	h->filesystems = (struct filesystem_row *)(void *)filesystems.rows;
	h->disks = (struct disk_row *)(void *)disks.rows;
	h->networks = (struct network_row *)(void *)networks.rows;
	h->n_filesystems = filesystems.n;
	h->n_disks = disks.n;
	h->n_networks = networks.n;
	return true;
}

/* NaN where there are none: not every node's log is read. */
static double recent_kills(const struct node_view *v)
{
	double n = 0;
	for (size_t i = 0; i < v->events.n && v->events.rows[i].wall_ms > v->t_ms - RECENT_MS; i++)
		n += strcmp(v->events.rows[i].kind, "oom_kill") == 0;
	return n > 0 ? n : (double)NAN;
}

static bool fill_host(struct facts *f)
{
	struct host_view *h = arena_zeroed(f->a, 1, sizeof *h);
	bool is_known = false;
	if (h == NULL)
		return false;
	h->os = h->kernel = "";
	for (size_t i = 0; i < sizeof host_places / sizeof host_places[0]; i++)
		*(double *)(void *)((char *)h + host_places[i].at) = (double)NAN;
	for (size_t i = 0; i < f->v->n_targets; i++)
		if (f->v->targets[i].details != NULL)
			see_host(h, f->v->targets[i].details);
	if (!fill_parts(f, h))
		return false;
	h->oom_kills_recent = recent_kills(f->v);
	for (size_t i = 0; i < sizeof host_places / sizeof host_places[0]; i++)
		is_known |= !isnan(*(double *)(void *)((char *)h + host_places[i].at));
	f->v->host = is_known || h->n_filesystems + h->n_disks + h->n_networks > 0 ? h : NULL;
	return true;
}

/* ---- services ---- */

static int by_name(const void *a, const void *b)
{
	const struct service_row *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order != 0 ? order : strcmp(x->kind, y->kind);
}

static int worst_first(const void *a, const void *b)
{
	const struct service_row *x = a, *y = b;
	return x->severity != y->severity ? (x->severity < y->severity) - (x->severity > y->severity) : by_name(a, b);
}

/* What a state means: of units as systemd calls them, of containers as Docker and Podman do. What nobody has heard of is not hidden. */
static enum severity severity_of(const struct service_row *s)
{
	static const struct {
		const char   *state;
		enum severity severity;
	} rows[] = {
		{ "active", SEVERITY_OK },         { "inactive", SEVERITY_OK },     { "reloading", SEVERITY_OK },   { "refreshing", SEVERITY_OK },
		{ "running", SEVERITY_OK },        { "exited", SEVERITY_OK },       { "stopped", SEVERITY_OK },     { "created", SEVERITY_INFO },
		{ "paused", SEVERITY_INFO },       { "removing", SEVERITY_INFO },   { "maintenance", SEVERITY_INFO }, { "deactivating", SEVERITY_WARN },
		{ "activating", SEVERITY_WARN },   { "restarting", SEVERITY_WARN }, { "failed", SEVERITY_CRIT },    { "dead", SEVERITY_CRIT },
	};
	enum severity found = SEVERITY_INFO;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(s->state, rows[i].state) == 0)
			found = rows[i].severity;
	if (s->exit_code > 0 || (s->is_oom_killed && !isnan(s->exit_code)))
		return SEVERITY_CRIT;
	bool is_sick = s->is_oom_killed || strcmp(s->health, "unhealthy") == 0; /* one that runs lost a process of its own */
	return is_sick && found < SEVERITY_WARN ? SEVERITY_WARN : found;
}

struct services {
	struct service_row *rows; /* the first `sorted` by name and kind */
	size_t              n, sorted;
};

static struct service_row *service_of(struct services *l, const struct detail_row *row)
{
	const struct service_row key = { .name = row->labels[0], .kind = row->labels[1] };
	return bsearch(&key, l->rows, l->sorted, sizeof key, by_name);
}

/* Those that have a state are services; what is said of others is not looked at. */
static void see_states(struct services *l, const struct details *d)
{
	for (size_t k = 0; k < d->of[DETAIL_SERVICE_STATE].n && l->n < SERVICES_MAX; k++) {
		const struct detail_row *row = &d->of[DETAIL_SERVICE_STATE].rows[k];
		if (row->labels[0][0] != '\0' && service_of(l, row) == NULL)
			l->rows[l->n++] = (struct service_row){ .name = row->labels[0], .kind = row->labels[1], .state = row->labels[2], .health = "",
				                                .image = "", .restarts = (double)NAN, .memory = (double)NAN, .exit_code = (double)NAN };
	}
	qsort(l->rows, l->n, sizeof l->rows[0], by_name);
	/* A machine that says two states of one thing is believed the first. */
	size_t n = l->n;
	l->n = 0;
	for (size_t i = 0; i < n; i++)
		if (l->n == 0 || by_name(&l->rows[l->n - 1], &l->rows[i]) != 0)
			l->rows[l->n++] = l->rows[i];
	l->sorted = l->n;
}

static void see_numbers(struct services *l, const struct details *d)
{
	static const struct place places[] = {
		{ DETAIL_SERVICE_RESTARTS, NULL, offsetof(struct service_row, restarts) },
		{ DETAIL_SERVICE_MEMORY, NULL, offsetof(struct service_row, memory) },
		{ DETAIL_SERVICE_EXIT_CODE, NULL, offsetof(struct service_row, exit_code) },
	};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		for (size_t k = 0; k < d->of[places[i].id].n; k++) {
			struct service_row *s = service_of(l, &d->of[places[i].id].rows[k]);
			if (s != NULL)
				put_number(s, places[i].at, d->of[places[i].id].rows[k].value);
		}
}

/* A time that the machine's clock cannot have had is none. */
static int64_t started_ms(const struct facts *f, double seconds)
{
	static const double day = 86400;
	return seconds > 0 && seconds * 1000 < (double)f->v->t_ms + day * 1000 ? (int64_t)(seconds * 1000) : 0;
}

static void see_words(const struct facts *f, struct services *l, const struct details *d)
{
	static const enum detail_id ids[] = { DETAIL_SERVICE_HEALTH, DETAIL_SERVICE_IMAGE, DETAIL_SERVICE_STARTED, DETAIL_SERVICE_OOM_KILLED };
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		for (size_t k = 0; k < d->of[ids[i]].n; k++) {
			const struct detail_row *row = &d->of[ids[i]].rows[k];
			struct service_row *s = service_of(l, row);
			if (s == NULL)
				continue;
			if (ids[i] == DETAIL_SERVICE_HEALTH && s->health[0] == '\0')
				s->health = row->labels[2];
			else if (ids[i] == DETAIL_SERVICE_IMAGE && s->image[0] == '\0')
				s->image = row->labels[2];
			else if (ids[i] == DETAIL_SERVICE_STARTED && s->started_ms == 0)
				s->started_ms = started_ms(f, row->value);
			else if (ids[i] == DETAIL_SERVICE_OOM_KILLED)
				s->is_oom_killed |= row->value > 0;
		}
}

static bool fill_services(struct facts *f)
{
	struct services l = { NULL, 0, 0 };
	size_t most = 0;
	for (size_t i = 0; i < f->v->n_targets; i++)
		most += f->v->targets[i].details == NULL ? 0 : f->v->targets[i].details->of[DETAIL_SERVICE_STATE].n;
	l.rows = arena_zeroed(f->a, (most < SERVICES_MAX ? most : SERVICES_MAX) + 1, sizeof *l.rows);
	if (l.rows == NULL)
		return false;
	for (size_t i = 0; i < f->v->n_targets; i++) {
		const struct details *d = f->v->targets[i].details;
		if (d == NULL)
			continue;
		see_states(&l, d);
		see_numbers(&l, d);
		see_words(f, &l, d);
	}
	for (size_t i = 0; i < l.n; i++)
		l.rows[i].severity = severity_of(&l.rows[i]);
	qsort(l.rows, l.n, sizeof *l.rows, worst_first);
	f->v->services = l.rows;
	f->v->n_services = l.n;
	return true;
}

enum err node_facts_fill(struct node_view *v, struct arena *a)
{
	struct facts f = { v, a };
	return fill_host(&f) && fill_services(&f) ? ERR_OK : ERR_MEMORY;
}
