/* lookup-side.h: the rows that are looked up, on their way from their source to the step */
#pragma once
#include "step.h"

typedef struct _TallyLookupSide TallyLookupSide;

/* source: (unowned) with its options filled.  source_schema: what it gives.  steps: (transfer full) (element-type
 * TallyStep) what its rows go through. */
TallyLookupSide *tally_lookup_side_new (TallyInstance *source, TallySchema *source_schema, GPtrArray *steps);
void tally_lookup_side_free (TallyLookupSide *side);
TallySchema *tally_lookup_side_schema (const TallyLookupSide *side); /* (transfer none) of the rows that come out */
const char *tally_lookup_side_name (const TallyLookupSide *side);
/* (transfer full): the rows of the next opening, in place of the source's; they have the source's columns. */
void tally_lookup_side_give (TallyLookupSide *side, TallyBatch *rows);

gboolean tally_lookup_side_open (TallyLookupSide *side, TallyContext *ctx, GError **error);
/* The next rows.  END: there are no more after them.  RETRY: the call may be made again after a while. */
TallyFlow tally_lookup_side_read (TallyLookupSide *side, TallyReferences *references, TallyBatch **ret_batch, GError **error);
void tally_lookup_side_interrupt (TallyLookupSide *side); /* on any thread */
void tally_lookup_side_close (TallyLookupSide *side);
