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

/* What the shared library exports; all else is hidden. */
#define MOAT_API __attribute__((visibility("default")))

MOAT_BEGIN_DECLS

/*
 * Return the version of the library that is loaded, such as "0.1.0".
 *
 * It differs from MOAT_VERSION when the program was compiled with the headers
 * of another version. The string is constant. Thread-safe and
 * async-signal-safe.
 */
MOAT_API const char *moat_version(void);

MOAT_END_DECLS

#endif
