/* test-past.c: imports with conversations and files, updates and links, under kills and lost answers
 *
 * All tickets go to the archive at once, so that no list shows them: what is in doubt is settled by the export alone.
 */
#include "failures.h"
#include <signal.h>
#include <string.h>

#define N_ROWS 12
#define ONE "what was attached to the question"
#define TWO "what was attached to the answer"

static const char *const points[] = {
  "before-intent-commit:1",  "after-intent-commit:1", "before-send:1",          "after-send:1",   "after-send:8",
  "answer-read:1",           "answer-read:8",         "before-outcome-commit:1", "committed:2",    "after-outcome-commit:1",
  "before-position:1",       "after-position:1",
};

#define BUSY_EXPORT "{\"kind\":\"storm\",\"path\":\"/api/v2/incremental\",\"count\":2,\"retry_after\":\"1\"}"

static const char *const behaviours[] = {
  "[{\"kind\":\"drop-after\",\"path\":\"/api/v2/imports\",\"every\":3,\"count\":3}]",
  "[{\"kind\":\"drop-before\",\"path\":\"/api/v2/uploads\",\"every\":3,\"count\":5}]",
  "[{\"kind\":\"status\",\"status\":500,\"path\":\"/api/v2/imports\",\"every\":3,\"count\":3}]",
  ("[{\"kind\":\"cut-body\",\"path\":\"/api/v2/imports\",\"every\":4,\"count\":3}," BUSY_EXPORT "]"),
};

static void
write_import (const Rig *rig, const char *second_files)
{
  g_autofree char *yaml = g_strdup_printf (
      "pipeline: past\norigin: desk\nsource:\n  csv: { path: tickets.csv }\n"
      "transform:\n"
      "  - set:\n"
      "      requester_id: 7::bigint\n"
      "      status: \"'closed'\"\n"
      "      created_at: \"'2012-06-01T10:00:00Z'::timestamptz\"\n"
      "      comments: |\n"
      "        jsonb_build_array(\n"
      "          jsonb_build_object('author_id', 8, 'created_at', '2012-06-02T10:00:00Z', 'body', body, 'public', false,\n"
      "                             'attachments', '%s'::jsonb),\n"
      "          jsonb_build_object('author_id', 7, 'created_at', '2012-06-01T10:00:00Z', 'body', 'the question',\n"
      "                             'attachments', '[\"one.txt\"]'::jsonb))\n"
      "  - drop: [body]\n"
      "sink:\n  zendesk-tickets:\n    url: %s\n    access_token: ${TOKEN}\n    mode: import\n    key: id\n"
      "    archive-immediately: true\n    settle: 20s\n    export-delay: 60s\n    attachments-root: .\n",
      second_files, rig_url (rig));

  rig_write (rig, "one.txt", ONE);
  rig_write (rig, "two.txt", TWO);
  rig_write (rig, "pipeline.yaml", yaml);
}

static Rig *
past_rig (guint n_rows, const char *option, const char *value)
{
  const char *const options[] = { option, value, NULL };
  Rig *rig = failure_rig (n_rows, options, NULL);

  rig_setenv (rig, "TOKEN", "a-secret");
  write_import (rig, "[\"two.txt\"]");
  return rig;
}

static guint
count (const char *text, const char *part)
{
  guint n = 0;

  for (; (text = strstr (text, part)) != NULL; text += strlen (part))
    n++;
  return n;
}

/* What stands at a content_url, for the nth file of a list of comments. */
static char *
read_file (Rig *rig, const char *comments, guint nth)
{
  const char *at = comments;

  for (guint i = 0; at != NULL && i <= nth; i++)
    at = (at = strstr (at, "\"content_url\":\"")) != NULL ? at + strlen ("\"content_url\":\"") : NULL;
  if (at == NULL)
    return g_strdup ("there is no such file");
  g_autofree char *url = g_strndup (at, strcspn (at, "\""));
  return rig_ask (rig, "GET", strstr (url, "/attachments/"), NULL);
}

/* One ticket with both of its comments, their times, and their files, byte for byte. */
static void
assert_whole (Rig *rig, guint id, const char *label)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u/comments.json", id);
  g_autofree char *comments = rig_ask (rig, "GET", path, NULL);
  g_autofree char *one = read_file (rig, comments, 0), *two = read_file (rig, comments, 1);
  const char *second = strstr (comments, "\"author_id\":8");

  assert_row_int (label, count (comments, "\"type\":\"Comment\""), 2);
  assert_row_int (label, count (comments, "\"content_url\":"), 2);
  assert_row_int (label, count (comments, "\"created_at\":\"2012-06-01T10:00:00Z\""), 1);
  assert_row_int (label, count (comments, "\"created_at\":\"2012-06-02T10:00:00Z\""), 1);
  assert_row_int (label, second != NULL && count (second, "\"public\":false") == 1, TRUE);
  assert_row_text (label, one, ONE);
  assert_row_text (label, two, TWO);
}

static void
assert_all_whole (Rig *rig, guint n_rows, const char *label)
{
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);

  rig_exactly_once (rig, 1, n_rows, label);
  assert_row_int (label, count (history, "\"notified\":true"), 0);
  for (guint id = 1; id <= n_rows; id++)
    assert_whole (rig, id, label);
}

/* Each point under one of the behaviours, in turn; under all of them in the long form. */
static void
test_each_crash_point_of_an_import (void)
{
  guint n_killed = 0, n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    for (guint j = 0; j < (failure_is_long () ? G_N_ELEMENTS (behaviours) : 1); j++)
      {
        const char *behaviour = behaviours[(i + j) % G_N_ELEMENTS (behaviours)];
        const char *again = points[(i + 5 * j + 3) % G_N_ELEMENTS (points)];
        g_autofree char *label = g_strdup_printf ("%s, then %s, under %s", points[i], again, behaviour);
        g_autoptr (Rig) rig = past_rig (N_ROWS, "--upload-life", "60");

        rig_faults (rig, behaviour);
        n_killed += failure_crash_at (rig, points[i]) == 128 + SIGKILL;
        n_killed += failure_crash_at (rig, again) == 128 + SIGKILL;
        failure_run_to_the_end (rig, label, 1);
        assert_all_whole (rig, N_ROWS, label);
        n++;
      }
  g_print (" (%u kills)", n_killed);
  assert_true (n_killed > n);
}

static void
test_a_lost_answer_of_an_import (void)
{
  static const char *const faults[] = {
    "[{\"kind\":\"drop-after\",\"path\":\"/api/v2/imports\",\"every\":2,\"count\":4}]",
    "[{\"kind\":\"drop-then-act\",\"ms\":300,\"path\":\"/api/v2/imports\",\"every\":2,\"count\":4}]",
    "[{\"kind\":\"status-after\",\"status\":504,\"body\":\"html\",\"path\":\"/api/v2/imports\",\"every\":2,\"count\":4}]",
    "[{\"kind\":\"status\",\"status\":500,\"path\":\"/api/v2/imports\",\"every\":2,\"count\":4}]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (Rig) rig = past_rig (N_ROWS, "--bad-token", "refuse");

      rig_faults (rig, faults[i]);
      failure_run_to_the_end (rig, faults[i], 1);
      assert_all_whole (rig, N_ROWS, faults[i]);
    }
}

static guint
count_history (Rig *rig, const char *part)
{
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);

  return count (history, part);
}

static void
test_killed_after_three_of_five_files (void)
{
  g_autoptr (Rig) rig = past_rig (1, NULL, NULL);

  write_import (rig, "[\"two.txt\", {\"path\": \"two.txt\", \"name\": \"b\"}, {\"path\": \"two.txt\", \"name\": \"c\"}, "
                     "{\"path\": \"two.txt\", \"name\": \"d\"}]");
  rig_faults (rig, "[{\"kind\":\"delay-before\",\"path\":\"/api/v2/uploads\",\"after\":3,\"ms\":20000}]");
  rig_start (rig);
  while (count_history (rig, "\"event\":\"uploaded\"") < 3)
    g_thread_yield ();
  rig_signal (rig, SIGKILL);
  rig_wait (rig);
  assert_int (rig_tickets (rig), 0);
  rig_clear_faults (rig);
  failure_run_to_the_end (rig, "G8", 1);
  rig_exactly_once (rig, 1, 1, "G8");
  g_autofree char *comments = rig_ask (rig, "GET", "/api/v2/tickets/1/comments.json", NULL);
  assert_int (count (comments, "\"content_url\":"), 5);
}

/* Leaves three imports in doubt. */
static Rig *
rig_in_doubt (const char *kind)
{
  Rig *rig = past_rig (N_ROWS, NULL, NULL);
  g_autofree char *fault = g_strdup_printf ("[{\"kind\":\"%s\",\"path\":\"/api/v2/imports\",\"after\":5,\"count\":3}]", kind);

  rig_faults (rig, fault);
  assert_int (rig_command (rig, "run", "--json", "--no-wait", "pipeline.yaml", NULL), 4);
  assert_int (rig_count (rig, "in_doubt"), 3);
  return rig;
}

static void
test_a_day_later_one_pass_settles_all (void)
{
  g_autoptr (Rig) made = rig_in_doubt ("drop-after"), lost = rig_in_doubt ("drop-before");

  g_free (rig_ask (made, "POST", "/_emulator/clock", "{\"advance\":86400}"));
  failure_run_to_the_end (made, "C2 made", 1);
  assert_int (rig_count (made, "adopted"), 3);
  assert_int (count_history (made, "/api/v2/incremental/"), 1);
  assert_all_whole (made, N_ROWS, "C2 made");

  g_free (rig_ask (lost, "POST", "/_emulator/clock", "{\"advance\":86400}"));
  failure_run_to_the_end (lost, "C2 lost", 1);
  assert_int (count_history (lost, "/api/v2/incremental/"), 1);
  assert_all_whole (lost, N_ROWS, "C2 lost");
}

static void
test_an_export_that_is_behind_is_waited_for (void)
{
  g_autoptr (Rig) rig = rig_in_doubt ("drop-after");

  failure_run_to_the_end (rig, "C6", 1);
  assert_int (rig_count (rig, "adopted"), 3);
  assert_all_whole (rig, N_ROWS, "C6");
}

static void
test_a_ticket_that_an_agent_deleted_is_not_made_again (void)
{
  g_autoptr (Rig) rig = rig_in_doubt ("drop-after");

  for (guint id = 1; id <= N_ROWS; id++)
    {
      g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u.json", id);

      g_free (rig_ask (rig, "DELETE", path, NULL));
    }
  failure_run_to_the_end (rig, "G10", 1);
  assert_int (rig_count (rig, "adopted"), 3);
  assert_int (rig_emulator_count (rig, "created"), N_ROWS);
  assert_contains (rig_errors (rig), "has been deleted since");
}

static void
test_a_rotated_token_changes_nothing (void)
{
  g_autoptr (Rig) rig = past_rig (N_ROWS, NULL, NULL);

  assert_int (failure_crash_at (rig, "after-send:8"), 128 + SIGKILL);
  rig_setenv (rig, "TOKEN", "another-secret");
  failure_run_to_the_end (rig, "H3", 1);
  assert_all_whole (rig, N_ROWS, "H3");
  assert_true (strstr (rig_errors (rig), "another-secret") == NULL);
}

/* --- updates --- */

static void
write_update (const Rig *rig)
{
  g_autofree char *yaml = g_strdup_printf (
      "pipeline: links\norigin: desk\nsource:\n  csv: { path: tickets.csv }\n"
      "transform:\n"
      "  - rename: { old: id }\n"
      "  - set:\n"
      "      id: ref('ticket', old)\n"
      "      problem_id: ref('ticket', '1')\n"
      "      type: \"'incident'\"\n"
      "      comment.body: \"'moved from the old desk: ' || old\"\n"
      "  - keep: [old, id, problem_id, type, comment.body]\n"
      "  - filter: old <> '1'\n"
      "sink:\n  zendesk-tickets:\n    url: %s\n    access_token: secret\n    mode: update\n    key: old\n    settle: 20s\n",
      rig_url (rig));

  rig_write (rig, "links.yaml", yaml);
}

static int
run_links (Rig *rig, const char *point)
{
  int status;

  rig_setenv (rig, "TALLYMAN_CRASH", point);
  status = rig_command (rig, "run", "--json", "links.yaml", NULL);
  rig_setenv (rig, "TALLYMAN_CRASH", NULL);
  return status;
}

static void
assert_linked_once (Rig *rig, const char *label)
{
  for (guint id = 1; id <= N_ROWS; id++)
    {
      g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u", id);
      g_autofree char *ticket = rig_ask (rig, "GET", path, NULL);
      g_autofree char *comments_path = g_strconcat (path, "/comments.json", NULL);
      g_autofree char *comments = rig_ask (rig, "GET", comments_path, NULL);
      gboolean is_first = strstr (ticket, "\"external_id\":\"desk:1\"") != NULL;

      assert_row_int (label, count (ticket, "\"type\":\"incident\""), is_first ? 0 : 1);
      assert_row_int (label, count (ticket, "\"problem_id\":null"), is_first ? 1 : 0);
      assert_row_int (label, count (comments, "\"type\":\"Comment\""), is_first ? 1 : 2);
    }
}

/* G9 G11: every ticket is linked to the first, and told so, once. */
static void
test_each_crash_point_of_an_update (void)
{
  static const char *const weather[] = {
    "[{\"kind\":\"drop-after\",\"method\":\"PUT\",\"every\":3,\"count\":3}]",
    "[{\"kind\":\"drop-before\",\"method\":\"PUT\",\"every\":3,\"count\":3}]",
    "[{\"kind\":\"conflict\",\"method\":\"PUT\",\"every\":3,\"count\":3}]",
    "[{\"kind\":\"status-after\",\"status\":502,\"method\":\"PUT\",\"every\":3,\"count\":3}]",
  };
  guint n_killed = 0;

  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    for (guint j = 0; j < (failure_is_long () ? G_N_ELEMENTS (weather) : 1); j++)
      {
        g_autofree char *label = g_strdup_printf ("%s under %s", points[i], weather[(i + j) % G_N_ELEMENTS (weather)]);
        g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);
        int status;

        assert_row_int (label, rig_run (rig), 0);
        write_update (rig);
        rig_faults (rig, weather[(i + j) % G_N_ELEMENTS (weather)]);
        n_killed += run_links (rig, points[i]) == 128 + SIGKILL;
        status = run_links (rig, NULL);
        if (!assert_row_int (label, status, 0))
          g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
        assert_linked_once (rig, label);
      }
  g_print (" (%u kills)", n_killed);
  assert_true (n_killed >= G_N_ELEMENTS (points) - 1);
}

/* G11: what a ticket follows has to be there, and closed, before it. */
static void
test_a_follow_up_comes_after_what_it_follows (void)
{
  g_autoptr (Rig) rig = past_rig (2, NULL, NULL);
  g_autofree char *yaml = g_strdup_printf (
      "pipeline: follow-ups\norigin: desk\nafter: [past]\nsource:\n  csv: { path: follow-ups.csv }\n"
      "transform:\n"
      "  - set: { via_followup_source_id: \"ref('ticket', follows)\", comment.body: \"'once more'\" }\n"
      "  - drop: [follows]\n"
      "sink:\n  zendesk-tickets:\n    url: %s\n    access_token: secret\n    key: id\n    settle: 20s\n",
      rig_url (rig));

  rig_write (rig, "follow-ups.yaml", yaml);
  rig_write (rig, "follow-ups.csv", "id,follows\n11,2\n12,\n13,none\n");
  assert_int (rig_run (rig), 0);
  for (guint run = 0; run < 2; run++)
    {
      assert_int (rig_command (rig, "run", "follow-ups.yaml", NULL), 3);
      assert_int (rig_emulator_count (rig, "created"), 4);
    }
  for (guint id = 3; id <= 4; id++)
    {
      g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u/related.json", id);
      g_autofree char *ticket_path = g_strdup_printf ("/api/v2/tickets/%u.json", id);
      g_autofree char *ticket = rig_ask (rig, "GET", ticket_path, NULL);
      g_autofree char *related = rig_ask (rig, "GET", path, NULL);
      gboolean follows = strstr (ticket, "\"desk:11\"") != NULL;

      assert_true (follows || strstr (ticket, "\"desk:12\"") != NULL);
      assert_row_int (ticket_path, strstr (related, "\"followup_source_ids\":[]") == NULL, follows);
    }
}

/* Nobody outside knows what the service makes of it. */
static void
test_a_suspended_author_is_taken_or_rejects_the_record (void)
{
  static const char *const reactions[] = { "take", "refuse" };

  for (guint refuse = 0; refuse < G_N_ELEMENTS (reactions); refuse++)
    {
      g_autoptr (Rig) rig = past_rig (3, "--suspended-people", reactions[refuse]);
      g_autofree char *user = rig_ask (rig, "POST", "/api/v2/users", "{\"user\":{\"name\":\"S\",\"suspended\":true}}");
      const char *id = strstr (user, "\"id\":") + strlen ("\"id\":");
      g_autofree char *yaml = g_strdup_printf (
          "pipeline: suspended\norigin: desk\nsource:\n  csv: { path: tickets.csv }\n"
          "transform:\n  - set: { requester_id: \"CASE id WHEN '2' THEN %.*s ELSE 7 END\", description: body }\n  - drop: [body]\n"
          "sink:\n  zendesk-tickets: { url: \"%s\", access_token: secret, mode: import, key: id }\n"
          "errors: { rejects: rejects.ndjson }\n",
          (int) strspn (id, "0123456789"), id, rig_url (rig));
      g_autofree char *rejects = NULL;

      rig_write (rig, "suspended.yaml", yaml);
      if (!assert_row_int (reactions[refuse], rig_command (rig, "run", "suspended.yaml", NULL), refuse ? 3 : 0))
        g_printerr ("%s", rig_errors (rig));
      assert_row_int (reactions[refuse], rig_emulator_count (rig, "created"), 3 - refuse);
      rejects = rig_read (rig, "rejects.ndjson");
      if (refuse)
        assert_contains (rejects, "Requester: is invalid");
      assert_row_int (reactions[refuse], count (rejects, "\n"), refuse);
    }
}

/* --- the pipelines that the project ships --- */

static void
test_the_shipped_pipelines_run (void)
{
  g_autoptr (Rig) rig = past_rig (1, NULL, NULL);
  g_autofree char *folder = g_build_filename (g_getenv ("SOURCE_ROOT"), "pipelines", "history", NULL);
  g_autofree char *me = rig_ask (rig, "GET", "/api/v2/users/me.json", NULL);
  const char *id = strstr (me, "\"id\":") + strlen ("\"id\":");
  g_autofree char *user = g_strndup (id, strspn (id, "0123456789"));

  rig_setenv (rig, "ZENDESK_URL", rig_url (rig));
  rig_setenv (rig, "ZENDESK_TOKEN", "a-secret");
  rig_setenv (rig, "ZENDESK_PLACEHOLDER", user);
  for (guint run = 0; run < 2; run++)
    {
      assert_int (rig_command (rig, "run", folder, NULL), 0);
      assert_int (rig_emulator_count (rig, "created"), 3);
    }

  for (guint i = 1; i <= 3; i++)
    {
      g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u", i);
      g_autofree char *comments_path = g_strconcat (path, "/comments.json", NULL);
      g_autofree char *ticket = rig_ask (rig, "GET", path, NULL);
      g_autofree char *comments = rig_ask (rig, "GET", comments_path, NULL);
      gboolean is_cause = strstr (ticket, "oldcrm:4001") != NULL, is_linked = strstr (ticket, "oldcrm:4002") != NULL;

      assert_int (count (comments, "\"type\":\"Comment\""), is_cause || is_linked ? 3 : 1);
      assert_int (count (comments, "\"body\":\"#4001 is #"), is_linked ? 1 : 0);
      assert_int (count (comments, "\"content_url\":"), is_cause ? 2 : 0);
      assert_int (count (ticket, "\"problem_id\":null"), is_linked ? 0 : 1);
      assert_int (count (ticket, "\"status\":\"closed\""), is_cause ? 1 : 0);
    }
}

static const Promise promises[] = {
  { "the shipped pipelines run", test_the_shipped_pipelines_run },
  { "a suspended author is taken or rejects the record", test_a_suspended_author_is_taken_or_rejects_the_record },
  { "each crash point of an import", test_each_crash_point_of_an_import },
  { "B2, B3, B4: a lost answer of an import", test_a_lost_answer_of_an_import },
  { "G8: killed after three of five files", test_killed_after_three_of_five_files },
  { "C2: a day later one pass settles all", test_a_day_later_one_pass_settles_all },
  { "C6: an export that is behind is waited for", test_an_export_that_is_behind_is_waited_for },
  { "G10: a ticket that an agent deleted is not made again", test_a_ticket_that_an_agent_deleted_is_not_made_again },
  { "H3: a rotated token changes nothing", test_a_rotated_token_changes_nothing },
  { "G9, G11: each crash point of an update", test_each_crash_point_of_an_update },
  { "G11: a follow-up comes after what it follows", test_a_follow_up_comes_after_what_it_follows },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: imports and updates", promises, argc, argv);
}
