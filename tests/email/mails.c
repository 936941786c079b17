/* mails.c: messages read by the source email, value by value */
#include "mails.h"
#include "record/batch-private.h"
#include <string.h>

static void
add_rejects (TallyBatch *batch, GString *out)
{
  guint n;
  const TallyReject *rejects = tally_batch_rejects (batch, &n);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_path_get_basename (rejects[i].origin);

      g_string_append_printf (out, "%s: %s\n", name, rejects[i].reason);
    }
}

Mails *
mails_read (const char *path, const char *const *options, const char *position, guint capacity)
{
  Mails *mails = g_new0 (Mails, 1);
  g_autoptr (Plug) plug = plug_new ("email", TALLY_SOURCE, "email");
  g_autoptr (GError) error = NULL;

  mails->batches = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_batch_free);
  mails->positions = g_ptr_array_new_with_free_func (g_free);
  mails->rejects = g_string_new (NULL);
  plug_set (plug, "path", path);
  for (; options != NULL && options[0] != NULL; options += 2)
    plug_set (plug, options[0], options[1]);
  plug->ctx->position = g_strdup (position);
  for (gboolean more = plug_open (plug, NULL, &error); more && error == NULL;)
    {
      TallyBatch *batch = tally_batch_new (plug->schema, capacity);
      TallyFlow flow = plug->plugin->read (plug->self, plug->ctx, batch, &error);

      g_ptr_array_add (mails->batches, batch);
      add_rejects (batch, mails->rejects);
      mails->n_rows += tally_batch_n_rows (batch);
      if (tally_batch_position (batch) != NULL)
        g_ptr_array_add (mails->positions, g_strdup (tally_batch_position (batch)));
      more = flow == TALLY_FLOW_OK;
    }
  mails->warnings = g_string_new (plug->warnings->str);
  mails->error = error != NULL ? g_strdup (error->message) : NULL;
  return mails;
}

Mails *
mails_read_message (const char *message, gssize length, const char *const *options)
{
  g_autofree char *path = plug_write_file ("message.eml", message, length);

  return mails_read (path, options, NULL, 10);
}

void
mails_free (Mails *mails)
{
  if (mails == NULL)
    return;

  g_ptr_array_unref (mails->batches);
  g_ptr_array_unref (mails->positions);
  g_string_free (mails->warnings, TRUE);
  g_string_free (mails->rejects, TRUE);
  g_free (mails->error);
  g_free (mails);
}

static TallyBatch *
find_row (Mails *mails, guint *row)
{
  for (guint i = 0; i < mails->batches->len; i++)
    {
      TallyBatch *batch = g_ptr_array_index (mails->batches, i);

      if (*row < tally_batch_n_rows (batch))
        return batch;
      *row -= tally_batch_n_rows (batch);
    }
  return NULL;
}

char *
mails_get (Mails *mails, guint row, const char *column)
{
  TallyBatch *batch = find_row (mails, &row);
  gint i = batch != NULL ? tally_schema_find (tally_batch_schema (batch), column) : -1;
  GString *value = g_string_new (NULL);

  if (batch == NULL)
    g_string_append (value, "no row");
  else if (i < 0)
    g_string_append (value, "no column");
  else if (tally_batch_is_null (batch, row, (guint) i))
    g_string_append (value, "~");
  else
    tally_batch_append_value (batch, row, (guint) i, value);
  return g_string_free (value, FALSE);
}

char *
mails_column (Mails *mails, const char *column)
{
  GString *values = g_string_new (NULL);

  for (guint row = 0; row < mails->n_rows; row++)
    {
      g_autofree char *value = mails_get (mails, row, column);

      g_string_append_printf (values, "%s\n", value);
    }
  return g_string_free (values, FALSE);
}

char *
mails_origin (Mails *mails, guint row)
{
  TallyBatch *batch = find_row (mails, &row);

  return batch != NULL ? tally_batch_dup_origin (batch, row) : g_strdup ("no row");
}
