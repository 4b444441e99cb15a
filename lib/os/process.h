/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process: who it is, and how it ends. All are async-signal-safe; errno is
 * left as it was unless said otherwise.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

int process_id(void);

/* The kernel's number of the calling thread. */
int process_thread_id(void);

/* Whether no process has a thread of that number. */
bool process_has_thread_ended(int thread);

/*
 * Open the file NAME of the process's folder in /proc, for reading. Returns a
 * descriptor, or -1 with errno set. The folder is the calling thread's: that of
 * the process shows nothing any more when main() has ended by pthread_exit().
 */
int process_open(const char *name);

/* The name of the calling thread, as the kernel has it. */
void process_thread_name(char name[16]);

/* Whether the program runs with rights its caller does not have (set-user-id
 * and the like), so that the environment must not be trusted. */
bool process_is_privileged(void);

/* 64 bits that nobody outside the process can guess. */
uint64_t process_secret(void);

/*
 * The lowest number for a descriptor of Moat's own: high, where programs that
 * count on the lowest free descriptors do not meet it, but not at the very top:
 * the kernel copies the table up to the highest descriptor at each fork().
 */
int process_lowest_descriptor(void);

/* End at once, without exit handlers. */
_Noreturn void process_exit(int status);

/* Let SIGNAL do from now on what it does by default. */
void process_set_default(int signal);

/* End by SIGNAL, whatever its action and the signal mask are. */
_Noreturn void process_end_by(int signal);

/*
 * Stop this thread by SIGTRAP where a debugger is attached. Where there is none
 * it goes on; or with IS_FATAL the signal does what it does by default, which
 * is to end the process with a core file. The program's own handler for it is
 * not called.
 */
void process_trap(bool is_fatal);

/* Sleep for good, while another thread ends the process. */
_Noreturn void process_wait_for_the_end(void);

/* Let other threads run for about a millisecond. */
void process_yield(void);

/*
 * Between these the calling thread cannot be cancelled. open(), write(),
 * nanosleep() and the like are places where it could be; malloc() and free()
 * are none, and what they hold would be held for good. Async-signal-safe.
 */
int process_begin_uncancelled(void);

/* STATE is what the other one returned. */
void process_end_uncancelled(int state);

#endif
