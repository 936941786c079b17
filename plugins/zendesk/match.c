/* match.c: who is there already, and whether it may be taken over */
#include "match.h"
#include "json.h"
#include "text.h"

#include <string.h>

static void
found_free (gpointer data)
{
  ZendeskFound *found = data;

  g_free (found->external_id);
  g_free (found->name);
  g_free (found->email);
  g_free (found->role);
  g_free (found);
}

GPtrArray *
zendesk_found_new (void)
{
  return g_ptr_array_new_with_free_func (found_free);
}

ZendeskFound *
zendesk_found_get (const GPtrArray *found, gint64 id)
{
  for (guint i = 0; i < found->len; i++)
    if (((ZendeskFound *) found->pdata[i])->id == id)
      return found->pdata[i];
  return NULL;
}

static gboolean
is_member (json_object *row, const char *name, gboolean value)
{
  json_object *member = zendesk_json_get (row, name);

  return json_object_is_type (member, json_type_boolean) && json_object_get_boolean (member) == value;
}

static gboolean
take_row (GPtrArray *found, json_object *row)
{
  ZendeskFound *one;
  gint64 id;

  if (!zendesk_json_get_id (row, "id", &id))
    return FALSE;
  if (zendesk_found_get (found, id) != NULL)
    return TRUE;
  one = g_new0 (ZendeskFound, 1);
  one->id = id;
  one->external_id = g_strdup (zendesk_json_get_text (row, "external_id"));
  one->name = g_strdup (zendesk_json_get_text (row, "name"));
  one->email = g_strdup (zendesk_json_get_text (row, "email"));
  one->role = g_strdup (zendesk_json_get_text (row, "role"));
  one->deleted = is_member (row, "active", FALSE);
  one->suspended = is_member (row, "suspended", TRUE);
  g_ptr_array_add (found, one);
  return TRUE;
}

gboolean
zendesk_found_read (GPtrArray *found, const char *entity, const char *text, gsize length, gboolean *ret_more)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  g_autofree char *name = g_strconcat (entity, "s", NULL);
  json_object *rows = zendesk_json_get_array (body, name);

  if (rows == NULL)
    return FALSE;
  for (gsize i = 0; i < MIN (json_object_array_length (rows), ZENDESK_MAX_FOUND); i++)
    if (!take_row (found, json_object_array_get_idx (rows, i)))
      return FALSE;
  *ret_more = json_object_array_length (rows) > ZENDESK_MAX_FOUND || zendesk_json_get_text (body, "next_page") != NULL
              || json_object_get_boolean (zendesk_json_get (zendesk_json_get (body, "meta"), "has_more"));
  return TRUE;
}

/* --- the rule --- */

static gboolean
is_same_fold (const char *one, const char *other)
{
  if (one == NULL || other == NULL)
    return FALSE;

  g_autofree char *a = g_utf8_casefold (one, -1), *b = g_utf8_casefold (other, -1);
  return g_str_equal (a, b);
}

gint64
zendesk_found_doubtful (const GPtrArray *found, const ZendeskWanted *wanted)
{
  for (guint i = 0; i < found->len; i++)
    {
      const ZendeskFound *one = found->pdata[i];

      if (!one->deleted && one->email != NULL && g_ascii_strcasecmp (one->email, wanted->email) == 0)
        return 0;
    }
  for (guint i = 0; i < found->len; i++)
    {
      const ZendeskFound *one = found->pdata[i];

      if (!one->deleted && g_strcmp0 (one->external_id, wanted->reference) != 0)
        return one->id;
    }
  return 0;
}

static gboolean
is_empty (const char *text)
{
  return text == NULL || *text == '\0';
}

static gboolean
has_wanted_email (const ZendeskWanted *wanted, const ZendeskFound *one)
{
  return wanted->email != NULL && (one->has_email || is_same_fold (one->email, wanted->email));
}

/* Zendesk takes no second one of these. */
static gboolean
stands_in_the_way (const ZendeskWanted *wanted, const ZendeskFound *one)
{
  if (g_str_equal (wanted->entity, "user"))
    return has_wanted_email (wanted, one);
  return is_same_fold (one->name, wanted->name);
}

/* Two users may have one name.  If the address differs, too, they are two people. */
static gboolean
is_namesake (const ZendeskWanted *wanted, const ZendeskFound *one)
{
  return g_str_equal (wanted->entity, "user") && (wanted->adopts & ZENDESK_ADOPT_NAME) && is_empty (one->external_id)
         && !one->deleted && g_strcmp0 (one->name, wanted->name) == 0
         && (wanted->email == NULL || is_empty (one->email) || has_wanted_email (wanted, one));
}

/* "user 12 (suspended)" */
static void
append_one (const ZendeskWanted *wanted, const ZendeskFound *one, GString *detail)
{
  g_string_append_printf (detail, "%s %" G_GINT64_FORMAT "%s", wanted->entity, one->id,
                          one->deleted ? " (deleted)" : one->suspended ? " (suspended)" : "");
}

static void
append_separator (GString *detail)
{
  g_string_append (detail, detail->len > 0 ? "; " : "");
}

static const char *
shared_name (const ZendeskWanted *wanted)
{
  return g_str_equal (wanted->entity, "user") ? "e-mail address" : "name";
}

/* A stranger's external_id, in quotes. (transfer full) */
static char *
dup_external_id (const ZendeskFound *one)
{
  g_autofree char *clean = zendesk_text_clean (one->external_id, strlen (one->external_id), 120);

  return g_strdup_printf ("\"%s\"", clean);
}

static ZendeskMatch
judge_ours (const ZendeskWanted *wanted, const ZendeskFound *ours, const ZendeskFound *holder, gint64 *ret_id,
            GString *detail)
{
  if (ours->deleted)
    {
      append_separator (detail);
      append_one (wanted, ours, detail);
      g_string_append (detail, " has this record's external_id; take that away from it, or restore it, and retry");
      return ZENDESK_MATCH_CONFLICT;
    }
  if (holder != NULL)
    {
      append_separator (detail);
      g_string_append (detail, "the external_id is that of ");
      append_one (wanted, ours, detail);
      g_string_append_printf (detail, ", but the %s that of ", shared_name (wanted));
      append_one (wanted, holder, detail);
      g_string_append (detail, ": merge the two in the target, or correct the record, and retry");
      return ZENDESK_MATCH_CONFLICT;
    }
  *ret_id = ours->id;
  return ZENDESK_MATCH_OURS;
}

/* What must not happen to one that is taken over, in words; NULL: nothing. */
static const char *
why_not_adopted (const ZendeskWanted *wanted, const ZendeskFound *one)
{
  if (one->deleted)
    return "was deleted; what is deleted is not taken over";
  if (one->role != NULL && !g_str_equal (one->role, "end-user") && g_strcmp0 (one->role, wanted->role) != 0)
    return "works for the help desk; one who does is only taken over by a record that says the same \"role\"";
  return NULL;
}

static ZendeskMatch
judge_holder (const ZendeskWanted *wanted, const ZendeskFound *holder, gint64 *ret_id, GString *detail)
{
  const char *why = why_not_adopted (wanted, holder);
  ZendeskAdopt rule = g_str_equal (wanted->entity, "user") ? ZENDESK_ADOPT_EMAIL : ZENDESK_ADOPT_NAME;

  if (is_empty (holder->external_id) && why == NULL && (wanted->adopts & rule))
    {
      *ret_id = holder->id;
      return ZENDESK_MATCH_ADOPT;
    }
  append_separator (detail);
  append_one (wanted, holder, detail);
  g_string_append_printf (detail, " has this %s", shared_name (wanted));
  if (!is_empty (holder->external_id))
    {
      g_autofree char *shown = dup_external_id (holder);

      g_string_append_printf (detail, " and the external_id %s, where this record's would be \"%s\": it belongs to another "
                              "record; correct one of the two, or take the external_id away in the target, and retry",
                              shown, wanted->reference);
    }
  else if (why != NULL)
    g_string_append_printf (detail, ", but %s", why);
  else
    g_string_append_printf (detail, " and no external_id; \"adopt: [%s]\" would take it over",
                            rule == ZENDESK_ADOPT_EMAIL ? "email" : "name");
  return ZENDESK_MATCH_CONFLICT;
}

static ZendeskMatch
judge_two (const ZendeskWanted *wanted, const ZendeskFound *one, const ZendeskFound *other, GString *detail)
{
  append_separator (detail);
  append_one (wanted, one, detail);
  g_string_append (detail, " and ");
  append_one (wanted, other, detail);
  g_string_append (detail, " could both be meant: merge the two in the target, or give one the record's external_id, and retry");
  return ZENDESK_MATCH_CONFLICT;
}

static ZendeskMatch
judge_namesake (const ZendeskWanted *wanted, const ZendeskFound *one, gint64 *ret_id, GString *detail)
{
  const char *why = why_not_adopted (wanted, one);

  if (why != NULL)
    {
      append_separator (detail);
      append_one (wanted, one, detail);
      g_string_append_printf (detail, " has this name, but %s", why);
      return ZENDESK_MATCH_CONFLICT;
    }
  *ret_id = one->id;
  return ZENDESK_MATCH_ADOPT;
}

ZendeskMatch
zendesk_match (const ZendeskWanted *wanted, const GPtrArray *found, gint64 *ret_id, GString *detail)
{
  const ZendeskFound *ours = NULL, *spelled = NULL, *holder = NULL, *other = NULL, *namesake = NULL, *another = NULL;

  for (guint i = 0; i < found->len; i++)
    {
      const ZendeskFound *one = found->pdata[i];

      if (g_strcmp0 (one->external_id, wanted->reference) == 0)
        {
          ours = ours == NULL || one->id < ours->id ? one : ours;
          continue;
        }
      if (is_same_fold (one->external_id, wanted->reference))
        spelled = one;
      if (stands_in_the_way (wanted, one))
        *(holder == NULL ? &holder : &other) = one;
      else if (is_namesake (wanted, one))
        *(namesake == NULL ? &namesake : &another) = one;
    }

  if (ours != NULL)
    return judge_ours (wanted, ours, holder, ret_id, detail);
  if (spelled != NULL)
    {
      g_autofree char *shown = dup_external_id (spelled);

      append_separator (detail);
      append_one (wanted, spelled, detail);
      g_string_append_printf (detail, " has the external_id %s, which Zendesk takes for \"%s\": keys that differ in case alone "
                              "are one to it; make them differ otherwise", shown, wanted->reference);
      return ZENDESK_MATCH_CONFLICT;
    }
  if (other != NULL)
    return judge_two (wanted, holder, other, detail);
  if (holder != NULL)
    return judge_holder (wanted, holder, ret_id, detail);
  if (another != NULL)
    return judge_two (wanted, namesake, another, detail);
  if (namesake != NULL)
    return judge_namesake (wanted, namesake, ret_id, detail);
  return ZENDESK_MATCH_NONE;
}
