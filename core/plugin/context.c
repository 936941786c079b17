/* context.c: what the engine offers to a plugin at work */
#include "context.h"
#include "delivery/hooks.h"
#include <string.h>
#include <time.h>

/* Nobody is waited for longer than this at once. */
#define PATIENCE_MOST (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

TallyContext *
tally_context_new (const char *directory)
{
  TallyContext *ctx = g_new0 (TallyContext, 1);

  ctx->directory = g_strdup (directory);
  ctx->run_tag = g_strdup ("tallyman");
  return ctx;
}

void
tally_context_free (TallyContext *ctx)
{
  if (ctx == NULL)
    return;

  g_free (ctx->position);
  g_free (ctx->moved);
  g_free (ctx->directory);
  g_free (ctx->run_tag);
  g_free (ctx->target);
  g_free (ctx->checkpoint_key);
  g_free (ctx->checkpoint);
  g_clear_pointer (&ctx->facts, g_array_unref);
  g_clear_pointer (&ctx->requests, g_array_unref);
  g_clear_pointer (&ctx->unfit, g_hash_table_unref);
  tally_gate_leave (ctx->gate);
  g_free (ctx);
}

const char *
tally_context_position (TallyContext *ctx)
{
  return ctx->position;
}

void
tally_context_move_position (TallyContext *ctx, const char *position)
{
  g_free (ctx->moved);
  ctx->moved = g_strdup (position);
}

void
tally_context_set_whole (TallyContext *ctx)
{
  ctx->whole = TRUE;
}

void
tally_context_set_at_once (TallyContext *ctx)
{
  ctx->at_once = TRUE;
}

const char *
tally_context_checkpoint_key (TallyContext *ctx)
{
  return ctx->checkpoint_key;
}

const char *
tally_context_checkpoint (TallyContext *ctx)
{
  return ctx->checkpoint;
}

const char *
tally_context_directory (TallyContext *ctx)
{
  return ctx->directory;
}

const char *
tally_context_run_tag (TallyContext *ctx)
{
  return ctx->run_tag;
}

gboolean
tally_context_is_interrupted (TallyContext *ctx)
{
  return ctx->interrupted != NULL && g_atomic_int_get (ctx->interrupted);
}

void
tally_context_warn (TallyContext *ctx, const char *format, ...)
{
  va_list arguments;

  if (ctx->warn == NULL)
    return;

  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  ctx->warn (message, ctx->warn_data);
}

void
tally_context_tell (TallyContext *ctx, TallyFinding finding, const char *remedy, const char *format, ...)
{
  va_list arguments;

  if (ctx->tell == NULL)
    return;

  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  ctx->tell (finding, remedy, message, ctx->tell_data);
}

void
tally_context_set_target (TallyContext *ctx, const char *fingerprint)
{
  char *copy = g_strdup (fingerprint);

  g_free (ctx->target);
  ctx->target = copy;
}

/* CLOCK_BOOTTIME goes on while the machine sleeps, so an answer of before is as old as it is. */
static gint64
now (TallyContext *ctx)
{
  struct timespec time;

  if (ctx->clock != NULL)
    return ctx->clock (ctx->clock_data);

  clock_gettime (CLOCK_BOOTTIME, &time);
  return TALLY_TIME ((gint64) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000);
}

void
tally_context_report_target_time (TallyContext *ctx, gint64 unix_time)
{
  ctx->target_time = unix_time;
  ctx->target_time_at = now (ctx);
}

void
tally_context_ask_patience (TallyContext *ctx, gint64 wait)
{
  ctx->patience = CLAMP (wait, 0, PATIENCE_MOST);
}

void
tally_context_set_account (TallyContext *ctx, const char *account, const guint8 *reserve)
{
  TallyGate *gate = tally_gate_join (account, reserve, ctx->share);

  tally_gate_leave (ctx->gate);
  ctx->gate = gate;
}

/* While no request may go, it is asked again this often. */
#define LEASE_GLANCE (G_USEC_PER_SEC / 10)

TallyAdmission *
tally_context_admit (TallyContext *ctx, const char *kind, gint64 *ret_wait)
{
  TallyAdmission *admission;
  gint64 wait = LEASE_GLANCE;

  g_return_val_if_fail (ctx->gate != NULL, NULL);
  admission = ctx->may_go == NULL || ctx->may_go (ctx->may_go_data)
                  ? tally_gate_admit (ctx->gate, kind, now (ctx), &wait)
                  : NULL;
  if (admission != NULL)
    ctx->n_admitted++;
  else
    *ret_wait = TALLY_WAIT (wait);
  return admission;
}

void
tally_context_end_request (TallyContext *ctx, TallyAdmission *admission, const TallyAnswerNews *news)
{
  tally_gate_end (ctx->gate, admission, now (ctx), news);
  tally_admission_free (admission);
  ctx->n_admitted--;
}

gint64
tally_context_wait (TallyContext *ctx, gint64 n)
{
  return ctx->gate != NULL ? tally_gate_wait (ctx->gate, now (ctx), n) : 0;
}

gboolean
tally_context_limit (TallyContext *ctx, const char *kind, gint64 *ret_limit, gint64 *ret_period)
{
  return ctx->gate != NULL && tally_gate_limit (ctx->gate, kind, ret_limit, ret_period);
}

void
tally_context_reserve (TallyContext *ctx, guint8 ret_reserve[TALLY_HOURS])
{
  tally_gate_reserve (ctx->gate, ret_reserve);
}

void
tally_plan_fact_clear (gpointer data)
{
  TallyPlanFact *fact = data;

  g_free (fact->name);
  g_free (fact->text);
}

static void
tell (TallyContext *ctx, const char *name, const char *text, gint64 number)
{
  TallyPlanFact told = { .name = g_strdup (name), .text = g_strdup (text), .number = number };

  g_return_if_fail (ctx->facts != NULL);
  for (guint i = 0; i < ctx->facts->len; i++)
    {
      TallyPlanFact *fact = &g_array_index (ctx->facts, TallyPlanFact, i);

      if (strcmp (fact->name, name) != 0)
        continue;
      tally_plan_fact_clear (fact);
      *fact = told;
      return;
    }
  g_array_append_val (ctx->facts, told);
}

void
tally_context_plan_text (TallyContext *ctx, const char *name, const char *text)
{
  if (text != NULL)
    tell (ctx, name, text, 0);
}

void
tally_context_plan_number (TallyContext *ctx, const char *name, gint64 number)
{
  tell (ctx, name, NULL, number);
}

char *
tally_unfit_name (const char *entity, const char *id)
{
  return g_strdup_printf ("%s\n%s", entity, id);
}

void
tally_context_plan_unfit (TallyContext *ctx, const char *entity, const char *id)
{
  if (ctx->unfit != NULL)
    g_hash_table_add (ctx->unfit, tally_unfit_name (entity, id));
}

void
tally_planned_kind_clear (gpointer data)
{
  TallyPlannedKind *kind = data;

  g_free (kind->kind);
}

static TallyPlannedKind *
find_kind (TallyContext *ctx, const char *name)
{
  TallyPlannedKind added = { .kind = NULL };

  for (guint i = 0; i < ctx->requests->len; i++)
    {
      TallyPlannedKind *kind = &g_array_index (ctx->requests, TallyPlannedKind, i);

      if (strcmp (kind->kind, name) == 0)
        return kind;
    }
  added.kind = g_strdup (name);
  g_array_append_val (ctx->requests, added);
  return &g_array_index (ctx->requests, TallyPlannedKind, ctx->requests->len - 1);
}

void
tally_context_plan_requests (TallyContext *ctx, const TallyPlanRequests *requests)
{
  TallyPlannedKind *kind;

  g_return_if_fail (ctx->requests != NULL && requests->size >= sizeof *requests);
  kind = find_kind (ctx, requests->kind);
  kind->n += requests->n;
  kind->bytes += requests->bytes;
  kind->kind_limit = requests->kind_limit;
  kind->kind_period = requests->kind_period;
}
