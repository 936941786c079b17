/* notify.c: see notify.h; messages of lines NAME=VALUE, a datagram each
 *
 * Not by libsystemd: sd_notify() may not be called in a signal handler, and a process that holds credentials would load the
 * compressors and the cryptography that the library needs for its journals.
 */
#include "notify.h"
#include "command.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define STATUS_EVERY G_USEC_PER_SEC
#define MAX_STATUS 500
/* What is left to do once nothing is in flight any more: the ledger and the file of rejects are written. */
#define LAST_WORDS (30 * G_USEC_PER_SEC)
/* So many signs of life are sent where the manager waits for one. */
#define BEATS 4
/* A manager that takes no message is not waited for longer. */
#define PATIENCE 5 /* seconds */

static int channel = -1;
static struct sockaddr_un address;
static socklen_t address_length;
static char stopping[80];
static gint64 beat_every; /* microseconds; 0: nobody waits for signs of life */
static GMutex lock;
static gint64 beaten_at;  /* under the lock, monotonic */
static gint64 shown_at;

static void
send_message (const char *message, int flags)
{
  if (channel >= 0)
    (void) sendto (channel, message, strlen (message), MSG_NOSIGNAL | flags, (const struct sockaddr *) &address, address_length);
}

/* A path, or a name of the kernel's behind an @.  FALSE: neither, or too long. */
static gboolean
read_address (const char *name)
{
  gsize length = strlen (name);

  if ((*name != '/' && *name != '@') || length < 2 || length >= sizeof address.sun_path)
    return FALSE;
  address.sun_family = AF_UNIX;
  memcpy (address.sun_path, name, length);
  if (*name == '@')
    address.sun_path[0] = '\0';
  address_length = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length);
  return TRUE;
}

/* Microseconds; 0: nobody waits, or for another process. */
static gint64
read_watchdog (void)
{
  const char *text = g_getenv ("WATCHDOG_USEC"), *pid = g_getenv ("WATCHDOG_PID");
  guint64 span, process;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT64, &span, NULL))
    return 0;
  if (pid != NULL && (!g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT32, &process, NULL) || process != (guint64) getpid ()))
    return 0;
  return MAX ((gint64) span / BEATS, 1);
}

void
tally_notify_open (gint64 drain)
{
  const char *name = g_getenv ("NOTIFY_SOCKET");
  const struct timeval patience = { .tv_sec = PATIENCE };

  if (name == NULL)
    return;
  if (!read_address (name) || (channel = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
    {
      tally_command_warn ("the service manager is told nothing, since NOTIFY_SOCKET is \"%s\": a path of at most %d bytes, "
                          "or one behind @, is what can be used",
                          name, (int) sizeof address.sun_path - 1);
      return;
    }
  setsockopt (channel, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  g_snprintf (stopping, sizeof stopping, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" G_GINT64_FORMAT, drain + LAST_WORDS);
  beat_every = read_watchdog ();
}

void
tally_notify_ready (void)
{
  send_message ("READY=1", 0);
}

void
tally_notify_status (const char *line)
{
  gint64 now = g_get_monotonic_time ();
  g_autofree char *start = NULL, *text = NULL, *message = NULL;

  if (channel < 0 || (shown_at != 0 && now - shown_at < STATUS_EVERY))
    return;
  shown_at = now;
  start = g_strndup (line, MAX_STATUS);
  text = g_utf8_make_valid (start, -1); /* a character may have been cut in two */
  message = g_strdup_printf ("STATUS=%s", g_strdelimit (text, "\n", ' '));
  send_message (message, MSG_DONTWAIT);
}

void
tally_notify_alive (void)
{
  gint64 now = g_get_monotonic_time ();
  gboolean due;

  if (channel < 0 || beat_every == 0)
    return;
  g_mutex_lock (&lock);
  due = now - beaten_at >= beat_every;
  if (due)
    beaten_at = now;
  g_mutex_unlock (&lock);
  if (due)
    send_message ("WATCHDOG=1", MSG_DONTWAIT);
}

void
tally_notify_stopping (void)
{
  int kept = errno;

  send_message (stopping, MSG_DONTWAIT);
  errno = kept;
}
