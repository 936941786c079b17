/* server.c: a server that does what it is told, request by request
 *
 * One thread accepts, and one reads each connection.  All of them end when their sockets are shut down.
 */
#include "desk.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct _Server
{
  int listener;
  char *url;           /* (owned) */
  const Turn *turns;   /* (unowned) */
  guint n_turns;
  GThread *acceptor;   /* (owned) */
  GMutex lock;         /* of what follows */
  GArray *sockets;     /* (owned) (element-type int) of all connections that ever were */
  GPtrArray *threads;  /* (owned) (element-type GThread) */
  GPtrArray *requests; /* (owned) (element-type utf8) */
};

typedef struct
{
  Server *server;
  int socket;
} Connection;

/* Whether head and body of a request are there. */
static gboolean
is_whole (const GString *request)
{
  const char *end = strstr (request->str, "\r\n\r\n");
  const char *length = strstr (request->str, "Content-Length: ");

  if (end == NULL)
    return FALSE;
  return length == NULL || length > end
         || request->len - (gsize) (end + 4 - request->str) >= strtoul (length + 16, NULL, 10);
}

/* NULL when the connection ends before a byte. */
static char *
read_request (int socket)
{
  g_autoptr (GString) request = g_string_new (NULL);
  char buffer[16384];
  ssize_t n;

  while (!is_whole (request) && (n = recv (socket, buffer, sizeof buffer, 0)) > 0)
    g_string_append_len (request, buffer, n);
  return request->len > 0 ? g_strdup (request->str) : NULL;
}

static Turn
next_turn (Server *server, char *request)
{
  guint i;

  g_mutex_lock (&server->lock);
  i = server->requests->len;
  g_ptr_array_add (server->requests, request);
  g_mutex_unlock (&server->lock);
  return i < server->n_turns ? server->turns[i] : (Turn){ answer (500, "no turn is left"), TRUE };
}

static gpointer
serve (gpointer data)
{
  Connection *connection = data;
  gboolean open = TRUE;
  char *request;

  while (open && (request = read_request (connection->socket)) != NULL)
    {
      Turn turn = next_turn (connection->server, request);

      if (turn.answer != NULL)
        open = send (connection->socket, turn.answer, strlen (turn.answer), MSG_NOSIGNAL) > 0;
      open = open && !turn.closes;
    }
  shutdown (connection->socket, SHUT_RDWR);
  g_free (connection);
  return NULL;
}

static gpointer
accept_all (gpointer data)
{
  Server *server = data;
  int socket;

  while ((socket = accept (server->listener, NULL, NULL)) >= 0)
    {
      Connection *connection = g_new (Connection, 1);

      *connection = (Connection){ server, socket };
      g_mutex_lock (&server->lock);
      g_array_append_val (server->sockets, socket);
      g_ptr_array_add (server->threads, g_thread_new ("connection", serve, connection));
      g_mutex_unlock (&server->lock);
    }
  return NULL;
}

Server *
server_new (const Turn *turns, guint n_turns)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  Server *server = g_new0 (Server, 1);

  server->turns = turns;
  server->n_turns = n_turns;
  g_mutex_init (&server->lock);
  server->sockets = g_array_new (FALSE, FALSE, sizeof (int));
  server->threads = g_ptr_array_new ();
  server->requests = g_ptr_array_new_with_free_func (g_free);
  server->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind (server->listener, (struct sockaddr *) &address, length) != 0 || listen (server->listener, 16) != 0
      || getsockname (server->listener, (struct sockaddr *) &address, &length) != 0)
    g_error ("the test's server cannot listen");
  server->url = g_strdup_printf ("http://127.0.0.1:%u", ntohs (address.sin_port));
  server->acceptor = g_thread_new ("acceptor", accept_all, server);
  return server;
}

void
server_free (Server *server)
{
  shutdown (server->listener, SHUT_RDWR);
  g_thread_join (server->acceptor);
  close (server->listener);
  for (guint i = 0; i < server->sockets->len; i++)
    {
      shutdown (g_array_index (server->sockets, int, i), SHUT_RDWR);
      g_thread_join (server->threads->pdata[i]);
      close (g_array_index (server->sockets, int, i));
    }
  g_array_unref (server->sockets);
  g_ptr_array_unref (server->threads);
  g_ptr_array_unref (server->requests);
  g_mutex_clear (&server->lock);
  g_free (server->url);
  g_free (server);
}

const char *
server_url (const Server *server)
{
  return server->url;
}

guint
server_count (Server *server)
{
  guint n;

  g_mutex_lock (&server->lock);
  n = server->requests->len;
  g_mutex_unlock (&server->lock);
  return n;
}

char *
server_request (Server *server, guint i)
{
  char *request = NULL;

  g_mutex_lock (&server->lock);
  if (i < server->requests->len)
    request = g_strdup (server->requests->pdata[i]);
  g_mutex_unlock (&server->lock);
  return request;
}

const char *
answer (gint status, const char *body)
{
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %d X\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s", status,
                                           strlen (body), body);

  return g_intern_string (text);
}
