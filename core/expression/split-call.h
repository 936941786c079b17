/* split-call.h: a text that is one call of a function, taken apart where it stands
 *
 * For functions over many rows, which no expression over one row can call.
 */
#pragma once
#include <glib.h>

#define TALLY_SPLIT_MAX_ARGS 2

typedef struct
{
  char name[32];    /* in lower case */
  gboolean is_star; /* name(*) */
  gboolean is_distinct; /* name(DISTINCT …) */
  guint n_args;     /* may be more than have a place */
  struct
  {
    gsize offset, length; /* bytes of the text, without blanks around */
  } args[TALLY_SPLIT_MAX_ARGS];
} TallySplitCall;

/* FALSE if text is not one call from its first byte to its last; what its arguments are is not looked at. */
gboolean tally_split_call (const char *text, TallySplitCall *ret_call);
