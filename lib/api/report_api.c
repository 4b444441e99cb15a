/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moat/report.h */
#include <moat/report.h>

#include "api/runtime.h"
#include "diagnose/report.h"
#include "os/thread.h"

moat_report_hook moat_set_report_hook(moat_report_hook hook, void *context)
{
    return report_set_hook(hook, context);
}

int moat_thread_prepare(void)
{
    return thread_prepare();
}

int moat_catch_faults(void)
{
    return runtime_catch_faults();
}
