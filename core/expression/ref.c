/* ref.c: ref(entity, key): the target's id of a record that another pipeline delivered
 *
 * A kernel, so that the ledger is asked once for a whole column.  The value changes when something is delivered, so it is
 * not folded; within a run it does not (see engine/references.c).
 */
#include "ref.h"
#include "function.h"
#include "own.h"
#include "record/batch-private.h"
#include <string.h>

enum
{
  ARG_ENTITY,
  ARG_KEY,
  ARG_MISSING,
  ARG_ORIGIN,
  ARG_TARGET,
};

static void
question_free (gpointer data)
{
  TallyRefQuestion *question = data;

  g_free ((char *)question->entity);
  g_free ((char *)question->origin);
  g_free ((char *)question->target);
  g_free (question);
}

/* A constant argument as text; NULL for NULL. */
static gboolean
read_constant (const Term *term, const char *name, char **ret_text, GError **error)
{
  if (term->kind != TERM_CONSTANT)
    return tally_throw (error, TALLY_ERROR_USAGE, "ref(): %s must be a constant", name);
  *ret_text = term->is_null ? NULL : tally_text_dup (term->constant.text);
  return *ret_text == NULL || **ret_text != '\0'
         || tally_throw (error, TALLY_ERROR_USAGE, "ref(): %s is empty", name);
}

gboolean
tally_ref_prepare (Term *term, GError **error)
{
  TallyRefQuestion *question = g_new0 (TallyRefQuestion, 1);
  g_autofree char *missing = NULL;

  term->data = question;
  term->free_data = question_free;
  if (!read_constant (term->args[ARG_ENTITY], "the entity", (char **)&question->entity, error)
      || !read_constant (term->args[ARG_MISSING], "missing", &missing, error)
      || !read_constant (term->args[ARG_ORIGIN], "origin", (char **)&question->origin, error)
      || !read_constant (term->args[ARG_TARGET], "target", (char **)&question->target, error))
    return FALSE;
  if (question->entity == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "ref(): the entity is NULL");
  if (missing != NULL && strcmp (missing, "null") != 0 && strcmp (missing, "reject") != 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "ref(): missing is \"%s\", but takes 'reject' or 'null'", missing);

  question->missing_is_null = g_strcmp0 (missing, "null") == 0;
  return TRUE;
}

static void
take_answer (Frame *frame, Term *term, guint row, const TallyRefAnswer *answer)
{
  TallyText *values = term->values;
  gsize length;
  char *copy;

  if (answer->target_id == NULL)
    {
      tally_bitmap_clear (term->validity, row);
      if (answer->reason != NULL)
        tally_frame_fail (frame, row, answer->reason);
      return;
    }

  length = strlen (answer->target_id);
  copy = tally_batch_alloc (frame->batch, MAX (length, 1));
  memcpy (copy, answer->target_id, length);
  values[row] = (TallyText){ copy, length };
}

void
tally_ref_kernel (Frame *frame, Term *term)
{
  TallyReferences *references = tally_batch_references (frame->batch);
  const Term *key = term->args[ARG_KEY];
  const TallyText *texts = key->values;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  g_autofree TallyRefAnswer *answers = NULL;
  guint n = 0;
  gboolean found;

  for (guint w = 0; w < frame->n_words; w++)
    term->validity[w] &= key->validity[w];
  FOR_EACH_ROW (frame, term->validity, row)
  g_ptr_array_add (keys, tally_text_dup (texts[(gsize)row * key->step]));
  if (keys->len == 0)
    return;

  answers = g_new0 (TallyRefAnswer, keys->len);
  found = references != NULL
          && references->find (references, term->data, (const char *const *)keys->pdata, keys->len, answers);
  FOR_EACH_ROW (frame, term->validity, row)
  {
    if (found)
      take_answer (frame, term, row, &answers[n]);
    else if (references == NULL)
      take_answer (frame, term, row, &(TallyRefAnswer){ .reason = (char *)"ref(): there is no ledger to read" });
    else
      tally_bitmap_clear (term->validity, row);
    g_free (answers[n].target_id);
    g_free (answers[n].reason);
    n++;
  }
}
