#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Print the version, which exists once: in include/moat/version.h.
sed -n 's/^#define MOAT_VERSION "\(.*\)"$/\1/p' \
    "$(dirname "$0")/../include/moat/version.h" | tr -d '\n'
