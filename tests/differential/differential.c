/* differential.c: the same expressions over the same rows in PostgreSQL and here
 *
 * expressions.txt has one expression a line; to these come operators and casts over all pairs of
 * columns.  A server of our own works out each of them row by row, we work it out over a batch, and
 * values, types and error messages are compared.  Every difference is printed.  Those that are
 * meant are in explained.txt with the reason, which also stands in core/expression/README.md; one
 * that is no difference any more is a failure, too.
 *
 *   test-differential                     all of expressions.txt
 *   test-differential 'lower(t)' …        these, with their values
 *   test-differential --random SECONDS    random ones, see generate.h; ten times as long with
 *                                         TALLYMAN_PROOF=long; TALLYMAN_SEED=N repeats them
 */
#include "cluster.h"
#include "expression/expression.h"
#include "generate.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include "record/value.h"
#include <libpq-fe.h>
#include <string.h>

#define N_ROWS 61
#define MAX_SHOWN 6

/* A column's values go round, each column at its own length, so that rows combine them in many
 * ways. */
typedef struct
{
  const char *name;
  TallyType type;
  const char *server_type;
  const char *const *values;
  guint n_values;
} Column;

static const char *const texts[] = {
  NULL,
  "",
  "abc",
  " Hello World ",
  "Ärger über Öl",
  "日本語テキスト",
  "😀 emoji 😀",
  "it's",
  "a,b,,c",
  "foo bar  baz",
  "100%",
  "a_b\\c",
  "tab\there",
  "line1\nline2\r\n",
  "<script>alert('x')</script>",
  "{\"a\":1}",
  "NULL",
  "true",
  "-12.5e3",
  "Robert'); DROP TABLE x;--",
  "ß",
  "e\xcc\x81t\xc3\xa9",
  "ABC",
  "xxabcabcxx",
  "aaa",
  "user@Example.COM",
  "\\",
  "%",
  "_",
};
static const char *const others[] = {
  "abc", "",  "b", "Hello", "ü",  "本",  NULL, "%",         "a%",
  "_b%", ",", " ", "x",     "\\", "ABC", "😀",  "e\xcc\x81",
};
static const char *const numbers_as_text[] = {
  "5",
  "-0",
  "007",
  " 42 ",
  "1e3",
  "abc",
  "9223372036854775807",
  "9223372036854775808",
  "NaN",
  "Infinity",
  "1.5",
  "",
  NULL,
  "0x1F",
  "+3",
  "1_000",
  "2147483648",
  ".5",
  "5.",
  "-9223372036854775808",
  "t",
  "yes",
  "32768",
  "1e400",
  "- 5",
  "12345678901234567890.123",
};
static const char *const bigints[] = {
  "0", "1",  "-1",  "9223372036854775807", "-9223372036854775808", "42", "2147483648", NULL,
  "7", "-7", "100", "1700000000",
};
static const char *const integers[]
    = { "0", "1", "2", "3", "-1", "-2", "5", NULL, "10", "12", "2147483647", "65", "-2147483648" };
static const char *const doubles[] = {
  "0",     "-0",     "1.5",    "-2.5", "NaN",           "Infinity", "-Infinity",
  "1e308", "1e-308", "0.1",    NULL,   "123456789.123", "2.5",      "1700000000.75",
  "3.5",   "-0.5",   "9.3e18", "4",
};
static const char *const numerics[] = {
  "0",
  "1.50",
  "-12.345",
  "NaN",
  "Infinity",
  "-Infinity",
  "1000000000000000000000000000000",
  "0.0000001",
  NULL,
  "99999999999999999999.99",
  "2.5",
  "-0.5",
  "3",
  "9223372036854775807.5",
  "12345.6789",
};
static const char *const more_numerics[]
    = { "1", "-3", "0", "2.50", NULL, "0.001", "NaN", "7", "1e10", "Infinity", "1.50" };
static const char *const booleans[] = { "t", "f", NULL };
static const char *const dates[] = {
  "2024-02-29",    "1999-12-31", "infinity",   "-infinity",  "0001-01-01 BC",
  "5874897-12-31", NULL,         "2000-01-01", "2023-06-15", "4713-01-01 BC",
};
static const char *const timestamps[] = {
  "2024-02-29 12:34:56.789012",
  "1999-12-31 23:59:59.999999",
  "infinity",
  "-infinity",
  "0044-03-15 12:00:00 BC",
  NULL,
  "2000-01-01 00:00:00",
  "2024-03-31 02:30:00",
  "2024-10-27 02:30:00",
  "294276-12-31 23:59:59",
  "2023-01-31 08:00:00",
};
static const char *const timestamptzs[] = {
  "2024-02-29 12:34:56.789012+00",
  "1970-01-01 00:00:00+00",
  "infinity",
  "-infinity",
  NULL,
  "2024-03-31 01:00:00+00",
  "2024-10-27 00:30:00+00",
  "1883-11-18 17:00:00+00",
  "2023-01-31 08:00:00-05",
  "1582-10-15 00:00:00+00",
};
static const char *const intervals[] = {
  "1 day",
  "-1 mon 2 days",
  "1 year 2 mons 3 days 04:05:06.789",
  "0",
  "-00:00:01",
  NULL,
  "100000 years",
  "36 hours",
  "40 days -3 hours",
};
static const char *const byteas[]
    = { "\\x", "\\xdeadbeef", "\\x00", NULL, "\\x68656c6c6f", "\\xc3a4", "\\x5c27" };
static const char *const jsons[] = {
  "{\"a\": 1, \"b\": {\"c\": [1, 2, {\"d\": null}]}, \"t\": \"x\\\"y\\u00e4\"}",
  "[1, \"two\", null, true, [3]]",
  "\"string\"",
  "12.50",
  "null",
  "true",
  NULL,
  "{}",
  "[]",
  "{\"b\": 2, \"a\": null, \"long key\": [], \"\": 0}",
  "-5",
  "[\"a\", \"b\", \"a\"]",
  "{\"a\": \"b\", \"x\": 1e400}",
  "{\"a\": [{\"id\": 1}, {\"id\": 2}]}",
};
static const char *const date_texts[] = {
  "2024-02-29",
  "29/02/2024",
  "2023-13-01",
  "not a date",
  "2024-01-15 10:30:00",
  "Jan 5, 2023",
  "2024-01-15T10:30:00Z",
  "2024-01-15T10:30:00.123456+02:00",
  "20240115",
  "",
  NULL,
  "infinity",
  "01/02/2023",
  "2023-02-29",
  "15.01.2024 10:30",
  "2024-01-15 25:00:00",
  "0001-01-01 BC",
  "epoch",
  "1 day 2 hours",
};
static const char *const zones[]
    = { "UTC",          "Europe/Berlin", "America/New_York", "Nowhere/Land", "CET", NULL,
        "Asia/Kolkata", "-03",           "europe/berlin" };

#define COLUMN(name, type, server_type, values)                                                    \
  {                                                                                                \
    name, TALLY_TYPE_##type, server_type, values, G_N_ELEMENTS (values)                            \
  }

static const Column columns[] = {
  COLUMN ("t", TEXT, "text", texts),
  COLUMN ("o", TEXT, "text", others),
  COLUMN ("u", TEXT, "text", numbers_as_text),
  COLUMN ("i", BIGINT, "bigint", bigints),
  COLUMN ("k", BIGINT, "integer", integers),
  COLUMN ("d", DOUBLE, "double precision", doubles),
  COLUMN ("n", NUMERIC, "numeric", numerics),
  COLUMN ("m", NUMERIC, "numeric", more_numerics),
  COLUMN ("b", BOOLEAN, "boolean", booleans),
  COLUMN ("dt", DATE, "date", dates),
  COLUMN ("ts", TIMESTAMP, "timestamp", timestamps),
  COLUMN ("tz", TIMESTAMPTZ, "timestamptz", timestamptzs),
  COLUMN ("v", INTERVAL, "interval", intervals),
  COLUMN ("y", BYTEA, "bytea", byteas),
  COLUMN ("j", JSONB, "jsonb", jsons),
  COLUMN ("w", TEXT, "text", date_texts),
  COLUMN ("z", TEXT, "text", zones),
};

static const char *
value_of (guint row, guint column)
{
  return columns[column].values[row % columns[column].n_values];
}

/* What an expression comes to: a value for each row, "NULL", or "ERROR: " and a message. */
typedef struct
{
  char *type;
  char *rows[N_ROWS];
} Outcome;

static void
outcome_free (Outcome *outcome)
{
  g_free (outcome->type);
  for (guint i = 0; i < N_ROWS; i++)
    g_free (outcome->rows[i]);
  g_free (outcome);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Outcome, outcome_free)

/* The only place where texts are made alike: bigint stands for PostgreSQL's three integers, and the
 * two timestamps have short names. */
static char *
normalise (const char *text)
{
  static const char *const names[][2] = {
    { "timestamp without time zone", "timestamp" },
    { "timestamp with time zone", "timestamptz" },
    { "type integer", "type bigint" },
    { " integer", " bigint" },
    { "(integer", "(bigint" },
    { "integer out of range", "bigint out of range" },
    { "function pg_catalog.", "function " },
  };
  /* PostgreSQL cuts letters in two where it quotes a few bytes. */
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_new (valid);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_string_replace (out, names[i][0], names[i][1], 0);
  return g_string_free (out, FALSE);
}

/* The server's side. */

static void
run (PGconn *connection, const char *sql)
{
  PGresult *result = PQexec (connection, sql);

  if (PQresultStatus (result) != PGRES_COMMAND_OK)
    g_error ("%s: %s", sql, PQerrorMessage (connection));
  PQclear (result);
}

static void
fill_server (PGconn *connection)
{
  g_autoptr (GString) create = g_string_new ("CREATE TABLE data (row integer"),
                      insert = g_string_new ("INSERT INTO data VALUES ($1");

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      g_string_append_printf (create, ", %s %s", columns[i].name, columns[i].server_type);
      g_string_append_printf (insert, ", $%u", i + 2);
    }
  g_string_append (create, ")");
  g_string_append (insert, ")");
  run (connection, create->str);

  for (guint row = 0; row < N_ROWS; row++)
    {
      const char *values[1 + G_N_ELEMENTS (columns)];
      g_autofree char *number = g_strdup_printf ("%u", row);
      PGresult *result;

      values[0] = number;
      for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
        values[i + 1] = value_of (row, i);
      result = PQexecParams (connection, insert->str, G_N_ELEMENTS (values), NULL, values, NULL,
                             NULL, 0);
      if (PQresultStatus (result) != PGRES_COMMAND_OK)
        g_error ("row %u: %s", row, PQerrorMessage (connection));
      PQclear (result);
    }
}

static const char *
server_type_name (Oid oid)
{
  static const struct
  {
    Oid oid;
    const char *name;
  } names[] = {
    { 16, "boolean" },
    { 17, "bytea" },
    { 20, "bigint" },
    { 21, "bigint" },
    { 23, "bigint" },
    { 25, "text" },
    { 701, "double precision" },
    { 705, "text" },
    { 1043, "text" },
    { 1082, "date" },
    { 1114, "timestamp" },
    { 1184, "timestamptz" },
    { 1186, "interval" },
    { 1700, "numeric" },
    { 3802, "jsonb" },
    { 1009, "text[]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].oid == oid)
      return names[i].name;

  return "another type";
}

static char *
server_value (const PGresult *result, int row)
{
  return g_strdup (PQgetisnull (result, row, 0) ? "NULL" : PQgetvalue (result, row, 0));
}

/* Syntax, names and types: what the server finds before it looks at a row. */
static gboolean
is_same_for_all_rows (const PGresult *result)
{
  const char *state = PQresultErrorField (result, PG_DIAG_SQLSTATE);

  return state != NULL && g_str_has_prefix (state, "42");
}

static char *
server_error (const PGresult *result)
{
  return g_strconcat ("ERROR: ", PQresultErrorField (result, PG_DIAG_MESSAGE_PRIMARY), NULL);
}

static Outcome *
ask_server (PGconn *connection, const char *expression)
{
  Outcome *outcome = g_new0 (Outcome, 1);
  g_autofree char *all = g_strdup_printf ("SELECT %s FROM data ORDER BY row", expression);
  PGresult *result = PQexec (connection, all);

  if (PQresultStatus (result) == PGRES_TUPLES_OK)
    {
      g_assert_cmpint (PQntuples (result), ==, N_ROWS);
      outcome->type = g_strdup (server_type_name (PQftype (result, 0)));
      for (guint row = 0; row < N_ROWS; row++)
        outcome->rows[row] = server_value (result, (int)row);
    }
  else if (is_same_for_all_rows (result))
    for (guint row = 0; row < N_ROWS; row++)
      outcome->rows[row] = server_error (result);
  else
    for (guint row = 0; row < N_ROWS; row++)
      {
        g_autofree char *one
            = g_strdup_printf ("SELECT %s FROM data WHERE row = %u", expression, row);

        PQclear (result);
        result = PQexec (connection, one);
        if (PQresultStatus (result) == PGRES_TUPLES_OK && PQntuples (result) == 1)
          {
            g_free (outcome->type);
            outcome->type = g_strdup (server_type_name (PQftype (result, 0)));
            outcome->rows[row] = server_value (result, 0);
          }
        else
          outcome->rows[row] = server_error (result);
      }
  PQclear (result);

  /* An array of text is a jsonb here. */
  if (g_strcmp0 (outcome->type, "text[]") == 0)
    {
      g_autofree char *as_json = g_strdup_printf ("to_jsonb((%s))", expression);

      outcome_free (outcome);
      return ask_server (connection, as_json);
    }
  return outcome;
}

/* Our side. */

static TallyBatch *
fill_batch (TallySchema *schema)
{
  TallyBatch *batch = tally_batch_new (schema, N_ROWS + 3);

  tally_batch_set_origin (batch, "");
  for (guint row = 0; row < N_ROWS; row++)
    {
      tally_batch_add_row (batch);
      tally_batch_set_row_number (batch, row, row);
      for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
        {
          const char *value = value_of (row, i);
          g_autoptr (GError) error = NULL;

          if (value != NULL && !tally_batch_set_from_text (batch, i, value, strlen (value), &error))
            g_error ("column %s: %s", columns[i].name, error->message);
        }
    }
  return batch;
}

static void
take_rejects (TallyBatch *batch, Outcome *outcome)
{
  guint n;

  tally_batch_end_stage (batch);
  const TallyReject *rejects = tally_batch_rejects (batch, &n);
  for (guint i = 0; i < n; i++)
    {
      const char *number = strrchr (rejects[i].origin, ':');
      guint row
          = (guint)g_ascii_strtoull (number != NULL ? number + 1 : rejects[i].origin, NULL, 10);

      g_assert_cmpuint (row, <, N_ROWS);
      g_free (outcome->rows[row]);
      outcome->rows[row] = g_strconcat ("ERROR: ", rejects[i].reason, NULL);
    }
}

static Outcome *
ask_ourselves (const char *text, TallySchema *schema)
{
  Outcome *outcome = g_new0 (Outcome, 1);
  TallyComplaint *complaint = NULL;
  g_autoptr (TallyExpression) expression = tally_expression_compile (text, schema, &complaint);
  g_autoptr (TallyBatch) batch = NULL;

  if (expression == NULL)
    {
      for (guint row = 0; row < N_ROWS; row++)
        outcome->rows[row] = g_strconcat ("ERROR: ", complaint->message, NULL);
      tally_complaint_free (complaint);
      return outcome;
    }

  TallyType type = tally_expression_type (expression);
  gsize size = tally_type_size (type);
  g_autofree char *vector = g_malloc0 ((N_ROWS + 3) * size);
  guint64 validity[2] = { 0 };

  batch = fill_batch (schema);
  tally_expression_evaluate (expression, batch, vector, validity);
  outcome->type = g_strdup (tally_type_name (type));
  for (guint row = 0; row < N_ROWS; row++)
    if (tally_bitmap_get (validity, row))
      {
        GString *value = g_string_new (NULL);

        tally_value_format (type, vector + row * size, value);
        outcome->rows[row] = g_string_free (value, FALSE);
      }
    else
      outcome->rows[row] = g_strdup ("NULL");
  take_rejects (batch, outcome);
  return outcome;
}

/* The comparison. */

typedef struct
{
  PGconn *connection;
  TallySchema *schema;
  guint n_agreed, n_values, n_explained, n_refused, n_differences;
} Contest;

static void
show_row (guint row, const char *theirs, const char *ours)
{
  g_print ("    row %u: PostgreSQL %.300s\n            we         %.300s\n", row, theirs, ours);
}

/* A constant that cannot be is found before the run; the server says the same, but not for rows
 * whose NULL keeps it from looking. */
static gboolean
is_found_early (const Outcome *theirs, const Outcome *ours)
{
  guint n_same = 0;

  if (ours->type != NULL)
    return FALSE;
  for (guint row = 0; row < N_ROWS; row++)
    {
      g_autofree char *a = normalise (theirs->rows[row]), *b = normalise (ours->rows[row]);

      if (strcmp (a, b) == 0)
        n_same++;
      else if (strcmp (a, "NULL") != 0)
        return FALSE;
    }
  return n_same > 0;
}

/* Prints where they differ; the number of rows that do. */
static guint
compare (const char *expression, const Outcome *theirs, const Outcome *ours, gboolean quiet)
{
  guint n = 0;

  if (is_found_early (theirs, ours))
    return 0;
  if (theirs->type != NULL && ours->type != NULL && strcmp (theirs->type, ours->type) != 0)
    {
      n++;
      if (!quiet)
        g_print ("  %s: type %s, ours is %s\n", expression, theirs->type, ours->type);
    }
  for (guint row = 0; row < N_ROWS; row++)
    {
      g_autofree char *a = normalise (theirs->rows[row]), *b = normalise (ours->rows[row]);

      if (strcmp (a, b) == 0)
        continue;
      if (!quiet && n == 0)
        g_print ("  %s\n", expression);
      if (!quiet && n++ < MAX_SHOWN)
        show_row (row, a, b);
      else if (quiet)
        n++;
    }
  if (n > MAX_SHOWN && !quiet)
    g_print ("    and %u more\n", n - MAX_SHOWN);
  return n;
}

static void
hold_contest (Contest *contest, const char *expression, const char *explanation)
{
  g_autoptr (Outcome) theirs = ask_server (contest->connection, expression);
  g_autoptr (Outcome) ours = ask_ourselves (expression, contest->schema);
  guint n = compare (expression, theirs, ours, explanation != NULL);

  if (n == 0 && explanation == NULL)
    {
      contest->n_agreed++;
      contest->n_values += N_ROWS;
    }
  else if (n > 0 && explanation != NULL)
    contest->n_explained++;
  else
    {
      contest->n_differences++;
      if (explanation != NULL)
        g_print ("  %s: explained (%s), but there is no difference\n", expression, explanation);
    }
}

static char **
read_lines (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("SOURCE_ROOT"), folder, name, NULL),
                  *text = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("%s", error->message);
  return g_strsplit (text, "\n", -1);
}

static gboolean
is_entry (const char *line)
{
  return line[0] != '\0' && line[0] != '#';
}

/* explained.txt: an expression, " => " and the reason. */
static void
hold_explained (Contest *contest)
{
  g_auto (GStrv) lines = read_lines ("tests/differential", "explained.txt");
  g_auto (GStrv) readme_lines = read_lines ("core/expression", "README.md");
  g_autofree char *readme = NULL;

  for (guint i = 0; readme_lines[i] != NULL; i++)
    g_strstrip (readme_lines[i]);
  readme = g_strjoinv (" ", readme_lines);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *arrow = is_entry (lines[i]) ? g_strrstr (lines[i], " => ") : NULL;

      if (arrow == NULL)
        continue;
      *arrow = '\0';
      if (strstr (readme, arrow + 4) == NULL)
        {
          contest->n_differences++;
          g_print ("  core/expression/README.md does not say: %s\n", arrow + 4);
        }
      hold_contest (contest, lines[i], arrow + 4);
    }
}

/* Every operator over every pair of columns, and over each column and some literals; each cast of
 * each column.  $1 and $2 are the operands. */
static const char *const matrix[] = {
  "$1 = $2",
  "$1 < $2",
  "$1 IS DISTINCT FROM $2",
  "$1 + $2",
  "$1 - $2",
  "$1 * $2",
  "$1 / $2",
  "$1 % $2",
  "$1 || $2",
  "$1 LIKE $2",
  "$1 @> $2",
  "$1 -> $2",
  "$1 IN ($2)",
  "coalesce($1, $2)",
  "nullif($1, $2)",
  "greatest($1, $2)",
  "CASE WHEN b THEN $1 ELSE $2 END",
  "concat($1, $2)",
  "jsonb_build_array($1, $2)",
};

static const char *const literals[] = {
  "'5'",  "'abc'", "'2024-02-29'", "'1 day'", "'{\"a\": 1}'",          "'\\xdeadbeef'", "'t'",
  "NULL", "5",     "2.5",          "true",    "2.5::double precision",
};

static const char *const cast_types[] = {
  "text",     "boolean",    "bigint",       "double precision",
  "numeric",  "date",       "timestamp",    "timestamptz",
  "interval", "bytea",      "jsonb",        "int",
  "smallint", "varchar(5)", "numeric(6,2)", "text[]",
};

static char *
fill_in (const char *form, const char *first, const char *second)
{
  GString *out = g_string_new (form);

  g_string_replace (out, "$1", first, 0);
  g_string_replace (out, "$2", second, 0);
  return g_string_free (out, FALSE);
}

/* What explained.txt says of some expressions is true of many in the matrix: bigint stands for all
 * integers, so we take it where PostgreSQL takes an integer only, and k + 5 does not overflow; a
 * difference of timestamps that is too large is an error; and width_bucket() finds a bucket where
 * PostgreSQL 15 overflows, which gives no number of a bucket. */
static gboolean
is_explained (const char *theirs, const char *ours)
{
  if (g_str_has_prefix (theirs, "ERROR: ") && strstr (theirs, "int") != NULL
      && (strstr (theirs, "does not exist") != NULL || strstr (theirs, "cannot cast") != NULL
          || strstr (theirs, "subscript type bigint") != NULL))
    return TRUE;

  return strcmp (theirs, "ERROR: integer out of range") == 0
         || strcmp (ours, "ERROR: interval out of range") == 0
         || (strcmp (theirs, "-2147483648") == 0 && g_ascii_isdigit (ours[0]) && strlen (ours) < 11);
}

static gboolean
are_explained (const Outcome *theirs, const Outcome *ours)
{
  for (guint row = 0; row < N_ROWS; row++)
    if (strcmp (theirs->rows[row], ours->rows[row]) != 0
        && !is_explained (theirs->rows[row], ours->rows[row]))
      return FALSE;

  return TRUE;
}

static void
hold_matrix_contest (Contest *contest, const char *expression)
{
  g_autoptr (Outcome) theirs = ask_server (contest->connection, expression);
  g_autoptr (Outcome) ours = ask_ourselves (expression, contest->schema);

  if (compare (expression, theirs, ours, TRUE) == 0)
    {
      contest->n_agreed++;
      contest->n_values += N_ROWS;
    }
  else if (are_explained (theirs, ours))
    contest->n_explained++;
  else
    {
      compare (expression, theirs, ours, FALSE);
      contest->n_differences++;
    }
}

static void
hold_matrix (Contest *contest)
{
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    {
      for (guint j = 0; j < G_N_ELEMENTS (cast_types); j++)
        {
          g_autofree char *cast = g_strdup_printf ("%s::%s", columns[i].name, cast_types[j]);

          hold_matrix_contest (contest, cast);
        }
      for (guint form = 0; form < G_N_ELEMENTS (matrix); form++)
        for (guint j = 0; j < G_N_ELEMENTS (columns) + 2 * G_N_ELEMENTS (literals); j++)
          {
            guint literal = j - G_N_ELEMENTS (columns);
            gboolean second = literal >= G_N_ELEMENTS (literals);
            const char *other = j < G_N_ELEMENTS (columns)
                                    ? columns[j].name
                                    : literals[literal % G_N_ELEMENTS (literals)];
            g_autofree char *expression = j < G_N_ELEMENTS (columns) || !second
                                              ? fill_in (matrix[form], columns[i].name, other)
                                              : fill_in (matrix[form], other, columns[i].name);

            hold_matrix_contest (contest, expression);
          }
    }
}

static void
show (const Contest *contest, const char *expression)
{
  g_autoptr (Outcome) theirs = ask_server (contest->connection, expression);
  g_autoptr (Outcome) ours = ask_ourselves (expression, contest->schema);

  g_print ("%s: %s, ours %s\n", expression, theirs->type, ours->type);
  for (guint row = 0; row < N_ROWS; row++)
    show_row (row, theirs->rows[row], ours->rows[row]);
}

/* Random expressions. */

static gboolean
is_known_to_server (const char *expression, gpointer data)
{
  const Contest *contest = data;
  g_autofree char *query = g_strdup_printf ("SELECT %s", expression);
  PGresult *result = PQexec (contest->connection, query);
  gboolean known = PQresultStatus (result) == PGRES_TUPLES_OK || !is_same_for_all_rows (result);

  PQclear (result);
  return known;
}

/* We say no, or one of the two gives up. */
static gboolean
is_refused (const Outcome *theirs, const Outcome *ours)
{
  for (guint row = 0; row < N_ROWS; row++)
    if ((g_str_has_prefix (ours->rows[row], "ERROR: ")
         && (strstr (ours->rows[row], "not supported") != NULL
             || strstr (ours->rows[row], "requested length too large") != NULL))
        || strstr (theirs->rows[row], "statement timeout") != NULL)
      return TRUE;

  return FALSE;
}

/* A constant that cannot be is an error before the run. */
static gboolean
is_constant_error (const Outcome *ours)
{
  static const char *const of_types[]
      = { "does not exist",    "not unique",        "cannot cast type", "must be type",
          "cannot be matched", "could not convert", "syntax error" };

  if (ours->type != NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (of_types); i++)
    if (strstr (ours->rows[0], of_types[i]) != NULL)
      return FALSE;

  return TRUE;
}

/* Both refuse the same rows, for another of several reasons: functions that PostgreSQL has in SQL
 * work out their arguments in another order. */
static gboolean
differ_in_reasons (const Outcome *theirs, const Outcome *ours)
{
  for (guint row = 0; row < N_ROWS; row++)
    if (strcmp (theirs->rows[row], ours->rows[row]) != 0
        && !is_explained (theirs->rows[row], ours->rows[row])
        && !(g_str_has_prefix (theirs->rows[row], "ERROR: ")
             && g_str_has_prefix (ours->rows[row], "ERROR: ")))
      return FALSE;

  return TRUE;
}

typedef enum
{
  VERDICT_AGREED,
  VERDICT_EXPLAINED,
  VERDICT_REFUSED,
  VERDICT_OTHER_REASON,
  VERDICT_DIFFERENT,
} Verdict;

static Verdict
judge (const Contest *contest, const char *expression, gboolean quiet)
{
  g_autoptr (Outcome) theirs = ask_server (contest->connection, expression);
  g_autoptr (Outcome) ours = ask_ourselves (expression, contest->schema);

  if (is_refused (theirs, ours))
    return VERDICT_REFUSED;
  if (compare (expression, theirs, ours, TRUE) == 0)
    return VERDICT_AGREED;
  if (are_explained (theirs, ours) || is_constant_error (ours))
    return VERDICT_EXPLAINED;
  if (!quiet)
    compare (expression, theirs, ours, FALSE);
  return differ_in_reasons (theirs, ours) ? VERDICT_OTHER_REASON : VERDICT_DIFFERENT;
}

static gboolean
differs (const char *expression, gpointer contest)
{
  return judge (contest, expression, TRUE) >= VERDICT_OTHER_REASON;
}

static void
hold_smallest (Contest *contest, Tree *tree)
{
  const Tree *smallest = tree_shrink (tree, differs, contest);
  g_autofree char *expression = tree_write (smallest);

  if (!tree_is_single (smallest) && judge (contest, expression, TRUE) == VERDICT_OTHER_REASON)
    {
      contest->n_explained++;
      return;
    }

  contest->n_differences++;
  judge (contest, expression, FALSE);
}

static void
hold_random_contest (Contest *contest, const Grammar *grammar, GRand *rand)
{
  g_autoptr (Tree) tree = grammar_grow (grammar, rand);
  g_autofree char *expression = tree_write (tree);

  switch (judge (contest, expression, TRUE))
    {
    case VERDICT_AGREED:
      contest->n_agreed++;
      contest->n_values += N_ROWS;
      break;
    case VERDICT_EXPLAINED:
      contest->n_explained++;
      break;
    case VERDICT_REFUSED:
      contest->n_refused++;
      break;
    default:
      hold_smallest (contest, tree);
      break;
    }
}

static void
hold_random (Contest *contest, gint64 seconds)
{
  gboolean long_proof = g_strcmp0 (g_getenv ("TALLYMAN_PROOF"), "long") == 0;
  const char *wish = g_getenv ("TALLYMAN_SEED");
  guint32 seed = wish != NULL ? (guint32)g_ascii_strtoull (wish, NULL, 10) : g_random_int ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (Grammar) grammar = grammar_new (is_known_to_server, contest);
  gint64 end = g_get_monotonic_time () + seconds * (long_proof ? 10 : 1) * G_USEC_PER_SEC;

  g_print ("differential: random expressions of %u rules, TALLYMAN_SEED=%u\n",
           grammar_n_rules (grammar), seed);
  run (contest->connection, "SET statement_timeout = '3s'");
  while (g_get_monotonic_time () < end)
    hold_random_contest (contest, grammar, rand);
  g_print ("differential: %u random expressions agree with PostgreSQL %d over %u rows (%u values "
           "and errors), %u are refused, %u differ as explained, %u differ\n",
           contest->n_agreed, PQserverVersion (contest->connection) / 10000, N_ROWS,
           contest->n_values, contest->n_refused, contest->n_explained, contest->n_differences);
}

int
main (int argc, char **argv)
{
  Contest contest = { 0 };
  TallyColumn names[G_N_ELEMENTS (columns)];
  g_auto (GStrv) lines = read_lines ("tests/differential", "expressions.txt");

  if (!cluster_is_available ())
    {
      g_print ("differential: skipped, no PostgreSQL server is installed\n");
      return 77;
    }

  g_autoptr (Cluster) cluster
      = cluster_new ("fsync=off", "timezone=UTC", "datestyle='ISO, MDY'", NULL);
  g_autofree char *uri = cluster_create_database (cluster);
  contest.connection = PQconnectdb (uri);
  run (contest.connection, "SET client_min_messages = error");
  fill_server (contest.connection);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    names[i] = (TallyColumn){ columns[i].name, columns[i].type };
  contest.schema = tally_schema_new (names, G_N_ELEMENTS (columns));

  if (argc == 3 && strcmp (argv[1], "--random") == 0)
    hold_random (&contest, g_ascii_strtoll (argv[2], NULL, 10));
  else
    for (int i = 1; i < argc; i++)
      show (&contest, argv[i]);
  if (argc == 1)
    {
      for (guint i = 0; lines[i] != NULL; i++)
        if (is_entry (lines[i]))
          hold_contest (&contest, lines[i], NULL);
      hold_explained (&contest);
      hold_matrix (&contest);
      g_print ("differential: %u expressions agree with PostgreSQL %d over %u rows (%u values and "
               "errors), %u differ as explained, %u differ\n",
               contest.n_agreed, PQserverVersion (contest.connection) / 10000, N_ROWS,
               contest.n_values, contest.n_explained, contest.n_differences);
    }

  tally_schema_unref (contest.schema);
  PQfinish (contest.connection);
  return contest.n_differences > 0 ? 1 : 0;
}
