/* SPDX-License-Identifier: Apache-2.0
 *
 * pitwall doctor HOST: the way to a machine, step by step, and what it answers. */
#ifndef PITWALL_APP_DOCTOR_HOST_H
#define PITWALL_APP_DOCTOR_HOST_H

/* Prints as it goes. `config_file` NULL: the user's and the system's ssh_config. Returns the exit code: EXIT_YES when the machine can be asked. */
int doctor_host(const char *destination, const char *config_file);

#endif
