/* api.c: which path does what */
#include "api.h"

#include "catalogue.h"
#include "comments.h"
#include "deleted.h"
#include "files.h"
#include "lists.h"
#include "metrics.h"
#include "pages.h"
#include "people-api.h"
#include "sideload.h"
#include "spoil.h"
#include "ticket-json.h"

#include <string.h>

gboolean
emu_api_has_json (EmuExchange *x)
{
  if (x->json != NULL)
    return TRUE;
  emu_answer_error (&x->answer, 400, "InvalidRequest", "The request body is not valid JSON");
  return FALSE;
}

EmuTicket *
emu_api_find_ticket (EmuExchange *x)
{
  EmuTicket *ticket = emu_tickets_get (x->emu->tickets, x->id);

  if (ticket != NULL && !ticket->deleted)
    return ticket;
  emu_answer_not_found (&x->answer);
  return NULL;
}

static void
take_warning (EmuExchange *x, const EmuDraft *draft)
{
  char *warning = emu_draft_dup_warning (draft);

  if (warning != NULL)
    emu_answer_take_header (&x->answer, "x-zendesk-api-warn", warning);
}

/* TRUE when the draft had problems, which are answered then. */
static gboolean
refuse_draft (EmuExchange *x, const EmuDraft *draft)
{
  g_autofree char *details = emu_problems_dup_details (&draft->problems);

  if (details == NULL)
    return FALSE;
  emu_answer_invalid (&x->answer, details);
  if (x->claimed && x->emu->config.store_errors)
    emu_exchange_store (x);
  return TRUE;
}

static EmuOrigin
get_origin (EmuExchange *x, gint64 now)
{
  return (EmuOrigin){ .client = x->client,
                      .address = x->address,
                      .json = x->json,
                      .external_id = emu_history_get (x->emu->history, x->event)->external_id,
                      .key = x->emu->config.ignore_keys ? NULL : x->entry,
                      .digest = x->digest,
                      .time = now,
                      .arrived = x->arrived };
}

static void
create (EmuExchange *x, EmuAction action)
{
  Emulator *emu = x->emu;
  gint64 now = emu_clock_now (&emu->clock);
  EmuOrigin origin = get_origin (x, now);
  const char *archive = emu_query (x, "archive_immediately");
  EmuTicket *ticket;

  if (!emu_api_has_json (x))
    return;

  g_autoptr (EmuDraft) draft
      = emulator_read_draft (emu, action, x->json, NULL, now / G_USEC_PER_SEC);
  take_warning (x, draft);
  if (refuse_draft (x, draft))
    return;

  ticket = emulator_create (emu, draft, &origin,
                            action == EMU_IMPORT && g_strcmp0 (archive, "true") == 0);
  GString *out = emu_answer_begin (&x->answer, 201, "created");
  if (action == EMU_IMPORT)
    {
      g_string_append (out, "{\"ticket\":");
      emu_ticket_write (ticket, emu->fields, emu->base_url, TRUE, out);
      g_string_append_c (out, '}');
    }
  else
    emu_ticket_write_created (ticket, emu->fields, emu->users->admin->id, emu->base_url, out);
  emu_answer_take_header (&x->answer, "Location", emulator_dup_ticket_url (emu, ticket->id));
  if (origin.key != NULL)
    {
      x->lookup = "miss";
      emu->counts.misses++;
    }
}

static void
create_ticket (EmuExchange *x)
{
  create (x, EMU_CREATE);
}

static void
import_ticket (EmuExchange *x)
{
  create (x, EMU_IMPORT);
}

static void
show_ticket (EmuExchange *x)
{
  EmuTicket *ticket = emu_api_find_ticket (x);
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if (ticket == NULL)
    return;
  GString *out = emu_answer_begin (&x->answer, 200, "shown");
  g_string_append (out, "{\"ticket\":");
  emu_sideload_write_ticket (x, ticket, out);
  g_ptr_array_add (rows, ticket);
  emu_sideload_tickets (&(EmuList){ .x = x }, rows, out);
  g_string_append_c (out, '}');
}

static gboolean
is_safe (EmuExchange *x, const EmuTicket *ticket)
{
  if (emu_draft_is_safe (emu_json_get (x->json, "ticket"), ticket))
    return TRUE;
  emu_answer_error (&x->answer, 409, "UpdateConflict", EMU_UPDATE_CONFLICT);
  return FALSE;
}

static void
update_ticket (EmuExchange *x)
{
  Emulator *emu = x->emu;
  gint64 now = emu_clock_now (&emu->clock);
  EmuOrigin origin = get_origin (x, now);
  EmuTicket *ticket = emu_api_find_ticket (x);

  if (ticket == NULL || !emu_api_has_json (x) || !is_safe (x, ticket))
    return;

  g_autoptr (EmuDraft) draft
      = emulator_read_draft (emu, EMU_UPDATE, x->json, ticket, now / G_USEC_PER_SEC);
  take_warning (x, draft);
  emu_draft_check_update (draft, ticket);
  if (refuse_draft (x, draft))
    return;

  g_autoptr (GString) audit = g_string_new (NULL);
  emulator_update (emu, ticket, draft, &origin, audit);
  GString *out = emu_answer_begin (&x->answer, 200, "updated");
  g_string_append (out, "{\"ticket\":");
  emu_ticket_write (ticket, emu->fields, emu->base_url, FALSE, out);
  g_string_append (out, ",\"audit\":");
  g_string_append_len (out, audit->str, (gssize)audit->len);
  g_string_append_c (out, '}');
}

static void
delete_ticket (EmuExchange *x)
{
  EmuTicket *ticket = emu_api_find_ticket (x);

  if (ticket == NULL)
    return;
  emulator_delete (x->emu, ticket, emu_clock_seconds (&x->emu->clock));
  emu_answer_set (&x->answer, 204, NULL, "deleted", "");
}

static void
count_tickets (EmuExchange *x)
{
  GString *out = emu_answer_begin (&x->answer, 200, "shown");

  g_string_append_printf (out,
                          "{\"count\":{\"value\":%u,\"refreshed_at\":", x->emu->tickets->n_live);
  emu_json_add_time (out, emu_clock_seconds (&x->emu->clock));
  g_string_append (out, "}}");
}

static void
list_fields (EmuExchange *x)
{
  const EmuFields *fields = x->emu->fields;
  GString *out = emu_answer_begin (&x->answer, 200, "listed");
  guint n_system = fields->system->len, n = n_system + fields->custom->len;

  g_string_append (out, "{\"ticket_fields\":[");
  for (guint i = 0; i < n; i++)
    {
      gboolean custom = i >= n_system;

      if (i > 0)
        g_string_append_c (out, ',');
      emu_field_write (custom ? fields->custom->pdata[i - n_system] : fields->system->pdata[i], out,
                       i, custom, x->emu->base_url);
    }
  g_string_append_c (out, ']');
  emu_list_write_whole (n, out);
}

static void
show_field (EmuExchange *x)
{
  const GPtrArray *lists[] = { x->emu->fields->system, x->emu->fields->custom };

  for (guint k = 0; k < G_N_ELEMENTS (lists); k++)
    for (guint i = 0; i < lists[k]->len; i++)
      if (((EmuField *)lists[k]->pdata[i])->id == x->id)
        {
          GString *out = emu_answer_begin (&x->answer, 200, "shown");

          g_string_append (out, "{\"ticket_field\":");
          emu_field_write (lists[k]->pdata[i], out, k == 0 ? i : lists[0]->len + i, k == 1,
                           x->emu->base_url);
          g_string_append_c (out, '}');
          return;
        }
  emu_answer_not_found (&x->answer);
}

static gboolean
is_token_request (const EmuExchange *x)
{
  return g_str_equal (x->method, "POST") && g_str_equal (x->path, EMU_OAUTH_PATH);
}

/* The only grant is that of a client for itself. */
static void
issue_token (EmuExchange *x)
{
  EmuAuth *auth = &x->emu->auth;
  g_autofree char *grant = emu_json_dup_text (emu_json_get (x->json, "grant_type"));
  g_autofree char *id = emu_json_dup_text (emu_json_get (x->json, "client_id"));
  g_autofree char *secret = emu_json_dup_text (emu_json_get (x->json, "client_secret"));

  if (g_strcmp0 (grant, "client_credentials") != 0)
    emu_answer_set (&x->answer, 400, NULL, "no-token",
                    "{\"error\":\"unsupported_grant_type\",\"error_description\":"
                    "\"The authorization grant type is not supported.\"}");
  else if (id == NULL || secret == NULL || g_strcmp0 (id, auth->client_id) != 0
           || g_strcmp0 (secret, auth->client_secret) != 0)
    emu_answer_set (&x->answer, 401, NULL, "no-token",
                    "{\"error\":\"invalid_client\",\"error_description\":"
                    "\"Client authentication did not succeed.\"}");
  else
    {
      g_autofree char *token = emu_auth_issue (auth, emu_clock_seconds (&x->emu->clock));

      g_string_append_printf (emu_answer_begin (&x->answer, 200, "token"),
                              "{\"access_token\":\"%s\",\"token_type\":\"bearer\","
                              "\"scope\":\"read write\",\"expires_in\":%" G_GINT64_FORMAT "}",
                              token, auth->token_life);
    }
}

static const EmuRoute ticket_routes[] = {
  { "POST", "tickets", create_ticket, EMU_BUCKET_CREATE },
  { "GET", "tickets", emu_list_tickets },
  { "GET", "tickets/#", show_ticket },
  { "PUT", "tickets/#", update_ticket, EMU_BUCKET_UPDATE, EMU_BUCKET_TICKET },
  { "DELETE", "tickets/#", delete_ticket, EMU_BUCKET_DELETE },
  { "GET", "tickets/count", count_tickets },
  { "GET", "tickets/show_many", emu_show_many },
  { "GET", "deleted_tickets", emu_list_deleted, EMU_BUCKET_DELETED },
  { "PUT", "deleted_tickets/#/restore", emu_restore_ticket },
  { "PUT", "deleted_tickets/restore_many", emu_restore_many },
  { "GET", "tickets/#/comments", emu_list_comments },
  { "GET", "tickets/#/metrics", emu_show_metrics },
  { "GET", "tickets/#/audits", emu_list_audits },
  { "GET", "tickets/#/audits/*", emu_show_audit },
  { "POST", "imports/tickets", import_ticket },
  { "POST", "uploads", emu_send_file },
  { "DELETE", "uploads/*", emu_delete_upload },
  { "GET", "attachments/#", emu_show_attachment },
  { "GET", "groups", emu_list_reference },
  { "GET", "groups/#", emu_show_reference },
  { "GET", "groups/assignable", emu_list_assignable_groups },
  { "GET", "groups/#/memberships", emu_list_memberships_of_group },
  { "GET", "group_memberships", emu_list_reference },
  { "GET", "group_memberships/#", emu_show_reference },
  { "GET", "users/#/group_memberships", emu_list_memberships_of_user },
  { "GET", "users/#/groups", emu_list_groups_of_user },
  { "GET", "brands", emu_list_reference },
  { "GET", "brands/#", emu_show_reference },
  { "GET", "ticket_forms", emu_list_reference },
  { "GET", "ticket_forms/#", emu_show_reference },
  { "GET", "custom_statuses", emu_list_reference },
  { "GET", "custom_statuses/#", emu_show_reference },
  { "GET", "custom_roles", emu_list_reference },
  { "GET", "custom_roles/#", emu_show_reference },
  { "GET", "locales", emu_list_reference },
  { "GET", "locales/#", emu_show_reference },
  { "GET", "locales/current", emu_show_current_locale },
  { "GET", "account/settings", emu_show_settings },
  { "GET", "ticket_fields", list_fields },
  { "GET", "ticket_fields/#", show_field },
  { 0 },
};

static const EmuRoute *const routes[]
    = { ticket_routes,     emu_user_routes,   emu_organization_routes, emu_bulk_routes,
        emu_export_routes, emu_search_routes, emu_list_routes,         emu_ticket_part_routes };

/* Whether @route is as @pattern says; its numbers and its word go to @x. */
static gboolean
matches (const char *pattern, const char *route, EmuExchange *x)
{
  gint64 *number = &x->id;

  x->id = x->other = 0;
  while (*pattern != '\0')
    if (*pattern == '#')
      {
        char *end;

        if (!g_ascii_isdigit (*route))
          return FALSE;
        *number = g_ascii_strtoll (route, &end, 10);
        number = &x->other;
        route = end;
        pattern++;
      }
    else if (*pattern == '*') /* only at the end */
      {
        x->word = route;
        return *route != '\0' && strchr (route, '/') == NULL;
      }
    else if (*pattern++ != *route++)
      return FALSE;
  return *route == '\0';
}

/* (nullable) (unowned) */
static const EmuRoute *
find_route (EmuExchange *x)
{
  for (guint i = 0; i < G_N_ELEMENTS (routes); i++)
    for (const EmuRoute *route = routes[i]; route->method != NULL; route++)
      if (g_str_equal (route->method, x->method) && matches (route->route, x->route, x))
        return route;
  return NULL;
}

/* TRUE when the request may go on as the administrator. */
static gboolean
check_credentials (EmuExchange *x)
{
  Emulator *emu = x->emu;

  if (is_token_request (x) || emu_is_content (x)
      || emu_auth_check (&emu->auth, x->authorization, emu_clock_seconds (&emu->clock)))
    return TRUE;
  /* The trap: without a token, /users/me says who you are, and you are nobody. */
  if (g_str_equal (x->route, "users/me") && emu_auth_is_nobody (x->authorization))
    emu_show_nobody (x);
  else
    emu_answer_unauthorized (&x->answer, x->authorization);
  return FALSE;
}

/* An organization's own limit complains in a shape of its own. */
static void
refuse_limited (EmuExchange *x, EmuBucketKind kind, guint reset)
{
  const char *complaint = emu_limits_get_complaint (kind);
  char *retry_after = g_strdup_printf ("%u", reset);

  if (kind != EMU_BUCKET_UPDATE_ORGANIZATION)
    {
      emu_spoil_write_limited (&x->answer, x->emu->config.limit_text, complaint, retry_after);
      return;
    }
  g_string_append_printf (emu_answer_begin (&x->answer, 429, "limited"),
                          "{\"errors\":[{\"code\":\"TooManyRequests\",\"title\":\"%s\"}]}",
                          complaint);
  emu_answer_take_header (&x->answer, "Retry-After", retry_after);
}

static gboolean
check_limit (EmuExchange *x, EmuBucketKind kind)
{
  Emulator *emu = x->emu;
  gint64 now = emu_clock_seconds (&emu->clock);
  EmuBudget budget;

  if (emu_limits_take (&emu->limits, kind, x->subject, now))
    return TRUE;
  emu_limits_get (&emu->limits, kind, x->subject, now, &budget);
  refuse_limited (x, kind, budget.reset);
  emu->counts.limited++;
  return FALSE;
}

/* Whose own budget the request uses: the record in the route's, or who the body says it is. */
static gint64
get_subject (const EmuExchange *x)
{
  json_object *user = emu_json_get (x->json, "user");
  json_object *name = emu_json_get (user, "external_id");
  g_autofree char *text = NULL, *folded = NULL;

  if (x->id != 0)
    return x->id;
  text = emu_json_dup_text (name != NULL ? name : emu_json_get (user, "email"));
  folded = emu_fold (text);
  return folded != NULL ? (gint64)emu_history_hash (folded, strlen (folded)) : 0;
}

void
emu_api_admit (EmuExchange *x)
{
  const EmuRoute *route = find_route (x);

  if (route != NULL)
    {
      x->bucket = route->bucket;
      x->each = route->each;
      x->subject = get_subject (x);
    }
  if (!check_credentials (x) || !check_limit (x, EMU_BUCKET_ACCOUNT))
    return;
  if ((x->bucket != EMU_BUCKET_ACCOUNT && !check_limit (x, x->bucket))
      || (x->each != EMU_BUCKET_ACCOUNT && !check_limit (x, x->each)))
    return;
  if (x->too_large)
    emu_answer_error (&x->answer, 413, "RequestEntityTooLarge", "The request body is too large");
}

void
emu_api_act (EmuExchange *x)
{
  const EmuRoute *route = find_route (x);

  if (route != NULL)
    route->act (x);
  else if (is_token_request (x))
    issue_token (x);
  else if (emu_is_content (x))
    emu_show_content (x);
  else
    emu_answer_no_endpoint (&x->answer);
}
