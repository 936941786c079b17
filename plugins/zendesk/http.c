/* http.c: many requests at once over few connections */
#include "http.h"
#include "answer.h"
#include "kind.h"
#include <tallyman/error.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A connection that was idle for longer is not used again: the longer it rests, the likelier the
 * other end has dropped it, and a creation that meets that is in doubt. */
#define MAX_IDLE 30L /* seconds */

/* A file gets so much more time than a request. */
#define SLOWEST (32 << 10) /* bytes a second */

/* Of a file on the web. */
#define MAX_REDIRECTS 5L

/* Handles kept for the next request. */
#define MAX_SPARE 64

struct _ZendeskHttp
{
  ZendeskHttpConfig config;
  CURLM *multi;     /* (owned) */
  GPtrArray *calls; /* (element-type ZendeskCall) in flight, or waiting to go */
  GQueue waiting;   /* (element-type ZendeskCall) */
  GPtrArray *spare; /* (owned) (element-type CURL) */
};

static void
http_init_library (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done))
    {
      curl_global_init (CURL_GLOBAL_DEFAULT);
      g_once_init_leave (&done, 1);
    }
}

ZendeskHttp *
zendesk_http_new (const ZendeskHttpConfig *config, GError **error)
{
  ZendeskHttp *http;
  CURLM *multi;

  http_init_library ();
  multi = curl_multi_init ();
  if (multi == NULL)
    {
      tally_throw (error, TALLY_ERROR_NETWORK, "could not set up libcurl");
      return NULL;
    }
  curl_multi_setopt (multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  curl_multi_setopt (multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long) config->connections);
  curl_multi_setopt (multi, CURLMOPT_MAXCONNECTS, (long) config->connections);

  http = g_new0 (ZendeskHttp, 1);
  http->config = *config;
  http->multi = multi;
  http->calls = g_ptr_array_new ();
  http->spare = g_ptr_array_new_with_free_func (curl_easy_cleanup);
  return http;
}

static void
call_free (ZendeskCall *call)
{
  ZendeskHttp *http = call->http;

  g_ptr_array_remove_fast (http->calls, call);
  if (call->waits_since != 0)
    g_queue_remove (&http->waiting, call);
  else
    curl_multi_remove_handle (http->multi, call->easy);
  if (call->admission != NULL)
    tally_context_end_request (http->config.ctx, call->admission, NULL);
  curl_easy_reset (call->easy);
  if (http->spare->len < MAX_SPARE)
    g_ptr_array_add (http->spare, call->easy);
  else
    curl_easy_cleanup (call->easy);
  curl_slist_free_all (call->lines);
  g_string_free (call->answer, TRUE);
  zendesk_headers_clear (&call->headers);
  g_free (call->own_body);
  g_free (call->kind);
  g_free (call);
}

void
zendesk_http_give_up (ZendeskHttp *http, gpointer data)
{
  for (guint i = http->calls->len; i > 0; i--)
    if (((ZendeskCall *) http->calls->pdata[i - 1])->data == data)
      call_free (http->calls->pdata[i - 1]);
}

void
zendesk_http_free (ZendeskHttp *http)
{
  if (http == NULL)
    return;
  while (http->calls->len > 0)
    call_free (http->calls->pdata[0]);
  g_ptr_array_unref (http->calls);
  g_ptr_array_unref (http->spare);
  curl_multi_cleanup (http->multi);
  g_free (http);
}

/* --- what libcurl calls --- */

/* Just before a request is written, each time that libcurl sets about it: also when it found the
 * connection dead and begins again by itself, after a refused HTTP/2 stream as after a GOAWAY. */
static int
on_begin (void *data, char *address, char *local, int port, int local_port)
{
  ZendeskCall *call = data;

  call->begun++;
  return (call->flags & ZENDESK_HTTP_ONCE) && call->begun > 1 ? CURL_PREREQFUNC_ABORT
                                                              : CURL_PREREQFUNC_OK;
}

static size_t
on_read (char *buffer, size_t size, size_t n, void *data)
{
  ZendeskCall *call = data;
  gsize length = MIN (size * n, call->length - call->at);

  if (call->read != NULL)
    {
      gssize n_read = length > 0 ? call->read (call->data, buffer, length) : 0;

      if (n_read < 0)
        return CURL_READFUNC_ABORT;
      call->at += (gsize) n_read;
      return (size_t) n_read;
    }
  memcpy (buffer, call->body + call->at, length);
  call->at += length;
  return length;
}

/* The second lock on the same door: what has been read is not read again. */
static int
on_seek (void *data, curl_off_t offset, int origin)
{
  ZendeskCall *call = data;

  if (origin != SEEK_SET || offset != 0)
    return CURL_SEEKFUNC_FAIL;
  if ((call->flags & ZENDESK_HTTP_ONCE) && call->at > 0)
    return CURL_SEEKFUNC_FAIL;
  call->at = 0;
  return CURL_SEEKFUNC_OK;
}

static size_t
on_header (char *line, size_t size, size_t n, void *data)
{
  ZendeskCall *call = data;

  zendesk_headers_take (&call->headers, line, size * n);
  return size * n;
}

static gboolean
write_all (int file, const char *bytes, gsize length)
{
  while (length > 0)
    {
      gssize n = write (file, bytes, length);

      if (n < 0 && errno != EINTR)
        return FALSE;
      bytes += MAX (n, 0);
      length -= (gsize) MAX (n, 0);
    }
  return TRUE;
}

static size_t
on_write (char *bytes, size_t size, size_t n, void *data)
{
  ZendeskCall *call = data;

  if (call->n_answer + size * n > call->most)
    {
      call->too_long = TRUE;
      return 0;
    }
  call->n_answer += size * n;
  if (call->into >= 0)
    return write_all (call->into, bytes, size * n) ? size * n : 0;
  g_string_append_len (call->answer, bytes, (gssize) (size * n));
  return size * n;
}

/* --- requests --- */

static void
set_server (ZendeskCall *call, const ZendeskHttpConfig *config, const char *url, gsize n_bytes)
{
  gboolean tls = g_ascii_strncasecmp (url, "https:", 6) == 0;

  curl_easy_setopt (call->easy, CURLOPT_URL, url);
  curl_easy_setopt (call->easy, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
  curl_easy_setopt (call->easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt (call->easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt (call->easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (config->ca_file != NULL)
    curl_easy_setopt (call->easy, CURLOPT_CAINFO, config->ca_file);
  curl_easy_setopt (call->easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt (call->easy, CURLOPT_PIPEWAIT, tls ? 1L : 0L);
  curl_easy_setopt (call->easy, CURLOPT_MAXAGE_CONN, MAX_IDLE);
  curl_easy_setopt (call->easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt (call->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (call->easy, CURLOPT_USERAGENT, config->user_agent);
  curl_easy_setopt (call->easy, CURLOPT_TIMEOUT_MS, (long) (config->timeout / 1000 + (gint64) (n_bytes / SLOWEST) * 1000));
  curl_easy_setopt (call->easy, CURLOPT_CONNECTTIMEOUT_MS, (long) (config->connect_timeout / 1000));
}

static void
set_callbacks (ZendeskCall *call)
{
  curl_easy_setopt (call->easy, CURLOPT_PRIVATE, call);
  curl_easy_setopt (call->easy, CURLOPT_ERRORBUFFER, call->problem);
  curl_easy_setopt (call->easy, CURLOPT_PREREQFUNCTION, on_begin);
  curl_easy_setopt (call->easy, CURLOPT_PREREQDATA, call);
  curl_easy_setopt (call->easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt (call->easy, CURLOPT_HEADERDATA, call);
  curl_easy_setopt (call->easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt (call->easy, CURLOPT_WRITEDATA, call);
}

/* The body is read through a callback, never handed over as a whole: libcurl rewinds what it was
 * handed without asking. */
static void
set_body (ZendeskCall *call, const char *method)
{
  if (call->body == NULL && call->read == NULL)
    return;
  curl_easy_setopt (call->easy, CURLOPT_POST, 1L);
  if (!g_str_equal (method, "POST"))
    curl_easy_setopt (call->easy, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt (call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) call->length);
  curl_easy_setopt (call->easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt (call->easy, CURLOPT_READDATA, call);
  curl_easy_setopt (call->easy, CURLOPT_SEEKFUNCTION, on_seek);
  curl_easy_setopt (call->easy, CURLOPT_SEEKDATA, call);
}

static void
add_line (ZendeskCall *call, const char *name, const char *value)
{
  g_autofree char *line = g_strconcat (name, value, NULL);

  call->lines = curl_slist_append (call->lines, line);
}

static void
set_lines (ZendeskCall *call, const char *type, const char *authorization, const char *key)
{
  add_line (call, "Accept: ", call->into < 0 ? "application/json" : "*/*");
  if (type != NULL)
    {
      add_line (call, "Content-Type: ", type);
      add_line (call, "Expect:", ""); /* nobody has to be asked first */
    }
  if (authorization != NULL)
    add_line (call, "Authorization: ", authorization);
  if (key != NULL)
    add_line (call, "Idempotency-Key: ", key);
  curl_easy_setopt (call->easy, CURLOPT_HTTPHEADER, call->lines);
}

static CURL *
take_handle (ZendeskHttp *http)
{
  guint n = http->spare->len;

  return n > 0 ? g_ptr_array_steal_index_fast (http->spare, n - 1) : curl_easy_init ();
}

static ZendeskCall *
call_new (ZendeskHttp *http, const char *body, gsize length, ZendeskHttpFlags flags,
          ZendeskHttpDone done, gpointer data)
{
  ZendeskCall *call = g_new0 (ZendeskCall, 1);

  call->http = http;
  call->easy = take_handle (http);
  call->body = body;
  call->length = length;
  call->flags = flags;
  call->done = done;
  call->data = data;
  call->into = -1;
  call->most = flags & ZENDESK_HTTP_LONG ? ZENDESK_MAX_LONG_ANSWER : ZENDESK_MAX_ANSWER;
  call->answer = g_string_new (NULL);
  zendesk_headers_init (&call->headers);
  g_ptr_array_add (http->calls, call);
  return call;
}

/* Until the account's rate limit lets it go. */
static void
let_wait (ZendeskCall *call, const char *method, const char *path)
{
  call->kind = zendesk_kind (method, path);
  call->waits_since = g_get_monotonic_time ();
  g_queue_push_tail (&call->http->waiting, call);
}

void
zendesk_http_start (ZendeskHttp *http, const char *method, const char *path, const char *authorization,
                    const char *key, const char *body, gsize length, ZendeskHttpFlags flags,
                    ZendeskHttpDone done, gpointer data)
{
  ZendeskCall *call = call_new (http, body, length, flags, done, data);
  g_autofree char *url = g_strconcat (http->config.base, path, NULL);

  set_server (call, &http->config, url, 0);
  set_callbacks (call);
  set_lines (call, body != NULL ? "application/json" : NULL, authorization, key);
  set_body (call, method);
  let_wait (call, method, path);
}

void
zendesk_http_upload (ZendeskHttp *http, const char *path, const char *authorization, const char *type, gsize length,
                     ZendeskHttpRead read, ZendeskHttpDone done, gpointer data)
{
  ZendeskCall *call = call_new (http, NULL, length, ZENDESK_HTTP_ONCE, done, data);
  g_autofree char *url = g_strconcat (http->config.base, path, NULL);

  call->read = read;
  set_server (call, &http->config, url, length);
  set_callbacks (call);
  set_lines (call, type, authorization, NULL);
  set_body (call, "POST");
  let_wait (call, "POST", path);
}

/* Whether an address is one of the account's own, whose rate limit it counts against. */
static gboolean
is_of_account (const ZendeskHttp *http, const char *url)
{
  gsize length = strlen (http->config.base);

  return g_ascii_strncasecmp (url, http->config.base, length) == 0
         && (url[length] == '\0' || strchr ("/?#", url[length]) != NULL);
}

void
zendesk_http_fetch (ZendeskHttp *http, const char *url, int into, gsize most, ZendeskHttpDone done, gpointer data)
{
  ZendeskCall *call = call_new (http, NULL, 0, 0, done, data);

  call->into = into;
  call->most = most;
  set_server (call, &http->config, url, most);
  set_callbacks (call);
  set_lines (call, NULL, NULL, NULL);
  curl_easy_setopt (call->easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt (call->easy, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
  curl_easy_setopt (call->easy, CURLOPT_REDIR_PROTOCOLS_STR,
                    g_ascii_strncasecmp (url, "https:", 6) == 0 ? "https" : "http");
  if (is_of_account (http, url))
    let_wait (call, "GET", "/attachments"); /* their addresses have more than ids in them */
  else
    curl_multi_add_handle (http->multi, call->easy);
}

void
zendesk_http_start_with (ZendeskHttp *http, const char *method, const char *path,
                         const char *authorization, char *body, ZendeskHttpFlags flags,
                         ZendeskHttpDone done, gpointer data)
{
  zendesk_http_start (http, method, path, authorization, NULL, body, strlen (body), flags, done, data);
  ((ZendeskCall *) http->calls->pdata[http->calls->len - 1])->own_body = body;
}

static void
take_result (ZendeskCall *call, CURLcode result)
{
  long status = 0;

  curl_easy_getinfo (call->easy, CURLINFO_RESPONSE_CODE, &status);
  call->sent = call->begun > 0;
  if (result == CURLE_OK)
    {
      call->status = (gint) status;
      return;
    }
  call->half_status = (gint) status;
  if (call->too_long)
    g_snprintf (call->problem, sizeof call->problem, "the answer has more than %" G_GSIZE_FORMAT " bytes",
                call->most);
  else if ((call->flags & ZENDESK_HTTP_ONCE) && call->begun > 1)
    g_strlcpy (call->problem, "the connection was dead, and the request was not sent again",
               sizeof call->problem);
  else if (call->problem[0] == '\0')
    g_strlcpy (call->problem, curl_easy_strerror (result), sizeof call->problem);
}

/* What an answer told, to whoever else asks the account. */
static void
end_admission (ZendeskCall *call)
{
  TallyAnswerNews news = { TALLY_ANSWER_NEWS_INIT };

  if (call->admission == NULL)
    return;
  if (call->status != 0)
    zendesk_headers_tell (&call->headers, call->status, &news);
  tally_context_end_request (call->http->config.ctx, g_steal_pointer (&call->admission), &news);
}

/* TRUE if anything was done. */
static gboolean
finish_calls (ZendeskHttp *http)
{
  gboolean any = FALSE;
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read (http->multi, &left)) != NULL)
    {
      ZendeskCall *call;

      if (message->msg != CURLMSG_DONE)
        continue;
      curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, (char **) &call);
      take_result (call, message->data.result);
      end_admission (call);
      call->done (call, call->data);
      call_free (call);
      any = TRUE;
    }
  return any;
}

static gboolean
check_multi (CURLMcode code, GError **error)
{
  if (code == CURLM_OK)
    return TRUE;
  return tally_throw (error, TALLY_ERROR_NETWORK, "libcurl: %s", curl_multi_strerror (code));
}

/* It goes back to whoever wanted it sent. */
static void
give_back (ZendeskCall *call)
{
  call->held = TRUE;
  g_strlcpy (call->problem, "the rate limit of the account did not let it go", sizeof call->problem);
  call->done (call, call->data);
  call_free (call);
}

/* Starts what may go now.  wait: is made shorter if something may go earlier. */
static void
start_waiting (ZendeskHttp *http, gint64 *wait)
{
  guint n = g_queue_get_length (&http->waiting);

  while (n-- > 0 && !g_queue_is_empty (&http->waiting))
    {
      ZendeskCall *call = g_queue_pop_head (&http->waiting);
      gint64 until = 0;

      if (http->config.ctx != NULL)
        call->admission = tally_context_admit (http->config.ctx, call->kind, &until);
      if (call->admission == NULL && http->config.ctx != NULL)
        {
          g_queue_push_tail (&http->waiting, call);
          if ((call->flags & ZENDESK_HTTP_ONCE) && g_get_monotonic_time () - call->waits_since > http->config.held_most)
            give_back (call);
          *wait = MIN (*wait, MAX (until, 1000));
          continue;
        }
      call->waits_since = 0;
      curl_multi_add_handle (http->multi, call->easy);
    }
}

gboolean
zendesk_http_drive (ZendeskHttp *http, gint64 wait, GError **error)
{
  int running;

  start_waiting (http, &wait);
  if (!check_multi (curl_multi_perform (http->multi, &running), error))
    return FALSE;
  if (finish_calls (http) || wait <= 0)
    return TRUE;
  if (!check_multi (curl_multi_poll (http->multi, NULL, 0, (int) MIN ((wait + 999) / 1000, G_MAXINT32),
                                     NULL),
                    error)
      || !check_multi (curl_multi_perform (http->multi, &running), error))
    return FALSE;
  finish_calls (http);
  return TRUE;
}

void
zendesk_http_wake (ZendeskHttp *http)
{
  curl_multi_wakeup (http->multi);
}
