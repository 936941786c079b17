/* guess-draft.c: writes a pipeline for what was found */
#include "guess-text.h"
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
static const char *const role_names[N_ROLES][20] = {
  [ROLE_SUBJECT] = { "subject", "title", "summary", "ticketsubject", "betreff", "headline", "shortdescription", "casetitle" },
  [ROLE_BODY] = { "description", "body", "text", "message", "content", "consumercomplaintnarrative", "details", "comment",
                  "issuedescription", "notes", "beschreibung" },
  [ROLE_PRIORITY] = { "priority", "prio", "severity", "urgency", "ticketpriority" },
  [ROLE_STATUS] = { "status", "state", "ticketstatus", "issuestatus", "casestatus" },
  [ROLE_TYPE] = { "issuetype", "tickettype", "type", "casetype", "tracker" },
  [ROLE_CREATED] = { "created", "createdat", "opened", "openeddate", "opendt", "createddate", "creationdate", "datereceived",
                     "reportedon", "date", "openedat" },
  [ROLE_EMAIL] = { "requesteremail", "customeremail", "reporteremail", "email", "emailaddress", "contactemail", "senderemail",
                   "fromemail", "authoremail", "useremail", "submitteremail", "creatoremail", "sender", "from", "requester", "customer" },
  [ROLE_NAME] = { "requestername", "customername", "reportername", "requester", "reporter", "customer", "contactname", "sendername",
                  "fromname", "authorname", "username", "submittername", "creatorname", "name", "author", "contact" },
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

/* Letters and digits of a name, small; without an object that is there only to have members. */
static char *
bare_name (const char *name)
{
  static const char *const wrappers[] = { "fields.", "attributes.", "properties." };
  GString *bare = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (wrappers); i++)
    if (g_str_has_prefix (name, wrappers[i]))
      name += strlen (wrappers[i]);
  for (; *name != '\0'; name++)
    if (g_ascii_isalnum (*name))
      g_string_append_c (bare, g_ascii_tolower (*name));
  return g_string_free (bare, FALSE);
}

static gboolean
is_date (const GuessColumn *column)
{
  return column->type == TALLY_TYPE_TEXT && column->formats != 0 && column->n_values > 0;
}

/* Whether a column's values fit to what it is to be. */
static gboolean
fits_role (const GuessColumn *column, Role role)
{
  if (column->n_values == 0)
    return FALSE;
  if (column->type == TALLY_TYPE_JSONB)
    return role == ROLE_TAGS && column->n_arrays == column->n_values;
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
  return g_strdup_printf ("nullif(trim(%s), '')", column->text);
}

/* A column of texts as the type that all of them have; NULL if that is text. */
static char *
typed (const GuessColumn *column)
{
  g_autofree char *text = text_of (column);

  if (column->n_values == 0 || column->type != TALLY_TYPE_TEXT || column->is_member)
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
  if (column->type != TALLY_TYPE_TEXT)
    return tally_type_name (column->type);
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
append_records (Draft *draft)
{
  const GuessFile *file = draft->file;
  g_autofree char *name = g_path_get_basename (file->path);

  g_string_append (draft->out, "# Drafted by \"tallyman guess\" from ");
  guess_append_comment (draft->out, name);
  g_string_append_printf (draft->out, ": %" G_GUINT64_FORMAT " %s%s%s.\n", file->n_records, file->mail != NULL ? "mail" : "record",
                          file->n_records == 1 ? "" : "s", file->is_whole ? "" : " were looked at, there are more");
  if (file->n_rejects > 0)
    {
      g_string_append_printf (draft->out, "# %" G_GUINT64_FORMAT " of them cannot be read and would be set aside, first:\n#   ",
                              file->n_rejects);
      guess_append_comment (draft->out, file->reject);
      g_string_append_c (draft->out, '\n');
    }
  g_string_append (draft->out, "#\n");
}

static void
append_columns (Draft *draft)
{
  const GuessFile *file = draft->file;

  for (guint i = 0; i < file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (file->columns, i);

      g_string_append (draft->out, "#   ");
      guess_append_comment (draft->out, column->name);
      g_string_append_printf (draft->out, ": %s, up to %" G_GSIZE_FORMAT " bytes", type_name (column), column->longest);
      if (column->n_values < file->n_rows)
        g_string_append_printf (draft->out, ", empty %" G_GUINT64_FORMAT " times", file->n_rows - column->n_values);
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

static void
append_dialect (Draft *draft)
{
  const GuessDialect *dialect = &draft->file->dialect;

  if (dialect->delimiter != NULL)
    guess_append_entry (draft->out, 4, "delimiter", dialect->delimiter);
  if (dialect->escape != NULL)
    guess_append_entry (draft->out, 4, "escape", dialect->escape);
  if (dialect->encoding != NULL)
    guess_append_entry (draft->out, 4, "encoding", dialect->encoding);
  if (dialect->skip > 0)
    g_string_append_printf (draft->out, "    skip: %" G_GINT64_FORMAT "\n", dialect->skip);
  if (!dialect->has_header)
    g_string_append (draft->out, "    header: false\n");
}

static void
append_source (Draft *draft)
{
  g_autofree char *name = pipeline_name (draft->file), *path = guess_escape_reference (draft->file->path);

  g_string_append_printf (draft->out, "pipeline: %s\norigin: %s%s\n\nsource:\n  %s:\n", name, name,
                          "  # whose ids the keys are; better name the old system", draft->file->source);
  if (draft->file->mail != NULL)
    guess_append_mail_source (draft->file, draft->out);
  else
    guess_append_entry (draft->out, 4, "path", path);
  if (g_str_equal (draft->file->source, "csv"))
    append_dialect (draft);
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
  GString *text = g_string_new (NULL);

  while (last->word != NULL)
    last++;
  g_string_append_printf (text, "CASE trim(%s)", column->text);
  for (guint i = 0; i < column->choices->len; i++)
    {
      g_string_append (text, "\nWHEN ");
      guess_append_literal (text, g_ptr_array_index (column->choices, i));
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
  GPtrArray *columns = draft->file->columns;

  for (guint i = 0, n = 0; i < columns->len && n < MOST_LISTED; i++)
    {
      const GuessColumn *column = g_ptr_array_index (columns, i);
      const GuessColumn *next = i + 1 < columns->len ? g_ptr_array_index (columns, i + 1) : NULL;
      g_autofree char *label = g_strconcat (n > 0 ? "\n" : "", column->name, ": ", NULL);

      /* Its members say it. */
      if (!column->is_member && next != NULL && next->is_member)
        continue;
      if (n++ > 0)
        g_string_append (text, "\n|| ");
      guess_append_literal (text, label);
      g_string_append_printf (text, " || coalesce(%s, '')", column->text);
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
    g_string_append_printf (text, "\n|| coalesce(E'\\n\\nCreated ' || %s, '')", created->text);
  return g_string_free (text, FALSE);
}

/* Only where the address is one: Zendesk refuses others, and would refuse the ticket with them. */
static void
append_requester (Draft *draft)
{
  const GuessColumn *email = draft->roles[ROLE_EMAIL], *name = draft->roles[ROLE_NAME];

  if (email == NULL)
    return;

  g_autofree char *begin = g_strdup_printf ("CASE WHEN trim(%s) LIKE '%%_@_%%._%%'\nTHEN ", email->text);
  g_autofree char *address = text_of (email), *called = name != NULL ? text_of (name) : NULL;
  g_autofree char *mail = g_strdup_printf ("%slower(%s) END", begin, address);
  g_autofree char *person = called != NULL ? g_strdup_printf ("%scoalesce(%s, split_part(%s, '@', 1)) END", begin, called, address)
                                           : g_strdup_printf ("%ssplit_part(%s, '@', 1) END", begin, address);
  guess_append_expression (draft->out, "requester.email", mail);
  guess_append_expression (draft->out, "requester.name", person);
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

  guess_append_expression (draft->out, "subject", subject);
  guess_append_expression (draft->out, "comment.body", body);
  for (guint i = 0; i < G_N_ELEMENTS (mapped); i++)
    if (draft->roles[mapped[i].role] != NULL)
      {
        g_autofree char *expression = case_of (draft->roles[mapped[i].role], mapped[i].translations);

        guess_append_expression (draft->out, mapped[i].column, expression);
      }
  if (draft->roles[ROLE_TAGS] != NULL)
    {
      const GuessColumn *tags = draft->roles[ROLE_TAGS];
      g_autofree char *words = g_strdup_printf ("translate(lower(%s), ':;|/', '    ')", tags->text);

      guess_append_expression (draft->out, "tags", tags->n_arrays > 0 ? tags->sql : words);
    }
  append_requester (draft);
}

/* An expression that tells one record from another: the key, or else a sum of all columns. */
static char *
key_expression (const Draft *draft)
{
  GString *text;

  if (draft->key != NULL)
    return g_strdup (draft->key->sql);

  text = g_string_new ("md5(concat_ws('|'");
  for (guint i = 0; i < draft->file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (draft->file->columns, i);

      if (!column->is_member)
        g_string_append_printf (text, ", %s", column->sql);
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
  guess_append_expression (out, KEY_COLUMN, key);
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

/* Types for the columns that have one. */
static void
append_types (Draft *draft)
{
  gboolean is_first = TRUE;

  for (guint i = 0; draft->file->mail == NULL && i < draft->file->columns->len; i++)
    {
      const GuessColumn *column = g_ptr_array_index (draft->file->columns, i);
      g_autofree char *expression = typed (column);

      if (expression == NULL)
        continue;
      if (is_first)
        g_string_append (draft->out, "\ntransform:\n  - set:\n");
      is_first = FALSE;
      guess_append_expression (draft->out, column->name, expression);
    }
}

/* A file beside the first. */
static void
append_file_sink (Draft *draft, const char *sink, const char *extension)
{
  g_autofree char *name = pipeline_name (draft->file), *path = g_strconcat (name, ".out", extension, NULL);

  append_types (draft);
  g_string_append_printf (draft->out, "\nsink:\n  %s:\n", sink);
  guess_append_entry (draft->out, 4, "path", path);
}

/* A table that is as the file is, however often it is loaded. */
static void
append_table_sink (Draft *draft)
{
  g_autofree char *table = g_strdelimit (pipeline_name (draft->file), "-", '_');

  append_types (draft);
  g_string_append_printf (draft->out, "\nsink:\n  postgresql:\n    connection: ${DATABASE}\n    table: %s\n"
                                      "    create: true\n    mode: replace\n", table);
}

static void
append_sink (Draft *draft, GuessSink sink)
{
  switch (sink)
    {
    case GUESS_SINK_ZENDESK:
      if (draft->file->mail != NULL)
        guess_append_mail_tickets (draft->out);
      else
        append_zendesk (draft);
      break;
    case GUESS_SINK_CSV:
      append_file_sink (draft, "csv", ".csv");
      break;
    case GUESS_SINK_JSON:
      append_file_sink (draft, "json", ".ndjson");
      break;
    case GUESS_SINK_POSTGRESQL:
      append_table_sink (draft);
      break;
    }
}

/* What the columns are taken for. */
static void
find_roles (Draft *draft)
{
  draft->key = guess_key (draft->file);
  for (Role role = 0; role < N_ROLES; role++)
    draft->roles[role] = find_role (draft->file, role);
  if (draft->roles[ROLE_SUBJECT] == NULL)
    draft->roles[ROLE_SUBJECT] = find_text (draft, 255, draft->roles[ROLE_BODY]);
}

char *
guess_draft (const GuessFile *file, GuessSink sink)
{
  Draft draft = { .file = file, .out = g_string_new (NULL) };
  guint64 share;

  if (file->mail == NULL)
    find_roles (&draft);
  append_records (&draft);
  if (file->mail != NULL)
    guess_append_mail_facts (file, draft.out);
  else
    append_columns (&draft);
  append_source (&draft);
  append_sink (&draft, sink);

  /* Twice the share that cannot be read: what is wrong beyond that is wrong with the pipeline. */
  share = file->n_records > 0 ? (file->n_rejects * 200 + file->n_records - 1) / file->n_records : 0;
  g_string_append_printf (draft.out, "\nerrors:\n  limit: %" G_GUINT64_FORMAT "%%\n", CLAMP (share, 1, 100));
  return g_string_free (draft.out, FALSE);
}
