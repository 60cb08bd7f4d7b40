/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("pitwall %s\n", PACKAGE_VERSION);
		return 0;
	}
	fputs("usage: pitwall --version\n", stderr);
	return 2;
}
