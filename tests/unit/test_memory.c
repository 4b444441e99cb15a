/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/memory: what the machine and the control groups leave. */
#include "os/memory.h"

#include "tests/support/other_root.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* A line of /proc/meminfo, in bytes. */
static size_t meminfo(const char *key)
{
    char line[128];
    size_t kibibytes = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            ck_assert_int_eq(sscanf(line + strlen(key), "%zu", &kibibytes), 1);
        }
    }
    fclose(file);
    return kibibytes * 1024;
}

START_TEST(some_memory_is_available_and_no_more_than_there_is)
{
    size_t available = memory_available();
    ck_assert_uint_gt(available, 0);
    ck_assert_uint_le(available, meminfo("MemTotal:"));
}
END_TEST

START_TEST(mappings_are_as_many_as_the_kernel_says)
{
    size_t limit = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%zu", &limit), 1);
    fclose(file);
    ck_assert_uint_eq(memory_mappings_limit(), limit);
}
END_TEST

/* From here on a machine of 10000 KiB, of which 8000 are left. */
enum { LEFT = 8000 * 1024 };

static void put(const char *path, const char *contents)
{
    ck_assert_int_eq(other_root_write(path, contents), 0);
}

static void set_up_machine(void)
{
    ck_assert_ptr_nonnull(other_root_make());
    put("/proc/meminfo", "MemTotal:          10000 kB\n"
                         "MemFree:            7000 kB\n"
                         "MemAvailable:       8000 kB\n");
}

/* In a group of version 2: /a/b. */
static void set_up_group(void)
{
    set_up_machine();
    put("/proc/self/cgroup", "1:name=systemd:/elsewhere\n0::/a/b\n");
}

START_TEST(without_groups_the_machine_is_the_limit)
{
    set_up_machine();
    ck_assert_uint_eq(memory_available(), LEFT);
    put("/proc/self/cgroup", "0::/\n");
    ck_assert_uint_eq(memory_available(), LEFT);
    put("/proc/self/cgroup", "nonsense\n4:cpu:/a\n\n");
    ck_assert_uint_eq(memory_available(), LEFT);
}
END_TEST

START_TEST(a_group_leaves_what_it_does_not_use)
{
    set_up_group();
    put("/sys/fs/cgroup/a/b/memory.max", "5000000\n");
    put("/sys/fs/cgroup/a/b/memory.current", "3000000\n");
    ck_assert_uint_eq(memory_available(), 2000000);
    put("/sys/fs/cgroup/a/b/memory.current", "5000001\n");
    ck_assert_uint_eq(memory_available(), 0);
    put("/sys/fs/cgroup/a/b/memory.max", "20000000\n");
    ck_assert_uint_eq(memory_available(), LEFT);
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    ck_assert_uint_eq(memory_available(), LEFT);
}
END_TEST

START_TEST(of_a_group_and_those_above_it_the_least_counts)
{
    static const char *const limits[] = { "/sys/fs/cgroup/a/b/memory.max",
                                          "/sys/fs/cgroup/a/memory.max",
                                          "/sys/fs/cgroup/memory.max" };
    set_up_group();
    for (int i = 0; i < 3; i++) {
        put(limits[i], i == _i ? "1000000\n" : "2000000\n");
    }
    ck_assert_uint_eq(memory_available(), 1000000);
}
END_TEST

START_TEST(a_group_of_version_1_is_one_of_the_memory_controller)
{
    set_up_machine();
    put("/proc/self/cgroup", "9:cpu:/c\n4:hugetlb,memory:/a/b\n0::/\n");
    put("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "6000000\n");
    put("/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "2000000\n");
    put("/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "1\n");
    /* How that version writes that there is no limit. */
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    ck_assert_uint_eq(memory_available(), 4000000);
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3000000\n");
    ck_assert_uint_eq(memory_available(), 3000000);
}
END_TEST

/* In a container the path is that of the host, and what is mounted begins
 * further down. */
START_TEST(a_group_that_is_not_to_be_seen_leaves_the_root)
{
    set_up_group();
    put("/sys/fs/cgroup/memory.max", "5000000\n");
    put("/sys/fs/cgroup/memory.current", "1000000\n");
    ck_assert_uint_eq(memory_available(), 4000000);
}
END_TEST

START_TEST(what_cannot_be_read_limits_nothing)
{
    ck_assert_ptr_nonnull(other_root_make());
    ck_assert_uint_eq(memory_available(), SIZE_MAX);
    ck_assert_uint_eq(memory_mappings_limit(), 65530);
    put("/proc/meminfo", "MemTotal: 10000 kB\n");
    ck_assert_uint_eq(memory_available(), SIZE_MAX);
    put("/proc/meminfo", "MemAvailable: many\n");
    ck_assert_uint_eq(memory_available(), SIZE_MAX);
    put("/proc/meminfo", "MemAvailable: 18446744073709551620 kB\n");
    ck_assert_uint_eq(memory_available(), SIZE_MAX);
    put("/proc/meminfo", "");
    ck_assert_uint_eq(memory_available(), SIZE_MAX);
    put("/proc/self/cgroup", "4:memory:/\n0::/a\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    ck_assert_uint_eq(memory_available(), SIZE_MAX);
    put("/sys/fs/cgroup/a/memory.max", "77\n");
    ck_assert_uint_eq(memory_available(), 77);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    ck_assert_ptr_nonnull(other_root_make());
    errno = EDOM;
    memory_available();
    memory_mappings_limit();
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, NULL, other_root_remove);
    tcase_add_test(tests, some_memory_is_available_and_no_more_than_there_is);
    tcase_add_test(tests, mappings_are_as_many_as_the_kernel_says);
    tcase_add_test(tests, without_groups_the_machine_is_the_limit);
    tcase_add_test(tests, a_group_leaves_what_it_does_not_use);
    tcase_add_loop_test(tests, of_a_group_and_those_above_it_the_least_counts,
                        0, 3);
    tcase_add_test(tests, a_group_of_version_1_is_one_of_the_memory_controller);
    tcase_add_test(tests, a_group_that_is_not_to_be_seen_leaves_the_root);
    tcase_add_test(tests, what_cannot_be_read_limits_nothing);
    tcase_add_test(tests, errno_is_left_alone);
}

int main(void)
{
    return unit_run("os/memory", add);
}
