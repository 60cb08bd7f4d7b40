/* SPDX-License-Identifier: Apache-2.0
 *
 * ssh_config: the input's first line is the destination, the rest the user's file, which may include itself and a file of its own. No file
 * is touched, no command run. What comes out is within its bounds, and can be handed to a program. */
#include "tests/fuzz/fuzz.h"

#include "base/diagnostics.h"
#include "collectors/ssh_keywords.h"
#include "tests/unit/collectors/ssh_memory.h"

static void check_name(const char *name)
{
	HOLDS(name != NULL && *name != '\0' && *name != '-');
	for (; *name != '\0'; name++)
		HOLDS((unsigned char)*name >= ' ' && *name != 0x7f && strchr("'`\";&<>|(){}", *name) == NULL);
}

static void check_words(const struct ssh_words *words)
{
	for (size_t i = 0; i < words->n; i++)
		HOLDS(words->items[i] != NULL);
}

static void check_settings(const struct ssh_settings *s)
{
	check_name(s->destination);
	check_name(s->host_name);
	HOLDS(s->user != NULL);
	HOLDS(s->port > 0 && s->port < 65536);
	HOLDS(s->connection_attempts >= 1 && s->alive_count_max >= 0 && s->connect_timeout_ms >= 0 && s->alive_interval_ms >= 0);
	HOLDS((unsigned)s->strict_host_key_checking <= SSH_KEY_CHECK_NO && (unsigned)s->address_family <= SSH_FAMILY_INET6);
	check_words(&s->identity_files);
	check_words(&s->certificate_files);
	check_words(&s->user_known_hosts);
	check_words(&s->global_known_hosts);
	check_words(&s->preferred_authentications);
	for (size_t i = 0; i < s->n_jumps; i++) {
		check_name(s->jumps[i].host);
		HOLDS(s->jumps[i].port >= 0 && s->jumps[i].port < 65536);
		if (s->jumps[i].user != NULL)
			check_name(s->jumps[i].user);
	}
	bool falls_back = false;
	for (size_t i = 0; i < s->n_unhonoured; i++) {
		const struct ssh_unhonoured *u = &s->unhonoured[i];
		HOLDS(u->honour != SSH_HONOURED && u->line > 0 && u->why != NULL && u->keyword != NULL && u->value != NULL && u->file != NULL);
		falls_back = falls_back || u->honour == SSH_FALLS_BACK_TO_OPENSSH;
	}
	HOLDS(falls_back == s->needs_openssh);
	for (size_t i = 0; i < s->n_given; i++)
		HOLDS(ssh_keyword_find(s->given[i].keyword) != NULL && s->given[i].line > 0 && s->given[i].value != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char *file = strchr(text, '\n');
	if (file != NULL)
		*file++ = '\0';
	const struct ssh_memory_file files[] = {
		{ "/home/op/.ssh/config", file != NULL ? file : "" }, { "/home/op/.ssh/more", "Host gpu-*\nPort 7\nMatch final all\nUser u\n" },
		{ NULL, NULL },
	};
	struct ssh_memory m;
	struct ssh_settings s = { 0 };
	struct diagnostics d;
	struct why why = { "" };
	ssh_memory_init(&m, files);
	diagnostics_init(&d);
	const struct ssh_question q = { .destination = text };
	enum err e = ssh_config_resolve(&q, &m.machine, &s, &d, &why);
	if (e == ERR_OK) {
		check_settings(&s);
		HOLDS(d.n_errors == 0);
	} else {
		HOLDS(why.text[0] != '\0' && s.n_given == 0);
		HOLDS(e != ERR_FORMAT || d.n_errors > 0);
	}
	ssh_settings_release(&s);
	diagnostics_release(&d);
	ssh_memory_release(&m);
	free(text);
	return 0;
}
