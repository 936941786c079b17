/* number-template.h: to_char() of numbers and to_number(), with a template such as FM999G990D00
 *
 * PostgreSQL's patterns are all known; the locale is C: D is a point, G a comma, L a blank.
 */
#pragma once
#include <tallyman/batch.h>
#include <tallyman/error.h>

typedef struct _TallyNumberTemplate TallyNumberTemplate;

/* NULL for patterns that contradict each other: cannot use "S" twice. */
TallyNumberTemplate *tally_number_template_new (TallyText format, GError **error);
void tally_number_template_free (gpointer template);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyNumberTemplate, tally_number_template_free)

gboolean tally_numeric_to_char (TallyText value, const TallyNumberTemplate *template,
                                TallyBatch *batch, TallyText *ret_text, GError **error);
gboolean tally_bigint_to_char (gint64 value, const TallyNumberTemplate *template, TallyBatch *batch,
                               TallyText *ret_text, GError **error);
gboolean tally_double_to_char (double value, const TallyNumberTemplate *template, TallyBatch *batch,
                               TallyText *ret_text, GError **error);
/* ret_is_null: an empty template gives SQL's NULL. */
gboolean tally_numeric_from_template (TallyText text, const TallyNumberTemplate *template,
                                      TallyBatch *batch, gboolean *ret_is_null,
                                      TallyText *ret_numeric, GError **error);
