# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libtui.a
libtui_a_SOURCES = \
	%reldir%/calling.c %reldir%/calling.h \
	%reldir%/canvas.c %reldir%/canvas.h \
	%reldir%/chart_scale.c \
	%reldir%/command.c %reldir%/command.h \
	%reldir%/console.c %reldir%/console.h \
	%reldir%/dialog.c %reldir%/dialog.h \
	%reldir%/encode.c %reldir%/encode.h \
	%reldir%/glyph.c %reldir%/glyph.h \
	%reldir%/help.c %reldir%/help.h \
	%reldir%/input.c %reldir%/input.h \
	%reldir%/key.c \
	%reldir%/key_sequence.c %reldir%/key_sequence.h \
	%reldir%/keymap.c %reldir%/keymap.h \
	%reldir%/lend.c %reldir%/lend.h \
	%reldir%/prompt.c %reldir%/prompt.h \
	%reldir%/pump.c %reldir%/pump.h \
	%reldir%/rescue.c %reldir%/rescue.h \
	%reldir%/role.c %reldir%/role.h \
	%reldir%/screen.h \
	%reldir%/terminal.c %reldir%/terminal.h \
	%reldir%/terminfo.c %reldir%/terminfo.h \
	%reldir%/theme.c %reldir%/theme.h \
	%reldir%/view.c %reldir%/view.h \
	%reldir%/widget_bar.c %reldir%/widget_bar.h \
	%reldir%/widget_chart.c %reldir%/widget_chart.h \
	%reldir%/widget_heat.c %reldir%/widget_heat.h \
	%reldir%/widget_spark.c %reldir%/widget_spark.h \
	%reldir%/widget_table.c %reldir%/widget_table.h

# what is done about nodes
libtui_a_SOURCES += \
	%reldir%/access.c %reldir%/access.h %reldir%/access_private.h \
	%reldir%/access_login.c \
	%reldir%/access_trust.c \
	%reldir%/logs.c %reldir%/logs.h

# what screens read: snapshots made from the store
libtui_a_SOURCES += \
	%reldir%/chart_feed.c %reldir%/chart_feed.h \
	%reldir%/events_view.c \
	%reldir%/feed.c %reldir%/feed.h \
	%reldir%/fleet_state.c %reldir%/fleet_state.h %reldir%/fleet_state_private.h \
	%reldir%/fleet_view.c \
	%reldir%/gpu_key.c %reldir%/gpu_key.h \
	%reldir%/node_gpus.c %reldir%/node_gpus.h \
	%reldir%/node_facts.c %reldir%/node_facts.h \
	%reldir%/node_view.c \
	%reldir%/screens.h \
	%reldir%/session.c %reldir%/session.h

# the screens
libtui_a_SOURCES += \
	%reldir%/chart_data.c %reldir%/chart_data.h \
	%reldir%/chart_screen.c \
	%reldir%/events_screen.c \
	%reldir%/events_table.c %reldir%/events_table.h \
	%reldir%/fleet_detail.c %reldir%/fleet_detail.h \
	%reldir%/fleet_map.c %reldir%/fleet_map.h \
	%reldir%/fleet_rows.c %reldir%/fleet_rows.h \
	%reldir%/fleet_screen.c \
	%reldir%/fleet_table.c %reldir%/fleet_table.h \
	%reldir%/gpu_table.c %reldir%/gpu_table.h \
	%reldir%/heat_scale.c %reldir%/heat_scale.h \
	%reldir%/log_screen.c \
	%reldir%/log_search.c %reldir%/log_search.h \
	%reldir%/log_text.c %reldir%/log_text.h \
	%reldir%/node_host.c %reldir%/node_host.h \
	%reldir%/node_panes.c %reldir%/node_panes.h \
	%reldir%/node_screen.c \
	%reldir%/node_services.c %reldir%/node_services.h \
	%reldir%/node_tables.c %reldir%/node_tables.h \
	%reldir%/promql_text.c %reldir%/promql_text.h \
	%reldir%/signal_look.c %reldir%/signal_look.h \
	%reldir%/small_chart.c %reldir%/small_chart.h \
	%reldir%/usual.c %reldir%/usual.h

# alerts: what is read of them, and their screens
libtui_a_SOURCES += \
	%reldir%/alert_lines.c %reldir%/alert_lines.h \
	%reldir%/alert_panes.c %reldir%/alert_panes.h \
	%reldir%/alert_screen.c \
	%reldir%/alerts_ask.c %reldir%/alerts_ask.h \
	%reldir%/alerts_build.h \
	%reldir%/alerts_copy.c \
	%reldir%/alerts_data.c %reldir%/alerts_data.h \
	%reldir%/alerts_detail.h \
	%reldir%/alerts_dialog.c %reldir%/alerts_dialog.h \
	%reldir%/alerts_external.c \
	%reldir%/alerts_read.c \
	%reldir%/alerts_rows.c %reldir%/alerts_rows.h \
	%reldir%/alerts_screen.c \
	%reldir%/alerts_suggest.c \
	%reldir%/rules_screen.c \
	%reldir%/alerts_table.c %reldir%/alerts_table.h \
	%reldir%/alerts_text.c %reldir%/alerts_text.h \
	%reldir%/attention.c %reldir%/attention.h \
	%reldir%/errands.c %reldir%/errands.h \
	%reldir%/form.c %reldir%/form.h \
	%reldir%/frame.c %reldir%/frame.h \
	%reldir%/paragraph.c %reldir%/paragraph.h \
	%reldir%/silences_screen.c
# what happened, on the time axes of charts
libtui_a_SOURCES += \
	%reldir%/chart_marks.c %reldir%/chart_marks.h \
	%reldir%/marks.c %reldir%/marks.h

# redeploys and rollbacks
libtui_a_SOURCES += %reldir%/arming.c %reldir%/arming.h
libtui_a_SOURCES += %reldir%/deploy_progress.c %reldir%/deploy_progress.h
libtui_a_SOURCES += %reldir%/deploys_ask.c %reldir%/deploys_ask.h
libtui_a_SOURCES += %reldir%/deploys_data.h
libtui_a_SOURCES += %reldir%/deploys_read.c
libtui_a_SOURCES += %reldir%/deploys_screen.c
libtui_a_SOURCES += %reldir%/leaving.c %reldir%/leaving.h
libtui_a_SOURCES += %reldir%/let_go.c %reldir%/let_go.h
libtui_a_SOURCES += %reldir%/deploys_text.c %reldir%/deploys_text.h
libtui_a_SOURCES += %reldir%/run_panes.c %reldir%/run_panes.h
libtui_a_SOURCES += %reldir%/run_curves.c %reldir%/run_curves.h
libtui_a_SOURCES += %reldir%/run_screen.c
libtui_a_SOURCES += %reldir%/sheet.h
libtui_a_SOURCES += %reldir%/sheet_actions.c %reldir%/sheet_actions.h
libtui_a_SOURCES += %reldir%/sheet_foot.c %reldir%/sheet_foot.h
libtui_a_SOURCES += %reldir%/sheet_lines.c %reldir%/sheet_lines.h
libtui_a_SOURCES += %reldir%/sheet_places.c %reldir%/sheet_places.h
libtui_a_SOURCES += %reldir%/sheet_screen.c
libtui_a_SOURCES += %reldir%/sheet_versions.c %reldir%/sheet_versions.h
