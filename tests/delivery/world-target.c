/* world-target.c: the target, and the sink that talks to it */
#include "world-private.h"
#include <stdlib.h>
#include <string.h>

#define CLIENT_PATIENCE (30 * SECOND)

/* What the target remembers under a key. */
typedef struct
{
  char *body;
  gint64 stored_at;
  gboolean at_work; /* the first request is not done */
  guint64 entity;   /* 0: an error is stored */
} Memory;

/* What a receipt stands for. */
typedef struct
{
  gboolean done, refused;
  guint64 entity; /* 0: nothing came of it */
  gint64 done_at;
} Job;

/* One request on its way; the call is only looked at while its process lives. */
typedef struct
{
  guint64 serial;
  char *key, *reference, *body;
  char *target_id; /* (nullable) of an update */
  char *receipt;   /* (nullable) once it was taken as a job */
  Plan plan;
  Process *process;    /* (nullable) NULL once it is gone */
  TallyDelivery *call; /* (nullable) NULL once it is settled */
  GHashTable *requests;
} Request;

typedef struct
{
  Request *request;
  TallyOutcome outcome;
  char id[24];
} Answer;

static GHashTable *all_requests; /* Request as a set: those whose call is open */

static void
memory_free (gpointer data)
{
  g_free (((Memory *)data)->body);
  g_free (data);
}

void
world_target_init (World *world)
{
  world->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, memory_free);
  world->jobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (all_requests == NULL)
    all_requests = g_hash_table_new (NULL, NULL);
}

static void
request_release (gpointer data)
{
  Request *request = data;

  g_hash_table_remove (all_requests, request);
  g_free (request->key);
  g_free (request->reference);
  g_free (request->body);
  g_free (request->target_id);
  g_free (request->receipt);
}

static void
request_unref (gpointer data)
{
  g_rc_box_release_full (data, request_release);
}

/* ---- Answers ---- */

static void
answer_free (gpointer data)
{
  request_unref (((Answer *)data)->request);
  g_free (data);
}

static void
answer_arrives (World *world, gpointer data)
{
  Answer *answer = data;
  Request *request = answer->request;
  TallyDelivery *call = g_steal_pointer (&request->call);

  if (request->process == NULL || call == NULL)
    return;
  g_ptr_array_remove_fast (request->process->calls, call);
  if (answer->outcome.target_id != NULL)
    answer->outcome.target_id = answer->id;
  if (!request->process->dead)
    {
      world_tell_time (request->process);
      request->process->knows_better
          |= world->settings.keys_ignored && answer->outcome.status == 201;
      tally_delivery_settle (call, &answer->outcome);
      /* A sink with a bug: the same answer again must do no harm. */
      if (world_chance (world, 0.02))
        tally_delivery_settle (call, &answer->outcome);
    }
}

static void
answer (World *world, Request *request, gint64 delay, TallyOutcome outcome, guint64 id)
{
  Answer *answer = g_new0 (Answer, 1);

  outcome.size = sizeof outcome;
  answer->request = g_rc_box_acquire (request);
  answer->outcome = outcome;
  g_snprintf (answer->id, sizeof answer->id, "%" G_GUINT64_FORMAT, id);
  if (id != 0)
    answer->outcome.target_id = answer->id;
  world_schedule (world, world->now + delay, answer_arrives, answer, answer_free);
}

#define ANSWER_AFTER world_between (world, SECOND / 100, SECOND / 4)

static void
answer_created (World *world, Request *request, guint64 id, gboolean repeated)
{
  answer (world, request, ANSWER_AFTER,
          (TallyOutcome){ .verdict = TALLY_VERDICT_DELIVERED, .status = 201, .repeated = repeated },
          id);
}

static void
answer_error (World *world, Request *request)
{
  answer (
      world, request, ANSWER_AFTER,
      (TallyOutcome){ .verdict = TALLY_VERDICT_UNKNOWN, .status = 500, .detail = "an error page" },
      0);
}

static void
answer_mismatch (World *world, Request *request)
{
  answer (world, request, ANSWER_AFTER,
          (TallyOutcome){
              .verdict = TALLY_VERDICT_MISMATCH, .status = 400, .detail = "another request" },
          0);
}

/* ---- The target ---- */

static void
check_intent (World *world, const Request *request)
{
  g_autofree char *key = g_strdup (strchr (request->reference, ':') + 1);
  const TallyLedgerDelivery *row = world_look (world, key);

  if (row == NULL || strcmp (row->idempotency_key, request->key) != 0)
    world_complain (world, "R1: \"%s\" was sent under a key that the ledger does not know",
                    request->reference);
  if (!g_hash_table_contains (world->first_sent, request->key))
    g_hash_table_insert (world->first_sent, g_strdup (request->key),
                         g_memdup2 (&world->now, sizeof world->now));
}

/* An export that is read from tally_delivery_intended_at() on must show it.  That the target's time was
 * never told, or only since the ledger's clock was set, cannot be made good. */
static void
check_intended_at (World *world, const Request *request)
{
  const gint64 *first = g_hash_table_lookup (world->first_sent, request->key);
  const TallyLedgerDelivery *row = world_look (world, strchr (request->reference, ':') + 1);

  if (first == NULL || request->process->ctx->target_time == 0
      || (row->intended_target == 0 && world->ledger_moved))
    return;
  if (tally_delivery_intended_at (request->call) > world_target_now (world) - (world->now - *first))
    world_complain (world, "R6: \"%s\" was sent before it is said to have been intended",
                    request->reference);
}

static guint64
target_create (World *world, const Request *request)
{
  Entity *entity = g_new0 (Entity, 1);

  entity->id = world->entities->len + 1;
  entity->reference = g_strdup (request->reference);
  entity->body = g_strdup (request->body);
  entity->key = g_strdup (request->key);
  entity->created_at = world->now;
  g_ptr_array_add (world->entities, entity);
  return entity->id;
}

static Entity *
target_find (World *world, const char *id)
{
  guint number = (guint)atoi (id);

  return number > 0 && number <= world->entities->len
             ? g_ptr_array_index (world->entities, number - 1)
             : NULL;
}

static guint64
target_update (World *world, const Request *request)
{
  Entity *entity = target_find (world, request->target_id);

  if (strcmp (entity->reference, request->reference) != 0)
    world_complain (world, "\"%s\" was overwritten with \"%s\"", entity->reference,
                    request->reference);
  /* A ledger that lost commits has an old update in doubt; the newest follows it. */
  if (world_body_version (request->body) < world_body_version (entity->body) && !world->put_back)
    world_complain (world, "R14: \"%s\" was put back to an earlier version", entity->reference);
  g_free (entity->body);
  entity->body = g_strdup (request->body);
  entity->n_updates++;
  return entity->id;
}

static gboolean
target_honours_keys (const World *world)
{
  return world->settings.key_life > 0 && !world->settings.keys_ignored;
}

static Memory *
target_remember (World *world, const Request *request)
{
  Memory *memory = g_new0 (Memory, 1);

  memory->body = g_strdup (request->body);
  memory->stored_at = world->now;
  if (target_honours_keys (world))
    g_hash_table_replace (world->keys, g_strdup (request->key), memory);
  return memory;
}

static gint64
target_work_time (World *world, const Request *request)
{
  if (request->receipt != NULL)
    return world_between (world, SECOND / 100, world->settings.job_time);
  return request->plan.deed == DEED_CREATE_LATE
             ? MIN (request->plan.wait, world->settings.settle - SECOND)
             : world_between (world, SECOND / 1000, SECOND / 2);
}

/* ---- Jobs ---- */

static void
receipt_arrives (World *world, gpointer data)
{
  Request *request = data;

  if (request->process == NULL || request->call == NULL || request->process->dead)
    return;
  world_tell_time (request->process);
  tally_delivery_set_receipt (request->call, request->receipt);
}

/* The target takes the request, and does the work later. */
static void
job_begin (World *world, Request *request)
{
  if (!world->settings.jobs)
    return;
  request->receipt = g_strdup_printf ("job %" G_GUINT64_FORMAT, request->serial);
  g_hash_table_insert (world->jobs, g_strdup (request->receipt), g_new0 (Job, 1));
  world_schedule (world, world->now + world_between (world, SECOND / 1000, SECOND / 10),
                  receipt_arrives, g_rc_box_acquire (request), request_unref);
}

static void
job_end (World *world, const Request *request, guint64 entity, gboolean refused)
{
  Job *job = request->receipt != NULL ? g_hash_table_lookup (world->jobs, request->receipt) : NULL;

  if (job == NULL)
    return;
  job->done = TRUE;
  job->refused = refused;
  job->entity = entity;
  job->done_at = world->now;
}

static void
answer_rejected (World *world, Request *request)
{
  answer (world, request, ANSWER_AFTER,
          (TallyOutcome){
              .verdict = TALLY_VERDICT_REJECTED, .status = 422, .detail = "subject: too short" },
          0);
}

static gboolean
target_refuses (const Request *request)
{
  return request->plan.deed == DEED_REJECT || strstr (request->body, "\"bad\":true") != NULL;
}

/* The work is done: what the target has at the end of it. */
static void
target_acts (World *world, gpointer data)
{
  Request *request = data;
  Memory *memory = g_hash_table_lookup (world->keys, request->key);
  gboolean stores = request->plan.deed != DEED_ERROR;
  guint64 id = 0;

  if (target_refuses (request))
    {
      job_end (world, request, 0, /* refused= */ TRUE);
      answer_rejected (world, request);
      return;
    }
  if (request->plan.deed != DEED_ERROR && request->plan.deed != DEED_ERROR_STORED)
    id = request->target_id != NULL ? target_update (world, request)
                                    : target_create (world, request);
  job_end (world, request, id, /* refused= */ FALSE);
  if (memory != NULL && !stores)
    g_hash_table_remove (world->keys, request->key);
  else if (memory != NULL)
    {
      memory->at_work = FALSE;
      memory->entity = id;
      memory->stored_at = world->now;
    }

  switch (request->plan.deed)
    {
    case DEED_CREATE_SILENT:
    case DEED_CREATE_LATE:
      break;
    case DEED_CREATE_ODD:
      answer (world, request, ANSWER_AFTER,
              (TallyOutcome){ .verdict = TALLY_VERDICT_DELIVERED, .status = 201 }, 0);
      break;
    case DEED_OTHER:
      answer_created (world, request, id + 1, FALSE);
      break;
    case DEED_ERROR:
    case DEED_ERROR_STORED:
    case DEED_CREATE_ERROR:
      answer_error (world, request);
      break;
    default:
      answer_created (world, request, id, FALSE);
      break;
    }
}

static void target_receives (World *world, gpointer data);

/* TRUE if the key alone says what to answer. */
static gboolean
target_knows_key (World *world, Request *request)
{
  Memory *memory = g_hash_table_lookup (world->keys, request->key);

  if (memory == NULL
      || (!memory->at_work && world->now - memory->stored_at > world->settings.key_life))
    return FALSE;
  if (strcmp (memory->body, request->body) != 0)
    {
      answer_mismatch (world, request);
      return TRUE;
    }
  if (!memory->at_work)
    {
      if (memory->entity != 0)
        answer_created (world, request, memory->entity, TRUE);
      else
        answer_error (world, request);
      return TRUE;
    }

  switch (world->settings.in_flight)
    {
    case TALLY_IN_FLIGHT_WAITS:
      world_schedule (world, world->now + SECOND / 10, target_receives, g_rc_box_acquire (request),
                      request_unref);
      return TRUE;
    case TALLY_IN_FLIGHT_CONFLICT:
      answer (
          world, request, ANSWER_AFTER,
          (TallyOutcome){ .verdict = TALLY_VERDICT_BUSY, .status = 409, .detail = "in progress" },
          0);
      return TRUE;
    default:
      return FALSE;
    }
}

static void
target_receives (World *world, gpointer data)
{
  Request *request = data;
  Memory *memory;

  switch (request->plan.deed)
    {
    case DEED_LIMIT:
      answer (world, request, ANSWER_AFTER,
              (TallyOutcome){ .verdict = TALLY_VERDICT_BUSY,
                              .status = 429,
                              .wait = request->plan.wait,
                              .wait_all = TRUE },
              0);
      return;
    case DEED_CONFLICT:
      answer (world, request, ANSWER_AFTER,
              (TallyOutcome){ .verdict = TALLY_VERDICT_BUSY, .status = 409 }, 0);
      return;
    case DEED_CREATE_MISMATCH:
      if (request->target_id == NULL)
        target_create (world, request);
      G_GNUC_FALLTHROUGH;
    case DEED_MISMATCH:
      answer_mismatch (world, request);
      return;
    case DEED_HALT:
      answer (world, request, ANSWER_AFTER,
              (TallyOutcome){
                  .verdict = TALLY_VERDICT_HALT, .status = 401, .detail = "the token has expired" },
              0);
      return;
    default:
      break;
    }
  if (request->target_id == NULL && target_knows_key (world, request))
    return;
  if (request->plan.deed == DEED_GONE)
    {
      answer (world, request, ANSWER_AFTER,
              (TallyOutcome){ .verdict = TALLY_VERDICT_ABSENT, .status = 404 }, 0);
      return;
    }
  job_begin (world, request);
  if (request->receipt == NULL && target_refuses (request))
    {
      answer_rejected (world, request);
      return;
    }
  if (request->target_id == NULL)
    {
      memory = target_remember (world, request);
      memory->at_work = TRUE;
      if (!target_honours_keys (world))
        memory_free (memory);
    }
  world_schedule (world, world->now + target_work_time (world, request), target_acts,
                  g_rc_box_acquire (request), request_unref);
}

/* ---- The sink ---- */

static Plan
next_plan (World *world, const char *reference)
{
  GQueue *plans = g_hash_table_lookup (world->plans, reference);
  static const Deed troubles[] = {
    DEED_UNSENT,      DEED_LOST,         DEED_CREATE_SILENT, DEED_CREATE_SILENT, DEED_CREATE_LATE,
    DEED_CREATE_LATE, DEED_CREATE_ERROR, DEED_CREATE_ODD,    DEED_ERROR,         DEED_ERROR_STORED,
    DEED_LIMIT,       DEED_CONFLICT,     DEED_HALT,
  };
  Plan plan = { DEED_CREATE, 0 };

  if (plans != NULL && !g_queue_is_empty (plans))
    {
      g_autofree Plan *next = g_queue_pop_head (plans);
      return *next;
    }
  if (!world_chance (world, world->trouble))
    return plan;
  plan.deed = troubles[g_rand_int_range (world->random, 0, G_N_ELEMENTS (troubles))];
  if (plan.deed == DEED_LIMIT)
    plan.wait = world_chance (world, 0.3)    ? 0
                : world_chance (world, 0.05) ? 3 * HOUR
                                             : world_between (world, SECOND, 20 * SECOND);
  if (plan.deed == DEED_CREATE_LATE)
    plan.wait = world_between (world, SECOND, world->settings.settle);
  return plan;
}

static void
client_gives_up (World *world, gpointer data)
{
  Request *request = data;
  TallyOutcome outcome
      = { TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_UNKNOWN, .detail = "no answer in time" };
  TallyDelivery *call = g_steal_pointer (&request->call);

  if (call == NULL || request->process == NULL)
    return;
  g_ptr_array_remove_fast (request->process->calls, call);
  if (!request->process->dead)
    tally_delivery_settle (call, &outcome);
}

static Request *
request_new (Process *process, TallyDelivery *call)
{
  Request *request = g_rc_box_new0 (Request);
  TallyText body = tally_delivery_body (call);

  request->serial = ++process->world->serial;
  request->key = g_strdup (tally_delivery_key (call));
  request->reference = g_strdup (tally_delivery_reference (call));
  request->body = g_strndup (body.data, body.length);
  request->target_id = g_strdup (tally_delivery_target_id (call));
  request->process = process;
  request->call = call;
  g_hash_table_add (all_requests, request);
  g_ptr_array_add (process->calls, call);
  return request;
}

static void
sink_send (gpointer self, TallyContext *ctx, TallyDelivery *call)
{
  Process *process = self;
  World *world = process->world;
  Request *request;

  if (process->dead)
    {
      g_ptr_array_add (process->calls, call);
      return;
    }

  request = request_new (process, call);
  request->plan = next_plan (world, request->reference);
  if (request->plan.deed == DEED_UNSENT)
    {
      answer (world, request, SECOND / 100,
              (TallyOutcome){ .verdict = TALLY_VERDICT_UNSENT, .detail = "no route" }, 0);
      request_unref (request);
      return;
    }

  world->n_requests++;
  world->n_updates += request->target_id != NULL ? 1 : 0;
  if (tally_delivery_receipt (call) != NULL)
    world_complain (world, "\"%s\" was sent again, although there is a receipt",
                    request->reference);
  g_array_append_val (world->sent_at, world->now);
  check_intent (world, request);
  if (process->epoch != world->lease_epoch)
    world_complain (world, "R7: \"%s\" was sent by a run that has lost its lease",
                    request->reference);
  if (request->plan.deed != DEED_LOST)
    world_schedule (world, world->now + world_between (world, SECOND / 1000, SECOND / 10),
                    target_receives, g_rc_box_acquire (request), request_unref);
  world_schedule (world, world->now + CLIENT_PATIENCE, client_gives_up, request, request_unref);
}

/* ---- Looking up ---- */

static gint
compare_ids (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

static void
target_looks_up (World *world, gpointer data)
{
  Request *request = data;
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  guint64 first = 0;

  for (guint i = 0; i < world->entities->len; i++)
    {
      const Entity *entity = g_ptr_array_index (world->entities, i);

      if (strcmp (entity->reference, request->reference) != 0
          || entity->created_at + world->settings.lookup_lag > world->now)
        continue;
      if (first == 0)
        first = entity->id;
      else
        g_ptr_array_add (ids, g_strdup_printf ("%" G_GUINT64_FORMAT, entity->id));
    }
  g_ptr_array_sort (ids, compare_ids);
  if (first != 0)
    answer (world, request, ANSWER_AFTER,
            (TallyOutcome){ .verdict = TALLY_VERDICT_DELIVERED, .status = 200 }, first);
  else if (request->plan.wait > 0)
    answer (world, request, ANSWER_AFTER,
            (TallyOutcome){
                .verdict = TALLY_VERDICT_UNKNOWN, .status = 200, .wait = request->plan.wait },
            0);
  else
    answer (world, request, ANSWER_AFTER,
            (TallyOutcome){ .verdict = TALLY_VERDICT_ABSENT, .status = 200 }, 0);
}

/* By the receipt; where the target has forgotten the job, as far as that helps. */
static void
target_tells_of_job (World *world, gpointer data)
{
  Request *request = data;
  const Job *job = g_hash_table_lookup (world->jobs, request->receipt);
  gint64 life = world->settings.job_life;
  TallyOutcome outcome = { .verdict = TALLY_VERDICT_ABSENT, .status = 200 };

  if (job == NULL)
    world_complain (world, "\"%s\" asks for \"%s\", which there never was", request->reference,
                    request->receipt);
  if (job == NULL || (life > 0 && job->done && world->now > job->done_at + life))
    {
      if (request->target_id == NULL)
        target_looks_up (world, data);
      else
        answer (world, request, ANSWER_AFTER, outcome, 0);
      return;
    }
  if (!job->done)
    outcome.verdict = TALLY_VERDICT_UNKNOWN;
  else if (job->refused)
    outcome = (TallyOutcome){
      .verdict = TALLY_VERDICT_REJECTED, .status = 200, .detail = "subject: too short"
    };
  else if (job->entity != 0)
    outcome.verdict = TALLY_VERDICT_DELIVERED;
  answer (world, request, ANSWER_AFTER, outcome, job->entity);
}

/* The target's list is late: absence means something only once it shows all that was done till
 * then. */
static void
sink_resolve (gpointer self, TallyContext *ctx, TallyDelivery *call)
{
  Process *process = self;
  World *world = process->world;
  Request *request;

  if (process->dead)
    {
      g_ptr_array_add (process->calls, call);
      return;
    }

  request = request_new (process, call);
  world->n_lookups++;
  check_intended_at (world, request);
  if (tally_delivery_receipt (call) != NULL)
    {
      world->n_asked++;
      request->receipt = g_strdup (tally_delivery_receipt (call));
    }
  else if (request->target_id != NULL)
    world_complain (world, "\"%s\" was looked up, although it is an update", request->reference);
  /* Before it has told its time it is not known how its clock stands to the ledger's. */
  request->plan.wait
      = process->ctx->target_time == 0
            ? world->settings.lookup_lag
            : tally_delivery_sent_at (call) + world->settings.lookup_lag - world_target_now (world);
  if (world_chance (world, world->trouble))
    answer (world, request, ANSWER_AFTER,
            (TallyOutcome){ .verdict = world_chance (world, 0.5) ? TALLY_VERDICT_UNKNOWN
                                                                 : TALLY_VERDICT_BUSY },
            0);
  else
    world_schedule (world, world->now + SECOND / 100,
                    request->receipt != NULL ? target_tells_of_job : target_looks_up, g_rc_box_acquire (request),
                    request_unref);
  world_schedule (world, world->now + CLIENT_PATIENCE, client_gives_up, request, request_unref);
}

static gboolean
sink_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error)
{
  Process *process = self;
  gint64 until = process->world->now + wait;
  guint n_calls = process->calls->len;

  if (process->world->sink_breaks)
    return tally_throw (error, TALLY_ERROR_NETWORK, "the socket is gone for good");

  do
    world_tick (process->world, until);
  while (process->world->now < until && process->calls->len == n_calls && !process->dead);
  return TRUE;
}

static gboolean
sink_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row,
             const char *reference, GString *ret_body, GError **error)
{
  World *world = ((Process *)self)->world;

  g_string_append_printf (ret_body, "{\"external_id\":\"%s\",\"row\":", reference);
  tally_batch_append_json (batch, row, ret_body);
  if (world->unsteady > 0)
    g_string_append_printf (ret_body, ",\"nonce\":%u", world->unsteady++);
  if (world->settings.padding > 0)
    g_string_append_printf (ret_body, ",\"padding\":\"%*s\"", (int)world->settings.padding, "");
  g_string_append (ret_body, "}");
  if (strstr (ret_body->str, "\"version\":99") != NULL)
    return tally_throw (error, TALLY_ERROR_DATA, "a version of 99 cannot be sent");
  return TRUE;
}

static gboolean
sink_render_update (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row,
                    const char *reference, const char *target_id, GString *ret_body, GError **error)
{
  if (!sink_render (self, ctx, batch, row, reference, ret_body, error))
    return FALSE;
  if (!world_is_idle_version (world_body_version (ret_body->str)))
    return TRUE;
  g_hash_table_add (((Process *)self)->world->idle, g_strdup (reference));
  g_string_truncate (ret_body, 0);
  return TRUE;
}

static gboolean
sink_survey (gpointer self, TallyContext *ctx, gint64 since, TallySurveyed found, gpointer data,
             GError **error)
{
  World *world = ((Process *)self)->world;

  for (guint i = 0; i < world->entities->len; i++)
    {
      const Entity *entity = g_ptr_array_index (world->entities, i);
      g_autofree char *id = g_strdup_printf ("%" G_GUINT64_FORMAT, entity->id);

      found (entity->reference, id, data);
    }
  return TRUE;
}

static void
sink_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  if (((Process *)self)->knows_better)
    ret_profile->key_life = 0;
}

const TallyDeliverySink world_sink = {
  TALLY_DELIVERY_SINK_INIT, .profile = sink_profile, .render = sink_render,
  .send = sink_send,        .resolve = sink_resolve, .drive = sink_drive,
};

const TallyDeliverySink world_updating_sink = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = sink_profile,
  .render = sink_render,
  .send = sink_send,
  .resolve = sink_resolve,
  .drive = sink_drive,
  .render_update = sink_render_update,
  .survey = sink_survey,
};

void
world_forget_calls (Process *process)
{
  TallyOutcome outcome = { TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_UNKNOWN };
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, all_requests);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      Request *request = key;

      if (request->process != process)
        continue;
      request->process = NULL;
      request->call = NULL;
    }
  for (guint i = 0; i < process->calls->len; i++)
    tally_delivery_settle (g_ptr_array_index (process->calls, i), &outcome);
  g_ptr_array_set_size (process->calls, 0);
}
