/* named.c: see named.h; a hundred users in a request */
#include "named.h"
#include "json.h"
#include "match.h"

/* Users who are remembered. */
#define MOST 100000
#define TOGETHER 100
/* So many are told one by one. */
#define MOST_TOLD 10

typedef enum
{
  STATE_GOOD,
  STATE_SUSPENDED,
  STATE_DELETED,
  STATE_NOT_THERE,
  N_STATES
} State;

static const struct
{
  const char *fact, *words;
} states[N_STATES] = { [STATE_SUSPENDED] = { "of_these_suspended", "is suspended" },
                       [STATE_DELETED] = { "of_these_deleted", "was deleted" },
                       [STATE_NOT_THERE] = { "of_these_not_there", "is not in the account" } };

typedef struct
{
  gint64 id;
  guint n; /* how often records name it */
} Named;

struct _ZendeskNamed
{
  GHashTable *places; /* (owned) id (gint64) → its index + 1 */
  GArray *users;      /* (owned) (element-type Named) */
  guint n_asked;
  gboolean is_full;
  guint64 counts[N_STATES];
};

ZendeskNamed *
zendesk_named_new (void)
{
  ZendeskNamed *named = g_new0 (ZendeskNamed, 1);

  named->places = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  named->users = g_array_new (FALSE, FALSE, sizeof (Named));
  return named;
}

void
zendesk_named_free (ZendeskNamed *named)
{
  g_hash_table_unref (named->places);
  g_array_unref (named->users);
  g_free (named);
}

static void
take_id (ZendeskNamed *named, json_object *object, const char *member)
{
  Named one = { .n = 1 };
  guint place;

  if (!zendesk_json_get_id (object, member, &one.id))
    return;
  place = GPOINTER_TO_UINT (g_hash_table_lookup (named->places, &one.id));
  if (place > 0)
    g_array_index (named->users, Named, place - 1).n++;
  else if (named->users->len == MOST)
    named->is_full = TRUE;
  else
    {
      g_array_append_val (named->users, one);
      g_hash_table_insert (named->places, g_memdup2 (&one.id, sizeof one.id), GUINT_TO_POINTER (named->users->len));
    }
}

void
zendesk_named_take (ZendeskNamed *named, TallyText request)
{
  static const char *const members[] = { "requester_id", "submitter_id", "assignee_id" };
  g_autoptr (json_object) body = zendesk_json_parse (request.data, request.length);
  json_object *ticket = zendesk_json_get (body, "ticket"), *comments = zendesk_json_get_array (ticket, "comments");

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    take_id (named, ticket, members[i]);
  take_id (named, zendesk_json_get (ticket, "comment"), "author_id");
  for (gsize i = 0; comments != NULL && i < json_object_array_length (comments); i++)
    take_id (named, json_object_array_get_idx (comments, i), "author_id");
}

/* --- what the account has --- */

static State
state_of (const GPtrArray *found, gint64 id)
{
  const ZendeskFound *one = zendesk_found_get (found, id);

  if (one == NULL)
    return STATE_NOT_THERE;
  return one->deleted ? STATE_DELETED : one->suspended ? STATE_SUSPENDED : STATE_GOOD;
}

static void
judge (ZendeskNamed *named, TallyContext *ctx, const Named *one, State state)
{
  guint64 n_told = named->counts[STATE_SUSPENDED] + named->counts[STATE_DELETED] + named->counts[STATE_NOT_THERE];
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, one->id);

  named->counts[state]++;
  if (state == STATE_GOOD)
    return;
  tally_context_plan_unfit (ctx, "user", id);
  if (n_told < MOST_TOLD)
    tally_context_warn (ctx, "user %s %s, and is named %u %s", id, states[state].words, one->n, one->n == 1 ? "time" : "times");
}

static gboolean
ask_some (ZendeskNamed *named, ZendeskAccount *account, GError **error)
{
  g_autoptr (GString) path = g_string_new (ZENDESK_API "/users/show_many.json?ids=");
  g_autoptr (GPtrArray) found = zendesk_found_new ();
  g_auto (ZendeskReply) reply = { 0 };
  guint n = MIN (TOGETHER, named->users->len - named->n_asked);
  const Named *users = &g_array_index (named->users, Named, named->n_asked);
  gboolean more;

  for (guint i = 0; i < n; i++)
    g_string_append_printf (path, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", users[i].id);
  if (!zendesk_account_get (account, path->str, "the users whom records name", &reply, error))
    return FALSE;
  if (!zendesk_found_read (found, "user", reply.body, reply.length, &more))
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" answered with no list of users", account->base);
  for (guint i = 0; i < n; i++)
    judge (named, account->ctx, &users[i], state_of (found, users[i].id));
  named->n_asked += n;
  return TRUE;
}

gboolean
zendesk_named_tell (ZendeskNamed *named, ZendeskAccount *account, GError **error)
{
  if (named->users->len == 0)
    return TRUE;
  while (named->n_asked < named->users->len)
    if (!ask_some (named, account, error))
      return FALSE;
  tally_context_plan_number (account->ctx, "named_users", named->users->len);
  for (State i = STATE_GOOD + 1; i < N_STATES; i++)
    tally_context_plan_number (account->ctx, states[i].fact, (gint64) named->counts[i]);
  if (named->is_full)
    tally_context_warn (account->ctx, "records name more than %d users; it was not looked whether the account has the others", MOST);
  return TRUE;
}
