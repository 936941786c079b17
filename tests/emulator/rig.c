/* rig.c: an emulator of one's own and a client that sees what really happens on the wire */
#include "rig.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

static void
start (Rig *rig, const char *const *options, char **ret_complaint)
{
  const char *program = g_getenv ("EMULATOR");
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (argv, (gpointer)(program != NULL ? program : "zendesk-emulator"));
  g_ptr_array_add (argv, (gpointer) "--quiet");
  for (; *options != NULL; options++)
    g_ptr_array_add (argv, (gpointer)*options);
  g_ptr_array_add (argv, NULL);

  g_autoptr (GSubprocess) process
      = g_subprocess_newv ((const char *const *)argv->pdata,
                           G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  if (process == NULL)
    g_error ("%s", error->message);

  g_autoptr (GDataInputStream) out
      = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  g_autofree char *line = g_data_input_stream_read_line (out, NULL, NULL, NULL);
  g_clear_pointer (&rig->url, g_free);
  if (line != NULL && g_str_has_prefix (line, "listening on "))
    rig->url = g_strdup (line + strlen ("listening on "));
  else
    {
      g_autoptr (GDataInputStream) err
          = g_data_input_stream_new (g_subprocess_get_stderr_pipe (process));
      char *said = g_data_input_stream_read_line (err, NULL, NULL, NULL);

      if (ret_complaint == NULL)
        g_error ("the emulator did not start: %s", said);
      *ret_complaint = said;
    }
  rig->process = g_steal_pointer (&process);
}

static void
kill_process (Rig *rig)
{
  if (rig->process == NULL)
    return;
  g_subprocess_force_exit (rig->process);
  g_subprocess_wait (rig->process, NULL, NULL);
  g_clear_object (&rig->process);
}

static GPtrArray *
collect (const char *option, va_list rest)
{
  GPtrArray *options = g_ptr_array_new ();

  for (; option != NULL; option = va_arg (rest, const char *))
    g_ptr_array_add (options, (gpointer)option);
  g_ptr_array_add (options, NULL);
  return options;
}

Rig *
rig_new_list (const char *const *options, char **ret_complaint)
{
  Rig *rig = g_new0 (Rig, 1);

  rig->curl = curl_easy_init ();
  start (rig, options, ret_complaint);
  return rig;
}

Rig *
rig_new (const char *option, ...)
{
  va_list rest;

  va_start (rest, option);
  g_autoptr (GPtrArray) options = collect (option, rest);
  va_end (rest);
  return rig_new_list ((const char *const *)options->pdata, NULL);
}

void
rig_restart (Rig *rig, const char *option, ...)
{
  va_list rest;

  kill_process (rig);
  va_start (rest, option);
  g_autoptr (GPtrArray) options = collect (option, rest);
  va_end (rest);
  start (rig, (const char *const *)options->pdata, NULL);
}

int
rig_wait (Rig *rig)
{
  g_subprocess_wait (rig->process, NULL, NULL);
  return g_subprocess_get_exit_status (rig->process);
}

/* Asked to end, it frees all it has; what a sanitizer has to say about that ends the test. */
static void
end_process (Rig *rig)
{
  char said[8192] = "";

  if (rig->process == NULL)
    return;
  if (rig->url != NULL)
    g_subprocess_send_signal (rig->process, SIGTERM);
  g_subprocess_wait (rig->process, NULL, NULL);
  if (rig->url != NULL && !g_subprocess_get_successful (rig->process))
    {
      g_input_stream_read_all (g_subprocess_get_stderr_pipe (rig->process), said, sizeof said - 1,
                               NULL, NULL, NULL);
      g_error ("the emulator ended badly: %s", said);
    }
  g_clear_object (&rig->process);
}

void
rig_free (Rig *rig)
{
  if (rig == NULL)
    return;
  curl_easy_cleanup (rig->curl);
  end_process (rig);
  g_free (rig->url);
  g_free (rig);
}

void
reply_free (Reply *reply)
{
  if (reply == NULL)
    return;
  g_free (reply->head);
  g_free (reply->body);
  json_object_put (reply->json);
  g_free (reply);
}

long
reply_take_status (Reply *reply)
{
  long status = reply->status;

  reply_free (reply);
  return status;
}

typedef struct
{
  CURL *curl; /* (unowned) */
  GString *head, *body;
  struct curl_slist *headers;
} Call;

static size_t
take (char *data, size_t size, size_t n, void *text)
{
  g_string_append_len (text, data, (gssize)(size * n));
  return size * n;
}

static void
call_begin (Call *call, Rig *rig, CURL *curl, const char *method, const char *path,
            const char *body, const char *const *headers)
{
  g_autofree char *url = g_strconcat (rig->url, path, NULL);

  call->curl = curl;
  call->head = g_string_new (NULL);
  call->body = g_string_new (NULL);
  call->headers = curl_slist_append (NULL, "Expect:");
  if (body != NULL)
    call->headers = curl_slist_append (call->headers, "Content-Type: application/json");
  for (; *headers != NULL; headers++)
    call->headers = curl_slist_append (call->headers, *headers);
  curl_easy_reset (curl);
  curl_easy_setopt (curl, CURLOPT_URL, url);
  curl_easy_setopt (curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt (curl, CURLOPT_HTTPHEADER, call->headers);
  curl_easy_setopt (curl, CURLOPT_HEADERFUNCTION, take);
  curl_easy_setopt (curl, CURLOPT_HEADERDATA, call->head);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, call->body);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_FRESH_CONNECT, rig->reuse ? 0L : 1L);
  curl_easy_setopt (curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt (curl, CURLOPT_SSL_VERIFYPEER, 0L); /* a certificate made for the test */
  curl_easy_setopt (curl, CURLOPT_SSL_VERIFYHOST, 0L);
  if (body != NULL)
    {
      curl_easy_setopt (curl, CURLOPT_POSTFIELDSIZE, (long)strlen (body));
      curl_easy_setopt (curl, CURLOPT_COPYPOSTFIELDS, body);
    }
}

static Reply *
call_end (Call *call, CURLcode result)
{
  Reply *reply = g_new0 (Reply, 1);

  reply->result = result;
  curl_easy_getinfo (call->curl, CURLINFO_RESPONSE_CODE, &reply->status);
  curl_slist_free_all (call->headers);
  reply->head = g_string_free (call->head, FALSE);
  reply->length = call->body->len;
  reply->body = g_string_free (call->body, FALSE);
  reply->json = json_tokener_parse (reply->body);
  return reply;
}

Reply *
rig_call (Rig *rig, const char *method, const char *path, const char *body, const char *header)
{
  const char *headers[] = { header, NULL };
  Call call;

  call_begin (&call, rig, rig->curl, method, path, body, headers);
  return call_end (&call, curl_easy_perform (rig->curl));
}

Reply *
rig_get (Rig *rig, const char *path)
{
  return rig_call (rig, "GET", path, NULL, NULL);
}

Reply *
rig_send (Rig *rig, const char *path, const char *type, const char *data, gsize length)
{
  g_autofree char *header = g_strdup_printf ("Content-Type: %s", type);
  const char *headers[] = { header, NULL };
  Call call;

  call_begin (&call, rig, rig->curl, "POST", path, NULL, headers);
  curl_easy_setopt (rig->curl, CURLOPT_POSTFIELDSIZE, (long)length);
  curl_easy_setopt (rig->curl, CURLOPT_COPYPOSTFIELDS, data);
  return call_end (&call, curl_easy_perform (rig->curl));
}

Reply *
rig_create (Rig *rig, const char *body, const char *key)
{
  g_autofree char *text = quoted (body);
  g_autofree char *header = key != NULL ? g_strdup_printf ("Idempotency-Key: %s", key) : NULL;

  return rig_call (rig, "POST", "/api/v2/tickets.json", text, header);
}

GPtrArray *
rig_post_at_once (Rig *rig, const char *path, const char *body, const char *header, guint n)
{
  g_autofree char *text = quoted (body);
  const char *headers[] = { header, NULL };
  GPtrArray *replies = g_ptr_array_new_with_free_func ((GDestroyNotify)reply_free);
  g_autofree Call *calls = g_new0 (Call, n);
  CURLM *multi = curl_multi_init ();
  int running = 1, left;
  CURLMsg *message;

  for (guint i = 0; i < n; i++)
    {
      call_begin (&calls[i], rig, curl_easy_init (), "POST", path, text, headers);
      curl_multi_add_handle (multi, calls[i].curl);
    }
  while (curl_multi_perform (multi, &running) == CURLM_OK && running > 0)
    curl_multi_poll (multi, NULL, 0, 1000, NULL);
  g_ptr_array_set_size (replies, (gint)n);
  while ((message = curl_multi_info_read (multi, &left)) != NULL)
    for (guint i = 0; i < n; i++)
      if (calls[i].curl == message->easy_handle)
        replies->pdata[i] = call_end (&calls[i], message->data.result);
  for (guint i = 0; i < n; i++)
    {
      curl_multi_remove_handle (multi, calls[i].curl);
      curl_easy_cleanup (calls[i].curl);
    }
  curl_multi_cleanup (multi);
  return replies;
}

GPtrArray *
rig_create_at_once (Rig *rig, const char *body, const char *key, guint n)
{
  g_autofree char *header = g_strdup_printf ("Idempotency-Key: %s", key);

  return rig_post_at_once (rig, "/api/v2/tickets.json", body, header, n);
}

void
rig_set_faults (Rig *rig, const char *faults)
{
  g_autofree char *text = quoted (faults);
  g_autoptr (Reply) reply = rig_call (rig, "POST", "/_emulator/faults", text, NULL);

  if (reply->status != 200)
    g_error ("faults were refused: %s", reply->body);
}

gint64
rig_count (Rig *rig, const char *name)
{
  g_autoptr (Reply) reply = rig_get (rig, "/_emulator/counts");

  return number_at (reply->json, name);
}

void
rig_advance (Rig *rig, gint64 seconds)
{
  g_autofree char *body = g_strdup_printf ("{\"advance\":%" G_GINT64_FORMAT "}", seconds);
  g_autoptr (Reply) reply = rig_call (rig, "POST", "/_emulator/clock", body, NULL);

  if (reply->status != 200)
    g_error ("the clock was not moved: %s", reply->body);
}

char *
reply_header (const Reply *reply, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (reply->head, "\r\n", -1);
  gsize length = strlen (name);

  for (char **line = lines; *line != NULL; line++)
    if (g_ascii_strncasecmp (*line, name, length) == 0 && (*line)[length] == ':')
      return g_strdup (g_strstrip (*line + length + 1));
  return NULL;
}

static json_object *
find (json_object *json, const char *path, gboolean *ret_count)
{
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);

  for (char **part = parts; *part != NULL && json != NULL; part++)
    if (g_str_equal (*part, "#"))
      *ret_count = TRUE;
    else if (json_object_is_type (json, json_type_array))
      json = json_object_array_get_idx (json, strtoul (*part, NULL, 10));
    else if (!json_object_is_type (json, json_type_object)
             || !json_object_object_get_ex (json, *part, &json))
      json = NULL;
  return json;
}

char *
at (json_object *json, const char *path)
{
  gboolean count = FALSE;
  json_object *value = find (json, path, &count);

  if (value == NULL)
    return NULL;
  if (count)
    return g_strdup_printf ("%d", json_object_is_type (value, json_type_array)
                                      ? (int)json_object_array_length (value)
                                      : json_object_object_length (value));
  return g_strdup (json_object_is_type (value, json_type_string)
                       ? json_object_get_string (value)
                       : json_object_to_json_string_ext (value, JSON_C_TO_STRING_PLAIN));
}

gint64
number_at (json_object *json, const char *path)
{
  g_autofree char *text = at (json, path);

  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : -1;
}

char *
quoted (const char *text)
{
  return g_strdelimit (g_strdup (text), "'", '"');
}
