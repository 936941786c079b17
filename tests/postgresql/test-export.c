/* test-export.c: whatever happens to the runs that copy an account, each version of a ticket that an export shows comes once
 *
 * Between runs tickets are made, changed and deleted; runs are killed between the commits, in any order, and what they ask for is refused
 * now and then.  The copy is appended to, so nothing hides a row that comes twice.  20 runs; 200 with TALLYMAN_PROOF=long.
 * TALLYMAN_SEED=N repeats a choice.
 */
#include "desk.h"
#include <signal.h>

typedef struct
{
  Desk *desk;    /* (unowned) */
  GRand *random; /* (unowned) */
  const char *options;
  guint n_tickets;
  GArray *versions; /* (owned) (element-type guint) of each ticket's subject; 0: it is deleted */
} Account;

static guint
n_runs (void)
{
  return g_strcmp0 (g_getenv ("TALLYMAN_PROOF"), "long") == 0 ? 200 : 20;
}

static void
ask (Account *account, const char *method, const char *path, const char *body)
{
  g_free (rig_ask (account->desk->rig, method, path, body));
}

static void
make_ticket (Account *account)
{
  const guint first = 1;

  ask (account, "POST", "/api/v2/tickets.json",
       "{\"ticket\":{\"subject\":\"version 1\",\"comment\":{\"body\":\"first\"},\"requester\":{\"name\":\"A\",\"email\":\"a@ex.org\"}}}");
  g_array_append_val (account->versions, first);
}

static void
change_ticket (Account *account)
{
  guint index = (guint)g_rand_int_range (account->random, 0, (gint)account->versions->len);
  guint *version = &g_array_index (account->versions, guint, index);
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u.json", index + 1), *body = NULL;

  if (*version == 0)
    return;
  if (g_rand_int_range (account->random, 0, 10) == 0)
    {
      ask (account, "DELETE", path, NULL);
      *version = 0;
      return;
    }
  body = g_strdup_printf ("{\"ticket\":{\"subject\":\"version %u\",\"comment\":{\"body\":\"more\"}}}", ++*version);
  ask (account, "PUT", path, body);
}

/* A day at the desk; what happened is in the export a minute later. */
static void
work (Account *account)
{
  guint n = (guint)g_rand_int_range (account->random, 0, 120);

  for (guint i = 0; i < n; i++)
    if (account->versions->len < 30 || g_rand_boolean (account->random))
      make_ticket (account);
    else
      change_ticket (account);
  ask (account, "POST", "/_emulator/clock", "{\"advance\":70}");
}

/* Whether it came to its end. */
static gboolean
run_with_mishaps (Account *account)
{
  static const char *const faults[] = {
    "[]",
    "[{\"kind\":\"status\",\"status\":503,\"path\":\"/api/v2/incremental\",\"probability\":0.2,\"count\":3}]",
    "[{\"kind\":\"cut-body\",\"path\":\"/api/v2/incremental\",\"at\":2}]",
    "[{\"kind\":\"storm\",\"path\":\"/api/v2/tickets/\",\"after\":3,\"count\":5,\"retry_after\":\"1\"}]",
  };
  g_autofree char *point = NULL;
  int status;

  if (g_rand_boolean (account->random))
    point = g_strdup_printf ("%s:%d", g_rand_boolean (account->random) ? "sink-committed" : "ledger-before-commit",
                             g_rand_int_range (account->random, 1, 9));
  rig_faults (account->desk->rig, faults[g_rand_int_range (account->random, 0, G_N_ELEMENTS (faults))]);
  rig_setenv (account->desk->rig, "TALLYMAN_CRASH", point);
  status = desk_run (account->desk);
  rig_clear_faults (account->desk->rig);
  if (status != 0 && status != 128 + SIGKILL)
    {
      assert_row_int (point != NULL ? point : "no crash", status, 0);
      g_printerr ("%s\n", rig_errors (account->desk->rig));
    }
  return status == 0;
}

static void
expect_all (Account *account)
{
  g_autoptr (GString) now = g_string_new (NULL);

  desk_expect (account->desk, account->options, "SELECT count (*) - count (DISTINCT (id, generated_timestamp)) FROM copy", "0");
  for (guint i = 0; i < account->versions->len; i++)
    {
      guint version = g_array_index (account->versions, guint, i);

      if (version > 0)
        g_string_append_printf (now, "%u version %u, ", i + 1, version);
    }
  desk_expect (account->desk, account->options,
               "SELECT coalesce (string_agg (id || ' ' || subject || ', ', '' ORDER BY id), '') FROM ("
               "SELECT DISTINCT ON (id) * FROM copy ORDER BY id, generated_timestamp DESC) t WHERE NOT deleted",
               now->str);
}

/* Every comment that a ticket had when it was copied. */
static void
expect_comments (Account *account)
{
  desk_expect (account->desk, account->options,
               "SELECT count (*) FROM copy WHERE NOT deleted AND jsonb_array_length (comments) < "
               "substr (subject, 9)::int",
               "0");
}

static void
copy_an_account (const char *options, gboolean comments)
{
  const char *seed = g_getenv ("TALLYMAN_SEED");
  guint32 number = seed != NULL ? (guint32)g_ascii_strtoull (seed, NULL, 10) : g_random_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (number);
  g_autoptr (Desk) desk = desk_new (TRUE);
  g_autofree char *text = NULL;
  Account account = { .desk = desk, .random = random, .options = options };

  if (desk == NULL)
    return;
  g_print (" (seed %u)", number);
  account.versions = g_array_new (FALSE, FALSE, sizeof (guint));
  rig_setenv (desk->rig, "TALLYMAN_CLOCK_RATE", "1000");
  text = g_strdup_printf ("pipeline: p\n"
                          "source: { zendesk: { url: \"%s\", access_token: x, %s } }\n"
                          "transform: [ keep: [id, generated_timestamp, subject, deleted%s] ]\n"
                          "sink: { postgresql: { connection: \"$URI\", table: copy, create: true } }\n",
                          rig_url (desk->rig), options, comments ? ", comments" : "");
  desk_write_pipeline (desk, text);
  for (guint i = 0; i < n_runs (); i++)
    {
      work (&account);
      if (run_with_mishaps (&account))
        expect_all (&account);
    }
  rig_setenv (desk->rig, "TALLYMAN_CRASH", NULL);
  assert_int (desk_run (desk), 0);
  expect_all (&account);
  if (comments)
    expect_comments (&account);
  g_array_unref (account.versions);
}

static void
test_in_small_pages (void)
{
  copy_an_account ("page-size: 7", FALSE);
}

static void
test_in_pages_with_comments (void)
{
  copy_an_account ("comments: true, page-size: 1000, parallel: 3", TRUE);
}

/* ---- The examples ---- */

static void
post (Desk *desk, const char *path, const char *body)
{
  g_autofree char *json = g_strdelimit (g_strdup (body), "'", '"');

  g_free (rig_ask (desk->rig, "POST", path, json));
}

static char *
example (const char *name)
{
  return g_build_filename (g_getenv ("SOURCE_ROOT"), "pipelines", name, NULL);
}

static void
test_the_warehouse_is_kept_fresh (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *folder = example ("warehouse");

  if (desk == NULL)
    return;
  rig_setenv (desk->rig, "ZENDESK_URL", rig_url (desk->rig));
  rig_setenv (desk->rig, "ZENDESK_TOKEN", "x");
  rig_setenv (desk->rig, "WAREHOUSE", desk->uri);
  post (desk, "/api/v2/organizations.json", "{'organization':{'name':'Acme','domain_names':['acme.example']}}");
  post (desk, "/api/v2/users.json", "{'user':{'name':'Ada','email':'ada@acme.example','skip_verify_email':true}}");
  post (desk, "/api/v2/tickets.json", "{'ticket':{'subject':'s','comment':{'body':'first'},'requester':{'email':'ada@acme.example'}}}");
  post (desk, "/_emulator/clock", "{'advance':70}");
  assert_int (rig_command (desk->rig, "run", folder, NULL), 0);
  desk_expect (desk, "joined",
               "SELECT concat_ws (' ', t.subject, t.n_comments, u.name, o.name, o.domain_names) FROM zendesk_tickets t "
               "JOIN zendesk_users u ON u.id = t.requester_id JOIN zendesk_organizations o ON o.id = u.organization_id",
               "s 1 Ada Acme [\"acme.example\"]");

  post (desk, "/api/v2/users.json", "{'user':{'name':'Bo'}}");
  g_free (rig_ask (desk->rig, "PUT", "/api/v2/tickets/1.json", "{\"ticket\":{\"comment\":{\"body\":\"second\"}}}"));
  post (desk, "/_emulator/clock", "{'advance':70}");
  assert_int (rig_command (desk->rig, "run", folder, NULL), 0);
  desk_expect (desk, "the ticket", "SELECT count (*) || ' ' || max (n_comments) FROM zendesk_tickets", "1 2");
  desk_expect (desk, "the user", "SELECT count (*) FROM zendesk_users WHERE name = 'Bo'", "1");
}

static void
test_comments_become_a_file (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *path = example ("zendesk-to-csv/comments.yaml"), *text = NULL, *csv = NULL;

  if (desk == NULL)
    return;
  rig_setenv (desk->rig, "ZENDESK_URL", rig_url (desk->rig));
  rig_setenv (desk->rig, "ZENDESK_TOKEN", "x");
  post (desk, "/api/v2/tickets.json", "{'ticket':{'subject':'s','comment':{'body':'first'}}}");
  g_free (rig_ask (desk->rig, "PUT", "/api/v2/tickets/1.json",
                   "{\"ticket\":{\"comment\":{\"body\":\"a, note\",\"public\":false}}}"));
  post (desk, "/_emulator/clock", "{'advance':70}");
  g_file_get_contents (path, &text, NULL, NULL);
  rig_write (desk->rig, "pipeline.yaml", text);
  assert_int (desk_run (desk), 0);
  csv = rig_read (desk->rig, "comments.csv");
  assert_contains (csv, "ticket_id,id,author_id,created_at,public,plain_body\n1,");
  assert_contains (csv, ",t,first\n1,");
  assert_contains (csv, ",f,\"a, note\"\n");
}

static const Promise promises[] = {
  { "F8: each version of a ticket comes once, in small pages", test_in_small_pages },
  { "F8: each version of a ticket comes once, in large ones with comments", test_in_pages_with_comments },
  { "the warehouse of pipelines/ is kept fresh", test_the_warehouse_is_kept_fresh },
  { "the comments of pipelines/ become a file", test_comments_become_a_file },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("postgresql export", promises, argc, argv);
}
