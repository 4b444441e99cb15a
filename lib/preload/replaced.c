/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A malloc() of the program's own; see replaced.h. */
#include "preload/replaced.h"

#include "api/heap.h"
#include "preload/preload.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

void *(*replaced_malloc)(size_t bytes);

/* Whether FUNCTION is defined in another file than this one. */
static bool is_another(void *function)
{
    Dl_info own;
    Dl_info found;
    void *symbol = NULL;
    if (dladdr(&replaced_malloc, &own) == 0
        || dladdr1(function, &found, &symbol, RTLD_DL_SYMENT) == 0) {
        return false;
    }
    /* A program that is not position independent has an address of its own for
     * each function that it only calls. */
    bool is_defined
        = symbol != NULL
          && ((const Elf64_Sym *)symbol)->st_shndx != SHN_UNDEF;
    return is_defined && own.dli_fbase != found.dli_fbase;
}

/* glibc calls constructors with the arguments of main(). */
__attribute__((constructor)) static void
look_for_another(int argument_count, char **arguments, char **variables)
{
    int saved_errno = errno;
    (void)argument_count;
    (void)arguments;
    if (environ == NULL) {
        /* This may be in front of the start of Moat, which needs it. */
        environ = variables;
    }
    void *function = dlsym(RTLD_DEFAULT, "malloc");
    if (function != NULL && is_another(function)) {
        *(void **)&replaced_malloc = function;
        heap_note_replaced();
    }
    errno = saved_errno;
}
