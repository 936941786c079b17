/* spoil.c: what each kind of fault does to a request and to its answer */
#include "spoil.h"

#include <string.h>

#define HTML                                                                                       \
  "<!DOCTYPE html>\n<html><head><title>%u</title></head><body><h1>%u</h1>"                         \
  "<p>Something stands between you and the service.</p></body></html>\n"

static const struct
{
  guint status;
  const char *error, *description;
} errors[] = {
  { 400, "BadRequest", "Bad request" },
  { 401, "Couldn't authenticate you", NULL },
  { 404, "RecordNotFound", "Not found" },
  { 409, "DatabaseConflict", "Database collision" },
  { 429, "APIRateLimitExceeded", "Number of allowed API requests per minute exceeded" },
  { 500, "InternalServerError", "Something went wrong" },
  { 502, "BadGateway", "Bad gateway" },
  { 503, "ServiceUnavailable", "Database is busy" },
  { 504, "GatewayTimeout", "Gateway timeout" },
};

void
emu_spoil_write_limited (EmuAnswer *answer, gboolean text, const char *complaint, char *retry_after)
{
  if (text)
    emu_answer_set (answer, 429, EMU_TYPE_TEXT, "limited", complaint);
  else
    {
      emu_answer_error (answer, 429, "APIRateLimitExceeded", complaint);
      answer->outcome = "limited";
    }
  if (retry_after != NULL)
    emu_answer_take_header (answer, "Retry-After", retry_after);
}

static void
write_status (EmuAnswer *answer, guint status, const EmuFault *fault)
{
  const char *form = fault->body != NULL ? fault->body : "json";
  const char *error = "Error", *description = "An error that was asked for";

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    if (errors[i].status == status)
      {
        error = errors[i].error;
        description = errors[i].description;
      }

  if (fault->content != NULL)
    emu_answer_set (answer, status, fault->content_type, "spoiled", fault->content);
  else if (g_str_equal (form, "html"))
    {
      GString *out = emu_answer_begin (answer, status, "spoiled");

      g_string_append_printf (out, HTML, status, status);
      answer->type = EMU_TYPE_HTML;
    }
  else if (g_str_equal (form, "text"))
    emu_answer_set (answer, status, EMU_TYPE_TEXT, "spoiled", description);
  else if (g_str_equal (form, "empty"))
    emu_answer_set (answer, status, NULL, "spoiled", "");
  else
    {
      emu_answer_error (answer, status, error, description);
      answer->outcome = "spoiled";
    }
  if (fault->retry_after != NULL)
    emu_answer_take_header (answer, "Retry-After", g_strdup (fault->retry_after));
}

static void
write_invalid (EmuAnswer *answer, const EmuFault *fault)
{
  g_autoptr (GString) details = g_string_new (NULL);

  emu_json_add_text (details, fault->field != NULL ? fault->field : "base");
  g_string_append (details, ":[{\"description\":");
  emu_json_add_text (details,
                     fault->message != NULL ? fault->message : "Subject: cannot be accepted");
  g_string_append (details, ",\"error\":\"InvalidValue\"}]");
  emu_answer_invalid (answer, details->str);
}

/* A storm that lasts says how long it will; one that is counted says a second. */
static void
write_storm (EmuExchange *x, const EmuFault *fault)
{
  const char *wish = fault->retry_after;
  char *retry_after = NULL;

  if (wish == NULL && fault->storm_end > 0)
    {
      gint64 left = fault->storm_end - emu_clock_now (&x->emu->clock);

      retry_after = g_strdup_printf ("%" G_GINT64_FORMAT,
                                     MAX (left + G_USEC_PER_SEC - 1, 0) / G_USEC_PER_SEC);
    }
  else if (wish == NULL)
    retry_after = g_strdup ("1");
  else if (!g_str_equal (wish, "none"))
    retry_after = g_strdup (wish);
  emu_spoil_write_limited (&x->answer, g_strcmp0 (fault->body, "text") == 0,
                           emu_limits_get_complaint (EMU_BUCKET_ACCOUNT), retry_after);
  x->emu->counts.limited++;
}

static void
store_status (EmuExchange *x, const EmuFault *fault)
{
  write_status (&x->answer, (guint)fault->status, fault);
  if (x->entry != NULL && !x->emu->config.ignore_keys)
    emu_exchange_store (x);
}

void
emu_spoil_instead (EmuExchange *x, const EmuFault *fault)
{
  EmuAnswer *answer = &x->answer;

  switch (fault->kind)
    {
    case EMU_FAULT_STATUS_STORED:
      store_status (x, fault);
      break;
    case EMU_FAULT_CONFLICT:
      emu_answer_error (answer, 409, "DatabaseConflict", "Database collision");
      break;
    case EMU_FAULT_INVALID:
      write_invalid (answer, fault);
      break;
    case EMU_FAULT_MISMATCH:
      emu_answer_error (answer, 400, "IdempotentRequestError",
                        "Request parameters don't match the given idempotency key");
      break;
    case EMU_FAULT_STORM:
      write_storm (x, fault);
      break;
    case EMU_FAULT_UNAUTHORIZED:
      emu_answer_unauthorized (answer, x->authorization);
      break;
    case EMU_FAULT_FORBIDDEN:
      emu_answer_set (answer, 403, NULL, "forbidden",
                      "{\"error\":{\"title\":\"Forbidden\",\"message\":"
                      "\"You do not have access to this page. Please contact the account owner "
                      "of this help desk for further help.\"}}");
      break;
    case EMU_FAULT_REDIRECT:
      emu_answer_set (answer, (guint)fault->status, EMU_TYPE_HTML, "redirected", "");
      emu_answer_take_header (answer, "Location",
                              fault->location != NULL
                                  ? g_strdup (fault->location)
                                  : g_strconcat (x->emu->base_url, x->path, NULL));
      break;
    case EMU_FAULT_HTML:
      emu_spoil_after (x, fault);
      break;
    case EMU_FAULT_STATUS:
      write_status (answer, (guint)fault->status, fault);
      break;
    default:
      break;
    }
}

/* Writes the answer again after @change has been at its ticket. */
static void
change_ticket (EmuAnswer *answer, const char *member, const char *value)
{
  g_autoptr (json_object) root
      = emu_json_parse (answer->body->str, answer->body->len, EMU_JSON_DEPTH);
  json_object *ticket = emu_json_get (root, "ticket");

  if (ticket == NULL)
    return;
  if (value == NULL)
    json_object_object_del (ticket, member);
  else
    json_object_object_add (ticket, member, json_object_new_string (value));
  g_string_assign (answer->body,
                   json_object_to_json_string_ext (root, JSON_C_TO_STRING_PLAIN
                                                             | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* Whoever answers in the service's place knows nothing of what it would have said. */
static void
forget (EmuExchange *x)
{
  emu_answer_drop_headers (&x->answer);
  x->hide_lookup = TRUE;
}

void
emu_spoil_after (EmuExchange *x, const EmuFault *fault)
{
  EmuAnswer *answer = &x->answer;
  const char *outcome = answer->outcome;

  switch (fault->kind)
    {
    case EMU_FAULT_STATUS_AFTER:
      forget (x);
      write_status (answer, (guint)fault->status, fault);
      break;
    case EMU_FAULT_HTML:
      forget (x);
      g_string_printf (emu_answer_begin (answer, (guint)fault->status, "spoiled"), HTML,
                       (guint)fault->status, (guint)fault->status);
      answer->type = EMU_TYPE_HTML;
      break;
    case EMU_FAULT_EMPTY:
      forget (x);
      g_string_truncate (answer->body, 0);
      break;
    case EMU_FAULT_NO_ID:
      emu_answer_drop_headers (answer); /* Location would tell the id */
      change_ticket (answer, "id", NULL);
      break;
    case EMU_FAULT_OTHER_EXTERNAL_ID:
      change_ticket (answer, "external_id", fault->message != NULL ? fault->message : "other:1");
      break;
    default:
      break;
    }
  /* The history says what was done, not what the client was told. */
  if (outcome != NULL)
    answer->outcome = outcome;
}

gboolean
emu_spoil_closes (const EmuFault *fault)
{
  return fault->kind == EMU_FAULT_DROP_BEFORE || fault->kind == EMU_FAULT_DROP_AFTER
         || fault->kind == EMU_FAULT_DROP_THEN_ACT || fault->kind == EMU_FAULT_CLOSE_IDLE;
}
