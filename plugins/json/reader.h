/* reader.h: JSON records out of one input: lines, or the elements of one array */
#pragma once
#include "block.h"
#include "input.h"
#include "json.h"

typedef struct _JsonReader JsonReader;

typedef enum
{
  JSON_RECORD,
  JSON_END,
  JSON_ERROR,
} JsonStatus;

/* What stands where a record should, valid until the next is read. */
typedef struct
{
  gint64 line;      /* where it begins */
  TallyText text;   /* without white space around it */
  const char *flaw; /* (nullable) why it is not even read */
} JsonRecord;

/* Takes the input. */
JsonReader *json_reader_new (TallyInput *input, JsonFormat format, gsize max_record);
void json_reader_free (JsonReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JsonReader, json_reader_free)

/* Records are not checked beyond their ends. */
JsonStatus json_reader_next (JsonReader *reader, JsonRecord *ret_record, GError **error);
/* The block that the last record is in. */
TallyBlock *json_reader_block (JsonReader *reader);

guint64 json_reader_offset (JsonReader *reader);
gint64 json_reader_line (JsonReader *reader);
TallyInput *json_reader_input (JsonReader *reader);
/* The format that was found, once a record was read. */
JsonFormat json_reader_format (JsonReader *reader);
/* Goes on from there, in a format that is known; only before the first record.  ret_fits is FALSE if no record ends there. */
gboolean json_reader_resume (JsonReader *reader, guint64 offset, gint64 line, gboolean *ret_fits, GError **error);
