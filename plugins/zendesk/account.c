/* account.c: what is asked of Zendesk before the first record */
#include "sink.h"
#include "answer.h"
#include "json.h"
#include "text.h"

#include <arpa/inet.h>
#include <string.h>

/* While open() waits for an answer, it looks this often whether the run is to stop. */
#define GLANCE (G_USEC_PER_SEC / 4)

/* Clocks that differ by more are worth a word. */
#define MAX_SKEW 60 /* seconds */

static gboolean
is_this_machine (const char *host)
{
  struct in_addr v4;
  struct in6_addr v6;

  if (inet_pton (AF_INET, host, &v4) == 1)
    return ntohl (v4.s_addr) >> 24 == 127;
  if (inet_pton (AF_INET6, host, &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK (&v6);
  return g_ascii_strcasecmp (host, "localhost") == 0;
}

static gboolean
check_uri (GUri *uri, const char *url, GError **error)
{
  const char *scheme = g_uri_get_scheme (uri), *path = g_uri_get_path (uri);
  gboolean tls = g_str_equal (scheme, "https");

  if (!tls && !g_str_equal (scheme, "http"))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"url\" begins with https://, not \"%s://\"", scheme);
  if (g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "\"url\" names no host: \"%s\"", url);
  if (!tls && !is_this_machine (g_uri_get_host (uri)))
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

/* An answer that open() waits for. */
typedef struct
{
  ZendeskSink *sink;
  gboolean done;
  gint status;
  char *body;      /* (owned) */
  gsize length;
  gint64 date, wait;
  char *problem;   /* (owned) */
} Reply;

static void
reply_clear (Reply *reply)
{
  g_free (reply->body);
  g_free (reply->problem);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reply, reply_clear)

static void
on_reply (ZendeskCall *call, gpointer data)
{
  Reply *reply = data;

  zendesk_report_headers (reply->sink, &call->headers);
  reply->done = TRUE;
  reply->status = call->status;
  reply->date = call->headers.date;
  reply->wait = zendesk_headers_wait (&call->headers, g_get_real_time () / G_USEC_PER_SEC);
  reply->length = call->answer->len;
  reply->body = g_string_free (g_steal_pointer (&call->answer), FALSE);
  call->answer = g_string_new (NULL);
  reply->problem = g_strdup (call->problem);
}

static gboolean
wait_for (ZendeskSink *sink, Reply *reply, GError **error)
{
  gboolean good = TRUE;

  while (good && !reply->done)
    if (tally_context_is_interrupted (sink->ctx))
      good = tally_throw (error, TALLY_ERROR_INTERRUPTED, "interrupted while waiting for Zendesk");
    else
      good = zendesk_http_drive (sink->http, GLANCE, error);
  if (!good)
    zendesk_http_give_up (sink->http, reply);
  return good;
}

/* Says what is wrong with an answer that should have been a success. */
static gboolean
check_reply (ZendeskSink *sink, const Reply *reply, const char *what, GError **error)
{
  g_autoptr (GString) detail = g_string_new (NULL);
  TallyError code = TALLY_ERROR_NETWORK;

  if (reply->status == 200)
    return TRUE;
  if (reply->status == 0)
    return tally_throw (error, TALLY_ERROR_NETWORK, "no answer from \"%s\": %s", sink->base,
                        reply->problem);
  if (reply->status == 401 || reply->status == 403)
    code = TALLY_ERROR_AUTH;
  else if (reply->status < 429)
    code = TALLY_ERROR_USAGE;

  g_autofree char *clean = reply->length > 0 && reply->body[0] != '<'
                               ? zendesk_text_clean (reply->body, reply->length, 300)
                               : NULL;
  g_string_append (detail, clean != NULL ? clean : "");
  zendesk_access_redact (sink, detail);
  if (reply->wait > 0)
    g_string_append_printf (detail, "; it asks to come back in %" G_GINT64_FORMAT " seconds",
                            (reply->wait + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  return tally_throw (error, code, "\"%s\" answered HTTP %d when asked for %s%s%s%s", sink->base,
                      reply->status, what,
                      reply->status == 401 ? ", so the credentials are not accepted" : "",
                      detail->len > 0 ? ": " : "", detail->str);
}

static gboolean
get (ZendeskSink *sink, const char *path, const char *what, Reply *reply, GError **error)
{
  reply->sink = sink;
  zendesk_http_start (sink->http, "GET", path, sink->access.header, NULL, NULL, 0, 0, on_reply, reply);
  return wait_for (sink, reply, error) && check_reply (sink, reply, what, error);
}

static gboolean
fetch_token (ZendeskSink *sink, GError **error)
{
  g_auto (Reply) reply = { .sink = sink };

  zendesk_http_start_with (sink->http, "POST", "/oauth/tokens", NULL, zendesk_access_request (sink), 0,
                           on_reply, &reply);
  if (!wait_for (sink, &reply, error))
    return FALSE;
  if (reply.status == 0)
    return check_reply (sink, &reply, "a token", error);
  return zendesk_access_take (sink, reply.status, reply.body, reply.length, error);
}

/* Without valid credentials Zendesk answers 200 here as well, about a user without an id. */
static gboolean
read_user (ZendeskSink *sink, const Reply *reply, char **ret_role, GError **error)
{
  g_autoptr (json_object) body = zendesk_json_parse (reply->body, reply->length);
  json_object *user = zendesk_json_get (body, "user");
  gint64 id;

  if (user == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"%s\" does not answer like Zendesk: /users/me is not a user", sink->base);
  if (!zendesk_json_get_id (user, "id", &id))
    return tally_throw (error, TALLY_ERROR_AUTH,
                        "\"%s\" does not accept the credentials: it takes us for an anonymous user",
                        sink->base);
  if (ret_role != NULL)
    *ret_role = g_strdup (zendesk_json_get_text (user, "role"));
  return TRUE;
}

gboolean
zendesk_account_enter (ZendeskSink *sink, GError **error)
{
  g_auto (Reply) reply = { 0 };

  if (zendesk_access_renews (sink) && !fetch_token (sink, error))
    return FALSE;
  if (!get (sink, ZENDESK_API "/users/me.json", "the user", &reply, error)
      || !read_user (sink, &reply, NULL, error))
    return FALSE;
  sink->access.proven = TRUE;
  return TRUE;
}

gboolean
zendesk_account_read_fields (ZendeskSink *sink, GError **error)
{
  g_auto (Reply) reply = { 0 };

  if (!get (sink, ZENDESK_API "/ticket_fields.json", "the ticket fields", &reply, error))
    return FALSE;
  sink->fields = zendesk_fields_parse (reply.body, reply.length, error);
  return sink->fields != NULL && zendesk_fields_resolve (sink->fields, &sink->plan, error);
}

gboolean
zendesk_account_probe (ZendeskSink *sink, GError **error)
{
  g_auto (Reply) me = { 0 }, count = { 0 };
  g_autofree char *role = NULL;
  gint64 skew;

  if (!get (sink, ZENDESK_API "/users/me.json", "the user", &me, error)
      || !read_user (sink, &me, &role, error))
    return FALSE;
  if (g_strcmp0 (role, "admin") != 0 && g_strcmp0 (role, "agent") != 0)
    return tally_throw (error, TALLY_ERROR_AUTH,
                        "the credentials are those of a user with the role \"%s\"; tickets for others are "
                        "created by an agent or an admin", role != NULL ? role : "");
  if (!get (sink, ZENDESK_API "/tickets/count.json", "the number of tickets", &count, error))
    return FALSE;

  skew = count.date > 0 ? ABS (count.date - g_get_real_time () / G_USEC_PER_SEC) : 0;
  if (skew > MAX_SKEW)
    tally_context_warn (sink->ctx, "the clocks of this machine and of \"%s\" differ by %" G_GINT64_FORMAT
                        " seconds", sink->base, skew);
  return TRUE;
}
