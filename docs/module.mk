# SPDX-License-Identifier: Apache-2.0
dist_doc_DATA += %reldir%/signals.md
dist_doc_DATA += %reldir%/simulated-fleet.md
dist_doc_DATA += %reldir%/fleet-file.md
