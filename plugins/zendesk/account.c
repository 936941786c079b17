/* account.c: one Zendesk account, and what is asked of it before the first record */
#include "account.h"
#include "answer.h"
#include "host.h"
#include "text.h"

#include <string.h>

/* Connections at once, should the server not take many requests over one: the core holds the number
 * of requests below it. */
#define MAX_CONNECTIONS 256

static gboolean
check_uri (GUri *uri, const char *url, GError **error)
{
  const char *scheme = g_uri_get_scheme (uri), *path = g_uri_get_path (uri);
  gboolean tls = g_str_equal (scheme, "https");

  if (!tls && !g_str_equal (scheme, "http"))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"url\" begins with https://, not \"%s://\"", scheme);
  if (g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "\"url\" names no host: \"%s\"", url);
  if (!tls && !tally_is_this_machine (g_uri_get_host (uri)))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"url\" has to begin with https://: over http:// everybody on the way to \"%s\" "
                        "could read the credentials", g_uri_get_host (uri));
  if (*path != '\0' && !g_str_equal (path, "/"))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"url\" ends with the host, as https://acme.zendesk.com; \"%s\" is added by the "
                        "sink itself", path);
  if (g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"url\" ends with the host: \"%s\"", url);
  return TRUE;
}

gboolean
zendesk_url_parse (const char *url, char **ret_base, char **ret_target, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  g_autofree char *host = NULL;
  gint port;

  /* Looked at first, because the other messages show the address. */
  if (strchr (url, '@') != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"url\" has an \"@\"; credentials have options of their own");
  if (uri == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"url\" is no address such as https://acme.zendesk.com: \"%s\"", url);
  if (!check_uri (uri, url, error))
    return FALSE;

  host = g_ascii_strdown (g_uri_get_host (uri), -1);
  if (strchr (host, ':') != NULL)
    {
      g_autofree char *bare = g_steal_pointer (&host);

      host = g_strdup_printf ("[%s]", bare);
    }
  port = g_uri_get_port (uri);
  if (port == (g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80))
    port = -1;
  *ret_target = port > 0 ? g_strdup_printf ("%s:%d", host, port) : g_strdup (host);
  *ret_base = g_strdup_printf ("%s://%s", g_uri_get_scheme (uri), *ret_target);
  return TRUE;
}

/* --- what is left to others --- */

/* "08-18", "22-06" or "else", for which both are 0; ret_last is the hour after the last one. */
static gboolean
parse_hours (const char *text, gsize length, guint *ret_first, guint *ret_last)
{
  g_autofree char *hours = g_strndup (text, length);
  guint64 first, last;
  char *dash = strchr (hours, '-');

  *ret_first = *ret_last = 0;
  if (g_str_equal (hours, "else"))
    return TRUE;
  if (dash == NULL)
    return FALSE;
  *dash = '\0';
  if (!g_ascii_string_to_unsigned (hours, 10, 0, TALLY_HOURS - 1, &first, NULL)
      || !g_ascii_string_to_unsigned (dash + 1, 10, 1, TALLY_HOURS, &last, NULL) || first == last)
    return FALSE;
  *ret_first = (guint) first;
  *ret_last = (guint) last;
  return TRUE;
}

static gboolean
parse_percent (const char *text, guint8 *ret_percent)
{
  g_autofree char *digits = g_strdup (text);
  gsize length = strlen (digits);
  guint64 percent;

  if (length < 2 || digits[length - 1] != '%')
    return FALSE;
  digits[length - 1] = '\0';
  if (!g_ascii_string_to_unsigned (digits, 10, 0, 95, &percent, NULL))
    return FALSE;
  *ret_percent = (guint8) percent;
  return TRUE;
}

gboolean
zendesk_reserve_parse (const char *const *list, guint8 ret_reserve[TALLY_HOURS], GError **error)
{
  gboolean given[TALLY_HOURS] = { FALSE };
  guint8 rest = ZENDESK_RESERVE;

  for (; list != NULL && *list != NULL; list++)
    {
      const char *equals = strchr (*list, '=');
      guint first = 0, last = 0;
      guint8 percent;

      if ((equals != NULL && !parse_hours (*list, (gsize) (equals - *list), &first, &last))
          || !parse_percent (equals != NULL ? equals + 1 : *list, &percent))
        return tally_throw (error, TALLY_ERROR_USAGE,
                            "\"%s\" in \"reserve\" is neither a part of the rate limit up to 95%%, as 20%%, nor one for "
                            "some hours, as 08-18=50%% or else=0%%", *list);
      if (first == last)
        rest = percent;
      for (guint hour = first; hour < (last < first ? last + TALLY_HOURS : last); hour++)
        {
          ret_reserve[hour % TALLY_HOURS] = percent;
          given[hour % TALLY_HOURS] = TRUE;
        }
    }
  for (guint hour = 0; hour < TALLY_HOURS; hour++)
    if (!given[hour])
      ret_reserve[hour] = rest;
  return TRUE;
}

/* --- rules between options --- */

/* What may go into a header: anything else could end it and begin another. */
static gboolean
check_plain (const char *name, const char *value, gboolean blanks, GError **error)
{
  for (const char *p = value; p != NULL && *p != '\0'; p++)
    if (!g_ascii_isgraph (*p) && !(blanks && *p == ' '))
      return tally_throw (error, TALLY_ERROR_USAGE,
                          "\"%s\" has a %s in it", name,
                          g_ascii_isspace (*p) ? "blank or line break" : "character other than ASCII");
  return TRUE;
}

static gboolean
check_pair (const char *one_name, const char *one, const char *other_name, const char *other,
            GError **error)
{
  if ((one == NULL) == (other == NULL))
    return TRUE;
  return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" needs \"%s\" with it",
                      one != NULL ? one_name : other_name, one != NULL ? other_name : one_name);
}

static gboolean
check_credentials (const ZendeskAccount *account, GError **error)
{
  guint ways = (account->access_token != NULL) + (account->email != NULL) + (account->client_id != NULL);

  if (!check_pair ("email", account->email, "token", account->token, error)
      || !check_pair ("client_id", account->client_id, "client_secret", account->client_secret, error))
    return FALSE;
  if (ways != 1)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "credentials are given in %s: \"access_token\", or \"email\" with \"token\", or "
                        "\"client_id\" with \"client_secret\"",
                        ways == 0 ? "one of three ways" : "one way only");
  if (account->access_token != NULL && *account->access_token == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "\"access_token\" is empty");
  return check_plain ("access_token", account->access_token, /* blanks= */ FALSE, error)
         && check_plain ("email", account->email, /* blanks= */ FALSE, error)
         && check_plain ("token", account->token, /* blanks= */ FALSE, error);
}

gboolean
zendesk_account_check (const ZendeskAccount *account, GError **error)
{
  guint8 reserve[TALLY_HOURS];
  g_autofree char *base = NULL, *target = NULL;

  return zendesk_url_parse (account->url, &base, &target, error) && check_credentials (account, error)
         && zendesk_reserve_parse ((const char *const *) account->reserve, reserve, error)
         && check_plain ("user-agent", account->user_agent, /* blanks= */ TRUE, error);
}

/* --- questions that are waited for --- */

void
zendesk_account_report (ZendeskAccount *account, const ZendeskHeaders *headers)
{
  g_autofree char *warning = zendesk_headers_dup_warning (headers);

  if (headers->date > 0)
    {
      account->skew = headers->date - g_get_real_time () / G_USEC_PER_SEC;
      tally_context_report_target_time (account->ctx, headers->date * G_USEC_PER_SEC);
    }
  if (headers->account.limit > 0)
    account->limit = headers->account.limit;
  if (warning != NULL)
    tally_context_warn (account->ctx, "Zendesk took the record, but dropped members of it: %s", warning);
}

void
zendesk_reply_clear (ZendeskReply *reply)
{
  g_free (reply->body);
  g_free (reply->problem);
}

void
zendesk_reply_take (ZendeskReply *reply, ZendeskCall *call)
{
  zendesk_account_report (reply->account, &call->headers);
  reply->done = TRUE;
  reply->status = call->status;
  reply->date = call->headers.date;
  reply->wait = zendesk_headers_wait (&call->headers, g_get_real_time () / G_USEC_PER_SEC);
  reply->too_long = call->too_long;
  reply->length = call->answer->len;
  reply->body = g_string_free (g_steal_pointer (&call->answer), FALSE);
  call->answer = g_string_new (NULL);
  reply->problem = g_strdup (call->problem);
}

static void
on_reply (ZendeskCall *call, gpointer data)
{
  zendesk_reply_take (data, call);
}

gboolean
zendesk_account_glance (ZendeskAccount *account, gint64 most, GError **error)
{
  if (tally_context_is_interrupted (account->ctx))
    return tally_throw (error, TALLY_ERROR_INTERRUPTED, "interrupted while waiting for Zendesk");
  return zendesk_http_drive (account->http, MIN (most, ZENDESK_GLANCE), error);
}

static gboolean
wait_for (ZendeskAccount *account, ZendeskReply *reply, GError **error)
{
  gboolean good = TRUE;

  while (good && !reply->done)
    good = zendesk_account_glance (account, ZENDESK_GLANCE, error);
  if (!good)
    zendesk_http_give_up (account->http, reply);
  return good;
}

/* Says what is wrong with an answer that should have been a success. */
static gboolean
check_reply (ZendeskAccount *account, const ZendeskReply *reply, const char *what, GError **error)
{
  g_autoptr (GString) detail = g_string_new (NULL);
  TallyError code = TALLY_ERROR_NETWORK;

  if (reply->status == 200)
    return TRUE;
  if (reply->status == 0)
    return tally_throw (error, TALLY_ERROR_NETWORK, "no answer from \"%s\": %s", account->base,
                        reply->problem);
  if (reply->status == 401 || reply->status == 403)
    code = TALLY_ERROR_AUTH;
  else if (reply->status < 429)
    code = TALLY_ERROR_USAGE;

  g_autofree char *clean = reply->length > 0 && reply->body[0] != '<'
                               ? zendesk_text_clean (reply->body, reply->length, 300)
                               : NULL;
  g_string_append (detail, clean != NULL ? clean : "");
  zendesk_access_redact (account, detail);
  if (reply->wait > 0)
    {
      if (reply->status >= 429)
        tally_context_ask_patience (account->ctx, reply->wait);
      g_string_append_printf (detail, "; it asks to come back in %" G_GINT64_FORMAT " seconds",
                              (reply->wait + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
    }
  return tally_throw (error, code, "\"%s\" answered HTTP %d when asked for %s%s%s%s", account->base,
                      reply->status, what,
                      reply->status == 401 ? ", so the credentials are not accepted" : "",
                      detail->len > 0 ? ": " : "", detail->str);
}

gboolean
zendesk_account_get (ZendeskAccount *account, const char *path, const char *what, ZendeskReply *reply, GError **error)
{
  reply->account = account;
  zendesk_http_start (account->http, "GET", path, account->access.header, NULL, NULL, 0, 0, on_reply, reply);
  return wait_for (account, reply, error) && check_reply (account, reply, what, error);
}

static gboolean
fetch_token (ZendeskAccount *account, GError **error)
{
  g_auto (ZendeskReply) reply = { .account = account };

  zendesk_http_start_with (account->http, "POST", "/oauth/tokens", NULL, zendesk_access_request (account), 0,
                           on_reply, &reply);
  if (!wait_for (account, &reply, error))
    return FALSE;
  if (reply.status == 0)
    return check_reply (account, &reply, "a token", error);
  return zendesk_access_take (account, reply.status, reply.body, reply.length, error);
}

TallyFlow
zendesk_account_refuse (ZendeskAccount *account, const ZendeskReply *reply, const char *what, GError **error)
{
  if (reply->status == 401 && zendesk_access_renews (account) && account->access.proven)
    {
      g_autoptr (GError) failure = NULL;

      if (!fetch_token (account, &failure))
        {
          gboolean later = g_error_matches (failure, TALLY_ERROR, TALLY_ERROR_NETWORK);

          g_propagate_error (error, g_steal_pointer (&failure));
          return later ? TALLY_FLOW_RETRY : TALLY_FLOW_FATAL;
        }
      tally_throw (error, TALLY_ERROR_NETWORK, "the token had run out; there is a new one");
      return TALLY_FLOW_RETRY;
    }
  check_reply (account, reply, what, error);
  if (reply->status != 0 && reply->status != 409 && reply->status != 429 && reply->status < 500)
    return TALLY_FLOW_FATAL;
  tally_context_ask_patience (account->ctx, reply->wait);
  return TALLY_FLOW_RETRY;
}

TallyFlow
zendesk_account_read (ZendeskAccount *account, const char *path, const char *what, ZendeskReply *reply, GError **error)
{
  reply->account = account;
  zendesk_http_start (account->http, "GET", path, account->access.header, NULL, NULL, 0, ZENDESK_HTTP_LONG, on_reply,
                      reply);
  if (!wait_for (account, reply, error))
    return TALLY_FLOW_FATAL;
  if (reply->status != 200)
    return zendesk_account_refuse (account, reply, what, error);
  account->access.proven = TRUE;
  return TALLY_FLOW_OK;
}

/* Without valid credentials Zendesk answers 200 here as well, about a user without an id. */
gboolean
zendesk_account_read_user (ZendeskAccount *account, const ZendeskReply *reply, char **ret_role, GError **error)
{
  g_autoptr (json_object) body = zendesk_json_parse (reply->body, reply->length);
  json_object *user = zendesk_json_get (body, "user");
  gint64 id;

  if (user == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"%s\" does not answer like Zendesk: /users/me is not a user", account->base);
  if (!zendesk_json_get_id (user, "id", &id))
    return tally_throw (error, TALLY_ERROR_AUTH,
                        "\"%s\" does not accept the credentials: it takes us for an anonymous user",
                        account->base);
  if (ret_role != NULL)
    *ret_role = g_strdup (zendesk_json_get_text (user, "role"));
  return TRUE;
}

static gboolean
enter (ZendeskAccount *account, GError **error)
{
  g_auto (ZendeskReply) reply = { 0 };

  if (zendesk_access_renews (account) && !fetch_token (account, error))
    return FALSE;
  if (!zendesk_account_get (account, ZENDESK_API "/users/me.json", "the user", &reply, error)
      || !zendesk_account_read_user (account, &reply, NULL, error))
    return FALSE;
  account->access.proven = TRUE;
  return TRUE;
}

gboolean
zendesk_account_open (ZendeskAccount *account, TallyContext *ctx, char **ret_target, GError **error)
{
  g_autofree char *target = NULL;
  guint8 reserve[TALLY_HOURS];
  ZendeskHttp *http;

  if (!zendesk_url_parse (account->url, &account->base, &target, error))
    return FALSE;
  account->ctx = ctx;
  account->agent = g_strconcat ("tallyman/" ZENDESK_VERSION, account->user_agent != NULL ? " " : "",
                                account->user_agent, NULL);
  zendesk_access_init (account);

  ZendeskHttpConfig config = { .base = account->base,
                               .ca_file = account->ca_file,
                               .user_agent = account->agent,
                               .timeout = account->timeout,
                               .connect_timeout = account->connect_timeout,
                               .connections = MAX_CONNECTIONS,
                               .held_most = account->held_most != 0 ? account->held_most : ZENDESK_MINUTE,
                               .ctx = ctx };
  zendesk_reserve_parse ((const char *const *) account->reserve, reserve, NULL);
  tally_context_set_account (ctx, target, reserve);
  http = zendesk_http_new (&config, error);
  if (http == NULL)
    return FALSE;
  g_atomic_pointer_set (&account->http, http);
  if (ret_target != NULL)
    *ret_target = g_steal_pointer (&target);
  return enter (account, error);
}

void
zendesk_account_close (ZendeskAccount *account)
{
  ZendeskHttp *http = account->http;

  g_atomic_pointer_set (&account->http, NULL);
  zendesk_http_free (http);
  zendesk_access_clear (&account->access);
  g_clear_pointer (&account->base, g_free);
  g_clear_pointer (&account->agent, g_free);
}

void
zendesk_account_interrupt (ZendeskAccount *account)
{
  ZendeskHttp *http = g_atomic_pointer_get (&account->http);

  if (http != NULL)
    zendesk_http_wake (http);
}
