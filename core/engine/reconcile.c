/* reconcile.c: see reconcile.h: what the target shows, against what the ledger knows
 *
 * Found records are looked up in the ledger a page at a time, and what becomes of a page is one commit.
 * Killed at any moment, it can be begun anew: what is in the ledger by then is known to it.
 */
#include "reconcile.h"
#include "delivery/key.h"
#include "transform/seen.h"
#include <string.h>

#define PAGE_ROWS 256
/* For what the target shows, so that what it does not show can be told. */
#define SEEN_MEMORY (16 * 1024 * 1024)
/* As many origins are named; a target is not bounded. */
#define ORIGINS_MOST 20
#define ROW_ORIGIN "found in the target"

typedef struct
{
  const TallyReconcileConfig *config; /* (unowned) */
  TallyReconciled *result;            /* (unowned) */
  TallySeen *seen;                    /* (owned) keys with ids that the target shows */
  GPtrArray *keys, *ids;              /* (owned) (element-type utf8) the page */
  GHashTable *paged;                  /* (owned) keys of the page; theirs */
  GPtrArray *intents;                 /* (owned) (element-type TallyLedgerDelivery) */
  GArray *outcomes;                   /* (owned) (element-type TallyLedgerOutcome) */
  gint64 serial;
  gint64 renewed_at;        /* monotonic */
  gint stop;     /* for the sink: it need not go on, */
  GError *error; /* (owned) (nullable) because of this */
} Reconciler;

const char *
tally_difference_name (TallyDifferenceKind kind)
{
  static const char *const names[] = {
    [TALLY_DIFFERENCE_UNKNOWN] = "unknown", [TALLY_DIFFERENCE_SETTLED] = "settled",
    [TALLY_DIFFERENCE_REJECTED] = "rejected", [TALLY_DIFFERENCE_DOUBLE] = "double",
    [TALLY_DIFFERENCE_MISSING] = "missing",
  };

  return names[kind];
}

void
tally_reconciled_clear (TallyReconciled *reconciled)
{
  g_clear_pointer (&reconciled->origins, g_hash_table_unref);
}

void
tally_reconciled_format_json (const TallyReconciled *reconciled, GString *out)
{
  const struct
  {
    const char *name;
    guint64 count;
  } fields[] = {
    { "surveyed", reconciled->surveyed }, { "known", reconciled->known },
    { "unknown", reconciled->unknown },   { "settled", reconciled->settled },
    { "rejected", reconciled->rejected }, { "doubles", reconciled->doubles },
    { "missing", reconciled->missing },   { "in_doubt", reconciled->in_doubt },
    { "foreign", reconciled->foreign },
  };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_string_append_printf (out, "%c\"%s\":%" G_GUINT64_FORMAT, i == 0 ? '{' : ',', fields[i].name,
                            fields[i].count);
  g_string_append_c (out, '}');
}

/* ---- Findings ---- */

static void
report (Reconciler *self, TallyDifferenceKind kind, const char *key, const char *target_id,
        const char *known_id)
{
  TallyReconciled *result = self->result;
  guint64 *const counts[] = {
    [TALLY_DIFFERENCE_UNKNOWN] = &result->unknown,   [TALLY_DIFFERENCE_SETTLED] = &result->settled,
    [TALLY_DIFFERENCE_REJECTED] = &result->rejected, [TALLY_DIFFERENCE_DOUBLE] = &result->doubles,
    [TALLY_DIFFERENCE_MISSING] = &result->missing,
  };
  const TallyDifference difference
      = { .kind = kind, .key = key, .target_id = target_id, .known_id = known_id };

  ++*counts[kind];
  if (self->config->found != NULL)
    self->config->found (&difference, self->config->data);
}

static void
digest_of (const char *key, const char *target_id, guint8 ret_digest[TALLY_DIGEST_SIZE])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;

  g_checksum_update (checksum, (const guchar *) key, (gssize) strlen (key) + 1);
  g_checksum_update (checksum, (const guchar *) target_id, -1);
  g_checksum_get_digest (checksum, digest, &length);
  memcpy (ret_digest, digest, TALLY_DIGEST_SIZE);
}

/* ---- What becomes of one record ---- */

static void
settle (Reconciler *self, const char *key, guint generation, const char *target_id)
{
  const TallyLedgerOutcome outcome = { .key = key,
                                       .generation = generation,
                                       .state = TALLY_DELIVERY_DELIVERED,
                                       .target_id = target_id,
                                       .detail = ROW_ORIGIN,
                                       .event = "adopted" };

  g_array_append_val (self->outcomes, outcome);
}

/* A delivery whose row nobody has at hand.  Its content is not known, so its row counts as changed when it
 * comes. */
static void
intend (Reconciler *self, const char *key, guint generation)
{
  const TallyReconcileConfig *config = self->config;
  TallyLedgerDelivery *intent = g_new0 (TallyLedgerDelivery, 1);
  const TallyKeyRealm realm = { .ledger_id = tally_ledger_id (config->ledger),
                                .target = config->target,
                                .entity = config->entity,
                                .origin = config->origin };
  char idempotency_key[TALLY_HASH_LENGTH + 1];

  tally_key_idempotency (&realm, key, generation, idempotency_key);
  intent->scope = config->scope;
  intent->key = g_strdup (key);
  intent->generation = generation;
  intent->idempotency_key = g_strdup (idempotency_key);
  intent->request = g_bytes_new (NULL, 0);
  intent->request_hash = tally_key_hash ("", 0);
  intent->content_hash = g_strdup ("");
  intent->row_origin = g_strdup (ROW_ORIGIN);
  intent->reference = g_strdup_printf ("%s:%s", config->origin, key);
  intent->pass = TALLY_PASS_NONE;
  g_ptr_array_add (self->intents, intent);
}

static void
consider (Reconciler *self, const char *key, const char *target_id, const TallyLedgerDelivery *row)
{
  if (row == NULL)
    {
      intend (self, key, 1);
      settle (self, key, 1, target_id);
      report (self, TALLY_DIFFERENCE_UNKNOWN, key, target_id, NULL);
      return;
    }
  if (row->target_id != NULL || row->state == TALLY_DELIVERY_DISCARDED)
    {
      if (g_strcmp0 (row->target_id, target_id) == 0)
        self->result->known++;
      else
        report (self, TALLY_DIFFERENCE_DOUBLE, key, target_id, row->target_id);
      return;
    }
  if (row->state == TALLY_DELIVERY_INTENDED || row->state == TALLY_DELIVERY_IN_DOUBT)
    {
      settle (self, key, row->generation, target_id);
      report (self, TALLY_DIFFERENCE_SETTLED, key, target_id, NULL);
      return;
    }
  /* Rejected or released: a generation that the ledger has lost was taken. */
  intend (self, key, row->generation + 1);
  settle (self, key, row->generation + 1, target_id);
  report (self, TALLY_DIFFERENCE_REJECTED, key, target_id, NULL);
}

static gboolean
commit (Reconciler *self, GError **error)
{
  const TallyReconcileConfig *config = self->config;
  g_autofree gboolean *taken = g_new0 (gboolean, self->intents->len);
  const TallyLedgerChange change = {
    .epoch = config->epoch,
    .serial = ++self->serial,
    .lease_ttl = config->lease_ttl,
    .run = config->run,
    .scope = config->scope,
    .intents = (TallyLedgerDelivery *const *) self->intents->pdata,
    .n_intents = self->intents->len,
    .taken = taken,
    .outcomes = (const TallyLedgerOutcome *) (gpointer) self->outcomes->data,
    .n_outcomes = self->outcomes->len,
  };

  if (!tally_ledger_commit (config->ledger, &change, NULL, error))
    return FALSE;
  self->renewed_at = g_get_monotonic_time ();
  for (guint i = 0; i < self->intents->len; i++)
    if (taken[i])
      return tally_throw (error, TALLY_ERROR_LEASE, "another run writes to the same deliveries");
  return TRUE;
}

static gboolean
keep_lease (Reconciler *self, GError **error)
{
  const TallyReconcileConfig *config = self->config;
  gint64 now = g_get_monotonic_time ();

  if (now - self->renewed_at < config->lease_ttl / 3)
    return TRUE;
  self->renewed_at = now;
  return tally_ledger_renew (config->ledger, config->epoch, config->lease_ttl, error);
}

static gboolean
turn_page (Reconciler *self, GError **error)
{
  const TallyReconcileConfig *config = self->config;
  g_autoptr (GPtrArray) rows = NULL;
  gboolean good = TRUE;

  if (self->keys->len == 0)
    return TRUE;
  rows = tally_ledger_find (config->ledger, config->scope, (const char *const *) self->keys->pdata,
                            self->keys->len, error);
  if (rows == NULL)
    return FALSE;

  for (guint i = 0; i < self->keys->len; i++)
    consider (self, self->keys->pdata[i], self->ids->pdata[i], rows->pdata[i]);
  good = self->outcomes->len > 0 ? commit (self, error) : keep_lease (self, error);
  g_ptr_array_set_size (self->intents, 0);
  g_array_set_size (self->outcomes, 0);
  g_hash_table_remove_all (self->paged);
  g_ptr_array_set_size (self->keys, 0);
  g_ptr_array_set_size (self->ids, 0);
  return good;
}

/* ---- The survey ---- */

static void
count_foreign (Reconciler *self, const char *reference)
{
  GHashTable *origins = self->result->origins;
  const char *colon = strchr (reference, ':');
  g_autofree char *origin = colon != NULL ? g_strndup (reference, colon - reference) : g_strdup ("");
  guint64 *count = g_hash_table_lookup (origins, origin);

  self->result->foreign++;
  if (count != NULL)
    ++*count;
  else if (g_hash_table_size (origins) < ORIGINS_MOST)
    {
      count = g_new (guint64, 1);
      *count = 1;
      g_hash_table_insert (origins, g_steal_pointer (&origin), count);
    }
}

/* The key within a reference of ours. (transfer full) (nullable) */
static char *
key_of (const Reconciler *self, const char *reference)
{
  const char *origin = self->config->origin;
  gsize length = strlen (origin);
  const char *rest = reference + length + 1;
  g_autofree char *key = NULL;

  if (strncmp (reference, origin, length) != 0 || reference[length] != ':')
    return NULL;
  key = tally_key_normalise ((TallyText){ rest, strlen (rest) }, origin, NULL);
  return g_strcmp0 (key, rest) == 0 ? g_steal_pointer (&key) : NULL; /* we never made such a one */
}

static gboolean
take (Reconciler *self, const char *reference, const char *target_id, GError **error)
{
  g_autofree char *key = key_of (self, reference);
  guint8 digest[TALLY_DIGEST_SIZE];
  gboolean is_new;

  if (key == NULL)
    {
      count_foreign (self, reference);
      return keep_lease (self, error);
    }
  digest_of (key, target_id, digest);
  if (!tally_seen_add (self->seen, digest, &is_new, error))
    return FALSE;
  if (!is_new)
    return TRUE; /* pages of a list may overlap */
  self->result->surveyed++;
  /* What the first of two comes to must be known before the second is looked at. */
  if ((g_hash_table_contains (self->paged, key) || self->keys->len == PAGE_ROWS)
      && !turn_page (self, error))
    return FALSE;
  g_hash_table_add (self->paged, key);
  g_ptr_array_add (self->keys, g_steal_pointer (&key));
  g_ptr_array_add (self->ids, g_strdup (target_id));
  return TRUE;
}

static void
on_surveyed (const char *reference, const char *target_id, gpointer data)
{
  Reconciler *self = data;

  if (self->error == NULL && reference != NULL && target_id != NULL && *target_id != '\0'
      && !take (self, reference, target_id, &self->error))
    g_atomic_int_set (&self->stop, TRUE);
}

static gboolean
survey (Reconciler *self, GError **error)
{
  const TallyReconcileConfig *config = self->config;
  const gint *interrupted = config->ctx->interrupted;
  g_autoptr (GError) local = NULL;
  gboolean done;

  config->ctx->interrupted = &self->stop;
  done = config->sink->survey (config->self, config->ctx, config->since, on_surveyed, self, &local);
  config->ctx->interrupted = interrupted;
  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }
  if (!done)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  return turn_page (self, error);
}

/* ---- What the target does not show ---- */

static gboolean
check_row (const TallyLedgerDelivery *row, const TallyScope *scope, gpointer data, GError **error)
{
  Reconciler *self = data;
  guint8 digest[TALLY_DIGEST_SIZE];
  gboolean is_new = FALSE;

  if (row->state == TALLY_DELIVERY_INTENDED || row->state == TALLY_DELIVERY_IN_DOUBT)
    self->result->in_doubt++;
  if (row->target_id == NULL || self->config->since != 0)
    return TRUE;
  digest_of (row->key, row->target_id, digest);
  if (!tally_seen_add (self->seen, digest, &is_new, error) || !keep_lease (self, error))
    return FALSE;
  if (is_new)
    report (self, TALLY_DIFFERENCE_MISSING, row->key, row->target_id, NULL);
  return TRUE;
}

static void
reconciler_clear (Reconciler *self)
{
  tally_seen_free (self->seen);
  g_ptr_array_unref (self->intents);
  g_array_unref (self->outcomes);
  g_hash_table_unref (self->paged);
  g_ptr_array_unref (self->keys);
  g_ptr_array_unref (self->ids);
  g_clear_error (&self->error);
}

gboolean
tally_reconcile_deliveries (const TallyReconcileConfig *config, TallyReconciled *ret_reconciled,
                            GError **error)
{
  const TallyLedgerFilter all = { .scope = config->scope, .any_state = TRUE };
  Reconciler self = { .config = config, .result = ret_reconciled };
  gboolean done;

  *ret_reconciled = (TallyReconciled){
    .origins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
  };
  self.seen = tally_seen_new (SEEN_MEMORY);
  self.keys = g_ptr_array_new_with_free_func (g_free);
  self.ids = g_ptr_array_new_with_free_func (g_free);
  self.paged = g_hash_table_new (g_str_hash, g_str_equal);
  self.intents = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_ledger_delivery_free);
  self.outcomes = g_array_new (FALSE, FALSE, sizeof (TallyLedgerOutcome));
  self.renewed_at = g_get_monotonic_time ();
  done = survey (&self, error)
         && tally_ledger_each_delivery (config->ledger, &all, check_row, &self, error);
  reconciler_clear (&self);
  return done;
}
