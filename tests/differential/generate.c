/* generate.c: random expressions, well-typed but for a few */
#include "generate.h"
#include "expression/function.h"
#include <string.h>

#define MAX_PARTS 7
#define MAX_DEPTH 4
#define LEAF_PERCENT 25
#define WRONG_TYPE_PERCENT 2

/* Types by the letters of signatures; `integer` of PostgreSQL is no type of its own. */
static const char letters[] = "tbidnDszvyjA";

static const char *
type_name (char letter)
{
  return tally_term_type_name (tally_type_of_letter (letter));
}

/* Columns first, and the first is what a part is replaced by to make it smaller. */
static const struct
{
  char letter;
  const char *leaves[16];
} leaves[] = {
  { 't',
    { "t", "o", "u", "w", "z", "'abc'::text", "''::text", "'ä,ö'::text", "'5'::text", "'%'::text",
      "NULL::text" } },
  { 'b', { "b", "NULL::boolean" } },
  { 'i',
    { "i", "k::bigint", "0::bigint", "1::bigint", "2::bigint", "(-1)::bigint", "12::bigint",
      "9223372036854775807", "NULL::bigint" } },
  { 'd',
    { "d", "0.5::double precision", "(-2)::double precision", "3::double precision",
      "'NaN'::double precision", "NULL::double precision" } },
  { 'n', { "n", "m", "2.5", "-0.001", "0.0", "100.50", "'NaN'::numeric", "NULL::numeric" } },
  { 'D', { "dt", "date '2024-02-29'", "date '1969-12-31'", "NULL::date" } },
  { 's', { "ts", "timestamp '2024-10-27 02:30'", "timestamp '0001-01-01 BC'", "NULL::timestamp" } },
  { 'z', { "tz", "timestamptz '2024-03-31 01:30+00'", "NULL::timestamptz" } },
  { 'v', { "v", "interval '1 month'", "interval '-3 days 25:00:00.5'", "NULL::interval" } },
  { 'y', { "y", "'\\xff00'::bytea", "NULL::bytea" } },
  { 'j',
    { "j", "'{\"a\": [1, null, \"x\"]}'::jsonb", "'1.50'::jsonb", "'[]'::jsonb", "NULL::jsonb" } },
  { 'A',
    { "string_to_array(t, ',')", "ARRAY['a', o, NULL]", "'{}'::text[]", "'{a,b}'::text[]",
      "NULL::text[]" } },
};

/* What the typer makes beside functions and operators.  T is one type, whichever. */
static const struct
{
  const char *form, *args;
  char result;
  gboolean varies; /* each part has a column: PostgreSQL does not see early that one is NULL */
} forms[] = {
  { "coalesce($1, $2)", "TT", 'T' },
  { "nullif($1, $2)", "TT", 'T' },
  { "greatest($1, $2)", "TT", 'T' },
  { "least($1, $2, $3)", "TTT", 'T' },
  { "(CASE WHEN $1 THEN $2 ELSE $3 END)", "bTT", 'T' },
  { "(CASE WHEN $1 THEN $2 WHEN $3 THEN $4 END)", "bTbT", 'T' },
  { "(CASE $1 WHEN $2 THEN $3 ELSE $4 END)", "TTtt", 't' },
  { "($1 AND $2)", "bb", 'b' },
  { "($1 OR $2)", "bb", 'b' },
  { "(NOT $1)", "b", 'b' },
  { "($1 IS NULL)", "T", 'b' },
  { "($1 IS NOT NULL)", "T", 'b' },
  { "($1 IS NOT TRUE)", "b", 'b' },
  { "($1 IS FALSE)", "b", 'b' },
  { "($1 IS UNKNOWN)", "b", 'b' },
  { "($1 IS DISTINCT FROM $2)", "TT", 'b' },
  { "($1 IS NOT DISTINCT FROM $2)", "TT", 'b' },
  { "($1 IN ($2, $3))", "TTT", 'b' },
  { "($1 NOT IN ($2, $3))", "TTT", 'b' },
  { "($1 BETWEEN $2 AND $3)", "TTT", 'b' },
  { "($1 BETWEEN SYMMETRIC $2 AND $3)", "TTT", 'b' },
  { "($1 = ANY ($2))", "tA", 'b' },
  { "($1 <> ALL ($2))", "tA", 'b' },
  { "(ARRAY[$1, $2])", "tt", 'A' },
  { "($1)[($2)::int]", "Ai", 't', TRUE },
  { "($1)[$2]", "jt", 'j', TRUE },
  { "($1 || $2)", "tt", 't' },
  { "($1 || $2)", "tT", 't' },
  { "($1 || $2)", "AA", 'A' },
  { "($1 || $2)", "At", 'A' },
  { "($1 || $2)", "tA", 'A' },
  { "($1 || $2)", "jj", 'j' },
  { "($1 || $2)", "yy", 'y' },
  { "($1)::numeric(10,2)", "n", 'n' },
  { "($1)::varchar(3)::text", "t", 't' },
  { "($1)::int::bigint", "i", 'i' },
  { "($1)::timestamp(1)", "s", 's' },
  { "extract(epoch from $1)", "v", 'n' },
  { "extract(epoch from $1)", "s", 'n' },
  { "extract(year from $1)", "D", 'n' },
  { "extract(dow from $1)", "z", 'n' },
  { "position($1 in $2)::bigint", "tt", 'i' },
};

static const char *const years[] = { "2024", "1", "-44", "5874897", "0", NULL };
static const char *const months[] = { "1", "2", "12", "0", "13", NULL };
static const char *const days[] = { "1", "28", "29", "31", "0", NULL };
static const char *const counts[] = { "0", "1", "3", "20", "-1", NULL };
static const char *const patterns[]
    = { "'b'", "'^a'", "'[a-z]+'", "'\\s+'", "''", "'(a|b)c?'", "'x*'", "'ö'", "'.$'", NULL };
static const char *const flags[] = { "''", "'i'", "'c'", NULL };
static const char *const units[]
    = { "'year'",        "'quarter'", "'month'", "'week'",  "'day'",     "'hour'",
        "'millisecond'", "'dow'",     "'doy'",   "'epoch'", "'century'", NULL };
static const char *const zones[]
    = { "'UTC'", "'Europe/Berlin'", "'America/New_York'", "'Asia/Kolkata'", NULL };
static const char *const codings[] = { "'hex'", "'base64'", "'escape'", NULL };
static const char *const number_templates[]
    = { "'999'",  "'FM9,990.00'", "'S099.9'", "'9.99EEEE'",   "'FMRN'",
        "'99V9'", "'999.9PR'",    "'99th'",   "'L9G999D9MI'", NULL };
static const char *const time_templates[] = { "'YYYY-MM-DD'",
                                              "'DD/MM/YY HH24:MI:SS.US'",
                                              "'FMDay, DDth FMMonth YYYY AD'",
                                              "'HH12 AM'",
                                              "'SSSS'",
                                              NULL };
static const char *const time_texts[] = { "w", "u", "t", NULL };
static const char *const encodings[] = { "'UTF8'", NULL };
static const char *const paths[] = { "'{a}'", "'{b,c}'", "'{a,1}'", "'{}'", "'{0}'", NULL };
static const char *const texts[] = { "'%s|%L'", "'%2$s %1$s'", "'%5s|%-3s'", "'100%%'", NULL };

/* Arguments for which anything at all would only give errors, or too long results. */
static const struct
{
  const char *name;
  const char *args; /* (nullable) only of the function with these */
  guint part;
  const char *const *choices;
} choices[] = {
  { "repeat", NULL, 1, counts },
  { "lpad", NULL, 1, counts },
  { "rpad", NULL, 1, counts },
  { "left", NULL, 1, counts },
  { "right", NULL, 1, counts },
  { "make_date", NULL, 0, years },
  { "make_date", NULL, 1, months },
  { "make_date", NULL, 2, days },
  { "make_interval", NULL, 0, counts },
  { "make_interval", NULL, 1, counts },
  { "make_interval", NULL, 2, counts },
  { "make_interval", NULL, 3, counts },
  { "make_interval", NULL, 4, counts },
  { "make_interval", NULL, 5, counts },
  { "make_timestamp", NULL, 0, years },
  { "make_timestamp", NULL, 1, months },
  { "make_timestamptz", NULL, 1, months },
  { "make_timestamptz", NULL, 2, days },
  { "~", "tt", 1, patterns },
  { "!~", "tt", 1, patterns },
  { "~*", "tt", 1, patterns },
  { "!~*", "tt", 1, patterns },
  { "substring", "tt", 1, patterns },
  { "regexp_like", NULL, 1, patterns },
  { "regexp_like", NULL, 2, flags },
  { "regexp_match", NULL, 1, patterns },
  { "regexp_match", NULL, 2, flags },
  { "regexp_substr", NULL, 1, patterns },
  { "regexp_instr", NULL, 1, patterns },
  { "regexp_count", NULL, 1, patterns },
  { "regexp_replace", NULL, 1, patterns },
  { "regexp_replace", NULL, 3, flags },
  { "regexp_split_to_array", NULL, 1, patterns },
  { "regexp_split_to_array", NULL, 2, flags },
  { "date_trunc", NULL, 0, units },
  { "date_trunc", NULL, 2, zones },
  { "date_part", NULL, 0, units },
  { "timezone", NULL, 0, zones },
  { "make_timestamptz", NULL, 6, zones },
  { "encode", NULL, 1, codings },
  { "decode", NULL, 1, codings },
  { "convert_to", NULL, 1, encodings },
  { "convert_from", NULL, 1, encodings },
  { "to_char", "it", 1, number_templates },
  { "to_char", "nt", 1, number_templates },
  { "to_char", "dt", 1, number_templates },
  { "to_number", NULL, 1, number_templates },
  { "to_char", "st", 1, time_templates },
  { "to_char", "zt", 1, time_templates },
  { "to_timestamp", "tt", 1, time_templates },
  { "to_date", NULL, 1, time_templates },
  { "#>", NULL, 1, paths },
  { "#>>", NULL, 1, paths },
  { "#-", NULL, 1, paths },
  { "jsonb_set", NULL, 1, paths },
  { "format", NULL, 0, texts },
};

/* Left out, with the reason. */
static const struct
{
  const char *name, *why;
} left_out[] = {
  { "age", "PostgreSQL 15 works out the age of infinity as if it were a date" },
  { "to_hex", "bigint stands for all integers" },
  { "lcm", "bigint stands for all integers" },
  { "regexp_matches", "gives many rows" },
};

typedef struct
{
  char *form; /* (owned) with $1 … for the parts */
  char args[MAX_PARTS + 1];
  char result;
  gboolean varies;
  const char *const *choices[MAX_PARTS]; /* (nullable) */
} Rule;

struct _Grammar
{
  GPtrArray *rules;                     /* (owned) (element-type Rule) */
  GPtrArray *by_result[sizeof letters]; /* (owned) those that give a letter */
};

struct _Tree
{
  const Rule *rule; /* (nullable) a leaf has none */
  const char *leaf;
  gboolean is_constant; /* a leaf that has no column */
  char letter;
  guint n_parts;
  Tree *parts[MAX_PARTS]; /* (owned) */
};

/* The grammar. */

static void
rule_free (gpointer data)
{
  Rule *rule = data;

  g_free (rule->form);
  g_free (rule);
}

static char *
fill_in (const char *form, guint n, char **parts)
{
  GString *out = g_string_new (NULL);

  for (const char *at = form; *at != '\0'; at++)
    if (*at == '$' && at[1] >= '1' && at[1] < '1' + (gint)n)
      g_string_append (out, parts[*++at - '1']);
    else
      g_string_append_c (out, *at);
  return g_string_free (out, FALSE);
}

/* Does the server have a function or operator for these types? */
static gboolean
is_known_form (const Rule *rule, ExpressionTest is_known, gpointer data)
{
  char *nulls[MAX_PARTS];
  guint n = (guint)strlen (rule->args);
  gboolean known;

  for (guint i = 0; i < n; i++)
    nulls[i]
        = rule->choices[i] != NULL
              ? g_strdup (rule->choices[i][0])
              : g_strdup_printf (
                  "NULL::%s",
                  type_name (rule->args[i] == '*' || rule->args[i] == 'T' ? 't' : rule->args[i]));
  g_autofree char *expression = fill_in (rule->form, n, nulls);
  known = is_known (expression, data);
  for (guint i = 0; i < n; i++)
    g_free (nulls[i]);
  return known;
}

static char *
write_form (const Function *function, const char *args, guint as_int)
{
  gboolean is_operator = !g_ascii_isalpha (function->name[0]);
  guint n = (guint)strlen (args);
  g_autoptr (GString) out = g_string_new (is_operator ? "(" : function->name);

  if (!is_operator)
    g_string_append_c (out, '(');
  for (guint i = 0; i < n; i++)
    {
      if (is_operator && i == n - 1)
        g_string_append_printf (out, " %s ", function->name);
      else if (i > 0)
        g_string_append (out, ", ");
      g_string_append_printf (out, as_int >> i & 1 ? "($%u)::int" : "$%u", i + 1);
    }
  g_string_append_c (out, ')');
  if (function->result == 'i')
    g_string_append (out, "::bigint");
  return g_strdup (out->str);
}

static Rule *
rule_new (const Function *function, const char *args, guint as_int)
{
  Rule *rule = g_new0 (Rule, 1);

  rule->form = write_form (function, args, as_int);
  g_strlcpy (rule->args, args, sizeof rule->args);
  rule->result = function->result == '*' ? 'T' : function->result;
  for (guint i = 0; i < G_N_ELEMENTS (choices); i++)
    if (strcmp (choices[i].name, function->name) == 0 && choices[i].part < strlen (args)
        && (choices[i].args == NULL || strcmp (choices[i].args, args) == 0))
      rule->choices[choices[i].part] = choices[i].choices;
  return rule;
}

static gboolean
is_left_out (const Function *function)
{
  for (guint i = 0; i < G_N_ELEMENTS (left_out); i++)
    if (strcmp (left_out[i].name, function->name) == 0)
      return TRUE;

  return (function->flags & FUNCTION_VOLATILE) != 0 || strlen (function->args) >= MAX_PARTS;
}

static guint
find_integers (const char *args)
{
  guint integers = 0;

  for (guint i = 0; args[i] != '\0'; i++)
    integers |= (guint)(args[i] == 'i') << i;
  return integers;
}

/* PostgreSQL may take bigint or only integer for each argument, or have the function for its
 * grammar alone. */
static void
add_function (Grammar *grammar, const Function *function, ExpressionTest is_known, gpointer data)
{
  char args[MAX_PARTS + 1];
  gsize n = strlen (function->args);

  if (is_left_out (function))
    return;
  g_strlcpy (args, function->args, sizeof args);
  if (function->flags & FUNCTION_VARIADIC)
    {
      args[n] = args[n - 1];
      args[n + 1] = '\0';
    }

  for (guint as_int = 0; as_int < 1U << strlen (args); as_int++)
    {
      if ((as_int & ~find_integers (args)) != 0)
        continue;

      Rule *rule = rule_new (function, args, as_int);

      if (is_known_form (rule, is_known, data))
        {
          g_ptr_array_add (grammar->rules, rule);
          return;
        }
      rule_free (rule);
    }
}

static void
add_forms (Grammar *grammar)
{
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      Rule *rule = g_new0 (Rule, 1);

      rule->form = g_strdup (forms[i].form);
      g_strlcpy (rule->args, forms[i].args, sizeof rule->args);
      rule->result = forms[i].result;
      rule->varies = forms[i].varies;
      g_ptr_array_add (grammar->rules, rule);
    }
}

static void
add_casts (Grammar *grammar)
{
  const Function *function;

  for (const char *from = letters; *from != '\0'; from++)
    for (const char *to = letters; *to != '\0'; to++)
      {
        guint source = tally_type_of_letter (*from), target = tally_type_of_letter (*to);

        /* boolean and bigint: bigint stands for all integers. */
        if (source == target || tally_cast_find (source, target, &function) == CAST_NONE
            || (*from == 'b' && *to == 'i') || (*from == 'i' && *to == 'b'))
          continue;

        Rule *rule = g_new0 (Rule, 1);
        rule->form = g_strdup_printf ("($1)::%s", type_name (*to));
        rule->args[0] = *from;
        rule->result = *to;
        /* Reading times, which forgives much, is compared in tests/record/test_oracle.c. */
        if (*from == 't' && strchr ("Dszv", *to) != NULL)
          rule->choices[0] = time_texts;
        g_ptr_array_add (grammar->rules, rule);
      }
}

Grammar *
grammar_new (ExpressionTest is_known, gpointer data)
{
  static const Function *const tables[]
      = { tally_operator_functions, tally_number_functions, tally_plain_text_functions,
          tally_text_functions,     tally_array_functions,  tally_pattern_functions,
          tally_time_functions,     tally_json_functions };
  Grammar *grammar = g_new0 (Grammar, 1);

  grammar->rules = g_ptr_array_new_with_free_func (rule_free);
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const Function *function = tables[i]; function->name != NULL; function++)
      add_function (grammar, function, is_known, data);
  add_forms (grammar);
  add_casts (grammar);

  for (guint i = 0; letters[i] != '\0'; i++)
    {
      grammar->by_result[i] = g_ptr_array_new ();
      for (guint j = 0; j < grammar->rules->len; j++)
        {
          Rule *rule = grammar->rules->pdata[j];

          if (rule->result == letters[i] || rule->result == 'T')
            g_ptr_array_add (grammar->by_result[i], rule);
        }
    }
  return grammar;
}

void
grammar_free (Grammar *grammar)
{
  for (guint i = 0; letters[i] != '\0'; i++)
    g_ptr_array_unref (grammar->by_result[i]);
  g_ptr_array_unref (grammar->rules);
  g_free (grammar);
}

guint
grammar_n_rules (const Grammar *grammar)
{
  return grammar->rules->len;
}

/* Trees. */

static guint
choose (GRand *rand, guint n)
{
  return (guint)g_rand_int_range (rand, 0, (gint32)n);
}

static char
choose_letter (GRand *rand)
{
  return letters[choose (rand, sizeof letters - 1)];
}

static gboolean
has_column (const char *leaf)
{
  static const char *const columns[] = { "t",
                                         "o",
                                         "u",
                                         "w",
                                         "z",
                                         "b",
                                         "i",
                                         "k::bigint",
                                         "d",
                                         "n",
                                         "m",
                                         "dt",
                                         "ts",
                                         "tz",
                                         "v",
                                         "y",
                                         "j",
                                         "string_to_array(t, ',')",
                                         "ARRAY['a', o, NULL]",
                                         NULL };

  return g_strv_contains (columns, leaf);
}

static Tree *
leaf_new (const char *leaf, char letter)
{
  Tree *tree = g_new0 (Tree, 1);

  tree->leaf = leaf;
  tree->is_constant = leaf != NULL && !has_column (leaf);
  tree->letter = letter;
  return tree;
}

static const char *const *
find_leaves (char letter)
{
  for (guint i = 0; i < G_N_ELEMENTS (leaves); i++)
    if (leaves[i].letter == letter)
      return leaves[i].leaves;

  g_assert_not_reached ();
}

static Tree *
choose_of (const char *const *strings, char letter, GRand *rand)
{
  return leaf_new (strings[choose (rand, g_strv_length ((char **)strings))], letter);
}

/* May PostgreSQL find out its value before it looks at a row?  It does so for fewer functions than
 * we do, so that it meets an error later, or never. */
static gboolean
is_constant (const Tree *tree)
{
  guint n_constant = 0;

  if (tree->rule == NULL)
    return tree->is_constant;

  for (guint i = 0; i < tree->n_parts; i++)
    n_constant += is_constant (tree->parts[i]);
  return n_constant == tree->n_parts || (tree->rule->result == 'T' && n_constant > 0);
}

/* Might PostgreSQL see early that it is NULL? */
static gboolean
holds_null (const Tree *tree)
{
  gboolean found = tree->rule == NULL && g_str_has_prefix (tree->leaf, "NULL");

  for (guint i = 0; i < tree->n_parts && !found; i++)
    found = holds_null (tree->parts[i]);
  return found;
}

static void
use_a_column (Tree *tree, guint part)
{
  char letter = tree->parts[part]->letter;

  if (tree->rule->choices[part] != NULL)
    return;
  tree_free (tree->parts[part]);
  tree->parts[part] = leaf_new (find_leaves (letter)[0], letter);
}

static Tree *
grow (const Grammar *grammar, char letter, guint depth, GRand *rand)
{
  const GPtrArray *rules = grammar->by_result[strchr (letters, letter) - letters];
  char same = 'T';
  Tree *tree;

  if (depth == 0 || rules->len == 0 || choose (rand, 100) < LEAF_PERCENT)
    return choose_of (find_leaves (letter), letter, rand);

  tree = leaf_new (NULL, letter);
  tree->rule = rules->pdata[choose (rand, rules->len)];
  same = tree->rule->result == 'T' ? letter : choose_letter (rand);
  tree->n_parts = (guint)strlen (tree->rule->args);
  for (guint i = 0; i < tree->n_parts; i++)
    {
      char wanted = tree->rule->args[i];

      if (wanted == '*' || choose (rand, 100) < WRONG_TYPE_PERCENT)
        wanted = choose_letter (rand);
      tree->parts[i] = tree->rule->choices[i] != NULL
                           ? choose_of (tree->rule->choices[i], wanted, rand)
                           : grow (grammar, wanted == 'T' ? same : wanted, depth - 1, rand);
    }
  for (guint i = 0; i < tree->n_parts && tree->rule->varies; i++)
    if (is_constant (tree->parts[i]) || holds_null (tree->parts[i]))
      use_a_column (tree, i);
  for (guint i = 0; i < tree->n_parts && is_constant (tree); i++)
    use_a_column (tree, i);
  return tree;
}

Tree *
grammar_grow (const Grammar *grammar, GRand *rand)
{
  Tree *tree;

  do
    tree = grow (grammar, choose_letter (rand), 1 + choose (rand, MAX_DEPTH), rand);
  while (tree->rule == NULL && (tree_free (tree), TRUE));
  return tree;
}

void
tree_free (Tree *tree)
{
  for (guint i = 0; i < tree->n_parts; i++)
    tree_free (tree->parts[i]);
  g_free (tree);
}

char *
tree_write (const Tree *tree)
{
  char *parts[MAX_PARTS], *text;

  if (tree->rule == NULL)
    return g_strdup (tree->leaf);

  for (guint i = 0; i < tree->n_parts; i++)
    parts[i] = tree_write (tree->parts[i]);
  text = fill_in (tree->rule->form, tree->n_parts, parts);
  for (guint i = 0; i < tree->n_parts; i++)
    g_free (parts[i]);
  return text;
}

static gboolean
still_holds (const Tree *tree, ExpressionTest holds, gpointer data)
{
  g_autofree char *text = tree_write (tree);

  return holds (text, data);
}

gboolean
tree_is_single (const Tree *tree)
{
  for (guint i = 0; i < tree->n_parts; i++)
    if (tree->parts[i]->rule != NULL)
      return FALSE;

  return TRUE;
}

/* Replaces parts, from the top, by a column of their type. */
static void
simplify (Tree *root, Tree *tree, ExpressionTest holds, gpointer data)
{
  for (guint i = 0; i < tree->n_parts; i++)
    {
      Tree *part = tree->parts[i];

      if (part->rule == NULL)
        continue;
      tree->parts[i] = leaf_new (find_leaves (part->letter)[0], part->letter);
      if (still_holds (root, holds, data))
        {
          tree_free (part);
          continue;
        }
      tree_free (tree->parts[i]);
      tree->parts[i] = part;
      simplify (root, part, holds, data);
    }
}

const Tree *
tree_shrink (Tree *tree, ExpressionTest holds, gpointer data)
{
  for (guint i = 0; i < tree->n_parts; i++)
    if (tree->parts[i]->rule != NULL && still_holds (tree->parts[i], holds, data))
      return tree_shrink (tree->parts[i], holds, data);

  simplify (tree, tree, holds, data);
  return tree;
}
