/* mark.c: the ledger's high-water mark in a file of our own (R8)
 *
 * The witnesses are the writers that are at work, and the newest one: each with its random token
 * and the serial of its last commit.  A ledger that was restored from a backup, or that came back
 * from a failover without its last commits, lacks a witness or has it with a lower serial.  A plain
 * count of commits would be caught up with by new commits, and an epoch would be given out again; a
 * token is not.
 *
 * If the server itself is another one than before, or began a new timeline, commits after the mark
 * may be missing as well.  Then every writer of the mark must be known to have ended in order: its
 * end was its last commit.
 *
 * An emptied ledger gets a new id, so that no mark is its own; but the mark of the one that was at
 * the same place before is still there, and says so.
 */
#include "database.h"
#include <gio/gio.h>
#include <string.h>

enum
{
  WRITER_EPOCH,
  WRITER_TOKEN,
  WRITER_SERIAL,
  WRITER_ENDING,
};

/* After a colon; the mark's path follows. */
#define REMEDY                                                                                     \
  "nothing may be created with it: bring its newest state back, or refill it from the target with " \
  "\"tallyman doubt reconcile PIPELINE\"; the mark is \"%s\""

static char *
mark_path (const char *ledger_id, gboolean make_folder, GError **error)
{
  g_autofree char *name = g_strdup_printf ("marks/%s", ledger_id);

  return tally_state_path (name, make_folder, error);
}

gboolean
tally_mark_save (TallyDatabase *database, const char *ledger_id, const TallyRows *writers,
                 const char *server, GError **error)
{
  g_autofree char *path = mark_path (ledger_id, /* make_folder= */ TRUE, error);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;

  if (path == NULL)
    return FALSE;

  g_key_file_set_string (file, "ledger", "location", database->location);
  g_key_file_set_string (file, "ledger", "server", server);
  for (guint i = 0; i < writers->n_rows; i++)
    {
      g_autofree char *group
          = g_strdup_printf ("writer %s", tally_rows_text (writers, i, WRITER_EPOCH));
      const char *ending = tally_rows_text (writers, i, WRITER_ENDING);

      g_key_file_set_string (file, group, "token", tally_rows_text (writers, i, WRITER_TOKEN));
      g_key_file_set_int64 (file, group, "serial", tally_rows_int (writers, i, WRITER_SERIAL));
      g_key_file_set_boolean (file, group, "released", g_strcmp0 (ending, "released") == 0);
    }
  text = g_key_file_to_data (file, NULL, NULL);
  if (!g_file_set_contents_full (path, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                 &local))
    return tally_throw (error, TALLY_ERROR_LEDGER, "could not write the ledger's mark: %s",
                        local->message);
  return TRUE;
}

static gboolean
check_witness (TallyDatabase *database, GKeyFile *file, const char *group, gboolean other_server,
               const char *path, GError **error)
{
  g_autofree char *token = g_key_file_get_string (file, group, "token", NULL);
  gint64 serial = g_key_file_get_int64 (file, group, "serial", NULL);
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error,
            "SELECT epoch, token, serial, ending FROM writers WHERE token = $1", SQL_TEXT (token)))
    return FALSE;
  if (rows->n_rows == 0)
    return tally_throw (
        error, TALLY_ERROR_LEDGER,
        "the ledger %s went backwards: %s was there and is not any more, as after a "
        "restore from a backup; " REMEDY,
        database->description, group, path);
  if (tally_rows_int (rows, 0, WRITER_SERIAL) < serial)
    return tally_throw (error, TALLY_ERROR_LEDGER,
                        "the ledger %s went backwards: %s had made %" G_GINT64_FORMAT
                        " commits, and %s are there, as after a failover that lost some; " REMEDY,
                        database->description, group, serial,
                        tally_rows_text (rows, 0, WRITER_SERIAL), path);
  if (other_server && !g_key_file_get_boolean (file, group, "released", NULL)
      && g_strcmp0 (tally_rows_text (rows, 0, WRITER_ENDING), "released") != 0)
    return tally_throw (
        error, TALLY_ERROR_LEDGER,
        "the ledger %s is on another server than before, or failed over, while %s was "
        "at work, so its last commits may be lost; " REMEDY,
        database->description, group, path);
  return TRUE;
}

static gboolean
check_mark (TallyDatabase *database, GKeyFile *file, const char *server, const char *path,
            GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  g_autofree char *known_server = g_key_file_get_string (file, "ledger", "server", NULL);
  gboolean other_server = g_strcmp0 (known_server, server) != 0;

  for (char **group = groups; *group != NULL; group++)
    if (g_str_has_prefix (*group, "writer ")
        && !check_witness (database, file, *group, other_server, path, error))
      return FALSE;
  return TRUE;
}

/* A run that is killed while it writes a mark leaves "ID.XXXXXX" beside it, which never counted. */
static gboolean
is_mark (const char *name)
{
  return strchr (name, '.') == NULL;
}

gboolean
tally_mark_check_place (TallyDatabase *database, const char *ledger_id, GError **error)
{
  g_autofree char *folder = tally_state_path ("marks", FALSE, NULL);
  g_autoptr (GDir) marks = folder != NULL ? g_dir_open (folder, 0, NULL) : NULL;
  const char *name;

  while (marks != NULL && (name = g_dir_read_name (marks)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autoptr (GKeyFile) file = g_key_file_new ();
      g_autofree char *location = NULL;

      if (!is_mark (name) || g_strcmp0 (name, ledger_id) == 0
          || !g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL))
        continue;
      location = g_key_file_get_string (file, "ledger", "location", NULL);
      if (g_strcmp0 (location, database->location) == 0)
        return tally_throw (
            error, TALLY_ERROR_LEDGER,
            "the ledger %s %s at its place: what that one had delivered would be created again; "
            "bring it back, refill the new one from the target with \"tallyman doubt reconcile PIPELINE\", "
            "or remove \"%s\" if nothing of it is in a target",
            database->description,
            ledger_id != NULL ? "is new, and another one was" : "is not there, and one was", path);
    }
  return TRUE;
}

gboolean
tally_mark_check (TallyDatabase *database, const char *ledger_id, const char *server,
                  GError **error)
{
  g_autofree char *path = mark_path (ledger_id, FALSE, error);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) local = NULL;

  if (path == NULL)
    return FALSE;
  if (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &local))
    return check_mark (database, file, server, path, error);
  if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return tally_mark_check_place (database, ledger_id, error);
  return tally_throw (error, TALLY_ERROR_LEDGER, "could not read the ledger's mark \"%s\": %s",
                      path, local->message);
}
