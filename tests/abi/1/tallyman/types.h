/* types.h: the types of values, as PostgreSQL has them */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/**
 * TallyType:
 * @TALLY_TYPE_TEXT: UTF-8 without NUL; held as #TallyText
 * @TALLY_TYPE_BOOLEAN: held as guint8, 0 or 1
 * @TALLY_TYPE_BIGINT: held as gint64
 * @TALLY_TYPE_DOUBLE: double precision; held as double
 * @TALLY_TYPE_NUMERIC: exact; held as #TallyText, the digits as PostgreSQL prints
 *   them (`-12.50`, `NaN`, `Infinity`, `-Infinity`), scale kept
 * @TALLY_TYPE_DATE: held as gint32, days since 2000-01-01; %G_MININT32 and
 *   %G_MAXINT32 are -infinity and infinity
 * @TALLY_TYPE_TIMESTAMP: held as gint64, microseconds since 2000-01-01 00:00:00;
 *   %G_MININT64 and %G_MAXINT64 are -infinity and infinity
 * @TALLY_TYPE_TIMESTAMPTZ: as timestamp, in UTC
 * @TALLY_TYPE_INTERVAL: held as #TallyInterval
 * @TALLY_TYPE_BYTEA: held as #TallyText, raw bytes
 * @TALLY_TYPE_JSONB: held as #TallyText, the text that PostgreSQL prints for a
 *   jsonb: members ordered by length, then bytes, the last of equal names kept,
 *   a blank after each colon and comma
 *
 * The type of a column.  Sources: the type names, forms and limits are those of
 * PostgreSQL 15, chapter 8.
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_TYPE_TEXT,
  TALLY_TYPE_BOOLEAN,
  TALLY_TYPE_BIGINT,
  TALLY_TYPE_DOUBLE,
  TALLY_TYPE_NUMERIC,
  TALLY_TYPE_DATE,
  TALLY_TYPE_TIMESTAMP,
  TALLY_TYPE_TIMESTAMPTZ,
  TALLY_TYPE_INTERVAL,
  TALLY_TYPE_BYTEA,
  TALLY_TYPE_JSONB,
} TallyType;

#define TALLY_N_TYPES (TALLY_TYPE_JSONB + 1)

/**
 * TallyText:
 * @data: (array length=length): the bytes, not NUL-terminated
 * @length: their number
 *
 * A view into memory that somebody else holds, most often a batch.
 *
 * Since: 0.1
 */
typedef struct
{
  const char *data;
  gsize length;
} TallyText;

/**
 * TallyInterval:
 * @microseconds: the part below a day
 * @days: the days, not folded into @months
 * @months: the months
 *
 * An interval, in PostgreSQL's three parts.
 *
 * Since: 0.1
 */
typedef struct
{
  gint64 microseconds;
  gint32 days;
  gint32 months;
} TallyInterval;

/**
 * TALLY_EPOCH_UNIX:
 *
 * 2000-01-01 00:00:00 UTC, from which dates and timestamps count, in Unix seconds.
 *
 * Since: 0.1
 */
#define TALLY_EPOCH_UNIX G_GINT64_CONSTANT (946684800)

/**
 * tally_type_name:
 * @type: a type
 *
 * Returns: (transfer none): PostgreSQL's name of it: `text`, `boolean`, `bigint`,
 *   `double precision`, `numeric`, `date`, `timestamp`, `timestamptz`,
 *   `interval`, `bytea`, `jsonb`
 * Since: 0.1
 */
const char *tally_type_name (TallyType type);

/**
 * tally_type_from_name:
 * @name: a name as tally_type_name() gives, or one of PostgreSQL's other names for
 *   the same (`int8`, `integer`, `int`, `float8`, `bool`, `varchar`, `decimal`,
 *   `json`, `timestamp with time zone`, …), in any case
 * @ret_type: (out): the type; untouched when this returns %FALSE
 *
 * Returns: %TRUE if @name is known
 * Since: 0.1
 */
gboolean tally_type_from_name (const char *name, TallyType *ret_type);

/**
 * tally_type_size:
 * @type: a type
 *
 * Returns: bytes that one value takes in a column's vector
 * Since: 0.1
 */
gsize tally_type_size (TallyType type);

/**
 * tally_text_equal:
 * @text: a view
 * @string: a NUL-terminated string
 *
 * Returns: %TRUE if both hold the same bytes
 * Since: 0.1
 */
gboolean tally_text_equal (TallyText text, const char *string);

/**
 * tally_text_dup:
 * @text: a view
 *
 * Returns: (transfer full): a NUL-terminated copy
 * Since: 0.1
 */
char *tally_text_dup (TallyText text);

G_END_DECLS
