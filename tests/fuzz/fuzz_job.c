/* fuzz_job.c: what Zendesk, or whoever answers in its place, can tell of a job
 *
 * The input is an answer's body; its first byte is how many records were sent.  Whatever comes, a record counts as made only
 * with an id that no other one has, and of a job that is over.  The same bytes are taken for the list of what was made.
 */
#include "../../plugins/zendesk/job-status.h"
#include "../../plugins/zendesk/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
check_rows (const ZendeskJobStatus *status)
{
  g_autoptr (GHashTable) ids = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; i < status->n_rows; i++)
    {
      const ZendeskJobRow *row = &status->rows[i];

      g_assert (row->words == NULL || g_utf8_validate (row->words, -1, NULL));
      g_assert (row->kind == ZENDESK_ROW_NONE || status->over);
      g_assert (row->place >= -1 && row->place < (gint) status->n);
      if (row->kind == ZENDESK_ROW_DONE)
        g_assert (zendesk_json_is_id (row->id) && g_hash_table_add (ids, (gpointer) &row->id));
    }
}

/* By its external_id each that was made is found, wherever it is looked for; by its place, none that has a name. */
static void
check_search (const ZendeskJobStatus *status)
{
  for (guint i = 0; i < status->n_rows; i++)
    {
      const ZendeskJobRow *row = &status->rows[i], *found;

      if (row->kind == ZENDESK_ROW_DONE && row->reference != NULL)
        g_assert (zendesk_job_status_find (status, i, row->reference, TRUE) == row);
      found = row->place >= 0 ? zendesk_job_status_find (status, (guint) row->place, "nobody's", TRUE) : NULL;
      if (row->place >= 0 && found != NULL && found->kind == ZENDESK_ROW_DONE)
        g_assert (found->reference == NULL || g_str_equal (found->reference, "nobody's"));
    }
}

/* What is kept of it leads back to the same place. */
static void
check_receipt (const char *id, guint n)
{
  g_autofree char *receipt = zendesk_job_receipt_new (id, n - 1, n), *again = NULL;
  guint place, count;

  g_assert (zendesk_job_receipt_read (receipt, &again, &place, &count));
  g_assert (g_str_equal (again, id) && place == n - 1 && count == n);
}

static void
check_status (const char *entity, const char *text, gsize length, guint n)
{
  g_auto (ZendeskJobStatus) status = { 0 };

  if (!zendesk_job_status_read (&status, entity, text, length, n))
    return;
  g_assert (status.n == n);
  check_rows (&status);
  check_search (&status);
  zendesk_job_status_name (&status, entity, text, length);
  check_rows (&status);
  check_search (&status);
  check_receipt (status.id, n);
}

static void
read_receipt (const char *text, gsize length)
{
  g_autofree char *receipt = g_strndup (text, length), *id = NULL;
  guint place, n;

  if (zendesk_job_receipt_read (receipt, &id, &place, &n))
    g_assert (place < n && n <= ZENDESK_JOB_MOST && strlen (id) <= ZENDESK_JOB_ID_MOST);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  guint n = size > 0 ? data[0] % ZENDESK_JOB_MOST + 1 : 1;
  const char *text = size > 0 ? (const char *) data + 1 : "";
  gsize length = size > 0 ? size - 1 : 0;

  check_status ("ticket", text, length, n);
  check_status ("user", text, length, n);
  check_status ("organization", text, length, n);
  read_receipt (text, length);
  return 0;
}
