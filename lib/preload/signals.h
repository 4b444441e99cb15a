/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sigaction() as the program has it, for the other files of this library. They
 * cannot call it by its name, for which the linker puts libc's.
 */
#ifndef PRELOAD_SIGNALS_H
#define PRELOAD_SIGNALS_H

#include <signal.h>

int signals_act(int number, const struct sigaction *wanted,
                struct sigaction *before);

#endif
