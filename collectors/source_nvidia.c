/* SPDX-License-Identifier: Apache-2.0
 *
 * nvidia-smi: the script that asks it, what is asked next time, and what its failures mean.
 *
 * One unknown field fails a whole query. So the script, told so by nvidia-smi, drops it and what else this driver does not list
 * (--help-query-gpu, one run more), and asks again in the same asking; the section says what was asked, and the next asking leaves out at
 * once what was dropped here. A new driver ends that. Links and MIG's memory, which cost runs of their own, are asked for every minute;
 * between, the samples of the last time are told again, so that the series stay. */
#include "collectors/source_nvidia.h"

#include <stdio.h>
#include <string.h>

#include "collectors/said.h"
#include "collectors/source_gpu.h"
#include "collectors/source_users.h"

enum {
	SLOW_MS   = 60000,  /* between askings for links and MIG's memory */
	NEVER_MS  = 900000, /* the same on a machine that has neither */
	ABSENT_MS = 600000,
	PAGE_MAX  = 256 * 1024,
	STATUS_NO_TIME = 124, STATUS_KILLED = 137, STATUS_ABSENT = 127,
	LATE_MAX = 1, /* askings that may be late: a machine that is busy with something else, persistence mode that is off */
};

/* A driver that lost a GPU refuses to talk of any; asked for one by its index it talks of the others. */
static const char script_head[] =
	"PATH=$PATH:/usr/local/nvidia/bin:/usr/lib/wsl/lib\n"
	"command -v nvidia-smi >/dev/null 2>&1 || return 127\n"
	"fields= n=0 tries=0 help=\n"
	"for f in";
static const char script_tail[] =
	"; do\n"
	"	n=$((n + 1))\n"
	"	case ,$1, in *,$n,*) ;; *) fields=$fields,$f ;; esac\n"
	"done\n"
	"fields=${fields#,}\n"
	"while :; do\n"
	"	said=$(bounded nvidia-smi --query-gpu=\"$fields\" --format=csv,noheader,nounits 2>&1)\n"
	"	rc=$?\n"
	"	case $said in *'is not a valid field to query'*) ;; *) break ;; esac\n"
	"	[ $tries -lt 12 ] || break\n"
	"	tries=$((tries + 1))\n"
	"	if [ $tries -eq 1 ]; then\n"
	"		help=$(bounded nvidia-smi --help-query-gpu 2>&1)\n"
	"		case $help in *'\"index\"'*) ;; *) help= ;; esac\n"
	"	fi\n"
	"	bad=${said#*Field \\\"} left=\n"
	"	bad=${bad%%\\\"*}\n"
	"	for f in $(printf '%s' \"$fields\" | tr , ' '); do\n"
	"		[ \"$f\" != \"$bad\" ] || continue\n"
	"		case $help in '' | *\"\\\"$f\\\"\"*) left=$left,$f ;; esac\n"
	"	done\n"
	"	[ \"$left\" != \",$fields\" ] && [ -n \"$left\" ] || break\n"
	"	fields=${left#,}\n"
	"done\n"
	"printf '@fields %s\\n@gpus\\n%s\\n' \"$fields\" \"$said\"\n"
	"if [ $rc -ne 0 ]; then\n"
	"	case $said in *'Unable to determine the device handle'*) n=0 ;; *) n=16 ;; esac\n"
	"	while [ $n -lt 16 ]; do\n"
	"		said=$(bounded nvidia-smi -i $n --query-gpu=\"$fields\" --format=csv,noheader,nounits 2>&1)\n"
	"		case $? in 0) printf '%s\\n' \"$said\" ;; 124 | 137) break ;; esac\n"
	"		case $said in *'No devices were found'*) break ;; esac\n"
	"		n=$((n + 1))\n"
	"	done\n"
	"	n=0\n"
	"	for f in /sys/bus/pci/devices/*; do\n" /* of NVIDIA, that show or compute */
	"		{ read -r bad <\"$f/vendor\" && read -r left <\"$f/class\"; } 2>/dev/null || continue\n"
	"		case $bad$left in 0x10de0x0300* | 0x10de0x0302*) n=$((n + 1)) ;; esac\n"
	"	done\n"
	"	printf '@pci\\n%s\\n' $n\n"
	"	return $rc\n"
	"fi\n"
	"case ,$1, in *,slow,*)\n"
	"	echo @nvlink\n"
	"	bounded nvidia-smi nvlink -s 2>&1\n"
	"	bounded nvidia-smi nvlink -e 2>&1 ;;\n"
	"esac\n"
	"case ,$1, in *,mig,*)\n"
	"	echo @mig\n"
	"	bounded nvidia-smi -L 2>&1\n"
	"	bounded nvidia-smi -q -x 2>/dev/null | sed -n -e '/<gpu id=/p' -e '/<mig_device>/,/<\\/mig_device>/p' ;;\n"
	"esac\n"
	"apps=$(bounded nvidia-smi --query-compute-apps=gpu_uuid,pid,used_gpu_memory,process_name \\\n"
	"	--format=csv,noheader,nounits 2>&1) || return 0\n"
	"pids=$(printf '%s\\n' \"$apps\" | sed -n 's/^[^,]*, *\\([0-9][0-9]*\\),.*/\\1/p')\n"
	USERS_SCRIPT
	"echo @apps\n"
	"printf '%s\\n' \"$apps\" | head -n 256 | cut -c 1-400\n"
	"return 0\n";

static enum err write_script(const struct source_settings *s, struct buf *to, struct why *why)
{
	(void)s;
	buf_puts(to, script_head);
	for (size_t i = 0; i < n_nvidia_fields; i++)
		buf_printf(to, " %s", nvidia_fields[i]);
	buf_puts(to, script_tail);
	return to->err == ERR_OK ? ERR_OK : why_set(why, to->err, "the script of 'nvidia_smi' does not fit");
}

static void ask(const void *memory, struct buf *argument)
{
	const struct nvidia_memory *m = memory;
	const char                 *comma = "";
	for (size_t i = 0; i < n_nvidia_fields; i++) {
		if (!m->is_unknown[i])
			continue;
		buf_printf(argument, "%s%zu", comma, i + 1);
		comma = ",";
	}
	if (m->wants_slow)
		buf_printf(argument, "%sslow%s", comma, m->has_mig ? ",mig" : "");
}

/* ---- the section ---- */

static void split(struct slice text, struct nvidia_parts *out)
{
	enum { GPUS, PCI, NVLINK, MIG, USERS, APPS, N };
	static const char *const marks[N] = { "@gpus", "@pci", "@nvlink", "@mig", "@users", "@apps" };
	struct slice             parts[N], head = slice_parts(text, marks, N, parts), line;
	memset(out, 0, sizeof *out);
	while (slice_line(&head, &line))
		if (slice_skip(&line, "@fields "))
			out->fields = line;
	out->gpus = parts[GPUS];
	out->has_devices = slice_line(&parts[PCI], &line) && said_number(line, 0) > 0;
	out->nvlink = parts[NVLINK];
	out->mig = parts[MIG];
	out->users = parts[USERS];
	out->apps = parts[APPS];
}

/* ---- failures ---- */

static bool is_late(const struct section *in)
{
	return in->status == STATUS_NO_TIME || in->status == STATUS_KILLED;
}

/* *is_fault: no GPU of this machine can be worked with. What a user may not do, or a tool that does not fit, is none of the GPUs' faults. */
static enum err explain(const struct section *in, const struct nvidia_memory *m, bool *is_fault, struct why *why)
{
	static const struct {
		const char *said, *means;
		bool        is_fault;
	} rows[] = {
		{ "Driver/library version mismatch",
		  "the NVIDIA driver in the kernel is not the one that is installed; reboot, or load the driver anew", false },
		{ "couldn't communicate with the NVIDIA driver",
		  "the NVIDIA driver does not answer; it is not loaded, or does not fit the kernel", true },
		{ "Unable to determine the device handle",
		  "the NVIDIA driver cannot reach a GPU; see the kernel's log for its Xid, and reboot", true },
		{ "Insufficient Permissions", "this user may not use the GPUs; see the rights of '/dev/nvidia*'", false },
		{ "Failed to initialize NVML: Unknown Error",
		  "the GPUs cannot be used from here; a container that lost its devices has to be restarted", true },
		{ "Failed to initialize NVML", "NVML does not start", false },
		{ "GPU is lost", "the NVIDIA driver has lost a GPU; reboot", true },
	};
	struct slice text = { in->text, in->n }, line = { .n = 0 };
	char         said[160];
	*is_fault = m->n_late > LATE_MAX;
	if (is_late(in))
		return why_set(why, ERR_FORMAT,
			"nvidia-smi did not end in time; the driver hangs, or starts anew for each call (persistence mode)");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!slice_has(text, rows[i].said))
			continue;
		*is_fault = rows[i].is_fault;
		return why_set(why, ERR_FORMAT, "%s", rows[i].means);
	}
	while (slice_line(&text, &line) && (line.n == 0 || line.p[0] == '@'))
		continue;
	return why_set(why, ERR_FORMAT, "nvidia-smi ended with status %d: '%s'", in->status, slice_copy(line, said, sizeof said));
}

/* Where none is known yet, a tool that hangs has a driver that does, and one that finds no driver may have nothing to drive. */
static enum err fail(const struct section *in, const struct nvidia_parts *parts, size_t n, const struct nvidia_memory *m, struct findings *out,
                     struct why *why)
{
	bool     is_fault = false;
	enum err e = explain(in, m, &is_fault, why);
	if (n == 0 && is_fault && (m->n_gpus > 0 || parts->has_devices || is_late(in)))
		nvidia_fault_gpus(m, out);
	return e;
}

/* A complaint beside the values ("WARNING: infoROM is corrupted ...", a lost GPU) is an event when it is new. */
static void complain(struct slice text, int status, struct nvidia_memory *m, struct findings *out)
{
	char said[sizeof m->complaint];
	slice_copy(text, said, sizeof said);
	if (said[0] != '\0' && strcmp(said, m->complaint) != 0)
		findings_event(out, 0, status == 0 ? FINDING_WARN : FINDING_CRITICAL, "gpu", "nvidia-smi says: %s", said);
	memcpy(m->complaint, said, sizeof said);
}

/* ---- what is asked for seldom ---- */

static void keep(const struct findings *out, size_t begin, struct buf *to)
{
	buf_clear(to);
	if (out->page.err == ERR_OK && out->page.len > begin)
		buf_put(to, out->page.data + begin, out->page.len - begin);
}

static void again(const struct buf *kept, struct findings *out)
{
	if (kept->err == ERR_OK && kept->len > 0)
		buf_put(&out->page, kept->data, kept->len);
}

static void read_slow(const struct nvidia_parts *parts, int64_t now_ms, struct nvidia_memory *m, struct findings *out)
{
	size_t begin = out->page.len;
	if (parts->nvlink.p != NULL) {
		nvidia_read_nvlink(parts->nvlink, m, out);
		keep(out, begin, &m->nvlink);
		m->slow_ms = now_ms;
	} else {
		again(&m->nvlink, out);
	}
	begin = out->page.len;
	if (!m->has_mig) {
		buf_clear(&m->mig);
	} else if (parts->mig.p != NULL) {
		nvidia_read_mig(parts->mig, m, out);
		keep(out, begin, &m->mig);
	} else {
		again(&m->mig, out);
	}
	/* A clock that was set back makes no one wait. */
	int64_t since_ms = now_ms - m->slow_ms, every_ms = m->nvlink.len > 0 || m->has_mig ? SLOW_MS : NEVER_MS;
	bool    lacks_mig = m->has_mig && m->mig.len == 0 && since_ms >= SLOW_MS / 4;
	m->wants_slow = m->slow_ms == 0 || since_ms < 0 || since_ms >= every_ms || lacks_mig;
}

/* What was not asked for, though it would have been, is what the driver does not know. */
static void learn_fields(struct slice asked, struct nvidia_memory *m)
{
	for (size_t i = 0; i < n_nvidia_fields; i++) {
		struct slice rest = asked, name;
		m->is_unknown[i] = true;
		while (m->is_unknown[i] && slice_take(&rest, ',', &name))
			m->is_unknown[i] = !slice_is(name, nvidia_fields[i]);
	}
}

static void start(struct nvidia_memory *m)
{
	if (!m->is_used) {
		buf_init(&m->nvlink, PAGE_MAX);
		buf_init(&m->mig, PAGE_MAX);
		m->is_used = true;
	}
	for (size_t i = 0; i < m->n_gpus; i++)
		m->gpus[i].is_seen = false;
}

static enum err parse(const struct section *in, const struct source_settings *s, void *memory, struct findings *out, struct why *why)
{
	struct nvidia_memory *m = memory;
	struct nvidia_parts   parts;
	struct slice          complaint;
	size_t                n = 0;
	char                  driver[sizeof m->driver];
	(void)s;
	split((struct slice){ in->text, in->n }, &parts);
	if (parts.gpus.p == NULL && in->status == STATUS_ABSENT)
		return why_set(why, ERR_NOT_FOUND, "there is no nvidia-smi");
	start(m);
	findings_put(out, "nvidia_smi_command_exit_code", in->status, NULL);
	memcpy(driver, m->driver, sizeof driver);
	nvidia_read_gpus(&parts, m, out, &n, &complaint);
	complain(complaint, in->status, m, out);
	if (n == 0 && slice_has(parts.gpus, "No devices were found")) {
		nvidia_miss_gpus(m, out);
		return m->n_gpus == 0 ? why_set(why, ERR_NOT_FOUND, "nvidia-smi finds no GPU")
		                      : why_set(why, ERR_FORMAT, "nvidia-smi finds no GPU any more; there were %zu", m->n_gpus);
	}
	if (n > 0 && !in->is_cut)
		nvidia_miss_gpus(m, out);
	m->n_late = n == 0 && is_late(in) ? m->n_late + 1 : 0;
	if (in->status != 0 || n == 0)
		return fail(in, &parts, n, m, out, why);
	if (driver[0] == '\0' || strcmp(driver, m->driver) == 0)
		learn_fields(parts.fields, m);
	read_slow(&parts, in->answered_ms, m, out);
	if (parts.apps.p != NULL)
		nvidia_read_apps(&parts, m, out);
	return ERR_OK;
}

static void forget(void *memory)
{
	struct nvidia_memory *m = memory;
	buf_release(&m->nvlink);
	buf_release(&m->mig);
}

const struct source nvidia_smi_source = {
	.name         = "nvidia_smi",
	.summary      = "NVIDIA GPUs, through nvidia-smi",
	.write_script = write_script,
	.absent_ms    = ABSENT_MS,
	.memory_size  = sizeof(struct nvidia_memory),
	.forget       = forget,
	.ask          = ask,
	.parse        = parse,
};
