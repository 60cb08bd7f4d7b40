/* SPDX-License-Identifier: Apache-2.0 */
#include "app/commands.h"

const struct cli_command *const *cli_commands(size_t *n)
{
	static const struct cli_command *const all[] = {
		&command_console, &command_demo,   &command_record, &command_replay, &command_status,
		&command_query,   &command_export, &command_check,  &command_sim,    &command_doctor,
		&command_test_rules,
		&command_alerts,
		&command_ack,
		&command_unack,
		&command_silence,
		&command_note,
		&command_audit,
		&command_store,
		&command_compact,
		&command_stats,
		&command_why,
		&command_redeploy,
		&command_rollback,
		&command_deployments,
	};
	*n = sizeof all / sizeof all[0];
	return all;
}
