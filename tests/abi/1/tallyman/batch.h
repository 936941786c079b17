/* batch.h: a few hundred records that move together, by column
 *
 * For each column a batch has one vector of values and one validity bitmap (bit
 * set: there is a value; clear: NULL).  Text is a view into memory that the batch
 * holds: its own arena, or blocks handed over with tally_batch_hold().  All of it is
 * let go at once, by tally_batch_clear() or tally_batch_free().
 *
 * A batch belongs to one thread at a time; handing it on hands on all of it.
 */
#pragma once
#include "schema.h"

G_BEGIN_DECLS

/**
 * TallyBatch:
 *
 * Since: 0.1
 */
typedef struct _TallyBatch TallyBatch;

/**
 * TallyReject:
 * @origin: where the record came from, as tally_batch_dup_origin() says it
 * @stage: which part of the pipeline refused it: `source`, a step's name, or `sink`
 * @reason: the message for a person
 * @record: the record as a JSON object, or what was read of it as a JSON string
 *
 * A record that was set aside.
 *
 * Since: 0.1
 */
typedef struct
{
  char *origin;
  char *stage;
  char *reason;
  char *record;
} TallyReject;

/**
 * tally_batch_new:
 * @schema: the columns; held by the batch
 * @capacity: most rows that it will hold
 *
 * Returns: (transfer full): a batch without rows
 * Since: 0.1
 */
TallyBatch *tally_batch_new (TallySchema *schema, guint capacity);

/**
 * tally_batch_free:
 * @batch: (nullable) (transfer full): a batch
 *
 * Lets go of it and of all memory that it holds.
 *
 * Since: 0.1
 */
void tally_batch_free (TallyBatch *batch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyBatch, tally_batch_free)

/**
 * tally_batch_clear:
 * @batch: a batch
 *
 * Empties it for another use: rows, rejects, position, counts and held memory go;
 * schema and capacity stay.
 *
 * Since: 0.1
 */
void tally_batch_clear (TallyBatch *batch);

/**
 * tally_batch_schema:
 * @batch: a batch
 *
 * Returns: (transfer none): its columns
 * Since: 0.1
 */
TallySchema *tally_batch_schema (const TallyBatch *batch);

/**
 * tally_batch_n_rows:
 * @batch: a batch
 *
 * Returns: the rows in it
 * Since: 0.1
 */
guint tally_batch_n_rows (const TallyBatch *batch);

/**
 * tally_batch_capacity:
 * @batch: a batch
 *
 * Returns: the most rows that fit
 * Since: 0.1
 */
guint tally_batch_capacity (const TallyBatch *batch);

/**
 * tally_batch_add_row:
 * @batch: a batch with room
 *
 * Adds a row of NULLs.  The setters below write into the row added last.
 *
 * Returns: its index
 * Since: 0.1
 */
guint tally_batch_add_row (TallyBatch *batch);

/**
 * tally_batch_add_rows:
 * @batch: a batch with room for @n_rows more
 * @n_rows: how many
 *
 * Adds rows of NULLs, to be filled by tally_batch_vector() and tally_batch_validity().
 *
 * Returns: the first one's index
 * Since: 0.1
 */
guint tally_batch_add_rows (TallyBatch *batch, guint n_rows);

/**
 * tally_batch_undo_row:
 * @batch: a batch with at least one row
 *
 * Takes the row added last away again, as if it had not been added.
 *
 * Since: 0.1
 */
void tally_batch_undo_row (TallyBatch *batch);

/**
 * tally_batch_set_text:
 * @batch: a batch
 * @column: a column of type text, numeric, bytea or jsonb
 * @data: (array length=length): bytes in the form that the type asks for; copied
 * @length: their number
 *
 * Sets a value of the last row.
 *
 * Since: 0.1
 */
void tally_batch_set_text (TallyBatch *batch, guint column, const char *data, gsize length);

/**
 * tally_batch_set_view:
 * @batch: a batch
 * @column: a column of type text, numeric, bytea or jsonb
 * @text: a view that stays valid until the batch is cleared, see tally_batch_hold()
 *
 * Sets a value of the last row without a copy.
 *
 * Since: 0.1
 */
void tally_batch_set_view (TallyBatch *batch, guint column, TallyText text);

/**
 * tally_batch_set_boolean:
 * @batch: a batch
 * @column: a boolean column
 * @value: the value
 *
 * Sets a value of the last row.
 *
 * Since: 0.1
 */
void tally_batch_set_boolean (TallyBatch *batch, guint column, gboolean value);

/**
 * tally_batch_set_int:
 * @batch: a batch
 * @column: a column of type bigint, date, timestamp or timestamptz
 * @value: the value as the type holds it
 *
 * Sets a value of the last row.
 *
 * Since: 0.1
 */
void tally_batch_set_int (TallyBatch *batch, guint column, gint64 value);

/**
 * tally_batch_set_double:
 * @batch: a batch
 * @column: a double precision column
 * @value: the value
 *
 * Sets a value of the last row.
 *
 * Since: 0.1
 */
void tally_batch_set_double (TallyBatch *batch, guint column, double value);

/**
 * tally_batch_set_from_text:
 * @batch: a batch
 * @column: any column
 * @data: (array length=length): a value in PostgreSQL's input form for the column's type; copied where it is kept
 * @length: its length
 * @error: (nullable): %TALLY_ERROR_DATA if it is no such value
 *
 * Sets a value of the last row from text, as a cast would.
 *
 * Returns: %TRUE if it was set
 * Since: 0.1
 */
gboolean tally_batch_set_from_text (TallyBatch *batch, guint column, const char *data, gsize length,
                                    GError **error);

/**
 * tally_batch_is_null:
 * @batch: a batch
 * @row: a row
 * @column: a column
 *
 * Returns: %TRUE if there is no value
 * Since: 0.1
 */
gboolean tally_batch_is_null (const TallyBatch *batch, guint row, guint column);

/**
 * tally_batch_get_text:
 * @batch: a batch
 * @row: a row
 * @column: a column of type text, numeric, bytea or jsonb that is not NULL there
 *
 * Returns: the value; valid until the batch is cleared
 * Since: 0.1
 */
TallyText tally_batch_get_text (const TallyBatch *batch, guint row, guint column);

/**
 * tally_batch_get_int:
 * @batch: a batch
 * @row: a row
 * @column: a column of type boolean, bigint, date, timestamp or timestamptz that is not NULL there
 *
 * Returns: the value
 * Since: 0.1
 */
gint64 tally_batch_get_int (const TallyBatch *batch, guint row, guint column);

/**
 * tally_batch_get_double:
 * @batch: a batch
 * @row: a row
 * @column: a double precision column that is not NULL there
 *
 * Returns: the value
 * Since: 0.1
 */
double tally_batch_get_double (const TallyBatch *batch, guint row, guint column);

/**
 * tally_batch_vector:
 * @batch: a batch
 * @column: a column
 *
 * The whole column, for loops that read or write many rows.
 *
 * Returns: (transfer none): tally_batch_capacity() values of tally_type_size() bytes; those beyond
 *   the last row, and those whose validity bit is clear, mean nothing
 * Since: 0.1
 */
gpointer tally_batch_vector (const TallyBatch *batch, guint column);

/**
 * tally_batch_validity:
 * @batch: a batch
 * @column: a column
 *
 * Returns: (transfer none): its bitmap: bit `row % 64` of word `row / 64` is set where there is a
 *   value; bits beyond the last row are clear, and must stay so
 * Since: 0.1
 */
guint64 *tally_batch_validity (const TallyBatch *batch, guint column);

/**
 * tally_batch_append_value:
 * @batch: a batch
 * @row: a row
 * @column: a column that is not NULL there
 * @out: gets the value in PostgreSQL's output form (time zone UTC, ISO dates)
 *
 * Since: 0.1
 */
void tally_batch_append_value (const TallyBatch *batch, guint row, guint column, GString *out);

/**
 * tally_batch_append_json:
 * @batch: a batch
 * @row: a row
 * @out: gets the row as one JSON object without line breaks
 *
 * Numbers and booleans are written as such, jsonb as itself, the others as strings, NULL as
 * `null`; NaN and the infinities as strings.  Column names are written as they are, dots and all.
 *
 * Since: 0.1
 */
void tally_batch_append_json (const TallyBatch *batch, guint row, GString *out);

/**
 * tally_json_append_string:
 * @text: UTF-8
 * @out: gets it as a JSON string, quotes included (RFC 8259, section 7)
 *
 * Since: 0.1
 */
void tally_json_append_string (TallyText text, GString *out);

/**
 * tally_batch_alloc:
 * @batch: a batch
 * @size: bytes
 *
 * Returns: (transfer none): uninitialised memory, aligned for any type, that lives until the batch
 *   is cleared
 * Since: 0.1
 */
gpointer tally_batch_alloc (TallyBatch *batch, gsize size);

/**
 * tally_batch_hold:
 * @batch: a batch
 * @owner: (transfer full): what owns memory that views in the batch point into
 * @release: called with @owner when the batch is cleared, on any thread
 *
 * Since: 0.1
 */
void tally_batch_hold (TallyBatch *batch, gpointer owner, GDestroyNotify release);

/**
 * tally_batch_set_origin:
 * @batch: a batch
 * @name: the file, table or folder that its rows come from; copied
 *
 * One batch has rows of one origin only.
 *
 * Since: 0.1
 */
void tally_batch_set_origin (TallyBatch *batch, const char *name);

/**
 * tally_batch_set_row_number:
 * @batch: a batch
 * @row: a row
 * @number: its line, UID or primary key in the origin
 *
 * Since: 0.1
 */
void tally_batch_set_row_number (TallyBatch *batch, guint row, gint64 number);

/**
 * tally_batch_row_number:
 * @batch: a batch
 * @row: a row
 *
 * Returns: what tally_batch_set_row_number() set, else 0
 * Since: 0.1
 */
gint64 tally_batch_row_number (const TallyBatch *batch, guint row);

/**
 * tally_batch_dup_origin:
 * @batch: a batch
 * @row: a row
 *
 * Returns: (transfer full): where the row came from, `tickets.csv:1024`
 * Since: 0.1
 */
char *tally_batch_dup_origin (const TallyBatch *batch, guint row);

/**
 * tally_batch_set_position:
 * @batch: a batch
 * @position: from where the source would go on after this batch, in its own words; copied
 *
 * Only offered here: the engine saves it once the sink has made all rows up to here durable, and
 * hands it to tally_context_position() of the run that resumes.
 *
 * Since: 0.1
 */
void tally_batch_set_position (TallyBatch *batch, const char *position);

/**
 * tally_batch_position:
 * @batch: a batch
 *
 * Returns: (transfer none) (nullable): what tally_batch_set_position() set
 * Since: 0.1
 */
const char *tally_batch_position (const TallyBatch *batch);

/**
 * tally_batch_reject:
 * @batch: a batch
 * @row: a row
 * @reason: why it cannot go on, for a person
 *
 * Sets a row aside, as it is now.  It stays in the batch until the stage that is at work has
 * ended; of several reasons for one row the first counts.
 *
 * Since: 0.1
 */
void tally_batch_reject (TallyBatch *batch, guint row, const char *reason);

/**
 * tally_batch_is_rejected:
 * @batch: a batch
 * @row: a row
 *
 * Returns: %TRUE if the row was set aside in the stage that is at work
 * Since: 0.1
 */
gboolean tally_batch_is_rejected (const TallyBatch *batch, guint row);

/**
 * tally_batch_add_reject:
 * @batch: a batch
 * @number: the line, UID or primary key
 * @reason: why it did not become a row
 * @raw: what was read of it; shortened if it is very long
 *
 * For a source: counts a record that is too broken to be a row.
 *
 * Since: 0.1
 */
void tally_batch_add_reject (TallyBatch *batch, gint64 number, const char *reason, TallyText raw);

/**
 * tally_batch_retain:
 * @batch: a batch
 * @keep: a bitmap as tally_batch_validity() has it, with a bit for each row
 *
 * Takes the rows whose bit is clear out of the batch and counts them as filtered.
 *
 * Since: 0.1
 */
void tally_batch_retain (TallyBatch *batch, const guint64 *keep);

/**
 * tally_batch_rearrange:
 * @batch: a batch
 * @schema: the columns that it is to have
 * @from: (array): for each of them the old column that becomes it, or -1 for a new one, all %NULL
 *
 * Gives the batch other columns, for a transform.  An old column may be used once at most, with its
 * own type; those not named are dropped.  Nothing is copied.
 *
 * Since: 0.1
 */
void tally_batch_rearrange (TallyBatch *batch, TallySchema *schema, const gint *from);

G_END_DECLS
