/* SPDX-License-Identifier: Apache-2.0
 *
 * A kubeconfig, and what a command that gives credentials prints. What is taken is whole and of one line; what is refused has a sentence; in the clear nobody is anybody. */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deploy/kube_config.h"

static void check(const struct login *l)
{
	HOLDS((l->auth == LOGIN_NONE) == (l->secret.text == NULL));
	HOLDS(l->secret.text == NULL || (l->secret.len > 0 && strpbrk(l->secret.text, "\r\n") == NULL));
	HOLDS((l->cert != NULL || l->cert_file != NULL) == (l->key != NULL || l->key_file != NULL));
	for (size_t i = 0; i < l->n_headers; i++)
		HOLDS(strncmp(l->headers[i], "Impersonate-", 12) == 0 && strpbrk(l->headers[i], "\r\n") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[64];
	struct login l = { 0 };
	struct why why = { "" };
	if (fd < 0)
		fd = memfd_create("kubeconfig", MFD_CLOEXEC);
	HOLDS(fd >= 0 && fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	const struct kube_places p = { .file = path, .list = "", .home = "", .host = "", .port = "", .account = "", .exec = KUBE_EXEC_DENY, .now_ms = 1000 };
	if (kube_login(&p, "", &l, &why) == ERR_OK) {
		check(&l);
		HOLDS(l.base != NULL && (strncasecmp(l.base, "https://", 8) == 0 || strncasecmp(l.base, "http://", 7) == 0));
		HOLDS(strncasecmp(l.base, "https://", 8) == 0 || (l.auth == LOGIN_NONE && l.cert == NULL && l.n_headers == 0));
	} else {
		HOLDS(why.text[0] != '\0');
	}
	login_release(&l);
	if (kube_credential_read((const char *)data, size, "client.authentication.k8s.io/v1", 1000, &l, &why) == ERR_OK) {
		check(&l);
		HOLDS(l.auth == LOGIN_BEARER || l.cert != NULL);
	}
	login_release(&l);
	return 0;
}
