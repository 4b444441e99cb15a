/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls without libc; see kernel.h. */
#include "preload/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>

void *__wrap_mmap(void *start, size_t bytes, int protection, int flags,
                  int descriptor, off_t offset);
int __wrap_munmap(void *start, size_t bytes);
void *__wrap_mremap(void *start, size_t bytes, size_t new_bytes, int flags,
                    ...);
int __wrap_mprotect(void *start, size_t bytes, int protection);
int __wrap_madvise(void *start, size_t bytes, int advice);
int __wrap_munlock(const void *start, size_t bytes);

#if defined __x86_64__

long kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    register long sixth __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth),
                       "r"(sixth)
                     : "rcx", "r11", "memory");
    return number;
}

#elif defined __aarch64__

long kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long which __asm__("x8") = number;
    register long first __asm__("x0") = a;
    register long second __asm__("x1") = b;
    register long third __asm__("x2") = c;
    register long fourth __asm__("x3") = d;
    register long fifth __asm__("x4") = e;
    register long sixth __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(first)
                     : "r"(which), "r"(second), "r"(third), "r"(fourth),
                       "r"(fifth), "r"(sixth)
                     : "memory");
    return first;
}

#else
#error "no system calls for this processor"
#endif

long kernel_answer(long answer)
{
    enum { LAST_ERROR = 4095 };
    if (answer < 0 && answer >= -LAST_ERROR) {
        errno = (int)-answer;
        return -1;
    }
    return answer;
}

void *__wrap_mmap(void *start, size_t bytes, int protection, int flags,
                  int descriptor, off_t offset)
{
    return (void *)kernel_answer(kernel_call(SYS_mmap, (long)start,
                                             (long)bytes, protection, flags,
                                             descriptor, offset));
}

int __wrap_munmap(void *start, size_t bytes)
{
    return (int)kernel_answer(
        kernel_call(SYS_munmap, (long)start, (long)bytes, 0, 0, 0, 0));
}

void *__wrap_mremap(void *start, size_t bytes, size_t new_bytes, int flags,
                    ...)
{
    void *target = NULL;
    if ((flags & MREMAP_FIXED) != 0) {
        va_list list;
        va_start(list, flags);
        target = va_arg(list, void *);
        va_end(list);
    }
    return (void *)kernel_answer(kernel_call(SYS_mremap, (long)start,
                                             (long)bytes, (long)new_bytes,
                                             flags, (long)target, 0));
}

int __wrap_mprotect(void *start, size_t bytes, int protection)
{
    return (int)kernel_answer(kernel_call(SYS_mprotect, (long)start,
                                          (long)bytes, protection, 0, 0, 0));
}

int __wrap_madvise(void *start, size_t bytes, int advice)
{
    return (int)kernel_answer(kernel_call(SYS_madvise, (long)start,
                                          (long)bytes, advice, 0, 0, 0));
}

int __wrap_munlock(const void *start, size_t bytes)
{
    return (int)kernel_answer(
        kernel_call(SYS_munlock, (long)start, (long)bytes, 0, 0, 0, 0));
}
