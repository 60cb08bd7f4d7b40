/* SPDX-License-Identifier: Apache-2.0
 *
 * Workloads of a Kubernetes cluster by its HTTP API: revisions are found and rollouts judged as kubectl does, changes are patches with the
 * resourceVersion that was read, so that what changed meanwhile is a conflict and never overwritten. */
#include "deploy/drivers.h"

#include <string.h>

#include "deploy/driver_kubernetes.h"

static const struct kube_resource resources[] = {
	{ "deployment", "Deployment", "apps", "v1", "deployments", "replicasets", "deployment.kubernetes.io/revision", "pod-template-hash",
	  "application/strategic-merge-patch+json", "template" },
	{ "statefulset", "StatefulSet", "apps", "v1", "statefulsets", "controllerrevisions", NULL, NULL,
	  "application/strategic-merge-patch+json", "template" },
	{ "daemonset", "DaemonSet", "apps", "v1", "daemonsets", "controllerrevisions", NULL, NULL, "application/strategic-merge-patch+json",
	  "template" },
	{ "rollout", "Rollout", "argoproj.io", "v1alpha1", "rollouts", "replicasets", "rollout.argoproj.io/revision",
	  "rollouts-pod-template-hash", "application/json-patch+json", "template" },
	{ "inferenceservice", "InferenceService", "serving.kserve.io", "v1beta1", "inferenceservices", "replicasets", NULL, NULL,
	  "application/merge-patch+json", "predictor" },
};
_Static_assert(sizeof resources / sizeof resources[0] == KUBE_KIND_COUNT, "a row for every kind");

const struct kube_resource *kube_resource(enum kube_kind k)
{
	return &resources[k];
}

enum kube_kind kube_kind_of(const struct settings *s)
{
	const char *word = setting_text(s, "kind");
	for (int k = 0; k < KUBE_KIND_COUNT; k++)
		if (strcmp(word, resources[k].word) == 0)
			return (enum kube_kind)k;
	return KUBE_DEPLOYMENT;
}

static const struct option options[] = {
	{ "kind", OPTION_CHOICE, false, "deployment|statefulset|daemonset|rollout|inferenceservice", "deployment",
	  "What the workload is: `rollout` is Argo Rollouts', `inferenceservice` KServe's." },
	{ "namespace", OPTION_TEXT, false, "", "default", "The workload's namespace." },
	{ "name", OPTION_TEXT, true, "", "", "The workload's name." },
	{ "context", OPTION_TEXT, false, "", "",
	  "The kubeconfig's context. Without it the current one is used, which anybody who switches contexts changes: name it." },
	{ "kubeconfig", OPTION_TEXT, false, "", "",
	  "The kubeconfig file. Without it `$KUBECONFIG`, `~/.kube/config`, and inside a cluster the service account, as kubectl has them." },
	{ "container", OPTION_TEXT, false, "", "", "The container whose image tells the version; without it the first." },
	{ "exec_plugins", OPTION_CHOICE, false, "allow|deny|list", "allow",
	  "Whether commands that the kubeconfig names may be run to get credentials; `list`: those of `exec_allowed`." },
	{ "exec_allowed", OPTION_WORDS, false, "", "", "With `exec_plugins: list`: names or absolute paths of commands." },
	{ "dry_run", OPTION_BOOL, false, "", "true",
	  "Whether each change is first tried without effect on the server: the same request with `dryRun=All`, for the sheet, which says what came of it, and again by the run. `false` where a webhook takes no dry runs." },
	{ "stuck_pods", OPTION_CHOICE, false, "delete|leave", "delete",
	  "Of a StatefulSet: a pod that never became ready blocks a rollback too. `delete`: the sheet has its deletion as a step of its own, after the template." },
	{ "redeploy", OPTION_CHOICE, false, "restart|promote|retry", "restart",
	  "Of a Rollout: what a redeploy does: restarts pods, promotes what is paused, retries what was aborted." },
	{ "skip_steps", OPTION_BOOL, false, "", "true",
	  "Of a Rollout: whether a rollback leaves out the canary's steps and analyses (a full promotion)." },
};

/* A DNS label or subdomain (RFC 1123), as the API server has it. */
static bool is_dns_name(const char *text)
{
	size_t n = strlen(text);
	return n > 0 && n <= 253 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n && text[0] != '-' && text[0] != '.' &&
	       text[n - 1] != '-' && text[n - 1] != '.';
}

static enum err check(const struct fleet_deploy *d, const struct settings *s, struct why *why)
{
	static const char *const names[] = { "namespace", "name" };
	(void)d;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!is_dns_name(setting_text(s, names[i])))
			return why_set(why, ERR_FORMAT, "'%s' must be small letters, digits, '-' and '.', not '%.80s'", names[i],
			               setting_text(s, names[i]));
	if (strcmp(setting_text(s, "redeploy"), "restart") != 0 && kube_kind_of(s) != KUBE_ROLLOUT)
		return why_set(why, ERR_FORMAT, "'redeploy: %s' is for 'kind: rollout'", setting_text(s, "redeploy"));
	bool is_list = strcmp(setting_text(s, "exec_plugins"), "list") == 0;
	if (is_list != setting(s, "exec_allowed")->is_given)
		return why_set(why, ERR_FORMAT, "'exec_allowed' goes with 'exec_plugins: list', and that with it");
	if (setting(s, "context")->is_given && setting_text(s, "context")[0] == '\0')
		return why_set(why, ERR_FORMAT, "'context' must not be empty");
	return ERR_OK;
}

static const char notes[] =
	"A redeploy is `kubectl rollout restart`, a rollback the template of another revision, each with the resourceVersion that was read: what somebody else changes "
	"meanwhile is a conflict, which is looked at and never overwritten. Versions are templates, not revision numbers: a restart makes a revision but no version, and "
	"numbers move when a revision is taken up again. Replicas, selector, strategy, ConfigMaps, Secrets and Services are not rolled back.\n\n"
	"Instead of a version a redeploy may be asked for `--to pause`, `resume` (a Deployment, a Rollout), `scale=N` (a StatefulSet, too), `promote`, `retry`, `abort` (a Rollout), "
	"`traffic=PERCENT` or `promote` (an InferenceService on Knative). What is paused is neither restarted nor rolled back before it is resumed.\n\n"
	"The login needs `get` and `patch` on the workload, `list` on replicasets or controllerrevisions, and, to say more, `list` on pods and horizontalpodautoscalers; "
	"`delete` on pods for stuck ones, `patch` on rollouts/status for Rollouts, and `get`, `create` and `patch` on leases (coordination.k8s.io) for the lock that tells other stores who acts: a Lease "
	"`pitwall-KIND-NAME` beside the workload, which itself is not touched for it. What an operator such as Argo CD or Flux owns is put back by it: the sheet says so.\n\n"
	"What a template holds may be secret, so a plan does not hold it: it names the revision that does, which is read, compared with the plan and sent by the step itself. "
	"The sheet shows the request with `****` for every text that is not known to be harmless (values of variables, words of commands, annotations), and names the places "
	"where it differs from what runs. A revision that changed or went since is refused. A `storageUri` with a login or a signature in it is not put back.";

const struct driver kubernetes_driver = {
	.name          = "kubernetes",
	.summary       = "restarts and rolls back a workload by the Kubernetes API, as kubectl does",
	.notes         = notes,
	.options       = options,
	.n_options     = sizeof options / sizeof options[0],
	.is_whole      = true,
	.has_history   = true,
	.has_running   = true,
	.is_action     = kube_is_action,
	.action_at     = kube_action_at,
	.check         = check,
	.look          = kube_look,
	.plan          = kube_plan,
	.judge         = kube_judge,
	.lock          = &kube_lock,
};
