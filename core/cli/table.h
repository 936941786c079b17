/* table.h: values of strangers as a table that fits a terminal
 *
 * Wide characters count double, control characters are spelt out, long values end in "…".  Columns that would be too
 * narrow to read are written one below the other, a block for each row.
 */
#pragma once
#include <glib.h>

typedef struct _TallyTable TallyTable;

TallyTable *tally_table_new (void);
void tally_table_free (TallyTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyTable, tally_table_free)

/* The columns come first, then row by row a cell for each of them. */
void tally_table_add_column (TallyTable *table, const char *heading);
void tally_table_add_cell (TallyTable *table, const char *text, gsize length);
guint tally_table_n_rows (const TallyTable *table);
/* Appends it in lines of at most width characters' room. */
void tally_table_format (const TallyTable *table, guint width, GString *out);
/* The room that standard output has: COLUMNS, or its terminal's, or 80. */
guint tally_table_terminal_width (void);
