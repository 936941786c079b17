/* server.c: what all mail servers have in common */
#include "server.h"
#include "host.h"
#include <string.h>

#define MAX_WORDS 500 /* bytes of an answer that are shown */

const char *const mail_tls_names[] = { "required", "off", NULL };

/* ---- Rules between options ---- */

static gboolean
check_url (const MailServer *server, const char *scheme, const char *example, GError **error)
{
  g_autoptr (GUri) url = g_uri_parse (server->url, G_URI_FLAGS_HAS_PASSWORD, NULL);
  const char *given = url != NULL ? g_uri_get_scheme (url) : "";
  gboolean tls = g_str_has_prefix (given, scheme) && g_str_equal (given + strlen (scheme), "s");

  if ((!tls && !g_str_equal (given, scheme)) || g_uri_get_host (url) == NULL || *g_uri_get_host (url) == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "\"url\" is no address of a server, as %s is one", example);
  if (g_uri_get_user (url) != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"url\" has a user in it; that belongs in \"user\" and \"password\"");
  if (strlen (g_uri_get_path (url)) > 1 || g_uri_get_query (url) != NULL || g_uri_get_fragment (url) != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"url\" has more in it than a server and a port");
  if (server->tls == MAIL_TLS_OFF && server->user != NULL && !tally_is_this_machine (g_uri_get_host (url)))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"tls: off\" would show the password to everyone on the way to \"%s\"",
                        g_uri_get_host (url));
  if (tls && server->tls == MAIL_TLS_OFF)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"tls: off\" is for %s://, and \"url\" says %s://", scheme, given);
  return TRUE;
}

static gboolean
check_login (const MailServer *server, GError **error)
{
  gboolean has_secret = server->password != NULL || server->access_token != NULL;

  if (server->password != NULL && server->access_token != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"password\" and \"access-token\" exclude each other");
  if ((server->user != NULL) != has_secret)
    return tally_throw (error, TALLY_ERROR_USAGE, server->user != NULL ? "\"user\" needs \"password\" or \"access-token\""
                                                                       : "\"password\" and \"access-token\" need \"user\"");
  return TRUE;
}

gboolean
mail_server_check (const MailServer *server, const char *scheme, const char *example, GError **error)
{
  return check_url (server, scheme, example, error) && check_login (server, error);
}

/* ---- The connection ---- */

void
mail_server_set (const MailServer *server, CURL *easy)
{
  curl_easy_setopt (easy, CURLOPT_USE_SSL, server->tls == MAIL_TLS_OFF ? CURLUSESSL_NONE : CURLUSESSL_ALL);
  curl_easy_setopt (easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt (easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (server->ca_file != NULL)
    curl_easy_setopt (easy, CURLOPT_CAINFO, server->ca_file);
  if (server->user != NULL)
    curl_easy_setopt (easy, CURLOPT_USERNAME, server->user);
  if (server->password != NULL)
    curl_easy_setopt (easy, CURLOPT_PASSWORD, server->password);
  if (server->access_token != NULL)
    curl_easy_setopt (easy, CURLOPT_XOAUTH2_BEARER, server->access_token);
  curl_easy_setopt (easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt (easy, CURLOPT_TIMEOUT_MS, (long) (server->connect_timeout / 1000));
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT_MS, (long) (server->connect_timeout / 1000));
  curl_easy_setopt (easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long) MAX (server->timeout / G_USEC_PER_SEC, 1));
}

gboolean
mail_server_is_insecure (CURLcode code)
{
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_USE_SSL_FAILED || code == CURLE_SSL_CACERT_BADFILE;
}

/* ---- Words of strangers ---- */

void
mail_server_append_words (GString *out, const char *line, gsize length)
{
  g_autofree char *valid = NULL;

  while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == '\n'))
    length--;
  valid = g_utf8_make_valid (line, (gssize) length);
  for (char *p = valid; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      *p = ' ';
  if (out->len + strlen (valid) + 1 <= MAX_WORDS)
    g_string_append_printf (out, "%s%s", out->len > 0 ? " " : "", valid);
}

char *
mail_server_quote (const char *text)
{
  GString *quoted = g_string_new ("\"");

  for (; *text != '\0'; text++)
    {
      if (*text == '"' || *text == '\\')
        g_string_append_c (quoted, '\\');
      g_string_append_c (quoted, *text);
    }
  return g_string_free (g_string_append_c (quoted, '"'), FALSE);
}

static gboolean
is_base64 (char c)
{
  return g_ascii_isalnum (c) || c == '+' || c == '/' || c == '=';
}

/* A secret goes over the wire as a part of something in base64, and a server may repeat it like that. */
static void
redact_encoded (GString *text, const char *secret)
{
  for (gsize from = 0, to; from < text->len; from = to + 1)
    {
      g_autofree char *word = NULL;
      g_autofree guchar *bytes = NULL;
      gsize length = 0;

      for (to = from; to < text->len && is_base64 (text->str[to]); to++)
        ;
      word = g_strndup (text->str + from, to - from);
      bytes = *word != '\0' ? g_base64_decode (word, &length) : NULL;
      if (length == 0 || memmem (bytes, length, secret, strlen (secret)) == NULL)
        continue;
      g_string_erase (text, (gssize) from, (gssize) (to - from));
      g_string_insert (text, (gssize) from, "***");
      to = from + 3;
    }
}

void
mail_server_redact (const MailServer *server, GString *text)
{
  const char *const secrets[] = { server->password, server->access_token };

  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
    if (secrets[i] != NULL && *secrets[i] != '\0')
      {
        g_autofree char *quoted = mail_server_quote (secrets[i]);

        quoted[strlen (quoted) - 1] = '\0';
        g_string_replace (text, quoted + 1, "***", 0);
        g_string_replace (text, secrets[i], "***", 0);
        redact_encoded (text, secrets[i]);
      }
}
