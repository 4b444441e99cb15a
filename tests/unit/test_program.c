/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/program: which programs have a checker of their own. See also
 * tests/preload/others.sh, which makes some with a compiler. */
#include "os/program.h"

#include "tests/support/unit.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/moat program XXXXXX";
static char path[200];

static void set_up(void)
{
    strcpy(strrchr(folder, ' ') + 1, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
    unlink(path);
    rmdir(folder);
}

/* A file of BYTES at CONTENT, named NAME. */
static const char *make_file(const char *name, const void *content,
                             size_t bytes)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content, 1, bytes, file), bytes);
    fclose(file);
    return path;
}

/* As little of a program as shows that it needs LIBRARY; loaded at 4096. */
struct small_program {
    Elf64_Ehdr header;
    Elf64_Phdr parts[2];
    Elf64_Dyn dynamic[3];
    char strings[32];
};

static struct small_program program_needing(const char *library)
{
    struct small_program program = {
        .header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64 },
                    .e_phoff = offsetof(struct small_program, parts),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 2 },
        .parts = { { .p_type = PT_LOAD,
                     .p_vaddr = 4096,
                     .p_filesz = sizeof program },
                   { .p_type = PT_DYNAMIC,
                     .p_offset = offsetof(struct small_program, dynamic),
                     .p_filesz = sizeof program.dynamic } },
        .dynamic = { { .d_tag = DT_NEEDED, .d_un.d_val = 1 },
                     { .d_tag = DT_STRTAB,
                       .d_un.d_ptr
                       = 4096 + offsetof(struct small_program, strings) },
                     { .d_tag = DT_NULL } },
    };
    strcpy(program.strings + 1, library);
    return program;
}

START_TEST(a_program_that_needs_a_sanitizers_library_has_a_checker)
{
    static const char *const libraries[]
        = { "libasan.so.8", "libtsan.so.2", "libclang_rt.asan-x86_64.so" };
    for (size_t i = 0; i < 3; i++) {
        struct small_program program = program_needing(libraries[i]);
        ck_assert(program_has_checker(
            make_file("program", &program, sizeof program)));
    }
}
END_TEST

START_TEST(another_library_is_no_checker)
{
    struct small_program program = program_needing("libasan_not.so");
    ck_assert(!program_has_checker(
        make_file("program", &program, sizeof program)));
}
END_TEST

START_TEST(a_program_that_is_cut_off_has_none)
{
    struct small_program program = program_needing("libasan.so.8");
    for (size_t bytes = 0; bytes < offsetof(struct small_program, strings);
         bytes++) {
        ck_assert(!program_has_checker(make_file("program", &program, bytes)));
    }
}
END_TEST

START_TEST(valgrind_is_known_by_its_name)
{
    ck_assert(program_has_checker("/usr/bin/valgrind"));
    ck_assert(program_has_checker("valgrind.bin"));
    ck_assert(!program_has_checker("/usr/valgrind/true"));
}
END_TEST

START_TEST(a_script_has_its_interpreters_checker)
{
    static const char script[] = "#! /nowhere/valgrind --quiet\n";
    ck_assert(
        program_has_checker(make_file("script", script, sizeof script - 1)));
    static const char other[] = "#!/bin/sh\nvalgrind\n";
    ck_assert(
        !program_has_checker(make_file("script", other, sizeof other - 1)));
}
END_TEST

START_TEST(a_script_that_interprets_itself_comes_to_an_end)
{
    char script[220];
    make_file("script", "", 0);
    snprintf(script, sizeof script, "#!%s\n", path);
    ck_assert(
        !program_has_checker(make_file("script", script, strlen(script))));
}
END_TEST

START_TEST(what_is_not_there_has_none_and_errno_stays)
{
    errno = EDOM;
    ck_assert(!program_has_checker("/none/such"));
    ck_assert(!program_has_checker("/"));
    ck_assert(!program_has_checker(""));
    ck_assert(!program_has_checker(NULL));
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests,
                   a_program_that_needs_a_sanitizers_library_has_a_checker);
    tcase_add_test(tests, another_library_is_no_checker);
    tcase_add_test(tests, a_program_that_is_cut_off_has_none);
    tcase_add_test(tests, valgrind_is_known_by_its_name);
    tcase_add_test(tests, a_script_has_its_interpreters_checker);
    tcase_add_test(tests, a_script_that_interprets_itself_comes_to_an_end);
    tcase_add_test(tests, what_is_not_there_has_none_and_errno_stays);
}

int main(void)
{
    return unit_run("program", add_tests);
}
