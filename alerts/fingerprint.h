/* SPDX-License-Identifier: Apache-2.0
 *
 * What Prometheus and Alertmanager know a label set by: 64-bit FNV-1a over names and values in the order of the names, each followed by the byte 0xff.
 * Source: prometheus/common, model/signature.go (labelSetToFingerprint) and model/fnv.go; checked on what a real Alertmanager gave. */
#ifndef PITWALL_ALERTS_FINGERPRINT_H
#define PITWALL_ALERTS_FINGERPRINT_H

#include "base/labels.h"

#include <stdint.h>

enum { FINGERPRINT_TEXT = 17 };

uint64_t    alert_fingerprint(const struct labels *l);
/* As 16 hexadecimal digits; returns `to`. */
const char *fingerprint_print(uint64_t fingerprint, char to[FINGERPRINT_TEXT]);

#endif
