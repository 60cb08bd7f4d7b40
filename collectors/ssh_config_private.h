/* SPDX-License-Identifier: Apache-2.0
 *
 * One reading of ssh_config, shared by the files that do it: ssh_config.c (passes and result), ssh_config_file.c (files, lines, blocks),
 * ssh_config_match.c, ssh_config_value.c, ssh_config_expand.c and ssh_destination.c. */
#ifndef PITWALL_COLLECTORS_SSH_CONFIG_PRIVATE_H
#define PITWALL_COLLECTORS_SSH_CONFIG_PRIVATE_H

#include "collectors/ssh_config.h"
#include "collectors/ssh_keywords.h"

enum {
	SSH_DEPTH_MAX = 16,               /* of Include, as OpenSSH */
	SSH_FILES_MAX = 1024,             /* read in one pass, a file as often as it is included */
	SSH_TEXT_MAX  = 16 * 1024 * 1024, /* bytes read in one pass */
	SSH_EACH_MAX  = 100,              /* IdentityFile and CertificateFile, as OpenSSH */
	SSH_WORDS_MAX = 32,               /* files of known hosts, as OpenSSH */
	SSH_SHAPE_MAX = 256,              /* words of other lines that are kept */
	SSH_VALUE_MAX = 64 * 1024,        /* bytes of one value after its expansion */
};

/* Words with their places, in the settings' arena. */
struct ssh_word {
	const char *text, *file;
	int         line;
};
struct ssh_word_list {
	struct ssh_word *items;
	size_t           n, cap;
};

/* What was set for the keyword of the same index in ssh_keywords. */
struct ssh_slot {
	bool                 is_set;
	int64_t              number;  /* what the value means, where it is a number or a choice */
	const char          *written; /* the value, as one text */
	const char          *file;
	int                  line;
	struct ssh_word_list words;   /* the kinds of several words */
};

struct ssh_reading {
	const struct ssh_machine  *machine;
	const struct ssh_question *question;
	struct ssh_settings       *into;
	struct arena              *arena;   /* the one of `into` */
	struct arena               scratch; /* of the line that is read */
	struct ssh_slot           *slots;   /* n_ssh_keywords */
	struct diagnostics        *found;   /* never NULL */
	struct why                *why;
	const char                *typed;   /* the host as it was typed */
	const char                *host;    /* what Host compares: as typed; in the second pass the name to connect to */
	bool                       is_final, wants_final;
	size_t                     n_files, n_bytes; /* of this pass */
	struct ssh_unhonoured     *criteria; /* criteria of Match that pitwall cannot weigh */
	size_t                     n_criteria, cap_criteria;
};

/* Where in the files the reader is. */
struct ssh_place {
	const char *file;
	int         line;
	int         depth;
	bool        is_user;   /* of the user's own files: ~ is allowed in Include, relative paths are below ~/.ssh */
	bool        is_never;  /* included by a block that does not apply: only read for its mistakes */
	bool        is_active; /* the block that the line is in applies */
};

/* ---- ssh_config_file.c ---- */

/* Reads the file and what it includes. ERR_FORMAT where it holds mistakes; ERR_NOT_FOUND where there is none. */
enum err ssh_read_file(struct ssh_reading *r, const char *path, bool is_user);
/* Adds a mistake of this line. */
void ssh_mistake(struct ssh_reading *r, const struct ssh_place *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- ssh_config_words.c ---- */

/* The next token of *rest, cut off in place, in the way of keywords and of Match: ends at blanks or at one '='; quotes go. NULL: nothing
 * is left, or a quote is not closed. *rest is NULL once all is taken. */
char *ssh_next_token(char **rest);
/* The words of a value: quotes of both kinds, a backslash before a quote, a backslash or (outside of quotes) a blank; up to a word that
 * begins with '#'. They live in r->scratch, until the next line. False: a quote is not closed, or memory is short (arena_failed). */
bool ssh_split(struct ssh_reading *r, const struct ssh_place *at, const char *text, struct ssh_word_list *out);
bool ssh_words_add(struct arena *a, struct ssh_word_list *list, const char *text, const char *file, int line);
bool ssh_words_copy(struct arena *a, const struct ssh_word_list *from, struct ssh_word_list *to); /* the texts too; adds to `to` */
const char *ssh_words_join(struct arena *a, const struct ssh_word_list *list);

/* ---- ssh_config_match.c ---- */

/* Weighs the criteria in *rest and moves it behind what was understood. False: a mistake was added, or r->why says more (*e is then not ERR_OK). */
bool ssh_match_line(struct ssh_reading *r, const struct ssh_place *at, char **rest, bool *applies, enum err *e);

/* ---- ssh_config_value.c ---- */

/* Takes the value of the keyword where it is the first and the line is active; checks it always. `words` are the value's words, `text` the rest of the
 * line. False: a mistake was added. */
bool ssh_take_value(struct ssh_reading *r, const struct ssh_place *at, const struct ssh_keyword *k, const struct ssh_word_list *words, const char *text);
struct ssh_slot *ssh_slot_of(struct ssh_reading *r, const char *keyword);
bool ssh_parse_port(const char *text, int *out);

/* ---- ssh_config_expand.c ---- */

struct ssh_tokens {
	const char *host, *alias, *user, *port; /* %h %k %r %p */
};
/* Appends `text` with its replacements. `which` are SSH_EXPAND_*; tokens that `letters` lacks are mistakes ("hnpr"). */
enum err ssh_expand(const struct ssh_reading *r, const struct ssh_tokens *t, unsigned which, const char *letters, const char *text, struct buf *to,
	struct why *why);
#define SSH_ALL_TOKENS "CdhikLlnpru"

/* ---- ssh_destination.c ---- */

/* A host or user that can be handed to a program or a shell: no '-' in front, no control characters, blanks or characters that a shell acts on. */
bool ssh_is_host_safe(const char *host);
bool ssh_is_user_safe(const char *user);
/* [user@]host[:port] or an ssh:// URI; parts that are missing are NULL or 0. `is_jump`: a port may follow the plain form too. Texts are in the arena.
 * False: it is neither. */
bool ssh_parse_destination(struct arena *a, const char *text, bool is_jump, const char **user, const char **host, int *port);
/* Takes ProxyJump's value apart; *n 0 for "none". False: some stop is no good. */
bool ssh_parse_jumps(struct arena *a, const char *text, struct ssh_hop **out, size_t *n);

/* ---- ssh_config_result.c ---- */

/* Fills the fields of r->into from the slots and their presets. */
enum err ssh_settings_fill(struct ssh_reading *r, const struct ssh_tokens *t);
/* Lists what was given and what is not honoured. */
enum err ssh_settings_list(struct ssh_reading *r);

#endif
