/* control.c: what a rehearsal asks of the emulator itself, under /_emulator/ */
#include "control.h"

#include <string.h>

#define MAX_ADVANCE (G_GINT64_CONSTANT (100) * 365 * 24 * 3600)

static void
add_count (GString *out, const char *name, guint count)
{
  g_string_append_printf (out, "\"%s\":%u,", name, count);
}

/* What another one has as well: external_ids of users, external_ids and names of organizations. */
static guint
count_double_users (const EmuUsers *users)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n = 0;

  for (guint i = 0; i < users->all->len; i++)
    {
      const EmuUser *user = users->all->pdata[i];

      if (user->external_id != NULL && !g_hash_table_add (seen, emu_fold (user->external_id)))
        n++;
    }
  return n;
}

static guint
count_double_organizations (const EmuOrganizations *organizations)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n = 0;

  for (guint i = 0; i < organizations->all->len; i++)
    {
      const EmuOrganization *organization = organizations->all->pdata[i];

      if (organization == NULL)
        continue;
      n += !g_hash_table_add (names, emu_fold (organization->name));
      n += organization->external_id != NULL
           && !g_hash_table_add (ids, emu_fold (organization->external_id));
    }
  return n;
}

static void
add_people (GString *out, const Emulator *emu)
{
  const EmuCounts *counts = &emu->counts;

  add_count (out, "users", emu->users->n_active);
  add_count (out, "users_created", counts->users_created);
  add_count (out, "users_deleted", counts->users_deleted);
  add_count (out, "duplicate_users", count_double_users (emu->users));
  add_count (out, "identities_created", counts->identities_created);
  add_count (out, "verification_mails", counts->verification_mails);
  add_count (out, "organizations", emu->organizations->n_live);
  add_count (out, "organizations_created", counts->organizations_created);
  add_count (out, "organizations_deleted", counts->organizations_deleted);
  add_count (out, "duplicate_organizations", count_double_organizations (emu->organizations));
  add_count (out, "memberships", emu->organizations->n_memberships);
  add_count (out, "memberships_created", counts->memberships_created);
  add_count (out, "jobs", emu->jobs->n_queued);
  add_count (out, "jobs_failed", emu->jobs->n_failed);
  add_count (out, "jobs_active", emu->jobs->active->len);
}

static void
show_counts (EmuExchange *x)
{
  const Emulator *emu = x->emu;
  const EmuCounts *counts = &emu->counts;
  GString *out = emu_answer_begin (&x->answer, 200, "shown");
  gboolean first = TRUE;

  g_string_append_c (out, '{');
  add_count (out, "tickets", emu->tickets->all->len - emu->tickets->n_deleted);
  add_count (out, "created", counts->created);
  add_count (out, "deleted", counts->deleted);
  add_count (out, "hits", counts->hits);
  add_count (out, "misses", counts->misses);
  add_count (out, "limited", counts->limited);
  add_count (out, "dropped", counts->dropped);
  add_count (out, "duplicates", emu->tickets->n_duplicates);
  add_count (out, "max_in_flight", counts->most_in_flight);
  add_count (out, "max_concurrent_same_key", emu->keys->most_at_work);
  add_people (out, emu);
  g_string_append (out, "\"requests\":{");
  for (guint i = 0; i < G_N_ELEMENTS (counts->by_status); i++)
    if (counts->by_status[i] > 0)
      {
        g_string_append_printf (out, "%s\"%u\":%u", first ? "" : ",", i, counts->by_status[i]);
        first = FALSE;
      }
  g_string_append (out, "}}");
}

static void
show_clock (EmuExchange *x)
{
  GString *out = emu_answer_begin (&x->answer, 200, "shown");
  gint64 now = emu_clock_now (&x->emu->clock);
  char text[EMU_CLOCK_SIZE];

  emu_clock_format (now, text);
  g_string_append_printf (out, "{\"time\":\"%s\",\"unix\":%" G_GINT64_FORMAT ",\"rate\":%g}", text,
                          now / G_USEC_PER_SEC, x->emu->clock.rate);
}

static void
move_clock (EmuExchange *x)
{
  EmuClock *clock = &x->emu->clock;
  json_object *json = x->json, *advance = emu_json_get (json, "advance");
  gint64 seconds;
  double by = json_object_get_double (advance);

  if (emu_json_get_time (emu_json_get (json, "set"), &seconds))
    emu_clock_set (clock, seconds * G_USEC_PER_SEC);
  else if ((json_object_is_type (advance, json_type_int)
            || json_object_is_type (advance, json_type_double))
           && by >= -(double)MAX_ADVANCE && by <= (double)MAX_ADVANCE)
    emu_clock_set (clock, emu_clock_now (clock) + (gint64)(by * G_USEC_PER_SEC));
  else
    {
      emu_answer_bad_attribute (&x->answer, "give \"advance\" (seconds) or \"set\" (ISO 8601)");
      return;
    }
  show_clock (x);
}

static void
show_faults (EmuExchange *x)
{
  emu_faults_write (x->emu->faults, emu_answer_begin (&x->answer, 200, "shown"));
}

/* A new list replaces the old one, unless it is to be appended. */
static void
set_faults (EmuExchange *x)
{
  gboolean append = x->query (x->connection, "append") != NULL;
  g_autoptr (GError) error = NULL;
  EmuFaults *list = append ? x->emu->faults : emu_faults_new ();

  if (!emu_faults_add_json (list, x->json, &error))
    {
      if (!append)
        g_ptr_array_unref (list);
      emu_answer_bad_attribute (&x->answer, error->message);
      return;
    }
  if (!append)
    {
      g_ptr_array_unref (x->emu->faults);
      x->emu->faults = list;
    }
  show_faults (x);
}

static void
clear_faults (EmuExchange *x)
{
  g_ptr_array_set_size (x->emu->faults, 0);
  show_faults (x);
}

static void
reset (EmuExchange *x)
{
  emulator_reset (x->emu);
  x->generation = x->emu->generation;
  show_counts (x);
}

/* As when an administrator takes them back: what was good a moment ago is a 401 now. */
static void
revoke_tokens (EmuExchange *x)
{
  emu_auth_revoke (&x->emu->auth);
  emu_answer_set (&x->answer, 200, NULL, "revoked", "{}");
}

static void
shut_down (EmuExchange *x)
{
  x->emu->stop = TRUE;
  emu_answer_set (&x->answer, 200, NULL, "stopping", "{}");
}

static const struct
{
  const char *method, *name;
  void (*act) (EmuExchange *x);
} commands[] = {
  { "GET", "counts", show_counts },  { "GET", "clock", show_clock },
  { "POST", "clock", move_clock },   { "GET", "faults", show_faults },
  { "POST", "faults", set_faults },  { "DELETE", "faults", clear_faults },
  { "POST", "reset", reset },        { "POST", "revoke", revoke_tokens },
  { "POST", "shutdown", shut_down },
};

gboolean
emu_control (EmuExchange *x, guint *ret_first)
{
  const char *name = x->path + strlen (EMU_CONTROL_PREFIX);
  const char *since = x->query (x->connection, "since");

  emu_jobs_run (x->emu);
  if (x->body->len > 0)
    x->json = emu_json_parse (x->body->str, x->body->len, EMU_JSON_DEPTH);
  if (g_str_equal (name, "history") && g_str_equal (x->method, "GET"))
    {
      *ret_first = since != NULL ? (guint)MIN (g_ascii_strtoull (since, NULL, 10), G_MAXINT32) : 0;
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i].name, name) && g_str_equal (commands[i].method, x->method))
      {
        commands[i].act (x);
        return FALSE;
      }
  emu_answer_no_endpoint (&x->answer);
  return FALSE;
}
