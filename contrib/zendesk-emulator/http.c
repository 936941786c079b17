/* http.c: the HTTP server in front of the emulator */
#include "http.h"

#include "control.h"
#include "exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define MAX_CONNECTIONS 10000
#define CONNECTION_MEMORY (64 * 1024) /* and so the most that headers may take */
#define IDLE_SECONDS 300
#define HISTORY_BLOCK (64 * 1024)

typedef struct
{
  Emulator *emu;             /* (unowned) */
  struct MHD_Daemon *daemon; /* (owned) */
  GSequence *timers;         /* (owned) of Timer */
  GQueue woken;              /* of EmuExchange (unowned) that waited for a key */
  guint n_connections;       /* ever */
  guint64 n_answers;
  gint64 date_second;
  char date[EMU_CLOCK_SIZE]; /* of @date_second, as HTTP writes it */
  gboolean done;
} Server;

typedef struct
{
  gint64 due;            /* monotonic microseconds */
  EmuExchange *exchange; /* (unowned) */
} Timer;

typedef struct
{
  guint number, n_requests;
} Client;

/* --- waiting --- */

static gint
compare_timers (gconstpointer a, gconstpointer b, gpointer data)
{
  const Timer *one = a, *other = b;

  return one->due < other->due ? -1 : one->due > other->due;
}

static Timer *
first_timer (Server *server, GSequenceIter **ret_iter)
{
  *ret_iter = g_sequence_get_begin_iter (server->timers);
  return g_sequence_iter_is_end (*ret_iter) ? NULL : g_sequence_get (*ret_iter);
}

static int
get_socket (const EmuExchange *x)
{
  return MHD_get_connection_info (x->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* The client sees the end of the connection; with @reset it sees an error. */
static void
hang_up (const EmuExchange *x, gboolean reset)
{
  struct sockaddr nobody = { .sa_family = AF_UNSPEC };

  if (reset)
    connect (get_socket (x), &nobody, sizeof nobody);
  else
    shutdown (get_socket (x), SHUT_RDWR);
}

/* Goes as far as it can be gone now.  TRUE when there is a result. */
static gboolean
go_on (Server *server, EmuExchange *x)
{
  gint64 wait = 0;
  EmuStep step = emu_exchange_step (x, &wait);

  if (step == EMU_STEP_WAIT)
    {
      Timer *timer = g_new (Timer, 1);

      timer->due = g_get_monotonic_time () + wait;
      timer->exchange = x;
      g_sequence_insert_sorted (server->timers, timer, compare_timers, NULL);
      if (x->hang_up)
        hang_up (x, x->strike.main->reset);
    }
  else if (step != EMU_STEP_PARK)
    x->result = step;
  return x->result != EMU_STEP_GO_ON;
}

/* The connection of @x is suspended, so MHD does not see that its client may have gone: what is to
 * be done is done here, not when MHD comes back to it. */
static void
go_on_suspended (Server *server, EmuExchange *x)
{
  if (go_on (server, x))
    MHD_resume_connection (x->connection);
}

static void
run_timers (Server *server, gint64 until)
{
  GSequenceIter *iter;
  EmuExchange *x;
  Timer *timer;

  while ((x = g_queue_pop_head (&server->woken)) != NULL)
    go_on_suspended (server, x);
  while ((timer = first_timer (server, &iter)) != NULL && timer->due <= until)
    {
      x = timer->exchange;
      g_sequence_remove (iter);
      go_on_suspended (server, x);
    }
}

/* Only noted: whoever wakes is in the middle of something. */
static void
wake (gpointer waiting, gpointer data)
{
  Server *server = data;

  g_queue_push_tail (&server->woken, waiting);
}

/* --- answering --- */

typedef struct
{
  char *text; /* (owned) */
  gsize length;
  gssize end; /* what to say when all is read */
} Block;

static ssize_t
read_block (void *data, uint64_t position, char *buffer, size_t size)
{
  const Block *block = data;

  if (position >= block->length)
    return block->end;
  size = MIN (size, block->length - position);
  memcpy (buffer, block->text + position, size);
  return (ssize_t)size;
}

static void
free_block (void *data)
{
  Block *block = data;

  g_free (block->text);
  g_free (block);
}

/* Takes the body.  Half of it, when it is to be cut. */
static struct MHD_Response *
make_response (Emulator *emu, EmuAnswer *answer, const EmuFault *fault)
{
  gsize length = answer->body->len;
  char *text = g_string_free (g_steal_pointer (&answer->body), FALSE);
  gboolean cut = fault != NULL && fault->kind == EMU_FAULT_CUT_BODY;
  Block *block;

  if (!cut && !emu->config.chunked)
    return MHD_create_response_from_buffer (length, text, MHD_RESPMEM_MUST_FREE);
  block = g_new (Block, 1);
  block->text = text;
  block->length = cut ? length / 2 : length;
  block->end = cut ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
  return MHD_create_response_from_callback (emu->config.chunked ? MHD_SIZE_UNKNOWN : length, 16384,
                                            read_block, block, free_block);
}

static void
add_common_headers (Server *server, struct MHD_Response *response)
{
  gint64 now = emu_clock_seconds (&server->emu->clock);
  char id[32];

  if (now != server->date_second)
    {
      emu_clock_format_http (now, server->date);
      server->date_second = now;
    }
  MHD_add_response_header (response, "Date", server->date);
  g_snprintf (id, sizeof id, "%016" G_GINT64_MODIFIER "x-EMU",
              (guint64)++server->n_answers * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15));
  MHD_add_response_header (response, "x-request-id", id);
}

static enum MHD_Result
send_answer (Server *server, EmuExchange *x)
{
  EmuAnswer *answer = &x->answer;
  guint status = answer->status;
  struct MHD_Response *response;
  enum MHD_Result result;

  if (answer->body == NULL)
    emu_answer_begin (answer, status, answer->outcome);
  response = make_response (server->emu, answer, x->strike.main);
  if (status != 204)
    MHD_add_response_header (response, "Content-Type",
                             answer->type != NULL ? answer->type : EMU_TYPE_JSON);
  for (guint i = 0; i < answer->n_headers; i++)
    MHD_add_response_header (response, answer->headers[i].name, answer->headers[i].value);
  if (!x->control)
    {
      MHD_add_response_header (response, "x-zendesk-api-version", "v2");
      MHD_add_response_header (response, "cache-control", "no-cache");
    }
  add_common_headers (server, response);
  result = MHD_queue_response (x->connection, status, response);
  MHD_destroy_response (response);
  return result;
}

typedef struct
{
  Emulator *emu;
  guint next, generation;
  GString *lines; /* (owned) written, not yet taken */
  gsize taken;
} HistoryReader;

/* The history may hold millions of lines, so it is written as it is read. */
static ssize_t
read_history (void *data, uint64_t position, char *buffer, size_t size)
{
  HistoryReader *reader = data;
  EmuHistory *history = reader->emu->history;

  if (reader->taken == reader->lines->len)
    {
      g_string_truncate (reader->lines, 0);
      reader->taken = 0;
      while (reader->generation == reader->emu->generation && reader->next < history->events->len
             && reader->lines->len < HISTORY_BLOCK)
        emu_history_write (history, reader->next++, reader->lines);
      if (reader->lines->len == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
  size = MIN (size, reader->lines->len - reader->taken);
  memcpy (buffer, reader->lines->str + reader->taken, size);
  reader->taken += size;
  return (ssize_t)size;
}

static void
free_history (void *data)
{
  HistoryReader *reader = data;

  g_string_free (reader->lines, TRUE);
  g_free (reader);
}

static enum MHD_Result
send_history (Server *server, EmuExchange *x, guint first)
{
  HistoryReader *reader = g_new0 (HistoryReader, 1);
  struct MHD_Response *response;
  enum MHD_Result result;

  reader->emu = server->emu;
  reader->next = first;
  reader->generation = server->emu->generation;
  reader->lines = g_string_sized_new (HISTORY_BLOCK + 1024);
  response = MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, HISTORY_BLOCK, read_history,
                                                reader, free_history);
  MHD_add_response_header (response, "Content-Type", "application/x-ndjson");
  result = MHD_queue_response (x->connection, 200, response);
  MHD_destroy_response (response);
  return result;
}

/* --- requests --- */

static const char *
lookup_query (gpointer connection, const char *name)
{
  const char *value = NULL;

  /* "?append" is there, though it has no value. */
  if (MHD_lookup_connection_value_n (connection, MHD_GET_ARGUMENT_KIND, name, strlen (name), &value,
                                     NULL)
      != MHD_YES)
    return NULL;
  return value != NULL ? value : "";
}

typedef struct
{
  const char *name;
  GPtrArray *values; /* of char * (owned) */
} Collection;

static enum MHD_Result
collect (void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  const Collection *collection = data;

  if (g_str_equal (name, collection->name))
    g_ptr_array_add (collection->values, g_strdup (value != NULL ? value : ""));
  return MHD_YES;
}

static GStrv
lookup_all (gpointer connection, const char *name)
{
  Collection collection = { name, g_ptr_array_new () };

  MHD_get_connection_values (connection, MHD_GET_ARGUMENT_KIND, collect, &collection);
  g_ptr_array_add (collection.values, NULL);
  return (GStrv)g_ptr_array_free (collection.values, FALSE);
}

static char *
dup_header (struct MHD_Connection *connection, const char *name)
{
  const char *value = MHD_lookup_connection_value (connection, MHD_HEADER_KIND, name);

  return value != NULL ? g_utf8_make_valid (value, -1) : NULL;
}

static char *
dup_address (struct MHD_Connection *connection)
{
  const struct sockaddr *address
      = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  char text[INET_ADDRSTRLEN] = "";

  if (address->sa_family == AF_INET)
    inet_ntop (AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
  return g_strdup (text);
}

static EmuExchange *
begin_request (Server *server, struct MHD_Connection *connection, const char *url,
               const char *method)
{
  Client *client
      = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
  EmuExchange *x = emu_exchange_new (server->emu, method, url);

  x->connection = connection;
  x->query = lookup_query;
  x->query_all = lookup_all;
  x->key = dup_header (connection, "Idempotency-Key");
  x->authorization = dup_header (connection, "Authorization");
  x->client = dup_header (connection, "User-Agent");
  x->content_type = dup_header (connection, "Content-Type");
  x->address = dup_address (connection);
  x->connection_number = client->number;
  x->reused = client->n_requests++ > 0;
  return x;
}

static void
take_body (EmuExchange *x, const char *data, size_t length)
{
  const EmuConfig *config = &x->emu->config;
  gsize most = emu_exchange_is_upload (x) ? config->max_upload : config->max_body;

  if (x->body->len + length > most)
    {
      x->too_large = TRUE;
      g_string_truncate (x->body, 0);
    }
  if (!x->too_large)
    g_string_append_len (x->body, data, (gssize)length);
}

static enum MHD_Result
do_control (Server *server, EmuExchange *x)
{
  guint first;

  if (emu_control (x, &first))
    return send_history (server, x, first);
  return send_answer (server, x);
}

static enum MHD_Result
do_api (Server *server, EmuExchange *x)
{
  const EmuFault *fault = x->strike.main;

  if (x->result == EMU_STEP_GO_ON && !go_on (server, x))
    {
      MHD_suspend_connection (x->connection);
      return MHD_YES;
    }
  if (x->result == EMU_STEP_ANSWER)
    return send_answer (server, x);
  if (fault != NULL && fault->reset)
    hang_up (x, TRUE);
  return MHD_NO;
}

static enum MHD_Result
on_request (void *data, struct MHD_Connection *connection, const char *url, const char *method,
            const char *version, const char *upload, size_t *upload_size, void **request)
{
  Server *server = data;
  EmuExchange *x = *request;

  if (x == NULL)
    {
      *request = x = begin_request (server, connection, url, method);
      if (x->control || emu_exchange_begin (x) == EMU_STEP_GO_ON)
        return MHD_YES;
      if (x->strike.main->reset)
        hang_up (x, TRUE);
      return MHD_NO;
    }
  if (*upload_size > 0)
    {
      take_body (x, upload, *upload_size);
      *upload_size = 0;
      return MHD_YES;
    }
  return x->control ? do_control (server, x) : do_api (server, x);
}

static void
on_completed (void *data, struct MHD_Connection *connection, void **request,
              enum MHD_RequestTerminationCode code)
{
  Server *server = data;

  if (*request != NULL && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
    emu_exchange_answered (*request);
  emu_exchange_free (*request);
  *request = NULL;
  server->done = server->emu->stop;
}

static void
on_connection (void *data, struct MHD_Connection *connection, void **context,
               enum MHD_ConnectionNotificationCode code)
{
  Server *server = data;

  if (code == MHD_CONNECTION_NOTIFY_STARTED)
    {
      Client *client = g_new0 (Client, 1);

      client->number = ++server->n_connections;
      *context = client;
    }
  else
    g_clear_pointer (context, g_free);
}

/* --- the loop --- */

static void
ignore_log (void *data, const char *format, va_list arguments)
{
}

static gboolean
start (Server *server, const EmuListen *listen, GError **error)
{
  struct sockaddr_in address
      = { .sin_family = AF_INET, .sin_port = htons ((uint16_t)listen->port) };
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK
                   | MHD_USE_ERROR_LOG | (listen->cert != NULL ? MHD_USE_TLS : 0);
  struct MHD_OptionItem tls[] = {
    { MHD_OPTION_HTTPS_MEM_CERT, 0, listen->cert },
    { MHD_OPTION_HTTPS_MEM_KEY, 0, listen->key },
    { MHD_OPTION_END, 0, NULL },
  };

  if (inet_pton (AF_INET, listen->host, &address.sin_addr) != 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "\"%s\" is no IPv4 address to listen on", listen->host);
      return FALSE;
    }
  errno = 0;
  server->daemon = MHD_start_daemon (
      flags, (uint16_t)listen->port, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
      ignore_log, NULL, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
      server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_CONNECTION_LIMIT,
      MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
      MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024,
      MHD_OPTION_ARRAY, listen->cert != NULL ? tls : tls + 2, MHD_OPTION_END);
  if (server->daemon == NULL)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
                   "could not listen on %s port %u: %s", listen->host, listen->port,
                   errno != 0 ? g_strerror (errno) : "certificate or key is not usable");
      return FALSE;
    }
  return TRUE;
}

static gboolean
announce (Server *server, const EmuListen *listen, GError **error)
{
  guint port = MHD_get_daemon_info (server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  g_autofree char *text = g_strdup_printf ("%u\n", port);

  g_free (server->emu->base_url);
  server->emu->base_url
      = g_strdup_printf ("%s://%s:%u", listen->cert != NULL ? "https" : "http", listen->host, port);
  if (listen->port_file != NULL && !g_file_set_contents (listen->port_file, text, -1, error))
    return FALSE;
  printf ("listening on %s\n", server->emu->base_url);
  fflush (stdout);
  return TRUE;
}

/* Milliseconds until something is due; -1 for nothing. */
static int
get_timeout (Server *server)
{
  MHD_UNSIGNED_LONG_LONG limit;
  GSequenceIter *iter;
  Timer *timer = first_timer (server, &iter);
  gint64 wait = -1, job = emu_jobs_get_wait (server->emu);

  if (!g_queue_is_empty (&server->woken))
    return 0;
  if (MHD_get_timeout (server->daemon, &limit) == MHD_YES)
    wait = (gint64)MIN (limit, 60000);
  if (timer != NULL)
    {
      gint64 left = (timer->due - g_get_monotonic_time () + 999) / 1000;

      left = CLAMP (left, 0, 60000);
      wait = wait < 0 ? left : MIN (wait, left);
    }
  if (job >= 0)
    wait = wait < 0 ? (job + 999) / 1000 : MIN (wait, (job + 999) / 1000);
  return (int)wait;
}

static void
loop (Server *server, int signals)
{
  struct pollfd waits[] = {
    { .fd = MHD_get_daemon_info (server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
      .events = POLLIN },
    { .fd = signals, .events = POLLIN },
  };

  while (!server->done && server->emu->broken == NULL)
    {
      if (poll (waits, G_N_ELEMENTS (waits), get_timeout (server)) < 0 && errno != EINTR)
        break;
      if (waits[1].revents != 0)
        break;
      emu_jobs_run (server->emu);
      run_timers (server, g_get_monotonic_time ());
      MHD_run (server->daemon);
    }
}

/* Requests that wait are let go first: the server may not be stopped with any. */
static void
stop (Server *server)
{
  server->emu->generation++; /* they end without doing anything more */
  emulator_wake_all (server->emu);
  run_timers (server, G_MAXINT64);
  MHD_run (server->daemon);
  MHD_stop_daemon (server->daemon);
}

gboolean
emu_http_serve (Emulator *emu, const EmuListen *listen, GError **error)
{
  Server server = { .emu = emu, .timers = g_sequence_new (g_free), .woken = G_QUEUE_INIT };
  sigset_t mask;
  gboolean good;
  int signals;

  sigemptyset (&mask);
  sigaddset (&mask, SIGINT);
  sigaddset (&mask, SIGTERM);
  sigprocmask (SIG_BLOCK, &mask, NULL);
  signal (SIGPIPE, SIG_IGN);
  signals = signalfd (-1, &mask, SFD_CLOEXEC);

  emu->wake = wake;
  emu->wake_data = &server;
  good = start (&server, listen, error);
  if (good)
    {
      good = announce (&server, listen, error);
      if (good)
        loop (&server, signals);
      stop (&server);
      if (good && emu->broken != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&emu->broken));
          good = FALSE;
        }
    }
  close (signals);
  g_sequence_free (server.timers);
  return good;
}
