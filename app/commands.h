/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands, a file each. commands.c holds the one list of them. */
#ifndef PITWALL_APP_COMMANDS_H
#define PITWALL_APP_COMMANDS_H

#include "app/cli.h"

extern const struct cli_command command_console;
extern const struct cli_command command_demo;
extern const struct cli_command command_record;
extern const struct cli_command command_replay;
extern const struct cli_command command_status;
extern const struct cli_command command_query;
extern const struct cli_command command_export;
extern const struct cli_command command_check;
extern const struct cli_command command_sim;
extern const struct cli_command command_doctor;
extern const struct cli_command command_test_rules;
extern const struct cli_command command_alerts;
extern const struct cli_command command_ack;
extern const struct cli_command command_unack;
extern const struct cli_command command_silence;
extern const struct cli_command command_note;
extern const struct cli_command command_audit;
extern const struct cli_command command_store;
extern const struct cli_command command_compact;
extern const struct cli_command command_stats;
extern const struct cli_command command_why;
extern const struct cli_command command_redeploy;
extern const struct cli_command command_rollback;
extern const struct cli_command command_deployments;

#endif
