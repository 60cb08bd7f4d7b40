/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alerts_dialog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/matcher_set.h"
#include "base/num.h"
#include "tui/alerts_detail.h"
#include "tui/alerts_text.h"
#include "tui/form.h"

enum { NONE = FORM_FIELDS_MAX, TEXT_MAX = 2000, KEYS_TEXT_MAX = REQUEST_KEYS_MAX * REQUEST_KEY_MAX };
static const int64_t MINUTE_MS = 60 * 1000, DAY_MS = 24 * 3600 * 1000;

/* How long: the last choice is a time that is typed. */
struct lasts {
	const char *const *words;
	const int64_t     *minutes; /* 0: until it resolves */
	size_t             n;
};
static const char *const ack_words[] = { "until it resolves", "1h", "4h", "until:" };
static const int64_t ack_minutes[] = { 0, 60, 240, 0 };
static const char *const silence_words[] = { "1h", "30m", "4h", "1d", "until:" };
static const int64_t silence_minutes[] = { 60, 30, 240, 1440, 0 };
static const struct lasts ack_lasts = { ack_words, ack_minutes, 4 }, silence_lasts = { silence_words, silence_minutes, 5 };

struct dialog {
	struct screen       screen;
	struct form        *form;
	enum request_kind   kind;
	char              **keys;
	size_t              n_keys;
	int64_t             alert, at_ms, now_ms;
	char               *node, *silence;
	char                who[REQUEST_NAME_MAX + 1], origin[REQUEST_NAME_MAX + 1];
	const struct lasts *lasts;
	size_t              row_who, row_matchers, row_comment, row_lasts, row_until, row_sight, row_wrong; /* NONE: there is no such field */
};

enum err alerts_until(const char *text, int64_t now_ms, int64_t *out_ms, struct why *why)
{
	int64_t t;
	text += strspn(text, " ");
	if (text[0] == '\0')
		return why_set(why, ERR_FORMAT, "until when? as in 18:30 or 2h");
	if (parse_duration(text, strlen(text), &t) == ERR_OK && t > 0 && t < INT64_MAX - now_ms) {
		*out_ms = now_ms + t;
		return ERR_OK;
	}
	enum err e = parse_time(text, now_ms, &t, why);
	if (e != ERR_OK)
		return e;
	/* A time of the day is the next one. */
	bool is_day_time = strchr(text, ':') != NULL && strchr(text, '-') == NULL && strlen(text) <= 8;
	while (is_day_time && t <= now_ms)
		t += DAY_MS;
	if (t <= now_ms)
		return why_set(why, ERR_RANGE, "'%.40s' is over already", text);
	*out_ms = t;
	return ERR_OK;
}

/* ---- the request ---- */

static enum err find_until(const struct dialog *d, int64_t *until_ms, struct why *why)
{
	*until_ms = 0;
	if (d->row_lasts == NONE)
		return ERR_OK;
	size_t chosen = form_choice(d->form, d->row_lasts);
	if (chosen + 1 == d->lasts->n)
		return alerts_until(form_text(d->form, d->row_until), d->now_ms, until_ms, why);
	*until_ms = d->lasts->minutes[chosen] == 0 ? 0 : d->now_ms + d->lasts->minutes[chosen] * MINUTE_MS;
	return ERR_OK;
}

static enum err find_matchers(const struct dialog *d, struct buf *json, struct why *why)
{
	struct matcher_set m;
	if (d->row_matchers == NONE)
		return ERR_OK;
	matcher_set_init(&m);
	enum err e = matcher_set_parse(&m, form_text(d->form, d->row_matchers), why);
	if (e == ERR_OK && matcher_set_put_json(&m, json) != ERR_OK)
		e = why_set(why, json->err, "the matchers are too long");
	matcher_set_release(&m);
	return e;
}

static const char *text_of(const struct dialog *d, size_t row)
{
	return row == NONE ? "" : form_text(d->form, row);
}

/* Written and read again: the request is then whole, checked, and its own. */
static enum err copy_request(const struct request *r, struct request **out, struct why *why)
{
	struct buf text;
	buf_init(&text, REQUEST_BYTES_MAX);
	enum err e = request_write(r, &text, why);
	if (e == ERR_OK)
		e = request_read(buf_text(&text), text.len, r->id, out, why);
	buf_release(&text);
	return e;
}

static enum err make_request(const struct dialog *d, struct request **out, struct why *why)
{
	struct buf json;
	buf_init(&json, REQUEST_BYTES_MAX);
	struct request r = { .kind = d->kind, .asked_ms = d->now_ms, .who = d->row_who == NONE ? d->who : form_text(d->form, d->row_who),
		             .origin = d->origin, .comment = text_of(d, d->row_comment), .keys = (const char *const *)d->keys, .n_keys = d->n_keys,
		             .silence = d->silence, .alert = d->alert, .node = d->node, .at_ms = d->at_ms };
	enum err e = r.who[0] == '\0' ? why_set(why, ERR_FORMAT, "who are you? several people use this account") : ERR_OK;
	if (e == ERR_OK)
		e = find_until(d, &r.until_ms, why);
	if (e == ERR_OK)
		e = find_matchers(d, &json, why);
	r.matchers = buf_text(&json);
	if (e == ERR_OK)
		e = request_new_id(d->now_ms, r.id, why);
	if (e == ERR_OK)
		e = copy_request(&r, out, why);
	buf_release(&json);
	return e;
}

static enum next answer(struct dialog *d, struct requests *out)
{
	struct why why = { "" };
	if (make_request(d, &out->ask, &why) == ERR_OK)
		return NEXT_CLOSE;
	form_say(d->form, d->row_wrong, ROLE_CRIT, why.text[0] != '\0' ? why.text : "out of memory");
	return NEXT_REDRAW;
}

/* ---- as a screen ---- */

static enum next changed(struct dialog *d, enum form_result r, struct requests *out)
{
	switch (r) {
	case FORM_DONE: return answer(d, out);
	case FORM_CANCELLED: return NEXT_CLOSE;
	case FORM_SAME: return NEXT_STAY;
	case FORM_CHANGED: break;
	}
	form_say(d->form, d->row_wrong, ROLE_TEXT, "");
	if (d->row_lasts != NONE)
		form_show(d->form, d->row_until, form_choice(d->form, d->row_lasts) + 1 == d->lasts->n);
	return NEXT_REDRAW;
}

static enum next key(struct screen *s, struct key k, struct requests *out)
{
	struct dialog *d = (struct dialog *)s;
	return changed(d, form_key(d->form, k), out);
}

static enum next paste(struct screen *s, const char *text, size_t n)
{
	struct dialog *d = (struct dialog *)s;
	struct requests none = { 0 };
	return changed(d, form_paste(d->form, text, n), &none);
}

/* Whatever is no key of its own: a command by the mouse's wheel, say. */
static enum next command(struct screen *s, const struct view *view, enum command c, const char *argument, struct requests *out)
{
	(void)s;
	(void)view;
	(void)argument;
	(void)out;
	return c == COMMAND_BACK || c == COMMAND_QUIT ? NEXT_CLOSE : NEXT_STAY;
}

static bool offers(const struct screen *s, const struct view *view, enum command c)
{
	(void)s;
	(void)view;
	return c == COMMAND_BACK;
}

static void draw(const struct screen *s, const struct view *view, struct canvas *c)
{
	(void)view;
	form_draw(((const struct dialog *)s)->form, c);
}

static void needs(const struct screen *s, const struct view *view, struct needs *out)
{
	const struct dialog *d = (const struct dialog *)s;
	(void)view;
	if (d->row_matchers != NONE)
		out->silence = form_text(d->form, d->row_matchers);
}

static void say_sight(struct dialog *d, const struct silence_sight *s)
{
	char text[ALERTS_TEXT];
	if (s == NULL || strcmp(s->text, form_text(d->form, d->row_matchers)) != 0) {
		form_say(d->form, d->row_sight, ROLE_SECOND, "looking what it would hide");
	} else if (s->err != ERR_OK) {
		form_say(d->form, d->row_sight, ROLE_WARN, s->why);
	} else {
		snprintf(text, sizeof text, "hides %zu now (in %zu group%s), would have hidden %zu in the last day", s->n_now, s->n_groups_now,
		         s->n_groups_now == 1 ? "" : "s", s->n_day);
		form_say(d->form, d->row_sight, ROLE_INFO, text);
	}
}

static void update(struct screen *s, const struct view *view)
{
	struct dialog *d = (struct dialog *)s;
	d->now_ms = view->now_ms;
	if (d->row_sight != NONE)
		say_sight(d, view->silence);
}

static void release(struct screen *s)
{
	struct dialog *d = (struct dialog *)s;
	for (size_t i = 0; i < d->n_keys; i++)
		free(d->keys[i]);
	free(d->keys);
	free(d->node);
	free(d->silence);
	form_free(d->form);
	free(d);
}

static const struct screen_kind dialog_kind = {
	.name = "QUESTION", .context = CONTEXT_DIALOG, .is_dialog = true, .draw = draw, .command = command, .key = key, .paste = paste, .offers = offers,
	.update = update, .needs = needs, .free = release,
};

/* ---- making ---- */

static bool copy_keys(struct dialog *d, const struct alerts_dialog_options *o)
{
	d->keys = calloc(o->n_keys + 1, sizeof *d->keys);
	for (size_t i = 0; d->keys != NULL && i < o->n_keys; i++) {
		d->keys[i] = strdup(o->keys[i]);
		if (d->keys[i] == NULL)
			return false;
		d->n_keys++;
	}
	d->node = strdup(o->node != NULL ? o->node : "");
	d->silence = strdup(o->silence != NULL ? o->silence : "");
	return d->keys != NULL && d->node != NULL && d->silence != NULL;
}

static void add_who(struct dialog *d, const struct view *v)
{
	char text[ALERTS_TEXT];
	const struct actor a = { v->person.who, v->person.account, v->person.origin };
	snprintf(d->who, sizeof d->who, "%s", a.who);
	snprintf(d->origin, sizeof d->origin, "%s", a.origin);
	if (v->person.must_ask) {
		d->row_who = form_add_text(d->form, "your name", "");
		return;
	}
	form_say(d->form, form_add_says(d->form, "as"), ROLE_TEXT, actor_text(&a, text));
}

static void add_lasts(struct dialog *d, const struct lasts *l)
{
	d->lasts = l;
	d->row_lasts = form_add_choice(d->form, d->kind == REQUEST_ACK ? "holds" : "for", l->words, l->n);
	d->row_until = form_add_text(d->form, "time", "");
	form_show(d->form, d->row_until, false);
}

static void add_fields(struct dialog *d, const struct alerts_dialog_options *o, const struct view *v)
{
	form_say(d->form, form_add_says(d->form, o->kind == REQUEST_SILENCE ? "" : "about"), ROLE_TEXT, o->about);
	if (o->kind == REQUEST_SILENCE)
		d->row_matchers = form_add_text(d->form, "hide", o->matchers);
	add_who(d, v);
	if (o->kind != REQUEST_UNACK && o->kind != REQUEST_UNSILENCE)
		d->row_comment = form_add_text(d->form, o->kind == REQUEST_NOTE ? "note" : "comment", "");
	if (o->kind == REQUEST_ACK)
		add_lasts(d, &ack_lasts);
	if (o->kind == REQUEST_SILENCE) {
		add_lasts(d, &silence_lasts);
		d->row_sight = form_add_says(d->form, "");
	}
	d->row_wrong = form_add_says(d->form, "");
}

struct screen *alerts_dialog_new(const struct alerts_dialog_options *o, const struct view *v)
{
	struct dialog *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->screen.kind = &dialog_kind;
	d->kind = o->kind;
	d->alert = o->alert;
	d->at_ms = o->at_ms;
	d->row_who = d->row_matchers = d->row_comment = d->row_lasts = d->row_until = d->row_sight = d->row_wrong = NONE;
	d->form = form_new(o->title, o->keys_text);
	bool is_whole = copy_keys(d, o) && d->form != NULL;
	if (is_whole)
		add_fields(d, o, v);
	if (!is_whole || form_failed(d->form)) {
		release(&d->screen);
		return NULL;
	}
	update(&d->screen, v);
	return &d->screen;
}
