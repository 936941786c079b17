/* lookup-side.c: a source and steps of its own
 *
 * It is read on one thread, and interrupted on any: the lock sees to it that a source that is being
 * closed is not interrupted.
 */
#include "lookup-side.h"
#include "record/batch-private.h"
#include "record/schema-private.h"
#include <tallyman/error.h>

#define BATCH_ROWS 1024

struct _TallyLookupSide
{
  TallyInstance *source;      /* (unowned) */
  TallySchema *source_schema; /* (owned) */
  GPtrArray *steps;           /* (owned) (element-type TallyStep) */
  TallyBatch *given;          /* (owned) (nullable) rows in place of the source's */

  TallyContext *ctx;   /* (unowned) (nullable) from open to close */
  guint n_open;        /* steps that are open */
  TallyBatch *batch;   /* (owned) (nullable) one that not all steps have changed yet */
  guint next_step;     /* that is to change it */
  gboolean is_last;    /* no other will be read */
  guint next_drained;  /* then: the step that is to give the rows that it holds back */
  GMutex lock;
  gboolean is_reading; /* under the lock: the source is open */
};

TallyLookupSide *
tally_lookup_side_new (TallyInstance *source, TallySchema *source_schema, GPtrArray *steps)
{
  TallyLookupSide *side = g_new0 (TallyLookupSide, 1);

  side->source = source;
  side->source_schema = tally_schema_ref (source_schema);
  side->steps = steps;
  g_mutex_init (&side->lock);
  return side;
}

void
tally_lookup_side_free (TallyLookupSide *side)
{
  if (side == NULL)
    return;

  tally_lookup_side_close (side);
  tally_batch_free (side->given);
  g_ptr_array_unref (side->steps);
  tally_schema_unref (side->source_schema);
  g_mutex_clear (&side->lock);
  g_free (side);
}

TallySchema *
tally_lookup_side_schema (const TallyLookupSide *side)
{
  if (side->steps->len == 0)
    return side->source_schema;
  return tally_step_schema (g_ptr_array_index (side->steps, side->steps->len - 1));
}

const char *
tally_lookup_side_name (const TallyLookupSide *side)
{
  return side->source->plugin->name;
}

void
tally_lookup_side_give (TallyLookupSide *side, TallyBatch *rows)
{
  tally_batch_free (side->given);
  side->given = rows;
}

/* ---- The source ---- */

static void
set_reading (TallyLookupSide *side, gboolean is_reading)
{
  g_mutex_lock (&side->lock);
  side->is_reading = is_reading;
  g_mutex_unlock (&side->lock);
}

static void
close_source (TallyLookupSide *side)
{
  set_reading (side, FALSE);
  tally_instance_close (side->source);
}

void
tally_lookup_side_interrupt (TallyLookupSide *side)
{
  const TallyPlugin *plugin = side->source->plugin;

  g_mutex_lock (&side->lock);
  if (side->is_reading && plugin->interrupt != NULL)
    plugin->interrupt (side->source->self);
  g_mutex_unlock (&side->lock);
  for (guint i = 0; i < side->steps->len; i++)
    tally_step_interrupt (g_ptr_array_index (side->steps, i));
}

static gboolean
open_source (TallyLookupSide *side, GError **error)
{
  g_autoptr (TallySchema) schema = NULL;

  if (!tally_instance_open (side->source, side->ctx, error))
    return FALSE;
  set_reading (side, TRUE);
  schema = side->source->plugin->describe (side->source->self, side->ctx, error);
  if (schema == NULL)
    return FALSE;
  return tally_schema_equal (schema, side->source_schema)
         || tally_throw (error, TALLY_ERROR_USAGE,
                         "it has other columns than a moment ago; run again");
}

gboolean
tally_lookup_side_open (TallyLookupSide *side, TallyContext *ctx, GError **error)
{
  side->ctx = ctx;
  side->is_last = FALSE;
  side->next_drained = 0;
  if (side->given == NULL && !open_source (side, error))
    return tally_throw_prefix (error, "source \"%s\"", tally_lookup_side_name (side));

  for (side->n_open = 0; side->n_open < side->steps->len; side->n_open++)
    {
      TallyStep *step = g_ptr_array_index (side->steps, side->n_open);

      if (!tally_step_open (step, ctx, error))
        {
          tally_step_close (step);
          return tally_throw_prefix (error, "step \"%s\"", tally_step_name (step));
        }
    }
  return TRUE;
}

void
tally_lookup_side_close (TallyLookupSide *side)
{
  close_source (side);
  for (guint i = 0; i < side->n_open; i++)
    tally_step_close (g_ptr_array_index (side->steps, i));
  side->n_open = 0;
  g_clear_pointer (&side->batch, tally_batch_free);
  side->ctx = NULL;
}

/* Fills the batch that is to be changed next. */
static TallyFlow
read_source (TallyLookupSide *side, GError **error)
{
  TallyFlow flow = TALLY_FLOW_END;

  if (side->given != NULL)
    side->batch = g_steal_pointer (&side->given);
  else
    {
      side->batch = tally_batch_new (side->source_schema, BATCH_ROWS);
      flow = side->source->plugin->read (side->source->self, side->ctx, side->batch, error);
    }
  if (flow == TALLY_FLOW_OK || flow == TALLY_FLOW_END)
    {
      side->is_last = flow == TALLY_FLOW_END;
      side->next_step = 0;
      return TALLY_FLOW_OK;
    }

  g_clear_pointer (&side->batch, tally_batch_free);
  if (*error == NULL)
    tally_throw (error, TALLY_ERROR_IO, "gave no reason");
  tally_throw_prefix (error, "source \"%s\"", tally_lookup_side_name (side));
  return flow;
}

/* ---- Its steps ---- */

/* What a step said of a batch. */
static gboolean
conclude (TallyLookupSide *side, TallyStep *step, TallyFlow flow, GError **error)
{
  if (flow == TALLY_FLOW_OK || flow == TALLY_FLOW_END)
    {
      tally_batch_end_stage (side->batch);
      return TRUE;
    }
  return tally_throw_prefix (error, "step \"%s\"", tally_step_name (step));
}

/* Lets the steps change the batch that have not done so yet. */
static TallyFlow
shape (TallyLookupSide *side, GError **error)
{
  for (; side->next_step < side->steps->len; side->next_step++)
    {
      TallyStep *step = g_ptr_array_index (side->steps, side->next_step);
      TallyFlow flow;

      tally_batch_begin_stage (side->batch, tally_step_name (step));
      flow = tally_step_apply (step, side->batch, error);
      if (!conclude (side, step, flow, error))
        return flow;
      /* No more rows are wanted, also of those that the steps before it hold back. */
      if (flow == TALLY_FLOW_END)
        {
          side->is_last = TRUE;
          side->next_drained = MAX (side->next_drained, side->next_step + 1);
        }
    }
  return TALLY_FLOW_OK;
}

/* The next step that holds rows back, or NULL. */
static TallyStep *
next_holder (TallyLookupSide *side)
{
  for (; side->next_drained < side->steps->len; side->next_drained++)
    {
      TallyStep *step = g_ptr_array_index (side->steps, side->next_drained);

      if (tally_step_holds_rows (step))
        return step;
    }
  return NULL;
}

/* Fills the batch with what a step held back. */
static TallyFlow
drain (TallyLookupSide *side, TallyStep *step, GError **error)
{
  TallyFlow flow;

  side->batch = tally_batch_new (tally_step_schema (step), BATCH_ROWS);
  side->next_step = side->next_drained + 1;
  tally_batch_begin_stage (side->batch, tally_step_name (step));
  flow = tally_step_drain (step, side->batch, error);
  if (!conclude (side, step, flow, error))
    {
      g_clear_pointer (&side->batch, tally_batch_free);
      return flow;
    }
  if (flow == TALLY_FLOW_END)
    side->next_drained++;
  return TALLY_FLOW_OK;
}

TallyFlow
tally_lookup_side_read (TallyLookupSide *side, TallyReferences *references, TallyBatch **ret_batch, GError **error)
{
  TallyFlow flow = TALLY_FLOW_OK;

  if (side->batch == NULL)
    flow = side->is_last ? drain (side, next_holder (side), error) : read_source (side, error);
  if (flow == TALLY_FLOW_OK)
    {
      tally_batch_set_references (side->batch, references);
      flow = shape (side, error);
    }
  if (flow != TALLY_FLOW_OK)
    return flow == TALLY_FLOW_RETRY ? TALLY_FLOW_RETRY : TALLY_FLOW_FATAL;

  *ret_batch = g_steal_pointer (&side->batch);
  if (side->is_last)
    close_source (side);
  return side->is_last && next_holder (side) == NULL ? TALLY_FLOW_END : TALLY_FLOW_OK;
}
