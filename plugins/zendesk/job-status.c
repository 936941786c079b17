/* job-status.c: what Zendesk tells of a job */
#include "job-status.h"
#include "json.h"
#include "text.h"

#include <string.h>

/* Of what a row complains about. */
#define WORDS_MOST 1000

static const char *const ends[] = { "completed", "failed", "killed", NULL };

/* These say that a record is not good.  Another error may be the service's own trouble, of which nobody knows when it struck. */
static const char *const refusals[] = { "TicketCreateFailed", "RecordInvalid", NULL };

static gboolean
is_job_id (const char *id)
{
  gsize length = id != NULL ? strlen (id) : 0;

  if (length == 0 || length > ZENDESK_JOB_ID_MOST)
    return FALSE;
  for (const char *p = id; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && *p != '-' && *p != '_')
      return FALSE;
  return TRUE;
}

static void
row_forget (ZendeskJobRow *row)
{
  g_free (row->words);
  *row = (ZendeskJobRow){ ZENDESK_ROW_NONE };
}

/* --- rows --- */

static gboolean
has_failed (json_object *row)
{
  json_object *success = zendesk_json_get (row, "success");

  return zendesk_json_get (row, "error") != NULL || zendesk_json_get (row, "errors") != NULL
         || g_strcmp0 (zendesk_json_get_text (row, "status"), "Failed") == 0
         || (json_object_is_type (success, json_type_boolean) && !json_object_get_boolean (success));
}

static char *
dup_words (json_object *row)
{
  const char *error = zendesk_json_get_text (row, "error"), *details = zendesk_json_get_text (row, "details");
  g_autofree char *all = g_strconcat (error != NULL ? error : "no reason is told", details != NULL ? ": " : NULL, details,
                                      NULL);

  return zendesk_text_clean (all, strlen (all), WORDS_MOST);
}

/* What one row says, wherever it belongs. */
static ZendeskJobRow
read_row (json_object *row)
{
  ZendeskJobRow told = { ZENDESK_ROW_NONE };
  gboolean has_id = zendesk_json_get_id (row, "id", &told.id), failed = has_failed (row);
  const char *error = zendesk_json_get_text (row, "error");

  if (has_id && !failed)
    told.kind = ZENDESK_ROW_DONE;
  else if (!has_id && error != NULL && g_strv_contains (refusals, error))
    told.kind = ZENDESK_ROW_REFUSED;
  if (failed)
    told.words = dup_words (row);
  return told;
}

/* Whether the row names a place in the request. */
static gboolean
read_place (json_object *row, guint n, guint *ret_place)
{
  json_object *index = zendesk_json_get (row, "index");
  gint64 place = json_object_is_type (index, json_type_int) ? json_object_get_int64 (index) : -1;

  if (place < 0 || place >= n)
    return FALSE;
  *ret_place = (guint) place;
  return TRUE;
}

/* Two places cannot have made one ticket: then neither is believed. */
static void
forget_doubles (ZendeskJobStatus *status)
{
  g_autoptr (GHashTable) first = g_hash_table_new (g_int64_hash, g_int64_equal);
  gboolean doubtful[ZENDESK_JOB_MOST] = { FALSE };

  for (guint i = 0; i < status->n; i++)
    {
      ZendeskJobRow *row = &status->rows[i];
      ZendeskJobRow *other = row->kind == ZENDESK_ROW_DONE ? g_hash_table_lookup (first, &row->id) : NULL;

      if (other != NULL)
        doubtful[i] = doubtful[other - status->rows] = TRUE;
      else if (row->kind == ZENDESK_ROW_DONE)
        g_hash_table_insert (first, &row->id, row);
    }
  for (guint i = 0; i < status->n; i++)
    if (doubtful[i])
      row_forget (&status->rows[i]);
}

static void
read_rows (ZendeskJobStatus *status, json_object *list)
{
  gboolean told[ZENDESK_JOB_MOST] = { FALSE };
  gsize length = list != NULL ? json_object_array_length (list) : 0;
  guint place;

  for (gsize i = 0; i < length; i++)
    {
      json_object *row = json_object_array_get_idx (list, i);

      if (!read_place (row, status->n, &place))
        continue;
      row_forget (&status->rows[place]);
      if (!told[place]) /* two rows about one record contradict each other */
        status->rows[place] = read_row (row);
      told[place] = TRUE;
    }
  forget_doubles (status);
}

/* --- a job --- */

gboolean
zendesk_job_status_read (ZendeskJobStatus *status, const char *text, gsize length, guint n)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  json_object *job = zendesk_json_get (body, "job_status"), *total = zendesk_json_get (job, "total");
  const char *id = zendesk_json_get_text (job, "id"), *state = zendesk_json_get_text (job, "status");

  *status = (ZendeskJobStatus){ .n = MIN (n, ZENDESK_JOB_MOST) };
  if (!is_job_id (id))
    return FALSE;
  status->id = g_strdup (id);
  status->state = state != NULL ? zendesk_text_clean (state, strlen (state), WORDS_MOST) : NULL;
  status->over = state != NULL && g_strv_contains (ends, state);
  if (total != NULL && (!json_object_is_type (total, json_type_int) || json_object_get_int64 (total) != n))
    return TRUE; /* places in a list of another length are not ours */
  if (status->over)
    read_rows (status, zendesk_json_get_array (job, "results"));
  return TRUE;
}

void
zendesk_job_status_clear (ZendeskJobStatus *status)
{
  for (guint i = 0; i < status->n; i++)
    row_forget (&status->rows[i]);
  g_clear_pointer (&status->id, g_free);
  g_clear_pointer (&status->state, g_free);
  status->n = 0;
}

/* --- receipts --- */

char *
zendesk_job_receipt_new (const char *id, guint place, guint n)
{
  return g_strdup_printf ("job %s %u/%u", id, place, n);
}

gboolean
zendesk_job_receipt_read (const char *receipt, char **ret_id, guint *ret_place, guint *ret_n)
{
  g_auto (GStrv) words = g_strsplit (receipt, " ", 4);
  guint64 place, n;

  if (g_strv_length (words) != 3 || !g_str_equal (words[0], "job") || !is_job_id (words[1]))
    return FALSE;
  g_auto (GStrv) numbers = g_strsplit (words[2], "/", 3);
  if (g_strv_length (numbers) != 2 || !g_ascii_string_to_unsigned (numbers[0], 10, 0, ZENDESK_JOB_MOST - 1, &place, NULL)
      || !g_ascii_string_to_unsigned (numbers[1], 10, place + 1, ZENDESK_JOB_MOST, &n, NULL))
    return FALSE;
  *ret_id = g_strdup (words[1]);
  *ret_place = (guint) place;
  *ret_n = (guint) n;
  return TRUE;
}
