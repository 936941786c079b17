/* fuzz_emulator.c: whatever a client sends, the emulator answers, and nothing else happens
 *
 * An input is a row of requests with the byte 0x1e between them.  Each is a line "METHOD
 * /path?query", a line with an idempotency key (which may be empty), and a body.
 */
#include "api.h"
#include "control.h"

#include <stdlib.h>
#include <string.h>

#define MAX_REQUESTS 64
#define MAX_STEPS 8

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static const char *
lookup_query (gpointer connection, const char *name)
{
  return connection != NULL ? g_hash_table_lookup (connection, name) : NULL;
}

/* Of several values only the last is there, which is enough here. */
static GStrv
lookup_all (gpointer connection, const char *name)
{
  const char *const values[] = { lookup_query (connection, name), NULL };

  return g_strdupv ((GStrv)values);
}

/* The text up to @mark, or to the end; moves @rest behind it. */
static char *
take_line (const char **rest, const char *end, char mark)
{
  const char *stop = memchr (*rest, mark, (gsize)(end - *rest));
  char *line = g_strndup (*rest, (gsize)((stop != NULL ? stop : end) - *rest));

  *rest = stop != NULL ? stop + 1 : end;
  return line;
}

static void
check_answer (const EmuExchange *x)
{
  g_autoptr (json_object) json = NULL;

  if (x->answer.status < 200 || x->answer.status > 599 || x->answer.body == NULL)
    abort ();
  for (guint i = 0; i < x->answer.n_headers; i++)
    if (strpbrk (x->answer.headers[i].value, "\r\n") != NULL)
      abort ();
  /* What says that it is JSON is, unless a fault has spoilt it. */
  if (x->answer.type == NULL && x->answer.body->len > 0 && x->strike.main == NULL)
    {
      json = emu_json_parse (x->answer.body->str, x->answer.body->len, EMU_JSON_DEPTH + 8);
      if (json == NULL)
        abort ();
    }
}

static void
serve (EmuExchange *x)
{
  gint64 wait;
  guint first;

  if (x->control)
    {
      if (!emu_control (x, &first))
        check_answer (x);
      return;
    }
  if (emu_exchange_begin (x) == EMU_STEP_CLOSE)
    return;
  for (guint i = 0; i < MAX_STEPS; i++)
    switch (emu_exchange_step (x, &wait))
      {
      case EMU_STEP_WAIT:
        break;
      case EMU_STEP_ANSWER:
        check_answer (x);
        return;
      default:
        return;
      }
  abort (); /* it would wait for ever */
}

static void
request (Emulator *emu, const char *text, gsize length)
{
  const char *rest = text, *end = text + length;
  g_autofree char *line = take_line (&rest, end, '\n');
  g_autofree char *key = take_line (&rest, end, '\n');
  char *path = strchr (line, ' ');
  char *query;

  if (path == NULL)
    return;
  *path++ = '\0';
  query = strchr (path, '?');
  if (query != NULL)
    *query++ = '\0';

  g_autoptr (GHashTable) parameters
      = query != NULL ? g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
  EmuExchange *x = emu_exchange_new (emu, line, path);
  x->connection = parameters;
  x->query = lookup_query;
  x->query_all = lookup_all;
  x->content_type = g_strdup ("text/plain");
  x->key = *key != '\0' ? g_utf8_make_valid (key, -1) : NULL;
  g_string_append_len (x->body, rest, end - rest);
  serve (x);
  emu_exchange_free (x);
}

static void
ignore_wake (gpointer waiting, gpointer data)
{
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  EmuConfig config = { .key_life = G_GINT64_CONSTANT (7200000000),
                       .first_id = 1,
                       .max_body = 1 << 20,
                       .max_upload = 1 << 20,
                       .hold_files = 64, /* some contents are let go */
                       .upload_life = 3600,
                       .check_authors = size % 2 == 0,
                       .ignore_tokens = size % 3 == 0,
                       .sort_comments = size % 5 == 0,
                       .repeat_exported = size % 7 == 0 ? 2 : 0,
                       .bulk_users = EMU_BULK_USERS_ON,
                       .requester_race = size % 4,
                       .check_people = size % 11 == 0,
                       .external_id_wins = size % 2 == 0,
                       .organization_race = size % 3 == 0 ? 60 : 0,
                       .jobs = { .wait = size % 5 == 0 ? G_USEC_PER_SEC : 0,
                                 .life = G_GINT64_CONSTANT (3600000000),
                                 .limit = 3 },
                       .plan = g_strdup ("enterprise"),
                       .email = g_strdup ("admin@example.com") };
  EmuAuth auth = { 0 };
  Emulator emu;
  const char *at = (const char *)data, *end = at + size;

  if (!emulator_open (&emu, &config, &auth, NULL))
    abort ();
  emu.wake = ignore_wake;
  for (guint i = 0; i < MAX_REQUESTS && at < end; i++)
    {
      const char *stop = memchr (at, 0x1e, (gsize)(end - at));
      gsize length = (gsize)((stop != NULL ? stop : end) - at);

      request (&emu, at, length);
      at = stop != NULL ? stop + 1 : end;
    }
  emulator_close (&emu);
  return 0;
}
