/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the machine is and what its clock says: always asked, and first, so that the time between the question and the answer is the network's
 * and not the tools'. Who it is is asked once a connection. */
#include "collectors/source_machine.h"

#include <math.h>
#include <string.h>

#include "collectors/slice.h"

enum { FACT_MAX = 128 };

struct machine {
	char sysname[FACT_MAX], nodename[FACT_MAX], release[FACT_MAX], version[FACT_MAX], arch[FACT_MAX], domain[FACT_MAX];
	char os[FACT_MAX], user[FACT_MAX];
};

/* bash knows the time to the microsecond by itself; date's %N is GNU's and BusyBox' if built in, else it stays as it is. */
static const char script[] =
	"t=${EPOCHREALTIME-}\n"
	"test -n \"$t\" || t=$(date +%s.%N)\n"
	"printf 'time %s\\n' \"$t\"\n"
	"test \"$1\" != clock || return 0\n"
	"printf 'sysname %s\\n' \"$(uname -s)\"\n"
	"printf 'nodename %s\\n' \"$(uname -n)\"\n"
	"printf 'release %s\\n' \"$(uname -r)\"\n"
	"printf 'version %s\\n' \"$(uname -v)\"\n"
	"printf 'arch %s\\n' \"$(uname -m)\"\n"
	"printf 'user %s\\n' \"$(id -un 2>/dev/null || id -u)\"\n"
	"test ! -r /proc/sys/kernel/domainname || { read -r domain && printf 'domain %s\\n' \"$domain\"; } </proc/sys/kernel/domainname\n"
	"test ! -r /etc/os-release || while IFS='=' read -r key value; do\n"
	"	test \"$key\" != PRETTY_NAME || printf 'os %s\\n' \"$value\"\n"
	"done </etc/os-release\n";

static void ask(const void *memory, struct buf *argument)
{
	const struct machine *m = memory;
	if (m->nodename[0] != '\0')
		buf_puts(argument, "clock");
}

static void forget(void *memory)
{
	memset(memory, 0, sizeof(struct machine));
}

static void keep_fact(struct machine *m, struct slice key, struct slice value)
{
	const struct {
		const char *key;
		char       *to;
	} facts[] = {
		{ "sysname", m->sysname }, { "nodename", m->nodename }, { "release", m->release }, { "version", m->version },
		{ "arch", m->arch },       { "user", m->user },         { "domain", m->domain },   { "os", m->os },
	};
	while (value.n > 0 && *value.p == ' ')
		value.p++, value.n--;
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		value.p++, value.n -= 2;
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
		if (slice_is(key, facts[i].key))
			slice_copy(value, facts[i].to, FACT_MAX);
}

/* "1712345678.123456"; what `date` did not know ("1712345678.%N", ".N") leaves whole seconds. */
static bool read_time(struct slice text, double *seconds, double *resolution)
{
	struct slice whole;
	double fraction;
	while (text.n > 0 && *text.p == ' ')
		text.p++, text.n--;
	if (!slice_until(&text, ".", &whole))
		whole = text, text.n = 0;
	if (!slice_number(whole, seconds) || !(*seconds >= 0 && *seconds < 1e11))
		return false;
	*resolution = 1;
	if (text.n == 0 || text.n > 9 || !slice_number(text, &fraction) || !(fraction >= 0))
		return true;
	*resolution = pow(10, -(double)text.n);
	*seconds += fraction * *resolution;
	return true;
}

/* The machine read its clock some time between asked and answered: in the middle, give or take half of that; and its clock was then somewhere
 * in the last step that it can tell. */
static void put_offset(const struct section *in, double seconds, double resolution, struct findings *out)
{
	double asked = (double)in->asked_ms / 1e3, answered = (double)in->answered_ms / 1e3;
	if (answered < asked) /* our own clock was set back meanwhile */
		return;
	double offset = seconds + resolution / 2 - (asked + answered) / 2;
	findings_put(out, "pitwall_clock_offset_seconds", round(offset * 1e6) / 1e6, NULL);
	findings_put(out, "pitwall_clock_offset_error_seconds", round(((answered - asked) / 2 + resolution / 2) * 1e6) / 1e6, NULL);
}

void machine_put(const void *memory, struct findings *out)
{
	const struct machine *m = memory;
	const char *info[] = {
		"arch", m->arch, "hostname", m->nodename, "kernel", m->release, "os", m->os[0] != '\0' ? m->os : m->sysname, "user", m->user, NULL,
	};
	const char *uname[] = {
		"domainname", m->domain, "machine", m->arch, "nodename", m->nodename, "release", m->release, "sysname", m->sysname, "version",
		m->version, NULL,
	};
	findings_put(out, "pitwall_machine_info", 1, info);
	if (m->nodename[0] != '\0')
		findings_put(out, "node_uname_info", 1, uname);
}

static enum err parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	struct slice rest = { in->text, in->n }, line, time = { NULL, 0 };
	double      seconds = 0, resolution = 1;
	(void)s;
	while (slice_line(&rest, &line)) {
		struct slice key;
		if (!slice_word(&line, &key))
			continue;
		if (slice_is(key, "time"))
			time = line;
		else
			keep_fact(memory, key, line);
	}
	machine_put(memory, out);
	if (time.n == 0 || !read_time(time, &seconds, &resolution))
		return why_set(why, ERR_FORMAT, "it did not say what its clock says");
	put_offset(in, seconds, resolution, out);
	return ERR_OK;
}

const struct source machine_source = {
	.name = "machine",
	.summary = "who the machine is and what its clock says",
	.script = script,
	.memory_size = sizeof(struct machine),
	.forget = forget,
	.ask = ask,
	.parse = parse,
};
