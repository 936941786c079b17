/* references.h: who answers ref(): the ledger and then the pipeline's file, or what a test gives
 *
 * Of the thread that works out the steps, which is the only one that asks: the ledger is opened there, for reading, by a
 * connection of its own.
 */
#pragma once
#include "expression/ref.h"
#include "ledger/ledger.h"
#include "pipeline/reference-file.h"
#include "warnings.h"

typedef struct
{
  const char *ledger_uri; /* (nullable) as tally_ledger_open() takes it */
  TallyLedgerFlags ledger_flags;
  const char *origin;     /* the pipeline's */
  const char *target;     /* (nullable) the sink's, if it delivers */
  const char *entity;     /* (nullable) what it delivers */
  TallyReferenceFile *file;   /* (nullable) asked for what the ledger has not, and for what stands instead */
  TallyReferenceFile *found;  /* (nullable) gets what the ledger has */
  TallyReferenceFile *missed; /* (nullable) gets what the ledger has not, */
  TallyReferenceFile *coming; /* (nullable) unless it is among these */
  gint64 began_at;        /* on the ledger's clock: what is delivered from here on is not seen; G_MAXINT64: all is */
  gboolean lenient;       /* where the ledger cannot be read or names nothing, rows are rejected, and nothing ends */
  void (*warn) (const char *message, gpointer data); /* (nullable) */
  gpointer warn_data;
} TallyReferencesConfig;

/* Strings of config are borrowed. */
TallyReferences *tally_references_new (const TallyReferencesConfig *config);
/* given: (nullable) entity → (key → id), before what file (nullable) has of origin. (element-type utf8 GHashTable) */
TallyReferences *tally_references_new_for_test (GHashTable *given, const char *origin, TallyReferenceFile *file);
void tally_references_free (TallyReferences *references);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyReferences, tally_references_free)

/* Whether the ledger could not be asked, and why: then no row of the batch may go on. */
gboolean tally_references_failed (TallyReferences *references, GError **error);

/* What becomes of a key: pure, for its tests. */
typedef enum
{
  TALLY_REF_FOUND,
  TALLY_REF_ABSENT,
  TALLY_REF_IN_DOUBT,
} TallyRefFate;

/* delivery: (nullable) none is known. */
TallyRefFate tally_ref_fate (const TallyLedgerDelivery *delivery, gint64 began_at);
