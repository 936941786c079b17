/* answer.c: what will go back to the client, before any HTTP library sees it */
#include "answer.h"

#include "json.h"

#include <string.h>

void
emu_answer_drop_headers (EmuAnswer *answer)
{
  for (guint i = 0; i < answer->n_headers; i++)
    g_free (answer->headers[i].value);
  answer->n_headers = 0;
}

void
emu_answer_clear (EmuAnswer *answer)
{
  if (answer->body != NULL)
    g_string_free (answer->body, TRUE);
  emu_answer_drop_headers (answer);
  *answer = (EmuAnswer){ 0 };
}

GString *
emu_answer_begin (EmuAnswer *answer, guint status, const char *outcome)
{
  answer->status = status;
  answer->type = NULL;
  answer->outcome = outcome;
  if (answer->body == NULL)
    answer->body = g_string_sized_new (4096);
  return g_string_truncate (answer->body, 0);
}

void
emu_answer_set (EmuAnswer *answer, guint status, const char *type, const char *outcome,
                const char *body)
{
  g_string_append (emu_answer_begin (answer, status, outcome), body);
  answer->type = type;
}

void
emu_answer_take_header (EmuAnswer *answer, const char *name, char *value)
{
  if (answer->n_headers == EMU_ANSWER_HEADERS || strpbrk (value, "\r\n") != NULL)
    {
      g_free (value);
      return;
    }
  answer->headers[answer->n_headers].name = name;
  answer->headers[answer->n_headers].value = value;
  answer->n_headers++;
}

void
emu_answer_error (EmuAnswer *answer, guint status, const char *error, const char *description)
{
  GString *out = emu_answer_begin (answer, status, error);

  g_string_append (out, "{\"error\":");
  emu_json_add_text (out, error);
  if (description != NULL)
    {
      g_string_append (out, ",\"description\":");
      emu_json_add_text (out, description);
    }
  g_string_append_c (out, '}');
}

void
emu_answer_not_found (EmuAnswer *answer)
{
  emu_answer_error (answer, 404, "RecordNotFound", "Not found");
}

void
emu_answer_no_endpoint (EmuAnswer *answer)
{
  emu_answer_error (answer, 404, "InvalidEndpoint", "Not found");
}

void
emu_answer_unauthorized (EmuAnswer *answer, const char *authorization)
{
  if (authorization != NULL && g_ascii_strncasecmp (authorization, "Bearer", 6) == 0)
    emu_answer_set (answer, 401, NULL, "unauthorized",
                    "{\"error\":\"invalid_token\",\"error_description\":\"The access token "
                    "provided is expired, revoked, malformed or invalid for other reasons.\"}");
  else
    emu_answer_set (answer, 401, NULL, "unauthorized", "{\"error\":\"Couldn't authenticate you\"}");
}

void
emu_answer_invalid (EmuAnswer *answer, const char *details)
{
  GString *out = emu_answer_begin (answer, 422, "invalid");

  g_string_append (out, "{\"error\":\"RecordInvalid\",\"description\":"
                        "\"Record validation errors\",\"details\":{");
  g_string_append (out, details);
  g_string_append (out, "}}");
}

void
emu_answer_bad_attribute (EmuAnswer *answer, const char *message)
{
  GString *out = emu_answer_begin (answer, 400, "bad-attribute");

  g_string_append (out, "{\"error\":{\"title\":\"Invalid attribute\",\"message\":");
  emu_json_add_text (out, message);
  g_string_append (out, "}}");
}

void
emu_answer_bad_page (EmuAnswer *answer, const char *code, const char *title)
{
  GString *out = emu_answer_begin (answer, 400, "bad-page");

  g_string_append (out, "{\"errors\":[{\"code\":");
  emu_json_add_text (out, code);
  g_string_append (out, ",\"title\":");
  emu_json_add_text (out, title);
  g_string_append (out, "}]}");
}

void
emu_answer_too_many (EmuAnswer *answer, const char *parameter)
{
  g_string_append_printf (emu_answer_begin (answer, 400, "too-many"),
                          "{\"error\":\"TooManyValues\",\"description\":\"Parameter %s cannot "
                          "specify more than 100 values\",\"max_count\":100}",
                          parameter);
}
