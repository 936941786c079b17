/* search-query.c: what a search asks for, and whether a record is that */
#include "search-query.h"

#include <string.h>

#define MAX_TERMS 64
#define DAY (24 * 3600)

typedef enum
{
  HOLDS_EXACT,  /* the text as a whole */
  HOLDS_WORDS,  /* a text that has the words in it */
  HOLDS_LIST,   /* a list of texts that has it */
  HOLDS_CHOICE, /* one of a list that is ordered */
  HOLDS_TIME,
  HOLDS_PERSON, /* an id; the value may be an id, an address or "me" */
  HOLDS_GROUP,  /* an id; the value may be an id or a name */
  HOLDS_ORGANIZATION,
  HOLDS_NUMBER,
} Holds;

static const struct
{
  EmuFound found;
  const char *property, *member;
  Holds holds;
  const char *const *choices;
} properties[] = {
  { EMU_FOUND_TICKET, "status", "status", HOLDS_CHOICE, emu_statuses },
  { EMU_FOUND_TICKET, "priority", "priority", HOLDS_CHOICE, emu_priorities },
  { EMU_FOUND_TICKET, "ticket_type", "type", HOLDS_CHOICE, emu_types },
  { EMU_FOUND_TICKET, "external_id", "external_id", HOLDS_EXACT },
  { EMU_FOUND_TICKET, "created", "created_at", HOLDS_TIME },
  { EMU_FOUND_TICKET, "updated", "updated_at", HOLDS_TIME },
  { EMU_FOUND_TICKET, "due_date", "due_at", HOLDS_TIME },
  { EMU_FOUND_TICKET, "subject", "subject", HOLDS_WORDS },
  { EMU_FOUND_TICKET, "description", "description", HOLDS_WORDS },
  { EMU_FOUND_TICKET, "tags", "tags", HOLDS_LIST },
  { EMU_FOUND_TICKET, "requester", "requester_id", HOLDS_PERSON },
  { EMU_FOUND_TICKET, "submitter", "submitter_id", HOLDS_PERSON },
  { EMU_FOUND_TICKET, "assignee", "assignee_id", HOLDS_PERSON },
  { EMU_FOUND_TICKET, "group", "group_id", HOLDS_GROUP },
  { EMU_FOUND_TICKET, "organization", "organization_id", HOLDS_ORGANIZATION },
  { EMU_FOUND_TICKET, "brand", "brand_id", HOLDS_NUMBER },
  { EMU_FOUND_TICKET, "form", "ticket_form_id", HOLDS_NUMBER },
  { EMU_FOUND_USER, "name", "name", HOLDS_WORDS },
  { EMU_FOUND_USER, "email", "email", HOLDS_EXACT },
  { EMU_FOUND_USER, "external_id", "external_id", HOLDS_EXACT },
  { EMU_FOUND_USER, "role", "role", HOLDS_EXACT },
  { EMU_FOUND_USER, "phone", "phone", HOLDS_EXACT },
  { EMU_FOUND_USER, "notes", "notes", HOLDS_WORDS },
  { EMU_FOUND_USER, "details", "details", HOLDS_WORDS },
  { EMU_FOUND_USER, "tags", "tags", HOLDS_LIST },
  { EMU_FOUND_USER, "created", "created_at", HOLDS_TIME },
  { EMU_FOUND_USER, "updated", "updated_at", HOLDS_TIME },
  { EMU_FOUND_USER, "organization", "organization_id", HOLDS_ORGANIZATION },
  { EMU_FOUND_ORGANIZATION, "name", "name", HOLDS_WORDS },
  { EMU_FOUND_ORGANIZATION, "external_id", "external_id", HOLDS_EXACT },
  { EMU_FOUND_ORGANIZATION, "notes", "notes", HOLDS_WORDS },
  { EMU_FOUND_ORGANIZATION, "details", "details", HOLDS_WORDS },
  { EMU_FOUND_ORGANIZATION, "tags", "tags", HOLDS_LIST },
  { EMU_FOUND_ORGANIZATION, "created", "created_at", HOLDS_TIME },
  { EMU_FOUND_ORGANIZATION, "updated", "updated_at", HOLDS_TIME },
  { EMU_FOUND_GROUP, "name", "name", HOLDS_WORDS },
  { EMU_FOUND_GROUP, "created", "created_at", HOLDS_TIME },
  { EMU_FOUND_GROUP, "updated", "updated_at", HOLDS_TIME },
};

static const char *const names[EMU_N_FOUND] = { "ticket", "user", "organization", "group" };

const char *
emu_found_get_name (EmuFound found)
{
  return names[found];
}

/* --- reading --- */

static void
term_free (gpointer data)
{
  EmuTerm *term = data;

  g_free (term->property);
  g_free (term->value);
  g_free (term);
}

static gboolean
is_known (const char *property)
{
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    if (g_str_equal (properties[i].property, property))
      return TRUE;
  return g_str_equal (property, "type");
}

/* What stands before a colon or a comparison, and that; nothing, if there is neither. */
static void
read_property (EmuTerm *term, const char **at)
{
  const char *end = *at;

  while (g_ascii_isalnum (*end) || *end == '_')
    end++;
  if (end == *at || strchr (":<>", *end) == NULL || *end == '\0')
    return;
  term->property = g_strndup (*at, (gsize)(end - *at));
  term->op[0] = *end++;
  if (term->op[0] != ':' && *end == '=')
    term->op[1] = *end++;
  *at = end;
}

static void
read_value (EmuTerm *term, const char **at)
{
  const char *start = *at, *end;
  gboolean in_quotes = *start == '"';

  start += in_quotes;
  end = start + strcspn (start, in_quotes ? "\"" : " \t\r\n");
  term->value = g_strndup (start, (gsize)(end - start));
  *at = end + (in_quotes && *end == '"');
  if (!in_quotes && g_str_has_suffix (term->value, "*"))
    {
      term->value[strlen (term->value) - 1] = '\0';
      term->prefix = TRUE;
    }
}

GPtrArray *
emu_search_parse (const char *query, char **ret_reason)
{
  g_autoptr (GPtrArray) terms = g_ptr_array_new_with_free_func (term_free);
  g_autofree char *text = g_utf8_make_valid (query, -1);
  const char *at = text;

  for (at += strspn (at, " \t\r\n"); *at != '\0'; at += strspn (at, " \t\r\n"))
    {
      EmuTerm *term = g_new0 (EmuTerm, 1);

      g_ptr_array_add (terms, term);
      term->negated = *at == '-';
      at += term->negated;
      read_property (term, &at);
      read_value (term, &at);
      if (term->property != NULL && !is_known (term->property))
        {
          *ret_reason = g_strdup_printf ("the property %s is not known here", term->property);
          return NULL;
        }
      if (terms->len > MAX_TERMS)
        {
          *ret_reason = g_strdup ("there are too many terms");
          return NULL;
        }
    }
  return g_steal_pointer (&terms);
}

/* --- matching --- */

static gboolean
same_text (const EmuTerm *term, const char *text)
{
  g_autofree char *value = g_utf8_casefold (term->value, -1), *other = g_utf8_casefold (text, -1);

  return term->prefix ? g_str_has_prefix (other, value) : g_str_equal (other, value);
}

static gboolean
is_letter (const char *p)
{
  return g_unichar_isalnum (g_utf8_get_char (p));
}

/* Whether the words stand in @text: they begin where a word begins, and end where one ends. */
static gboolean
has_words (const EmuTerm *term, const char *text)
{
  g_autofree char *value = g_utf8_casefold (term->value, -1), *all = g_utf8_casefold (text, -1);
  gsize length = strlen (value);

  if (length == 0)
    return TRUE;
  for (const char *p = strstr (all, value); p != NULL; p = strstr (g_utf8_next_char (p), value))
    if ((p == all || !is_letter (g_utf8_prev_char (p)))
        && (term->prefix || p[length] == '\0' || !is_letter (p + length)))
      return TRUE;
  return FALSE;
}

static gboolean
compare (const char *op, gint64 number, gint64 least, gint64 most)
{
  if (g_str_equal (op, "<"))
    return number < least;
  if (g_str_equal (op, "<="))
    return number <= most;
  if (g_str_equal (op, ">"))
    return number > most;
  if (g_str_equal (op, ">="))
    return number >= least;
  return number >= least && number <= most;
}

/* A day is as long as it is. */
static gboolean
matches_time (const EmuTerm *term, json_object *value)
{
  g_autofree char *midnight = g_strconcat (term->value, "T00:00:00Z", NULL);
  g_autoptr (json_object) day = json_object_new_string (midnight);
  g_autoptr (json_object) moment = json_object_new_string (term->value);
  gint64 time, least;

  if (!emu_json_get_time (value, &time))
    return FALSE;
  if (emu_json_get_time (day, &least))
    return compare (term->op, time, least, least + DAY - 1);
  return emu_json_get_time (moment, &least) && compare (term->op, time, least, least);
}

static gint
find_choice (const char *const *choices, const char *text)
{
  for (gint i = 1; choices[i] != NULL; i++)
    if (g_ascii_strcasecmp (choices[i], text) == 0)
      return i;
  return 0;
}

static gboolean
matches_choice (const EmuTerm *term, const char *const *choices, const char *text)
{
  gint asked = find_choice (choices, term->value);

  return asked != 0 && compare (term->op, find_choice (choices, text), asked, asked);
}

static gboolean
matches_list (const EmuTerm *term, json_object *list)
{
  for (gsize i = 0; i < json_object_array_length (list); i++)
    if (same_text (term, json_object_get_string (json_object_array_get_idx (list, i))))
      return TRUE;
  return FALSE;
}

/* The id of whom or what the value names; 0: of nobody. */
static gint64
find_named (const EmuTerm *term, Holds holds, const Emulator *emu)
{
  EmuUser *user = holds == HOLDS_PERSON ? emu_users_find (emu->users, term->value) : NULL;
  EmuOrganization *organization
      = holds == HOLDS_ORGANIZATION ? emu_organizations_find_name (emu->organizations, term->value)
                                    : NULL;
  json_object *group = holds == HOLDS_GROUP
                           ? emu_reference_find_name (emu->reference, EMU_GROUPS, term->value)
                           : NULL;

  if (holds == HOLDS_PERSON && g_str_equal (term->value, "me"))
    user = emu->users->admin;
  if (user != NULL)
    return user->id;
  if (organization != NULL)
    return organization->id;
  if (group != NULL)
    return json_object_get_int64 (emu_json_get (group, "id"));
  return g_ascii_strtoll (term->value, NULL, 10);
}

static gboolean
matches_member (const EmuTerm *term, guint i, json_object *record, const Emulator *emu)
{
  json_object *value = emu_json_get (record, properties[i].member);

  if (value == NULL || g_str_equal (term->value, "none"))
    return value == NULL && g_str_equal (term->value, "none");
  switch (properties[i].holds)
    {
    case HOLDS_EXACT:
      return same_text (term, json_object_get_string (value));
    case HOLDS_WORDS:
      return has_words (term, json_object_get_string (value));
    case HOLDS_LIST:
      return matches_list (term, value);
    case HOLDS_CHOICE:
      return matches_choice (term, properties[i].choices, json_object_get_string (value));
    case HOLDS_TIME:
      return matches_time (term, value);
    default:
      return json_object_get_int64 (value) == find_named (term, properties[i].holds, emu);
    }
}

/* Anywhere: in a text of the record, or its id. */
static gboolean
matches_anywhere (const EmuTerm *term, json_object *record)
{
  g_autofree char *id = emu_json_dup_text (emu_json_get (record, "id"));

  if (g_strcmp0 (id, term->value) == 0)
    return TRUE;
  json_object_object_foreach (record, name, value)
  {
    if (json_object_is_type (value, json_type_string) && !g_str_equal (name, "url")
        && has_words (term, json_object_get_string (value)))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_true (const EmuTerm *term, EmuFound found, json_object *record, const Emulator *emu)
{
  if (term->property == NULL)
    return matches_anywhere (term, record);
  if (g_str_equal (term->property, "type"))
    return same_text (term, names[found]);
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    if (properties[i].found == found && g_str_equal (properties[i].property, term->property))
      return matches_member (term, i, record, emu);
  return FALSE; /* records of this type have no such property */
}

static gboolean
are_alternatives (const EmuTerm *one, const EmuTerm *other)
{
  return !one->negated && !other->negated && one->property != NULL && other->property != NULL
         && one->op[0] == ':' && other->op[0] == ':'
         && g_str_equal (one->property, other->property);
}

static gboolean
holds (const GPtrArray *terms, const EmuTerm *term, EmuFound found, json_object *record,
       const Emulator *emu)
{
  if (is_true (term, found, record, emu))
    return !term->negated;
  if (term->negated)
    return TRUE;
  for (guint i = 0; i < terms->len; i++)
    if (terms->pdata[i] != term && are_alternatives (term, terms->pdata[i])
        && is_true (terms->pdata[i], found, record, emu))
      return TRUE;
  return FALSE;
}

gboolean
emu_search_wants (const GPtrArray *terms, EmuFound found)
{
  for (guint i = 0; i < terms->len; i++)
    {
      const EmuTerm *term = terms->pdata[i];

      if (term->property != NULL && g_str_equal (term->property, "type")
          && !holds (terms, term, found, NULL, NULL))
        return FALSE;
    }
  return TRUE;
}

gboolean
emu_search_matches (const GPtrArray *terms, EmuFound found, json_object *record,
                    const Emulator *emu)
{
  for (guint i = 0; i < terms->len; i++)
    if (!holds (terms, terms->pdata[i], found, record, emu))
      return FALSE;
  return TRUE;
}
