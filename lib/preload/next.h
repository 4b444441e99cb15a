/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of libc that this library stands in front of. They are looked
 * up when the library is loaded; who comes earlier (a constructor of libc's)
 * looks them up then.
 */
#ifndef PRELOAD_NEXT_H
#define PRELOAD_NEXT_H

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/types.h>

int next_execvpe(const char *file, char *const arguments[],
                 char *const variables[]);

int next_posix_spawn(pid_t *child, const char *path,
                     const posix_spawn_file_actions_t *actions,
                     const posix_spawnattr_t *attributes,
                     char *const arguments[], char *const variables[]);
int next_posix_spawnp(pid_t *child, const char *file,
                      const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes,
                      char *const arguments[], char *const variables[]);

int next_sigaction(int number, const struct sigaction *wanted,
                   struct sigaction *before);
sighandler_t next_signal(int number, sighandler_t handler);
int next_pthread_sigmask(int how, const sigset_t *wanted, sigset_t *before);
int next_sigsuspend(const sigset_t *set);
int next_ppoll(struct pollfd *files, nfds_t count, const struct timespec *time,
               const sigset_t *set);
int next_pselect(int count, fd_set *read_set, fd_set *write_set,
                 fd_set *except_set, const struct timespec *time,
                 const sigset_t *set);
int next_epoll_pwait(int descriptor, struct epoll_event *events, int most,
                     int time, const sigset_t *set);
int next_epoll_pwait2(int descriptor, struct epoll_event *events, int most,
                      const struct timespec *time, const sigset_t *set);
int next___ppoll_chk(struct pollfd *files, nfds_t count,
                     const struct timespec *time, const sigset_t *set,
                     size_t file_bytes);
int next_pthread_attr_getsigmask_np(const pthread_attr_t *attributes,
                                    sigset_t *set);
int next_vasprintf(char **text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
int next___vasprintf_chk(char **text, int flag, const char *format,
                         va_list arguments)
    __attribute__((format(printf, 3, 0)));
ssize_t next_getdelim(char **line, size_t *bytes, int delimiter, FILE *file);
char *next_realpath(const char *path, char *resolved);
char *next_getcwd(char *directory, size_t bytes);
long next_syscall(long number, long a, long b, long c, long d, long e, long f);
void *next_dlopen(const char *file, int flags);
void *next_dlmopen(Lmid_t space, const char *file, int flags);
size_t next_malloc_usable_size(void *block);
void *next__Znwm(size_t bytes);
void *next__ZnwmSt11align_val_t(size_t bytes, size_t alignment);
void *next__ZnwmRKSt9nothrow_t(size_t bytes, const void *nothrow);
void *next__ZnamRKSt9nothrow_t(size_t bytes, const void *nothrow);
void *next__ZnwmSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment,
                                              const void *nothrow);
void *next__ZnamSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment,
                                              const void *nothrow);
int next_close(int descriptor);
int next_dup2(int from, int to);
int next_dup3(int from, int to, int flags);
pid_t next__Fork(void);
int next_clone(int (*function)(void *), void *stack, int flags, void *argument,
               pid_t *parent, void *storage, pid_t *child);
int next_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                        void *(*function)(void *), void *argument);

#endif
