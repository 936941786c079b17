/* expression.h: PostgreSQL's expressions over batches */
#pragma once
#include <tallyman/batch.h>
#include <tallyman/error.h>

/* What is wrong with an expression, and where: bytes of its text, for a caret. */
typedef struct
{
  char *message;
  char *hint;   /* (nullable) */
  gsize offset;
  gsize length; /* at least 1 */
} TallyComplaint;

void tally_complaint_free (TallyComplaint *complaint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyComplaint, tally_complaint_free)

typedef struct _TallyExpression TallyExpression;

/* Parses and types text for rows of schema; constants are folded.  On failure returns NULL and sets ret_complaint. */
TallyExpression *tally_expression_compile (const char *text, TallySchema *schema, TallyComplaint **ret_complaint);
void tally_expression_free (TallyExpression *expression);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyExpression, tally_expression_free)

TallyType tally_expression_type (const TallyExpression *expression);
/* The type that PostgreSQL casts both sides of an = to before it compares them.  FALSE: it cannot compare them, or does so as
 * they are. */
gboolean tally_type_find_common (TallyType a, TallyType b, TallyType *ret_type);
/* Whether there is a cast, to be written or not. */
gboolean tally_type_can_cast (TallyType from, TallyType to);
/* TRUE if its value may differ between two evaluations over the same row: now(), random() … */
gboolean tally_expression_is_volatile (const TallyExpression *expression);
/* The columns it reads, as a bitmap by index: bit i % 64 of word i / 64. */
const guint64 *tally_expression_columns (const TallyExpression *expression);

/* Evaluates it for all rows that are not rejected and writes into vector and validity (as tally_batch_vector() and
 * tally_batch_validity() give them, of tally_batch_capacity() rows; memory for text comes from the batch).  They may be those
 * of a column that the expression does not read.  A row whose value cannot be worked out is rejected in the batch with
 * PostgreSQL's message.  Not for two threads at once: it has scratch space. */
void tally_expression_evaluate (TallyExpression *expression, TallyBatch *batch, gpointer vector, guint64 *validity);
