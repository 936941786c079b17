/* guess-draft.c: writes a pipeline for what was found
 *
 * Nothing of the file can leave its place: names and values are quoted for SQL, then for YAML.
 */
#include "guess.h"
#include <string.h>

/* Columns that are listed in a ticket's text where the file has none of its own. */
#define MOST_LISTED 30
/* A comment of Zendesk's takes 65535 bytes; some room for what is added. */
#define LONG_BODY 60000

typedef enum
{
  ROLE_SUBJECT,
  ROLE_BODY,
  ROLE_PRIORITY,
  ROLE_STATUS,
  ROLE_TYPE,
  ROLE_CREATED,
  ROLE_EMAIL,
  ROLE_NAME,
  ROLE_TAGS,
  N_ROLES,
} Role;

/* Names that people give to such columns, likeliest first; letters and digits only. */
static const char *const role_names[N_ROLES][12] = {
  [ROLE_SUBJECT] = { "subject", "title", "summary", "ticketsubject", "betreff", "headline", "shortdescription", "casetitle" },
  [ROLE_BODY] = { "description", "body", "text", "message", "content", "consumercomplaintnarrative", "details", "comment",
                  "issuedescription", "notes", "beschreibung" },
  [ROLE_PRIORITY] = { "priority", "prio", "severity", "urgency", "ticketpriority" },
  [ROLE_STATUS] = { "status", "state", "ticketstatus", "issuestatus", "casestatus" },
  [ROLE_TYPE] = { "issuetype", "tickettype", "type", "casetype", "tracker" },
  [ROLE_CREATED] = { "created", "createdat", "opened", "openeddate", "opendt", "createddate", "creationdate", "datereceived",
                     "reportedon", "date", "openedat" },
  [ROLE_EMAIL] = { "requesteremail", "customeremail", "reporteremail", "email", "emailaddress", "contactemail", "sender",
                   "from", "requester", "customer" },
  [ROLE_NAME] = { "requestername", "customername", "reportername", "requester", "reporter", "customer", "contactname", "name",
                  "author", "contact" },
  [ROLE_TAGS] = { "tags", "labels", "keywords", "label" },
};

/* A source's word for something, and Zendesk's. */
typedef struct
{
  const char *word;
  const char *ours;
} Translation;

static const Translation priorities[] = {
  { "blocker", "urgent" }, { "urgent", "urgent" }, { "highest", "urgent" }, { "emergency", "urgent" }, { "p0", "urgent" },
  { "critical", "high" },  { "high", "high" },     { "p1", "high" },        { "major", "normal" },     { "medium", "normal" },
  { "normal", "normal" },  { "p2", "normal" },     { "minor", "low" },      { "low", "low" },          { "lowest", "low" },
  { "trivial", "low" },    { "p3", "low" },        { NULL, "normal" },
};

static const Translation statuses[] = {
  { "resolved", "solved" }, { "closed", "solved" }, { "done", "solved" },     { "fixed", "solved" },   { "solved", "solved" },
  { "complete", "solved" }, { "cancel", "solved" }, { "pending", "pending" }, { "waiting", "pending" },
  { "hold", "hold" },       { NULL, "open" },
};

static const Translation types[] = {
  { "bug", "problem" }, { "defect", "problem" }, { "problem", "problem" }, { "incident", "incident" }, { "task", "task" },
  { NULL, "question" },
};

typedef struct
{
  const GuessFile *file;
  const GuessColumn *key;            /* (nullable) */
  const GuessColumn *roles[N_ROLES]; /* (nullable) each */
  GString *out;
} Draft;

/* As a column is named in an expression. */
static void
append_identifier (GString *out, const char *name)
{
  g_string_append_c (out, '"');
  for (; *name != '\0'; name++)
    {
      if (*name == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *name);
    }
  g_string_append_c (out, '"');
}

static gboolean
is_breaking (gunichar character)
{
  return g_unichar_iscntrl (character) || character == 0x2028 || character == 0x2029 || character == 0xfeff;
}

static gboolean
has_breaking (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (is_breaking (g_utf8_get_char (text)))
      return TRUE;

  return FALSE;
}

/* A text in an expression; on one line, whatever is in it. */
static void
append_literal (GString *out, const char *text)
{
  gboolean escapes = has_breaking (text);

  g_string_append (out, escapes ? "E'" : "'");
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar character = g_utf8_get_char (text);

      if (character == '\'' || (escapes && character == '\\'))
        g_string_append_c (out, (char) character);
      if (character == '\n')
        g_string_append (out, "\\n");
      else if (is_breaking (character))
        g_string_append_printf (out, "\\u%04x", character);
      else
        g_string_append_unichar (out, character);
    }
  g_string_append_c (out, '\'');
}

/* Words that YAML, or an older one, takes for something else than text. */
static gboolean
is_plain (const char *text)
{
  static const char *const taken[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n", NULL };
  g_autofree char *lower = g_ascii_strdown (text, -1);

  if (!g_ascii_isalpha (*text) || g_strv_contains (taken, lower))
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && *text != '_' && *text != '.' && *text != '-')
      return FALSE;
  return TRUE;
}

/* A scalar that means its text, whatever is in it. */
static void
append_yaml (GString *out, const char *text)
{
  if (is_plain (text))
    {
      g_string_append (out, text);
      return;
    }

  g_string_append_c (out, '"');
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar character = g_utf8_get_char (text);

      if (character == '"' || character == '\\')
        g_string_append_printf (out, "\\%c", (char) character);
      else if (is_breaking (character))
        g_string_append_printf (out, "\\u%04x", character);
      else
        g_string_append_unichar (out, character);
    }
  g_string_append_c (out, '"');
}

/* In a comment a name is on its line, and ${} is no reference. */
static void
append_comment (GString *out, const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar character = g_utf8_get_char (text);

      g_string_append_unichar (out, is_breaking (character) ? ' ' : character);
    }
}

/* `name: value` at an indent. */
static void
append_entry (GString *out, guint indent, const char *name, const char *value)
{
  g_string_append_printf (out, "%*s", (int) indent, "");
  append_yaml (out, name);
  g_string_append (out, ": ");
  append_yaml (out, value);
  g_string_append_c (out, '\n');
}

/* A column and its expression, as a block that needs no quoting: expressions have no line breaks in their texts, and
 * those between their parts fold to blanks. */
static void
append_expression (GString *out, const char *column, const char *expression)
{
  g_auto (GStrv) lines = g_strsplit (expression, "\n", -1);

  g_string_append (out, "      ");
  append_yaml (out, column);
  g_string_append (out, ": >-\n");
  for (char **line = lines; *line != NULL; line++)
    g_string_append_printf (out, "        %s\n", *line);
}

/* Letters and digits of a name, small. */
static char *
bare_name (const char *name)
{
  GString *bare = g_string_new (NULL);

  for (; *name != '\0'; name++)
    if (g_ascii_isalnum (*name))
      g_string_append_c (bare, g_ascii_tolower (*name));
  return g_string_free (bare, FALSE);
}

static gboolean
is_date (const GuessColumn *column)
{
  return column->formats != 0 && column->n_values > 0;
}

/* Whether a column's values fit to what it is to be. */
static gboolean
fits_role (const GuessColumn *column, Role role)
{
  if (column->n_values == 0)
    return FALSE;
  switch (role)
    {
    case ROLE_CREATED:
      return is_date (column);
    case ROLE_EMAIL:
      return column->n_emails * 10 >= column->n_values * 9;
    case ROLE_PRIORITY:
    case ROLE_STATUS:
    case ROLE_TYPE:
      return column->choices != NULL;
    default:
      return !is_date (column) && column->n_emails * 10 < column->n_values * 9;
    }
}

static const GuessColumn *
find_role (const GuessFile *file, Role role)
{
  for (guint i = 0; i < G_N_ELEMENTS (role_names[role]) && role_names[role][i] != NULL; i++)
    for (guint j = 0; j < file->columns->len; j++)
      {
        const GuessColumn *column = g_ptr_array_index (file->columns, j);
        g_autofree char *name = bare_name (column->name);

        if (g_str_equal (name, role_names[role][i]) && fits_role (column, role))
          return column;
      }

  return NULL;
}

/* The column with the longest text that fits in a line, or, of any length, the longest. */
static const GuessColumn *
find_text (const Draft *draft, gsize most, const GuessColumn *other_than)
{
  const GuessColumn *best = NULL;

  for (guint i = 0; i < draft->file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (draft->file->columns, i);

      if (column != draft->key && column != other_than && fits_role (column, ROLE_SUBJECT) && column->kinds == 0
          && column->choices == NULL && column->longest <= most && (best == NULL || column->longest > best->longest))
        best = column;
    }

  return best;
}

/* The column's text without blanks around it, NULL if nothing is left. */
static char *
text_of (const GuessColumn *column)
{
  GString *text = g_string_new ("nullif(trim(");

  append_identifier (text, column->name);
  g_string_append (text, "), '')");
  return g_string_free (text, FALSE);
}

/* The column as the type that all of its values have; NULL if that is text. */
static char *
typed (const GuessColumn *column)
{
  g_autofree char *text = text_of (column);

  if (column->n_values == 0)
    return NULL;
  if (column->kinds & GUESS_BIGINT)
    return g_strconcat (text, "::bigint", NULL);
  if (column->kinds & GUESS_NUMERIC)
    return g_strconcat (text, "::numeric", NULL);
  if (column->kinds & GUESS_BOOLEAN)
    return g_strconcat (text, "::boolean", NULL);
  if (!is_date (column))
    return NULL;

  const GuessFormat *format = guess_format (column->formats);
  if (format->cast != NULL)
    return g_strconcat (text, "::", format->cast, NULL);
  return g_strdup_printf ("to_timestamp(%s, '%s')", text, format->pattern);
}

static const char *
type_name (const GuessColumn *column)
{
  if (column->n_values == 0)
    return "nothing";
  if (column->kinds & GUESS_BIGINT)
    return "bigint";
  if (column->kinds & GUESS_NUMERIC)
    return "numeric";
  if (column->kinds & GUESS_BOOLEAN)
    return "boolean";
  if (is_date (column))
    return guess_format (column->formats)->cast != NULL ? guess_format (column->formats)->cast
                                                        : guess_format (column->formats)->pattern;
  return column->n_emails == column->n_values ? "e-mail" : "text";
}

static void
append_facts (Draft *draft)
{
  const GuessFile *file = draft->file;
  g_autofree char *name = g_path_get_basename (file->path);

  g_string_append (draft->out, "# Drafted by \"tallyman guess\" from ");
  append_comment (draft->out, name);
  g_string_append_printf (draft->out, ": %" G_GUINT64_FORMAT " records%s.\n", file->n_records,
                          file->is_whole ? "" : " were looked at, there are more");
  if (file->n_rejects > 0)
    {
      g_string_append_printf (draft->out, "# %" G_GUINT64_FORMAT " of them cannot be read and would be set aside, first:\n#   ",
                              file->n_rejects);
      append_comment (draft->out, file->reject);
      g_string_append_c (draft->out, '\n');
    }
  g_string_append (draft->out, "#\n");
  for (guint i = 0; i < file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (file->columns, i);

      g_string_append (draft->out, "#   ");
      append_comment (draft->out, column->name);
      g_string_append_printf (draft->out, ": %s, up to %" G_GSIZE_FORMAT " bytes", type_name (column), column->longest);
      if (column->n_nulls + column->n_blank > 0)
        g_string_append_printf (draft->out, ", empty %" G_GUINT64_FORMAT " times", column->n_nulls + column->n_blank);
      if (column == draft->key)
        g_string_append (draft->out, ", differs in each record");
      if (is_date (column) && guess_is_ambiguous (column->formats))
        g_string_append (draft->out, "; day and month may be the other way round");
      g_string_append_c (draft->out, '\n');
    }
}

/* A name for pipeline and origin out of the file's. */
static char *
pipeline_name (const GuessFile *file)
{
  g_autofree char *base = g_path_get_basename (file->path);
  GString *name = g_string_new (NULL);

  for (const char *at = base; *at != '\0' && *at != '.'; at++)
    if (g_ascii_isalnum (*at))
      g_string_append_c (name, g_ascii_tolower (*at));
    else if (name->len > 0 && name->str[name->len - 1] != '-')
      g_string_append_c (name, '-');
  while (name->len > 0 && name->str[name->len - 1] == '-')
    g_string_truncate (name, name->len - 1);
  if (name->len == 0 || g_ascii_isdigit (name->str[0]))
    g_string_prepend (name, "import-");
  g_string_truncate (name, MIN (name->len, 60));
  return g_string_free (name, FALSE);
}

/* A dollar sign in a path is no reference. */
static char *
escape_reference (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "$", -1);

  return g_strjoinv ("$$", parts);
}

static void
append_source (Draft *draft)
{
  const GuessDialect *dialect = &draft->file->dialect;
  g_autofree char *name = pipeline_name (draft->file), *path = escape_reference (draft->file->path);

  g_string_append_printf (draft->out, "pipeline: %s\norigin: %s%s\n\nsource:\n  csv:\n", name, name,
                          "  # whose ids the keys are; better name the old system");
  append_entry (draft->out, 4, "path", path);
  if (dialect->delimiter != NULL)
    append_entry (draft->out, 4, "delimiter", dialect->delimiter);
  if (dialect->escape != NULL)
    append_entry (draft->out, 4, "escape", dialect->escape);
  if (dialect->encoding != NULL)
    append_entry (draft->out, 4, "encoding", dialect->encoding);
  if (dialect->skip > 0)
    g_string_append_printf (draft->out, "    skip: %" G_GINT64_FORMAT "\n", dialect->skip);
  if (!dialect->has_header)
    g_string_append (draft->out, "    header: false\n");
}

/* What a value means: the first word that is in it. */
static const char *
translate (const Translation *translations, const char *value)
{
  g_autofree char *lower = g_utf8_strdown (value, -1);

  while (translations->word != NULL && strstr (lower, translations->word) == NULL)
    translations++;
  return translations->ours;
}

static char *
case_of (const GuessColumn *column, const Translation *translations)
{
  const Translation *last = translations;
  GString *text = g_string_new ("CASE trim(");

  while (last->word != NULL)
    last++;
  append_identifier (text, column->name);
  g_string_append_c (text, ')');
  for (guint i = 0; i < column->choices->len; i++)
    {
      g_string_append (text, "\nWHEN ");
      append_literal (text, g_ptr_array_index (column->choices, i));
      g_string_append_printf (text, " THEN '%s'", translate (translations, g_ptr_array_index (column->choices, i)));
    }
  g_string_append_printf (text, "\nELSE '%s' END", last->ours);
  return g_string_free (text, FALSE);
}

/* All that the record says, a line for each column, where no column is the ticket's text. */
static char *
listing_of (const Draft *draft)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (draft->file->columns->len, MOST_LISTED); i++)
    {
      const GuessColumn *column = g_ptr_array_index (draft->file->columns, i);
      g_autofree char *label = g_strconcat (i > 0 ? "\n" : "", column->name, ": ", NULL);

      if (i > 0)
        g_string_append (text, "\n|| ");
      append_literal (text, label);
      g_string_append (text, " || coalesce(");
      append_identifier (text, column->name);
      g_string_append (text, ", '')");
    }
  return g_string_free (text, FALSE);
}

static char *
body_of (const Draft *draft)
{
  const GuessColumn *body = draft->roles[ROLE_BODY], *created = draft->roles[ROLE_CREATED];
  GString *text = g_string_new (NULL);

  if (body == NULL)
    return listing_of (draft);

  g_autofree char *own = text_of (body);
  g_string_append_printf (text, "coalesce(%s, '(no description)')", own);
  if (created != NULL)
    {
      g_string_append (text, "\n|| coalesce(E'\\n\\nCreated ' || ");
      append_identifier (text, created->name);
      g_string_append (text, ", '')");
    }
  return g_string_free (text, FALSE);
}

/* Only where the address is one: Zendesk refuses others, and would refuse the ticket with them. */
static void
append_requester (Draft *draft)
{
  const GuessColumn *email = draft->roles[ROLE_EMAIL], *name = draft->roles[ROLE_NAME];
  GString *test = g_string_new (NULL);

  if (email == NULL)
    {
      g_string_free (test, TRUE);
      return;
    }

  g_string_append (test, "CASE WHEN trim(");
  append_identifier (test, email->name);
  g_string_append (test, ") LIKE '%_@_%._%'\nTHEN ");
  g_autofree char *begin = g_string_free (test, FALSE);
  g_autofree char *address = text_of (email), *called = name != NULL ? text_of (name) : NULL;
  g_autofree char *mail = g_strdup_printf ("%slower(%s) END", begin, address);
  g_autofree char *person = called != NULL ? g_strdup_printf ("%scoalesce(%s, split_part(%s, '@', 1)) END", begin, called, address)
                                           : g_strdup_printf ("%ssplit_part(%s, '@', 1) END", begin, address);
  append_expression (draft->out, "requester.email", mail);
  append_expression (draft->out, "requester.name", person);
}

static void
append_zendesk_columns (Draft *draft)
{
  static const struct
  {
    Role role;
    const char *column;
    const Translation *translations;
  } mapped[] = { { ROLE_PRIORITY, "priority", priorities }, { ROLE_STATUS, "status", statuses }, { ROLE_TYPE, "type", types } };
  g_autofree char *body = body_of (draft);
  g_autofree char *subject_text = draft->roles[ROLE_SUBJECT] != NULL ? text_of (draft->roles[ROLE_SUBJECT]) : NULL;
  g_autofree char *subject = subject_text != NULL ? g_strdup_printf ("coalesce(%s, '(no subject)')", subject_text)
                                                  : g_strdup ("'(no subject)'");

  append_expression (draft->out, "subject", subject);
  append_expression (draft->out, "comment.body", body);
  for (guint i = 0; i < G_N_ELEMENTS (mapped); i++)
    if (draft->roles[mapped[i].role] != NULL)
      {
        g_autofree char *expression = case_of (draft->roles[mapped[i].role], mapped[i].translations);

        append_expression (draft->out, mapped[i].column, expression);
      }
  if (draft->roles[ROLE_TAGS] != NULL)
    {
      GString *tags = g_string_new ("translate(lower(");

      append_identifier (tags, draft->roles[ROLE_TAGS]->name);
      g_string_append (tags, "), ':;|/', '    ')");
      append_expression (draft->out, "tags", tags->str);
      g_string_free (tags, TRUE);
    }
  append_requester (draft);
}

/* An expression that tells one record from another: the key, or else a sum of all columns. */
static char *
key_expression (const Draft *draft)
{
  GString *text = g_string_new (NULL);

  if (draft->key != NULL)
    {
      append_identifier (text, draft->key->name);
      return g_string_free (text, FALSE);
    }

  g_string_append (text, "md5(concat_ws('|'");
  for (guint i = 0; i < draft->file->columns->len; i++)
    {
      g_string_append (text, ", ");
      append_identifier (text, ((GuessColumn *) g_ptr_array_index (draft->file->columns, i))->name);
    }
  g_string_append (text, "))");
  return g_string_free (text, FALSE);
}

/* The key is worked out of the source's columns, before one of them becomes a ticket's. */
#define KEY_COLUMN "source_key"

static void
append_zendesk (Draft *draft)
{
  static const char *const optional[] = { [ROLE_PRIORITY] = "priority", [ROLE_STATUS] = "status", [ROLE_TYPE] = "type",
                                          [ROLE_EMAIL] = "requester.email, requester.name", [ROLE_TAGS] = "tags" };
  g_autofree char *key = key_expression (draft);
  GString *out = draft->out;

  g_string_append (out, "\ntransform:\n  - set:\n");
  append_expression (out, KEY_COLUMN, key);
  append_zendesk_columns (draft);
  g_string_append (out, "  # Only these go on; the others are left behind.\n  - keep: [" KEY_COLUMN ", subject, comment.body");
  for (Role role = 0; role < G_N_ELEMENTS (optional); role++)
    if (optional[role] != NULL && draft->roles[role] != NULL)
      g_string_append_printf (out, ", %s", optional[role]);
  g_string_append (out, "]\n\nsink:\n  zendesk-tickets:\n    url: ${ZENDESK_URL}\n    access_token: ${ZENDESK_TOKEN}\n"
                        "    key: " KEY_COLUMN "\n    ignore: [" KEY_COLUMN "]\n");
  if (draft->key == NULL)
    g_string_append (out, "    # No column differs in each record: records that are equal in all columns are one.\n");
  if (draft->roles[ROLE_BODY] == NULL || draft->roles[ROLE_BODY]->longest > LONG_BODY)
    g_string_append (out, "    long-body: split\n");
}

/* Types for the columns that have one, and a file beside the first. */
static void
append_file_sink (Draft *draft, GuessSink sink)
{
  g_autofree char *name = pipeline_name (draft->file), *path = NULL;
  gboolean is_first = TRUE;

  for (guint i = 0; i < draft->file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (draft->file->columns, i);
      g_autofree char *expression = typed (column);

      if (expression == NULL)
        continue;
      if (is_first)
        g_string_append (draft->out, "\ntransform:\n  - set:\n");
      is_first = FALSE;
      append_expression (draft->out, column->name, expression);
    }
  path = g_strconcat (name, sink == GUESS_SINK_CSV ? ".out.csv" : ".out.ndjson", NULL);
  g_string_append_printf (draft->out, "\nsink:\n  %s:\n", sink == GUESS_SINK_CSV ? "csv" : "json");
  append_entry (draft->out, 4, "path", path);
}

char *
guess_draft (const GuessFile *file, GuessSink sink)
{
  Draft draft = { .file = file, .key = guess_key (file), .out = g_string_new (NULL) };

  for (Role role = 0; role < N_ROLES; role++)
    draft.roles[role] = find_role (file, role);
  if (draft.roles[ROLE_SUBJECT] == NULL)
    draft.roles[ROLE_SUBJECT] = find_text (&draft, 255, draft.roles[ROLE_BODY]);

  append_facts (&draft);
  append_source (&draft);
  if (sink == GUESS_SINK_ZENDESK)
    append_zendesk (&draft);
  else
    append_file_sink (&draft, sink);

  /* Twice the share that cannot be read: what is wrong beyond that is wrong with the pipeline. */
  guint64 share = file->n_records > 0 ? (file->n_rejects * 200 + file->n_records - 1) / file->n_records : 0;
  g_string_append_printf (draft.out, "\nerrors:\n  limit: %" G_GUINT64_FORMAT "%%\n", CLAMP (share, 1, 100));
  return g_string_free (draft.out, FALSE);
}
