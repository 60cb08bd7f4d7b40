# SPDX-License-Identifier: Apache-2.0
packsdir        = $(pkgdatadir)/packs
dist_packs_DATA = \
	%reldir%/gpus.yml \
	%reldir%/machines.yml \
	%reldir%/models.yml \
	%reldir%/nodes.yml \
	%reldir%/objectives.yml \
	%reldir%/versions.yml \
	%reldir%/watching.yml
ASSET_FILES += $(dist_packs_DATA)
