/* guess-column.c: what all values of a column still can be */
#include "guess-text.h"
#include "guess.h"
#include "record/jsonb.h"
#include <string.h>

/* Beyond so many different values a column is taken to be unique. */
#define MOST_SEEN 2000000
/* Members of an object that are columns. */
#define MOST_MEMBERS 50

static guint64
hash_of (TallyText text)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  for (gsize i = 0; i < text.length; i++)
    hash = (hash ^ (guint8) text.data[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash;
}

/* How an expression names it, and its text. */
static void
name_in_sql (GuessColumn *column, const GuessColumn *parent, const char *name)
{
  g_autoptr (GString) sql = g_string_new (parent != NULL ? "(" : NULL);

  if (parent != NULL)
    {
      g_string_append_printf (sql, "%s ->> ", parent->sql);
      guess_append_literal (sql, name);
      g_string_append_c (sql, ')');
    }
  else
    guess_append_identifier (sql, name);
  column->sql = g_strdup (sql->str);
  column->text = g_strconcat (sql->str, column->type == TALLY_TYPE_TEXT ? NULL : "::text", NULL);
}

GuessColumn *
guess_column_new (const char *name, TallyType type, const GuessColumn *parent)
{
  GuessColumn *column = g_new0 (GuessColumn, 1);

  column->name = parent != NULL ? g_strdup_printf ("%s.%s", parent->name, name) : g_strdup (name);
  column->type = type;
  column->is_member = parent != NULL;
  name_in_sql (column, parent, name);
  column->kinds = GUESS_BIGINT | GUESS_NUMERIC | GUESS_BOOLEAN;
  column->formats = G_MAXUINT64;
  column->seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  column->choices = g_ptr_array_new_with_free_func (g_free);
  column->members = g_ptr_array_new_with_free_func (guess_column_free);
  return column;
}

void
guess_column_free (gpointer data)
{
  GuessColumn *column = data;

  g_free (column->name);
  g_free (column->sql);
  g_free (column->text);
  g_clear_pointer (&column->seen, g_hash_table_destroy);
  g_clear_pointer (&column->choices, g_ptr_array_unref);
  g_ptr_array_unref (column->members);
  g_free (column);
}

/* Numbers as a person writes them; one that begins with 0 is a code, not a number. */
static guint
kinds_of (TallyText text)
{
  gsize i = text.length > 0 && text.data[0] == '-', start = i, point = 0;
  static const char *const booleans[] = { "true", "false", "yes", "no", "t", "f", "y", "n" };

  for (guint j = 0; j < G_N_ELEMENTS (booleans); j++)
    if (strlen (booleans[j]) == text.length && g_ascii_strncasecmp (text.data, booleans[j], text.length) == 0)
      return GUESS_BOOLEAN;
  for (; i < text.length; i++)
    if (text.data[i] == '.' && point == 0 && i > start)
      point = i;
    else if (!g_ascii_isdigit (text.data[i]))
      return 0;
  if (i == start || (point != 0 && point == i - 1) || (text.data[start] == '0' && i - start > 1 && point != start + 1))
    return 0;
  return point == 0 && i - start <= 18 ? GUESS_BIGINT | GUESS_NUMERIC : GUESS_NUMERIC;
}

static gboolean
is_email (TallyText text)
{
  const char *at = memchr (text.data, '@', text.length);
  gsize after = at != NULL ? (gsize) (text.data + text.length - at - 1) : 0;

  return at > text.data && after > 2 && memchr (at + 1, '.', after) != NULL && memchr (at + 1, '@', after) == NULL
         && memchr (text.data, ' ', text.length) == NULL;
}

static void
note_choice (GuessColumn *column, TallyText text)
{
  if (column->choices == NULL)
    return;

  for (guint i = 0; i < column->choices->len; i++)
    if (tally_text_equal (text, g_ptr_array_index (column->choices, i)))
      return;
  if (column->choices->len < GUESS_MAX_CHOICES && text.length <= 60)
    g_ptr_array_add (column->choices, tally_text_dup (text));
  else
    g_clear_pointer (&column->choices, g_ptr_array_unref);
}

static void
note_seen (GuessColumn *column, TallyText text)
{
  guint64 *hash;

  if (column->seen == NULL || g_hash_table_size (column->seen) >= MOST_SEEN)
    return;

  hash = g_new (guint64, 1);
  *hash = hash_of (text);
  if (!g_hash_table_add (column->seen, hash))
    g_clear_pointer (&column->seen, g_hash_table_destroy);
}

static void
note_text (GuessColumn *column, TallyText text)
{
  TallyText bare = text;

  column->longest = MAX (column->longest, text.length);
  note_seen (column, text);
  while (bare.length > 0 && g_ascii_isspace (bare.data[0]))
    bare = (TallyText) { bare.data + 1, bare.length - 1 };
  while (bare.length > 0 && g_ascii_isspace (bare.data[bare.length - 1]))
    bare.length--;
  if (bare.length == 0)
    return;

  column->n_values++;
  column->n_emails += is_email (bare);
  if (column->kinds != 0)
    column->kinds &= kinds_of (bare);
  if (column->formats != 0)
    column->formats &= guess_formats_of (bare.data, bare.length);
  note_choice (column, bare);
}

static GuessColumn *
member_named (GuessColumn *column, const char *name)
{
  for (guint i = 0; i < column->members->len; i++)
    {
      GuessColumn *member = g_ptr_array_index (column->members, i);

      if (g_str_equal (member->name + strlen (column->name) + 1, name))
        return member;
    }
  if (column->members->len == MOST_MEMBERS)
    return NULL;
  g_ptr_array_add (column->members, guess_column_new (name, TALLY_TYPE_TEXT, column));
  return g_ptr_array_index (column->members, column->members->len - 1);
}

/* The scalars in an object are columns, too, by the names of both. */
static void
note_json (GuessColumn *column, TallyText json, TallyBatch *batch)
{
  TallyJsonbIter iter;
  TallyText key, value, text;

  column->n_values++;
  column->n_arrays += tally_jsonb_kind (json) == TALLY_JSONB_ARRAY;
  column->longest = MAX (column->longest, json.length);
  if (tally_jsonb_kind (json) != TALLY_JSONB_OBJECT)
    return;
  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &key, &value))
    {
      g_autofree char *name = NULL;
      GuessColumn *member;

      if (tally_jsonb_kind (value) >= TALLY_JSONB_ARRAY || !tally_jsonb_to_text (key, batch, &text))
        continue;
      name = tally_text_dup (text);
      member = member_named (column, name);
      if (member != NULL && tally_jsonb_to_text (value, batch, &text))
        note_text (member, text);
    }
}

void
guess_column_note (GuessColumn *column, TallyBatch *batch, guint row, guint index)
{
  g_autoptr (GString) text = NULL;

  if (tally_batch_is_null (batch, row, index))
    return;
  if (column->type == TALLY_TYPE_TEXT)
    note_text (column, tally_batch_get_text (batch, row, index));
  else if (column->type == TALLY_TYPE_JSONB)
    note_json (column, tally_batch_get_text (batch, row, index), batch);
  else
    {
      text = g_string_new (NULL);
      tally_batch_append_value (batch, row, index, text);
      note_text (column, (TallyText) { text->str, text->len });
    }
}

/* Numbers, dates and addresses: what a header does not have. */
gboolean
guess_is_value (const char *text)
{
  TallyText value = { text, strlen (text) };

  return (kinds_of (value) & GUESS_NUMERIC) != 0 || guess_formats_of (value.data, value.length) != 0 || is_email (value);
}

/* What a key's name ends in, best first. */
static guint
key_rank (const char *name)
{
  static const char *const words[] = { "id", "key", "number", "no", "nr", "ref", "reference", "code", "uuid" };
  g_autofree char *lower = g_ascii_strdown (name, -1);
  gsize length = strlen (lower);

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (lower, words[i]))
      return i;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      gsize word = strlen (words[i]);

      if (length > word && g_str_has_suffix (lower, words[i]) && !g_ascii_isalpha (lower[length - word - 1]))
        return 100 + i;
    }
  return 1000;
}

const GuessColumn *
guess_key (const GuessFile *file)
{
  const GuessColumn *best = NULL;
  guint best_rank = G_MAXUINT;

  for (guint i = 0; i < file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (file->columns, i);
      guint rank = key_rank (column->name);

      if (column->seen == NULL || column->is_member || column->type == TALLY_TYPE_JSONB || column->n_values < file->n_rows
          || column->n_values == 0 || column->longest > 100 || column->formats != 0)
        continue;
      if (rank < best_rank)
        {
          best = column;
          best_rank = rank;
        }
    }

  return best;
}
