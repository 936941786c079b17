/* hooks.h: where a test build may kill us, or switch a rule off
 *
 * The product has none of this: both macros vanish unless TALLY_TESTING is defined, which only the
 * library below tests/ is built with.
 *
 * TALLYMAN_CRASH=point:count   SIGKILL to ourselves the count-th time that point is passed
 * TALLYMAN_BREAK=R5            rule R5 of the delivery protocol is not kept
 */
#pragma once
#include <glib.h>

#ifdef TALLY_TESTING
void tally_hook_point (const char *point);
gboolean tally_hook_keeps (const char *rule);
#define TALLY_POINT(point) tally_hook_point (point)
#define TALLY_KEEPS(rule) tally_hook_keeps (rule)
#else
#define TALLY_POINT(point) ((void) 0)
#define TALLY_KEEPS(rule) TRUE
#endif
