/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moat/guarded.h */
#include <moat/guarded.h>

#include "alloc/slots.h"
#include "api/heap.h"
#include "api/runtime.h"

#include <errno.h>
#include <string.h>

void *moat_guarded_copy(const void *bytes, size_t size,
                        enum moat_placement placement)
{
    runtime_start();
    if ((bytes == NULL && size != 0)
        || (placement != MOAT_PLACEMENT_AFTER
            && placement != MOAT_PLACEMENT_BEFORE)) {
        errno = EINVAL;
        return NULL;
    }
    enum fence_placement side
        = placement == MOAT_PLACEMENT_AFTER ? FENCE_AFTER : FENCE_BEFORE;
    int saved_errno = errno;
    struct slots_request request = {
        .bytes = size,
        .alignment = 1,
        .side = side,
        .site = runtime_site(__builtin_return_address(0)),
    };
    void *copy = slots_allocate(&request);
    if (copy == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    errno = saved_errno;
    return size == 0 ? copy : memcpy(copy, bytes, size);
}

void moat_guarded_free(void *copy)
{
    if (copy != NULL) {
        heap_free(copy, MOAT_FAMILY_UNKNOWN, __builtin_return_address(0));
    }
}
