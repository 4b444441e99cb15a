/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libc's own functions (next.h); and what the library's own layers, libsigsegv
 * among them, get instead of the functions that this library interposes: the
 * linker's option --wrap binds their calls to the __wrap_ functions.
 */
#include "preload/next.h"

#include "preload/early.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sigsegv.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int __wrap_stackoverflow_install_handler(stackoverflow_handler_t handler,
                                         void *stack, unsigned long bytes);
void *__wrap_malloc(size_t bytes);
void __wrap_free(void *block);
int __wrap_close(int descriptor);
long __wrap_syscall(long number, long a, long b, long c, long d, long e,
                    long f);
int __wrap_sigaction(int number, const struct sigaction *wanted,
                     struct sigaction *before);
sighandler_t __wrap_signal(int number, sighandler_t handler);
int __wrap_sigprocmask(int how, const sigset_t *wanted, sigset_t *before);

static void *look_up(_Atomic(void *) *known, const char *name)
{
    void *function = *known;
    if (function == NULL) {
        int saved_errno = errno;
        function = dlsym(RTLD_NEXT, name);
        *known = function;
        errno = saved_errno;
    }
    return function;
}

/*
 * next_NAME(), which is libc's NAME(). A libc that lacks one of these has no
 * program that calls it.
 */
#define NEXT(result, name, parameters, arguments)                              \
    static _Atomic(void *) known_##name;                                       \
    __attribute__((constructor)) static void look_up_##name(void)              \
    {                                                                          \
        look_up(&known_##name, #name);                                         \
    }                                                                          \
    NEXT_CALL(result, name, parameters, arguments)

/*
 * The same for what may be loaded later, or never. dlsym() drops what dlerror()
 * would have said, so that this is for nothing else; dlopen() drops it too.
 */
#define LATE_NEXT(result, name, parameters, arguments)                         \
    static _Atomic(void *) known_##name;                                       \
    NEXT_CALL(result, name, parameters, arguments)

#define NEXT_CALL(result, name, parameters, arguments)                         \
    result next_##name parameters                                              \
    {                                                                          \
        result(*function) parameters = look_up(&known_##name, #name);          \
        return function arguments;                                             \
    }

NEXT(int, execvpe,
     (const char *file, char *const words[], char *const variables[]),
     (file, words, variables))
NEXT(int, posix_spawn,
     (pid_t *child, const char *path,
      const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const words[],
      char *const variables[]),
     (child, path, actions, attributes, words, variables))
NEXT(int, posix_spawnp,
     (pid_t *child, const char *file,
      const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const words[],
      char *const variables[]),
     (child, file, actions, attributes, words, variables))
NEXT(int, sigaction,
     (int number, const struct sigaction *wanted, struct sigaction *before),
     (number, wanted, before))
NEXT(sighandler_t, signal, (int number, sighandler_t handler),
     (number, handler))
NEXT(int, pthread_sigmask,
     (int how, const sigset_t *wanted, sigset_t *before),
     (how, wanted, before))
NEXT(int, sigsuspend, (const sigset_t *set), (set))
NEXT(int, ppoll,
     (struct pollfd *files, nfds_t count, const struct timespec *time,
      const sigset_t *set),
     (files, count, time, set))
NEXT(int, pselect,
     (int count, fd_set *read_set, fd_set *write_set, fd_set *except_set,
      const struct timespec *time, const sigset_t *set),
     (count, read_set, write_set, except_set, time, set))
NEXT(int, epoll_pwait,
     (int descriptor, struct epoll_event *events, int most, int time,
      const sigset_t *set),
     (descriptor, events, most, time, set))
NEXT(int, epoll_pwait2,
     (int descriptor, struct epoll_event *events, int most,
      const struct timespec *time, const sigset_t *set),
     (descriptor, events, most, time, set))
NEXT(int, __ppoll_chk,
     (struct pollfd *files, nfds_t count, const struct timespec *time,
      const sigset_t *set, size_t file_bytes),
     (files, count, time, set, file_bytes))
NEXT(int, pthread_attr_getsigmask_np,
     (const pthread_attr_t *attributes, sigset_t *set), (attributes, set))
NEXT(int, pthread_create,
     (pthread_t *thread, const pthread_attr_t *attributes,
      void *(*start)(void *), void *argument),
     (thread, attributes, start, argument))

NEXT(int, vasprintf, (char **text, const char *format, va_list arguments),
     (text, format, arguments))
NEXT(int, __vasprintf_chk,
     (char **text, int flag, const char *format, va_list arguments),
     (text, flag, format, arguments))
NEXT(ssize_t, getdelim,
     (char **line, size_t *bytes, int delimiter, FILE *file),
     (line, bytes, delimiter, file))
NEXT(char *, realpath, (const char *path, char *resolved), (path, resolved))
NEXT(char *, getcwd, (char *directory, size_t bytes), (directory, bytes))
NEXT(long, syscall,
     (long number, long a, long b, long c, long d, long e, long f),
     (number, a, b, c, d, e, f))
LATE_NEXT(void *, dlopen, (const char *file, int flags), (file, flags))
LATE_NEXT(void *, dlmopen, (Lmid_t space, const char *file, int flags),
          (space, file, flags))
NEXT(size_t, malloc_usable_size, (void *block), (block))
LATE_NEXT(void *, _Znwm, (size_t bytes), (bytes))
LATE_NEXT(void *, _ZnwmSt11align_val_t, (size_t bytes, size_t alignment),
          (bytes, alignment))
LATE_NEXT(void *, _ZnwmRKSt9nothrow_t, (size_t bytes, const void *nothrow),
          (bytes, nothrow))
LATE_NEXT(void *, _ZnamRKSt9nothrow_t, (size_t bytes, const void *nothrow),
          (bytes, nothrow))
LATE_NEXT(void *, _ZnwmSt11align_val_tRKSt9nothrow_t,
          (size_t bytes, size_t alignment, const void *nothrow),
          (bytes, alignment, nothrow))
LATE_NEXT(void *, _ZnamSt11align_val_tRKSt9nothrow_t,
          (size_t bytes, size_t alignment, const void *nothrow),
          (bytes, alignment, nothrow))
NEXT(int, close, (int descriptor), (descriptor))
NEXT(int, dup2, (int from, int to), (from, to))
NEXT(int, dup3, (int from, int to, int flags), (from, to, flags))
NEXT(pid_t, _Fork, (void), ())
NEXT(int, clone,
     (int (*start)(void *), void *stack, int flags, void *argument,
      pid_t *parent, void *storage, pid_t *child),
     (start, stack, flags, argument, parent, storage, child))

/* With "...", of which these are the most there can be. */
long __wrap_syscall(long number, long a, long b, long c, long d, long e,
                    long f)
{
    return next_syscall(number, a, b, c, d, e, f);
}

int __wrap_close(int descriptor)
{
    return (int)syscall(SYS_close, descriptor);
}

int __wrap_sigaction(int number, const struct sigaction *wanted,
                     struct sigaction *before)
{
    return next_sigaction(number, wanted, before);
}

sighandler_t __wrap_signal(int number, sighandler_t handler)
{
    return next_signal(number, handler);
}

int __wrap_sigprocmask(int how, const sigset_t *wanted, sigset_t *before)
{
    int error = next_pthread_sigmask(how, wanted, before);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

/*
 * libsigsegv reads /proc/self/maps here, to know the main thread's stack from
 * what else there is: 0.1 ms of each exec, where /bin/true takes 2. The fault
 * path knows an overflow by the stack pointer, as it does in threads.
 */
int __wrap_stackoverflow_install_handler(stackoverflow_handler_t handler,
                                         void *stack, unsigned long bytes)
{
    stack_t alternate = { .ss_sp = stack, .ss_size = bytes };
    (void)handler;
    return sigaltstack(&alternate, NULL);
}

/* libsigsegv notes the region in a block, once, for ever. */
void *__wrap_malloc(size_t bytes)
{
    return early_allocate(bytes, 0);
}

void __wrap_free(void *block)
{
    (void)block;
}
