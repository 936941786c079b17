/* examine.c: what stands in a run's way at the ledger's database, found out without opening a ledger there */
#include "database.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

gboolean
tally_check_folder (const char *folder, gboolean may_make, GError **error)
{
  g_autofree char *there = g_strdup (folder);

  while (may_make && access (there, F_OK) != 0 && errno == ENOENT && strlen (there) > 1)
    {
      g_autofree char *below = g_steal_pointer (&there);

      there = g_path_get_dirname (below);
    }
  if (!g_file_test (there, G_FILE_TEST_EXISTS))
    return tally_throw (error, TALLY_ERROR_USAGE, "the folder \"%s\" is not there: make it", there);
  if (!g_file_test (there, G_FILE_TEST_IS_DIR))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is no folder, and has to be one: move it away", there);
  return access (there, W_OK | X_OK) == 0
         || tally_throw_errno (error, errno, "nothing can be made in \"%s\"", there);
}

static gboolean
examine (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  TallyLedgerExam *exam = data;
  g_autofree char *missing = NULL;

  if (!database->class->has_schema (database, &exam->is_there, error)
      || (missing = database->class->dup_missing (database, error)) == NULL)
    return FALSE;
  exam->is_standby = database->is_standby;
  exam->weakness = database->weakness;
  g_free (exam->missing);
  exam->missing = *missing != '\0' ? g_steal_pointer (&missing) : NULL;
  return TRUE;
}

/* A file that is not there: could it be made? */
static gboolean
examine_place (const char *uri, TallyLedgerExam *exam, GError **error)
{
  gboolean is_ours = uri == NULL;
  g_autofree char *path = is_ours ? tally_state_path ("ledger.sqlite", FALSE, error) : g_strdup (uri + strlen ("sqlite:"));
  g_autofree char *folder = path != NULL ? g_path_get_dirname (path) : NULL;
  g_autoptr (GError) local = NULL;

  if (folder == NULL)
    return FALSE;
  if (!tally_check_folder (folder, /* may_make= */ is_ours, &local))
    exam->missing = g_strdup (local->message);
  return TRUE;
}

gboolean
tally_ledger_examine (const char *uri, TallyLedgerExam *ret_exam, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (TallyLedger) ledger = g_new0 (TallyLedger, 1);

  *ret_exam = (TallyLedgerExam){ 0 };
  ledger->tries = 1;
  ledger->database = tally_database_open (uri, TALLY_LEDGER_READ, &failure);
  if (ledger->database == NULL && g_error_matches (failure, TALLY_ERROR, TALLY_ERROR_NO_LEDGER))
    return examine_place (uri, ret_exam, error);
  if (ledger->database == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return tally_ledger_transact (ledger, /* write= */ FALSE, examine, ret_exam, error);
}

void
tally_ledger_exam_clear (TallyLedgerExam *exam)
{
  g_clear_pointer (&exam->missing, g_free);
}
