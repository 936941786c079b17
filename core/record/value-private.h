/* value-private.h: what the files of this folder share about values */
#pragma once
#include <tallyman/batch.h>
#include <tallyman/error.h>

/* isspace() of the locale C. */
static inline gboolean
tally_is_space (char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A valid, shortened copy for a message. */
char *tally_value_quote (TallyText text);
/* invalid input syntax for type TYPE: "TEXT" */
gboolean tally_value_throw_syntax (GError **error, const char *type, TallyText text);
gboolean tally_value_check_utf8 (TallyText text, GError **error);
TallyText tally_value_copy (TallyBatch *batch, const char *data, gsize length);
TallyText tally_value_trim (TallyText text);

/* quoted_text is what a message shows. */
gboolean tally_double_parse (TallyText text, TallyText quoted_text, double *ret_value,
                             GError **error);
/* The fewest digits that read back as the same value, in PostgreSQL's form: 1e+20, 0.0001, 1e-05,
 * -0, NaN. */
void tally_double_append (double value, GString *out);
void tally_bigint_append (gint64 value, GString *out);
