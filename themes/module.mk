# SPDX-License-Identifier: Apache-2.0
ASSET_FILES += \
	themes/colour-blind.theme \
	themes/dark.theme \
	themes/light.theme \
	themes/mono.theme
