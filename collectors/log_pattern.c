/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/log_pattern.h"

#include <assert.h>

#include "base/text.h"

enum { L = SCOPE_LOG, K = SCOPE_KERNEL };

#define PCI "([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])"

/* A line counts for each pattern that it matches; its event is that of the first, so the narrower stands before the wider. */
const struct log_pattern log_patterns[] = {
	/* GPUs, as programs see them */
	{ "cuda-oom", L, FINDING_CRITICAL, false, "a GPU has no memory left for what was asked",
	  "CUDA out of memory(?:.*?GPU ([0-9]+))?", { "CUDA out of memory" } },
	{ "cuda-oom-other", L, FINDING_CRITICAL, false, "a GPU, or its runtime, has no memory left",
	  NULL, { "CUDA_ERROR_OUT_OF_MEMORY", "cudaErrorMemoryAllocation", "CUDA error: out of memory", "OOM when allocating tensor",
	          "ResourceExhaustedError", "Failed to allocate memory for requested buffer", "HIP out of memory", "cudaMalloc failed" } },
	{ "cuda-fault", L, FINDING_CRITICAL, false, "a CUDA context is broken; its process must be started again",
	  "CUDA error: (?:an illegal memory access|device-side assert|uncorrectable ECC|unspecified launch failure|no kernel image)"
	  "|(CUBLAS|CUDNN)_STATUS_(?:[A-RT-Z]|S[A-TV-Z])",
	  { "CUDA error: ", "CUBLAS_STATUS_", "CUDNN_STATUS_" } },
	{ "cuda-init", L, FINDING_CRITICAL, false, "no GPU can be used: driver or device is missing",
	  NULL, { "CUDA driver version is insufficient", "no CUDA-capable device", "Failed to initialize NVML", "CUDA_ERROR_NO_DEVICE" } },
	{ "nccl-timeout", L, FINDING_CRITICAL, false, "GPUs waited for each other until the watchdog gave up",
	  "Watchdog caught collective operation timeout(?:.*OpType=([A-Z_]+))?", { "Watchdog caught collective" } },
	{ "nccl-error", L, FINDING_WARN, false, "communication between GPUs reports a failure",
	  "NCCL WARN|ncclSystemError|ncclUnhandledCudaError|ncclInternalError|ncclRemoteError|NCCL error in|unhandled (?:cuda|system) error",
	  { "NCCL WARN", "NCCL error", "ncclSystemError", "ncclUnhandledCuda", "ncclInternalError", "ncclRemoteError", "unhandled cuda",
	    "unhandled system" } },
	{ "gpu-lost", L | K, FINDING_CRITICAL, false, "a GPU does not answer any more",
	  NULL, { "fallen off the bus", "GPU is lost", "Unable to determine the device handle" } },

	/* model servers */
	{ "vllm-dead", L, FINDING_CRITICAL, false, "vLLM's engine is dead",
	  "EngineDeadError|EngineCore encountered an|Engine core proc .* died|Engine process failed to start",
	  { "EngineDeadError", "EngineCore encountered", "Engine core proc", "Engine process failed" } },
	{ "vllm-kv", L, FINDING_WARN, false, "vLLM's KV cache is too small",
	  NULL, { "No available memory for the cache blocks", "tokens that can be stored in KV cache", "is preempted by" } },
	{ "triton-load", L, FINDING_CRITICAL, false, "Triton cannot load a model", "failed to load '([^']+)'", { "failed to load " } },
	{ "tfs-load", L, FINDING_CRITICAL, false, "TensorFlow Serving cannot load a version",
	  "Loading servable: \\{name: ([^ ]+) version: [0-9]+\\} failed|Servable:? \\{name: [^ ]+ version: [0-9]+\\} (?:load failure|cannot be)"
	  "|Encountered an error for servable",
	  { "Loading servable: {", "Servable: {", "Servable {", "Encountered an error for servable" } },
	{ "tfs-config", L, FINDING_CRITICAL, false, "TensorFlow Serving cannot read a model or its configuration",
	  "SavedModel load for tags .*Status: fail|ReloadConfig failed|No versions of servable .* found|Failed to read ModelServerConfig",
	  { "SavedModel load for tags", "ReloadConfig failed", "No versions of servable", "Failed to read ModelServerConfig" } },
	{ "tfs-ok", L, FINDING_INFO, false, "TensorFlow Serving loaded a version",
	  "Successfully loaded servable version \\{name: ([^ ]+ version: [0-9]+)\\}", { "Successfully loaded servable" } },
	{ "torchserve", L, FINDING_CRITICAL, false, "a worker of TorchServe ended or does not answer",
	  "Backend worker (?:process died|did not respond|error)|Load model failed|Worker disconnected|Auto recovery failed",
	  { "Backend worker ", "Load model failed", "Worker disconnected", "Auto recovery failed" } },
	{ "tgi", L, FINDING_CRITICAL, false, "text-generation-inference reports a failure",
	  "Shard .*(?:terminated|failed)|Model is overloaded|Method Prefill encountered", { "Shard ", "Model is overloaded", "Method Prefill" } },
	{ "sglang", L, FINDING_CRITICAL, false, "a process of SGLang hit an exception",
	  "(Scheduler|Detokenizer) hit an exception|Health check failed\\. Server couldn",
	  { "Scheduler hit an exception", "Detokenizer hit an exception", "Health check failed. Server" } },
	{ "sglang-retract", L, FINDING_WARN, false, "SGLang takes requests back: its KV cache is full", NULL, { "Retract requests" } },
	{ "onnxruntime", L, FINDING_CRITICAL, false, "ONNX Runtime refused to load or run a model",
	  "ONNXRuntimeError\\] : [0-9]+ : ([A-Z_]+)", { "ONNXRuntimeError]" } },
	{ "ray", L, FINDING_CRITICAL, false, "Ray lost a task or an actor",
	  NULL, { "ray.exceptions.", "due to the node running low on memory" } },
	{ "hub-denied", L, FINDING_CRITICAL, false, "the model hub refuses the model", NULL, { "GatedRepoError", "RepositoryNotFoundError" } },
	{ "port-in-use", L, FINDING_CRITICAL, false, "a server's port is taken by another process",
	  NULL, { "ddress already in use", "[Errno 98]" } },
	{ "disk-full", L | K, FINDING_CRITICAL, false, "a file system is full", NULL, { "No space left on device" } },
	{ "py-traceback", L, FINDING_WARN, true, "a Python exception", NULL, { "Traceback (most recent call last)" } },
	{ "http-5xx", L, FINDING_WARN, true, "answers with a server's error",
	  "HTTP/[12](?:\\.[01])?\" 5[0-9][0-9]\\b", { "HTTP/1.1\" 5", "HTTP/1.0\" 5", "HTTP/2\" 5", "HTTP/2.0\" 5" } },

	/* the kernel; xid and oom-kill are told by source_kernel.c, which knows more of them */
	{ "xid", L | K, FINDING_CRITICAL, true, "an NVIDIA driver's Xid error", "Xid \\((?:PCI:)?[0-9A-Fa-f:.]+\\): [0-9]+", { "NVRM: Xid (" } },
	{ "sxid-fatal", K, FINDING_CRITICAL, false, "an NVSwitch reports a fatal error",
	  "SXid \\((?:PCI:)?([0-9A-Fa-f:.]+)\\): [0-9]+, Fatal", { "SXid (" } },
	{ "sxid", K, FINDING_WARN, false, "an NVSwitch reports an error", "SXid \\((?:PCI:)?([0-9A-Fa-f:.]+)\\): [0-9]+", { "SXid (" } },
	{ "gpu-init", K, FINDING_CRITICAL, false, "the NVIDIA driver cannot start a GPU", "NVRM: .*(?:RmInitAdapter|rm_init_adapter) failed",
	  { "RmInitAdapter", "rm_init_adapter" } },
	{ "nvlink", K, FINDING_CRITICAL, false, "NVLink reports a failure", "(?i)nvlink.*(?:error|fail|fatal|timed? ?out)", { "NVLink", "nvlink", "NVLINK", "Nvlink" } },
	{ "peermem", K, FINDING_WARN, false, "GPUDirect's peer memory lost a context", NULL, { "ERROR detected invalid context" } },
	{ "amdgpu", K, FINDING_CRITICAL, false, "the AMD driver reports a GPU that hangs or is reset",
	  "amdgpu " PCI "?.*(?:GPU reset begin|ring \\S+ timeout|ncorrectable|poison)", { "amdgpu " } },
	{ "oom-kill", L | K, FINDING_CRITICAL, true, "the kernel killed a process, out of memory",
	  "Killed process [0-9]+", { "Killed process ", "Kill process ", "oom-kill:constraint=", "killed as a result of limit", "invoked oom-killer" } },
	{ "aer-fatal", K, FINDING_CRITICAL, false, "PCIe reports an error that was not corrected",
	  PCI ".*(?:PCIe Bus Error: severity=Uncorrect|AER: (?:Multiple )?Uncorrect)", { "PCIe Bus Error", "AER: " } },
	{ "aer-corrected", K, FINDING_WARN, false, "PCIe corrects errors",
	  PCI ".*(?:PCIe Bus Error: severity=Correct|AER: (?:Multiple )?Correct)", { "PCIe Bus Error", "AER: " } },
	{ "hardware-corrected", K, FINDING_WARN, false, "the hardware corrects errors",
	  "\\[Hardware Error\\]: event severity: corrected|mce: .*Machine check events logged", { "[Hardware Error]" } },
	{ "hardware", K, FINDING_CRITICAL, false, "the hardware reports an error",
	  "\\[Hardware Error\\]: (?:event severity: (?:recoverable|fatal)|CPU [0-9]+: Machine Check)", { "[Hardware Error]" } },
	{ "edac-ue", K, FINDING_CRITICAL, false, "main memory has errors that cannot be corrected", "EDAC (\\S+): [0-9]+ UE ", { "EDAC " } },
	{ "edac-ce", K, FINDING_WARN, false, "main memory corrects errors", "EDAC (\\S+): [0-9]+ CE ", { "EDAC " } },
	{ "thermal", K, FINDING_WARN, false, "it is too hot: the machine throttles",
	  "temperature above threshold|clock throttled|High Temperature|critical temperature reached",
	  { "emperature above threshold", "clock throttled", "High Temperature", "critical temperature" } },
	{ "nic-down", K, FINDING_WARN, false, "a network link went down",
	  "(\\S+): (?:NIC )?[Ll]ink (?:is )?(?:[Dd]own|DOWN)|link status definitely down",
	  { "ink is Down", "ink is down", "ink down", "Link Down", "Link DOWN", "definitely down" } },
	{ "mlx5", K, FINDING_WARN, false, "a Mellanox adapter refused a command", "mlx5_cmd_out_err.*failed", { "mlx5_cmd_out_err" } },
	{ "nfs", K, FINDING_WARN, false, "an NFS server does not answer", "nfs: server (\\S+) not responding", { "nfs: server " } },
	{ "fs-error", K, FINDING_CRITICAL, false, "a file system has errors or was made read-only",
	  "EXT4-fs error|Remounting filesystem read-only|XFS \\([^)]*\\): .*(?:[Ss]hutting down|[Cc]orruption)|BTRFS (?:error|critical)",
	  { "EXT4-fs error", "emounting filesystem read-only", "XFS (", "BTRFS error", "BTRFS critical" } },
	{ "io-error", K, FINDING_CRITICAL, false, "a disk reports errors",
	  "Buffer I/O error|I/O error, dev (\\S+),|nvme nvme[0-9]+: (?:I/O .*timeout|controller is down)",
	  { "I/O error", "nvme nvme" } },
	{ "nccl-segv", K, FINDING_CRITICAL, false, "a process crashed inside NCCL", "segfault at .* in libnccl\\.so", { "segfault at " } },
	{ "segfault", K, FINDING_WARN, false, "a process crashed", "([^\\s:]+)\\[[0-9]+\\]: segfault at ", { "segfault at " } },
	{ "hung", K, FINDING_WARN, false, "something hangs in the kernel",
	  "blocked for more than [0-9]+ seconds|(?:soft|hard) (?:lockup|LOCKUP)|rcu.*(?:detected stalls|self-detected stall)",
	  { "blocked for more than", "soft lockup", "hard LOCKUP", "detected stall", "self-detected stall" } },
	{ "oops", K, FINDING_CRITICAL, false, "the kernel itself failed",
	  "Kernel panic|BUG: unable to handle|Oops: [0-9]|kernel BUG at|general protection fault",
	  { "Kernel panic", "BUG: unable to handle", "Oops: ", "kernel BUG at", "general protection fault" } },
};
const size_t n_log_patterns = sizeof log_patterns / sizeof log_patterns[0];
static_assert(sizeof log_patterns / sizeof log_patterns[0] <= LOG_PATTERNS_MAX, "a bit and a counter for each pattern");

size_t log_pattern_find(const char *id)
{
	size_t i = 0;
	while (i < n_log_patterns && strcmp(log_patterns[i].id, id) != 0)
		i++;
	assert(i < n_log_patterns);
	return i;
}

void log_pattern_release(struct log_pattern_cache *c)
{
	for (size_t i = 0; i < LOG_PATTERNS_MAX; i++) {
		regex_free(c->compiled[i]);
		c->compiled[i] = NULL;
	}
}

/* base/regex.h anchors at both ends. NULL without memory: all expressions of the table compile (the test says so). */
static const struct regex *compiled(struct log_pattern_cache *c, size_t i)
{
	if (c->compiled[i] == NULL) {
		struct buf whole;
		buf_init(&whole, 4096);
		if (buf_printf(&whole, ".*?(?:%s).*", log_patterns[i].expression) == ERR_OK)
			regex_new(whole.data, &c->compiled[i], NULL);
		buf_release(&whole);
	}
	return c->compiled[i];
}

static bool has_hint(const struct log_pattern *p, struct slice line)
{
	for (size_t i = 0; p->hints[i] != NULL; i++)
		if (slice_has(line, p->hints[i]))
			return true;
	return false;
}

uint64_t log_pattern_match(struct log_pattern_cache *c, int scope, struct slice line)
{
	uint64_t out = 0;
	for (size_t i = 0; i < n_log_patterns; i++) {
		const struct log_pattern *p = &log_patterns[i];
		if ((p->scope & scope) == 0 || !has_hint(p, line))
			continue;
		const struct regex *r = p->expression != NULL ? compiled(c, i) : NULL;
		if (p->expression == NULL || (r != NULL && regex_matches(r, line.p, line.n)))
			out |= UINT64_C(1) << i;
	}
	return out;
}

void log_pattern_key(struct log_pattern_cache *c, size_t i, struct slice line, char to[LOG_KEY])
{
	struct buf key;
	bool matched;
	to[0] = '\0';
	const struct regex *r = log_patterns[i].expression != NULL ? compiled(c, i) : NULL;
	buf_init(&key, LOG_LINE_MAX);
	if (r != NULL && regex_expand(r, line.p, line.n, "$1", &key, &matched) == ERR_OK)
		slice_copy((struct slice){ buf_text(&key), key.len }, to, LOG_KEY);
	buf_release(&key);
}

enum err log_pattern_filter(int scope, const char *const *more, struct buf *to)
{
	buf_puts(to, "grep -aF");
	for (size_t i = 0; i < n_log_patterns; i++)
		for (size_t h = 0; (log_patterns[i].scope & scope) != 0 && log_patterns[i].hints[h] != NULL; h++)
			buf_printf(to, " -e '%s'", log_patterns[i].hints[h]);
	for (; more != NULL && *more != NULL; more++)
		buf_printf(to, " -e '%s'", *more);
	return to->err;
}

/* Behind an ESC: a control sequence ends with a byte of '@' to '~', an operating system command with BEL or ESC. Source: ECMA-48, 5.4 and 8.3.89. */
static size_t escape_end(struct slice line, size_t at)
{
	if (at < line.n && line.p[at] == '[') {
		for (at++; at < line.n && !(line.p[at] >= '@' && line.p[at] <= '~');)
			at++;
		return at < line.n ? at + 1 : at;
	}
	if (at < line.n && line.p[at] == ']') {
		for (at++; at < line.n && line.p[at] != '\a' && line.p[at] != '\033';)
			at++;
		return at < line.n && line.p[at] == '\a' ? at + 1 : at;
	}
	return at < line.n ? at + 1 : at;
}

/* RE2's '.' takes no byte that is not UTF-8. */
struct slice log_line_clean(struct slice line, char to[LOG_LINE_MAX])
{
	size_t n = 0;
	const char *p = line.p, *end = line.p + line.n;
	while (p < end && n + TEXT_UTF8_MAX <= LOG_LINE_MAX) {
		bool is_bad;
		uint32_t c = text_decode(&p, end, &is_bad);
		if (c == '\033')
			p = line.p + escape_end(line, (size_t)(p - line.p));
		else if (c == '\t')
			to[n++] = ' ';
		else if (is_bad)
			to[n++] = '?';
		else if (c >= ' ' && c != 0x7f)
			n += text_encode(c, to + n);
	}
	return (struct slice){ to, n };
}

void log_pattern_samples(int scope, const char *log, const uint64_t counts[LOG_PATTERNS_MAX], struct findings *out)
{
	for (size_t i = 0; i < n_log_patterns; i++)
		if ((log_patterns[i].scope & scope) != 0)
			findings_put(out, "pitwall_log_matches_total", (double)counts[i],
			             (const char *[]){ "log", log, "pattern", log_patterns[i].id, NULL });
}
