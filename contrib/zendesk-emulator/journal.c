/* journal.c: the state file, from which a restarted emulator gets its tickets back */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *const actions[] = { "create", "update", "import" };

static void
break_off (Emulator *emu, const char *what)
{
  if (emu->broken == NULL)
    g_set_error (&emu->broken, G_FILE_ERROR, g_file_error_from_errno (errno),
                 "could not %s \"%s\": %s", what, emu->config.state, g_strerror (errno));
}

/* The emulator cannot go on without its state: an answer must not promise what is not kept. */
static void
append (Emulator *emu, GString *line)
{
  gsize done = 0;

  g_string_append (line, "}\n");
  while (done < line->len && emu->broken == NULL)
    {
      gssize n = write (emu->journal, line->str + done, line->len - done);

      if (n >= 0)
        done += (gsize)n;
      else if (errno != EINTR)
        break_off (emu, "write");
    }
}

static GString *
begin_line (const char *action, gint64 id, gint64 now)
{
  GString *line = g_string_sized_new (1024);

  g_string_append_printf (line,
                          "{\"do\":\"%s\",\"id\":%" G_GINT64_FORMAT ",\"time\":%" G_GINT64_FORMAT,
                          action, id, now);
  return line;
}

static void
add_member (GString *line, const char *name, const char *text)
{
  if (text == NULL)
    return;
  g_string_append_printf (line, ",\"%s\":", name);
  emu_json_add_text (line, text);
}

static void
write_change (Emulator *emu, const EmuTicket *ticket, const EmuDraft *draft,
              const EmuOrigin *origin)
{
  g_autoptr (GString) line = NULL;

  if (emu->journal < 0 || emu->in_step)
    return;
  line = begin_line (actions[draft->action], ticket->id, draft->now);
  add_member (line, "client", origin->client);
  add_member (line, "address", origin->address);
  if (ticket->archived)
    g_string_append (line, ",\"archived\":true");
  if (origin->key != NULL)
    {
      add_member (line, "key", origin->key->text);
      g_string_append_printf (line, ",\"arrived\":%" G_GINT64_FORMAT ",\"digest\":\"",
                              origin->arrived);
      for (guint i = 0; i < EMU_DIGEST_SIZE; i++)
        g_string_append_printf (line, "%02x", origin->digest[i]);
      g_string_append_c (line, '"');
    }
  g_string_append (line, ",\"request\":");
  g_string_append (line, json_object_to_json_string_ext (origin->json, JSON_C_TO_STRING_PLAIN));
  append (emu, line);
}

void
emu_journal_create (Emulator *emu, const EmuTicket *ticket, const EmuDraft *draft,
                    const EmuOrigin *origin)
{
  write_change (emu, ticket, draft, origin);
}

void
emu_journal_update (Emulator *emu, const EmuTicket *ticket, const EmuDraft *draft,
                    const EmuOrigin *origin)
{
  write_change (emu, ticket, draft, origin);
}

void
emu_journal_ticket (Emulator *emu, const char *what, const EmuTicket *ticket, gint64 now)
{
  g_autoptr (GString) line = NULL;

  if (emu->journal < 0 || emu->in_step)
    return;
  line = begin_line (what, ticket->id, now);
  append (emu, line);
}

void
emu_journal_upload (Emulator *emu, const EmuUpload *upload, const EmuAttachment *attachment,
                    gint64 now)
{
  g_autoptr (GString) line = NULL;

  if (emu->journal < 0)
    return;
  line = begin_line ("upload", attachment->id, now);
  add_member (line, "token", upload->token);
  add_member (line, "file_name", attachment->file_name);
  add_member (line, "content_type", attachment->content_type);
  add_member (line, "secret", attachment->secret);
  add_member (line, "sha256", attachment->sha256);
  g_string_append_printf (line, ",\"expires\":%" G_GINT64_FORMAT ",\"size\":%" G_GSIZE_FORMAT,
                          upload->expires, attachment->size);
  append (emu, line);
}

void
emu_journal_drop_upload (Emulator *emu, const EmuUpload *upload, gint64 now)
{
  g_autoptr (GString) line = NULL;

  if (emu->journal < 0)
    return;
  line = begin_line ("drop-upload", 0, now);
  add_member (line, "token", upload->token);
  append (emu, line);
}

static void
add_number (GString *line, const char *name, gint64 number)
{
  g_string_append_printf (line, ",\"%s\":%" G_GINT64_FORMAT, name, number);
}

static void
add_json (GString *line, const char *name, json_object *value)
{
  g_string_append_printf (line, ",\"%s\":", name);
  g_string_append (line, json_object_to_json_string_ext (value, JSON_C_TO_STRING_PLAIN));
}

void
emu_journal_deed (Emulator *emu, const EmuDeed *deed, gint64 result)
{
  g_autoptr (GString) line = NULL;

  if (emu->journal < 0 || emu->in_step)
    return;
  line = begin_line (emu_deed_get_name (deed->kind), result, deed->now);
  if (deed->id != 0)
    add_number (line, "of", deed->id);
  if (deed->other != 0)
    add_number (line, "other", deed->other);
  if (deed->wish != NULL)
    add_json (line, "request", deed->wish);
  append (emu, line);
}

void
emu_journal_job (Emulator *emu, const EmuJob *job)
{
  g_autoptr (GString) line = NULL;

  if (emu->journal < 0)
    return;
  line = begin_line ("job", job->number, job->created / G_USEC_PER_SEC);
  add_member (line, "kind", emu_job_get_name (job->kind));
  add_number (line, "created", job->created);
  add_member (line, "client", job->client);
  add_member (line, "address", job->address);
  add_number (line, "fail_after", job->fail_after);
  add_number (line, "stall_after", job->stall_after);
  add_member (line, "failure", job->failure);
  add_number (line, "short", job->n_short);
  g_string_append_printf (line, ",\"archive\":%s,\"gone\":%s,\"mixed\":%s,\"keep_rows\":%s",
                          job->archive ? "true" : "false", job->gone ? "true" : "false",
                          job->mixed ? "true" : "false",
                          job->keep_rows ? "true" : "false");
  add_json (line, "items", job->items);
  append (emu, line);
}

void
emu_journal_step (Emulator *emu, const EmuJob *job, const char *row, gboolean good, gint64 now)
{
  g_autoptr (GString) line = NULL;

  if (emu->journal < 0)
    return;
  line = begin_line ("step", job->number, now);
  add_member (line, "row", row);
  g_string_append (line, good ? ",\"good\":true" : "");
  append (emu, line);
}

static gboolean
read_digest (const char *hex, guint8 *ret_digest)
{
  if (hex == NULL || strlen (hex) != 2 * EMU_DIGEST_SIZE)
    return FALSE;
  for (guint i = 0; i < EMU_DIGEST_SIZE; i++)
    {
      if (!g_ascii_isxdigit (hex[2 * i]) || !g_ascii_isxdigit (hex[2 * i + 1]))
        return FALSE;
      ret_digest[i] = (guint8)(g_ascii_xdigit_value (hex[2 * i]) * 16
                               + g_ascii_xdigit_value (hex[2 * i + 1]));
    }
  return TRUE;
}

static gboolean
replay_change (Emulator *emu, EmuAction action, json_object *line, gint64 id, gint64 now)
{
  g_autofree char *client = emu_json_dup_text (emu_json_get (line, "client"));
  g_autofree char *address = emu_json_dup_text (emu_json_get (line, "address"));
  g_autofree char *key = emu_json_dup_text (emu_json_get (line, "key"));
  g_autofree char *hex = emu_json_dup_text (emu_json_get (line, "digest"));
  json_object *request = emu_json_get (line, "request");
  guint8 digest[EMU_DIGEST_SIZE];
  EmuOrigin origin = { .client = client,
                       .address = address,
                       .json = request,
                       .digest = digest,
                       .time = now * G_USEC_PER_SEC,
                       .arrived = now * G_USEC_PER_SEC };
  g_autoptr (EmuDraft) draft = emu_draft_read (action, request, emu->fields, emu->users, now);
  EmuTicket *ticket = emu_tickets_get (emu->tickets, id);
  gboolean good;

  if (action == EMU_UPDATE)
    {
      g_autoptr (GString) audit = g_string_new (NULL);

      if (ticket != NULL)
        emulator_update (emu, ticket, draft, &origin, audit);
      return ticket != NULL;
    }
  if (draft->comments->len == 0)
    return FALSE;
  emu_json_get_id (emu_json_get (line, "arrived"), &origin.arrived);
  if (key != NULL && read_digest (hex, digest))
    {
      GRefString *text = g_ref_string_new (key);

      origin.key = emu_keys_enter (emu->keys, text, origin.arrived);
      g_ref_string_release (text);
    }
  ticket = emulator_create (emu, draft, &origin,
                            json_object_get_boolean (emu_json_get (line, "archived")));
  good = ticket->id == id;
  if (origin.key != NULL)
    emu_keys_leave (emu->keys, origin.key);
  return good;
}

static gboolean
replay_upload (Emulator *emu, json_object *line, gint64 id)
{
  g_autofree char *token = emu_json_dup_text (emu_json_get (line, "token"));
  EmuAttachment *attachment;
  EmuUpload *upload;
  gint64 expires, size;

  if (token == NULL || !emu_json_get_id (emu_json_get (line, "expires"), &expires)
      || !emu_json_get_id (emu_json_get (line, "size"), &size) || size < 0
      || emu_json_get (line, "file_name") == NULL || emu_json_get (line, "secret") == NULL
      || emu_json_get (line, "sha256") == NULL || emu_tickets_reserve (emu->tickets, 1) != id)
    return FALSE;
  attachment = g_new0 (EmuAttachment, 1);
  attachment->id = id;
  attachment->size = (gsize)size;
  attachment->file_name = emu_json_dup_text (emu_json_get (line, "file_name"));
  attachment->content_type = emu_json_dup_text (emu_json_get (line, "content_type"));
  attachment->secret = emu_json_dup_text (emu_json_get (line, "secret"));
  attachment->sha256 = emu_json_dup_text (emu_json_get (line, "sha256"));
  upload = emu_uploads_find (emu->uploads, token, 0);
  if (upload == NULL)
    upload = emu_uploads_begin (emu->uploads, token, expires);
  emu_uploads_add (emu->uploads, upload, attachment);
  return TRUE;
}

static gboolean
replay_drop_upload (Emulator *emu, json_object *line)
{
  g_autofree char *token = emu_json_dup_text (emu_json_get (line, "token"));
  EmuUpload *upload = token != NULL ? emu_uploads_find (emu->uploads, token, 0) : NULL;

  if (upload == NULL)
    return FALSE;
  emu_uploads_drop (emu->uploads, upload);
  return TRUE;
}

static gboolean
replay_ticket (Emulator *emu, const char *what, EmuTicket *ticket, gint64 now)
{
  if (ticket == NULL || ticket->scrubbed)
    return FALSE;
  if (g_str_equal (what, "delete") && !ticket->deleted)
    emulator_delete (emu, ticket, now);
  else if (g_str_equal (what, "restore") && ticket->deleted)
    emulator_restore (emu, ticket, now);
  else
    return FALSE;
  return TRUE;
}

static gboolean
replay_line (Emulator *emu, const char *text, gsize length, gint64 *last)
{
  g_autoptr (json_object) line = emu_json_parse (text, length, EMU_JSON_DEPTH + 4);
  g_autofree char *what = emu_json_dup_text (emu_json_get (line, "do"));
  gint64 id, now;

  if (what == NULL || !emu_json_get_id (emu_json_get (line, "id"), &id)
      || !emu_json_get_id (emu_json_get (line, "time"), &now))
    return FALSE;
  *last = MAX (*last, now);
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (what, actions[i]))
      return replay_change (emu, i, line, id, now);
  if (g_str_equal (what, "upload"))
    return replay_upload (emu, line, id);
  if (g_str_equal (what, "drop-upload"))
    return replay_drop_upload (emu, line);
  if (emu_deed_find (what) < EMU_N_DEEDS)
    return emu_deed_replay (emu, emu_deed_find (what), line, now);
  if (g_str_equal (what, "job"))
    return emu_job_replay (emu, line, now);
  if (g_str_equal (what, "step"))
    return emu_job_replay_step (emu, line, now);
  return replay_ticket (emu, what, emu_tickets_get (emu->tickets, id), now);
}

/* @ret_good: how many bytes are whole lines. */
static gboolean
replay (Emulator *emu, const char *text, gsize length, gsize *ret_good, GError **error)
{
  gint64 last = 0;
  guint n = 0;
  const char *newline;
  gsize at = 0;

  while (at < length && (newline = memchr (text + at, '\n', length - at)) != NULL)
    {
      n++;
      if (!replay_line (emu, text + at, (gsize)(newline - text) - at, &last))
        {
          g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                       "\"%s\", line %u: this is no change that an emulator with the same "
                       "--first-id and --fields wrote",
                       emu->config.state, n);
          return FALSE;
        }
      at = (gsize)(newline - text) + 1;
    }
  /* Time does not run backwards over a restart. */
  if (last > emu_clock_seconds (&emu->clock))
    emu_clock_set (&emu->clock, last * G_USEC_PER_SEC);
  *ret_good = at;
  return TRUE;
}

gboolean
emu_journal_open (Emulator *emu, GError **error)
{
  const char *path = emu->config.state;
  g_autoptr (GMappedFile) map = NULL;
  gsize good = 0;
  int fd;

  if (path == NULL)
    return TRUE;
  fd = open (path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
                   "could not open \"%s\": %s", path, g_strerror (errno));
      return FALSE;
    }
  map = g_mapped_file_new_from_fd (fd, FALSE, error);
  if (map == NULL
      || !replay (emu, g_mapped_file_get_contents (map), g_mapped_file_get_length (map), &good,
                  error))
    {
      close (fd);
      return FALSE;
    }
  emu->journal = fd; /* only now: what is read is not written again */
  if (ftruncate (fd, (off_t)good) == 0)
    return TRUE;
  break_off (emu, "cut");
  g_propagate_error (error, g_steal_pointer (&emu->broken));
  return FALSE;
}

void
emu_journal_truncate (Emulator *emu)
{
  if (emu->journal >= 0 && ftruncate (emu->journal, 0) < 0)
    break_off (emu, "empty");
}
