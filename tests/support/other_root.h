/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of the test's choice: linked in front of the library, it takes the
 * place of os/memory and lets it read /proc and /sys below another folder.
 */
#ifndef SUPPORT_OTHER_ROOT_H
#define SUPPORT_OTHER_ROOT_H

/* Make an empty folder and read below it from now on. Returns its path, or
 * NULL. */
const char *other_root_make(void);

/* Write CONTENTS to the file at PATH, "/proc/meminfo" say. Returns 0, or -1. */
int other_root_write(const char *path, const char *contents);

/* Remove the folder, if there is one, and read what is really there. */
void other_root_remove(void);

#endif
