/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The version of the headers and of the library, and the marks that all
 * other headers use.
 */
#ifndef MOAT_VERSION_H
#define MOAT_VERSION_H

/* The version exists here once; configure reads it from this file. */
#define MOAT_VERSION_MAJOR 0
#define MOAT_VERSION_MINOR 1
#define MOAT_VERSION_PATCH 0
#define MOAT_VERSION "0.1.0"

#ifdef __cplusplus
#define MOAT_BEGIN_DECLS extern "C" {
#define MOAT_END_DECLS }
#else
#define MOAT_BEGIN_DECLS
#define MOAT_END_DECLS
#endif

/*
 * MOAT_OFF makes all functions inline ones, which off.h and its kin define;
 * what is declared is declared for both forms. Else this is what the shared
 * library exports; all else is hidden.
 */
#ifdef MOAT_OFF
#include <moat/off_names.h>
#define MOAT_API static inline
#else
#define MOAT_API __attribute__((visibility("default")))
#endif

MOAT_BEGIN_DECLS

/*
 * One byte in each program, by which the linker refuses to put objects of the
 * two forms together: their arenas are not the same thing. It is thread-local
 * in the one form and not in the other, which GNU ld and gold refuse.
 */
#define MOAT_FORM_MARK                                                         \
    __attribute__((weak, visibility("hidden"))) char                           \
        moat_off_and_moat_do_not_mix
#ifdef MOAT_OFF
extern MOAT_FORM_MARK;
MOAT_FORM_MARK = 0;
#else
__extension__ extern __thread MOAT_FORM_MARK;
__extension__ __thread MOAT_FORM_MARK = 0;
#endif
#undef MOAT_FORM_MARK

/*
 * Return the version of the library that is loaded, such as "0.1.0".
 *
 * It differs from MOAT_VERSION when the program was compiled with the headers
 * of another version. The string is constant. Thread-safe and
 * async-signal-safe.
 */
MOAT_API const char *moat_version(void);

#ifdef MOAT_OFF
/* There is no library: that of the headers. */
static inline const char *moat_version(void)
{
    return MOAT_VERSION;
}
#endif

MOAT_END_DECLS

#endif
