/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dlopen() and dlmopen() without RTLD_DEEPBIND, which would bind a library to
 * libc's malloc(), past Moat.
 *
 * libc's are jumped to, not called: they look for libraries where the RUNPATH
 * of their caller says, and know the caller by the address they return to.
 * Compilers make a jump of such a call when they optimize.
 */
#include "preload/next.h"
#include "preload/preload.h"

#include <dlfcn.h>

PRELOAD_API void *dlopen(const char *file, int flags)
{
    return next_dlopen(file, flags & ~RTLD_DEEPBIND);
}

PRELOAD_API void *dlmopen(Lmid_t space, const char *file, int flags)
{
    return next_dlmopen(space, file, flags & ~RTLD_DEEPBIND);
}
