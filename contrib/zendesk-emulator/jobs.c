/* jobs.c: what the service does by and by, many records in one request */
#include "jobs.h"

#include "job-rows.h"
#include "journal.h"

static const struct
{
  const char *name;
  EmuDeedKind deed;
  const char *type, *class, *doing;
  gboolean shuffled; /* records are done side by side, so ids do not follow the request */
} kinds[EMU_N_JOBS] = {
  [EMU_JOB_TICKETS_CREATE] = { "tickets-create", EMU_TICKET_CREATE, "Bulk Create Ticket",
                               "TicketBulkCreateJob", "Creating ticket", TRUE },
  [EMU_JOB_TICKETS_IMPORT] = { "tickets-import", EMU_TICKET_IMPORT, "Bulk Create Ticket",
                               "TicketBulkImportJob", "Creating ticket", TRUE },
  [EMU_JOB_TICKETS_UPDATE] = { "tickets-update", EMU_TICKET_UPDATE, "Bulk Update Ticket",
                               "TicketBulkUpdateJobV3", "Updating ticket", FALSE },
  [EMU_JOB_TICKETS_DELETE] = { "tickets-delete", EMU_TICKET_DELETE, "Bulk Update Ticket",
                               "TicketBulkUpdateJobV3", "Deleting ticket", FALSE },
  [EMU_JOB_TICKETS_SCRUB] = { "tickets-scrub", EMU_TICKET_SCRUB, "Bulk Delete Ticket",
                              "TicketDeletionJob", "Deleting ticket", FALSE },
  [EMU_JOB_USERS_CREATE] = { "users-create", EMU_USER_CREATE, "Bulk Create User",
                             "UserBulkCreateJob", "Creating User", FALSE },
  [EMU_JOB_USERS_CREATE_OR_UPDATE]
  = { "users-create-or-update", EMU_USER_CREATE_OR_UPDATE, "Bulk Create Or Update User",
      "UserBulkCreateOrUpdateJob", "Creating User", FALSE },
  [EMU_JOB_USERS_UPDATE] = { "users-update", EMU_USER_UPDATE, "Bulk Update User",
                             "UserBulkUpdateJobV2", "Updating User", FALSE },
  [EMU_JOB_USERS_DELETE] = { "users-delete", EMU_USER_DELETE, "Bulk Update User",
                             "UserBulkUpdateJobV2", "Deleting User", FALSE },
  [EMU_JOB_ORGANIZATIONS_CREATE]
  = { "organizations-create", EMU_ORGANIZATION_CREATE, "Bulk Create Organization",
      "OrganizationBulkCreateJob", "Creating organization", FALSE },
  [EMU_JOB_ORGANIZATIONS_UPDATE]
  = { "organizations-update", EMU_ORGANIZATION_UPDATE, "Bulk Update Organization",
      "OrganizationBulkUpdateJob", "Updating organization", FALSE },
  [EMU_JOB_ORGANIZATIONS_DELETE]
  = { "organizations-delete", EMU_ORGANIZATION_DELETE, "Bulk Delete Organization",
      "OrganizationBulkDeleteJob", "Deleting Organization", FALSE },
  [EMU_JOB_MEMBERSHIPS_CREATE]
  = { "memberships-create", EMU_MEMBERSHIP_CREATE, "Bulk Create Organization Membership",
      "OrganizationMembershipBulkCreateJob", "Creating organization membership", FALSE },
};

const char *
emu_job_get_name (EmuJobKind kind)
{
  return kinds[kind].name;
}

EmuJobKind
emu_job_find_kind (const char *name)
{
  guint kind = 0;

  while (kind < EMU_N_JOBS && !g_str_equal (kinds[kind].name, name))
    kind++;
  return kind;
}

const char *
emu_job_get_class (EmuJobKind kind)
{
  return kinds[kind].class;
}

static void
clear_ref (GRefString **text)
{
  g_clear_pointer (text, g_ref_string_release);
}

static void
job_free (gpointer data)
{
  EmuJob *job = data;

  json_object_put (job->items);
  g_ptr_array_unref (job->rows);
  clear_ref (&job->client);
  clear_ref (&job->address);
  clear_ref (&job->failure);
  g_free (job);
}

EmuJobs *
emu_jobs_new (void)
{
  EmuJobs *jobs = g_new0 (EmuJobs, 1);

  jobs->all = g_ptr_array_new_with_free_func (job_free);
  jobs->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  jobs->active = g_ptr_array_new ();
  return jobs;
}

void
emu_jobs_free (EmuJobs *jobs)
{
  if (jobs == NULL)
    return;
  g_ptr_array_unref (jobs->active);
  g_hash_table_unref (jobs->by_id);
  g_ptr_array_unref (jobs->all);
  g_free (jobs);
}

EmuJob *
emu_job_new (EmuJobs *jobs, EmuJobKind kind, json_object *items, gint64 created)
{
  EmuJob *job = g_new0 (EmuJob, 1);
  guint64 seed = ++jobs->n_queued * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);

  job->number = jobs->n_queued;
  g_snprintf (job->id, sizeof job->id, "V3-%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
              seed, seed ^ (seed >> 29) ^ G_GUINT64_CONSTANT (0xBF58476D1CE4E5B9));
  job->kind = kind;
  job->created = created;
  job->items = json_object_get (items);
  job->total = (guint)json_object_array_length (items);
  job->rows = g_ptr_array_new_full (job->total, g_free);
  g_ptr_array_set_size (job->rows, (gint)job->total);
  job->fail_after = job->stall_after = -1;
  return job;
}

/* --- their time --- */

static gboolean
has_stalled (const EmuJob *job)
{
  return job->stall_after >= 0 && job->done >= job->stall_after;
}

static gint64
get_end (const Emulator *emu, const EmuJob *job)
{
  if (job->stall_after >= 0)
    return G_MAXINT64;
  return job->created + emu->config.jobs.wait + job->total * emu->config.jobs.pace;
}

/* When the next record is done; a job without any ends when it begins. */
static gint64
get_due (const Emulator *emu, const EmuJob *job)
{
  guint next = MIN (job->done + 1, job->total);

  if (has_stalled (job))
    return G_MAXINT64;
  return job->created + emu->config.jobs.wait + next * emu->config.jobs.pace;
}

static void
forget_old (Emulator *emu, gint64 now)
{
  EmuJobs *jobs = emu->jobs;

  while (jobs->all->len > 0)
    {
      EmuJob *oldest = jobs->all->pdata[0];

      if ((oldest->finished == 0 && !has_stalled (oldest))
          || now < oldest->created + emu->config.jobs.life)
        return;
      g_ptr_array_remove (jobs->active, oldest);
      g_hash_table_remove (jobs->by_id, oldest->id);
      g_ptr_array_remove_index (jobs->all, 0);
    }
}

void
emu_jobs_queue (Emulator *emu, EmuJob *job)
{
  EmuJobs *jobs = emu->jobs;

  g_ptr_array_add (jobs->all, job);
  g_ptr_array_add (jobs->active, job);
  g_hash_table_insert (jobs->by_id, job->id, job);
  emu_journal_job (emu, job);
}

EmuJob *
emu_jobs_find (const Emulator *emu, const char *id)
{
  return g_hash_table_lookup (emu->jobs->by_id, id);
}

/* The active job that has something to do first; NULL: none is active. */
static EmuJob *
find_next (const Emulator *emu)
{
  EmuJob *next = NULL;

  for (guint i = 0; i < emu->jobs->active->len; i++)
    {
      EmuJob *job = emu->jobs->active->pdata[i];

      if (next == NULL || get_due (emu, job) < get_due (emu, next))
        next = job;
    }
  return next;
}

gint64
emu_jobs_get_wait (const Emulator *emu)
{
  const EmuJob *job = find_next (emu);
  double left;

  if (job == NULL || emu->clock.rate <= 0)
    return -1;
  left = (double)(get_due (emu, job) - emu_clock_now (&emu->clock)) / emu->clock.rate;
  return (gint64)CLAMP (left + 1, 0, 60e6);
}

gint64
emu_jobs_get_next_end (const Emulator *emu)
{
  gint64 first = G_MAXINT64;

  for (guint i = 0; i < emu->jobs->active->len; i++)
    first = MIN (first, get_end (emu, emu->jobs->active->pdata[i]));
  return first;
}

/* --- their work --- */

static guint
get_divisor (guint a, guint b)
{
  return b == 0 ? a : get_divisor (b, a % b);
}

/* Which record is the @step-th: all of them once, though not in their order where that is not
 * kept. */
static guint
get_place (const EmuJob *job, guint step)
{
  guint stride = job->total * 5 / 8 + 1;

  if (!kinds[job->kind].shuffled)
    return step;
  while (get_divisor (stride, job->total) != 1)
    stride++;
  return (guint)(((guint64)step * stride + job->total / 2) % job->total);
}

/* Where its row stands in the results, and as whose. */
static guint
get_row (const EmuJob *job, guint place)
{
  return job->mixed ? job->total - 1 - place : place;
}

/* Whether a fault has ended it. */
static gboolean
is_broken (const EmuJob *job)
{
  return job->fail_after >= 0 && job->done >= job->fail_after;
}

static gboolean
is_over (const EmuJob *job)
{
  return job->done >= job->total || is_broken (job);
}

/* @trusted: it is known to have been good. */
static EmuDeed
get_deed (const EmuJob *job, guint place, gint64 now, gboolean trusted)
{
  json_object *item = json_object_array_get_idx (job->items, place);
  EmuDeed deed = { .kind = kinds[job->kind].deed,
                   .wish = emu_json_get (item, "wish"),
                   .now = now,
                   .trusted = trusted,
                   .client = job->client,
                   .address = job->address,
                   .since = job->created / G_USEC_PER_SEC,
                   .archive = job->archive };

  emu_json_get_id (emu_json_get (item, "id"), &deed.id);
  return deed;
}

/* Gives the row that tells of it (unowned). */
static const char *
do_record (Emulator *emu, EmuJob *job, gint64 now, gboolean *ret_good)
{
  guint place = get_place (job, job->done), row = get_row (job, place);
  EmuDeed deed = get_deed (job, place, now, FALSE);
  EmuOutcome outcome;

  emu->in_step = TRUE;
  emu_deed_do (emu, &deed, &outcome);
  emu->in_step = FALSE;
  *ret_good = emu_outcome_is_good (&outcome);
  job->rows->pdata[row] = emu_job_dup_row (emu, job, row, &deed, &outcome);
  job->failed += !*ret_good;
  job->done++;
  emu_outcome_clear (&outcome);
  return job->rows->pdata[row];
}

static gboolean
has_failed (const EmuJob *job)
{
  return is_broken (job) || (job->total > 0 && job->failed == job->total);
}

static void
finish_if_over (Emulator *emu, EmuJob *job, gint64 now)
{
  if (!is_over (job))
    return;
  g_ptr_array_remove (emu->jobs->active, job);
  g_clear_pointer (&job->items, json_object_put);
  job->finished = MAX (now * G_USEC_PER_SEC, 1);
  emu->jobs->n_failed += has_failed (job);
}

/* Does the next record; where there is none, that it ends is all there is to do. */
static void
step (Emulator *emu, EmuJob *job, gint64 now)
{
  const char *row = NULL;
  gboolean good = FALSE;

  if (!is_over (job))
    row = do_record (emu, job, now, &good);
  emu_journal_step (emu, job, row, good, now);
  finish_if_over (emu, job, now);
}

void
emu_jobs_run (Emulator *emu)
{
  gint64 now = emu_clock_now (&emu->clock);
  EmuJob *job;

  while ((job = find_next (emu)) != NULL && get_due (emu, job) <= now && emu->broken == NULL)
    step (emu, job, get_due (emu, job) / G_USEC_PER_SEC);
  forget_old (emu, now);
}

/* --- what is shown --- */

static void
write_end (GString *out, const char *how, gint64 time)
{
  char text[EMU_TIME_SIZE];

  emu_time_format (time / G_USEC_PER_SEC, text);
  g_string_append_printf (out, "\"%s at %.10s %.8s +0000\"", how, text, text + 11);
}

/* The job that deletes tickets for good counts nothing. */
static void
write_number (const EmuJob *job, guint number, GString *out)
{
  if (job->kind == EMU_JOB_TICKETS_SCRUB)
    g_string_append (out, "null");
  else
    g_string_append_printf (out, "%u", number);
}

static void
write_rows (const EmuJob *job, GString *out)
{
  gint64 n = job->total - MIN (job->n_short, job->total);
  gboolean first = TRUE;

  if (is_broken (job) && !job->keep_rows)
    {
      g_string_append (out, "null");
      return;
    }
  if (job->kind == EMU_JOB_TICKETS_SCRUB)
    {
      g_string_append (out, "{\"success\":true}");
      return;
    }
  g_string_append_c (out, '[');
  for (guint i = 0; i < n; i++)
    if (job->rows->pdata[i] != NULL)
      {
        g_string_append (out, first ? "" : ",");
        g_string_append (out, job->rows->pdata[i]);
        first = FALSE;
      }
  g_string_append_c (out, ']');
}

/* (unowned): how a job has ended */
static const char *
get_status (const EmuJob *job)
{
  if (!has_failed (job))
    return "completed";
  return is_broken (job) && job->failure != NULL ? job->failure : "failed";
}

static void
write_state (const Emulator *emu, const EmuJob *job, GString *out)
{
  gboolean failed = has_failed (job);

  if (job->finished != 0)
    {
      g_string_append (out, "\"progress\":");
      write_number (job, failed ? 0 : job->total, out);
      g_string_append (out, ",\"status\":");
      emu_json_add_text (out, get_status (job));
      g_string_append (out, ",\"message\":");
      write_end (out, failed ? "Failed" : "Completed", job->finished);
      g_string_append (out, ",\"results\":");
      write_rows (job, out);
    }
  else if (emu_clock_now (&emu->clock) < job->created + emu->config.jobs.wait)
    g_string_append (out, "\"progress\":null,\"status\":\"queued\",\"message\":null,"
                          "\"results\":null");
  else if (job->done == 0)
    g_string_append_printf (out,
                            "\"progress\":0,\"status\":\"working\",\"message\":\"%ss\","
                            "\"results\":null",
                            kinds[job->kind].doing);
  else
    {
      g_string_append (out, "\"progress\":");
      write_number (job, job->done, out);
      g_string_append_printf (out,
                              ",\"status\":\"working\",\"message\":\"%s #%u\",\"results\":null",
                              kinds[job->kind].doing, job->done);
    }
}

void
emu_job_write (const Emulator *emu, const EmuJob *job, GString *out)
{
  g_string_append_printf (out,
                          "{\"id\":\"%s\",\"job_type\":\"%s\","
                          "\"url\":\"%s/api/v2/job_statuses/%s.json\",\"total\":",
                          job->id, kinds[job->kind].type, emu->base_url, job->id);
  write_number (job, job->total, out);
  g_string_append_c (out, ',');
  write_state (emu, job, out);
  g_string_append_c (out, '}');
}

/* --- from the state file --- */

static GRefString *
read_ref (json_object *line, const char *name)
{
  g_autofree char *text = emu_json_dup_text (emu_json_get (line, name));

  return text != NULL ? g_ref_string_new_intern (text) : NULL;
}

gboolean
emu_job_replay (Emulator *emu, json_object *line, gint64 now)
{
  g_autofree char *name = emu_json_dup_text (emu_json_get (line, "kind"));
  json_object *items = emu_json_get (line, "items");
  EmuJobKind kind = name != NULL ? emu_job_find_kind (name) : EMU_N_JOBS;
  gint64 number = 0, created = now * G_USEC_PER_SEC;
  EmuJob *job;

  if (kind == EMU_N_JOBS || !json_object_is_type (items, json_type_array))
    return FALSE;
  emu_json_get_id (emu_json_get (line, "id"), &number);
  emu_json_get_id (emu_json_get (line, "created"), &created);
  job = emu_job_new (emu->jobs, kind, items, created);
  job->client = read_ref (line, "client");
  job->address = read_ref (line, "address");
  job->archive = json_object_get_boolean (emu_json_get (line, "archive"));
  emu_json_get_id (emu_json_get (line, "fail_after"), &job->fail_after);
  emu_json_get_id (emu_json_get (line, "stall_after"), &job->stall_after);
  emu_json_get_id (emu_json_get (line, "short"), &job->n_short);
  job->failure = read_ref (line, "failure");
  job->gone = json_object_get_boolean (emu_json_get (line, "gone"));
  job->mixed = json_object_get_boolean (emu_json_get (line, "mixed"));
  job->keep_rows = json_object_get_boolean (emu_json_get (line, "keep_rows"));
  emu_jobs_queue (emu, job);
  return job->number == number;
}

static EmuJob *
find_active (const Emulator *emu, gint64 number)
{
  for (guint i = 0; i < emu->jobs->active->len; i++)
    if (((EmuJob *)emu->jobs->active->pdata[i])->number == number)
      return emu->jobs->active->pdata[i];
  return NULL;
}

/* Does again what was good then, and knows of the rest only what was told. */
static gboolean
redo_record (Emulator *emu, EmuJob *job, const char *row, gboolean good, gint64 now)
{
  guint place = get_place (job, job->done);
  EmuDeed deed = get_deed (job, place, now, TRUE);
  gboolean same = TRUE;
  EmuOutcome outcome;

  if (good)
    {
      emu_deed_do (emu, &deed, &outcome);
      same = emu_outcome_is_good (&outcome);
      emu_outcome_clear (&outcome);
    }
  job->rows->pdata[get_row (job, place)] = g_strdup (row);
  job->failed += !good;
  job->done++;
  return same;
}

gboolean
emu_job_replay_step (Emulator *emu, json_object *line, gint64 now)
{
  g_autofree char *row = emu_json_dup_text (emu_json_get (line, "row"));
  gboolean good = json_object_get_boolean (emu_json_get (line, "good")), same = TRUE;
  gint64 number = 0;
  EmuJob *job;

  emu_json_get_id (emu_json_get (line, "id"), &number);
  job = find_active (emu, number);
  if (job == NULL || (row == NULL) != is_over (job))
    return FALSE;
  if (row != NULL)
    same = redo_record (emu, job, row, good, now);
  finish_if_over (emu, job, now);
  return same;
}
