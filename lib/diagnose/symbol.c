/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Naming program addresses; see symbol.h. */
#include "diagnose/symbol.h"

#include "os/maps.h"

void symbol_locate(struct text *text, uintptr_t address)
{
    struct maps_module module;
    if (!maps_find(address, &module)) {
        text_string(text, "(unknown)");
        return;
    }
    text_printable(text, module.path);
    text_character(text, '+');
    text_hex(text, module.offset);
}
