/* runs.c: pipelines, their runs and checkpoints */
#include "database.h"
#include <string.h>

void
tally_ledger_run_free (TallyLedgerRun *run)
{
  if (run == NULL)
    return;

  g_free (run->pipeline);
  g_free (run->target);
  g_free (run->holder);
  g_free (run->version);
  g_free (run->outcome);
  g_free (run->counts);
  g_free (run);
}

#define RUN_COLUMNS                                                                                \
  "r.id, r.pipeline, r.epoch, r.pass, r.target, r.holder, r.version, micros (r.started_at), "      \
  "micros (r.ended_at), r.outcome, r.counts"

static TallyLedgerRun *
run_from_row (const TallyRows *rows, guint row)
{
  TallyLedgerRun *run = g_new0 (TallyLedgerRun, 1);

  run->id = tally_rows_int (rows, row, 0);
  run->pipeline = g_strdup (tally_rows_text (rows, row, 1));
  run->epoch = tally_rows_int (rows, row, 2);
  run->pass = tally_rows_int (rows, row, 3);
  run->target = g_strdup (tally_rows_text (rows, row, 4));
  run->holder = g_strdup (tally_rows_text (rows, row, 5));
  run->version = g_strdup (tally_rows_text (rows, row, 6));
  run->started_at = tally_rows_int (rows, row, 7);
  run->ended_at = tally_rows_int (rows, row, 8);
  run->outcome = g_strdup (tally_rows_text (rows, row, 9));
  run->counts = g_strdup (tally_rows_text (rows, row, 10));
  return run;
}

/* ---- Beginning ---- */

typedef struct
{
  gint64 epoch;
  const char *pipeline;
  const char *target; /* (nullable) */
  TallyRunFlags flags;
  const char *token;   /* by which a later try finds what this one did */
  TallyLedgerRun *run; /* (owned) */
  char *position;      /* (owned) (nullable) */
} Beginning;

/* What the pipeline remembers, if that can be used: the pass that goes on, or 0. */
static gboolean
recall (TallyDatabase *database, Beginning *beginning, gint64 *ret_pass, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;
  const char *target;

  *ret_pass = 0;
  g_clear_pointer (&beginning->position, g_free);
  if (!SQL (database, &rows, error, "SELECT target, position, pass FROM pipelines WHERE name = $1",
            SQL_TEXT (beginning->pipeline)))
    return FALSE;
  if (rows->n_rows == 0)
    return TRUE;

  target = tally_rows_text (rows, 0, 0);
  if (target != NULL && beginning->target != NULL && !g_str_equal (target, beginning->target)
      && !(beginning->flags & TALLY_RUN_NEW_TARGET))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "pipeline \"%s\" delivered to \"%s\" before, and would deliver to \"%s\" "
                        "now: what is there "
                        "already would not be found",
                        beginning->pipeline, target, beginning->target);

  if (beginning->flags & TALLY_RUN_RESUMES && g_strcmp0 (target, beginning->target) == 0
      && !tally_rows_is_null (rows, 0, 1))
    {
      *ret_pass = tally_rows_int (rows, 0, 2);
      beginning->position = g_strdup (tally_rows_text (rows, 0, 1));
    }
  return TRUE;
}

static gboolean
remember (TallyDatabase *database, Beginning *beginning, gint64 *ret_pass, GError **error)
{
  return SQL (database, NULL, error,
              "INSERT INTO pipelines (name, target) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
              SQL_TEXT (beginning->pipeline), SQL_TEXT (beginning->target))
         && recall (database, beginning, ret_pass, error);
}

static gboolean
begin_pass (TallyDatabase *database, const Beginning *beginning, gint64 pass, GError **error)
{
  return SQL (database, NULL, error, "DELETE FROM rejects WHERE pipeline = $1",
              SQL_TEXT (beginning->pipeline))
         && SQL (database, NULL, error,
                 "UPDATE pipelines SET position = NULL, pass = $2, target = COALESCE (CAST ($3 AS "
                 "text), target) "
                 "WHERE name = $1",
                 SQL_TEXT (beginning->pipeline), SQL_INT (pass), SQL_TEXT (beginning->target));
}

/* A run that moves no position before its end has failed, so what it rejected comes again. */
static gboolean
forget_rejects (TallyDatabase *database, const Beginning *beginning, GError **error)
{
  return SQL (database, NULL, error,
              "DELETE FROM rejects WHERE pipeline = $1 AND run IN "
              "(SELECT id FROM runs WHERE pipeline = $1 AND from_position = $2)",
              SQL_TEXT (beginning->pipeline), SQL_TEXT (beginning->position));
}

static gboolean
read_run (TallyDatabase *database, Beginning *beginning, gboolean *ret_found, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error, "SELECT " RUN_COLUMNS " FROM runs r WHERE r.token = $1",
            SQL_TEXT (beginning->token)))
    return FALSE;
  *ret_found = rows->n_rows > 0;
  if (*ret_found)
    {
      g_clear_pointer (&beginning->run, tally_ledger_run_free);
      beginning->run = run_from_row (rows, 0);
    }
  return TRUE;
}

static gboolean
begin_run (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Beginning *beginning = data;
  g_autoptr (TallyRows) rows = NULL;
  gboolean found;
  gint64 pass = 0, id;

  if (!tally_ledger_lock (database, error)
      || !tally_ledger_check_epoch (database, beginning->epoch, error)
      || !read_run (database, beginning, &found, error))
    return FALSE;
  if (found)
    return TRUE;

  if (!remember (database, beginning, &pass, error)
      || !tally_sql (database, &rows, error, "SELECT COALESCE (max (id), 0) + 1 FROM runs", NULL,
                     0))
    return FALSE;
  id = tally_rows_int (rows, 0, 0);
  if (beginning->flags & TALLY_RUN_ASIDE)
    pass = id;
  else if (pass == 0 ? !begin_pass (database, beginning, id, error)
                : beginning->flags & TALLY_RUN_READS_AGAIN && !forget_rejects (database, beginning, error))
    return FALSE;
  return SQL (database, NULL, error,
              "INSERT INTO runs (id, token, pipeline, epoch, pass, target, holder, version, "
              "from_position, started_at) "
              "SELECT CAST ($1 AS bigint), CAST ($2 AS text), CAST ($3 AS text), w.epoch, CAST ($5 "
              "AS bigint), "
              "CAST ($6 AS text), w.host || ' ' || w.pid, CAST ($7 AS text), CAST ($8 AS text), clock_timestamp() "
              "FROM writers w WHERE w.epoch = $4",
              SQL_INT (id), SQL_TEXT (beginning->token), SQL_TEXT (beginning->pipeline),
              SQL_INT (beginning->epoch), SQL_INT (pass != 0 ? pass : id),
              SQL_TEXT (beginning->target), SQL_TEXT (TALLY_VERSION), SQL_TEXT (beginning->position))
         && read_run (database, beginning, &found, error);
}

gboolean
tally_ledger_begin_run (TallyLedger *ledger, gint64 epoch, const char *pipeline, const char *target,
                        TallyRunFlags flags, TallyLedgerRun **ret_run, char **ret_position,
                        GError **error)
{
  g_autofree char *token = tally_random_id ();
  Beginning beginning = { .epoch = epoch,
                          .pipeline = pipeline,
                          .target = target,
                          .flags = flags,
                          .token = token };

  g_return_val_if_fail (pipeline != NULL && *pipeline != '\0', FALSE);
  if (!tally_ledger_transact (ledger, /* write= */ TRUE, begin_run, &beginning, error))
    {
      tally_ledger_run_free (beginning.run);
      g_free (beginning.position);
      return FALSE;
    }

  *ret_run = beginning.run;
  *ret_position = beginning.position;
  return TRUE;
}

/* ---- What a sink knows better ---- */

typedef struct
{
  gint64 epoch;
  const char *pipeline;
  gint64 pass, run;
  const char *position;
  gboolean adopted;
} Adoption;

static gboolean
has_ended_complete (TallyDatabase *database, const Adoption *adoption, gboolean *ret_has,
                    GError **error)
{
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error,
            "SELECT 1 FROM runs WHERE pipeline = $1 AND pass = $2 AND id >= $3 AND outcome LIKE 'complete%' "
            "LIMIT 1",
            SQL_TEXT (adoption->pipeline), SQL_INT (adoption->pass), SQL_INT (adoption->run)))
    return FALSE;
  *ret_has = rows->n_rows > 0;
  return TRUE;
}

static gboolean
adopt (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Adoption *adoption = data;
  g_autoptr (TallyRows) rows = NULL;
  gboolean ended;
  gint64 pass;

  adoption->adopted = FALSE;
  if (!tally_ledger_lock (database, error)
      || !tally_ledger_check_epoch (database, adoption->epoch, error)
      || !SQL (database, &rows, error, "SELECT pass FROM pipelines WHERE name = $1",
               SQL_TEXT (adoption->pipeline)))
    return FALSE;

  pass = rows->n_rows > 0 ? tally_rows_int (rows, 0, 0) : 0;
  if (pass < adoption->pass)
    return tally_throw (error, TALLY_ERROR_LEDGER,
                        "the target has rows of pass %" G_GINT64_FORMAT " of pipeline \"%s\", which "
                        "this ledger does not know: it is a copy from before",
                        adoption->pass, adoption->pipeline);
  if (pass > adoption->pass)
    return TRUE;
  if (!has_ended_complete (database, adoption, &ended, error))
    return FALSE;
  if (ended)
    return TRUE;

  adoption->adopted = TRUE;
  return SQL (database, NULL, error, "UPDATE pipelines SET position = $2 WHERE name = $1",
              SQL_TEXT (adoption->pipeline), SQL_TEXT (adoption->position));
}

typedef struct
{
  Beginning beginning;
  Adoption adoption;
} Peek;

static gboolean
peek (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Peek *peek = data;
  gboolean ended = TRUE;
  gint64 pass;
  g_autoptr (TallyRows) rows = NULL;

  if (!recall (database, &peek->beginning, &pass, error)
      || !SQL (database, &rows, error, "SELECT pass FROM pipelines WHERE name = $1",
               SQL_TEXT (peek->beginning.pipeline)))
    return FALSE;
  if (peek->adoption.pass > 0 && rows->n_rows > 0 && tally_rows_int (rows, 0, 0) == peek->adoption.pass
      && !has_ended_complete (database, &peek->adoption, &ended, error))
    return FALSE;
  peek->adoption.adopted = !ended;
  return TRUE;
}

gboolean
tally_ledger_peek (TallyLedger *ledger, const char *pipeline, const char *target, TallyRunFlags flags,
                   gint64 adopted_pass, gint64 adopted_run, char **ret_position, gboolean *ret_adopted,
                   GError **error)
{
  Peek wish = { .beginning = { .pipeline = pipeline, .target = target, .flags = flags },
                .adoption = { .pipeline = pipeline, .pass = adopted_pass, .run = adopted_run } };

  if (!tally_ledger_transact (ledger, /* write= */ FALSE, peek, &wish, error))
    {
      g_free (wish.beginning.position);
      return FALSE;
    }
  *ret_position = wish.beginning.position;
  *ret_adopted = wish.adoption.adopted;
  return TRUE;
}

gboolean
tally_ledger_adopt (TallyLedger *ledger, gint64 epoch, const char *pipeline, gint64 pass, gint64 run,
                    const char *position, gboolean *ret_adopted, GError **error)
{
  Adoption adoption
      = { .epoch = epoch, .pipeline = pipeline, .pass = pass, .run = run, .position = position };

  if (!tally_ledger_transact (ledger, /* write= */ TRUE, adopt, &adoption, error))
    return FALSE;
  *ret_adopted = adoption.adopted;
  return TRUE;
}

/* ---- Ending ---- */

typedef struct
{
  const TallyLedgerRun *run;
  const char *from, *to;
} Moving;

static gboolean
move_position (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const Moving *moving = data;
  const TallyLedgerRun *run = moving->run;

  return tally_ledger_check_epoch (database, run->epoch, error)
         && SQL (database, NULL, error, "UPDATE pipelines SET position = $4 WHERE name = $1 AND pass = $2 AND position = $3",
                 SQL_TEXT (run->pipeline), SQL_INT (run->pass), SQL_TEXT (moving->from), SQL_TEXT (moving->to));
}

gboolean
tally_ledger_move_position (TallyLedger *ledger, const TallyLedgerRun *run, const char *from, const char *to, GError **error)
{
  Moving moving = { .run = run, .from = from, .to = to };

  return tally_ledger_transact (ledger, /* write= */ TRUE, move_position, &moving, error);
}

typedef struct
{
  const TallyLedgerRun *run;
  const char *outcome;
  const char *counts;
  gboolean keep_position;
} Ending;

static gboolean
end_run (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const Ending *ending = data;
  const TallyLedgerRun *run = ending->run;

  if (!tally_ledger_check_epoch (database, run->epoch, error)
      || !SQL (
          database, NULL, error,
          "UPDATE runs SET ended_at = clock_timestamp(), outcome = $2, counts = $3 WHERE id = $1",
          SQL_INT (run->id), SQL_TEXT (ending->outcome), SQL_TEXT (ending->counts))
      || !SQL (database, NULL, error,
               "UPDATE deliveries SET state = 'in doubt' WHERE state IN ('intended', 'in doubt') "
               "AND state = 'intended' AND run = $1",
               SQL_INT (run->id)))
    return FALSE;
  if (ending->keep_position)
    return TRUE;
  return SQL (database, NULL, error,
              "UPDATE pipelines SET position = NULL WHERE name = $1 AND pass = $2",
              SQL_TEXT (run->pipeline), SQL_INT (run->pass));
}

gboolean
tally_ledger_end_run (TallyLedger *ledger, const TallyLedgerRun *run, const char *outcome,
                      const char *counts, gboolean keep_position, GError **error)
{
  Ending ending
      = { .run = run, .outcome = outcome, .counts = counts, .keep_position = keep_position };

  g_return_val_if_fail (outcome != NULL, FALSE);
  return tally_ledger_transact (ledger, /* write= */ TRUE, end_run, &ending, error);
}

/* ---- Listing ---- */

typedef struct
{
  const char *pipeline;
  guint limit;
  GPtrArray *runs; /* (owned) */
} Listing;

static gboolean
name_killed (TallyDatabase *database, TallyLedgerRun *run, GError **error)
{
  gboolean over;

  if (run->ended_at != 0)
    return TRUE;
  if (!tally_ledger_epoch_is_over (database, run->epoch, &over, error))
    return FALSE;
  if (over)
    run->outcome = g_strdup ("killed");
  return TRUE;
}

static gboolean
list_runs (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Listing *listing = data;
  g_autoptr (TallyRows) rows = NULL;

  g_clear_pointer (&listing->runs, g_ptr_array_unref);
  listing->runs = g_ptr_array_new_with_free_func ((GDestroyNotify)tally_ledger_run_free);
  if (!SQL (database, &rows, error,
            "SELECT " RUN_COLUMNS " FROM runs r WHERE CAST ($1 AS text) IS NULL OR r.pipeline = $1 "
            "ORDER BY r.id DESC LIMIT $2",
            SQL_TEXT (listing->pipeline), SQL_INT (listing->limit)))
    return FALSE;

  for (guint i = 0; i < rows->n_rows; i++)
    {
      g_ptr_array_add (listing->runs, run_from_row (rows, i));
      if (!name_killed (database, g_ptr_array_index (listing->runs, i), error))
        return FALSE;
    }
  return TRUE;
}

GPtrArray *
tally_ledger_list_runs (TallyLedger *ledger, const char *pipeline, guint limit, GError **error)
{
  Listing listing = { .pipeline = pipeline, .limit = limit };

  if (tally_ledger_transact (ledger, /* write= */ FALSE, list_runs, &listing, error))
    return listing.runs;

  g_clear_pointer (&listing.runs, g_ptr_array_unref);
  return NULL;
}

static gboolean
list_pipelines (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  GPtrArray *names = data;
  g_autoptr (TallyRows) rows = NULL;

  if (!tally_sql (database, &rows, error, "SELECT name FROM pipelines ORDER BY name", NULL, 0))
    return FALSE;

  g_ptr_array_set_size (names, 0);
  for (guint i = 0; i < rows->n_rows; i++)
    g_ptr_array_add (names, g_strdup (tally_rows_text (rows, i, 0)));
  return TRUE;
}

GPtrArray *
tally_ledger_list_pipelines (TallyLedger *ledger, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (!tally_ledger_transact (ledger, /* write= */ FALSE, list_pipelines, names, error))
    return NULL;
  return g_steal_pointer (&names);
}
