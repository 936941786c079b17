/* feed.h: the files of a source, one after the other */
#pragma once
#include "place.h"
#include <tallyman/plugin.h>

typedef struct
{
  GPtrArray *names; /* (owned) (nullable) (element-type utf8) from open to close */
  guint index;      /* of the one that is or will be read */
  int wake;         /* (owned) an eventfd that ends a wait for input; 0 while closed */
  TallyPlaceSum before; /* (owned) the names that are done */
} TallyFeed;

/* Rules for the options: some name, no mix of files and standard input, a known encoding (NULL: the default). */
gboolean tally_feed_check (char *const *paths, const char *encoding, GError **error);
gboolean tally_feed_open (TallyFeed *feed, char *const *paths, GError **error);
void tally_feed_close (TallyFeed *feed);
/* Any thread; ends a wait for input. */
void tally_feed_interrupt (TallyFeed *feed);

/* A source's probe, after its columns were seen: what there is to read. */
void tally_feed_probe (TallyFeed *feed, TallyContext *ctx);

/* (transfer none) the file that is or will be read; NULL behind the last. */
const char *tally_feed_name (TallyFeed *feed);
/* Another view of it each time. */
TallyInput *tally_feed_open_input (TallyFeed *feed, const char *encoding, GError **error);

/* Names the file in a batch as the pipeline names it. */
void tally_feed_set_origin (TallyFeed *feed, TallyContext *ctx, TallyBatch *batch);
/* The same of a file in a folder that the list has. */
void tally_feed_set_origin_name (const char *name, TallyContext *ctx, TallyBatch *batch);
/* Offers a place in the file as the position after a batch. */
void tally_feed_set_position (TallyFeed *feed, TallyInput *input, guint64 offset, gint64 line, TallyBatch *batch);
/* The same in a folder that the list has: identity, without blanks, tells where in it. */
void tally_feed_set_place (TallyFeed *feed, const char *identity, guint64 offset, gint64 line, TallyBatch *batch);
/* Goes to the file where an earlier run has stopped.  FALSE if there was none, or if the list is not the same any more,
 * of which the user is told. */
gboolean tally_feed_find_place (TallyFeed *feed, TallyContext *ctx, TallyPlace *ret_place);
/* Goes back to the first file, because one is not what it was; the user is told. */
void tally_feed_start_over (TallyFeed *feed, TallyContext *ctx, const char *changed);
