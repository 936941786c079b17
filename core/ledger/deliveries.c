/* deliveries.c: finding, listing and committing deliveries, and the user's word on one */
#include "database.h"
#include <string.h>

#define PAGE 200

static gboolean
check_key (const char *key, GError **error)
{
  gsize length = key != NULL ? strlen (key) : 0;

  if (length == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "a key is empty");
  if (length > TALLY_LEDGER_KEY_MAX)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "key \"%.40s…\" has %" G_GSIZE_FORMAT " bytes, at most %d are kept", key,
                        length, TALLY_LEDGER_KEY_MAX);
  if (!g_utf8_validate (key, length, NULL))
    return tally_throw (error, TALLY_ERROR_DATA, "key \"%s\" is not UTF-8", key);
  return TRUE;
}

/* ---- Finding and listing ---- */

GPtrArray *
tally_ledger_find (TallyLedger *ledger, gint64 scope, const char *const *keys, guint n_keys,
                   GError **error)
{
  g_autoptr (GHashTable) found = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (TallyRows) rows = NULL;
  GPtrArray *deliveries;

  for (guint i = 0; i < n_keys; i++)
    if (!check_key (keys[i], error))
      return NULL;
  for (guint tries = 0; rows == NULL; tries++)
    {
      g_autoptr (GError) local = NULL;
      TallyDatabase *database = ledger->database;

      database->failure = TALLY_FAILURE_FINAL;
      if (database->class->reopen (database, &local))
        rows = database->class->find (database, scope, keys, n_keys, &local);
      if (rows == NULL && !tally_ledger_try_again (ledger, tries))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return NULL;
        }
    }

  for (guint i = 0; i < rows->n_rows; i++)
    g_hash_table_insert (found, (gpointer)tally_rows_text (rows, i, 1), GUINT_TO_POINTER (i + 1));
  deliveries = g_ptr_array_new_full (n_keys, (GDestroyNotify)tally_ledger_delivery_free);
  for (guint i = 0; i < n_keys; i++)
    {
      guint row = GPOINTER_TO_UINT (g_hash_table_lookup (found, keys[i]));
      g_ptr_array_add (deliveries, row != 0 ? tally_delivery_from_row (rows, row - 1) : NULL);
    }
  return deliveries;
}

typedef struct
{
  gint64 scope;
  const char *after;
  guint limit;
  GPtrArray *deliveries; /* (owned) */
} UnsettledPage;

static gboolean
list_unsettled (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  UnsettledPage *page = data;
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error,
            "SELECT " DELIVERY_COLUMNS ", d.request FROM deliveries d "
            "WHERE d.scope = $1 AND d.key > $2 AND d.state IN ('intended', 'in doubt') ORDER BY "
            "d.key LIMIT $3",
            SQL_INT (page->scope), SQL_TEXT (page->after != NULL ? page->after : ""),
            SQL_INT (page->limit)))
    return FALSE;

  g_clear_pointer (&page->deliveries, g_ptr_array_unref);
  page->deliveries = g_ptr_array_new_with_free_func ((GDestroyNotify)tally_ledger_delivery_free);
  for (guint i = 0; i < rows->n_rows; i++)
    g_ptr_array_add (page->deliveries, tally_delivery_from_row (rows, i));
  return TRUE;
}

GPtrArray *
tally_ledger_list_unsettled (TallyLedger *ledger, gint64 scope, const char *after, guint limit,
                             GError **error)
{
  UnsettledPage page = { .scope = scope, .after = after, .limit = limit };

  if (tally_ledger_transact (ledger, /* write= */ FALSE, list_unsettled, &page, error))
    return page.deliveries;
  g_clear_pointer (&page.deliveries, g_ptr_array_unref);
  return NULL;
}

typedef struct
{
  const TallyLedgerFilter *filter;
  char *sql; /* (owned) */
  gint64 after_scope;
  char *after_key; /* (owned) */
  TallyRows *rows; /* (owned) */
} DeliveryPages;

static char *
compose_filter (const TallyLedgerFilter *filter)
{
  GString *sql = g_string_new ("SELECT " DELIVERY_COLUMNS ", ");
  guint n_values = 2;

  /* The bytes may be many: only for a person who asks for one record. */
  g_string_append (sql, filter->key != NULL ? "d.request" : "NULL");
  g_string_append (sql, ", s.target, s.entity, s.origin, r.pipeline FROM scopes s JOIN deliveries "
                        "d ON d.scope = s.id "
                        "JOIN runs r ON r.id = d.run WHERE (d.scope, d.key) > ($1, $2)");
  if (filter->key != NULL)
    g_string_append_printf (sql, " AND d.key = $%u", ++n_values);
  if (filter->pipeline != NULL)
    g_string_append_printf (sql, " AND r.pipeline = $%u", ++n_values);
  if (filter->scope != 0)
    g_string_append_printf (sql, " AND d.scope = $%u", ++n_values);
  /* Spelt as in the partial indexes, because SQLite takes no other word for it. */
  if (filter->unsettled
      || (!filter->any_state && tally_delivery_state_is_unsettled (filter->state)))
    g_string_append (sql, " AND d.state IN ('intended', 'in doubt')");
  if (!filter->unsettled && !filter->any_state)
    g_string_append_printf (sql, " AND d.state = '%s'", tally_delivery_state_name (filter->state));
  g_string_append_printf (sql, " ORDER BY d.scope, d.key LIMIT %d", PAGE);
  return g_string_free (sql, FALSE);
}

static gboolean
read_page (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  DeliveryPages *pages = data;
  const TallyLedgerFilter *filter = pages->filter;
  TallySqlValue values[5] = { SQL_INT (pages->after_scope), SQL_TEXT (pages->after_key) };
  guint n_values = 2;

  if (filter->key != NULL)
    values[n_values++] = (TallySqlValue)SQL_TEXT (filter->key);
  if (filter->pipeline != NULL)
    values[n_values++] = (TallySqlValue)SQL_TEXT (filter->pipeline);
  if (filter->scope != 0)
    values[n_values++] = (TallySqlValue)SQL_INT (filter->scope);
  g_clear_pointer (&pages->rows, tally_rows_free);
  return tally_sql (database, &pages->rows, error, pages->sql, values, n_values);
}

static gboolean
hand_out_page (DeliveryPages *pages, TallyLedgerEach each, gpointer data, GError **error)
{
  for (guint i = 0; i < pages->rows->n_rows; i++)
    {
      g_autoptr (TallyLedgerDelivery) delivery = tally_delivery_from_row (pages->rows, i);
      TallyScope scope = { .target = tally_rows_text (pages->rows, i, N_DELIVERY_COLUMNS + 1),
                           .entity = tally_rows_text (pages->rows, i, N_DELIVERY_COLUMNS + 2),
                           .origin = tally_rows_text (pages->rows, i, N_DELIVERY_COLUMNS + 3) };

      delivery->pipeline = g_strdup (tally_rows_text (pages->rows, i, N_DELIVERY_COLUMNS + 4));
      pages->after_scope = delivery->scope;
      g_free (pages->after_key);
      pages->after_key = g_strdup (delivery->key);
      if (!each (delivery, &scope, data, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
tally_ledger_each_delivery (TallyLedger *ledger, const TallyLedgerFilter *filter,
                            TallyLedgerEach each, gpointer data, GError **error)
{
  DeliveryPages pages
      = { .filter = filter, .sql = compose_filter (filter), .after_key = g_strdup ("") };
  gboolean good;

  do
    good = tally_ledger_transact (ledger, /* write= */ FALSE, read_page, &pages, error)
           && hand_out_page (&pages, each, data, error);
  while (good && pages.rows->n_rows == PAGE);

  tally_rows_free (pages.rows);
  g_free (pages.sql);
  g_free (pages.after_key);
  return good;
}

/* ---- Committing ---- */

static gboolean
check_change (const TallyLedgerChange *change, GError **error)
{
  g_return_val_if_fail (change->epoch > 0 && change->serial > 0 && change->lease_ttl > 0, FALSE);
  g_return_val_if_fail (change->run != NULL
                            || (change->n_intents == 0 && change->n_outcomes == 0
                                && change->n_seen == 0 && change->n_rejects == 0
                                && change->position == NULL),
                        FALSE);
  g_return_val_if_fail (change->n_intents == 0 || change->taken != NULL, FALSE);
  if (change->position != NULL && !g_utf8_validate (change->position, -1, NULL))
    return tally_throw (error, TALLY_ERROR_DATA, "the source's position is not UTF-8");
  for (guint i = 0; i < change->n_intents; i++)
    {
      const TallyLedgerDelivery *intent = change->intents[i];

      g_return_val_if_fail (intent->request != NULL && intent->generation >= 1, FALSE);
      g_return_val_if_fail (intent->idempotency_key != NULL && intent->request_hash != NULL
                                && intent->content_hash != NULL && intent->row_origin != NULL
                                && intent->reference != NULL,
                            FALSE);
      if (!check_key (intent->key, error))
        return FALSE;
    }
  for (guint i = 0; i < change->n_outcomes; i++)
    {
      const TallyLedgerOutcome *outcome = &change->outcomes[i];

      g_return_val_if_fail (outcome->key != NULL && outcome->state != TALLY_DELIVERY_DISCARDED,
                            FALSE);
      g_return_val_if_fail (outcome->state != TALLY_DELIVERY_DELIVERED
                                || (outcome->target_id != NULL && *outcome->target_id != '\0'),
                            FALSE);
    }
  return TRUE;
}

/* A change whose text for a person is text: what a file is called and what a server answers may be
 * any bytes, and a database that takes only UTF-8 must not stop the run for it. */
typedef struct
{
  TallyLedgerChange change;
  GPtrArray *copies; /* (owned) */
} CleanChange;

static char *
clean (CleanChange *cleaned, const char *text)
{
  char *copy = tally_clean_text (text);

  if (copy != NULL)
    g_ptr_array_add (cleaned->copies, copy);
  return copy;
}

static gpointer
copy_array (CleanChange *cleaned, gconstpointer array, gsize size)
{
  gpointer copy = g_memdup2 (array, size);

  g_ptr_array_add (cleaned->copies, copy);
  return copy;
}

static void
clean_intents (CleanChange *cleaned, const TallyLedgerChange *change)
{
  guint n = change->n_intents;
  TallyLedgerDelivery **intents = copy_array (cleaned, change->intents, n * sizeof *intents);

  for (guint i = 0; i < n; i++)
    {
      intents[i] = copy_array (cleaned, change->intents[i], sizeof *intents[i]);
      intents[i]->row_origin = clean (cleaned, intents[i]->row_origin);
    }
  cleaned->change.intents = intents;
}

static void
clean_outcomes (CleanChange *cleaned, const TallyLedgerChange *change)
{
  guint n = change->n_outcomes;
  TallyLedgerOutcome *outcomes = copy_array (cleaned, change->outcomes, n * sizeof *outcomes);

  for (guint i = 0; i < n; i++)
    {
      outcomes[i].target_id = clean (cleaned, outcomes[i].target_id);
      outcomes[i].other_ids = clean (cleaned, outcomes[i].other_ids);
      outcomes[i].detail = clean (cleaned, outcomes[i].detail);
      outcomes[i].event = clean (cleaned, outcomes[i].event);
      outcomes[i].receipt = clean (cleaned, outcomes[i].receipt);
    }
  cleaned->change.outcomes = outcomes;
}

static void
clean_rejects (CleanChange *cleaned, const TallyLedgerChange *change)
{
  guint n = change->n_rejects;
  TallyReject *rejects = copy_array (cleaned, change->rejects, n * sizeof *rejects);

  for (guint i = 0; i < n; i++)
    {
      rejects[i].origin = clean (cleaned, rejects[i].origin);
      rejects[i].stage = clean (cleaned, rejects[i].stage);
      rejects[i].reason = clean (cleaned, rejects[i].reason);
      rejects[i].record = g_utf8_make_valid (rejects[i].record, -1);
      g_ptr_array_add (cleaned->copies, rejects[i].record);
    }
  cleaned->change.rejects = rejects;
}

static void
clean_change (CleanChange *cleaned, const TallyLedgerChange *change)
{
  TallyLedgerSeen *seen;

  cleaned->change = *change;
  cleaned->copies = g_ptr_array_new_with_free_func (g_free);
  clean_intents (cleaned, change);
  clean_outcomes (cleaned, change);
  clean_rejects (cleaned, change);
  seen = copy_array (cleaned, change->seen, change->n_seen * sizeof *seen);
  for (guint i = 0; i < change->n_seen; i++)
    seen[i].row_origin = clean (cleaned, seen[i].row_origin);
  cleaned->change.seen = seen;
}

gboolean
tally_change_lost_intent (const TallyLedgerChange *change, const TallyLedgerOutcome *outcome)
{
  for (guint i = 0; i < change->n_intents; i++)
    if (change->taken[i] && change->intents[i]->generation == outcome->generation
        && g_str_equal (change->intents[i]->key, outcome->key))
      return TRUE;
  return FALSE;
}

gint64
tally_ledger_intent_pass (const TallyLedgerChange *change, const TallyLedgerDelivery *intent)
{
  return intent->pass != 0 ? intent->pass : change->run->pass;
}

/* After a commit whose answer was lost: which intents did it take? */
static gboolean
read_taken (TallyLedger *ledger, const TallyLedgerChange *change, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_autoptr (GPtrArray) found = NULL;

  for (guint i = 0; i < change->n_intents; i++)
    g_ptr_array_add (keys, change->intents[i]->key);
  found = tally_ledger_find (ledger, change->scope, (const char *const *)keys->pdata, keys->len,
                             error);
  if (found == NULL)
    return FALSE;

  for (guint i = 0; i < change->n_intents; i++)
    {
      const TallyLedgerDelivery *intent = change->intents[i],
                                *delivery = g_ptr_array_index (found, i);
      change->taken[i] = delivery == NULL || delivery->run != change->run->id
                         || delivery->generation != intent->generation
                         || !g_str_equal (delivery->idempotency_key, intent->idempotency_key);
    }
  return TRUE;
}

static gboolean
settle_failure (TallyLedger *ledger, const TallyLedgerChange *change, guint tries, gint64 *ret_now,
                GError **error)
{
  switch (ledger->database->failure)
    {
    case TALLY_FAILURE_STALE:
      return tally_throw (error, TALLY_ERROR_LEASE,
                          "epoch %" G_GINT64_FORMAT " is stale: another run has taken the lease",
                          change->epoch);
    case TALLY_FAILURE_HELD:
      if (tries == 0)
        return tally_throw (error, TALLY_ERROR_LEDGER,
                            "serial %" G_GINT64_FORMAT " of epoch %" G_GINT64_FORMAT
                            " was used before",
                            change->serial, change->epoch);
      return read_taken (ledger, change, error) && tally_ledger_now (ledger, ret_now, error);
    default:
      g_assert_not_reached ();
    }
}

static gboolean
commit_with_patience (TallyLedger *ledger, const TallyLedgerChange *change, gint64 *ret_now,
                      GError **error)
{
  TallyDatabase *database = ledger->database;

  for (guint tries = 0;; tries++)
    {
      g_autoptr (GError) local = NULL;

      database->failure = TALLY_FAILURE_FINAL;
      if (database->class->reopen (database, &local)
          && database->class->write (database, change, ret_now, &local))
        return TRUE;
      if (database->failure == TALLY_FAILURE_STALE || database->failure == TALLY_FAILURE_HELD)
        return settle_failure (ledger, change, tries, ret_now, error);
      if (!tally_ledger_try_again (ledger, tries))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
    }
}

gboolean
tally_ledger_commit (TallyLedger *ledger, const TallyLedgerChange *change, gint64 *ret_now,
                     GError **error)
{
  CleanChange cleaned;
  gboolean committed;
  gint64 now;

  if (!check_change (change, error))
    return FALSE;

  clean_change (&cleaned, change);
  committed = commit_with_patience (ledger, &cleaned.change, &now, error);
  g_ptr_array_unref (cleaned.copies);
  if (committed && ret_now != NULL)
    *ret_now = now;
  return committed;
}

/* ---- Events ---- */

void
tally_ledger_event_free (TallyLedgerEvent *event)
{
  if (event == NULL)
    return;

  g_free (event->event);
  g_free (event->detail);
  g_free (event);
}

typedef struct
{
  gint64 scope;
  const char *key;
  TallyRows *rows; /* (owned) */
} EventSearch;

static gboolean
read_events (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  EventSearch *search = data;

  g_clear_pointer (&search->rows, tally_rows_free);
  return SQL (database, &search->rows, error,
              "SELECT micros (at), run, generation, event, status, detail FROM events "
              "WHERE scope = $1 AND key = $2 ORDER BY id",
              SQL_INT (search->scope), SQL_TEXT (search->key));
}

GPtrArray *
tally_ledger_list_events (TallyLedger *ledger, gint64 scope, const char *key, GError **error)
{
  EventSearch search = { .scope = scope, .key = key };
  GPtrArray *events;

  if (!check_key (key, error)
      || !tally_ledger_transact (ledger, /* write= */ FALSE, read_events, &search, error))
    return NULL;

  events = g_ptr_array_new_with_free_func ((GDestroyNotify)tally_ledger_event_free);
  for (guint i = 0; i < search.rows->n_rows; i++)
    {
      TallyLedgerEvent *event = g_new0 (TallyLedgerEvent, 1);

      event->at = tally_rows_int (search.rows, i, 0);
      event->run = tally_rows_int (search.rows, i, 1);
      event->generation = tally_rows_int (search.rows, i, 2);
      event->event = g_strdup (tally_rows_text (search.rows, i, 3));
      event->status = tally_rows_int (search.rows, i, 4);
      event->detail = g_strdup (tally_rows_text (search.rows, i, 5));
      g_ptr_array_add (events, event);
    }
  tally_rows_free (search.rows);
  return events;
}

/* ---- The user's word ---- */

typedef struct
{
  gint64 scope;
  const char *key;
  TallyDeliveryState state;
  const char *target_id;
  const char *event;
} Decision;

static gboolean
may_decide (TallyDeliveryState from, TallyDeliveryState to)
{
  if (from == TALLY_DELIVERY_REJECTED)
    return to == TALLY_DELIVERY_RELEASED || to == TALLY_DELIVERY_DISCARDED;
  if (tally_delivery_state_is_unsettled (from))
    return to == TALLY_DELIVERY_DELIVERED || to == TALLY_DELIVERY_RELEASED;
  return FALSE;
}

static gboolean
check_decision (const Decision *decision, const TallyRows *rows, gboolean *ret_done, guint tries,
                GError **error)
{
  TallyDeliveryState from;
  const char *known;

  *ret_done = FALSE;
  if (rows->n_rows == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "there is no delivery with key \"%s\"",
                        decision->key);
  if (!tally_delivery_state_from_name (tally_rows_text (rows, 0, 0), &from))
    return tally_throw (error, TALLY_ERROR_LEDGER,
                        "key \"%s\" has state \"%s\", which this program does not know",
                        decision->key, tally_rows_text (rows, 0, 0));
  if (tries > 0 && from == decision->state)
    {
      *ret_done = TRUE;
      return TRUE;
    }
  if (!may_decide (from, decision->state))
    return tally_throw (error, TALLY_ERROR_USAGE, "key \"%s\" is %s and cannot be made %s",
                        decision->key, tally_delivery_state_name (from),
                        tally_delivery_state_name (decision->state));
  known = tally_rows_text (rows, 0, 2);
  if (known != NULL && tally_delivery_state_is_unsettled (from)
      && g_strcmp0 (known, decision->target_id) != 0)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "key \"%s\" is in the target as %s, and in doubt is an update of it: the next "
                        "run sends that again, unless you say that it is there, with this id",
                        decision->key, known);
  return TRUE;
}

static gboolean
write_decision (TallyDatabase *database, const Decision *decision, GError **error)
{
  return SQL (database, NULL, error,
              "UPDATE deliveries SET state = $3, settled_at = clock_timestamp(), request = NULL, "
              "known_since = CASE WHEN CAST ($4 AS text) IS NULL THEN known_since "
              "ELSE COALESCE (known_since, clock_timestamp()) END, "
              "target_id = COALESCE (CAST ($4 AS text), target_id) WHERE scope = $1 AND key = $2",
              SQL_INT (decision->scope), SQL_TEXT (decision->key),
              SQL_TEXT (tally_delivery_state_name (decision->state)),
              SQL_TEXT (decision->target_id))
         && SQL (database, NULL, error,
                 "INSERT INTO events (scope, key, generation, at, event, detail) "
                 "SELECT scope, key, generation, clock_timestamp(), CAST ($3 AS text), CAST ($4 AS "
                 "text) "
                 "FROM deliveries WHERE scope = $1 AND key = $2",
                 SQL_INT (decision->scope), SQL_TEXT (decision->key), SQL_TEXT (decision->event),
                 SQL_TEXT (decision->target_id));
}

static gboolean
decide (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const Decision *decision = data;
  g_autoptr (TallyRows) rows = NULL;
  gboolean done;

  if (!tally_ledger_lock (database, error)
      || !SQL (database, &rows, error,
               "SELECT d.state, s.target, d.target_id FROM deliveries d JOIN scopes s ON s.id = d.scope "
               "WHERE d.scope = $1 AND d.key = $2",
               SQL_INT (decision->scope), SQL_TEXT (decision->key))
      || !check_decision (decision, rows, &done, tries, error))
    return FALSE;
  if (done)
    return TRUE;
  return tally_ledger_check_idle (database, "r.target = $1", tally_rows_text (rows, 0, 1), error)
         && write_decision (database, decision, error);
}

gboolean
tally_ledger_decide (TallyLedger *ledger, gint64 scope, const char *key, TallyDeliveryState state,
                     const char *target_id, const char *event, GError **error)
{
  Decision decision = { .scope = scope,
                        .key = key,
                        .state = state,
                        .target_id = state == TALLY_DELIVERY_DELIVERED ? target_id : NULL,
                        .event = event };

  g_return_val_if_fail (event != NULL, FALSE);
  if (!check_key (key, error))
    return FALSE;
  if (state == TALLY_DELIVERY_DELIVERED && (target_id == NULL || *target_id == '\0'))
    return tally_throw (error, TALLY_ERROR_USAGE, "key \"%s\" cannot be delivered without an id",
                        key);
  return tally_ledger_transact (ledger, /* write= */ TRUE, decide, &decision, error);
}
