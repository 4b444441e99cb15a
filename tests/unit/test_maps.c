/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/maps and diagnose/symbol: which file an address was loaded from. */
#include "os/maps.h"

#include "diagnose/symbol.h"
#include "tests/support/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct maps_module module;
static size_t page;
static char folder[] = "/tmp/moat maps XXXXXX";
static char *path;

static void set_up(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    strcpy(strrchr(folder, ' ') + 1, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* Map the second and the third page of a new file at PATH. */
static uintptr_t map_file(void)
{
    int descriptor = open(path, O_RDWR | O_CREAT, 0600);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(ftruncate(descriptor, (off_t)(3 * page)), 0);
    void *start = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE, descriptor,
                       (off_t)page);
    ck_assert_ptr_ne(start, MAP_FAILED);
    close(descriptor);
    return (uintptr_t)start;
}

START_TEST(an_address_of_the_program_is_found_in_its_file)
{
    char self[256] = "";
    ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof self - 1), 0);
    uintptr_t here = (uintptr_t)(void *)&unit_run;
    ck_assert(maps_find(here, &module));
    ck_assert_str_eq(module.path, self);
    ck_assert_uint_gt(module.offset, 0);
    ck_assert_uint_le(module.offset, here);
}
END_TEST

/* The dynamic loader knows the same of what it has loaded. */
START_TEST(an_address_of_a_library_is_told_as_the_loader_tells_it)
{
    Dl_info info;
    void *address = dlsym(RTLD_DEFAULT, "strerror");
    ck_assert_int_ne(dladdr(address, &info), 0);
    ck_assert(maps_find((uintptr_t)address, &module));
    char *real = realpath(info.dli_fname, NULL);
    ck_assert_str_eq(module.path, real);
    ck_assert_uint_eq(module.offset,
                      (uintptr_t)address - (uintptr_t)info.dli_fbase);
    free(real);
}
END_TEST

START_TEST(memory_that_is_no_file_has_no_module)
{
    int local = 0;
    ck_assert(!maps_find((uintptr_t)&local, &module));
    ck_assert(!maps_find(16, &module));
    ck_assert(!maps_find(UINTPTR_MAX, &module));
}
END_TEST

START_TEST(without_the_start_of_a_file_the_offset_is_that_in_the_file)
{
    ck_assert_int_gt(asprintf(&path, "%s/a file", folder), 0);
    uintptr_t start = map_file();
    ck_assert(maps_find(start, &module));
    ck_assert_str_eq(module.path, path);
    ck_assert_uint_eq(module.offset, page);
    ck_assert(maps_find(start + 2 * page - 1, &module));
    ck_assert_uint_eq(module.offset, 3 * page - 1);
}
END_TEST

START_TEST(of_a_path_that_is_too_long_the_end_is_kept)
{
    char *middle;
    ck_assert_int_gt(asprintf(&middle, "%s/%0200d", folder, 1), 0);
    ck_assert_int_eq(mkdir(middle, 0700), 0);
    ck_assert_int_gt(asprintf(&path, "%s/%0100d", middle, 2), 0);
    uintptr_t start = map_file();
    ck_assert(maps_find(start, &module));
    ck_assert_uint_eq(strlen(module.path), sizeof module.path - 1);
    ck_assert_str_eq(module.path,
                     path + strlen(path) - (sizeof module.path - 1));
    ck_assert_uint_eq(module.offset, page);
    unlink(path);
    rmdir(middle);
    free(middle);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    errno = EDOM;
    maps_find((uintptr_t)(void *)&unit_run, &module);
    maps_find(16, &module);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(a_place_is_written_as_file_and_offset)
{
    char *expected;
    char written[512];
    struct text text = text_in(written, sizeof written);
    ck_assert_int_gt(asprintf(&path, "%s/a\033file", folder), 0);
    symbol_locate(&text, map_file() + 16);
    ck_assert_int_gt(
        asprintf(&expected, "%s/a?file+0x%zx", folder, page + 16), 0);
    ck_assert_str_eq(written, expected);
    free(expected);
}
END_TEST

START_TEST(a_place_in_no_file_is_unknown)
{
    char written[64];
    struct text text = text_in(written, sizeof written);
    symbol_locate(&text, 16);
    ck_assert_str_eq(written, "(unknown)");
}
END_TEST

struct seen {
    uintptr_t address;
    size_t times;
    struct maps_range range;
    uintptr_t last_end;
    bool is_in_order;
};

static bool look_for(const struct maps_range *range, void *context)
{
    struct seen *seen = context;
    seen->is_in_order = seen->is_in_order && range->start >= seen->last_end
                        && range->start < range->end;
    seen->last_end = range->end;
    if (seen->address >= range->start && seen->address < range->end) {
        seen->times++;
        seen->range = *range;
    }
    return true;
}

static struct maps_range range_of(const void *address)
{
    struct seen seen = { .address = (uintptr_t)address, .is_in_order = true };
    ck_assert(maps_each_range(look_for, &seen));
    ck_assert(seen.is_in_order);
    ck_assert_uint_eq(seen.times, 1);
    return seen.range;
}

START_TEST(each_mapping_comes_once_with_what_may_be_done_there)
{
    int local = 0;
    static const int flags[]
        = { MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS };
    for (int shared = 0; shared < 2; shared++) {
        void *start = mmap(NULL, page, PROT_READ | PROT_WRITE, flags[shared],
                           -1, 0);
        struct maps_range range = range_of(start);
        ck_assert(range.is_readable && range.is_writable);
        ck_assert_int_eq(range.is_shared, shared);
        ck_assert(!range.is_first_stack);
        ck_assert_int_eq(mprotect(start, page, PROT_READ), 0);
        range = range_of(start);
        ck_assert(range.is_readable && !range.is_writable);
        ck_assert_int_eq(mprotect(start, page, PROT_NONE), 0);
        ck_assert(!range_of(start).is_readable);
    }
    ck_assert(range_of(&local).is_first_stack);
    ck_assert(range_of((void *)&unit_run).is_file);
    ck_assert(!range_of((void *)&unit_run).is_writable);
}
END_TEST

static void tear_down(void)
{
    if (path != NULL) {
        unlink(path);
        free(path);
    }
    rmdir(folder);
}

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_address_of_the_program_is_found_in_its_file);
    tcase_add_test(tests,
                   an_address_of_a_library_is_told_as_the_loader_tells_it);
    tcase_add_test(tests, memory_that_is_no_file_has_no_module);
    tcase_add_test(
        tests, without_the_start_of_a_file_the_offset_is_that_in_the_file);
    tcase_add_test(tests, of_a_path_that_is_too_long_the_end_is_kept);
    tcase_add_test(tests, errno_is_left_alone);
    tcase_add_test(tests, each_mapping_comes_once_with_what_may_be_done_there);
    tcase_add_test(tests, a_place_is_written_as_file_and_offset);
    tcase_add_test(tests, a_place_in_no_file_is_unknown);
}

int main(void)
{
    return unit_run("os/maps", add);
}
