/* listing.h: what the ledger holds, as aligned columns for a person or as lines of JSON for a
 * program
 *
 * A row's cells are added in the order of the columns.  Text of strangers is printed with its
 * control characters spelt out, so that no answer of a server can write to the terminal.
 */
#pragma once
#include "command.h"
#include "engine/engine.h"
#include "ledger/ledger.h"

typedef struct _TallyListing TallyListing;

TallyListing *tally_listing_new (gboolean json);
/* Prints what is left. */
void tally_listing_free (TallyListing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyListing, tally_listing_free)

/* The cells of a row; NULL and time 0 are "-", or null. */
void tally_listing_text (TallyListing *listing, const char *column, const char *value);
void tally_listing_number (TallyListing *listing, const char *column, gint64 value);
void tally_listing_time (TallyListing *listing, const char *column, gint64 time);
/* A value that only a person gets. */
void tally_listing_plain (TallyListing *listing, const char *column, const char *value);
/* The object that a program gets, for members that a person does not. (transfer none) (nullable) */
GString *tally_listing_row_object (TallyListing *listing);
void tally_listing_end_row (TallyListing *listing);

/* A JSON object without its last brace. NULL and time 0 are null. (transfer full) */
GString *tally_listing_object (void);
void tally_listing_add_text (GString *object, const char *name, const char *value);
void tally_listing_add_number (GString *object, const char *name, gint64 value);
void tally_listing_add_time (GString *object, const char *name, gint64 time);
void tally_listing_add_json (GString *object, const char *name, const char *json);

/* The rejects of a batch from the first-th on, as a JSON array; of no batch none. (transfer full) */
char *tally_listing_rejects (const TallyBatch *batch, guint first);

/* "2026-11-23 20:15:00" in UTC, or "-" for 0. (transfer full) */
char *tally_listing_format_time (gint64 time);
/* The text with control characters as \n, \x1b, …; what is not UTF-8 likewise. (transfer full) */
char *tally_listing_clean (const char *text, gsize length, gboolean keep_lines);

/* Opens the ledger for a command; complains if it cannot. */
TallyLedger *tally_command_open_ledger (const char *uri, TallyLedgerFlags flags);
/* The exit code for an error, which is complained about. */
TallyExit tally_command_fail (const GError *error);
