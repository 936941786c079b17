/* reader.h: records out of one input */
#pragma once
#include "place.h"
#include "scan.h"
#include <tallyman/plugin.h>

typedef enum
{
  CSV_RAGGED_REJECT,
  CSV_RAGGED_PAD,
} CsvRagged;

/* How a file is written.  Filled from options, the same for all files of a source. */
typedef struct
{
  CsvSpecials specials;
  guint8 comment; /* NUL: there are no comments */
  gboolean trim;
  CsvRagged ragged;
  char *const *nulls; /* (unowned) the unquoted texts that are NULL; NULL-terminated */
  gint64 skip;        /* lines before the header */
  gsize max_field, max_record;
  guint max_columns;
  CsvScan scan;
} CsvDialect;

typedef struct _CsvReader CsvReader;

typedef enum
{
  CSV_RECORD,
  CSV_END,
  CSV_ERROR,
} CsvStatus;

/* A record, valid until the next is read. */
typedef struct
{
  gint64 line;         /* where it begins */
  TallyText raw;       /* all of it, without its line end */
  const TallyText *fields;
  guint n_fields;
  const char *flaw;    /* (nullable) why it is no record; the fields mean nothing then */
} CsvRecord;

/* Takes the input. */
CsvReader *csv_reader_new (TallyInput *input, const CsvDialect *dialect);
void csv_reader_free (CsvReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CsvReader, csv_reader_free)

/* For a header or a look at the data: fields unescaped, without regard to their number. */
CsvStatus csv_reader_next (CsvReader *reader, CsvRecord *ret_record, GError **error);

/* Physical lines, whatever is in them. */
gboolean csv_reader_skip_lines (CsvReader *reader, gint64 n_lines, GError **error);

/* Which column of a batch a field belongs to. */
void csv_reader_set_columns (CsvReader *reader, const guint *columns, guint n_columns);
/* Adds rows and rejects to a batch; CSV_RECORD when it has enough rows, or bytes (block.h). */
CsvStatus csv_reader_fill (CsvReader *reader, TallyBatch *batch, GError **error);

/* Where the next record begins. */
guint64 csv_reader_offset (CsvReader *reader);
gint64 csv_reader_line (CsvReader *reader);
/* Goes on from there; only before the first record.  ret_fits is FALSE if no line ends there: then the input is not
 * the one that was read. */
gboolean csv_reader_resume (CsvReader *reader, guint64 offset, gint64 line, gboolean *ret_fits, GError **error);
TallyInput *csv_reader_input (CsvReader *reader);
