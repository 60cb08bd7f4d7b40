/* SPDX-License-Identifier: Apache-2.0 */
#include "config/receivers.h"

#include "config/fleet_build.h"
#include "config/keys.h"
#include "config/words.h"

#include <string.h>

enum { LIST_MAX = 100, TEXT_MAX = 1024, ADDRESS_MAX = 254 /* RFC 5321, 4.5.3.1.3, less the angle brackets */, URL_MAX = 2048 };

#define SECOND_MS INT64_C(1000)
#define DAY_MS    (24 * 3600 * SECOND_MS)
#define PAGERDUTY_URL "https://events.pagerduty.com/v2/enqueue"

static const char *const kinds[] = { [RECEIVER_WEBHOOK] = "webhook", [RECEIVER_COMMAND] = "command", [RECEIVER_EMAIL] = "email",
	                             [RECEIVER_PAGERDUTY] = "pagerduty" };
_Static_assert(sizeof kinds / sizeof *kinds == RECEIVER_KIND_COUNT, "a key for each kind");

const char *receiver_kind_name(enum receiver_kind k)
{
	return kinds[k];
}

/* ---- pieces ---- */

/* One of some words; where it is none of them `out` stays. */
static void read_choice(struct build *b, const struct yaml_node *map, const char *key, const char *const *words, size_t n, const char *all, int *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	const char *text;
	if (node == NULL || !yaml_text(b->y, node, key, &text))
		return;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = (int)i;
			return;
		}
	}
	yaml_error(b->y, node, "'%s' must be %s, not '%.60s'", key, all, text);
}

static void read_flag(struct build *b, const struct yaml_node *map, const char *key, bool *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (node != NULL)
		yaml_bool(b->y, node, key, out);
}

static void read_span(struct build *b, const struct yaml_node *map, const char *key, int64_t min_ms, int64_t max_ms, int64_t *out)
{
	const struct yaml_node *node = yaml_get(map, key);
	if (node != NULL)
		yaml_duration(b->y, node, key, min_ms, max_ms, out);
}

static bool read_name(struct build *b, const struct yaml_node *item, const char *what, const char **out)
{
	const struct yaml_node *node = yaml_get(item, "name");
	const char *text;
	if (node == NULL) {
		yaml_error(b->y, item, "an item of '%s' needs a 'name'", what);
		return false;
	}
	if (!yaml_text(b->y, node, "name", &text))
		return false;
	if (text[0] == '\0' || !is_clean(text) || strlen(text) > TEXT_MAX) {
		yaml_error(b->y, node, "'name' is empty, too long or holds control characters");
		return false;
	}
	*out = keep(b, arena_text(b->arena, text));
	return *out != NULL;
}

/* A text or a list of texts, each as `is_good` has it. NULL: reported. */
static const char *const *read_texts(struct build *b, const struct yaml_node *node, const char *key, bool (*is_good)(const char *text),
                                     const char *must_be, size_t *n)
{
	const struct yaml_node *const *items = node->kind == YAML_SCALAR ? &node : node->items;
	size_t n_items = node->kind == YAML_SCALAR ? 1 : node->n;
	if (node->kind == YAML_MAP || n_items == 0 || n_items > LIST_MAX) {
		yaml_error(b->y, node, "'%s' must be a text or a list of 1 to %d", key, LIST_MAX);
		return NULL;
	}
	const char **texts = keep(b, arena_zeroed(b->arena, n_items + 1, sizeof *texts));
	for (size_t i = 0; texts != NULL && i < n_items; i++) {
		const char *text;
		if (!yaml_text(b->y, items[i], key, &text))
			return NULL;
		if (!is_good(text)) {
			yaml_error(b->y, items[i], "'%s' must be %s, not '%.80s'", key, must_be, text);
			return NULL;
		}
		texts[i] = keep(b, arena_text(b->arena, text));
	}
	*n = n_items;
	return b->err == ERR_OK ? texts : NULL;
}

/* A URL that begins with one of two schemes, and holds neither user nor password. */
static bool is_url(const char *text, const char *scheme, const char *secure)
{
	const char *rest = strstr(text, "://");
	if (rest == NULL || strlen(text) > URL_MAX || (strncmp(text, scheme, strlen(scheme)) != 0 && strncmp(text, secure, strlen(secure)) != 0))
		return false;
	rest += 3;
	size_t n = strcspn(rest, "/?#");
	for (const char *p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return n > 0 && memchr(rest, '@', n) == NULL;
}

/* It may hold what is secret, in its path too, so it is never quoted. */
static bool read_url(struct build *b, const struct yaml_node *map, const char *scheme, const char *secure, const char **out)
{
	const struct yaml_node *node = yaml_get(map, "url");
	const char *text;
	if (node == NULL) {
		yaml_error(b->y, map, "'url' must be given");
		return false;
	}
	if (!yaml_text(b->y, node, "url", &text))
		return false;
	if (!is_url(text, scheme, secure)) {
		yaml_error(b->y, node, "'url' must begin with %s or %s and hold no blank; a user and a password go into 'auth'", scheme, secure);
		return false;
	}
	const char *copy = keep(b, arena_text(b->arena, text));
	if (copy != NULL)
		*out = copy;
	return copy != NULL;
}

static void read_access(struct build *b, const struct yaml_node *map, const struct fleet_auth **auth, const struct fleet_tls **tls)
{
	const struct yaml_node *node = yaml_get(map, "auth");
	if (node != NULL)
		*auth = auth_read(b, node);
	node = yaml_get(map, "tls");
	if (node != NULL)
		*tls = tls_read(b, node);
}

/* ---- kinds ---- */

static bool read_webhook(struct build *b, const struct yaml_node *map, struct fleet_receiver *r)
{
	const struct yaml_node *url = yaml_get(map, "url");
	if (!yaml_is_map(b->y, map, "webhook"))
		return false;
	bool is_good = keys_check(b->y, map, KEYS_WEBHOOK);
	read_access(b, map, &r->auth, &r->tls);
	if (url != NULL && url->kind == YAML_MAP)
		return secret_source_read(b, url, "url", &r->secret) && is_good;
	return read_url(b, map, "http://", "https://", &r->url) && is_good;
}

static bool read_command(struct build *b, const struct yaml_node *list, struct fleet_receiver *r)
{
	r->argv = words_read(b, list);
	return r->argv != NULL;
}

/* What may stand between angle brackets in a message and in SMTP without being quoted: nothing that ends it. */
static bool is_address(const char *text)
{
	const char *at = strrchr(text, '@');
	if (at == NULL || at == text || strlen(text) > ADDRESS_MAX || !is_host(at + 1))
		return false;
	for (const char *p = text; p < at; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("\"(),:;<>@[\\]", *p) != NULL)
			return false;
	return true;
}

static bool read_email(struct build *b, const struct yaml_node *map, struct fleet_receiver *r)
{
	static const char *const words[] = { [STARTTLS_REQUIRED] = "required", [STARTTLS_OFFERED] = "offered", [STARTTLS_NEVER] = "never" };
	const struct yaml_node *from = yaml_get(map, "from"), *to = yaml_get(map, "to");
	int starttls = STARTTLS_REQUIRED;
	size_t n;
	if (!yaml_is_map(b->y, map, "email"))
		return false;
	bool is_good = keys_check(b->y, map, KEYS_EMAIL);
	is_good = read_url(b, map, "smtp://", "smtps://", &r->url) && is_good;
	read_access(b, map, &r->auth, &r->tls);
	read_choice(b, map, "starttls", words, sizeof words / sizeof *words, "required, offered or never", &starttls);
	r->starttls = (enum receiver_starttls)starttls;
	if (r->auth != NULL && r->auth->kind != FLEET_AUTH_BASIC)
		yaml_error(b->y, yaml_get(map, "auth"), "e-mail knows only { basic: { user: ..., password: ... } }");
	if (r->auth != NULL && r->starttls != STARTTLS_REQUIRED && strncmp(r->url, "smtp://", 7) == 0)
		yaml_warning(b->y, map, "the password may go over the network in the clear: set 'starttls' to required");
	if (from == NULL || to == NULL) {
		yaml_error(b->y, map, "'email' needs '%s'", from == NULL ? "from" : "to");
		return false;
	}
	const char *const *senders = read_texts(b, from, "from", is_address, "an address like ops@example.com", &n);
	r->to = read_texts(b, to, "to", is_address, "an address like ops@example.com", &r->n_to);
	if (senders != NULL && n != 1)
		yaml_error(b->y, from, "'from' must be one address");
	r->from = senders != NULL ? senders[0] : "";
	return is_good && senders != NULL && r->to != NULL;
}

static bool read_pagerduty(struct build *b, const struct yaml_node *map, struct fleet_receiver *r)
{
	const struct yaml_node *key = yaml_get(map, "routing_key");
	if (!yaml_is_map(b->y, map, "pagerduty"))
		return false;
	bool is_good = keys_check(b->y, map, KEYS_PAGERDUTY);
	r->url = PAGERDUTY_URL;
	if (yaml_get(map, "url") != NULL)
		is_good = read_url(b, map, "http://", "https://", &r->url) && is_good;
	read_access(b, map, &r->auth, &r->tls);
	if (key == NULL) {
		yaml_error(b->y, map, "'pagerduty' needs 'routing_key'");
		return false;
	}
	return secret_source_read(b, key, "routing_key", &r->secret) && is_good;
}

static bool (*const readers[])(struct build *b, const struct yaml_node *node, struct fleet_receiver *r) = {
	[RECEIVER_WEBHOOK] = read_webhook, [RECEIVER_COMMAND] = read_command, [RECEIVER_EMAIL] = read_email, [RECEIVER_PAGERDUTY] = read_pagerduty,
};

static bool read_kind(struct build *b, const struct yaml_node *item, struct fleet_receiver *r)
{
	const struct yaml_node *found = NULL;
	for (size_t k = 0; k < RECEIVER_KIND_COUNT; k++) {
		const struct yaml_node *node = yaml_get(item, kinds[k]);
		if (node == NULL)
			continue;
		if (found != NULL) {
			yaml_error(b->y, yaml_get_key(item, kinds[k]), "a receiver is one of webhook, command, email and pagerduty: make another item for the other");
			return false;
		}
		found = node;
		r->kind = (enum receiver_kind)k;
	}
	if (found == NULL) {
		yaml_error(b->y, item, "a receiver needs one of webhook, command, email and pagerduty");
		return false;
	}
	return readers[r->kind](b, found, r);
}

/* ---- lists ---- */

/* A text, or a list of them, with matchers that must all hold. */
static bool read_match(struct build *b, const struct yaml_node *item, struct matcher_set *out)
{
	const struct yaml_node *node = yaml_get(item, "match");
	struct why why;
	size_t n = 0;
	if (node == NULL)
		return true;
	const char *const *texts = read_texts(b, node, "match", is_clean, "without control characters", &n);
	for (size_t i = 0; texts != NULL && i < n; i++) {
		enum err e = matcher_set_parse(out, texts[i], &why);
		if (e == ERR_MEMORY)
			b->err = e;
		else if (e != ERR_OK)
			yaml_error(b->y, node->kind == YAML_LIST ? node->items[i] : node, "'match': %s", why.text);
		if (e != ERR_OK)
			return false;
	}
	return texts != NULL;
}

static void read_receiver(struct build *b, const struct yaml_node *item)
{
	static const char *const severities[] = { [RECEIVER_INFO] = "info", [RECEIVER_WARNING] = "warning", [RECEIVER_CRITICAL] = "critical" };
	struct fleet *f = b->fleet;
	struct fleet_receiver r = { .name = "", .url = "", .from = "", .send_resolved = true, .group_wait_ms = RECEIVER_GROUP_WAIT_MS,
		                    .group_interval_ms = RECEIVER_GROUP_INTERVAL_MS, .repeat_interval_ms = RECEIVER_REPEAT_INTERVAL_MS,
		                    .timeout_ms = RECEIVER_TIMEOUT_MS };
	int severity = RECEIVER_INFO;
	if (!yaml_is_map(b->y, item, "receivers"))
		return;
	bool is_good = keys_check(b->y, item, KEYS_RECEIVER) && read_name(b, item, "receivers", &r.name);
	matcher_set_init(&r.match);
	is_good = read_match(b, item, &r.match) && is_good;
	read_choice(b, item, "min_severity", severities, sizeof severities / sizeof *severities, "info, warning or critical", &severity);
	r.min_severity = (enum receiver_severity)severity;
	read_flag(b, item, "send_resolved", &r.send_resolved);
	read_span(b, item, "group_wait", 0, DAY_MS, &r.group_wait_ms);
	read_span(b, item, "group_interval", SECOND_MS, DAY_MS, &r.group_interval_ms);
	read_span(b, item, "repeat_interval", 10 * SECOND_MS, 365 * DAY_MS, &r.repeat_interval_ms);
	read_span(b, item, "timeout", 100, 5 * 60 * SECOND_MS, &r.timeout_ms);
	is_good = read_kind(b, item, &r) && is_good;
	for (size_t i = 0; is_good && i < f->n_receivers; i++) {
		if (strcmp(f->receivers[i].name, r.name) == 0) {
			yaml_error(b->y, yaml_get(item, "name"), "receiver '%s' is here twice", r.name);
			is_good = false;
		}
	}
	if (is_good && b->err == ERR_OK)
		f->receivers[f->n_receivers++] = r;
	else
		matcher_set_release(&r.match);
}

void receivers_release(struct fleet *f)
{
	for (size_t i = 0; i < f->n_receivers; i++)
		matcher_set_release(&f->receivers[i].match);
}

/* true, false, or a duration, which is a yes too. */
static void read_flag_or_span(struct build *b, const struct yaml_node *item, const char *key, int64_t min_ms, int64_t max_ms, bool *is_on, int64_t *ms)
{
	const struct yaml_node *node = yaml_get(item, key);
	bool is_word = node != NULL && node->kind == YAML_SCALAR && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0);
	if (node == NULL)
		return;
	*is_on = true;
	if (is_word)
		yaml_bool(b->y, node, key, is_on);
	else
		yaml_duration(b->y, node, key, min_ms, max_ms, ms);
}

static bool read_owner(struct build *b, const struct yaml_node *item, struct fleet_alertmanager *a)
{
	const struct yaml_node *node = yaml_get(item, "owns_silences");
	read_flag(b, item, "owns_silences", &a->owns_silences);
	if (!a->owns_silences)
		return true;
	if (yaml_get(item, "show") != NULL && !a->is_shown) {
		yaml_error(b->y, node, "an Alertmanager that owns the silences is shown: take 'show: false' away");
		return false;
	}
	a->is_shown = true;
	for (size_t i = 0; i < b->fleet->n_alertmanagers; i++) {
		if (b->fleet->alertmanagers[i].owns_silences) {
			yaml_error(b->y, node, "'%s' owns the silences already: only one Alertmanager can", b->fleet->alertmanagers[i].name);
			return false;
		}
	}
	return true;
}

static void read_alertmanager(struct build *b, const struct yaml_node *item)
{
	struct fleet *f = b->fleet;
	struct fleet_alertmanager a = { .name = "", .url = "", .sends = true, .mirror_ms = ALERTMANAGER_MIRROR_MS,
		                        .show_ms = ALERTMANAGER_SHOW_MS, .timeout_ms = RECEIVER_TIMEOUT_MS };
	const char *url = "";
	if (!yaml_is_map(b->y, item, "alertmanagers"))
		return;
	bool is_good = keys_check(b->y, item, KEYS_ALERTMANAGER) && read_name(b, item, "alertmanagers", &a.name);
	is_good = read_url(b, item, "http://", "https://", &url) && is_good;
	read_access(b, item, &a.auth, &a.tls);
	read_flag(b, item, "send", &a.sends);
	read_span(b, item, "timeout", 100, 60 * SECOND_MS, &a.timeout_ms);
	read_flag_or_span(b, item, "mirror_acks", 2 * 60 * SECOND_MS, DAY_MS, &a.mirrors_acks, &a.mirror_ms);
	read_flag_or_span(b, item, "show", SECOND_MS, 3600 * SECOND_MS, &a.is_shown, &a.show_ms);
	is_good = read_owner(b, item, &a) && is_good;
	if (is_good && strpbrk(url, "?#") != NULL) {
		yaml_error(b->y, yaml_get(item, "url"), "'url' is where Alertmanager is, without ? and #");
		return;
	}
	char *trimmed = keep(b, arena_text(b->arena, url));
	for (size_t n = strlen(url); trimmed != NULL && n > 0 && trimmed[n - 1] == '/'; n--)
		trimmed[n - 1] = '\0';
	a.url = trimmed;
	for (size_t i = 0; is_good && i < f->n_alertmanagers; i++) {
		if (strcmp(f->alertmanagers[i].name, a.name) == 0) {
			yaml_error(b->y, yaml_get(item, "name"), "Alertmanager '%s' is here twice", a.name);
			return;
		}
	}
	if (is_good && b->err == ERR_OK)
		f->alertmanagers[f->n_alertmanagers++] = a;
}

static bool is_fitting_list(struct build *b, const struct yaml_node *list, const char *key)
{
	if (!yaml_is_list(b->y, list, key))
		return false;
	if (list->n > RECEIVERS_MAX)
		yaml_error(b->y, list, "more than %d items in '%s'", RECEIVERS_MAX, key);
	return list->n <= RECEIVERS_MAX;
}

void receivers_read(struct build *b, const struct yaml_node *list)
{
	if (!is_fitting_list(b, list, "receivers"))
		return;
	b->fleet->receivers = keep(b, arena_zeroed(b->arena, list->n + 1, sizeof *b->fleet->receivers));
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++)
		read_receiver(b, list->items[i]);
}

void alertmanagers_read(struct build *b, const struct yaml_node *list)
{
	if (!is_fitting_list(b, list, "alertmanagers"))
		return;
	b->fleet->alertmanagers = keep(b, arena_zeroed(b->arena, list->n + 1, sizeof *b->fleet->alertmanagers));
	for (size_t i = 0; i < list->n && b->err == ERR_OK; i++)
		read_alertmanager(b, list->items[i]);
}
