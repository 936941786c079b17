/* access.c: the Authorization header, and a token that ran out */
#include "account.h"
#include "answer.h"
#include "text.h"

#include <string.h>

/* No token that we have seen is longer. */
#define MAX_TOKEN 8192

void
zendesk_access_init (ZendeskAccount *account)
{
  ZendeskAccess *access = &account->access;

  access->waiting = g_ptr_array_new ();
  if (account->access_token != NULL)
    access->header = g_strconcat ("Bearer ", account->access_token, NULL);
  else if (account->email != NULL)
    {
      g_autofree char *plain = g_strdup_printf ("%s/token:%s", account->email, account->token);
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
zendesk_access_renews (const ZendeskAccount *account)
{
  return account->client_id != NULL;
}

char *
zendesk_access_request (const ZendeskAccount *account)
{
  GString *out = g_string_new ("{\"grant_type\":\"client_credentials\",\"client_id\":");

  tally_json_append_string ((TallyText){ account->client_id, strlen (account->client_id) }, out);
  g_string_append (out, ",\"client_secret\":");
  tally_json_append_string ((TallyText){ account->client_secret, strlen (account->client_secret) }, out);
  g_string_append (out, ",\"scope\":");
  tally_json_append_string ((TallyText){ account->scope, strlen (account->scope) }, out);
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
zendesk_access_take (ZendeskAccount *account, gint status, const char *text, gsize length, GError **error)
{
  ZendeskAccess *access = &account->access;
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
      zendesk_access_redact (account, shown);
      return tally_throw (error, TALLY_ERROR_AUTH, "no token for client \"%s\": HTTP %d%s%s",
                          account->client_id, status, shown->len > 0 ? ": " : "", shown->str);
    }
  if (token == NULL || !is_plain (token))
    return tally_throw (error, TALLY_ERROR_AUTH,
                        "no token for client \"%s\": the answer has no \"access_token\"", account->client_id);

  g_free (access->token);
  g_free (access->header);
  access->token = g_strdup (token);
  access->header = g_strconcat ("Bearer ", token, NULL);
  access->generation++;
  access->proven = FALSE;
  return TRUE;
}

void
zendesk_access_redact (const ZendeskAccount *account, GString *text)
{
  const char *header = account->access.header;
  const char *encoded = header != NULL ? strchr (header, ' ') : NULL;
  const char *secrets[] = { account->access_token, account->token, account->client_secret, account->access.token,
                            encoded != NULL ? encoded + 1 : NULL };

  zendesk_text_redact (text, secrets, G_N_ELEMENTS (secrets));
}

/* --- a token that ran out --- */

/* None of those that wait for a token was acted upon; with the new one they can be sent again. */
static void
end_waiting (ZendeskAccount *account, TallyVerdict verdict, const char *detail)
{
  g_autoptr (GPtrArray) waiting = g_steal_pointer (&account->access.waiting);

  account->access.waiting = g_ptr_array_new ();
  account->access.refreshing = FALSE;
  for (guint i = 0; i < waiting->len; i++)
    {
      ZendeskWaiter *waiter = waiting->pdata[i];

      waiter->on_token (waiter, verdict, detail);
    }
}

static void
on_token (ZendeskCall *call, gpointer data)
{
  ZendeskAccount *account = data;
  g_autoptr (GError) error = NULL;

  if (call->status == 0)
    end_waiting (account, TALLY_VERDICT_BUSY, call->problem);
  else if (call->status >= 500 || call->status == 429)
    end_waiting (account, TALLY_VERDICT_BUSY, "Zendesk gives no new token just now");
  else if (zendesk_access_take (account, call->status, call->answer->str, call->answer->len, &error))
    end_waiting (account, TALLY_VERDICT_BUSY, "the token had run out; there is a new one");
  else
    end_waiting (account, TALLY_VERDICT_HALT, error->message);
}

static void
wait_for_token (ZendeskAccount *account, ZendeskWaiter *waiter)
{
  g_ptr_array_add (account->access.waiting, waiter);
  if (account->access.refreshing)
    return;
  account->access.refreshing = TRUE;
  zendesk_http_start_with (account->http, "POST", "/oauth/tokens", NULL, zendesk_access_request (account), 0,
                           on_token, account);
}

void
zendesk_access_note (ZendeskAccount *account, const ZendeskWaiter *waiter, gint status)
{
  if (status != 401 && waiter->generation == account->access.generation)
    account->access.proven = TRUE;
}

gboolean
zendesk_access_refused (ZendeskAccount *account, ZendeskWaiter *waiter)
{
  ZendeskAccess *access = &account->access;

  if (!zendesk_access_renews (account))
    return FALSE;
  if (waiter->generation != access->generation)
    waiter->on_token (waiter, TALLY_VERDICT_BUSY, "the token had run out; there is a new one");
  else if (access->proven || access->refreshing)
    wait_for_token (account, waiter);
  else /* fetched a moment ago, and refused all the same */
    return FALSE;
  return TRUE;
}

gboolean
zendesk_access_queue (ZendeskAccount *account, ZendeskWaiter *waiter)
{
  if (!account->access.refreshing)
    return FALSE;
  g_ptr_array_add (account->access.waiting, waiter);
  return TRUE;
}

void
zendesk_access_forget (ZendeskAccount *account, ZendeskWaiter *waiter)
{
  if (account->access.waiting != NULL)
    g_ptr_array_remove_fast (account->access.waiting, waiter);
}
