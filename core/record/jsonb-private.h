/* jsonb-private.h: walking over canonical jsonb, and putting it together */
#pragma once
#include "jsonb.h"

/* From a value's first byte to the one after its last. */
const char *tally_jsonb_skip (const char *at, const char *end);
/* A JSON string with its quotes: the bytes that it stands for.  to has room for its length. Returns
 * how many there are. */
gsize tally_jsonb_decode (TallyText quoted, char *to);
gboolean tally_jsonb_has_escapes (TallyText quoted);

/* A member of an object that is put together.  Its key is plain. */
typedef struct
{
  TallyText key;
  TallyText value;
  guint order; /* of equal keys the last counts */
} TallyJsonbMember;

/* By length, then bytes. */
gint tally_jsonb_compare_keys (TallyText a, TallyText b);
/* Sorts members and drops all but the last of equal keys; returns how many are left. */
guint tally_jsonb_sort_members (TallyJsonbMember *members, guint n);
/* A path's element as an array's index, as strtol() with nothing after it. */
gboolean tally_jsonb_read_index (TallyText text, gint64 *ret_index);
