/* numeric.h: exact decimals, as PostgreSQL's numeric
 *
 * A numeric is held as the text that PostgreSQL prints for it: `-12.50`, `NaN`, `Infinity`,
 * `-Infinity`.  The digits after the point are its scale, which arithmetic carries on by
 * PostgreSQL's rules.  All functions take canonical text, as tally_numeric_parse() gives it.
 * Results are views: into an argument, into constant memory, or into memory of the batch.
 *
 * Errors are TALLY_ERROR_DATA with PostgreSQL's messages: division by zero; value overflows numeric
 * format.
 */
#pragma once
#include <tallyman/batch.h>
#include <tallyman/error.h>

/* Reads PostgreSQL's input form: blanks around, sign, exponent, NaN, inf. */
gboolean tally_numeric_parse (TallyText text, TallyBatch *batch, TallyText *ret_value,
                              GError **error);
/* As a cast to numeric(precision, scale): rounds, then checks.  scale may be -1000 to 1000. */
gboolean tally_numeric_limit (TallyText value, gint precision, gint scale, TallyBatch *batch,
                              TallyText *ret_value, GError **error);

/* Below 0, 0, above 0.  NaN equals NaN and is greater than all others; scale does not matter. */
gint tally_numeric_compare (TallyText a, TallyText b);
/* The same for values that compare equal. */
guint tally_numeric_hash (TallyText value);

/* Operators and functions of two values.  A function that a table of operators can point to. */
typedef gboolean (*TallyNumericBinary) (TallyText a, TallyText b, TallyBatch *batch,
                                        TallyText *ret_value, GError **error);
gboolean tally_numeric_add (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                            GError **error);
gboolean tally_numeric_subtract (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                                 GError **error);
gboolean tally_numeric_multiply (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                                 GError **error);
gboolean tally_numeric_divide (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                               GError **error); /* a / b */
gboolean tally_numeric_modulo (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                               GError **error); /* a % b, mod() */
gboolean tally_numeric_div (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                            GError **error); /* div() */
gboolean tally_numeric_power (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                              GError **error); /* a ^ b, power() */
gboolean tally_numeric_log (TallyText base, TallyText value, TallyBatch *batch,
                            TallyText *ret_value, GError **error); /* log(base, value) */

/* Functions of one value. */
typedef gboolean (*TallyNumericUnary) (TallyText value, TallyBatch *batch, TallyText *ret_value,
                                       GError **error);
gboolean tally_numeric_negate (TallyText value, TallyBatch *batch, TallyText *ret_value,
                               GError **error);
gboolean tally_numeric_abs (TallyText value, TallyBatch *batch, TallyText *ret_value,
                            GError **error);
gboolean tally_numeric_sign (TallyText value, TallyBatch *batch, TallyText *ret_value,
                             GError **error);
gboolean tally_numeric_ceil (TallyText value, TallyBatch *batch, TallyText *ret_value,
                             GError **error);
gboolean tally_numeric_floor (TallyText value, TallyBatch *batch, TallyText *ret_value,
                              GError **error);
gboolean tally_numeric_sqrt (TallyText value, TallyBatch *batch, TallyText *ret_value,
                             GError **error);
gboolean tally_numeric_exp (TallyText value, TallyBatch *batch, TallyText *ret_value,
                            GError **error);
gboolean tally_numeric_ln (TallyText value, TallyBatch *batch, TallyText *ret_value,
                           GError **error);
gboolean tally_numeric_log10 (TallyText value, TallyBatch *batch, TallyText *ret_value,
                              GError **error);
gboolean tally_numeric_trim_scale (TallyText value, TallyBatch *batch, TallyText *ret_value,
                                   GError **error);

/* round(value, scale) and trunc(value, scale); scale may be negative.  round(value) is scale 0. */
gboolean tally_numeric_round (TallyText value, gint64 scale, TallyBatch *batch,
                              TallyText *ret_value, GError **error);
gboolean tally_numeric_trunc (TallyText value, gint64 scale, TallyBatch *batch,
                              TallyText *ret_value, GError **error);
/* Digits after the point; FALSE (SQL's NULL) for NaN and the infinities. */
gboolean tally_numeric_scale (TallyText value, gint64 *ret_scale);
gboolean tally_numeric_min_scale (TallyText value, gint64 *ret_scale);

/* Casts. */
TallyText tally_numeric_from_bigint (gint64 value, TallyBatch *batch);
TallyText tally_numeric_from_double (double value,
                                     TallyBatch *batch); /* 15 digits, as PostgreSQL */
/* value / 10^scale, with scale digits after the point; value has at most 36 digits. */
TallyText tally_numeric_from_scaled (__int128 value, gint scale, TallyBatch *batch);
gboolean tally_numeric_to_bigint (TallyText value, gint64 *ret_value,
                                  GError **error); /* rounds half away from zero */
gboolean tally_numeric_to_double (TallyText value, double *ret_value, GError **error);
