/* What expressions promise: PostgreSQL's values, its errors row by row, and complaints that name
 * the place and the fix. */
#include "expression/expression.h"
#include "expression/reply.h"
#include "promise.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include "record/value.h"
#include <tallyman/html.h>
#include <string.h>

/* Columns of all rows; the third row is all NULL. */
static const TallyColumn columns[] = {
  { "id", TALLY_TYPE_BIGINT },
  { "subject", TALLY_TYPE_TEXT },
  { "status", TALLY_TYPE_TEXT },
  { "price", TALLY_TYPE_NUMERIC },
  { "open", TALLY_TYPE_BOOLEAN },
  { "created", TALLY_TYPE_TIMESTAMPTZ },
  { "requester.email", TALLY_TYPE_TEXT },
  { "Issue key", TALLY_TYPE_TEXT },
  { "Prio", TALLY_TYPE_TEXT },
  { "share", TALLY_TYPE_DOUBLE },
  { "tags", TALLY_TYPE_JSONB },
  { "spare", TALLY_TYPE_TEXT },
};

static const char *const rows[][G_N_ELEMENTS (columns)] = {
  { "1", "  Hello  ", "open", "12.50", "t", "2024-02-29 12:30:00+00", "Ann@Example.COM", "A-1", "1",
    "0.25", "[\"a\", \"b\"]" },
  { "0", "Ärger", "spam", "-1", "f", "2023-12-31 23:59:59+00", "bob@x.org", "A-2", "x", "-1.5",
    "{\"k\": 1}" },
  { NULL },
};

static TallyBatch *
make_batch (void)
{
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  TallyBatch *batch = tally_batch_new (schema, 8);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      tally_batch_add_row (batch);
      for (guint j = 0; j < G_N_ELEMENTS (columns); j++)
        if (rows[i][j] != NULL)
          g_assert_true (
              tally_batch_set_from_text (batch, j, rows[i][j], strlen (rows[i][j]), NULL));
    }
  return batch;
}

static char *
describe (const TallyComplaint *complaint)
{
  return g_strdup_printf ("%s at %" G_GSIZE_FORMAT "+%" G_GSIZE_FORMAT, complaint->message,
                          complaint->offset, complaint->length);
}

/* The values of an expression for the rows, with "|" between them; rejects as !message; a complaint
 * as it is. */
static char *
evaluate (const char *text)
{
  g_autoptr (TallyBatch) batch = make_batch ();
  TallyComplaint *complaint = NULL;
  g_autoptr (TallyExpression) expression
      = tally_expression_compile (text, tally_batch_schema (batch), &complaint);
  GString *out = g_string_new (NULL);

  if (expression == NULL)
    {
      char *said = describe (complaint);

      tally_complaint_free (complaint);
      g_string_free (out, TRUE);
      return said;
    }

  TallyType type = tally_expression_type (expression);
  gsize size = tally_type_size (type);
  g_autofree char *vector = g_malloc0 (8 * size);
  guint64 validity[1] = { 0 };

  tally_expression_evaluate (expression, batch, vector, validity);
  for (guint i = 0, n_rejects; i < G_N_ELEMENTS (rows); i++)
    {
      if (i > 0)
        g_string_append_c (out, '|');
      if (tally_batch_is_rejected (batch, i))
        {
          g_autoptr (TallyBatch) again = make_batch ();

          tally_expression_evaluate (expression, again, vector, validity);
          tally_batch_end_stage (again);
          const TallyReject *rejects = tally_batch_rejects (again, &n_rejects);
          g_string_append_printf (out, "!%s", rejects[0].reason);
          assert_true (!tally_bitmap_get (validity, i));
        }
      else if (!tally_bitmap_get (validity, i))
        g_string_append (out, "NULL");
      else
        tally_value_format (type, vector + i * size, out);
    }
  return g_string_free (out, FALSE);
}

typedef struct
{
  const char *label, *text, *expected;
} Case;

static void
check_cases (const Case *cases, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *got = evaluate (cases[i].text);

      assert_row_text (cases[i].label, got, cases[i].expected);
    }
}

static void
test_gives_postgresqls_values (void)
{
  static const Case cases[] = {
    { "a column", "id", "1|0|NULL" },
    { "a column with a dot", "requester.email", "Ann@Example.COM|bob@x.org|NULL" },
    { "a name in quotes", "\"Issue key\"", "A-1|A-2|NULL" },
    { "a constant", "'x'", "x|x|x" },
    { "NULL", "NULL", "NULL|NULL|NULL" },
    { "lower is ASCII's", "lower(subject)", "  hello  |Ärger|NULL" },
    { "upper is ASCII's", "upper(subject)", "  HELLO  |ÄRGER|NULL" },
    { "concatenation", "'[' || status || '] ' || id", "[open] 1|[spam] 0|NULL" },
    { "comparison", "status <> 'spam'", "t|f|NULL" },
    { "arithmetic", "id * 3 - 1", "2|-1|NULL" },
    { "precedence", "1 + 2 * 3 - -4", "11|11|11" },
    { "numeric", "price * 2", "25.00|-2|NULL" },
    { "trim and default", "coalesce(nullif(trim(subject), ''), '(no subject)')",
      "Hello|Ärger|(no subject)" },
    { "CASE", "CASE status WHEN 'open' THEN 1 WHEN 'spam' THEN 2 END", "1|2|NULL" },
    { "CASE with conditions", "CASE WHEN open THEN 'a' WHEN id = 0 THEN 'b' ELSE 'c' END",
      "a|b|c" },
    { "AND with NULL", "open AND id = 1", "t|f|NULL" },
    { "OR with NULL", "open OR true", "t|t|t" },
    { "IS NULL", "subject IS NULL", "f|f|t" },
    { "IS DISTINCT FROM", "status IS DISTINCT FROM 'open'", "f|t|t" },
    { "IN", "status IN ('open', 'new')", "t|f|NULL" },
    { "NOT IN with NULL", "status NOT IN ('open', NULL)", "f|NULL|NULL" },
    { "BETWEEN", "id BETWEEN 1 AND 2", "t|f|NULL" },
    { "LIKE", "subject LIKE '_rg%'", "f|t|NULL" },
    { "ILIKE", "status ILIKE 'OP%'", "t|f|NULL" },
    { "~", "status ~ '^s.*m$'", "f|t|NULL" },
    { "a cast", "price::bigint", "13|-1|NULL" },
    { "a power that is not whole", "abs(price) ^ 0.5",
      "3.5355339059327376|1.0000000000000000|NULL" },
    { "a template of a number", "to_char(price, 'FM990.00')", "12.50|-1.00|NULL" },
    { "a number too long for its template", "to_char(id * 1000, '999')", " ###|   0|NULL" },
    { "a number by a template", "to_number('1,234.5-', '9G999D9S')", "-1234.5|-1234.5|-1234.5" },
    { "NaN with a sign", "(-'NaN'::double precision)::numeric", "NaN|NaN|NaN" },
    { "nothing is in no array", "status = ANY ('{}')", "f|f|f" },
    { "keys that are times", "jsonb_build_object(created, id)",
      "{\"2024-02-29T12:30:00+00:00\": 1}|{\"2023-12-31T23:59:59+00:00\": 0}|!argument 1: key "
      "must not be null" },
    { "arrays", "string_to_array('a,b', ',') || status",
      "[\"a\", \"b\", \"open\"]|"
      "[\"a\", \"b\", \"spam\"]|[\"a\", \"b\", null]" },
    { "arrays in order", "ARRAY['a', NULL] > ARRAY['a', status]", "t|t|f" },
    { "a split", "regexp_split_to_array('a1b22c', '\\d+')",
      "[\"a\", \"b\", \"c\"]|[\"a\", \"b\", \"c\"]|[\"a\", \"b\", \"c\"]" },
    { "a subscript of jsonb", "tags['k']", "NULL|1|NULL" },
    { "jsonb", "tags -> 0", "\"a\"|NULL|NULL" },
    { "jsonb as text", "tags ->> 'k'", "NULL|1|NULL" },
    { "all but more letters than there are", "right('abc', -2147483648)", "||" },
    { "length counts letters", "length(subject)", "9|5|NULL" },
    { "GREATEST passes over NULL", "greatest(id, -5)", "1|0|-5" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_rejects_the_rows_that_cannot_be_worked_out (void)
{
  static const Case cases[] = {
    { "division by zero", "10 / id", "10|!division by zero|NULL" },
    { "not a number", "\"Prio\"::bigint", "1|!invalid input syntax for type bigint: \"x\"|NULL" },
    { "not an integer", "\"Prio\"::int", "1|!invalid input syntax for type integer: \"x\"|NULL" },
    { "overflow", "9223372036854775807 + id", "!bigint out of range|9223372036854775807|NULL" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_raises_no_error_in_a_branch_that_is_not_taken (void)
{
  static const Case cases[] = {
    { "CASE", "CASE WHEN id <> 0 THEN 10 / id ELSE -1 END", "10|-1|-1" },
    { "AND", "id <> 0 AND 10 / id > 5", "t|f|NULL" },
    { "OR", "id = 0 OR 10 / id > 5", "t|t|NULL" },
    { "COALESCE", "coalesce(id, 10 / id)", "1|0|NULL" },
    { "a constant branch", "CASE WHEN true THEN 1 ELSE 1 / 0 END", "1|1|1" },
    { "FALSE AND", "false AND 1 / 0 = 1", "f|f|f" },
    { "a value that is compared twice",
      "CASE 10 / nullif(id, 0) WHEN NULL THEN 1 WHEN 10 THEN 2 END", "2|NULL|NULL" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_complains_with_the_place (void)
{
  static const Case cases[] = {
    { "unknown column", "id = 1 AND stauts <> 'spam'", "column \"stauts\" does not exist at 11+6" },
    { "unknown function", "lowr(status)", "function lowr(text) does not exist at 0+4" },
    { "text against number", "status = 5", "operator does not exist: text = bigint at 7+1" },
    { "wrong argument", "lower(id)", "function lower(bigint) does not exist at 0+5" },
    { "syntax", "id = = 1", "syntax error at or near \"=\" at 5+1" },
    { "end", "id +", "syntax error at end of input at 4+1" },
    { "letters of several bytes before", "'ä' || = 1", "syntax error at or near \"=\" at 8+1" },
    { "a letter of several bytes after a number", "id > 1ß",
      "trailing junk after numeric literal at or near \"1\xef\xbf\xbd\" at 5+3" },
    { "nothing", "", "expression is empty at 0+1" },
    { "another clause", "1) FROM x; --", "syntax error at or near \")\" at 1+1" },
    { "FROM", "1 FROM x", "only an expression can stand here, not a query at 0+8" },
    { "two", "1, 2", "only one expression can stand here at 3+1" },
    { "two statements", "1; SELECT 2", "only one expression can stand here, without \";\" at 1+1" },
    { "a name", "id AS x", "syntax error at or near \"x\" at 6+1" },
    { "a subquery", "(SELECT 1 UNION SELECT 2)", "a subquery is not supported at 0+1" },
    { "EXISTS", "EXISTS (SELECT 1)", "a subquery is not supported at 0+6" },
    { "an aggregate", "count(*)", "a function over many rows is not supported at 0+5" },
    { "a parameter", "$1", "a parameter is not supported at 0+2" },
    { "a literal of the wrong form", "id = 'x'",
      "invalid input syntax for type bigint: \"x\" at 5+3" },
    { "a constant that cannot be", "id + 1 / 0", "division by zero at 7+1" },
    { "CASE types", "CASE WHEN open THEN status ELSE 1 END",
      "CASE types bigint and text cannot be matched at 20+6" },
    { "AND of text", "status AND open",
      "argument of AND must be type boolean, not type text at 0+6" },
    { "SIMILAR TO", "status SIMILAR TO 'x'", "SIMILAR TO is not supported at 7+7" },
    { "json", "status::json", "type \"json\" is not supported at 8+4" },
    { "a bad template", "to_char(price, 'S9S')", "cannot use \"S\" twice at 0+7" },
    { "ref() of what a row says", "ref(status, 'a')", "ref(): the entity must be a constant at 0+3" },
    { "ref() without a key", "ref('ticket')", "ref has no argument \"key\" at 0+3" },
    { "ref() of another argument", "ref('ticket', status, missed => 'null')",
      "ref has no such argument, or has it already at 22+6" },
    { "ref() and what it does not do", "ref('ticket', status, missing => 'none')",
      "ref(): missing is \"none\", but takes 'reject' or 'null' at 0+3" },
    { "a bad pattern", "status ~ '('",
      "invalid regular expression: parentheses () not balanced at 7+1" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_hints_at_the_fix (void)
{
  static const Case cases[] = {
    { "nearest column", "stauts",
      "did you mean \"status\"? The step gets: id, subject, status, price, open, created, "
      "requester.email, Issue key, …" },
    { "no near column", "zzzzzzzz",
      "the step gets: id, subject, status, price, open, created, requester.email, Issue key, …" },
    { "capitals", "Prio",
      "a name with capitals needs double quotes: \"Prio\". The step gets: id, subject, status, "
      "price, open, created, requester.email, Issue key, …" },
    { "nearest function", "lowr(status)", "did you mean \"lower\"?" },
    { "our own function", "slug(id)",
      "this function is Tallyman's own, not PostgreSQL's; it takes a text" },
    { "cast", "id = status", "nothing is converted by itself; cast it: status::bigint" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
      TallyComplaint *complaint = NULL;

      if (!assert_true (tally_expression_compile (cases[i].text, schema, &complaint) == NULL))
        continue;
      assert_row_text (cases[i].label, complaint->hint, cases[i].expected);
      tally_complaint_free (complaint);
    }
}

static void
test_refuses_what_is_too_long_or_too_deep (void)
{
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  static const char *const links[] = { "+1", "::text", "||'x'", "(", "- ", " AND true" };

  for (guint i = 0; i < G_N_ELEMENTS (links); i++)
    {
      g_autoptr (GString) text = g_string_new (i == 3 || i == 4 ? "" : "1");
      TallyComplaint *complaint = NULL;

      while (text->len < 32000)
        g_string_append (text, links[i]);
      if (assert_true (tally_expression_compile (text->str, schema, &complaint) == NULL))
        assert_true (complaint->message != NULL);
      tally_complaint_free (complaint);
    }
}

static void
test_knows_type_columns_and_volatility (void)
{
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  TallyComplaint *complaint = NULL;
  g_autoptr (TallyExpression) expression
      = tally_expression_compile ("id + price", schema, &complaint);
  g_autoptr (TallyExpression) now = tally_expression_compile ("now()", schema, &complaint);

  assert_int (tally_expression_type (expression), TALLY_TYPE_NUMERIC);
  assert_int (tally_expression_columns (expression)[0], 1 << 0 | 1 << 3);
  assert_true (!tally_expression_is_volatile (expression));
  assert_true (tally_expression_is_volatile (now));

  /* Neither folded nor another one with each row. */
  g_autoptr (TallyExpression) reference = tally_expression_compile ("ref('ticket', '1')", schema, &complaint);
  assert_int (tally_expression_type (reference), TALLY_TYPE_TEXT);
  assert_true (!tally_expression_is_volatile (reference));
}

static void
test_writes_into_a_column_and_passes_over_rejected_rows (void)
{
  g_autoptr (TallyBatch) batch = make_batch ();
  TallyComplaint *complaint = NULL;
  g_autoptr (TallyExpression) expression
      = tally_expression_compile ("'<' || status || '>'", tally_batch_schema (batch), &complaint);
  gint spare = tally_schema_find (tally_batch_schema (batch), "spare");

  tally_batch_reject (batch, 1, "by another");
  tally_expression_evaluate (expression, batch, tally_batch_vector (batch, (guint)spare),
                             tally_batch_validity (batch, (guint)spare));
  g_clear_pointer (&expression, tally_expression_free);

  g_autofree char *text = tally_text_dup (tally_batch_get_text (batch, 0, (guint)spare));
  assert_text (text, "<open>");
  assert_true (tally_batch_is_null (batch, 1, (guint)spare));
  assert_true (tally_batch_is_null (batch, 2, (guint)spare));
}

static void
test_finds_columns_with_long_names (void)
{
  static const TallyColumn long_columns[] = {
    { "How satisfied were you with the answer that our support gave you? (1)", TALLY_TYPE_BIGINT },
    { "Please tell us in a few words what we could do better the next time: (a)", TALLY_TYPE_TEXT },
    { "Please tell us in a few words what we could do better the next time: (b)", TALLY_TYPE_TEXT },
  };
  g_autoptr (TallySchema) schema = tally_schema_new (long_columns, G_N_ELEMENTS (long_columns));
  TallyComplaint *complaint = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (long_columns); i++)
    {
      g_autofree char *text = g_strdup_printf ("\"%s\"", long_columns[i].name);
      g_autoptr (TallyExpression) expression = tally_expression_compile (text, schema, &complaint);

      assert_int (expression != NULL, i == 0);
      g_clear_pointer (&complaint, tally_complaint_free);
    }
}

static gpointer
compile_often (gpointer schema)
{
  guint n_good = 0;

  for (guint i = 0; i < 700; i++)
    {
      TallyComplaint *complaint = NULL;
      g_autoptr (TallyExpression) expression
          = tally_expression_compile (i % 2 == 0 ? "id + 1" : "id +", schema, &complaint);

      n_good += expression != NULL;
      tally_complaint_free (complaint);
    }
  return GUINT_TO_POINTER (n_good);
}

static void
test_compiles_any_number_on_any_thread (void)
{
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("compile", compile_often, schema);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    assert_int (GPOINTER_TO_UINT (g_thread_join (threads[i])), 350);
}

static void
test_finds_the_longest_match_as_postgresql_does (void)
{
  static const Case cases[] = {
    { "alternatives", "substring('abcabc' from 'a|ab|abc')", "abc|abc|abc" },
    { "repeated alternatives", "substring('abcd' from '(?:a|ab)(?:c|bcd)?')", "abcd|abcd|abcd" },
    { "non-greedy", "substring('aabb' from '.*?b')", "aab|aab|aab" },
    { "groups", "regexp_replace('2024-02-29', '(\\d+)-(\\d+)-(\\d+)', '\\3.\\2.\\1')",
      "29.02.2024|29.02.2024|29.02.2024" },
    { "ASCII's case only", "'Ä' ~* 'ä'", "f|f|f" },
    { "a pattern that takes for ever one way after the other",
      "repeat('a', 40) ~ '^(a+)+$' AND repeat('a', 40) || 'b' ~ '^(a+)+$'", "f|f|f" },
    { "groups that might be told apart otherwise", "substring(subject from '(a|ab)(c|bcd)')",
      "a group in parentheses next to repeated groups or to alternatives other than plain words in "
      "a regular expression is not supported at 0+9" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_has_functions_of_its_own (void)
{
  static const Case cases[] = {
    { "slug", "slug('  Über uns & die Welt’s Ende! ')", "uber-uns-die-welts-ende" },
    { "a slug of nothing", "slug('!?')", "" },
    { "an address", "mask_email('Ann.Lee@Example.com')", "A***@Example.com" },
    { "a letter of several bytes", "mask_email('ä@b')", "ä***@b" },
    { "two addresses", "mask_email('a@b, c@d')", "a***@d" },
    { "no address", "mask_email('Ann Lee')", "***" },
    { "only a domain", "mask_email('@b')", "***" },
    { "no text", "mask_email('')", "" },
    { "markdown", "markdown_to_html('*a* <b>')", "<p><em>a</em> <!-- raw HTML omitted --></p>\n" },
    { "a dangerous link", "markdown_to_html('[x](javascript:y)')", "<p><a href=\"\">x</a></p>\n" },
    { "a reply", "reply_text(E'a\\n> b')", "a" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = evaluate (cases[i].text);
      g_autofree char *expected
          = g_strjoin ("|", cases[i].expected, cases[i].expected, cases[i].expected, NULL);

      assert_row_text (cases[i].label, got, expected);
    }
}

static void
test_takes_a_reply_from_what_it_answers (void)
{
  static const struct
  {
    const char *label, *mail, *expected;
  } cases[] = {
    { "no quote", "a\nb\n", "a\nb" },
    { "nothing", "", "" },
    { "a quote at the end", "Thanks!\n\nOn Mon, 3 May 2021, Ann Lee wrote:\n> hello\n>\n> > x\n> bye\n", "Thanks!" },
    { "in another language", "Danke\r\n\r\nAm 03.05.21 um 10:00 schrieb Ann Lee:\r\n> hallo\r\n", "Danke" },
    { "with another colon", "好\n\n2021年5月3日 Ann 写道：\n> 你好\n", "好" },
    { "introduced in two lines", "Thanks\n\nOn Mon, 3 May 2021 at 10:00, Ann Lee <ann@example.com>\nwrote:\n\n> hello\n", "Thanks" },
    { "introduced without a gap", "Thanks\nOn 3 May 2021, Ann wrote:\n> hello\n", "Thanks" },
    { "not introduced", "See below:\n> hello\n", "See below:" },
    { "a paragraph away", "Paid on 3 May:\n\n\n> hello\n", "Paid on 3 May:" },
    { "a quote at the beginning", "On 3 May 2021, Ann wrote:\n> hello\n\nThanks\n", "Thanks" },
    { "at both ends", "> hello\nThanks\n> bye\n", "Thanks" },
    { "answers between quotes", "> one?\nyes\n> two?\nno\n> bye\n", "> one?\nyes\n> two?\nno" },
    { "answers after own words", "Hi\n> one?\nyes\n", "Hi\n> one?\nyes" },
    { "an older quote under the quote", "Thanks\n\n> hello\n\nOn 2 May 2021, Bob wrote:\n\n> first\n", "Thanks" },
    { "only a quote", "On 3 May 2021, Ann wrote:\n> hello\n", "On 3 May 2021, Ann wrote:\n> hello\n" },
    { "an old message", "Done.\n\n-----Original Message-----\nFrom: Ann\nhello\n", "Done." },
    { "in another language, too", "Fertig\n---- Ursprüngliche Nachricht ----\nhallo", "Fertig" },
    { "a line of hyphens", "a\n----------\nb", "a\n----------\nb" },
    { "headers", "Done.\n\nFrom: Ann Lee <ann@example.com>\nSent: Monday\nTo: Bob\nSubject: x\n\nhello", "Done." },
    { "headers under a rule", "Done.\n____________\n*Von:* Ann Lee\n*Gesendet:* Montag\n*An:* Bob\n*Betreff:* x\n\nhallo", "Done." },
    { "headers that are none", "From: Berlin\nTo: Rome\nWhen: May\nWho: Ann\n", "From: Berlin\nTo: Rome\nWhen: May\nWho: Ann" },
    { "a form that was filled in", "By the web:\nFrom: Ann <ann@example.com>\nSubject: lamp\nPhone: 12\nMessage: It is broken.",
      "By the web:\nFrom: Ann <ann@example.com>\nSubject: lamp\nPhone: 12\nMessage: It is broken." },
    { "headers of another order", "Danke\n\nGesendet: Montag\nVon: Ann <ann@example.com>\nAn: Bob\nBetreff: x\nhallo", "Danke" },
    { "headers with a blank that does not break", "Fait.\n\nDe\u00a0: Ann <ann@example.com>\nEnvoyé\u00a0: lundi\nÀ\u00a0: Bob\nObjet\u00a0: x\n\nSalut", "Fait." },
    { "many headers", "Ok\n\nFrom: Ann <ann@example.com>\nSent: Monday\nTo: Bob\nCc: Carl\nImportance: high\nSubject: x\n\nhello", "Ok" },
    { "introduced by an address of two lines", "Danke\n\nAm Mo., 3. Mai 2021 schrieb Ann Lee <\nann@example.com>:\n\n> hallo\n", "Danke" },
    { "a line with a date under an address", "Danke\n\nAnn Lee <ann@example.com>\nwrote on 3 May:\n> hallo\n", "Danke\n\nAnn Lee <ann@example.com>" },
    { "passed on", "See this.\n\n---------- Forwarded message ---------\nFrom: Ann <ann@example.com>\nDate: 3 May\nSubject: x\nTo: Bob\n\nhello\n",
      "See this.\n\n---------- Forwarded message ---------\nFrom: Ann <ann@example.com>\nDate: 3 May\nSubject: x\nTo: Bob\n\nhello" },
    { "passed on as a quote", "See this.\n\nBegin forwarded message:\n\n> From: Ann\n>\n> hello\n\n",
      "See this.\n\nBegin forwarded message:\n\n> From: Ann\n>\n> hello" },
    { "passed on in French", "Voir.\n\nDébut du message réexpédié\u00a0:\n\n> bonjour", "Voir.\n\nDébut du message réexpédié\u00a0:\n\n> bonjour" },
    { "passed on without a word", "----- Weitergeleitete Nachricht -----\nhallo\n\n> alt\n", "----- Weitergeleitete Nachricht -----\nhallo\n\n> alt" },
    { "passed on within the old message", "Thanks\n\n-----Original Message-----\nSee this.\n----- Forwarded message -----\nhello", "Thanks" },
    { "a signature before the quote", "Thanks\n\n-- \nBob\n\nOn 3 May 2021, Ann wrote:\n> hello\n", "Thanks\n\n-- \nBob" },
    { "a signature under the answer", "On 3 May 2021, Ann wrote:\n> hello\n\nThanks\n\n-- \nBob\n", "Thanks\n\n-- \nBob" },
    { "a signature under the quote", "Thanks\n\n> hello\n\n-- \nBob\n", "Thanks\n\n> hello\n\n-- \nBob" },
    { "an answer under an old message", "-----Original Message-----\nFrom: Ann\nhello\n\nThanks\n", "-----Original Message-----\nFrom: Ann\nhello\n\nThanks\n" },
    { "too few headers", "Mail\nFrom: ann@example.com\nTo: bob@example.com\n", "Mail\nFrom: ann@example.com\nTo: bob@example.com" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TallyText own = tally_reply_text ((TallyText){ cases[i].mail, strlen (cases[i].mail) });
      g_autofree char *got = tally_text_dup (own);

      assert_row_text (cases[i].label, got, cases[i].expected);
    }
}

static void
test_reads_html_as_a_person_does (void)
{
  static const struct
  {
    const char *label, *html, *expected;
  } cases[] = {
    { "paragraphs", "<p>One</p>\n<p>two\n  words</p>", "One\n\ntwo words" },
    { "lines", "<div>a</div><div>b<br>c<br/><br>d</div>", "a\nb\nc\n\nd" },
    { "inline elements", "a<b>b</b> <i>c</i>d", "ab cd" },
    { "a list", "<p>To do</p><ul><li>one<li>two <b>x</b></ul>end",
      "To do\n\n- one\n- two x\n\nend" },
    { "a list in a list", "<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>", "- a\n  - b\n- c" },
    { "a paragraph in an item", "<ul><li><p>a</p></li><li><p>b</p></li></ul>", "- a\n- b" },
    { "a table", "<table><tr><th>a<th>b</tr><tr><td> 1 </td><td>2</td></tr></table>",
      "a\tb\n1\t2" },
    { "a quote", "<p>a</p><blockquote>b<br>c<blockquote><p>d</p></blockquote></blockquote>e", "a\n\n> b\n> c\n\n> > d\n\ne" },
    { "a list and lines in a quote", "<blockquote><ul><li>a</ul><pre>b\n\n c</pre></blockquote>", "> - a\n\n> b\n>\n>  c" },
    { "a link in a quote", "<blockquote><a href=https://x.org>https://x.org</a></blockquote>", "> https://x.org" },
    { "a link", "see <a href='https://x.org/?a=1&amp;b=2'>this <b>page</b></a>.",
      "see this page (https://x.org/?a=1&b=2)." },
    { "a link that shows its address", "<a href=https://x.org>https://x.org</a>", "https://x.org" },
    { "a link to a mailbox", "<a href='mailto:a@b.c'>a@b.c</a>", "a@b.c" },
    { "links to nowhere", "<a href='#top'>up</a> <a href='javascript:x()'>do</a> <a>no</a>",
      "up do no" },
    { "an image", "<img src=x alt='a &lt; b'> c", "a < b c" },
    { "references", "&lt;&amp;&#65;&#x1F600;&eacute;&nbsp;&euro;&copy 1&hellip;", "<&A😀é €© 1…" },
    { "references that are none", "&foo; & &; &# &#x; &#0; &#x110000;", "&foo; & &; &# &#x; � �" },
    { "what nobody sees",
      "a<script>if (x<y) '</p>'</script><style>p{}</style><!-- b > c -->d"
      "<title>t</title>",
      "ad" },
    { "preformatted text", "<pre>a\n  b\n\n\n c</pre>d", "a\n  b\n\n\n c\n\nd" },
    { "a document", "<!DOCTYPE html><html><head><title>x</title></head><body>\n<p>y</body></html>",
      "y" },
    { "a smaller-than sign", "1 < 2 <3 > <", "1 < 2 <3 > <" },
    { "a quote that is not closed", "<a href=\"x>y</a> z", "y (\"x) z" },
    { "a tag that is not closed", "a <b class='x", "a" },
    { "ends without starts", "</p></ul></li></a></pre>a", "a" },
    { "capitals", "<P>a<BR>b<SCRIPT>c</Script>d", "a\nbd" },
    { "nothing", "", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);

      tally_html_append_text ((TallyText){ cases[i].html, strlen (cases[i].html) }, out);
      assert_row_text (cases[i].label, out->str, cases[i].expected);
    }
}

static void
test_takes_hostile_html_in_linear_time (void)
{
  static const char *const parts[]
      = { "<",         "<b>", "<i></b>", "<!--",  "<script></", "<a href=\"", "<a href='x' b=\"",
          "<ul><li>x", "&#",  "&",       "<p a=", "<pre>\n",    "<a href=x>", "<td>x",
          " " };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autoptr (GString) html = g_string_new (NULL), out = g_string_new (NULL);

      while (html->len < 1024 * 1024)
        g_string_append (html, parts[i]);
      tally_html_append_text ((TallyText){ html->str, html->len }, out);
      assert_true (out->len < 8 * html->len);
    }
}

/* Where each mark, or each letter, moved all that follows, these would take half a minute. */
static void
test_normalizes_in_linear_time (void)
{
  static const Case cases[] = {
    { "composed", "length(normalize(repeat('ä', 200000)))", "200000|200000|200000" },
    { "decomposed", "length(normalize(repeat('ä', 200000), NFD))", "400000|400000|400000" },
    { "marks in the wrong order", "length(normalize('a' || repeat(E'\\u0301\\u0323', 50000)))", "100000|100000|100000" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static const Promise promises[] = {
  { "gives PostgreSQL's values", test_gives_postgresqls_values },
  { "rejects the rows that cannot be worked out", test_rejects_the_rows_that_cannot_be_worked_out },
  { "raises no error in a branch that is not taken",
    test_raises_no_error_in_a_branch_that_is_not_taken },
  { "complains with the place", test_complains_with_the_place },
  { "hints at the fix", test_hints_at_the_fix },
  { "refuses what is too long or too deep", test_refuses_what_is_too_long_or_too_deep },
  { "knows type, columns and volatility", test_knows_type_columns_and_volatility },
  { "writes into a column and passes over rejected rows",
    test_writes_into_a_column_and_passes_over_rejected_rows },
  { "finds columns with long names", test_finds_columns_with_long_names },
  { "compiles any number on any thread", test_compiles_any_number_on_any_thread },
  { "finds the longest match as PostgreSQL does", test_finds_the_longest_match_as_postgresql_does },
  { "has functions of its own", test_has_functions_of_its_own },
  { "reads HTML as a person does", test_reads_html_as_a_person_does },
  { "takes a reply from what it answers", test_takes_a_reply_from_what_it_answers },
  { "normalizes in linear time", test_normalizes_in_linear_time },
  { "takes hostile HTML in linear time", test_takes_hostile_html_in_linear_time },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("expression", promises, argc, argv);
}
