/* test-pace.c: as much as an account allows, and hardly an answer that is a refusal, by the emulator's history
 *
 * Ten minutes of the account's clock are one of ours.  What happens in the first minutes, before the limit is known and the
 * runs share it, and in the last one, is not measured.
 */
#include "promise.h"
#include "rig.h"
#include <json-c/json.h>

#define RATE "10"
#define LIMIT 700 /* of the plan "enterprise" */
#define OURS (LIMIT - LIMIT / 5)
#define MINUTES 3 /* that are measured */
#define N_ROWS ((MINUTES + 2) * OURS)
#define RUNS_MOST 3

static Rig *
pace_rig (guint n_runs)
{
  Rig *rig = rig_new (TRUE, "--plan", "enterprise", "--time-rate", RATE, NULL);

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", RATE);
  rig_write_rows (rig, 1, N_ROWS);
  for (guint i = 0; i < n_runs; i++)
    {
      g_autofree char *name = g_strdup_printf ("part-%u.yaml", i);
      g_autofree char *yaml = g_strdup_printf (
          "pipeline: part-%u\norigin: desk-%u\nsource:\n  csv: { path: tickets.csv }\n"
          "transform:\n  - filter: id::int %% %u = %u\n  - rename: { comment.body: body }\n"
          "sink:\n  zendesk-tickets:\n    url: %s\n    access_token: secret\n    key: id\n    in-flight: 64\n",
          i, i, n_runs, i, rig_url (rig));

      rig_write (rig, name, yaml);
    }
  return rig;
}

static gint64
start_run (Rig *rig, guint i)
{
  g_autofree char *name = g_strdup_printf ("part-%u", i), *file = g_strconcat (name, ".yaml", NULL);

  return rig_spawn (rig, name, "run", file, NULL);
}

typedef struct
{
  guint good, refused;
} Minute;

/* What was asked for in each minute of the account's clock, from the first on. */
static GArray *
read_minutes (Rig *rig)
{
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);
  g_auto (GStrv) lines = g_strsplit (history, "\n", -1);
  GArray *minutes = g_array_new (FALSE, TRUE, sizeof (Minute));
  gint64 first = -1;

  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    {
      json_object *event = json_tokener_parse (*line);

      if (g_str_equal (json_object_get_string (json_object_object_get (event, "event")), "request"))
        {
          const char *at = json_object_get_string (json_object_object_get (event, "time"));
          g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (at, NULL);
          gint64 minute = g_date_time_to_unix (time) / 60;
          Minute *here;

          first = first < 0 ? minute : first;
          if (minute - first >= minutes->len)
            g_array_set_size (minutes, (guint) (minute - first) + 1);
          here = &g_array_index (minutes, Minute, minute - first);
          if (json_object_get_int (json_object_object_get (event, "status")) == 429)
            here->refused++;
          else
            here->good++;
        }
      json_object_put (event);
    }
  return minutes;
}

static void
measure (guint n_runs)
{
  g_autoptr (Rig) rig = pace_rig (n_runs);
  g_autofree char *label = g_strdup_printf ("%u at once", n_runs);
  gint64 runs[RUNS_MOST];
  guint good = 0, refused = 0;

  for (guint i = 0; i < n_runs; i++)
    runs[i] = start_run (rig, i);
  for (guint i = 0; i < n_runs; i++)
    assert_row_int (label, rig_reap (runs[i]), 0);
  assert_row_int (label, rig_emulator_count (rig, "created"), N_ROWS);
  assert_row_int (label, rig_emulator_count (rig, "duplicates"), 0);

  g_autoptr (GArray) minutes = read_minutes (rig);
  assert_row_int (label, minutes->len >= MINUTES + 2, TRUE);
  for (guint i = minutes->len - 1 - MINUTES; i < minutes->len - 1; i++)
    {
      good += g_array_index (minutes, Minute, i).good;
      refused += g_array_index (minutes, Minute, i).refused;
    }
  g_print (" (%s: %.1f %% used, %u of %u refused)", label, 100.0 * good / (MINUTES * OURS), refused, good + refused);
  assert_row_int (label, good >= 0.97 * MINUTES * OURS, TRUE);
  assert_row_int (label, good <= MINUTES * LIMIT, TRUE);
  assert_row_int (label, refused * 1000 < good, TRUE);
}

static void
test_a_run_uses_what_is_allowed (void)
{
  measure (1);
}

static void
test_three_runs_share_it (void)
{
  measure (3);
}

static const Promise promises[] = {
  { "a run uses what is allowed", test_a_run_uses_what_is_allowed },
  { "three runs share it", test_three_runs_share_it },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("pace", promises, argc, argv);
}
