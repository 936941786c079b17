/* reference-file.h: ids that ref() finds where the ledger has none, in a file that a person edits
 *
 * A CSV file of the columns entity, origin, key, uses, replaces and id, a row for each key.  A row without an id says that there is
 * none.  One with `replaces` stands against that id of the ledger, which is unfit, and against no other.
 * Rows are kept in a temporary database: however many, and in any order.  One thread uses it at a time.
 */
#pragma once
#include "plugin/registry.h"

typedef struct _TallyReferenceFile TallyReferenceFile;

/* One that has no rows. */
TallyReferenceFile *tally_reference_file_new (GError **error);
/* path: absolute.  Fails with TALLY_ERROR_USAGE, and says file and line, if there is anything in it that is not as it should be. */
TallyReferenceFile *tally_reference_file_read (const char *path, TallyRegistry *registry, GError **error);
void tally_reference_file_free (TallyReferenceFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyReferenceFile, tally_reference_file_free)

/* ret_id: (transfer full) (nullable) NULL: there is no row, or none with an id. */
gboolean tally_reference_file_find (TallyReferenceFile *file, const char *entity, const char *origin, const char *key, char **ret_id,
                                    GError **error);
/* The same where the ledger has an id, known: NULL unless the row replaces just that. */
gboolean tally_reference_file_find_instead (TallyReferenceFile *file, const char *entity, const char *origin, const char *key,
                                            const char *known, char **ret_id, GError **error);
/* Whether there is a row. */
gboolean tally_reference_file_has (TallyReferenceFile *file, const char *entity, const char *origin, const char *key,
                                   gboolean *ret_has, GError **error);
/* Whether it has an id of any key. */
gboolean tally_reference_file_knows (TallyReferenceFile *file, const char *entity, const char *origin, gboolean *ret_knows,
                                     GError **error);

/* Adds to the uses of a key, which gets a row if it has none.  replaces: (nullable) the ledger's id. */
gboolean tally_reference_file_use (TallyReferenceFile *file, const char *entity, const char *origin, const char *key,
                                   const char *replaces, GError **error);
/* Gives the rows of file what other has found out of them, and the rows that only other has.  unfit: (nullable) only those that
 * replace one of these (element-type utf8), by their names. */
gboolean tally_reference_file_merge (TallyReferenceFile *file, TallyReferenceFile *other, GHashTable *unfit, GError **error);
/* So many rows, and of these so many without an id. */
gboolean tally_reference_file_count (TallyReferenceFile *file, guint64 *ret_rows, guint64 *ret_open, GError **error);
/* Writes all rows, most uses first; what is at path is replaced as a whole or not at all. */
gboolean tally_reference_file_write (TallyReferenceFile *file, const char *path, TallyRegistry *registry, GError **error);
