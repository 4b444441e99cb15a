// SPDX-License-Identifier: GPL-2.0-or-later
//
// operators NAME: new and delete in all their forms; and errors with them.
// With REPLACED defined, the plain operators are the program's own.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static bool is_all_well = true;

static void is(bool condition, const char *name)
{
    is_all_well = is_all_well && condition;
    if (!condition)
        std::printf("not so: %s\n", name);
}

#ifdef REPLACED
static int news;
static int deletes;

void *operator new(std::size_t bytes)
{
    news++;
    void *block = std::malloc(bytes);
    if (block == nullptr)
        throw std::bad_alloc();
    return block;
}

void operator delete(void *block) noexcept
{
    deletes++;
    std::free(block);
}
#endif

static volatile std::size_t eight = 8;
static volatile std::size_t huge = SIZE_MAX / 4;

struct alignas(256) wide {
    char bytes[256];
};

#ifndef REPLACED
static int handled;

// Takes a block itself before it is asked for again.
static void handle()
{
    handled++;
    std::set_new_handler(nullptr);
    delete new int(7);
}
#endif

static void check_all()
{
    delete new int(7);
    delete[] new int[eight];
    delete new (std::nothrow) int(7);
    delete[] new (std::nothrow) int[eight];
    ::operator delete(::operator new(eight), std::size_t(eight));
    ::operator delete[](::operator new[](eight), std::size_t(eight));
    ::operator delete(::operator new(eight), std::nothrow);
    ::operator delete[](::operator new[](eight), std::nothrow);
#ifdef REPLACED
    is(news == 8 && deletes == 8, "all forms come to the program's own");
#endif
    wide *one = new wide;
    wide *more = new wide[eight];
    is(reinterpret_cast<std::uintptr_t>(one) % 256 == 0, "one is aligned");
    is(reinterpret_cast<std::uintptr_t>(more) % 256 == 0, "more are aligned");
    std::memset(static_cast<void *>(more), 1, 8 * sizeof *more);
    delete one;
    delete[] more;
    one = new (std::nothrow) wide;
    more = new (std::nothrow) wide[eight];
    is(one != nullptr && more != nullptr, "they need not throw");
    ::operator delete(one, std::align_val_t(256), std::nothrow);
    ::operator delete[](more, std::align_val_t(256), std::nothrow);

    bool is_thrown = false;
    try {
        ::operator delete(::operator new(huge));
    } catch (const std::bad_alloc &) {
        is_thrown = true;
    }
    is(is_thrown, "too much is thrown");
    is_thrown = false;
    try {
        ::operator delete[](::operator new[](huge));
    } catch (const std::bad_alloc &) {
        is_thrown = true;
    }
    is(is_thrown, "also of an array");
    is(::operator new(huge, std::nothrow) == nullptr
           && ::operator new[](huge, std::nothrow) == nullptr,
       "too much is NULL where nothing is thrown");
#ifndef REPLACED
    std::set_new_handler(handle);
    is(::operator new(huge, std::nothrow) == nullptr && handled == 1,
       "the new-handler is called");
#endif
    std::vector<std::string> words;
    for (int i = 0; i < 1000; i++)
        words.push_back(std::string(i % 100, 'x') + std::to_string(i));
    is(words[999].size() == 99 + 3, "containers work");
}

static void read_past_an_array()
{
    volatile char *array = new char[16];
    std::printf("%d\n", array[16]);
}

static void use_after_delete()
{
    std::string *text = new std::string(100, 'x');
    const volatile char *data = text->data();
    delete text;
    std::printf("%d\n", data[5]);
}

static void delete_twice()
{
    int *volatile number = new int(7);
    delete number;
    delete number;
}

static int *volatile number;

static void free_what_new_gave()
{
    number = new int(7);
    std::free(number);
}

static void resize_what_new_gave()
{
    number = new int(7);
    std::printf("%p\n", std::realloc(number, 8));
}

static void delete_what_malloc_gave()
{
    number = static_cast<int *>(std::malloc(24));
    delete number;
}

static void delete_an_array_as_one()
{
    number = new int[eight];
    delete number;
}

static void delete_one_as_an_array()
{
    number = new int(7);
    delete[] number;
}

static void free_an_aligned_one()
{
    wide *volatile one = new wide;
    std::free(one);
}

// How each form says that it was refused.
static void count_refusals()
{
    int thrown = 0;
    int given = 0;
    for (int form = 0; form < 4; form++) {
        try {
            void *block = form == 0   ? ::operator new(eight)
                          : form == 1 ? ::operator new[](eight)
                          : form == 2
                              ? ::operator new(eight, std::align_val_t(256))
                              : ::operator new[](eight,
                                                 std::align_val_t(256));
            given += block != nullptr;
        } catch (const std::bad_alloc &) {
            thrown++;
        }
    }
    given += ::operator new(eight, std::nothrow) != nullptr;
    given += ::operator new[](eight, std::nothrow) != nullptr;
    given += ::operator new(eight, std::align_val_t(256), std::nothrow)
             != nullptr;
    given += ::operator new[](eight, std::align_val_t(256), std::nothrow)
             != nullptr;
    std::printf("thrown %d, given %d\n", thrown, given);
}

static void count_handled()
{
#ifndef REPLACED
    std::set_new_handler(handle);
    void *block = ::operator new(eight);
    int given = block != nullptr;
    ::operator delete(block);
    std::printf("handled %d, given %d\n", handled, given);
#endif
}

int main(int count, char *arguments[])
{
    std::string name = count > 1 ? arguments[1] : "";
    if (name == "read_past_an_array")
        read_past_an_array();
    else if (name == "use_after_delete")
        use_after_delete();
    else if (name == "delete_twice")
        delete_twice();
    else if (name == "free_what_new_gave")
        free_what_new_gave();
    else if (name == "resize_what_new_gave")
        resize_what_new_gave();
    else if (name == "delete_what_malloc_gave")
        delete_what_malloc_gave();
    else if (name == "delete_an_array_as_one")
        delete_an_array_as_one();
    else if (name == "delete_one_as_an_array")
        delete_one_as_an_array();
    else if (name == "free_an_aligned_one")
        free_an_aligned_one();
    else if (name == "refusals")
        count_refusals();
    else if (name == "handler")
        count_handled();
    else
        check_all();
    return is_all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
