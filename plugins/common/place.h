/* place.h: where in which of several inputs a source is, as a position that survives a run */
#pragma once
#include "input.h"

typedef struct
{
  guint64 offset; /* in what tally_input_read() gives */
  gint64 line;    /* of the record that begins there */
  char *identity; /* (owned) of the input */
  char *before;   /* (owned) of the list of inputs that are done */
  char *name;     /* (owned) of the input */
} TallyPlace;

void tally_place_clear (TallyPlace *place);
char *tally_place_format (const TallyPlace *place);
/* FALSE if the text is no place. */
gboolean tally_place_parse (const char *text, TallyPlace *ret_place);
/* A list's first names, kept from one place to the next: a walk over many would take time in the square of their number. */
typedef struct
{
  GChecksum *sum; /* (owned) (nullable) */
  guint n;        /* names in it */
} TallyPlaceSum;

/* What tells a list's first n names from others.  sum: zeroed at first, and for one list only. */
char *tally_place_before (TallyPlaceSum *sum, GPtrArray *names, guint n);
void tally_place_sum_clear (TallyPlaceSum *sum);

/* The index of the input that a place is in, if the same inputs stand before it; else -1. */
gint tally_place_find (const TallyPlace *place, GPtrArray *names);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyPlace, tally_place_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyPlaceSum, tally_place_sum_clear)
