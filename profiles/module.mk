# SPDX-License-Identifier: Apache-2.0
profilesdir        = $(pkgdatadir)/profiles
dist_profiles_DATA = \
	%reldir%/dcgm.yml \
	%reldir%/generic.yml \
	%reldir%/machine.yml \
	%reldir%/node.yml \
	%reldir%/nvidia-smi.yml \
	%reldir%/tensorflow-serving.yml \
	%reldir%/torchserve.yml \
	%reldir%/triton.yml \
	%reldir%/vllm.yml
ASSET_FILES += $(dist_profiles_DATA)
