/* SPDX-License-Identifier: Apache-2.0
 *
 * The templates of alerts' labels and annotations: Go's text/template with the functions of Prometheus, so that rule files work unchanged.
 * `$labels`, `$value`, `$externalLabels` and `$externalURL` are there, as are `.Labels`, `.Value` and their kin.
 *
 * Text comes from rule files, which a site writes, and values from servers, which anybody may: a template is bounded in the steps that it
 * takes, in its depth and in what it writes.
 *
 * What is not there says so when the template is read: methods of times, complex numbers, `call`.
 * Sources: the Go documentation, "text/template" and "fmt"; the Prometheus documentation, "Template reference".
 *
 * Threads: a parsed template is immutable and may be used from several threads at once. */
#ifndef PITWALL_RULES_TEMPLATE_H
#define PITWALL_RULES_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/labels.h"
#include "query/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct template;

enum {
	TEMPLATE_TEXT_MAX   = 64 * 1024, /* bytes of a template */
	TEMPLATE_OUTPUT_MAX = 64 * 1024, /* bytes that one may write */
	TEMPLATE_STEPS_MAX  = 100000,    /* nodes that one expansion may visit */
};

/* Copies the text. ERR_FORMAT: `why` says what is wrong, with the line where there are several; ERR_LIMIT: too long or too deep. */
enum err template_parse(const char *text, struct template **out, struct why *why);
void     template_free(struct template *t); /* NULL is fine */

/* The text has no action in it: it stands for itself. */
bool template_is_plain(const struct template *t);

/* What it gives depends on labels alone, as far as can be told at a glance: neither on the value, nor on the time, nor on a query. */
bool template_is_of_labels(const struct template *t);

/* What a template is expanded with; lent for the call. */
struct template_data {
	const struct labels *labels;       /* of the result that the alert comes from; NULL: none */
	double               value;        /* its value */
	const struct labels *external;     /* NULL: none */
	const char          *external_url; /* NULL: "" */
	int64_t              at_ms;        /* of the evaluation: `now`, and the time of queries */
	/* Evaluates an expression for `query`; on ERR_OK the result is the caller's. NULL: `query` fails. */
	enum err (*query)(void *ctx, const char *expression, int64_t at_ms, struct query_result *out, struct why *why);
	void *ctx;
};

/* Appends the expanded text. On failure `to` is as it was. ERR_FORMAT: a value of the wrong kind, a wrong argument, ...; ERR_LIMIT: too many
 * steps, too much text. */
enum err template_expand(const struct template *t, const struct template_data *data, struct buf *to, struct why *why);

#endif
