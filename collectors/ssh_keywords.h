/* SPDX-License-Identifier: Apache-2.0
 *
 * The keywords of ssh_config as one table: the reader follows it, and what users are told about them is printed from it. */
#ifndef PITWALL_COLLECTORS_SSH_KEYWORDS_H
#define PITWALL_COLLECTORS_SSH_KEYWORDS_H

#include "collectors/ssh_config.h"

#include <stddef.h>

/* What a keyword's value looks like, and the type of the field in struct ssh_settings that it may have. */
enum ssh_value_kind {
	SSH_VALUE_HOST,        /* begins a block */
	SSH_VALUE_MATCH,       /* begins a block */
	SSH_VALUE_INCLUDE,
	SSH_VALUE_REFUSE,      /* RefuseConnection */
	SSH_VALUE_CHOICE,      /* a word of `choices`, any case; int or bool */
	SSH_VALUE_SECONDS,     /* 90, 1m30s, none; int64_t, milliseconds */
	SSH_VALUE_NUMBER,      /* int */
	SSH_VALUE_PORT,        /* a number or a service's name; int */
	SSH_VALUE_WORD,        /* const char * */
	SSH_VALUE_REST,        /* all of the line; const char * */
	SSH_VALUE_WORDS,       /* struct ssh_words */
	SSH_VALUE_EACH,        /* a word, and each further line adds one; struct ssh_words */
	SSH_VALUE_COMMAS,      /* a word that is a comma list; struct ssh_words */
	SSH_VALUE_ALGORITHMS,  /* const char * */
	SSH_VALUE_KEY_TYPES,   /* the same, patterns allowed */
	SSH_VALUE_JUMPS,       /* ProxyJump */
	SSH_VALUE_AGENT,       /* a path, $NAME or ${NAME}; const char * */
	SSH_VALUE_SHAPE,       /* between words_min and words_max words of which no more is known */
	SSH_VALUE_ASSIGNMENTS, /* NAME=VALUE words */
	SSH_VALUE_ANYTHING,    /* OpenSSH takes the line and does nothing */
};

struct ssh_choice {
	const char *text;
	int         value;
};

/* What is replaced in a value. */
enum {
	SSH_EXPAND_HOST   = 1,  /* %% %h */
	SSH_EXPAND_TILDE  = 2,
	SSH_EXPAND_TOKENS = 4,  /* %% %C %d %h %i %k %L %l %n %p %r %u */
	SSH_EXPAND_ENV    = 8,  /* ${NAME} */
};

struct ssh_keyword {
	const char              *name;      /* as ssh_config(5) spells it */
	const char              *other_name_of; /* all else stands in that keyword's row */
	enum ssh_value_kind      kind;
	const struct ssh_choice *choices;   /* up to one without a text */
	unsigned char            words_min, words_max; /* SSH_VALUE_SHAPE; words_max 0: any number */
	size_t                   to;        /* offset in struct ssh_settings; 0: nothing there */
	bool                     is_flag;   /* that field is a bool */
	unsigned                 expand;    /* SSH_EXPAND_* */
	const char              *preset;    /* the value where none is set, written as in a file; NULL: the field keeps zero */
	enum ssh_honour          honour;
	const char              *idle;      /* a pattern list of values that ask for nothing, so that they are always honoured; may be NULL */
	const char              *why;       /* a sentence, where it is not honoured */
};

extern const struct ssh_keyword ssh_keywords[];
extern const size_t             n_ssh_keywords;

/* The row of a name in any case (of the keyword itself where that is another name for it); NULL: there is none. */
const struct ssh_keyword *ssh_keyword_find(const char *name);

#endif
