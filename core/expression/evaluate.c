/* evaluate.c: terms over the rows of a batch
 *
 * Each term is evaluated under a selection, a bitmap of the rows that somebody wants to know it
 * for, and leaves its values for those rows and a validity bitmap that is clear elsewhere.  CASE,
 * COALESCE, AND and OR narrow the selection for what they may not need, so that nothing is worked
 * out, and no error raised, for a row whose branch is not taken.
 */
#include "term.h"
#include <string.h>

#define BITMAP_BYTES(frame) ((frame)->n_words * sizeof (guint64))

/* Bitmaps come from a list of spare ones, so that a batch costs no allocations. */
static guint64 *
bits_take (Frame *frame)
{
  GPtrArray *spare = frame->expression->spare;

  if (spare->len > 0)
    return g_ptr_array_steal_index_fast (spare, spare->len - 1);
  return g_new (guint64, tally_bitmap_words (frame->expression->capacity));
}

static void
bits_give (Frame *frame, guint64 *bits)
{
  g_ptr_array_add (frame->expression->spare, bits);
}

static gboolean
bits_any (const Frame *frame, const guint64 *bits)
{
  for (guint i = 0; i < frame->n_words; i++)
    if (bits[i] != 0)
      return TRUE;

  return FALSE;
}

void
tally_frame_fail (Frame *frame, guint row, const char *message)
{
  tally_bitmap_clear (frame->live, row);
  if (!frame->folding)
    tally_batch_reject (frame->batch, row, message);
  else if (frame->message == NULL)
    frame->message = g_strdup (message);
}

void
tally_frame_fail_error (Frame *frame, guint row, GError *error)
{
  tally_frame_fail (frame, row, error->message);
  g_error_free (error);
}

TallyText
tally_call_copy (Call *call, const char *data, gsize length)
{
  char *copy = tally_batch_alloc (call->batch, MAX (length, 1));

  memcpy (copy, data, length);
  return (TallyText){ copy, length };
}

static inline void
load (Value *value, const Term *term, guint row, gsize size)
{
  const char *from = (const char *)term->values + (gsize)row * term->step * size;

  switch (size)
    {
    case 1:
      value->boolean = *(const guint8 *)from;
      break;
    case 4:
      memcpy (&value->date, from, 4);
      break;
    case 8:
      memcpy (&value->integer, from, 8);
      break;
    default:
      memcpy (value, from, 16);
      break;
    }
}

static inline void
store (Term *term, guint row, gsize size, const Value *value)
{
  char *to = (char *)term->values + (gsize)row * size;

  switch (size)
    {
    case 1:
      *(guint8 *)to = value->boolean;
      break;
    case 4:
      memcpy (to, &value->date, 4);
      break;
    case 8:
      memcpy (to, &value->integer, 8);
      break;
    default:
      memcpy (to, value, 16);
      break;
    }
}

G_STATIC_ASSERT (sizeof (TallyText) == 16 && sizeof (TallyInterval) == 16);

static void
call_scalar (Frame *frame, Term *term)
{
  const Function *function = term->function;
  gboolean takes_null = (function->flags & FUNCTION_TAKES_NULL) != 0;
  gsize size = tally_term_type_size (term->type), sizes[MAX_ARGS];
  Call call = { frame, frame->batch, term, frame->expression->scratch, 0, FALSE };
  Value args[MAX_ARGS], value = { 0 };

  for (guint i = 0; i < term->n_args; i++)
    sizes[i] = tally_term_type_size (term->args[i]->type);

  FOR_EACH_ROW (frame, term->validity, row)
  {
    GError *error = NULL;

    call.is_null = FALSE;
    call.nulls = 0;
    if (takes_null)
      for (guint i = 0; i < term->n_args; i++)
        if (!tally_bitmap_get (term->args[i]->validity, row))
          call.nulls |= G_GUINT64_CONSTANT (1) << i;
    for (guint i = 0; i < term->n_args; i++)
      if (!(call.nulls >> i & 1))
        load (&args[i], term->args[i], row, sizes[i]);

    if (call.scratch->len > 0)
      g_string_truncate (call.scratch, 0);
    if (!function->scalar (&call, args, &value, &error))
      {
        tally_frame_fail_error (frame, row, error);
        call.is_null = TRUE;
      }
    if (call.is_null)
      tally_bitmap_clear (term->validity, row);
    else
      store (term, row, size, &value);
  }
}

static void
evaluate_call (Frame *frame, Term *term, const guint64 *rows)
{
  for (guint i = 0; i < term->n_args; i++)
    tally_term_evaluate (frame, term->args[i], rows);

  for (guint w = 0; w < frame->n_words; w++)
    term->validity[w] = rows[w] & frame->live[w];
  if ((term->function->flags & FUNCTION_TAKES_NULL) == 0)
    for (guint i = 0; i < term->n_args; i++)
      for (guint w = 0; w < frame->n_words; w++)
        term->validity[w] &= term->args[i]->validity[w];

  if (term->function->kernel != NULL)
    term->function->kernel (frame, term);
  else
    call_scalar (frame, term);
}

/* The rows for which a boolean term is known to be value. */
static void
find_rows (Frame *frame, const Term *term, const guint64 *rows, gboolean value, guint64 *ret_found)
{
  const guint8 *values = term->values;

  if (term->step == 0)
    for (guint w = 0; w < frame->n_words; w++)
      ret_found[w] = values[0] == value ? rows[w] & term->validity[w] : 0;
  else
    for (guint w = 0; w < frame->n_words; w++)
      {
        guint64 found = 0;

        for (guint64 rest = rows[w] & term->validity[w]; rest != 0; rest &= rest - 1)
          {
            guint bit = (guint)__builtin_ctzll (rest);

            found |= (guint64)(values[w * 64 + bit] == value) << bit;
          }
        ret_found[w] = found;
      }
}

/* AND is settled by a FALSE on its left, OR by a TRUE; the right side is worked out for the other
 * rows. */
static void
evaluate_logic (Frame *frame, Term *term, const guint64 *rows)
{
  gboolean settling = term->kind == TERM_OR;
  guint64 *settled = bits_take (frame), *other = bits_take (frame), *rest = bits_take (frame),
          *found = bits_take (frame);
  guint8 *values = term->values;

  tally_term_evaluate (frame, term->args[0], rows);
  find_rows (frame, term->args[0], rows, settling, settled);
  find_rows (frame, term->args[0], rows, !settling, other);
  for (guint w = 0; w < frame->n_words; w++)
    rest[w] = rows[w] & ~settled[w] & frame->live[w];

  if (bits_any (frame, rest))
    {
      tally_term_evaluate (frame, term->args[1], rest);
      find_rows (frame, term->args[1], rest, settling, found);
      for (guint w = 0; w < frame->n_words; w++)
        settled[w] |= found[w];
      find_rows (frame, term->args[1], rest, !settling, found);
      for (guint w = 0; w < frame->n_words; w++)
        other[w] &= found[w];
    }

  for (guint w = 0; w < frame->n_words; w++)
    term->validity[w] = settled[w] | other[w];
  FOR_EACH_ROW (frame, settled, row)
  values[row] = settling;
  FOR_EACH_ROW (frame, other, row)
  values[row] = !settling;

  bits_give (frame, settled);
  bits_give (frame, other);
  bits_give (frame, rest);
  bits_give (frame, found);
}

/* Takes the values of from for these rows. */
static void
take_values (Frame *frame, Term *term, const Term *from, const guint64 *rows)
{
  gsize size = tally_term_type_size (term->type);
  guint64 *taken = bits_take (frame);
  Value value;

  for (guint w = 0; w < frame->n_words; w++)
    {
      taken[w] = rows[w] & from->validity[w];
      term->validity[w] |= taken[w];
    }
  FOR_EACH_ROW (frame, taken, row)
  {
    load (&value, from, row, size);
    store (term, row, size, &value);
  }
  bits_give (frame, taken);
}

static void
evaluate_case (Frame *frame, Term *term, const guint64 *rows)
{
  guint64 *rest = bits_take (frame), *taken = bits_take (frame);
  guint i;

  memcpy (rest, rows, BITMAP_BYTES (frame));
  memset (term->validity, 0, BITMAP_BYTES (frame));
  for (i = 0; i + 1 < term->n_args && bits_any (frame, rest); i += 2)
    {
      tally_term_evaluate (frame, term->args[i], rest);
      find_rows (frame, term->args[i], rest, TRUE, taken);
      for (guint w = 0; w < frame->n_words; w++)
        rest[w] &= ~taken[w] & frame->live[w];
      if (!bits_any (frame, taken))
        continue;
      tally_term_evaluate (frame, term->args[i + 1], taken);
      take_values (frame, term, term->args[i + 1], taken);
    }
  if (bits_any (frame, rest))
    {
      tally_term_evaluate (frame, term->args[term->n_args - 1], rest);
      take_values (frame, term, term->args[term->n_args - 1], rest);
    }

  bits_give (frame, rest);
  bits_give (frame, taken);
}

static void
evaluate_coalesce (Frame *frame, Term *term, const guint64 *rows)
{
  guint64 *rest = bits_take (frame);

  memcpy (rest, rows, BITMAP_BYTES (frame));
  memset (term->validity, 0, BITMAP_BYTES (frame));
  for (guint i = 0; i < term->n_args && bits_any (frame, rest); i++)
    {
      tally_term_evaluate (frame, term->args[i], rest);
      take_values (frame, term, term->args[i], rest);
      for (guint w = 0; w < frame->n_words; w++)
        rest[w] &= ~term->args[i]->validity[w] & frame->live[w];
    }
  bits_give (frame, rest);
}

void
tally_term_evaluate (Frame *frame, Term *term, const guint64 *rows)
{
  term->evaluation = frame->evaluation;
  switch (term->kind)
    {
    case TERM_CONSTANT:
      term->validity = (guint64 *)(term->is_null ? frame->none : frame->all);
      break;
    case TERM_COLUMN:
      term->values = tally_batch_vector (frame->batch, term->column);
      term->validity = tally_batch_validity (frame->batch, term->column);
      break;
    case TERM_CALL:
      evaluate_call (frame, term, rows);
      break;
    case TERM_AND:
    case TERM_OR:
      evaluate_logic (frame, term, rows);
      break;
    case TERM_CASE:
      evaluate_case (frame, term, rows);
      break;
    case TERM_COALESCE:
      evaluate_coalesce (frame, term, rows);
      break;
    case TERM_SAME:
      /* Selections only shrink from the first place on, so the first evaluation serves all. */
      if (term->args[0]->evaluation != frame->evaluation)
        tally_term_evaluate (frame, term->args[0], rows);
      term->values = term->args[0]->values;
      term->validity = term->args[0]->validity;
      term->step = term->args[0]->step;
      break;
    }
}

static gboolean
needs_scratch (const Term *term)
{
  return term->kind != TERM_CONSTANT && term->kind != TERM_COLUMN && term->kind != TERM_SAME;
}

void
tally_expression_reserve (TallyExpression *expression, guint capacity)
{
  gsize n_words = tally_bitmap_words (capacity);

  if (capacity <= expression->capacity)
    return;

  expression->capacity = capacity;
  for (guint i = 0; i < expression->terms->len; i++)
    {
      Term *term = g_ptr_array_index (expression->terms, i);

      if (!needs_scratch (term))
        continue;
      g_free (term->own_values);
      g_free (term->own_validity);
      term->own_values = g_malloc_n (capacity, tally_term_type_size (term->type));
      term->own_validity = g_new (guint64, n_words);
    }
  g_free (expression->live);
  g_free (expression->selected);
  g_free (expression->bits);
  expression->live = g_new (guint64, n_words);
  expression->selected = g_new (guint64, n_words);
  expression->bits = g_new0 (guint64, 2 * n_words);
  memset (expression->bits, 0xff, n_words * sizeof (guint64));
  g_ptr_array_set_size (expression->spare, 0);
}

/* Values of text may leave in the batch, which may outlive the expression. */
static void
lend_constants (TallyExpression *expression, TallyBatch *batch)
{
  for (guint i = 0; i < expression->terms->len; i++)
    {
      Term *term = g_ptr_array_index (expression->terms, i);

      if (term->kind != TERM_CONSTANT)
        continue;
      term->step = 0;
      term->values = &term->constant;
      if (term->is_null || !tally_term_type_is_text (term->type))
        continue;
      char *copy = tally_batch_alloc (batch, MAX (term->constant.text.length, 1));
      memcpy (copy, term->constant.text.data, term->constant.text.length);
      term->borrowed.text = (TallyText){ copy, term->constant.text.length };
      term->values = &term->borrowed;
    }
}

static void
copy_result (Frame *frame, const Term *root, const guint64 *rows, gpointer vector,
             guint64 *validity)
{
  Term result = { .type = root->type, .values = vector, .validity = validity };

  memset (validity, 0, BITMAP_BYTES (frame));
  take_values (frame, &result, root, rows);
}

void
tally_expression_evaluate (TallyExpression *expression, TallyBatch *batch, gpointer vector,
                           guint64 *validity)
{
  guint n_rows = tally_batch_n_rows (batch);
  Term *root = expression->root;

  tally_expression_reserve (expression, tally_batch_capacity (batch));
  Frame frame = {
    .expression = expression,
    .batch = batch,
    .n_rows = n_rows,
    .n_words = (guint)tally_bitmap_words (n_rows),
    .evaluation = ++expression->n_evaluations,
    .live = expression->live,
    .all = expression->bits,
    .none = expression->bits + tally_bitmap_words (expression->capacity),
  };

  tally_bitmap_fill (frame.live, n_rows);
  for (guint row = 0; row < n_rows; row++)
    if (tally_batch_is_rejected (batch, row))
      tally_bitmap_clear (frame.live, row);
  memcpy (expression->selected, frame.live, BITMAP_BYTES (&frame));
  lend_constants (expression, batch);
  for (guint i = 0; i < expression->terms->len; i++)
    {
      Term *term = g_ptr_array_index (expression->terms, i);

      if (needs_scratch (term))
        {
          term->values = term == root ? vector : term->own_values;
          term->validity = term == root ? validity : term->own_validity;
        }
    }

  tally_term_evaluate (&frame, root, expression->selected);
  if (!needs_scratch (root))
    copy_result (&frame, root, expression->selected, vector, validity);
  for (guint w = 0; w < frame.n_words; w++)
    validity[w] &= frame.live[w];
}
