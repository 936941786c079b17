/* rejects.c: the rejects file, written anew from the ledger at the end of each run
 *
 * The ledger is where a reject is kept, in the transaction that settles it; the file is a copy for
 * people and scripts.  So it never holds a reject twice or lacks one, whatever happened on the way.
 */
#include "run.h"
#include <gio/gio.h>
#include <string.h>

typedef struct
{
  GOutputStream *stream;   /* (unowned) */
  const TallyScope *scope; /* (unowned) (nullable) whose deliveries count */
  GString *line;           /* (owned) */
} Export;

static void
append_member (GString *line, const char *name, const char *value)
{
  g_string_append_printf (line, "%s\"%s\":", line->len == 0 ? "{" : ",", name);
  if (value == NULL)
    g_string_append (line, "null");
  else
    tally_json_append_string ((TallyText) { value, strlen (value) }, line);
}

static gboolean
write_line (Export *export, GError **error)
{
  g_string_append (export->line, "}\n");
  return g_output_stream_write_all (export->stream, export->line->str, export->line->len, NULL, NULL,
                                    error);
}

static gboolean
write_reject (const TallyLedgerReject *reject, gpointer data, GError **error)
{
  Export *export = data;

  g_string_truncate (export->line, 0);
  append_member (export->line, "origin", reject->reject.origin);
  append_member (export->line, "stage", reject->reject.stage);
  append_member (export->line, "reason", reject->reject.reason);
  g_string_append (export->line, ",\"record\":");
  g_string_append (export->line, reject->reject.record);
  return write_line (export, error);
}

/* A record that the target refused: what was sent stands in place of the record. */
static gboolean
write_delivery (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data, GError **error)
{
  Export *export = data;
  gsize length = 0;
  const char *request = delivery->request != NULL ? g_bytes_get_data (delivery->request, &length) : NULL;

  /* Users of the same origin are another pipeline's. */
  if (!g_str_equal (scope->target, export->scope->target) || !g_str_equal (scope->entity, export->scope->entity)
      || !g_str_equal (scope->origin, export->scope->origin))
    return TRUE;

  g_string_truncate (export->line, 0);
  append_member (export->line, "origin", delivery->row_origin);
  append_member (export->line, "stage", "target");
  append_member (export->line, "reason", delivery->detail);
  append_member (export->line, "key", delivery->key);
  g_string_append (export->line, ",\"request\":");
  if (request == NULL)
    g_string_append (export->line, "null");
  else
    tally_json_append_string ((TallyText) { request, length }, export->line);
  return write_line (export, error);
}

gboolean
tally_rejects_export (const TallyPipeline *pipeline, TallyLedger *ledger, const TallyScope *scope,
                      GError **error)
{
  TallyLedgerFilter rejected = { .state = TALLY_DELIVERY_REJECTED };
  g_autoptr (GFile) file = NULL;
  g_autoptr (GFileOutputStream) stream = NULL;
  g_autoptr (GString) line = g_string_new (NULL);
  Export export = { .line = line, .scope = scope };

  if (pipeline->rejects_path == NULL)
    return TRUE;

  file = g_file_new_for_path (pipeline->rejects_path);
  stream = g_file_replace (file, NULL, FALSE, G_FILE_CREATE_PRIVATE, NULL, error);
  if (stream == NULL)
    return tally_throw_prefix (error, "could not write the rejects file \"%s\"", pipeline->rejects_path);

  export.stream = G_OUTPUT_STREAM (stream);
  if (!tally_ledger_each_reject (ledger, pipeline->name, write_reject, &export, error)
      || (scope != NULL
          && !tally_ledger_each_delivery (ledger, &rejected, write_delivery, &export, error))
      || !g_output_stream_close (export.stream, NULL, error))
    return tally_throw_prefix (error, "could not write the rejects file \"%s\"", pipeline->rejects_path);
  return TRUE;
}

typedef struct
{
  const TallyLedgerRun *run;
  guint64 n;
} Before;

static gboolean
count_reject (const TallyLedgerReject *reject, gpointer data, GError **error)
{
  Before *before = data;

  before->n += reject->run != before->run->id;
  return TRUE;
}

static gboolean
count_delivery (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data, GError **error)
{
  Before *before = data;

  before->n += delivery->pass == before->run->pass && delivery->run != before->run->id
               && g_strcmp0 (scope->target, before->run->target) == 0;
  return TRUE;
}

gboolean
tally_rejects_count_before (TallyLedger *ledger, const TallyLedgerRun *run, guint64 *ret_n, GError **error)
{
  TallyLedgerFilter rejected = { .state = TALLY_DELIVERY_REJECTED };
  Before before = { .run = run };

  if (!tally_ledger_each_reject (ledger, run->pipeline, count_reject, &before, error)
      || !tally_ledger_each_delivery (ledger, &rejected, count_delivery, &before, error))
    return FALSE;

  *ret_n = before.n;
  return TRUE;
}

char *
tally_reject_name (const TallyReject *reject)
{
  return g_strdup_printf ("%s\n%s", reject->origin, reject->reason);
}

static gboolean
note_lookup (const TallyLedgerReject *reject, gpointer data, GError **error)
{
  if (strcmp (reject->reject.stage, "lookup") == 0)
    g_hash_table_add (data, tally_reject_name (&reject->reject));
  return TRUE;
}

GHashTable *
tally_rejects_find_lookups (TallyLedger *ledger, const char *pipeline, GError **error)
{
  g_autoptr (GHashTable) listed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  return tally_ledger_each_reject (ledger, pipeline, note_lookup, listed, error)
             ? g_steal_pointer (&listed)
             : NULL;
}

static gboolean
count_any (const TallyLedgerReject *reject, gpointer data, GError **error)
{
  ++*(guint64 *)data;
  return TRUE;
}

gboolean
tally_rejects_count_all (TallyLedger *ledger, const char *pipeline, guint64 *ret_n, GError **error)
{
  *ret_n = 0;
  return tally_ledger_each_reject (ledger, pipeline, count_any, ret_n, error);
}
