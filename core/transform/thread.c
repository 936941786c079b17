/* thread: rows that answer each other get one thread_id
 *
 * The first column is what a row calls itself, the others what it answers, oldest first.  Names that no row has count as well: two
 * answers to a mail that is lost are one conversation.
 */
#include "kinds.h"
#include "record/batch-private.h"
#include "record/jsonb.h"
#include "row-image.h"
#include "sorter.h"
#include "step-private.h"
#include "threads.h"
#include <string.h>

#define COLUMN "thread_id"
/* Names that are worked out before a signal is looked for again. */
#define PIECE 10000

typedef struct
{
  TallyStep base;
  gint *named; /* (owned) the columns that the step names */
  guint n_named;
  gint *all; /* (owned) each column of the rows that come */
  guint n_all;
  guint column;          /* thread_id */
  gint64 n_rows;
  gboolean is_finished;  /* all names are linked */
  GHashTable *chain;     /* (owned) (element-type gint64) scratch: whom one row names */
  GByteArray *key, *row; /* (owned) scratch */
  TallyThreads *threads; /* (owned) (nullable) from open to close */
  TallySorter *sorter;   /* (owned) (nullable) likewise: the rows, in the order in which they came */
} ThreadStep;

static gboolean
thread_open (TallyStep *step, TallyContext *ctx, GError **error)
{
  ThreadStep *thread = (ThreadStep *)step;

  thread->n_rows = 0;
  thread->is_finished = FALSE;
  thread->sorter = tally_sorter_new (TALLY_STEP_MEMORY / 2);
  thread->threads = tally_threads_new (TALLY_STEP_MEMORY / 2, error);
  return thread->threads != NULL;
}

static void
thread_close (TallyStep *step)
{
  ThreadStep *thread = (ThreadStep *)step;

  g_clear_pointer (&thread->sorter, tally_sorter_free);
  g_clear_pointer (&thread->threads, tally_threads_free);
}

/* ---- Whom a row names ---- */

/* One more name of a row, which answers the one before; what it names again says nothing.  last: 0 before the first. */
static gboolean
take_name (ThreadStep *thread, TallyText name, gint64 *last, GError **error)
{
  gint64 number;

  if (name.length == 0)
    return TRUE;
  if (!tally_threads_find (thread->threads, name, &number, error))
    return FALSE;
  if (!g_hash_table_add (thread->chain, g_memdup2 (&number, sizeof number)))
    return TRUE;
  if (*last != 0 && !tally_threads_link (thread->threads, *last, number, error))
    return FALSE;
  *last = number;
  return TRUE;
}

/* The texts of an array, one after the other. */
static gboolean
take_array (ThreadStep *thread, TallyBatch *batch, TallyText json, gint64 *last, GError **error)
{
  TallyJsonbIter iter;
  TallyText element, name;

  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, NULL, &element))
    if (tally_jsonb_kind (element) == TALLY_JSONB_STRING && tally_jsonb_to_text (element, batch, &name)
        && !take_name (thread, name, last, error))
      return FALSE;
  return TRUE;
}

static gboolean
take_column (ThreadStep *thread, TallyBatch *batch, guint row, guint column, gint64 *last, GError **error)
{
  TallyText value;

  if (tally_batch_is_null (batch, row, column))
    return TRUE;
  value = tally_batch_get_text (batch, row, column);
  if (tally_schema_column (tally_batch_schema (batch), column)->type == TALLY_TYPE_TEXT)
    return take_name (thread, value, last, error);
  return tally_jsonb_kind (value) != TALLY_JSONB_ARRAY || take_array (thread, batch, value, last, error);
}

/* Its own name comes last.  ret_number: a name of its conversation; 0 if it has none. */
static gboolean
take_names (ThreadStep *thread, TallyBatch *batch, guint row, gint64 *ret_number, GError **error)
{
  TallyText own = { "", 0 };
  gint64 own_number;

  *ret_number = 0;
  g_hash_table_remove_all (thread->chain);
  if (!tally_batch_is_null (batch, row, (guint)thread->named[0]))
    own = tally_batch_get_text (batch, row, (guint)thread->named[0]);
  /* Nobody answers himself. */
  if (own.length > 0)
    {
      if (!tally_threads_find (thread->threads, own, &own_number, error))
        return FALSE;
      g_hash_table_add (thread->chain, g_memdup2 (&own_number, sizeof own_number));
    }
  for (guint i = 1; i < thread->n_named; i++)
    if (!take_column (thread, batch, row, (guint)thread->named[i], ret_number, error))
      return FALSE;
  if (own.length == 0)
    return TRUE;
  if (*ret_number != 0 && !tally_threads_link (thread->threads, *ret_number, own_number, error))
    return FALSE;
  *ret_number = own_number;
  return TRUE;
}

/* ---- Rows ---- */

static gboolean
keep_row (ThreadStep *thread, TallyBatch *batch, guint row, GError **error)
{
  gint64 number, place = GINT64_TO_BE (++thread->n_rows);

  if (!take_names (thread, batch, row, &number, error))
    return FALSE;
  g_byte_array_set_size (thread->key, 0);
  g_byte_array_append (thread->key, (const guint8 *)&place, sizeof place);
  g_byte_array_set_size (thread->row, 0);
  g_byte_array_append (thread->row, (const guint8 *)&number, sizeof number);
  tally_row_image_append (batch, row, thread->all, thread->n_all, /* with_origin= */ TRUE, thread->row);
  return tally_sorter_add (thread->sorter, thread->key, thread->row, error);
}

static TallyFlow
thread_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    if (!keep_row ((ThreadStep *)step, batch, row, error))
      return TALLY_FLOW_FATAL;

  step->n_held += tally_batch_n_rows (batch);
  tally_batch_withhold (batch);
  return TALLY_FLOW_OK;
}

/* A row that names nobody keeps what it has. */
static gboolean
give_row (ThreadStep *thread, TallyText bytes, TallyBatch *batch, GError **error)
{
  TallyText name;
  gint64 number;

  memcpy (&number, bytes.data, sizeof number);
  if (!tally_row_image_read ((const guint8 *)bytes.data + sizeof number, bytes.length - sizeof number, batch,
                             tally_batch_bring_back (batch), thread->all, thread->n_all, /* with_origin= */ TRUE, error))
    return FALSE;
  if (number == 0)
    return TRUE;
  if (!tally_threads_get (thread->threads, number, &name, error))
    return FALSE;
  tally_batch_set_text (batch, thread->column, name.data, name.length);
  return TRUE;
}

static TallyFlow
thread_drain (TallyStep *step, TallyBatch *batch, GError **error)
{
  ThreadStep *thread = (ThreadStep *)step;

  if (!thread->is_finished && !tally_threads_finish (thread->threads, PIECE, &thread->is_finished, error))
    return TALLY_FLOW_FATAL;
  if (!thread->is_finished)
    return TALLY_FLOW_OK;
  while (!tally_step_has_filled (batch))
    {
      TallyText key, row;

      if (!tally_sorter_next (thread->sorter, &key, &row, error))
        return TALLY_FLOW_FATAL;
      if (row.data == NULL)
        return TALLY_FLOW_END;
      if (!give_row (thread, row, batch, error))
        return TALLY_FLOW_FATAL;
      step->n_held--;
    }
  return TALLY_FLOW_OK;
}

/* ---- The step ---- */

static void
thread_clear (TallyStep *step)
{
  ThreadStep *thread = (ThreadStep *)step;

  thread_close (step);
  g_free (thread->named);
  g_free (thread->all);
  g_hash_table_unref (thread->chain);
  g_byte_array_unref (thread->key);
  g_byte_array_unref (thread->row);
}

/* A row's own name is text, what it answers may be an array. */
static void
check_types (GPtrArray *complaints, const TallyStepArgument *arguments, const gint *columns, guint n, TallySchema *schema)
{
  for (guint i = 0; i < n; i++)
    {
      TallyType type = tally_schema_column (schema, (guint)columns[i])->type;
      g_autofree char *message = NULL;

      if (type == TALLY_TYPE_TEXT || (i > 0 && type == TALLY_TYPE_JSONB))
        continue;
      message = g_strdup_printf ("\"thread\" takes %s, and this is %s",
                                 i == 0 ? "a text as a row's own name" : "texts and jsonb arrays of texts as what a row answers",
                                 tally_type_name (type));
      tally_step_complain (complaints, arguments, i, /* in_name= */ FALSE, message, "cast it first: cast: { id: text }");
    }
}

/* (transfer full) (nullable) The columns that come, and thread_id if it is not among them. */
static TallySchema *
add_column (TallySchema *schema, guint *ret_column, GPtrArray *complaints)
{
  guint n = tally_schema_n_columns (schema);
  g_autofree TallyColumn *columns = g_new (TallyColumn, n + 1);
  gint found = tally_schema_find (schema, COLUMN);

  if (found >= 0 && tally_schema_column (schema, (guint)found)->type != TALLY_TYPE_TEXT)
    {
      tally_step_complain_of_all (complaints, "there is a column \"" COLUMN "\" already, which is no text",
                                  "rename it, since the step gives that column another value");
      return NULL;
    }
  for (guint i = 0; i < n; i++)
    columns[i] = *tally_schema_column (schema, i);
  columns[n] = (TallyColumn){ COLUMN, TALLY_TYPE_TEXT };
  *ret_column = found >= 0 ? (guint)found : n;
  return tally_schema_new (columns, found >= 0 ? n : n + 1);
}

static ThreadStep *
new_step (TallySchema *schema, guint n_all)
{
  ThreadStep *thread = tally_step_new (sizeof (ThreadStep), tally_step_thread.name, schema);

  thread->n_all = n_all;
  thread->all = g_new (gint, n_all);
  for (guint i = 0; i < n_all; i++)
    thread->all[i] = (gint)i;
  thread->chain = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  thread->key = g_byte_array_new ();
  thread->row = g_byte_array_new ();
  thread->base.open = thread_open;
  thread->base.close = thread_close;
  thread->base.apply = thread_apply;
  thread->base.drain = thread_drain;
  thread->base.clear = thread_clear;
  return thread;
}

static TallyStep *
thread_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema, GPtrArray *complaints)
{
  guint n_before = complaints->len, column = 0;
  g_autofree gint *named = tally_step_find_columns (complaints, arguments, n_arguments, schema);
  g_autoptr (TallySchema) out = add_column (schema, &column, complaints);
  ThreadStep *thread;

  if (n_arguments < 2)
    tally_step_complain_of_all (complaints, "\"thread\" names no column that says what a row answers",
                                "name a row's own name, then what it answers: thread: [message_id, references, in_reply_to]");
  if (named != NULL)
    check_types (complaints, arguments, named, n_arguments, schema);
  if (complaints->len > n_before)
    return NULL;

  thread = new_step (out, tally_schema_n_columns (schema));
  thread->named = g_steal_pointer (&named);
  thread->n_named = n_arguments;
  thread->column = column;
  return &thread->base;
}

const TallyStepKind tally_step_thread = {
  .name = "thread",
  .summary = "gives rows that answer each other one thread_id: thread: [message_id, references, in_reply_to]",
  .form = TALLY_STEP_LIST,
  .keeps_state = TRUE,
  .build = thread_build,
};
