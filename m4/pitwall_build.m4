# SPDX-License-Identifier: Apache-2.0
# PITWALL_LIB(VARIABLE, PKG-CONFIG NAME, [LEAST VERSION])
# Demands a library and adds it to DEPS_CFLAGS and DEPS_LIBS.
AC_DEFUN([PITWALL_LIB], [
  PKG_CHECK_MODULES([$1], [$2 m4_ifval([$3], [>= $3])])
  DEPS_CFLAGS="$DEPS_CFLAGS $$1_CFLAGS"
  AS_CASE([$1], [MHD], [], [DEPS_LIBS="$DEPS_LIBS $$1_LIBS"])
  AC_SUBST([DEPS_CFLAGS])
  AC_SUBST([DEPS_LIBS])
])

# PITWALL_TRY_FLAG(FLAG): adds FLAG to WARN_CFLAGS where the compiler takes it. The probe itself turns unknown warnings into errors
# (clang only warns about them), with a flag that gcc knows too, so that no probe fails for a reason of its own.
# The probe holds what the house writes everywhere: clang's -Wdouble-promotion complains of NAN itself, which is a float, and is left out there.
AC_DEFUN([PITWALL_TRY_FLAG], [
  pitwall_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $1"
  AC_MSG_CHECKING([whether $CC takes $1])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <math.h>
    double pitwall_probe(void); double pitwall_probe(void) { return NAN; }]], [[]])],
    [AC_MSG_RESULT([yes]); WARN_CFLAGS="$WARN_CFLAGS $1"],
    [AC_MSG_RESULT([no])])
  CFLAGS=$pitwall_save_CFLAGS
])

AC_DEFUN([PITWALL_WARNINGS], [
  WARN_CFLAGS=
  m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wundef -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
    -Wcast-qual -Wwrite-strings -Wvla -Wswitch-enum -Wnull-dereference -Wdouble-promotion -Wconversion -Wno-sign-conversion
    -Wimplicit-fallthrough -Wredundant-decls -fno-common -fstack-protector-strong],
    [PITWALL_TRY_FLAG(flag)])
  WARN_CXXFLAGS="-Wall -Wextra -Wshadow"
  AS_IF([test "x$enable_werror" = xyes], [
    WARN_CFLAGS="$WARN_CFLAGS -Werror"
    WARN_CXXFLAGS="$WARN_CXXFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
  AC_SUBST([WARN_CXXFLAGS])
])

AC_DEFUN([PITWALL_SANITIZERS], [
  SAN_CFLAGS=
  AS_IF([test "x$enable_sanitizers" != xno],
    [SAN_CFLAGS="-fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"])
  AS_IF([test "x$enable_fuzzers" = xyes], [SAN_CFLAGS="$SAN_CFLAGS -fsanitize=fuzzer-no-link"])
  AC_SUBST([SAN_CFLAGS])
  AC_SUBST([FUZZ_ENGINE], [-fsanitize=fuzzer])
])
