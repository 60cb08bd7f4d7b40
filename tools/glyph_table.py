#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes base/text_table.h: what a terminal makes of each character.

    tools/glyph_table.py > base/text_table.h

Widths are those of the C library's wcwidth() in C.UTF-8 (East Asian Width, ambiguous ones narrow), so that pitwall and the programs around it
agree; categories are Unicode's as Python knows them. Run by hand when either moves on; the result is kept in the repository."""
import ctypes
import locale
import sys
import unicodedata

locale.setlocale(locale.LC_ALL, "C.UTF-8")
libc = ctypes.CDLL(None)
libc.wcwidth.argtypes = [ctypes.c_wchar]


def spans(*pairs):
    return {c for first, last in pairs for c in range(first, last + 1)}


# Text that they would reorder must be seen to hold them.
BIDI = spans((0x061C, 0x061C), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069))
# They draw nothing, or change what stands before them in ways that terminals do not agree on: Hangul fillers, variation selectors, skin tones,
# soft hyphen, joiners.
DROPPED = spans((0x00AD, 0x00AD), (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200D),
                (0x2060, 0x2065), (0x206A, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
                (0xFFF0, 0xFFFB), (0x1F3FB, 0x1F3FF), (0xE0000, 0xE0FFF))


def kind(c):
    category = unicodedata.category(chr(c))
    if c in DROPPED:
        return "DROP"
    if c in BIDI or category in ("Cc", "Cs", "Co", "Cn"):
        return "BAD"
    if category in ("Zl", "Zp"):
        return "SPACE"
    width = libc.wcwidth(chr(c))
    if width < 0:
        return "BAD"
    if width == 0:
        return "DROP" if category == "Cf" else "MARK"
    if category == "Zs" and width == 1:
        return "SPACE"
    return "WIDE" if width == 2 else "NARROW"


def main():
    rows = []
    for c in range(0xA0, 0x110000):
        now = kind(c) if not 0xD800 <= c <= 0xDFFF else "BAD"
        if not rows or rows[-1][1] != now:
            rows.append((c, now))
    out = sys.stdout
    out.write("/* SPDX-License-Identifier: Apache-2.0\n *\n * Written by tools/glyph_table.py (Unicode %s); not to be edited. Each row holds from its\n"
              " * character up to the next row's. */\n" % unicodedata.unidata_version)
    out.write("#ifndef PITWALL_BASE_TEXT_TABLE_H\n#define PITWALL_BASE_TEXT_TABLE_H\n\n#include <stdint.h>\n\n")
    out.write("enum glyph_kind { GLYPH_NARROW, GLYPH_WIDE, GLYPH_MARK, GLYPH_SPACE, GLYPH_DROP, GLYPH_BAD };\n\n")
    out.write("#define GLYPH(first, kind) ((uint32_t)(first) << 3 | GLYPH_##kind)\n\nstatic const uint32_t glyph_table[] = {")
    for i, (c, now) in enumerate(rows):
        out.write("%sGLYPH(0x%X, %s)," % ("\n\t" if i % 6 == 0 else " ", c, now))
    out.write("\n};\n\n#undef GLYPH\n\n#endif\n")


main()
