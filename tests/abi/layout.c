/* layout.c: compiled against today's headers and against the frozen ones; a field that moved does
 * not compile */
#include <stddef.h>
#include <tallyman/plugin.h>

#if GLIB_SIZEOF_VOID_P == 8
#ifdef FROZEN
#define STRUCT(type, size) G_STATIC_ASSERT (sizeof (type) == (size));
#else
#define STRUCT(type, size) G_STATIC_ASSERT (sizeof (type) >= (size));
#endif
#define FIELD(type, field, offset) G_STATIC_ASSERT (offsetof (type, field) == (offset));
#define VALUE(name, number) G_STATIC_ASSERT ((int) (name) == (number));
#include "1/layout.h"
#endif

G_STATIC_ASSERT (TALLY_ABI == 1);
