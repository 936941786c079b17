/* access.c: the Authorization header, and a token that ran out */
#include "sink.h"
#include "answer.h"
#include "json.h"
#include "text.h"

#include <string.h>

/* No token that we have seen is longer. */
#define MAX_TOKEN 8192

void
zendesk_access_init (ZendeskSink *sink)
{
  ZendeskAccess *access = &sink->access;

  access->waiting = g_ptr_array_new ();
  if (sink->access_token != NULL)
    access->header = g_strconcat ("Bearer ", sink->access_token, NULL);
  else if (sink->email != NULL)
    {
      g_autofree char *plain = g_strdup_printf ("%s/token:%s", sink->email, sink->token);
      g_autofree char *encoded = g_base64_encode ((const guchar *) plain, strlen (plain));

      access->header = g_strconcat ("Basic ", encoded, NULL);
    }
}

void
zendesk_access_clear (ZendeskAccess *access)
{
  g_free (access->header);
  g_free (access->token);
  g_clear_pointer (&access->waiting, g_ptr_array_unref);
  memset (access, 0, sizeof *access);
}

gboolean
zendesk_access_renews (const ZendeskSink *sink)
{
  return sink->client_id != NULL;
}

char *
zendesk_access_request (const ZendeskSink *sink)
{
  GString *out = g_string_new ("{\"grant_type\":\"client_credentials\",\"client_id\":");

  tally_json_append_string ((TallyText){ sink->client_id, strlen (sink->client_id) }, out);
  g_string_append (out, ",\"client_secret\":");
  tally_json_append_string ((TallyText){ sink->client_secret, strlen (sink->client_secret) }, out);
  g_string_append (out, ",\"scope\":");
  tally_json_append_string ((TallyText){ sink->scope, strlen (sink->scope) }, out);
  g_string_append_c (out, '}');
  return g_string_free (out, FALSE);
}

/* What may stand in a header as it is. */
static gboolean
is_plain (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isgraph (*p))
      return FALSE;
  return *text != '\0' && strlen (text) <= MAX_TOKEN;
}

gboolean
zendesk_access_take (ZendeskSink *sink, gint status, const char *text, gsize length, GError **error)
{
  ZendeskAccess *access = &sink->access;
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  const char *token = zendesk_json_get_text (body, "access_token");

  if (status < 200 || status > 299)
    {
      const char *why = zendesk_json_get_text (body, "error_description");
      g_autoptr (GString) shown = g_string_new (NULL);

      if (why == NULL)
        why = zendesk_json_get_text (body, "error");
      if (why == NULL)
        why = "";
      g_autofree char *clean = zendesk_text_clean (why, strlen (why), 200);
      g_string_assign (shown, clean);
      zendesk_access_redact (sink, shown);
      return tally_throw (error, TALLY_ERROR_AUTH, "no token for client \"%s\": HTTP %d%s%s",
                          sink->client_id, status, shown->len > 0 ? ": " : "", shown->str);
    }
  if (token == NULL || !is_plain (token))
    return tally_throw (error, TALLY_ERROR_AUTH,
                        "no token for client \"%s\": the answer has no \"access_token\"", sink->client_id);

  g_free (access->token);
  g_free (access->header);
  access->token = g_strdup (token);
  access->header = g_strconcat ("Bearer ", token, NULL);
  access->generation++;
  access->proven = FALSE;
  return TRUE;
}

void
zendesk_access_redact (const ZendeskSink *sink, GString *text)
{
  const char *header = sink->access.header;
  const char *encoded = header != NULL ? strchr (header, ' ') : NULL;
  const char *secrets[] = { sink->access_token, sink->token, sink->client_secret, sink->access.token,
                            encoded != NULL ? encoded + 1 : NULL };

  zendesk_text_redact (text, secrets, G_N_ELEMENTS (secrets));
}
