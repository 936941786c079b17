/* reference-draft.c: see reference-draft.h
 *
 * A plan may take its time, and a person may write into the file meanwhile: so it is read just before it is written.
 */
#include "reference-draft.h"
#include "listing.h"
#include <stdio.h>
#include <string.h>

/* What stands there, or a file without rows. */
static TallyReferenceFile *
read_file (const TallyReferenceDraft *draft, GError **error)
{
  return g_file_test (draft->path, G_FILE_TEST_EXISTS) ? tally_reference_file_read (draft->path, draft->registry, error)
                                                       : tally_reference_file_new (error);
}

gboolean
tally_reference_draft_begin (TallyReferenceDraft *draft, const char *name, TallyRegistry *registry)
{
  g_autoptr (TallyReferenceFile) file = NULL;
  g_autoptr (GError) error = NULL;

  if (name == NULL)
    return TRUE;

  draft->path = g_canonicalize_filename (name, NULL);
  draft->registry = registry;
  if ((file = read_file (draft, &error)) != NULL && (draft->missed = tally_reference_file_new (&error)) != NULL
      && (draft->coming = tally_reference_file_new (&error)) != NULL)
    return TRUE;
  tally_command_complain ("%s", error->message);
  return FALSE;
}

typedef struct
{
  guint64 missed, added, rows, open;
} Counts;

static gboolean
write_file (TallyReferenceDraft *draft, Counts *ret_counts, GError **error)
{
  g_autoptr (TallyReferenceFile) file = read_file (draft, error);
  guint64 before, open;

  if (file == NULL || !tally_reference_file_count (file, &before, &open, error)
      || !tally_reference_file_count (draft->missed, &ret_counts->missed, &open, error)
      || !tally_reference_file_merge (file, draft->missed, NULL, error)
      || !tally_reference_file_count (file, &ret_counts->rows, &ret_counts->open, error)
      || !tally_reference_file_write (file, draft->path, draft->registry, error))
    return FALSE;
  ret_counts->added = ret_counts->rows - before;
  return TRUE;
}

static void
tell (const TallyReferenceDraft *draft, const Counts *counts, gboolean json)
{
  if (json)
    {
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_text (object, "references", draft->path);
      tally_listing_add_number (object, "missed", (gint64)counts->missed);
      tally_listing_add_number (object, "added", (gint64)counts->added);
      tally_listing_add_number (object, "rows", (gint64)counts->rows);
      tally_listing_add_number (object, "open", (gint64)counts->open);
      printf ("%s}\n", object->str);
      return;
    }

  g_autofree char *clean = tally_listing_clean (draft->path, strlen (draft->path), FALSE);
  printf ("%s: not in the ledger, or unfit: %" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT " new here); rows without an id: %" G_GUINT64_FORMAT
          " of %" G_GUINT64_FORMAT "\n",
          clean, counts->missed, counts->added, counts->open, counts->rows);
}

gboolean
tally_reference_draft_end (TallyReferenceDraft *draft, gboolean json)
{
  g_autoptr (GError) error = NULL;
  Counts counts = { 0 };

  if (draft->path == NULL)
    return TRUE;
  if (!write_file (draft, &counts, &error))
    {
      tally_command_complain ("%s", error->message);
      return FALSE;
    }
  tell (draft, &counts, json);
  return TRUE;
}

void
tally_reference_draft_clear (TallyReferenceDraft *draft)
{
  g_clear_pointer (&draft->missed, tally_reference_file_free);
  g_clear_pointer (&draft->coming, tally_reference_file_free);
  g_clear_pointer (&draft->path, g_free);
}
