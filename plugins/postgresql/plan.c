/* plan.c: what a run would do to the table; nothing is changed there
 *
 * The transaction can only read, so that the server itself sees to it, and close() ends it without a commit.  An upsert needs the
 * stage that a run has: a temporary table is all that is made, before the transaction becomes one that only reads.
 */
#include "catalog.h"
#include "identifier.h"
#include "probe.h"
#include "sink-private.h"

/* Not there when the run begins. */
static gboolean
is_new (const PgSink *sink, const char *name)
{
  return sink->plan->makes_table || g_ptr_array_find_with_equal_func (sink->plan->added, name, g_str_equal, NULL);
}

static void
append_item (GString *list, const char *item)
{
  g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", item);
}

/* A column as SQL finds it in what there is: NULL if it is new.  prefix: with its dot, or "". */
static char *
compose_value (const PgSink *sink, const TallyColumn *column, const char *prefix)
{
  g_autoptr (GString) sql = g_string_new (NULL);

  if (is_new (sink, column->name))
    return g_strdup_printf ("NULL::%s", pg_type_for (column->type));
  g_string_append (sql, prefix);
  pg_append_identifier (column->name, sql);
  return g_string_free (g_steal_pointer (&sql), FALSE);
}

static const TallyColumn *
written_column (const PgSink *sink, guint i)
{
  return tally_schema_column (sink->schema, g_array_index (sink->columns, PgColumn, i).index);
}

/* ---- Open ---- */

/* The stage of a run, of the types that the table has or would have. */
static char *
compose_stage (const PgSink *sink)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < sink->columns->len; i++)
    {
      const TallyColumn *column = written_column (sink, i);
      g_autofree char *value = compose_value (sink, column, "");

      append_item (list, value);
      g_string_append (list, " AS ");
      pg_append_identifier (column->name, list);
    }
  return g_strdup_printf ("CREATE TEMPORARY TABLE tallyman_stage ON COMMIT DROP AS SELECT %s, 0::bigint AS tallyman_row %s%s WITH NO DATA",
                          list->str, sink->plan->makes_table ? "" : "FROM ", sink->plan->makes_table ? "" : sink->target);
}

/* Without a unique index on the key a run merges nothing.  The server says so when it is asked how it would go about it. */
static gboolean
check_key (PgSink *sink, GError **error)
{
  g_autoptr (GString) key = g_string_new (NULL);
  g_autofree char *sql = NULL;

  for (char **name = sink->key; *name != NULL; name++)
    {
      append_item (key, "");
      pg_append_identifier (*name, key);
    }
  sql = g_strdup_printf ("EXPLAIN INSERT INTO %s (%s) SELECT %s FROM tallyman_stage ON CONFLICT (%s) DO NOTHING", sink->target,
                         key->str, key->str, key->str);
  return pg_do (sink->conn, sql, error) || tally_throw_prefix (error, "the server would refuse each row");
}

static gboolean
make_stage (PgSink *sink, GError **error)
{
  g_autofree char *sql = compose_stage (sink);

  pg_sink_compose_copy (sink);
  return pg_do (sink->conn, sql, error) && pg_do (sink->conn, "SET TRANSACTION READ ONLY", error)
         && (sink->plan->makes_table || check_key (sink, error));
}

static void
tell_names (TallyContext *ctx, const char *fact, const GPtrArray *names)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < names->len; i++)
    append_item (list, g_ptr_array_index (names, i));
  if (names->len > 0)
    tally_context_plan_text (ctx, fact, list->str);
}

static void
tell_table (const PgSink *sink, TallyContext *ctx)
{
  g_autofree char *create = pg_sink_compose_create (sink, sink->target);
  g_autofree char *made = g_strconcat ("would be made: ", create, NULL);

  tally_context_plan_text (ctx, "table", sink->plan->makes_table ? made : sink->target);
  tally_context_plan_text (ctx, "mode", pg_sink_modes[sink->mode]);
  tell_names (ctx, "columns_added", sink->plan->added);
  tell_names (ctx, "columns_left_out", sink->plan->left_out);
}

static gboolean
plan_open (gpointer self, TallyContext *ctx, GError **error)
{
  PgSink *sink = self;
  gboolean stages = sink->mode == MODE_UPSERT;

  sink->plan = g_new0 (PgPlan, 1);
  sink->plan->added = g_ptr_array_new ();
  sink->plan->left_out = g_ptr_array_new ();
  if (!pg_sink_connect (sink, ctx, error)
      || !(stages ? pg_begin_write (sink->conn, error) : pg_begin_read (sink->conn, error))
      || !pg_sink_look_at_table (sink, ctx, error) || !pg_sink_check_rights (sink, error)
      || (stages && !make_stage (sink, error)))
    return FALSE;
  tell_table (sink, ctx);
  return TRUE;
}

gboolean
pg_sink_probe (gpointer self, TallyContext *ctx, GError **error)
{
  const PgSink *sink = self;

  if (!pg_probe_server (sink->conn, ctx, error) || !pg_probe_durability (sink->conn, ctx, error))
    return FALSE;
  tally_context_tell (ctx, TALLY_FINDING_OK, NULL, sink->plan->makes_table ? "the table %s is not there; a run makes it, and may"
                                                                           : "a run may write to the table %s", sink->target);
  return TRUE;
}

/* ---- Rows ---- */

static TallyFlow
plan_write (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  PgSink *sink = self;
  guint n_rows = tally_batch_n_rows (batch);

  if (sink->mode == MODE_UPSERT && !(pg_sink_write_batch (sink, batch, error) && pg_sink_settle (sink, error)))
    return TALLY_FLOW_FATAL;
  sink->plan->n_taken += n_rows;
  return TALLY_FLOW_OK;
}

/* ---- End ---- */

/* What a run's merges come to: of rows with one key the last counts, and a row is compared as they do it. */
static char *
compose_comparison (const PgSink *sink)
{
  g_autoptr (GString) key = g_string_new (NULL), same = g_string_new (NULL), old = g_string_new (NULL),
                      new = g_string_new (NULL);
  g_autofree char *there = NULL, *differs = NULL;

  for (guint i = 0; i < sink->columns->len; i++)
    {
      const TallyColumn *column = written_column (sink, i);
      g_autofree char *before = compose_value (sink, column, "t.");
      g_autoptr (GString) name = g_string_new (NULL), after = g_string_new ("s.");

      pg_append_identifier (column->name, name);
      g_string_append (after, name->str);
      if (pg_sink_is_key (sink, column->name))
        {
          append_item (key, name->str);
          g_string_append_printf (same, "%s%s = %s", same->len > 0 ? " AND " : "", after->str, before);
          continue;
        }
      append_item (old, before);
      append_item (new, after->str);
    }
  there = sink->plan->makes_table ? g_strdup ("(SELECT true AS tallyman_there WHERE false)")
                                  : g_strdup_printf ("(SELECT *, true AS tallyman_there FROM %s)", sink->target);
  differs = old->len == 0 ? g_strdup ("false")
                          : g_strdup_printf ("ROW (%s)::record *<> ROW (%s)::record", old->str, new->str);
  return g_strdup_printf ("SELECT count (*) FILTER (WHERE tallyman_there IS NULL), count (*) FILTER (WHERE tallyman_there AND %s), "
                          "count (*) FILTER (WHERE tallyman_there AND NOT %s) FROM (SELECT DISTINCT ON (%s) * FROM tallyman_stage "
                          "ORDER BY %s, tallyman_row DESC) s LEFT JOIN %s t ON %s",
                          differs, differs, key->str, key->str, there, same->str);
}

/* Tells the numbers of a row that SQL gives. */
static gboolean
tell_numbers (PgSink *sink, TallyContext *ctx, const char *sql, const char *const *facts, guint n_facts, GError **error)
{
  g_autoptr (PGresult) result = pg_run (sink->conn, sql, error);

  for (guint i = 0; result != NULL && i < n_facts; i++)
    tally_context_plan_number (ctx, facts[i], g_ascii_strtoll (PQgetvalue (result, 0, (int)i), NULL, 10));
  return result != NULL;
}

static gboolean
tell_upsert (PgSink *sink, TallyContext *ctx, GError **error)
{
  static const char *const facts[] = { "rows_inserted", "rows_changed", "rows_unchanged" };
  g_autofree char *sql = compose_comparison (sink);

  return tell_numbers (sink, ctx, sql, facts, G_N_ELEMENTS (facts), error);
}

/* A run deletes rows that it may not be able to count. */
static gboolean
tell_rows_before (PgSink *sink, TallyContext *ctx, GError **error)
{
  static const char *const facts[] = { "rows_before" };
  const char *values[] = { sink->target };
  g_autofree char *sql = g_strdup_printf ("SELECT count (*) FROM %s", sink->target);
  g_autoptr (PGresult) result = NULL;

  if (sink->plan->makes_table)
    {
      tally_context_plan_number (ctx, facts[0], 0);
      return TRUE;
    }
  result = pg_run_with (sink->conn, "SELECT has_any_column_privilege (to_regclass ($1)::oid, 'SELECT')", values, 1, error);
  if (result == NULL)
    return FALSE;
  return *PQgetvalue (result, 0, 0) != 't' || tell_numbers (sink, ctx, sql, facts, G_N_ELEMENTS (facts), error);
}

static gboolean
tell_replace (PgSink *sink, TallyContext *ctx, GError **error)
{
  if (!tell_rows_before (sink, ctx, error))
    return FALSE;
  tally_context_plan_number (ctx, "rows_after", sink->plan->n_taken);
  return TRUE;
}

static TallyFlow
plan_end (gpointer self, TallyContext *ctx, GError **error)
{
  PgSink *sink = self;
  gboolean good = TRUE;

  if (sink->mode == MODE_UPSERT)
    good = tell_upsert (sink, ctx, error);
  else if (sink->mode == MODE_REPLACE)
    good = tell_replace (sink, ctx, error);
  else
    tally_context_plan_number (ctx, "rows_added", sink->plan->n_taken);
  return good ? TALLY_FLOW_OK : TALLY_FLOW_FATAL;
}

const TallyPlanSink pg_sink_plan = {
  TALLY_PLAN_SINK_INIT,
  .open = plan_open,
  .write = plan_write,
  .end = plan_end,
};
