/* exchange.c: the life of one request, from its headers to the last word of its answer */
#include "exchange.h"

#include "api.h"
#include "control.h"
#include "limit-headers.h"
#include "newcomers.h"
#include "files.h"
#include "spoil.h"
#include "ticket-json.h"

#include <string.h>

#define API_PREFIX "/api/v2/"

EmuExchange *
emu_exchange_new (Emulator *emu, const char *method, const char *path)
{
  EmuExchange *x = g_new0 (EmuExchange, 1);

  x->emu = emu;
  x->method = g_intern_string (method);
  x->path = g_utf8_make_valid (path, -1);
  x->route = g_strdup (g_str_has_prefix (x->path, API_PREFIX) ? x->path + strlen (API_PREFIX) : "");
  if (g_str_has_suffix (x->route, ".json"))
    x->route[strlen (x->route) - strlen (".json")] = '\0';
  x->body = g_string_new (NULL);
  x->generation = emu->generation;
  x->arrived = emu_clock_now (&emu->clock);
  x->control = g_str_has_prefix (x->path, EMU_CONTROL_PREFIX);
  return x;
}

gboolean
emu_exchange_is_upload (const EmuExchange *x)
{
  return g_str_equal (x->method, "POST") && g_str_equal (x->route, "uploads");
}

static gboolean
is_creation (const EmuExchange *x)
{
  return g_str_equal (x->method, "POST") && g_str_equal (x->route, "tickets");
}

/* Whether it makes one record, which may take its time. */
static gboolean
makes_record (const EmuExchange *x)
{
  static const char *const routes[] = { "tickets",
                                        "imports/tickets",
                                        "users",
                                        "users/create_or_update",
                                        "organizations",
                                        "organizations/create_or_update",
                                        NULL };

  return g_str_equal (x->method, "POST") && g_strv_contains (routes, x->route);
}

/* Lets go of the key's first place; those that wait for it try again. */
static void
release_claim (EmuExchange *x)
{
  gpointer waiting;

  if (!x->claimed)
    return;
  x->claimed = FALSE;
  if (x->entry->state == EMU_KEY_AT_WORK)
    x->entry->state = EMU_KEY_ABSENT;
  while ((waiting = g_queue_pop_head (&x->entry->waiting)) != NULL)
    x->emu->wake (waiting, x->emu->wake_data);
}

static void
leave_key (EmuExchange *x)
{
  if (x->entry == NULL || x->generation != x->emu->generation)
    return;
  release_claim (x);
  g_queue_remove (&x->entry->waiting, x);
  emu_keys_leave (x->emu->keys, g_steal_pointer (&x->entry));
}

static const char *
get_external_id (const EmuExchange *x)
{
  static const char *const records[] = { "ticket", "user", "organization" };
  json_object *value = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (records) && value == NULL; i++)
    value = emu_json_get (emu_json_get (x->json, records[i]), "external_id");
  return json_object_is_type (value, json_type_string) ? json_object_get_string (value) : NULL;
}

static GRefString *
new_ref (const char *text)
{
  return text != NULL ? g_ref_string_new (text) : NULL;
}

static void
log_arrival (EmuExchange *x)
{
  EmuEvent event = { .time = x->arrived,
                     .method = x->method,
                     .path = g_ref_string_new_intern (x->path),
                     .key = new_ref (x->key),
                     .external_id = new_ref (get_external_id (x)),
                     .body = emu_history_hash (x->body->str, x->body->len),
                     .connection = x->connection_number,
                     .leaked = emu_is_leak (x) };

  x->event = emu_history_add (x->emu->history, &event);
  x->logged = TRUE;
}

static void
log_end (EmuExchange *x, const char *outcome, guint status)
{
  EmuEvent *event = emu_history_get (x->emu->history, x->event);

  event->outcome = outcome;
  event->status = (guint16)status;
  event->lookup = x->lookup;
  if (x->strike.main != NULL)
    event->fault = emu_fault_get_name (x->strike.main->kind);
  else if (x->strike.before + x->strike.after > 0)
    event->fault = x->strike.before > 0 ? "delay-before" : "delay-after";
  else if (x->strike.job != NULL)
    event->fault = emu_fault_get_name (x->strike.job->kind);
  else if (x->strike.warn != NULL)
    event->fault = "warn";
  if (status > 0)
    x->emu->counts.by_status[status]++;
  else
    x->emu->counts.dropped++;
}

/* A request whose client went away in the middle of it never arrived, but it was there. */
static void
log_incomplete (EmuExchange *x)
{
  if (x->logged || x->control || x->generation != x->emu->generation)
    return;
  log_arrival (x);
  log_end (x, "incomplete", 0);
}

void
emu_exchange_free (EmuExchange *x)
{
  if (x == NULL)
    return;
  leave_key (x);
  emu_newcomers_leave (x);
  log_incomplete (x);
  x->emu->counts.in_flight -= x->in_flight;
  g_free (x->path);
  g_free (x->route);
  g_free (x->key);
  g_free (x->authorization);
  g_free (x->client);
  g_free (x->content_type);
  g_free (x->address);
  g_string_free (x->body, TRUE);
  json_object_put (x->json);
  emu_strike_clear (&x->strike);
  emu_answer_clear (&x->answer);
  g_free (x);
}

void
emu_exchange_answered (EmuExchange *x)
{
  if (x->logged && x->generation == x->emu->generation)
    emu_history_get (x->emu->history, x->event)->answered = TRUE;
}

static void
ask_faults (EmuExchange *x, gboolean early)
{
  EmuFaultTarget target = { .method = x->method,
                            .path = x->path,
                            .external_id = get_external_id (x),
                            .key = x->key,
                            .reused = x->reused,
                            .now = x->arrived };

  if (x->emu->faults->len > 0)
    emu_faults_strike (x->emu->faults, &target, early, &x->strike);
}

EmuStep
emu_exchange_begin (EmuExchange *x)
{
  ask_faults (x, /* early= */ TRUE);
  if (x->strike.main == NULL)
    return EMU_STEP_GO_ON;
  log_arrival (x);
  log_end (x, "dropped", 0);
  return EMU_STEP_CLOSE;
}

/* The stored answer, or the complaint that the request is another one. */
static void
answer_from_key (EmuExchange *x)
{
  const EmuKey *entry = x->entry;
  GString *out;

  if (memcmp (entry->digest, x->digest, EMU_DIGEST_SIZE) != 0)
    {
      emu_answer_error (&x->answer, 400, "IdempotentRequestError",
                        "Request parameters don't match the given idempotency key");
      return;
    }
  out = emu_answer_begin (&x->answer, entry->status, "hit");
  if (entry->ticket != NULL)
    emu_ticket_write_created (entry->ticket, x->emu->fields, x->emu->users->admin->id,
                              x->emu->base_url, out);
  else
    g_string_append (out, entry->stored);
  x->answer.type = entry->type;
  x->lookup = "hit";
  x->emu->counts.hits++;
  if (entry->id != 0)
    emu_answer_take_header (&x->answer, "Location", emulator_dup_ticket_url (x->emu, entry->id));
}

void
emu_exchange_store (EmuExchange *x)
{
  emu_keys_store_text (x->emu->keys, x->entry, x->digest, x->arrived + x->emu->config.key_life,
                       x->answer.status, g_intern_string (x->answer.type), x->answer.body->str);
}

static void
make_digest (EmuExchange *x)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = EMU_DIGEST_SIZE;

  if (x->emu->config.same_body_raw || x->json == NULL)
    g_checksum_update (sum, (const guchar *)x->body->str, (gssize)x->body->len);
  else
    {
      g_autoptr (GString) text = g_string_sized_new (x->body->len + 64);

      emu_json_canonical (text, x->json);
      g_checksum_update (sum, (const guchar *)text->str, (gssize)text->len);
    }
  g_checksum_get_digest (sum, x->digest, &size);
}

static void
enter_key (EmuExchange *x)
{
  if (!is_creation (x) || x->key == NULL || *x->key == '\0')
    return;
  if (strlen (x->key) > EMU_KEY_LENGTH)
    {
      if (!x->emu->config.ignore_keys)
        emu_answer_error (&x->answer, 400, "IdempotentRequestError",
                          "Idempotency key is longer than 255 characters");
      return;
    }
  make_digest (x);
  /* A million keys and external ids stand in the history as well: once is enough. */
  x->entry
      = emu_keys_enter (x->emu->keys, emu_history_get (x->emu->history, x->event)->key, x->arrived);
}

static void
arrive (EmuExchange *x)
{
  emu_jobs_run (x->emu); /* whatever was due before */
  emu_uploads_expire (x->emu->uploads, emu_clock_seconds (&x->emu->clock));
  if (x->body->len > 0 && !x->too_large && !emu_exchange_is_upload (x))
    x->json = emu_json_parse (x->body->str, x->body->len, EMU_JSON_DEPTH);
  log_arrival (x);
  x->in_flight = TRUE;
  x->emu->counts.in_flight++;
  x->emu->counts.most_in_flight = MAX (x->emu->counts.most_in_flight, x->emu->counts.in_flight);
  ask_faults (x, /* early= */ FALSE);
  if (x->strike.main == NULL || emu_fault_acts (x->strike.main))
    {
      emu_api_admit (x);
      emu_newcomers_enter (x);
    }
  enter_key (x);
}

/* FALSE: another request with this key is at work, and this one has to wait for it. */
static gboolean
check_key (EmuExchange *x)
{
  if (x->entry == NULL || x->emu->config.ignore_keys || x->answer.status != 0)
    return TRUE;
  if (x->strike.main != NULL && !emu_fault_acts (x->strike.main)
      && x->strike.main->kind != EMU_FAULT_STATUS_STORED)
    return TRUE;
  if (x->entry->state == EMU_KEY_STORED)
    answer_from_key (x);
  else if (x->entry->state == EMU_KEY_ABSENT)
    {
      x->entry->state = EMU_KEY_AT_WORK;
      x->claimed = TRUE;
    }
  else if (x->emu->config.same_key == EMU_SAME_KEY_CONFLICT)
    emu_answer_error (&x->answer, 409, "IdempotentRequestInProgress",
                      "A request with the given idempotency key is in progress");
  else if (x->emu->config.same_key == EMU_SAME_KEY_WAIT)
    {
      g_queue_push_tail (&x->entry->waiting, x);
      return FALSE;
    }
  return TRUE;
}

/* How long it works before it acts; what is answered already does not work. */
static gint64
get_work (EmuExchange *x)
{
  gint64 work = x->strike.before * 1000;

  if (makes_record (x) && x->answer.status == 0
      && (x->strike.main == NULL || emu_fault_acts (x->strike.main)))
    work += x->emu->config.delay;
  return work;
}

static void
act (EmuExchange *x)
{
  const EmuFault *fault = x->strike.main;

  if (fault != NULL && !emu_fault_acts (fault))
    {
      if (x->answer.status == 0)
        emu_spoil_instead (x, fault);
    }
  else
    {
      if (x->answer.status == 0)
        emu_api_act (x);
      if (fault != NULL)
        emu_spoil_after (x, fault);
    }
  release_claim (x);
  emu_newcomers_leave (x);
}

static EmuStep
finish (EmuExchange *x)
{
  const EmuFault *fault = x->strike.main;
  gboolean closes = fault != NULL && emu_spoil_closes (fault);

  if (x->lookup != NULL && !x->hide_lookup)
    emu_answer_take_header (&x->answer, "x-idempotency-lookup", g_strdup (x->lookup));
  if (x->strike.warn != NULL)
    emu_answer_take_header (&x->answer, "x-zendesk-api-warn", g_strdup (x->strike.warn));
  emu_limit_headers_add (x);
  log_end (x, x->answer.outcome != NULL ? x->answer.outcome : "dropped",
           closes ? 0 : x->answer.status);
  leave_key (x);
  return closes || x->emu->broken != NULL ? EMU_STEP_CLOSE : EMU_STEP_ANSWER;
}

EmuStep
emu_exchange_step (EmuExchange *x, gint64 *ret_wait)
{
  if (x->generation != x->emu->generation)
    return EMU_STEP_CLOSE;

  if (x->stage == EMU_STAGE_ARRIVE)
    {
      arrive (x);
      x->stage = EMU_STAGE_BEGIN;
    }
  if (x->stage == EMU_STAGE_BEGIN)
    {
      if (!check_key (x))
        return EMU_STEP_PARK;
      x->stage = EMU_STAGE_ACT;
      x->hang_up = x->strike.main != NULL && x->strike.main->kind == EMU_FAULT_DROP_THEN_ACT;
      *ret_wait = get_work (x);
      if (*ret_wait > 0)
        return EMU_STEP_WAIT;
    }
  if (x->stage == EMU_STAGE_ACT)
    {
      act (x);
      x->stage = EMU_STAGE_DONE;
      *ret_wait = x->strike.after * 1000;
      if (*ret_wait > 0)
        return EMU_STEP_WAIT;
    }
  return finish (x);
}
