/* patterns.c: random regular expressions over random texts, in PostgreSQL and here
 *
 * What a pattern matches is where PostgreSQL's engine and PCRE2 differ.  Patterns are made by
 * chance, of the few elements that make the difference; what we refuse is counted, what we take
 * must give PostgreSQL's answer.
 *
 *   test-patterns [NUMBER [SEED]]
 */
#include "cluster.h"
#include "expression/expression.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include "record/value.h"
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define N_PATTERNS 1500
#define N_ROWS 64
#define MAX_DEPTH 3

static void append_alternatives (GRand *rand, GString *out, guint depth);

static gboolean
chance (GRand *rand, gint percent)
{
  return g_rand_int_range (rand, 0, 100) < percent;
}

static void
append_atom (GRand *rand, GString *out, guint depth)
{
  static const char *const atoms[]
      = { "a", "b", "c", ".", "[ab]", "[^a]", "\\w", "x", "ab", "\\s", "\\d" };

  if (depth >= MAX_DEPTH || chance (rand, 70))
    {
      g_string_append (out, atoms[g_rand_int_range (rand, 0, G_N_ELEMENTS (atoms))]);
      return;
    }

  g_string_append (out, chance (rand, 60) ? "(" : "(?:");
  append_alternatives (rand, out, depth + 1);
  g_string_append_c (out, ')');
}

static void
append_alternatives (GRand *rand, GString *out, guint depth)
{
  static const char *const quantifiers[]
      = { "*", "+", "?", "{1,2}", "{2}", "{2,}", "*?", "+?", "??" };
  gboolean lazy = chance (rand, 15);

  do
    for (gint n = g_rand_int_range (rand, 1, 4); n > 0; n--)
      {
        append_atom (rand, out, depth);
        if (chance (rand, 40))
          g_string_append (
              out,
              quantifiers[lazy ? g_rand_int_range (rand, 6, 9) : g_rand_int_range (rand, 0, 6)]);
      }
  while (chance (rand, 20) && (g_string_append_c (out, '|'), TRUE));
}

static char *
make_pattern (GRand *rand)
{
  GString *out = g_string_new (chance (rand, 15) ? "^" : "");

  append_alternatives (rand, out, 0);
  if (chance (rand, 15))
    g_string_append_c (out, '$');
  return g_string_free (out, FALSE);
}

static char *
make_text (GRand *rand)
{
  static const char *const letters[] = { "a", "b", "c", "a", "b", "ab", "x", " ", "1", "ä" };
  GString *out = g_string_new (NULL);

  for (gint n = g_rand_int_range (rand, 0, 9); n > 0; n--)
    g_string_append (out, letters[g_rand_int_range (rand, 0, G_N_ELEMENTS (letters))]);
  return g_string_free (out, FALSE);
}

static void
run (PGconn *connection, const char *sql)
{
  PGresult *result = PQexec (connection, sql);

  if (PQresultStatus (result) != PGRES_COMMAND_OK)
    g_error ("%s: %s", sql, PQerrorMessage (connection));
  PQclear (result);
}

typedef struct
{
  PGconn *connection;
  TallySchema *schema;
  char *texts[N_ROWS];
  guint n_agreed, n_refused, n_differences;
} Contest;

static void
fill_server (Contest *contest)
{
  run (contest->connection, "CREATE TABLE data (row serial, t text)");
  for (guint row = 0; row < N_ROWS; row++)
    {
      g_autofree char *sql
          = g_strdup_printf ("INSERT INTO data (t) VALUES ('%s')", contest->texts[row]);

      run (contest->connection, sql);
    }
}

static TallyBatch *
fill_batch (const Contest *contest)
{
  TallyBatch *batch = tally_batch_new (contest->schema, N_ROWS);

  for (guint row = 0; row < N_ROWS; row++)
    {
      tally_batch_add_row (batch);
      tally_batch_set_text (batch, 0, contest->texts[row], strlen (contest->texts[row]));
    }
  return batch;
}

static void
hold_contest (Contest *contest, const char *ours, const char *theirs)
{
  TallyComplaint *complaint = NULL;
  g_autoptr (TallyExpression) expression
      = tally_expression_compile (ours, contest->schema, &complaint);
  g_autoptr (TallyBatch) batch = fill_batch (contest);
  g_autofree char *sql = g_strdup_printf ("SELECT %s FROM data ORDER BY row", theirs);
  TallyText vector[N_ROWS];
  guint8 booleans[N_ROWS];
  guint64 validity[1] = { 0 };
  gboolean same = TRUE, is_text;

  if (expression == NULL)
    {
      contest->n_refused++;
      tally_complaint_free (complaint);
      return;
    }

  PGresult *result = PQexec (contest->connection, sql);
  is_text = tally_expression_type (expression) != TALLY_TYPE_BOOLEAN;
  tally_expression_evaluate (expression, batch, is_text ? (gpointer)vector : (gpointer)booleans,
                             validity);
  for (guint row = 0; row < N_ROWS && same; row++)
    {
      g_autoptr (GString) value = g_string_new (NULL);

      if (!tally_bitmap_get (validity, row))
        g_string_append (value, tally_batch_is_rejected (batch, row) ? "rejected" : "NULL");
      else
        tally_value_format (tally_expression_type (expression),
                            is_text ? (gpointer)&vector[row] : (gpointer)&booleans[row], value);
      const char *expected = PQresultStatus (result) != PGRES_TUPLES_OK
                                 ? PQerrorMessage (contest->connection)
                             : PQgetisnull (result, (int)row, 0) ? "NULL"
                                                                 : PQgetvalue (result, (int)row, 0);
      same = strcmp (value->str, expected) == 0;
      if (!same)
        g_print ("  %s of '%s': PostgreSQL %s, we %s\n", ours, contest->texts[row], expected,
                 value->str);
    }
  PQclear (result);
  contest->n_agreed += same;
  contest->n_differences += !same;
}

int
main (int argc, char **argv)
{
  Contest contest = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (argc > 2 ? (guint32)atoi (argv[2]) : 1);
  guint n_patterns = argc > 1 ? (guint)atoi (argv[1]) : N_PATTERNS;

  if (!cluster_is_available ())
    {
      g_print ("patterns: skipped, no PostgreSQL server is installed\n");
      return 77;
    }

  g_autoptr (Cluster) cluster = cluster_new ("fsync=off", NULL);
  g_autofree char *uri = cluster_create_database (cluster);
  contest.connection = PQconnectdb (uri);
  contest.schema = tally_schema_new (&(TallyColumn){ "t", TALLY_TYPE_TEXT }, 1);
  for (guint row = 0; row < N_ROWS; row++)
    contest.texts[row] = make_text (rand);
  fill_server (&contest);

  for (guint i = 0; i < n_patterns; i++)
    {
      g_autofree char *pattern = make_pattern (rand);
      g_autofree char *test = g_strdup_printf ("t ~ '%s'", pattern);
      g_autofree char *part = g_strdup_printf ("substring(t from '%s')", pattern);
      g_autofree char *groups = g_strdup_printf ("regexp_match(t, '%s')", pattern);
      g_autofree char *groups_as_json = g_strdup_printf ("to_jsonb(%s)", groups);
      g_autofree char *replaced
          = g_strdup_printf ("regexp_replace(t, '%s', '<\\&>', 'g')", pattern);

      hold_contest (&contest, test, test);
      hold_contest (&contest, part, part);
      hold_contest (&contest, groups, groups_as_json);
      hold_contest (&contest, replaced, replaced);
    }
  g_print (
      "patterns: %u of %u uses agree with PostgreSQL %d over %u texts, %u are refused, %u differ\n",
      contest.n_agreed, 4 * n_patterns, PQserverVersion (contest.connection) / 10000, N_ROWS,
      contest.n_refused, contest.n_differences);

  for (guint row = 0; row < N_ROWS; row++)
    g_free (contest.texts[row]);
  tally_schema_unref (contest.schema);
  PQfinish (contest.connection);
  return contest.n_differences > 0 ? 1 : 0;
}
