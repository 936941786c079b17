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
  g_free (row->reference);
  g_free (row->words);
  *row = (ZendeskJobRow){ ZENDESK_ROW_NONE, .place = -1 };
}

/* --- rows --- */

/* zendesk-api.md, section 8, "Client rule". */
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

/* The place in the request that a member names, or -1. */
static gint
read_place (json_object *row, const char *name, guint n)
{
  json_object *member = zendesk_json_get (row, name);
  gint64 place = json_object_is_type (member, json_type_int) ? json_object_get_int64 (member) : -1;

  return place >= 0 && place < n ? (gint) place : -1;
}

static void
read_made (ZendeskJobRow *told, json_object *row, guint n)
{
  const char *state = zendesk_json_get_text (row, "status"), *reference = zendesk_json_get_text (row, "external_id");

  if (!zendesk_json_get_id (row, "id", &told->id) || (state != NULL && !g_str_equal (state, "Created")))
    return;
  told->kind = ZENDESK_ROW_DONE;
  told->place = read_place (row, "index", n);
  told->reference = reference != NULL && *reference != '\0' ? g_strdup (reference) : NULL;
}

/* The rows of users that failed have the place in "id" (zendesk-api.md, section 8, "Failure entries"); what organizations'
 * rows have, nobody has told.  An id beside a place says that something was made after all: then nothing is understood. */
static void
read_failed (ZendeskJobRow *told, const char *entity, json_object *row, guint n)
{
  const char *error = zendesk_json_get_text (row, "error");
  gboolean has_index = zendesk_json_get (row, "index") != NULL;

  told->words = dup_words (row);
  if (has_index && zendesk_json_get (row, "id") != NULL)
    return;
  told->kind = ZENDESK_ROW_FAILED;
  if (has_index || g_str_equal (entity, "user"))
    told->place = read_place (row, has_index ? "index" : "id", n);
  if (told->place >= 0 && error != NULL && g_strv_contains (refusals, error))
    told->kind = ZENDESK_ROW_REFUSED;
}

/* TRUE if two rows cannot both be right. */
static gboolean
contradict (const ZendeskJobRow *one, const ZendeskJobRow *other)
{
  gboolean made = one->kind == ZENDESK_ROW_DONE && other->kind == ZENDESK_ROW_DONE;

  return (one->place >= 0 && one->place == other->place) || (made && one->id == other->id)
         || (made && one->reference != NULL && g_strcmp0 (one->reference, other->reference) == 0);
}

/* Then neither is believed. */
static void
forget_contradictions (ZendeskJobStatus *status)
{
  gboolean doubtful[ZENDESK_JOB_MOST] = { FALSE };

  for (guint i = 0; i < status->n_rows; i++)
    for (guint k = 0; k < i; k++)
      if (contradict (&status->rows[i], &status->rows[k]))
        doubtful[i] = doubtful[k] = TRUE;
  for (guint i = 0; i < status->n_rows; i++)
    if (doubtful[i])
      row_forget (&status->rows[i]);
}

static void
read_rows (ZendeskJobStatus *status, const char *entity, json_object *list)
{
  gsize length = list != NULL ? json_object_array_length (list) : 0;

  status->n_rows = (guint) MIN (length, ZENDESK_JOB_MOST);
  for (guint i = 0; i < status->n_rows; i++)
    {
      json_object *row = json_object_array_get_idx (list, i);
      ZendeskJobRow *told = &status->rows[i];

      *told = (ZendeskJobRow){ ZENDESK_ROW_NONE, .place = -1 };
      if (has_failed (row))
        read_failed (told, entity, row, status->n);
      else
        read_made (told, row, status->n);
    }
  forget_contradictions (status);
}

/* --- a job --- */

gboolean
zendesk_job_status_read (ZendeskJobStatus *status, const char *entity, const char *text, gsize length, guint n)
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
    return TRUE; /* a list of another length is not ours */
  if (status->over)
    read_rows (status, entity, zendesk_json_get_array (job, "results"));
  return TRUE;
}

void
zendesk_job_status_clear (ZendeskJobStatus *status)
{
  for (guint i = 0; i < status->n_rows; i++)
    row_forget (&status->rows[i]);
  g_clear_pointer (&status->id, g_free);
  g_clear_pointer (&status->state, g_free);
  status->n = status->n_rows = 0;
}

/* --- whose row it is --- */

static gboolean
is_nameless (const ZendeskJobRow *row)
{
  return row->kind == ZENDESK_ROW_DONE && row->reference == NULL;
}

char *
zendesk_job_status_nameless (const ZendeskJobStatus *status)
{
  g_autoptr (GString) ids = g_string_new (NULL);

  for (guint i = 0; i < status->n_rows; i++)
    if (is_nameless (&status->rows[i]))
      g_string_append_printf (ids, "%s%" G_GINT64_FORMAT, ids->len > 0 ? "," : "", status->rows[i].id);
  return ids->len > 0 ? g_strdup (ids->str) : NULL;
}

static void
name_one (ZendeskJobStatus *status, gint64 id, const char *reference)
{
  for (guint i = 0; i < status->n_rows; i++)
    if (is_nameless (&status->rows[i]) && status->rows[i].id == id)
      status->rows[i].reference = g_strdup (reference);
}

gboolean
zendesk_job_status_name (ZendeskJobStatus *status, const char *entity, const char *text, gsize length)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  g_autofree char *name = g_strconcat (entity, "s", NULL);
  json_object *list = zendesk_json_get_array (body, name);

  if (list == NULL)
    return FALSE;
  for (gsize i = 0; i < json_object_array_length (list); i++)
    {
      json_object *record = json_object_array_get_idx (list, i);
      const char *reference = zendesk_json_get_text (record, "external_id");
      gint64 id;

      if (zendesk_json_get_id (record, "id", &id) && reference != NULL && *reference != '\0')
        name_one (status, id, reference);
    }
  forget_contradictions (status);
  return TRUE;
}

void
zendesk_job_status_compare (ZendeskJobStatus *status, guint place, const char *reference)
{
  for (guint i = 0; i < status->n_rows; i++)
    {
      const ZendeskJobRow *row = &status->rows[i];

      if (row->kind == ZENDESK_ROW_DONE && row->place >= 0 && g_strcmp0 (row->reference, reference) == 0)
        status->misnumbered |= row->place != (gint) place;
    }
}

/* Where all that was made is known by name, and each record has a row, the others are those that failed.  Which of them a row
 * without a place is about does not matter: it says that it was not made. */
static const ZendeskJobRow *
find_by_elimination (const ZendeskJobStatus *status)
{
  const ZendeskJobRow *failed = NULL;

  if (status->n_rows != status->n)
    return NULL;
  for (guint i = 0; i < status->n_rows; i++)
    {
      const ZendeskJobRow *row = &status->rows[i];

      if (row->kind == ZENDESK_ROW_NONE || is_nameless (row))
        return NULL;
      if (row->kind == ZENDESK_ROW_FAILED && row->place < 0)
        failed = row;
    }
  return failed;
}

const ZendeskJobRow *
zendesk_job_status_find (const ZendeskJobStatus *status, guint place, const char *reference, gboolean trusts_place)
{
  const ZendeskJobRow *there = NULL;

  for (guint i = 0; i < status->n_rows; i++)
    {
      const ZendeskJobRow *row = &status->rows[i];

      if (row->kind == ZENDESK_ROW_DONE && g_strcmp0 (row->reference, reference) == 0)
        return row;
      if (row->kind != ZENDESK_ROW_NONE && row->place == (gint) place
          && (row->kind != ZENDESK_ROW_DONE || (trusts_place && is_nameless (row))))
        there = row;
    }
  if (there != NULL && !status->misnumbered)
    return there;
  return find_by_elimination (status);
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
