/* SPDX-License-Identifier: Apache-2.0
 *
 * What there is to show as of the view time: immutable snapshots that the feed (tui/feed.h) makes on a worker and screens read. Everything in it
 * comes from the store, so it looks the same live, paused and in a replay. Texts are as the nodes sent them: the canvas makes them safe.
 *
 * A screen says what it needs besides the fleet (one node's details, charts, events) through `screen_kind.needs`; until the answer for just
 * that need has come, the pointer is NULL or still shows the answer before it, with its own key to tell. */
#ifndef PITWALL_TUI_VIEW_H
#define PITWALL_TUI_VIEW_H

#include "base/labels.h"
#include "collectors/log_status.h"
#include "query/query.h"
#include "rules/detail.h"
#include "rules/signal.h"
#include "store/store.h"
#include "tui/marks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the fleet ---- */

enum { HISTORY_POINTS = 60 }; /* of each signal of each node */

struct node_row {
	const char    *node, *group, *model, *profile;
	const char    *version;                /* "" unknown; "2 versions" style texts are the screen's business: see n_versions */
	int            n_versions;             /* different versions of the model on this node */
	enum severity  severity;
	enum signal_id cause;                  /* what makes it so; SIGNAL_COUNT: nothing */
	const char    *reason;                 /* a sentence, "" when all is well */
	const char    *fault;                  /* which GPU is not fit for work; NULL: none is known to be */
	int64_t        seen_ms;                /* newest signal frame; 0: never in the look-back */
	int            n_targets, n_targets_up;
	double         value[SIGNAL_COUNT];    /* as of the view time; NaN: absent */
	const float   *history[SIGNAL_COUNT];  /* HISTORY_POINTS values, oldest first, NaN where absent; NULL: never there */
};

struct model_row {
	const char *model;
	int         n_nodes, n_by_severity[SEVERITY_COUNT], n_versions;
	const char *version;                   /* the one most nodes run */
	enum severity  severity;
	double      value[SIGNAL_COUNT];
	const float *history[SIGNAL_COUNT];
};

struct fleet_view {
	int64_t           t_ms;
	int64_t           history_step_ms;
	const char       *name;                /* the fleet's */
	struct node_row  *nodes;               /* by group, then node name */
	size_t            n_nodes;
	struct model_row *models;
	size_t            n_models;
	int               n_by_severity[SEVERITY_COUNT];
	int               n_unknown;           /* never polled successfully nor failed as of T */
	double            total[SIGNAL_COUNT]; /* combined over the fleet */
	double            samples_per_second, frames_per_second; /* what is being stored, from the report stream; NaN unknown */
	int64_t           interval_ms;         /* the usual distance of two frames of a target; 0 unknown */
	struct marks_view marks;               /* of the time that the histories are of */
};

/* ---- one node ---- */

struct target_row {
	int64_t     id;
	const char *job, *url, *profile;
	bool        is_up, was_polled;
	int64_t     last_ms;                   /* newest frame of its report stream */
	double      scrape_seconds, samples;   /* NaN: unknown */
	const char *error;                     /* why the last scrape failed; "" */
	int64_t     error_ms;
	const struct details *details;         /* NULL: not read */
};

/* One GPU, whoever tells of it; a NaN is absent, and so is "". */
struct gpu_row {
	const char   *gpu, *uuid, *name;
	const char   *source;                  /* who tells of it: "nvidia-smi", "dcgm + nvidia-smi" */
	double        util, memory, temperature, power;
	double        memory_used_bytes, memory_total_bytes, memory_temperature, power_limit_watts;
	double        clock_hertz, clock_max_hertz;
	double        ecc_corrected, ecc_uncorrected;
	double        pcie_generation, pcie_generation_max, pcie_width, pcie_width_max;
	double        nvlinks_active, nvlinks_inactive, nvlink_errors;
	const char   *xids;                    /* codes, a blank between two */
	enum severity severity, xid_severity;
	const char   *state;                   /* what is wrong with it, the worst first; "ok"; "" where nobody tells */
};

/* A process that computes on a GPU, or one of its MIG instances. */
struct gpu_process_row {
	size_t      gpu;                       /* its row */
	const char *pid, *user, *process;      /* pid "": not known; of an instance: user "MIG" */
	double      memory_bytes;
};

struct served_row {
	const char *model, *version;
};

/* Bytes, and rates over the last minute. NaN: not known. */
struct filesystem_row {
	const char *mount;
	double      size, available, used;     /* used: a ratio, of what those who are not root can have */
	double      read_only;                 /* 1: it cannot be written */
};

struct disk_row {
	const char *device;
	double      busy, read, written;       /* a ratio of the time; bytes a second */
	double      wait;                      /* seconds that a read or write took */
};

struct network_row {
	const char *device;
	double      received, sent, errors;    /* bytes a second; broken packets a second, both ways */
};

/* The machine that the node is or runs on. NaN and "": not known. */
struct host_view {
	const char            *os, *kernel;
	double                 processors, load_1m, load_5m, load_15m;
	double                 pressure_cpu, pressure_memory, pressure_io; /* ratio of the time in which something waited for it */
	double                 memory_size, memory_available, swap_size, swap_free;
	double                 up_seconds, clock_ahead;                    /* of our clock, seconds */
	double                 oom_kills, oom_kills_recent;                /* since it started; in the last hour, NaN: none that is known */
	struct filesystem_row *filesystems;                                /* the fullest first */
	struct disk_row       *disks;                                      /* the busiest first */
	struct network_row    *networks;                                   /* by name */
	size_t                 n_filesystems, n_disks, n_networks;
};

/* A unit of systemd or a container. */
struct service_row {
	const char   *name, *kind;             /* "unit", "user unit", "container" */
	const char   *state, *health, *image;  /* as its manager says them; "" not known */
	enum severity severity;                /* what the state means */
	double        restarts, memory, exit_code; /* NaN: not known */
	int64_t       started_ms;              /* 0: not known */
	bool          is_oom_killed;
};

struct event_row {
	int64_t       id, wall_ms;
	enum severity severity;
	const char   *kind, *node, *text;
};

struct events_view {
	int64_t           t_ms;
	struct event_row *rows; /* newest first */
	size_t            n;
};

struct node_view {
	int64_t            t_ms;
	const char        *node;               /* whose this is */
	struct target_row *targets;
	size_t             n_targets;
	struct gpu_row    *gpus;               /* by index */
	size_t             n_gpus;
	bool               has_more_gpus;      /* than are shown */
	struct gpu_process_row *processes;     /* by GPU, the largest first */
	size_t             n_processes;
	struct served_row *served;
	size_t             n_served;
	struct host_view  *host;               /* NULL: nothing is known */
	struct service_row *services;          /* the worst first, then by name */
	size_t             n_services;
	struct events_view events;
};

/* ---- charts: PromQL over a span ---- */

enum { CHARTS_MAX = 8, CHART_EXPRESSION_MAX = 4096 };

struct chart_view {
	const char  *expression;
	int64_t      start_ms, end_ms, step_ms;
	enum err     err;                      /* ERR_OK, or `why` says what is wrong with it */
	const char  *why;
	const struct series_set *series;       /* matrix; a vector or scalar is made one */
	int64_t      resolution_ms;            /* of the rollups that were read (query/query.h); 0: all from samples */
};

struct charts_view {
	struct chart_view *items;
	size_t             n;
	struct marks_view  marks;              /* of the spans of all of them */
};

/* ---- logs: of a machine as it is now, whatever the view time ---- */

struct log_view {
	const char       *node;
	const char       *way;      /* "this machine", "ssh HOST" */
	const char       *trouble;  /* why nothing is followed, a sentence; "" */
	struct log_status status;   /* meant where trouble is "" */
};

/* ---- alerts ---- */

struct alerts_view;      /* tui/alerts_data.h: all there are */
struct alerts_detail;    /* tui/alerts_detail.h: what is known of one group of them besides */
struct silence_sight;    /* likewise: what a silence would hide */
struct changed_sight;    /* likewise: what changed when one of them began */
struct rule_lines;       /* alerts/rule_health.h: how the rules are */

/* ---- deployments ---- */

struct deploys_view;     /* tui/deploys_data.h: all there are */
struct deploy_detail;    /* likewise: what is known of one of them */

/* Who sits here, and whether anything can be asked of the recorder from here. */
struct view_person {
	const char *who, *account, *origin; /* as struct actor (store/alerts.h) */
	const char *console;   /* this console's id among those that are there; "" it is not told of */
	bool        must_ask;  /* several people use the account: who it is has to be asked */
	const char *refusal;   /* why nothing can be asked for from here, a sentence; "": it can */
};

/* ---- needs ---- */

struct log_need {
	const char *node; /* NULL: no log is followed */
	const char *key;  /* of which log; "": what there is */
	unsigned    again; /* another number: what ended is tried again now */
};

struct chart_need {
	char    expression[CHART_EXPRESSION_MAX];
	int64_t span_ms;  /* ends at the view time, less offset_ms */
	int64_t offset_ms;
	int     points;   /* about so many steps */
};

struct needs {
	const char       *node;         /* node_view of this one; NULL: none */
	bool              events;       /* events_view of the fleet */
	const char       *events_node;  /* of one node only; NULL: all */
	const char       *events_filter;/* kind; NULL: all */
	struct chart_need charts[CHARTS_MAX];
	size_t            n_charts;
	struct log_need   log;
	const char       *alerts_key;   /* alerts_detail of the group with this key; NULL: none */
	const char       *silence;      /* silence_sight of these matchers, as they are typed; NULL: none */
	bool              rules;        /* rule_lines */
	int64_t           changed;      /* changed_sight of the alert with this id; 0: none */
	int64_t           deployment;   /* deploy_detail of the one with this id; 0: none */
	const char       *deployment_request; /* or of the one that was planned for this request; NULL: none */
};

/* ---- all of it ---- */

enum view_mode { VIEW_LIVE, VIEW_PAUSED, VIEW_PLAYING };

struct view {
	enum view_mode mode;
	bool           is_file;       /* a replay of a file: nobody records it */
	int64_t        t_ms;          /* the view time */
	int64_t        now_ms;        /* the clock */
	double         speed;         /* of VIEW_PLAYING; 1 is real time */
	int64_t        first_ms, last_ms; /* what the store holds; 0: nothing yet */
	const char    *recorder;      /* who records, for the status bar: "this console", "pitwall on jump-1 (pid 312)", "nobody" */
	const char    *trouble;       /* what is wrong with recording or reading, one sentence; "" */

	const struct fleet_view  *fleet;  /* NULL until the first answer */
	const struct node_view   *node;   /* may be of another node than asked for: compare */
	const struct events_view *events;
	const struct charts_view *charts;
	const struct log_view    *log;    /* NULL: none is followed */
	const struct alerts_view *alerts; /* NULL until the first answer */
	const struct alerts_detail *alerts_detail; /* may be of another group than asked for: compare; likewise the next */
	const struct silence_sight *silence;
	const struct changed_sight *changed;
	const struct deploys_view  *deploys; /* NULL until the first answer */
	const struct deploy_detail *deploy;  /* may be of another than asked for: compare */
	const struct rule_lines  *rules;  /* NULL: not asked for, or not there yet */
	struct view_person        person;
	int64_t                   unowned_after_ms; /* from when on alerts that nobody has stand out; 0: never */

	enum signal_id signal;        /* the chosen signal, the same on every screen */
	int            glyphs;        /* enum glyph_mode of tui/glyph.h: braille, blocks, ASCII */
};

/* The row of that node, or NULL. */
const struct node_row *view_node(const struct view *v, const char *node);

/* The model that all of these nodes serve; NULL where there is none such. */
const char *view_model(const struct view *v, char *const *nodes, size_t n);

#endif
