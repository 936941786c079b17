/* value.h: text to value and back, as PostgreSQL's input and output functions do
 *
 * Session: time zone UTC, DateStyle ISO, IntervalStyle postgres, extra_float_digits 1, bytea hex.
 */
#pragma once
#include <tallyman/batch.h>
#include <tallyman/error.h>

/* Reads text as a value of type into ret_value (tally_type_size() bytes).  Text-like results are
 * views into text where that is already the canonical form, else memory of batch.  Errors carry
 * PostgreSQL's messages: invalid input syntax for type bigint: "x". */
gboolean tally_value_parse (TallyType type, TallyText text, TallyBatch *batch, gpointer ret_value,
                            GError **error);
/* Appends a value in PostgreSQL's output form. */
void tally_value_format (TallyType type, gconstpointer value, GString *out);

/* Calendar: days since 2000-01-01 of a proleptic Gregorian date, and back. */
gint32 tally_days_from_civil (gint year, gint month, gint day);
void tally_civil_from_days (gint32 days, gint *ret_year, gint *ret_month, gint *ret_day);
