/* nearest.h: what a person probably meant */
#pragma once
#include <glib.h>

/* The candidate closest to word, or NULL if none is close enough to be worth a hint.  Case counts less than
 * letters do; of equally close ones the first wins. */
const char *tally_nearest (const char *word, const char *const *candidates, guint n_candidates);
