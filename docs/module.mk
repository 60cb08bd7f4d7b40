# SPDX-License-Identifier: Apache-2.0
dist_doc_DATA += %reldir%/alerts.md
dist_doc_DATA += %reldir%/signals.md
dist_doc_DATA += %reldir%/simulated-fleet.md
dist_doc_DATA += %reldir%/fleet-file.md
dist_doc_DATA += CONTRIBUTING.md NEWS README.md
dist_doc_DATA += %reldir%/architecture.md
dist_doc_DATA += %reldir%/machine-sources.md
dist_doc_DATA += %reldir%/output.md
dist_doc_DATA += %reldir%/user-guide.md
dist_doc_DATA += %reldir%/console.svg %reldir%/measurements.md
dist_doc_DATA += %reldir%/details.md
dist_doc_DATA += %reldir%/deploying.md
