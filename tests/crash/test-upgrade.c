/* test-upgrade.c: another version of the program resumes
 *
 * No earlier version is at hand. What it would have left is written into the ledger by hand, after a run was killed: an older
 * schema, its name, and, where nothing has left yet, its own way to write a request and to make a key. From then on only what is
 * stored may count.
 */
#include "cluster.h"
#include "failures.h"
#include <signal.h>
#include <string.h>

#define N_ROWS 12

static const char an_earlier_ledger[]
    = "SET search_path = tallyman;"
      "ALTER TABLE scopes DROP COLUMN shared_since;"
      "UPDATE meta SET schema_version = 1;"
      "UPDATE runs SET version = '0.0.9'";

static const char written_otherwise[]
    = "SET search_path = tallyman;"
      "ALTER TABLE deliveries DISABLE TRIGGER deliveries_move;"
      "UPDATE deliveries SET idempotency_key = encode(sha256(convert_to('0.0.9:' || key, 'UTF8')), 'hex'),"
      " request = convert_to(replace(replace(convert_from(request, 'UTF8'), '{\"ticket\":', '{ \"ticket\" : '), 'Subject, of',"
      " 'Written by 0.0.9, of'), 'UTF8') WHERE state = 'intended';"
      "UPDATE deliveries SET request_hash = encode(sha256(request), 'hex') WHERE state = 'intended';"
      "ALTER TABLE deliveries ENABLE TRIGGER deliveries_move;"
      "SELECT count(*) FROM deliveries WHERE state = 'intended'";

/* Each begun delivery as the emulator's history has its creation: the key, and FNV-1a of the bytes. */
static GPtrArray *
list_stored (const char *uri)
{
  g_autofree char *list = cluster_query (uri, "SELECT string_agg(idempotency_key || ' ' || encode(request, 'hex'), ',')"
                                              " FROM tallyman.deliveries WHERE state = 'intended'");
  g_auto (GStrv) rows = g_strsplit (list, ",", -1);
  GPtrArray *stored = g_ptr_array_new_with_free_func (g_free);

  for (char **row = rows; *row != NULL; row++)
    {
      const char *hex = strchr (*row, ' ');
      guint64 hash = G_GUINT64_CONSTANT (14695981039346656037);

      for (const char *p = hex + 1; hex != NULL && *p != '\0'; p += 2)
        hash = (hash ^ (guint) (g_ascii_xdigit_value (p[0]) * 16 + g_ascii_xdigit_value (p[1])))
               * G_GUINT64_CONSTANT (1099511628211);
      g_ptr_array_add (stored, g_strdup_printf ("\"key\":\"%.64s\"", *row));
      g_ptr_array_add (stored, g_strdup_printf ("\"body\":\"%016" G_GINT64_MODIFIER "x\"", hash));
    }
  return stored;
}

static void
test_what_an_earlier_version_began_goes_out_as_it_is (void)
{
  static const char *const points[] = { "after-intent-commit:1", "after-send:3", "answer-read:15" };

  if (!cluster_is_available ())
    {
      skip_promise ("no PostgreSQL server is installed");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    {
      g_autofree char *uri = cluster_create_database (cluster_shared ());
      g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);
      g_autofree char *begun = NULL, *history = NULL;
      g_autoptr (GPtrArray) stored = NULL;

      rig_write_pipeline (rig, uri, "    settle: 20s\n", NULL);
      assert_row_int (points[i], failure_crash_at (rig, points[i]), 128 + SIGKILL);
      g_free (cluster_query (uri, an_earlier_ledger));
      begun = i == 0 ? cluster_query (uri, written_otherwise) : g_strdup ("12");
      assert_text (begun, "12");
      stored = list_stored (uri);

      failure_run_to_the_end (rig, points[i], 1);
      rig_exactly_once (rig, 1, N_ROWS, points[i]);
      assert_int (rig_command (rig, "status", "--json", "--ledger", uri, NULL), 0);
      assert_contains (rig_output (rig), "0.0.9");
      if (i > 0)
        continue; /* some had left before */
      history = rig_ask (rig, "GET", "/_emulator/history", NULL);
      for (guint n = 0; n < stored->len; n++)
        assert_contains (history, g_ptr_array_index (stored, n));
    }
}

static const Promise promises[] = {
  { "H4, E7, R3: what an earlier version began goes out as it is", test_what_an_earlier_version_began_goes_out_as_it_is },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: upgrade", promises, argc, argv);
}
