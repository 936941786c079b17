/* answer.c: what an answer of Zendesk means */
#include "answer.h"
#include "json.h"
#include "skim.h"
#include "text.h"

#include <string.h>

/* Of a long list of complaints the first ones are enough. */
#define MAX_COMPLAINTS 50

/* How a status is read. */
typedef enum
{
  READ_NOTHING, /* the status says it all */
  READ_ENTITY,  /* {"ticket":{…}} of ours, else nobody knows */
  READ_UPDATED, /* the same, by its id */
  READ_GONE,    /* nothing has that id, or there is no such address */
  READ_LIST,    /* {"tickets":[…]} */
  READ_ERROR,   /* an error in one of Zendesk's shapes, else nobody knows who spoke */
  READ_PLACE,   /* where the redirect leads */
} Reading;

typedef struct
{
  gint first, last; /* statuses */
  TallyVerdict verdict;
  Reading reading;
  gboolean wait_all;
  const char *meaning; /* (nullable) */
} Rule;

#define CREDENTIALS "Zendesk does not accept the credentials"
#define RIGHTS "the credentials lack the right to do this, or something in front of Zendesk refuses"
#define ADDRESS "there is no Zendesk API at this address"

/* What is not listed, here or below, is unknown: a proxy's page, a gateway's failure, a status of tomorrow. */
static const Rule refusal_rules[] = {
  { 300, 399, TALLY_VERDICT_HALT, READ_PLACE },
  { 401, 401, TALLY_VERDICT_HALT, READ_NOTHING, .meaning = CREDENTIALS },
  { 403, 403, TALLY_VERDICT_HALT, READ_NOTHING, .meaning = RIGHTS },
  { 404, 404, TALLY_VERDICT_HALT, READ_NOTHING, .meaning = ADDRESS },
  { 409, 409, TALLY_VERDICT_BUSY, READ_NOTHING },
  { 429, 429, TALLY_VERDICT_BUSY, READ_NOTHING, .wait_all = TRUE },
  { 503, 503, TALLY_VERDICT_UNKNOWN, READ_NOTHING, .wait_all = TRUE },
};

#define DATA_RULES                                                                                            \
  { 400, 400, TALLY_VERDICT_REJECTED, READ_ERROR },                                                           \
  { 422, 422, TALLY_VERDICT_REJECTED, READ_ERROR }

static const Rule create_rules[] = {
  { 200, 201, TALLY_VERDICT_DELIVERED, READ_ENTITY },
  { 413, 413, TALLY_VERDICT_REJECTED, READ_NOTHING, .meaning = "the request is too large" },
  DATA_RULES,
};

/* Nothing of the record is acted upon by it. */
static const Rule upload_rules[] = {
  { 200, 201, TALLY_VERDICT_DELIVERED, READ_NOTHING },
  { 413, 413, TALLY_VERDICT_REJECTED, READ_NOTHING, .meaning = "the file is too large for the account" },
  { 503, 503, TALLY_VERDICT_BUSY, READ_NOTHING, .wait_all = TRUE },
  DATA_RULES,
};

static const Rule update_rules[] = {
  { 200, 200, TALLY_VERDICT_DELIVERED, READ_UPDATED },
  { 404, 404, TALLY_VERDICT_ABSENT, READ_GONE },
  { 413, 413, TALLY_VERDICT_REJECTED, READ_NOTHING, .meaning = "the request is too large" },
  DATA_RULES,
};

static const Rule find_rules[] = {
  { 200, 200, TALLY_VERDICT_ABSENT, READ_LIST },
};

/* It exists, so whatever is refused now, the record was acted upon: only "unknown" is true. */
static const Rule continue_rules[] = {
  { 200, 201, TALLY_VERDICT_DELIVERED, READ_NOTHING },
  { 401, 401, TALLY_VERDICT_UNKNOWN, READ_NOTHING, .meaning = CREDENTIALS },
  { 429, 429, TALLY_VERDICT_UNKNOWN, READ_NOTHING, .wait_all = TRUE },
  { 503, 503, TALLY_VERDICT_UNKNOWN, READ_NOTHING, .wait_all = TRUE },
};

typedef struct
{
  const Rule *rules;
  guint n_rules;
} Rules;

#define RULES(table) { table, G_N_ELEMENTS (table) }

/* For each question its own rules, and those that it shares. */
static const struct
{
  Rules own, shared;
} asks[] = {
  [ZENDESK_ASK_CREATE] = { RULES (create_rules), RULES (refusal_rules) },
  [ZENDESK_ASK_UPLOAD] = { RULES (upload_rules), RULES (refusal_rules) },
  [ZENDESK_ASK_UPDATE] = { RULES (update_rules), RULES (refusal_rules) },
  [ZENDESK_ASK_FIND] = { RULES (find_rules), RULES (refusal_rules) },
  [ZENDESK_ASK_CONTINUE] = { RULES (continue_rules) },
};

static const Rule unknown_rule = { 0, 999, TALLY_VERDICT_UNKNOWN, READ_NOTHING };

void
zendesk_finding_init (ZendeskFinding *finding)
{
  *finding = (ZendeskFinding){ .verdict = TALLY_VERDICT_UNKNOWN };
  finding->other_ids = g_string_new (NULL);
  finding->detail = g_string_new (NULL);
}

void
zendesk_finding_clear (ZendeskFinding *finding)
{
  g_string_free (finding->other_ids, TRUE);
  g_string_free (finding->detail, TRUE);
}

void
zendesk_finding_set (ZendeskFinding *finding, TallyVerdict verdict, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_string_vprintf (finding->detail, format, arguments);
  va_end (arguments);
  finding->verdict = verdict;
}

void
zendesk_finding_add (ZendeskFinding *finding, gint64 id)
{
  gint64 other = MAX (id, finding->target_id);

  if (finding->target_id == 0)
    {
      finding->target_id = id;
      return;
    }
  finding->target_id = MIN (id, finding->target_id);
  g_string_append_printf (finding->other_ids, "%s%" G_GINT64_FORMAT,
                          finding->other_ids->len > 0 ? "," : "", other);
}

/* Adds a stranger's words, after a separator if there is something before them. */
static void
add_words (GString *detail, const char *separator, const char *text, gsize length)
{
  if (detail->len >= ZENDESK_MAX_DETAIL)
    return;

  g_autofree char *clean = zendesk_text_clean (text, length, ZENDESK_MAX_DETAIL - detail->len);
  if (*clean != '\0')
    g_string_append_printf (detail, "%s%s", detail->len > 0 ? separator : "", clean);
}

/* Adds a member's words.  TRUE if it has any. */
static gboolean
add_member (GString *detail, const char *separator, json_object *object, const char *name)
{
  json_object *value = zendesk_json_get (object, name);

  if (!json_object_is_type (value, json_type_string) || json_object_get_string_len (value) == 0)
    return FALSE;
  add_words (detail, separator, json_object_get_string (value),
             (gsize) json_object_get_string_len (value));
  return TRUE;
}

/* One complaint about a field: {"description":…,"error":…}, or words alone. */
static void
add_complaint (GString *detail, const char *field, json_object *complaint)
{
  add_words (detail, "; ", field, strlen (field));
  if (json_object_is_type (complaint, json_type_string))
    add_words (detail, ": ", json_object_get_string (complaint),
               (gsize) json_object_get_string_len (complaint));
  else
    {
      add_member (detail, ": ", complaint, "description");
      add_member (detail, ", ", complaint, "error");
    }
}

/* {"<field>":[complaint…]} */
static void
add_details (GString *detail, json_object *details)
{
  guint n = 0;

  if (!json_object_is_type (details, json_type_object))
    return;
  json_object_object_foreach (details, field, list)
    {
      gsize length = json_object_is_type (list, json_type_array) ? json_object_array_length (list) : 1;

      for (gsize i = 0; i < length && n < MAX_COMPLAINTS; i++, n++)
        add_complaint (detail, field,
                       json_object_is_type (list, json_type_array)
                           ? json_object_array_get_idx (list, i)
                           : list);
    }
}

/* [{"code":…,"title":…,"detail":…}] */
static void
add_errors (GString *detail, json_object *errors)
{
  gsize length = MIN (json_object_array_length (errors), MAX_COMPLAINTS);

  for (gsize i = 0; i < length; i++)
    {
      json_object *row = json_object_array_get_idx (errors, i);

      const char *separator = i == 0 ? ": " : "; ";

      if (add_member (detail, separator, row, "code"))
        separator = ": ";
      if (add_member (detail, separator, row, "title"))
        separator = ": ";
      add_member (detail, separator, row, "detail");
    }
}

/* Adds what an error says, in any of its four shapes.  FALSE if it has none of them. */
static gboolean
describe_error (json_object *body, GString *detail)
{
  json_object *error = zendesk_json_get (body, "error");
  json_object *errors = zendesk_json_get_array (body, "errors");
  gsize before = detail->len;

  if (json_object_is_type (error, json_type_object))
    {
      add_member (detail, ": ", error, "title");
      add_member (detail, ": ", error, "message");
    }
  else
    add_member (detail, ": ", body, "error");
  add_member (detail, ": ", body, "description");
  add_member (detail, ": ", body, "error_description");
  add_details (detail, zendesk_json_get (body, "details"));
  if (errors != NULL)
    add_errors (detail, errors);
  return detail->len > before;
}

/* Adds the words of an answer that is not JSON: a line of text, or what a page is. */
static void
describe_text (const ZendeskAnswer *answer, GString *detail)
{
  static const char page[] = "an HTML page";
  gsize start = 0;

  while (start < answer->length && g_ascii_isspace (answer->body[start]))
    start++;
  if (start == answer->length)
    return;
  if (answer->body[start] == '<')
    add_words (detail, ": ", page, strlen (page));
  else
    add_words (detail, ": ", answer->body + start, answer->length - start);
}

/* "a ticket" */
static const char *
an_entity (const ZendeskAnswer *answer)
{
  return g_str_equal (answer->entity, "ticket") ? "a ticket"
         : g_str_equal (answer->entity, "user") ? "a user"
                                                : "an organization";
}

static gboolean
is_key_mismatch (json_object *body)
{
  static const char name[] = "IdempotentRequestError";
  json_object *errors = zendesk_json_get_array (body, "errors");

  if (g_strcmp0 (zendesk_json_get_text (body, "error"), name) == 0)
    return TRUE;
  for (gsize i = 0; errors != NULL && i < MIN (json_object_array_length (errors), MAX_COMPLAINTS); i++)
    if (g_strcmp0 (zendesk_json_get_text (json_object_array_get_idx (errors, i), "code"), name) == 0)
      return TRUE;
  return FALSE;
}

/* Whether an entity's external_id is, byte for byte, the one that we gave. */
static gboolean
is_ours (json_object *entity, const char *reference)
{
  return g_strcmp0 (zendesk_json_get_text (entity, "external_id"), reference) == 0;
}

/* What counts in an entity; kind is JSON_NULL for what is not there. */
typedef struct
{
  JsonValue id, external_id;
} Entity;

static gboolean
cut_members (JsonSkim *skim, Entity *ret_entity)
{
  JsonValue name, value;

  *ret_entity = (Entity){ 0 };
  if (!json_skim_begin_object (skim))
    return FALSE;
  while (json_skim_next_name (skim, &name) && json_skim_value (skim, &value))
    if (json_value_is_text (&name, "id"))
      ret_entity->id = value;
    else if (json_value_is_text (&name, "external_id"))
      ret_entity->external_id = value;
  return skim->flaw == NULL;
}

/* There is an answer for every record, and it is long: it is looked through, not built.
 * FALSE: it is no object, or its entity is none. */
static gboolean
cut_entity (const ZendeskAnswer *answer, Entity *ret_entity)
{
  JsonSkim skim = { answer->body, answer->length, .max_depth = ZENDESK_MAX_DEPTH };
  JsonValue name, value;

  *ret_entity = (Entity){ 0 };
  if (!g_utf8_validate_len (skim.data, skim.length, NULL) || !json_skim_begin_object (&skim))
    return FALSE;
  while (json_skim_next_name (&skim, &name))
    if (!(json_value_is_text (&name, answer->entity) ? cut_members (&skim, ret_entity)
                                               : json_skim_value (&skim, &value)))
      return FALSE;
  return skim.flaw == NULL && json_skim_is_done (&skim);
}

static gboolean
read_id (const JsonValue *value, gint64 *ret_id)
{
  if (value->kind != JSON_INTEGER)
    return FALSE;
  *ret_id = g_ascii_strtoll (value->text.data, NULL, 10);
  return zendesk_json_is_id (*ret_id);
}

/* The entity of an answer, by its id; if there is none, nobody knows what happened. */
static gboolean
take_entity (const ZendeskAnswer *answer, Entity *ret_entity, gint64 *ret_id, ZendeskFinding *finding)
{
  finding->verdict = TALLY_VERDICT_UNKNOWN;
  if (!cut_entity (answer, ret_entity))
    {
      g_string_append_printf (finding->detail, ": not %s in JSON", an_entity (answer));
      describe_text (answer, finding->detail);
      return FALSE;
    }
  if (!read_id (&ret_entity->id, ret_id))
    {
      g_string_append_printf (finding->detail, ": an answer without %s's id", an_entity (answer));
      return FALSE;
    }
  return TRUE;
}

/* The answer to a creation: an entity with an id and our reference. */
static void
read_entity (const ZendeskAnswer *answer, const char *reference, ZendeskFinding *finding)
{
  Entity entity;
  gint64 id;

  if (!take_entity (answer, &entity, &id, finding))
    return;
  if (!json_value_is_text (&entity.external_id, reference))
    {
      g_string_append_printf (finding->detail,
                              ": an answer about %s %" G_GINT64_FORMAT ", whose external_id is not \"%s\"",
                              answer->entity, id, reference);
      return;
    }
  finding->verdict = TALLY_VERDICT_DELIVERED;
  finding->target_id = id;
  finding->repeated = answer->headers->lookup == ZENDESK_LOOKUP_HIT;
}

/* The answer to an update of what has the finding's id. */
static void
read_updated (const ZendeskAnswer *answer, ZendeskFinding *finding)
{
  Entity entity;
  gint64 id;

  if (!take_entity (answer, &entity, &id, finding))
    return;
  if (id == finding->target_id)
    finding->verdict = TALLY_VERDICT_DELIVERED;
  else
    g_string_append_printf (finding->detail, ": an answer about %s %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT,
                            answer->entity, id, finding->target_id);
}

/* A 404 is said of an address that is none, too, and by whatever stands in front of Zendesk. */
static void
read_gone (json_object *body, const ZendeskAnswer *answer, ZendeskFinding *finding)
{
  const char *error = zendesk_json_get_text (body, "error");

  if (g_strcmp0 (error, "RecordNotFound") == 0)
    g_string_append_printf (finding->detail, ": %s %" G_GINT64_FORMAT " was deleted in the target", answer->entity,
                            finding->target_id);
  else
    {
      finding->verdict = TALLY_VERDICT_HALT;
      g_string_append (finding->detail, ": " ADDRESS);
      if (!describe_error (body, finding->detail))
        describe_text (answer, finding->detail);
    }
}

/* The answer to a lookup: any number of entities, of which only those with our reference count. */
static void
read_list (json_object *body, const ZendeskAnswer *answer, const char *reference,
           ZendeskFinding *finding)
{
  g_autofree char *name = g_strconcat (answer->entity, "s", NULL);
  json_object *rows = zendesk_json_get_array (body, name);
  gint64 id;

  finding->more = FALSE;
  finding->verdict = TALLY_VERDICT_UNKNOWN;
  if (rows == NULL)
    {
      g_string_append_printf (finding->detail, ": not a list of %s", name);
      describe_text (answer, finding->detail);
      return;
    }
  for (gsize i = 0; i < json_object_array_length (rows); i++)
    {
      json_object *row = json_object_array_get_idx (rows, i);

      if (!zendesk_json_get_id (row, "id", &id))
        {
          g_string_append_printf (finding->detail, ": a list with %s without an id", an_entity (answer));
          return;
        }
      if (is_ours (row, reference))
        zendesk_finding_add (finding, id);
      else
        finding->strangers = TRUE;
    }
  finding->more = zendesk_json_get_text (body, "next_page") != NULL;
  if (!finding->more
      && json_object_get_boolean (zendesk_json_get (zendesk_json_get (body, "meta"), "has_more")))
    {
      g_string_append (finding->detail, ": a list that goes on in a way that was not asked for");
      return;
    }
  finding->verdict = finding->target_id != 0 ? TALLY_VERDICT_DELIVERED : TALLY_VERDICT_ABSENT;
}

static void
read_error (json_object *body, const ZendeskAnswer *answer, ZendeskFinding *finding)
{
  if (answer->status == 400 && is_key_mismatch (body))
    finding->verdict = TALLY_VERDICT_MISMATCH;
  if (!describe_error (body, finding->detail))
    {
      finding->verdict = TALLY_VERDICT_UNKNOWN;
      describe_text (answer, finding->detail);
    }
}

static void
read_place (const ZendeskAnswer *answer, ZendeskFinding *finding)
{
  const char *location = answer->headers->location;
  g_autoptr (GUri) uri = location != NULL ? g_uri_parse (location, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  g_string_append_printf (finding->detail, ": a redirect%s%s is not followed, because a creation "
                          "may not be sent twice; put the address that answers into \"url\"",
                          host != NULL ? " to " : "", host != NULL ? host : "");
}

/* (nullable) */
static const Rule *
find_among (const Rules *rules, gint status)
{
  for (guint i = 0; i < rules->n_rules; i++)
    if (rules->rules[i].first <= status && status <= rules->rules[i].last)
      return &rules->rules[i];
  return NULL;
}

static const Rule *
find_rule (ZendeskAsk ask, gint status)
{
  const Rule *rule = find_among (&asks[ask].own, status);

  if (rule == NULL)
    rule = find_among (&asks[ask].shared, status);
  return rule != NULL ? rule : &unknown_rule;
}

static void
add_request_id (const ZendeskHeaders *headers, GString *detail)
{
  if (headers->request_id == NULL)
    return;

  g_autofree char *id = zendesk_text_clean (headers->request_id, strlen (headers->request_id), 100);
  g_string_append_printf (detail, "; request %s", id);
}

void
zendesk_judge (ZendeskAsk ask, const ZendeskAnswer *answer, const char *reference,
               ZendeskFinding *finding)
{
  const Rule *rule = find_rule (ask, answer->status);
  gboolean is_walked = rule->reading == READ_ENTITY || rule->reading == READ_UPDATED;
  g_autoptr (json_object) body = is_walked ? NULL : zendesk_json_parse (answer->body, answer->length);

  finding->verdict = rule->verdict;
  finding->status = answer->status;
  finding->wait = zendesk_headers_wait (answer->headers, answer->now);
  finding->wait_all = rule->wait_all;
  g_string_printf (finding->detail, "HTTP %d", answer->status);
  if (rule->meaning != NULL)
    g_string_append_printf (finding->detail, ": %s", rule->meaning);

  switch (rule->reading)
    {
    case READ_ENTITY:
      read_entity (answer, reference, finding);
      break;
    case READ_UPDATED:
      read_updated (answer, finding);
      break;
    case READ_GONE:
      read_gone (body, answer, finding);
      break;
    case READ_LIST:
      read_list (body, answer, reference, finding);
      break;
    case READ_ERROR:
      read_error (body, answer, finding);
      break;
    case READ_PLACE:
      read_place (answer, finding);
      break;
    case READ_NOTHING:
      if (answer->status >= 300 && !describe_error (body, finding->detail))
        describe_text (answer, finding->detail);
      break;
    }
  add_request_id (answer->headers, finding->detail);
}

gboolean
zendesk_upload_read (const char *text, gsize length, char **ret_token, char **ret_url)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  json_object *upload = zendesk_json_get (body, "upload");
  const char *token = zendesk_json_get_text (upload, "token");

  if (token == NULL || *token == '\0')
    return FALSE;
  *ret_token = g_strdup (token);
  *ret_url = g_strdup (zendesk_json_get_text (zendesk_json_get (upload, "attachment"), "content_url"));
  return TRUE;
}
