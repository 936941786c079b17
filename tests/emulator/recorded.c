/* recorded.c: the emulator answers as the service did when somebody wrote it down
 *
 * Every request that was recorded of the real service is sent to the emulator, with the ids that
 * its records have here, and the two answers are compared: the status, the headers that matter, and
 * the shape of the body, which is the name and the JSON type of every member.  Answers of one route
 * are taken together, since a member that is null in one is filled in another.
 *
 * What differs is explained in the table, or the test fails; it fails as well when an explanation
 * is no longer needed.
 */
#include "promise.h"
#include "rig.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "recorded-differences.h"

#define N_TURNS 6

static const char account[]
    = "{'groups':[{'name':'Support','default':true},{'name':'Other'}],"
      "'agents':[{'name':'Ann','email':'ann@x.example','groups':['Support']}]}";

/* --- what was recorded, and what the emulator answers --- */

typedef struct
{
  Rig *rig;
  GHashTable *ids;    /* (owned) "groups/7" as recorded, to the id here (owned) */
  GHashTable *theirs; /* (owned) "GET groups/# 200" to a set of shapes (owned) */
  GHashTable *ours;   /* (owned) the same */
  GHashTable *found;  /* (owned) differences, each once */
  guint n_names;
  /* ids of records that are there from the beginning; @leaver: a user who may be deleted */
  char *user, *organization, *ticket, *leaver, *user_field, *organization_field; /* (owned) */
  char *membership;                                                              /* (owned) */
} Play;

static json_object *
member (json_object *object, const char *name)
{
  json_object *value = NULL;

  if (json_object_is_type (object, json_type_object))
    json_object_object_get_ex (object, name, &value);
  return value;
}

static gboolean
is_number (const char *text)
{
  return *text != '\0' && strspn (text, "0123456789") == strlen (text);
}

/* "groups/#" for "/api/v2/groups/7.json?x" */
static char *
get_route (const char *path)
{
  g_autofree char *plain = g_strndup (path, strcspn (path, "?"));
  GString *route = g_string_new (NULL);

  if (g_str_has_suffix (plain, ".json"))
    plain[strlen (plain) - strlen (".json")] = '\0';
  g_auto (GStrv) words = g_strsplit (plain + strlen ("/api/v2/"), "/", -1);
  for (char **word = words; *word != NULL; word++)
    {
      gboolean secret
          = word != words
            && (g_str_equal (word[-1], "uploads") || g_str_equal (word[-1], "job_statuses"));

      g_string_append_printf (route, "%s%s", word != words ? "/" : "",
                              is_number (*word) ? "#"
                              : secret          ? "*"
                                                : *word);
    }
  return g_string_free (route, FALSE);
}

/* --- the ids --- */

static char *
get_fixture (const Play *play, const char *word)
{
  const struct
  {
    const char *word, *id;
  } rows[] = {
    { "users", play->user },
    { "organizations", play->organization },
    { "tickets", play->ticket },
    { "user_fields", play->user_field },
    { "organization_fields", play->organization_field },
    { "organization_memberships", play->membership },
    { "groups", "360000001001" },
    { "brands", "360000002001" },
    { "ticket_forms", "360000003001" },
    { "group_memberships", "360000006001" },
    { "ticket_fields", "360000000201" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_equal (rows[i].word, word))
      return g_strdup (rows[i].id);
  return NULL;
}

/* The id here of what is @id there; where nothing was to be found, nothing is. */
static char *
translate (const Play *play, const char *word, const char *id, gboolean missing)
{
  g_autofree char *name = g_strdup_printf ("%s/%s", word, id);
  const char *known = g_hash_table_lookup (play->ids, name);
  char *fixture = known == NULL && !missing ? get_fixture (play, word) : NULL;

  return known != NULL ? g_strdup (known) : fixture != NULL ? fixture : g_strdup (id);
}

/* Lists of ids become the ids of one record, and cursors, which are good only there, are left out.
 */
static char *
translate_query (const Play *play, const char *word, const char *query)
{
  g_auto (GStrv) parameters = g_strsplit (query, "&", -1);
  g_autoptr (GString) out = g_string_new (NULL);

  for (char **parameter = parameters; *parameter != NULL; parameter++)
    {
      g_autofree char *id = get_fixture (play, word);

      if (g_str_has_prefix (*parameter, "page%5Bafter"))
        continue;
      g_string_append (out, out->len > 0 ? "&" : "");
      if (g_str_has_prefix (*parameter, "ids=") && id != NULL)
        g_string_append_printf (out, "ids=%s", id);
      else if (g_str_has_prefix (*parameter, "external_id="))
        g_string_append (out, "external_id=o:1");
      else
        g_string_append (out, *parameter);
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static char *
translate_path (const Play *play, const char *path, gboolean missing)
{
  g_auto (GStrv) parts = g_strsplit (path, "?", 2);
  g_auto (GStrv) words = g_strsplit (parts[0], "/", -1);
  GString *out = g_string_new (NULL);

  for (char **word = words; *word != NULL; word++)
    {
      gboolean json = g_str_has_suffix (*word, ".json");
      g_autofree char *bare = g_strndup (*word, strlen (*word) - (json ? strlen (".json") : 0));
      gboolean named = word != words
                       && (is_number (bare) || g_str_equal (word[-1], "uploads")
                           || g_str_equal (word[-1], "job_statuses"));
      g_autofree char *here = named ? translate (play, word[-1], bare, missing) : g_strdup (bare);

      g_string_append_printf (out, "%s%s%s", word != words ? "/" : "", here, json ? ".json" : "");
    }
  if (parts[1] != NULL)
    {
      g_autofree char *query = translate_query (play, words[3], parts[1]);

      g_string_append_printf (out, "?%s", query);
    }
  return g_string_free (out, FALSE);
}

static void
translate_tokens (const Play *play, json_object *tokens)
{
  for (gsize i = 0; i < json_object_array_length (tokens); i++)
    {
      g_autofree char *here = translate (
          play, "uploads", json_object_get_string (json_object_array_get_idx (tokens, i)), FALSE);

      json_object_array_put_idx (tokens, i, json_object_new_string (here));
    }
}

/* Every cassette was recorded when what the others had made was gone: a name is taken once. */
static void
make_unique (Play *play, json_object *body)
{
  static const struct
  {
    const char *record, *name;
  } rows[] = {
    { "organization", "name" },
    { "user", "email" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      json_object *record = member (body, rows[i].record);
      g_autofree char *name = record != NULL ? at (record, rows[i].name) : NULL;
      g_autofree char *unique = g_strdup_printf ("%s%u", name, ++play->n_names);

      if (name != NULL)
        json_object_object_add (record, rows[i].name, json_object_new_string (unique));
    }
}

/* The records that a body refers to are those that are there from the beginning; uploads are those
 * that were made just before. */
static void
translate_body (const Play *play, json_object *value)
{
  static const struct
  {
    const char *name, *word;
  } rows[] = {
    { "user_id", "users" },
    { "organization_id", "organizations" },
    { "group_id", "groups" },
  };

  json_object_object_foreach (value, name, inner)
  {
    if (json_object_is_type (inner, json_type_object))
      translate_body (play, inner);
    if (g_str_equal (name, "uploads") && json_object_is_type (inner, json_type_array))
      translate_tokens (play, inner);
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
      if (g_str_equal (rows[i].name, name) && json_object_is_type (inner, json_type_int))
        {
          g_autofree char *id
              = translate (play, rows[i].word, json_object_get_string (inner), FALSE);

          json_object_object_add (value, name,
                                  json_object_new_int64 (g_ascii_strtoll (id, NULL, 10)));
        }
  }
}

/* What was created there has its id here: for the word of the route, and what is in the body. */
static void
learn (Play *play, const char *path, json_object *theirs, json_object *ours)
{
  g_auto (GStrv) words = g_strsplit_set (path + strlen ("/api/v2/"), "/.?", -1);
  const char *word = words[0];

  if (g_str_equal (word, "imports"))
    word = "tickets";
  for (guint i = 0; words[i] != NULL; i++) /* users/7/identities */
    if (i > 0 && is_number (words[i - 1]))
      word = words[i];
  if (!json_object_is_type (theirs, json_type_object))
    return;
  json_object_object_foreach (theirs, name, value)
  {
    const char *key = g_str_equal (name, "upload") ? "token" : "id";
    g_autofree char *there = at (value, key), *here = at (member (ours, name), key);

    if (g_str_equal (name, "job_status"))
      word = "job_statuses";
    if (there != NULL && here != NULL)
      g_hash_table_insert (play->ids, g_strdup_printf ("%s/%s", word, there),
                           g_steal_pointer (&here));
  }
}

/* --- the shapes --- */

static const char *
type_of (json_object *value)
{
  switch (json_object_get_type (value))
    {
    case json_type_null:
      return "null";
    case json_type_boolean:
      return "boolean";
    case json_type_int:
    case json_type_double:
      return "number";
    case json_type_string:
      return "string";
    case json_type_array:
      return "list";
    default:
      return "object";
    }
}

/* Adds "ticket.tags[] string" and so on, and of what has something in it "ticket.tags full". */
static void
add_shapes (GHashTable *shapes, const char *place, json_object *value)
{
  g_hash_table_add (shapes, g_strdup_printf ("%s %s", place, type_of (value)));
  if (json_object_is_type (value, json_type_object))
    {
      json_object_object_foreach (value, name, inner)
      {
        g_autofree char *next
            = *place != '\0' ? g_strdup_printf ("%s.%s", place, name) : g_strdup (name);

        add_shapes (shapes, next, inner);
      }
    }
  else if (json_object_is_type (value, json_type_array))
    for (gsize i = 0; i < json_object_array_length (value); i++)
      {
        g_autofree char *next = g_strdup_printf ("%s[]", place);

        add_shapes (shapes, next, json_object_array_get_idx (value, i));
      }
}

static GHashTable *
get_shapes (GHashTable *routes, const char *route)
{
  GHashTable *shapes = g_hash_table_lookup (routes, route);

  if (shapes == NULL)
    {
      shapes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      g_hash_table_insert (routes, g_strdup (route), shapes);
    }
  return shapes;
}

static void G_GNUC_PRINTF (2, 3) differ (Play *play, const char *format, ...)
{
  va_list rest;

  va_start (rest, format);
  g_hash_table_add (play->found, g_strdup_vprintf (format, rest));
  va_end (rest);
}

/* Whether there is anything at @place, of whatever type but null. */
static gboolean
has_place (GHashTable *shapes, const char *place, gboolean or_null)
{
  static const char *const types[] = { "boolean", "number", "string", "list", "object", "null" };

  for (guint i = 0; i < G_N_ELEMENTS (types) - !or_null; i++)
    {
      g_autofree char *shape = g_strdup_printf ("%s %s", place, types[i]);

      if (g_hash_table_contains (shapes, shape))
        return TRUE;
    }
  return FALSE;
}

/* The place of what @place is a member or an element of; NULL: it is the whole. */
static char *
get_parent (const char *place)
{
  const char *dot = strrchr (place, '.');
  gsize length = strlen (place);

  if (g_str_has_suffix (place, "[]"))
    return g_strndup (place, length - 2);
  return dot != NULL      ? g_strndup (place, (gsize)(dot - place))
         : *place != '\0' ? g_strdup ("")
                          : NULL;
}

/* Each shape of @one that @other has not, unless its parent is missing or empty already. */
static void
compare_shapes (Play *play, const char *route, GHashTable *one, GHashTable *other, gboolean adds)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, one);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      g_auto (GStrv) parts = g_strsplit (key, " ", 2);
      g_autofree char *parent = get_parent (parts[0]);

      if (g_hash_table_contains (other, key)
          || (adds && g_str_has_suffix (parts[0], "[]")) /* theirs happened to be empty */
          || (parent != NULL && !has_place (other, parent, FALSE)))
        continue;
      if (!has_place (other, parts[0], TRUE))
        differ (play, "%s %s %s", route, adds ? "adds" : "lacks", parts[0]);
      else if (!g_str_equal (parts[1], "null") && has_place (other, parts[0], FALSE))
        differ (play, "%s %s has %s %s", route, parts[0], adds ? "also" : "never", parts[1]);
    }
}

static void
compare_routes (Play *play)
{
  GHashTableIter iter;
  gpointer route, theirs;

  g_hash_table_iter_init (&iter, play->theirs);
  while (g_hash_table_iter_next (&iter, &route, &theirs))
    {
      GHashTable *ours = get_shapes (play->ours, route);

      compare_shapes (play, route, theirs, ours, /* adds= */ FALSE);
      compare_shapes (play, route, ours, theirs, /* adds= */ TRUE);
    }
}

/* --- playing --- */

static char *
get_header (json_object *headers, const char *name)
{
  if (!json_object_is_type (headers, json_type_object))
    return NULL;
  json_object_object_foreach (headers, header, value)
  {
    if (g_ascii_strcasecmp (header, name) == 0)
      return g_strdup (json_object_get_string (value));
  }
  return NULL;
}

static void
compare_headers (Play *play, const char *route, json_object *headers, const Reply *reply)
{
  static const char *const names[] = { "Location",
                                       "X-Zendesk-Api-Version",
                                       "Cache-Control",
                                       "X-Request-Id",
                                       "x-rate-limit",
                                       "rate-limit",
                                       "rate-limit-remaining",
                                       "rate-limit-reset",
                                       "x-rate-limit-remaining" };
  g_autofree char *type = get_header (headers, "Content-Type");
  g_autofree char *our_type = reply_header (reply, "Content-Type");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *theirs = get_header (headers, names[i]);
      g_autofree char *ours = reply_header (reply, names[i]);

      if (theirs != NULL && ours == NULL)
        differ (play, "%s lacks the header %s", route, names[i]);
    }
  if (type != NULL && our_type != NULL
      && g_ascii_strncasecmp (type, our_type, strcspn (type, ";")) != 0)
    differ (play, "%s is %s instead of %s", route, our_type, type);
}

static char *
make_record (Rig *rig, const char *path, const char *body, const char *place)
{
  g_autofree char *text = quoted (body);
  g_autoptr (Reply) reply = rig_call (rig, "POST", path, text, NULL);
  char *id = at (reply->json, place);

  if (id == NULL)
    g_error ("%s: %s", path, reply->body);
  return id;
}

/* Nobody joins an organization twice. */
static void
join_another (Play *play, json_object *membership)
{
  g_autofree char *body = g_strdup_printf ("{'organization':{'name':'Club %u'}}", ++play->n_names);
  g_autofree char *id = make_record (play->rig, "/api/v2/organizations", body, "organization.id");

  json_object_object_add (membership, "organization_id",
                          json_object_new_int64 (g_ascii_strtoll (id, NULL, 10)));
}

/* The request as it was, but for its ids, and for files, which were sent in a form that the service
 * no longer tells of. */
static Reply *
send_request (Play *play, const char *method, const char *path, json_object *body, gboolean missing)
{
  g_autofree char *here = translate_path (play, path, missing);
  g_autofree char *text = NULL;

  if (g_str_equal (method, "PUT"))
    rig_advance (play->rig, 61); /* some may be done but once a second */
  if (g_str_has_prefix (path, "/api/v2/uploads") && g_str_equal (method, "POST"))
    return rig_send (play->rig, "/api/v2/uploads?filename=a.gif", "image/gif", "GIF89a", 6);
  if (json_object_is_type (body, json_type_object))
    translate_body (play, body);
  if (json_object_is_type (body, json_type_object) && g_str_equal (method, "POST"))
    make_unique (play, body);
  if (member (body, "organization_membership") != NULL)
    join_another (play, member (body, "organization_membership"));
  if (g_str_equal (method, "DELETE") && strstr (here, play->user) != NULL)
    {
      g_free (here);
      here = g_strconcat ("/api/v2/users/", play->leaver, NULL);
    }
  if (body != NULL)
    text = g_strdup (json_object_to_json_string_ext (body, JSON_C_TO_STRING_PLAIN));
  return rig_call (play->rig, method, here, text, NULL);
}

/* When an exchange is played: what is made first, what is deleted and what is no longer there last.
 * In the recordings one cassette follows another by its name. */
static guint
get_turn (json_object *exchange)
{
  g_autofree char *method = at (exchange, "request.method");
  g_autofree char *path = at (exchange, "request.path");

  if (number_at (exchange, "response.status") == 404)
    return N_TURNS - 1;
  if (strstr (path, "/job_statuses/") != NULL)
    return N_TURNS - 2;
  return g_str_equal (method, "POST")  ? 0
         : g_str_equal (method, "GET") ? 1
         : g_str_equal (method, "PUT") ? 2
                                       : 3;
}

static void
play_exchange (Play *play, json_object *exchange)
{
  json_object *request = member (exchange, "request"), *response = member (exchange, "response");
  json_object *theirs = member (response, "body");
  g_autofree char *method = at (request, "method"), *path = at (request, "path");
  g_autofree char *plain = get_route (path);
  gint64 status = number_at (response, "status");
  g_autoptr (Reply) reply
      = send_request (play, method, path, member (request, "body"), status == 404);
  g_autofree char *route = g_strdup_printf ("%s %s %d", method, plain, (int)status);
  g_autofree char *error = at (reply->json, "error");

  if (g_strcmp0 (error, "InvalidEndpoint") == 0 && status != 404)
    differ (play, "%s %s is not there", method, plain);
  else if (reply->status != status)
    differ (play, "%s is answered with %ld", route, reply->status);
  else
    {
      compare_headers (play, route, member (response, "headers"), reply);
      add_shapes (get_shapes (play->theirs, route), "", theirs);
      add_shapes (get_shapes (play->ours, route), "", reply->json);
      learn (play, path, theirs, reply->json);
    }
}

static char *
write_file (const char *text)
{
  g_autofree char *json = quoted (text);
  char *path = NULL;

  close (g_file_open_tmp ("recorded-XXXXXX", &path, NULL));
  g_file_set_contents (path, json, -1, NULL);
  return path;
}

static void
free_shapes (gpointer shapes)
{
  g_hash_table_unref (shapes);
}

static char *
get_value (Rig *rig, const char *route, const char *place)
{
  g_autofree char *path = g_strconcat ("/api/v2/", route, NULL);
  g_autoptr (Reply) reply = rig_get (rig, path);

  return at (reply->json, place);
}

/* Of the administrator, in the organization, and changed once. */
static void
make_ticket (Play *play)
{
  g_autofree char *body = g_strdup_printf (
      "{'ticket':{'subject':'s','comment':'c','tags':['t'],'group_id':360000001001,"
      "'organization_id':%s,'collaborators':[%s],'email_ccs':[{'user_id':'%s'}],"
      "'followers':[{'user_id':'%s'}]}}",
      play->organization, play->user, play->user, play->user);
  g_autofree char *change = quoted ("{'ticket':{'priority':'high'}}"), *path = NULL;

  play->ticket = make_record (play->rig, "/api/v2/tickets", body, "ticket.id");
  path = g_strconcat ("/api/v2/tickets/", play->ticket, NULL);
  reply_free (rig_call (play->rig, "PUT", path, change, NULL));
}

/* An account in which there is one of each. */
static void
begin (Play *play)
{
  g_autofree char *account_file = write_file (account);
  g_autofree char *fields = write_file ("[{'type':'text','key':'age','title':'Age'}]");
  const char *options[] = { "--account",
                            account_file,
                            "--user-fields",
                            fields,
                            "--organization-fields",
                            fields,
                            "--show-expiry",
                            "--plan",
                            "enterprise-plus",
                            "--search-lag",
                            "0",
                            NULL };

  *play = (Play){
    .rig = rig_new_list (options, NULL),
    .ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
    .theirs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_shapes),
    .ours = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_shapes),
    .found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
  };
  g_unlink (account_file);
  g_unlink (fields);
  play->organization = make_record (play->rig, "/api/v2/organizations",
                                    "{'organization':{'name':'ACME','external_id':'o:1','domain_"
                                    "names':['acme.example'],'tags':['o']}}",
                                    "organization.id");
  play->leaver = make_record (
      play->rig, "/api/v2/users",
      "{'user':{'name':'Ada','email':'admin@acme.example','identities':[{'type':'email','value':"
      "'abcdef@example.com'}]}}",
      "user.id");
  play->user = get_value (play->rig, "users/me", "user.id");
  play->user_field = get_value (play->rig, "user_fields", "user_fields.0.id");
  play->organization_field
      = get_value (play->rig, "organization_fields", "organization_fields.0.id");
  make_ticket (play);
  g_autofree char *joins
      = g_strdup_printf ("{'organization_membership':{'user_id':%s,'organization_id':%s}}",
                         play->user, play->organization);
  play->membership = make_record (play->rig, "/api/v2/organization_memberships", joins,
                                  "organization_membership.id");
}

static void
end (Play *play)
{
  rig_free (play->rig);
  g_hash_table_unref (play->ids);
  g_hash_table_unref (play->theirs);
  g_hash_table_unref (play->ours);
  g_hash_table_unref (play->found);
  g_free (play->user);
  g_free (play->organization);
  g_free (play->ticket);
  g_free (play->leaver);
  g_free (play->user_field);
  g_free (play->membership);
  g_free (play->organization_field);
}

/* --- what is explained --- */

static gint
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
hold_to_table (Play *play, const Difference *table, guint n)
{
  g_autofree gboolean *needed = g_new0 (gboolean, n);
  GList *found = g_list_sort (g_hash_table_get_keys (play->found), compare_texts);

  for (GList *one = found; one != NULL; one = one->next)
    {
      gboolean explained = FALSE;

      for (guint i = 0; i < n; i++)
        if (g_pattern_match_simple (table[i].what, one->data))
          explained = needed[i] = TRUE;
      assert_row_text ("differs, and nobody says why", explained ? NULL : one->data, NULL);
    }
  g_list_free (found);
  for (guint i = 0; i < n; i++)
    assert_row_text ("is explained, but does not differ", needed[i] ? NULL : table[i].what, NULL);
}

/* NULL, with the test skipped, where the recordings are absent. */
static char *
read_recording (const char *name)
{
  const char *data = g_getenv ("SHARED_DATA");
  g_autofree char *path = g_build_filename (data != NULL ? data : "", "zendesk", name, NULL);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    skip_promise ("%s is not here", path);
  return text;
}

static void
play_recording (const char *name, const Difference *table, guint n, guint n_exchanges)
{
  g_autofree char *text = read_recording (name);
  guint played = 0;
  Play play;

  if (text == NULL)
    return;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  begin (&play);
  for (guint turn = 0; turn < N_TURNS; turn++)
    {
      for (char **line = lines; *line != NULL; line++)
        {
          json_object *exchange = **line != '\0' ? json_tokener_parse (*line) : NULL;

          if (exchange != NULL && get_turn (exchange) == turn)
            {
              play_exchange (&play, exchange);
              played++;
            }
          json_object_put (exchange);
        }
      rig_advance (play.rig, 100); /* jobs end */
    }
  compare_routes (&play);
  assert_int (played, n_exchanges);
  hold_to_table (&play, table, n);
  end (&play);
}

static void
test_answers_as_recorded_in_2015 (void)
{
  play_recording ("recorded-2015-ruby-client.jsonl", differences_2015,
                  G_N_ELEMENTS (differences_2015), 277);
}

static void
test_answers_as_recorded_in_2023 (void)
{
  play_recording ("recorded-2023-node-client.jsonl", differences_2023,
                  G_N_ELEMENTS (differences_2023), 80);
}

/* --- single answers, of which only the body was kept --- */

static const struct
{
  const char *file, *path;
} singles[] = {
  { "GET-group_memberships", "group_memberships" },
  { "GET-groups", "groups" },
  { "GET-locales", "locales" },
  { "GET-organization", "organizations/1" },
  { "GET-organization_fields", "organization_fields" },
  { "GET-organization_memberships", "organization_memberships" },
  { "GET-organizations", "organizations" },
  { "GET-search_count_ticket", "search/count?query=type:ticket" },
  { "GET-search_group", "search?query=type:group" },
  { "GET-search_ticket", "search?query=type:ticket" },
  { "GET-search_user", "search?query=type:user" },
  { "GET-ticket", "tickets/1" },
  { "GET-ticket_audits", "tickets/1/audits" },
  { "GET-ticket_comments", "tickets/1/comments" },
  { "GET-ticket_field", "ticket_fields/1" },
  { "GET-ticket_fields", "ticket_fields" },
  { "GET-ticket_form", "ticket_forms/1" },
  { "GET-ticket_forms", "ticket_forms" },
  { "GET-ticket_show_many", "tickets/show_many?ids=1" },
  { "GET-tickets", "tickets" },
  { "GET-user", "users/1" },
  { "GET-user_fields", "user_fields" },
  { "GET-user_related", "users/1/related" },
  { "GET-users", "users" },
};

/* As if it had been recorded with its request. */
static json_object *
make_exchange (const char *path, const char *body)
{
  json_object *exchange = json_object_new_object (), *request = json_object_new_object ();
  json_object *response = json_object_new_object ();

  json_object_object_add (request, "method", json_object_new_string ("GET"));
  json_object_object_add (request, "path", json_object_new_string (path));
  json_object_object_add (response, "status", json_object_new_int (200));
  json_object_object_add (response, "body", json_tokener_parse (body));
  json_object_object_add (exchange, "request", request);
  json_object_object_add (exchange, "response", response);
  return exchange;
}

static void
test_answers_as_the_fixtures_of_the_client_in_go (void)
{
  Play play;

  begin (&play);
  for (guint i = 0; i < G_N_ELEMENTS (singles); i++)
    {
      g_autofree char *name = g_strdup_printf ("fixtures-go-client/%s.json", singles[i].file);
      g_autofree char *body = read_recording (name);
      g_autofree char *path = g_strconcat ("/api/v2/", singles[i].path, NULL);
      json_object *exchange = body != NULL ? make_exchange (path, body) : NULL;

      if (exchange == NULL)
        break;
      play_exchange (&play, exchange);
      json_object_put (exchange);
    }
  if (g_hash_table_size (play.theirs) > 0)
    {
      compare_routes (&play);
      hold_to_table (&play, differences_go, G_N_ELEMENTS (differences_go));
    }
  end (&play);
}

static const Promise promises[] = {
  { "answers as recorded in 2015", test_answers_as_recorded_in_2015 },
  { "answers as recorded in 2023", test_answers_as_recorded_in_2023 },
  { "answers as the fixtures of the client in Go",
    test_answers_as_the_fixtures_of_the_client_in_go },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator recorded", promises, argc, argv);
}
