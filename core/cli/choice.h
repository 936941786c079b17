/* choice.h: the pipelines of a ledger that a word on the command line means
 *
 * It is a name that the ledger knows, or the path of a pipeline's file or of a folder of them: then the ledger is the one that
 * these name, unless the user named one.  What the ledger has never seen is a mistake, so that no list is empty for want of a letter.
 */
#pragma once
#include "listing.h"

/* For --help: what an option or argument PIPELINE takes. */
#define TALLY_CHOICE_SUMMARY "Only of this pipeline: its name, its file, or a folder of them"

#define TALLY_CHOICE_LEDGER "Where the ledger is, if not in the state directory, or where the pipeline's file says"

typedef struct
{
  TallyLedger *ledger; /* (owned) */
  GPtrArray *names;    /* (owned) (element-type utf8) each once; a NULL stands for all */
} TallyChoice;

/* word: (nullable) all that is in the ledger; uri: (nullable) the ledger that the user named.  FALSE: it has been said why, exit
 * with ret_how. */
gboolean tally_choice_open (TallyChoice *choice, const char *word, const char *uri, TallyLedgerFlags flags, TallyExit *ret_how);
void tally_choice_clear (TallyChoice *choice);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyChoice, tally_choice_clear)

/* The deliveries of all of them; filter's pipeline is not looked at. */
gboolean tally_choice_each_delivery (const TallyChoice *choice, const TallyLedgerFilter *filter, TallyLedgerEach each, gpointer data,
                                     GError **error);
/* The rejects of source and steps, likewise. */
gboolean tally_choice_each_reject (const TallyChoice *choice, TallyLedgerEachReject each, gpointer data, GError **error);
