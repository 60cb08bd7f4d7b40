/* SPDX-License-Identifier: Apache-2.0
 *
 * A locale that writes 0.5 as "0,5", for the tests of what must not follow it. */
#ifndef PITWALL_TESTS_COMMA_LOCALE_H
#define PITWALL_TESTS_COMMA_LOCALE_H

/* Enters one that is installed, or one made for the purpose with localedef, which takes about two seconds. Skips the test, with a
 * sentence, where neither can be. */
void comma_locale_enter(void);
void comma_locale_leave(void); /* back to "C" */

#endif
