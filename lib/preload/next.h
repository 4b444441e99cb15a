/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of libc that this library stands in front of. They are looked
 * up when the library is loaded; who comes earlier (a constructor of libc's)
 * looks them up then.
 */
#ifndef PRELOAD_NEXT_H
#define PRELOAD_NEXT_H

int next_execvpe(const char *file, char *const arguments[],
                 char *const variables[]);

#endif
