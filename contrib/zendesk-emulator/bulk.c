/* bulk.c: the endpoints that queue jobs, and those that tell of them */
#include "limit-headers.h"
#include "people-api.h"

#include <string.h>

#define MAX_RECORDS 100

typedef enum
{
  LISTED,          /* the body lists new records */
  LISTED_OR_NAMED, /* the body lists changes, or the query names records for one change */
  NAMED,           /* the query names records */
  ROUTED,          /* the route names one */
} Form;

typedef struct
{
  const char *method, *route, *names, *name;
  EmuJobKind kind;
  Form form;
} Bulk;

static const Bulk bulks[] = {
  { "POST", "tickets/create_many", "tickets", "ticket", EMU_JOB_TICKETS_CREATE, LISTED },
  { "POST", "imports/tickets/create_many", "tickets", "ticket", EMU_JOB_TICKETS_IMPORT, LISTED },
  { "PUT", "tickets/update_many", "tickets", "ticket", EMU_JOB_TICKETS_UPDATE, LISTED_OR_NAMED },
  { "DELETE", "tickets/destroy_many", "tickets", "ticket", EMU_JOB_TICKETS_DELETE, NAMED },
  { "DELETE", "deleted_tickets/destroy_many", "tickets", "ticket", EMU_JOB_TICKETS_SCRUB, NAMED },
  { "DELETE", "deleted_tickets/#", "tickets", "ticket", EMU_JOB_TICKETS_SCRUB, ROUTED },
  { "POST", "users/create_many", "users", "user", EMU_JOB_USERS_CREATE, LISTED },
  { "POST", "users/create_or_update_many", "users", "user", EMU_JOB_USERS_CREATE_OR_UPDATE,
    LISTED },
  { "PUT", "users/update_many", "users", "user", EMU_JOB_USERS_UPDATE, LISTED_OR_NAMED },
  { "DELETE", "users/destroy_many", "users", "user", EMU_JOB_USERS_DELETE, NAMED },
  { "POST", "organizations/create_many", "organizations", "organization",
    EMU_JOB_ORGANIZATIONS_CREATE, LISTED },
  { "PUT", "organizations/update_many", "organizations", "organization",
    EMU_JOB_ORGANIZATIONS_UPDATE, LISTED_OR_NAMED },
  { "DELETE", "organizations/destroy_many", "organizations", "organization",
    EMU_JOB_ORGANIZATIONS_DELETE, NAMED },
  { "POST", "organization_memberships/create_many", "organization_memberships",
    "organization_membership", EMU_JOB_MEMBERSHIPS_CREATE, LISTED },
};

/* Whether @route is @pattern with a number for the # at its end. */
static gboolean
is_numbered (const char *pattern, const char *route)
{
  gsize length = strlen (pattern) - 1;

  return strncmp (pattern, route, length) == 0 && g_ascii_isdigit (route[length]);
}

/* The request came here because its route is one of these. */
static const Bulk *
find_bulk (const EmuExchange *x)
{
  guint i = 0;

  while (!g_str_equal (bulks[i].route, x->route)
         && (bulks[i].form != ROUTED || !is_numbered (bulks[i].route, x->route)))
    i++;
  return &bulks[i];
}

/* --- may it be queued? --- */

/* Users cannot be created in bulk before the service's people allow it. */
static gboolean
is_allowed (EmuExchange *x, EmuJobKind kind)
{
  if (x->emu->config.bulk_users == EMU_BULK_USERS_ON
      || (kind != EMU_JOB_USERS_CREATE && kind != EMU_JOB_USERS_CREATE_OR_UPDATE))
    return TRUE;
  if (x->emu->config.bulk_users == EMU_BULK_USERS_OFF_OBJECT)
    emu_answer_set (&x->answer, 403, NULL, "forbidden",
                    "{\"error\":{\"title\":\"Forbidden\",\"message\":"
                    "\"Bulk user import is not enabled for this account\"}}");
  else
    emu_answer_error (&x->answer, 403, "Forbidden",
                      "Bulk user import is not enabled for this account");
  return FALSE;
}

/* Every call that queues a job tells how many more there may be. */
static void
tell_room (EmuExchange *x)
{
  guint limit = x->emu->config.jobs.limit, active = x->emu->jobs->active->len;
  EmuBudget budget = { .total = limit, .remaining = limit - MIN (active, limit), .reset = 60 };

  emu_limit_headers_add_one (x, "inflight-jobs", &budget);
}

static gboolean
has_room (EmuExchange *x, EmuJobKind kind)
{
  const Emulator *emu = x->emu;
  const GPtrArray *active = emu->jobs->active;
  gint64 left;
  GString *out;

  if (active->len < emu->config.jobs.limit)
    return TRUE;
  out = emu_answer_begin (&x->answer, 429, "limited");
  g_string_append_printf (out,
                          "{\"error\":\"TooManyJobs\",\"description\":\"Too many %s jobs are "
                          "currently queued or running. Try again later.\",\"current_job_ids\":[",
                          emu_job_get_class (kind));
  for (guint i = 0; i < active->len; i++)
    g_string_append_printf (out, "%s\"%s\"", i > 0 ? "," : "", ((EmuJob *)active->pdata[i])->id);
  g_string_append (out, "]}");
  left = MIN (emu_jobs_get_next_end (emu) - emu_clock_now (&emu->clock), 60 * G_USEC_PER_SEC);
  emu_answer_take_header (
      &x->answer, "Retry-After",
      g_strdup_printf ("%" G_GINT64_FORMAT,
                       MAX (left + G_USEC_PER_SEC - 1, G_USEC_PER_SEC) / G_USEC_PER_SEC));
  tell_room (x);
  x->emu->counts.limited++;
  return FALSE;
}

/* --- what are its records? --- */

/* FALSE, with an answer, when a bulk call may not have so many. */
static gboolean
is_few (EmuExchange *x, const Bulk *bulk, gsize n)
{
  if (n <= MAX_RECORDS)
    return TRUE;
  if (bulk->kind == EMU_JOB_USERS_CREATE || bulk->kind == EMU_JOB_USERS_CREATE_OR_UPDATE)
    emu_answer_error (&x->answer, 400, "TooManyValues",
                      "Maximum 100 users may be created per call");
  else
    emu_answer_too_many (&x->answer, ""); /* two blanks: so does the service */
  return FALSE;
}

static gint64
find_external (const Emulator *emu, const Bulk *bulk, const char *external_id)
{
  const EmuUser *user;
  const EmuOrganization *organization;

  if (bulk->kind == EMU_JOB_USERS_UPDATE || bulk->kind == EMU_JOB_USERS_DELETE)
    {
      user = emu_users_find_external (emu->users, external_id);
      return user != NULL ? user->id : 0;
    }
  organization = emu_organizations_find_external (emu->organizations, external_id);
  return organization != NULL ? organization->id : 0;
}

static void
add_item (json_object *items, gint64 id, json_object *wish)
{
  json_object *item = json_object_new_object ();

  if (id != 0)
    json_object_object_add (item, "id", json_object_new_int64 (id));
  if (wish != NULL)
    json_object_object_add (item, "wish", json_object_get (wish));
  json_object_array_add (items, item);
}

/* Which record a row of a list of changes is about: by its id, or by its external_id; 0: none. */
static gint64
find_row (const Emulator *emu, const Bulk *bulk, json_object *row)
{
  g_autofree char *external_id = emu_json_dup_text (emu_json_get (row, "external_id"));
  gint64 id = 0;

  if (bulk->form == LISTED || emu_json_get_id (emu_json_get (row, "id"), &id) || external_id == NULL
      || bulk->kind == EMU_JOB_TICKETS_UPDATE)
    return id;
  return find_external (emu, bulk, external_id);
}

static json_object *
read_list (EmuExchange *x, const Bulk *bulk)
{
  json_object *list = emu_json_get (x->json, bulk->names);
  json_object *items;
  gsize n;

  if (!json_object_is_type (list, json_type_array) || json_object_array_length (list) == 0)
    {
      g_autofree char *text = g_strdup_printf ("You must pass a list of %s", bulk->names);

      emu_answer_bad_attribute (&x->answer, text);
      return NULL;
    }
  n = json_object_array_length (list);
  if (!is_few (x, bulk, n))
    return NULL;
  items = json_object_new_array ();
  for (gsize i = 0; i < n; i++)
    {
      json_object *row = json_object_array_get_idx (list, i);

      add_item (items, find_row (x->emu, bulk, row), row);
    }
  return items;
}

static json_object *
read_names (EmuExchange *x, const Bulk *bulk)
{
  gboolean external = emu_query (x, "external_ids") != NULL && emu_query (x, "ids") == NULL;
  g_auto (GStrv) words = emu_query_words (x, external ? "external_ids" : "ids");
  json_object *wish = emu_json_get (x->json, bulk->name);
  json_object *items;

  if (words == NULL)
    return NULL;
  if (words[0] == NULL)
    {
      emu_answer_bad_attribute (&x->answer, "You must pass ids or external_ids");
      return NULL;
    }
  items = json_object_new_array ();
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0')
      add_item (items,
                external ? find_external (x->emu, bulk, *word) : g_ascii_strtoll (*word, NULL, 10),
                wish);
  return items;
}

/* The one ticket of the route, which is there to be deleted for good. */
static json_object *
read_route (EmuExchange *x)
{
  const EmuTicket *ticket = emu_tickets_get (x->emu->tickets, x->id);
  json_object *items;

  if (ticket == NULL || !ticket->deleted || ticket->scrubbed)
    {
      emu_answer_not_found (&x->answer);
      return NULL;
    }
  items = json_object_new_array ();
  add_item (items, x->id, NULL);
  return items;
}

/* (transfer full) (nullable) with an answer */
static json_object *
read_items (EmuExchange *x, const Bulk *bulk)
{
  gboolean named = emu_query (x, "ids") != NULL || emu_query (x, "external_ids") != NULL;

  if (bulk->form == NAMED)
    return read_names (x, bulk);
  if (bulk->form == ROUTED)
    return read_route (x);
  if (!emu_api_has_json (x))
    return NULL;
  return bulk->form == LISTED_OR_NAMED && named ? read_names (x, bulk) : read_list (x, bulk);
}

/* --- queueing it --- */

static GRefString *
intern (const char *text)
{
  return text != NULL ? g_ref_string_new_intern (text) : NULL;
}

static void
set_faults (EmuJob *job, const EmuFault *fault)
{
  if (fault == NULL)
    return;
  if (fault->kind == EMU_FAULT_JOB_FAIL)
    {
      job->fail_after = fault->records;
      job->failure = fault->message != NULL ? g_ref_string_new_intern (fault->message) : NULL;
    }
  else if (fault->kind == EMU_FAULT_JOB_STALL)
    job->stall_after = fault->records;
  else if (fault->kind == EMU_FAULT_JOB_SHORT)
    job->n_short = MAX (fault->records, 1);
  else if (fault->kind == EMU_FAULT_JOB_MIXED)
    job->mixed = TRUE;
  else
    job->gone = TRUE;
  job->keep_rows = fault->rows;
}

static void
answer_job (EmuExchange *x, const EmuJob *job, const char *outcome)
{
  GString *out = emu_answer_begin (&x->answer, 200, outcome);

  g_string_append (out, "{\"job_status\":");
  emu_job_write (x->emu, job, out);
  g_string_append_c (out, '}');
}

static void
queue_job (EmuExchange *x)
{
  Emulator *emu = x->emu;
  const Bulk *bulk = find_bulk (x);
  g_autoptr (json_object) items = NULL;
  EmuJob *job;

  if (!is_allowed (x, bulk->kind))
    return;
  items = read_items (x, bulk);
  if (items == NULL || !has_room (x, bulk->kind))
    return;
  job = emu_job_new (emu->jobs, bulk->kind, items, emu_clock_now (&emu->clock));
  job->client = intern (x->client);
  job->address = intern (x->address);
  job->archive = bulk->kind == EMU_JOB_TICKETS_IMPORT
                 && g_strcmp0 (emu_query (x, "archive_immediately"), "true") == 0;
  set_faults (job, x->strike.job);
  emu_jobs_queue (emu, job);
  answer_job (x, job, "queued");
  tell_room (x);
}

/* --- telling of it --- */

static EmuJob *
find_job (EmuExchange *x, const char *id)
{
  EmuJob *job = emu_jobs_find (x->emu, id);

  return job != NULL && !job->gone ? job : NULL;
}

static void
show_job (EmuExchange *x)
{
  const EmuJob *job = find_job (x, x->word);

  if (job != NULL)
    answer_job (x, job, "shown");
  else
    emu_answer_not_found (&x->answer);
}

static void
write_job_row (const EmuList *list, gpointer row, GString *out)
{
  emu_job_write (list->x->emu, row, out);
}

static void
show_many_jobs (EmuExchange *x)
{
  g_auto (GStrv) words = emu_query_words (x, "ids");
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if (words == NULL)
    return;
  for (char **word = words; *word != NULL; word++)
    {
      EmuJob *job = find_job (x, *word);

      if (job != NULL && !g_ptr_array_find (rows, job, NULL))
        g_ptr_array_add (rows, job);
    }
  emu_answer_rows (x, "job_statuses", rows, write_job_row);
}

static gpointer
get_job (const EmuList *list, guint place)
{
  EmuJob *job = list->x->emu->jobs->all->pdata[place];

  return job->gone ? NULL : job;
}

/* The newest come first. */
static void
list_jobs (EmuExchange *x)
{
  EmuList list = { .x = x,
                   .name = "job_statuses",
                   .order = "-id",
                   .n_places = x->emu->jobs->all->len,
                   .descending = TRUE,
                   .get = get_job,
                   .write = write_job_row,
                   .more = (char *)"" };

  for (guint i = 0; i < list.n_places; i++)
    list.n_rows += get_job (&list, i) != NULL;
  emu_list_answer (&list);
}

const EmuRoute emu_bulk_routes[] = {
  { "POST", "tickets/create_many", queue_job },
  { "POST", "imports/tickets/create_many", queue_job },
  { "PUT", "tickets/update_many", queue_job },
  { "DELETE", "tickets/destroy_many", queue_job },
  { "DELETE", "deleted_tickets/destroy_many", queue_job, EMU_BUCKET_DESTROY_MANY },
  { "DELETE", "deleted_tickets/#", queue_job, EMU_BUCKET_DESTROY },
  { "POST", "users/create_many", queue_job },
  { "POST", "users/create_or_update_many", queue_job },
  { "PUT", "users/update_many", queue_job },
  { "DELETE", "users/destroy_many", queue_job },
  { "POST", "organizations/create_many", queue_job },
  { "PUT", "organizations/update_many", queue_job },
  { "DELETE", "organizations/destroy_many", queue_job },
  { "POST", "organization_memberships/create_many", queue_job },
  { "GET", "job_statuses", list_jobs },
  { "GET", "job_statuses/show_many", show_many_jobs },
  { "GET", "job_statuses/*", show_job },
  { 0 },
};
