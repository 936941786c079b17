/* world.c: a clock, a source, and the final audit */
#include "world-private.h"
#include <stdlib.h>
#include <string.h>

typedef struct
{
  gint64 at;
  guint64 serial;
  WorldEvent event;
  gpointer data;
  GDestroyNotify free_data;
} Event;

const WorldSettings world_plain = {
  .key_life = 2 * HOUR,
  .settle = MINUTE,
  .in_flight = TALLY_IN_FLIGHT_UNKNOWN,
  .can_resolve = TRUE,
  .max_in_flight = 4,
  .attempts = 5,
  .lease_ttl = 30 * SECOND,
  .batch_rows = 7,
  .job_time = 5 * SECOND,
};

static void
event_free (gpointer data)
{
  Event *event = data;

  if (event->free_data != NULL)
    event->free_data (event->data);
  g_free (event);
}

static gint
compare_events (gconstpointer a, gconstpointer b, gpointer data)
{
  const Event *one = a, *other = b;

  if (one->at != other->at)
    return one->at < other->at ? -1 : 1;
  return one->serial < other->serial ? -1 : one->serial > other->serial;
}

static void
entity_free (gpointer data)
{
  Entity *entity = data;

  g_free (entity->reference);
  g_free (entity->body);
  g_free (entity->key);
  g_free (entity);
}

static void
record_free (gpointer data)
{
  g_free (((Record *)data)->key);
  g_free (data);
}

static void
free_plans (gpointer plans)
{
  g_queue_free_full (plans, g_free);
}

World *
world_new (guint32 seed, const WorldSettings *settings)
{
  static const TallyColumn columns[] = {
    { "id", TALLY_TYPE_TEXT },
    { "version", TALLY_TYPE_BIGINT },
    { "bad", TALLY_TYPE_BOOLEAN },
  };
  World *world = g_new0 (World, 1);

  world->settings = *settings;
  world->random = g_rand_new_with_seed (seed);
  world->now = HOUR;
  world->events = g_sequence_new (event_free);
  world->records = g_ptr_array_new_with_free_func (record_free);
  world->schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  world->entities = g_ptr_array_new_with_free_func (entity_free);
  world->idle = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  world->plans = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_plans);
  world->ledger = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                         (GDestroyNotify)tally_ledger_delivery_free);
  world->rejects = g_ptr_array_new_with_free_func (g_free);
  world->complaints = g_string_new (NULL);
  world->first_sent = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  world->sent_at = g_array_new (FALSE, FALSE, sizeof (gint64));
  world->pass_over = TRUE;
  world_target_init (world);
  return world;
}

void
world_free (World *world)
{
  world_sqlite_close (world);
  g_sequence_free (world->events);
  g_ptr_array_unref (world->records);
  tally_schema_unref (world->schema);
  g_ptr_array_unref (world->entities);
  g_hash_table_unref (world->keys);
  g_hash_table_unref (world->jobs);
  g_array_unref (world->sent_at);
  g_hash_table_unref (world->first_sent);
  g_hash_table_unref (world->idle);
  g_hash_table_unref (world->plans);
  g_hash_table_unref (world->ledger);
  g_ptr_array_unref (world->rejects);
  g_free (world->position);
  g_string_free (world->complaints, TRUE);
  g_rand_free (world->random);
  g_free (world);
}

void
world_complain (World *world, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_string_append_vprintf (world->complaints, format, arguments);
  va_end (arguments);
  g_string_append_c (world->complaints, '\n');
}

/* ---- Time and chance ---- */

void
world_schedule (World *world, gint64 at, WorldEvent event, gpointer data, GDestroyNotify free_data)
{
  Event *new_event = g_new0 (Event, 1);

  *new_event = (Event){ at, ++world->serial, event, data, free_data };
  g_sequence_insert_sorted (world->events, new_event, compare_events, NULL);
}

void
world_tick (World *world, gint64 until)
{
  GSequenceIter *first = g_sequence_get_begin_iter (world->events);
  Event *event;

  if (g_sequence_iter_is_end (first) || ((Event *)g_sequence_get (first))->at > until)
    {
      world->now = MAX (world->now, until);
      return;
    }
  event = g_sequence_get (first);
  world->now = MAX (world->now, event->at);
  event->event (world, event->data);
  g_sequence_remove (first);
}

void
world_pass_time (World *world, gint64 microseconds)
{
  gint64 until = world->now + microseconds;

  while (world->now < until)
    world_tick (world, until);
}

gboolean
world_chance (World *world, double chance)
{
  return chance > 0 && g_rand_double (world->random) < chance;
}

gint64
world_between (World *world, gint64 least, gint64 most)
{
  return least + (gint64)(g_rand_double (world->random) * (double)(most - least));
}

gint64
world_ledger_now (const World *world)
{
  return EPOCH + world->now + world->settings.ledger_skew;
}

gint64
world_target_now (const World *world)
{
  return EPOCH + world->now + world->settings.target_skew;
}

/* ---- The source ---- */

void
world_add_record (World *world, const char *key)
{
  Record *record = g_new0 (Record, 1);

  record->key = g_strdup (key);
  g_ptr_array_add (world->records, record);
}

void
world_add_records (World *world, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", world->records->len + 1);
      world_add_record (world, key);
    }
}

static const char *
record_key (World *world, guint record)
{
  return ((Record *)g_ptr_array_index (world->records, record))->key;
}

void
world_plan (World *world, guint record, Deed deed, gint64 wait)
{
  g_autofree char *reference = g_strdup_printf ("desk:%s", record_key (world, record));
  GQueue *plans = g_hash_table_lookup (world->plans, reference);
  Plan plan = { deed, wait };

  if (plans == NULL)
    {
      plans = g_queue_new ();
      g_hash_table_insert (world->plans, g_strdup (reference), plans);
    }
  g_queue_push_tail (plans, g_memdup2 (&plan, sizeof plan));
}

/* ---- The audit ---- */

const TallyLedgerDelivery *
world_look (World *world, const char *key)
{
  if (world->sqlite != NULL)
    world_sqlite_look (world, key);
  return g_hash_table_lookup (world->ledger, key);
}

const TallyLedgerDelivery *
world_ledger_row (World *world, guint record)
{
  return world_look (world, record_key (world, record));
}

static const Entity *
find_entity (World *world, guint record, guint *ret_n)
{
  g_autofree char *reference = g_strdup_printf ("desk:%s", record_key (world, record));
  const Entity *found = NULL;

  *ret_n = 0;
  for (guint i = 0; i < world->entities->len; i++)
    {
      const Entity *entity = g_ptr_array_index (world->entities, i);

      if (strcmp (entity->reference, reference) != 0)
        continue;
      found = entity;
      ++*ret_n;
    }
  return found;
}

guint
world_count_entities (World *world, guint record)
{
  guint n;

  find_entity (world, record, &n);
  return n;
}

gboolean
world_is_idle_version (guint version)
{
  return version % 5 == 4;
}

guint
world_body_version (const char *body)
{
  const char *version = strstr (body, "\"version\":");

  return version != NULL ? (guint)atoi (version + strlen ("\"version\":")) : 0;
}

guint
world_version (World *world, guint record)
{
  guint n;
  const Entity *entity = find_entity (world, record, &n);

  return entity != NULL ? world_body_version (entity->body) : 0;
}

/* What was changed has come to the target in the end. */
static void
audit_content (World *world, guint number, const Entity *entity)
{
  const Record *record = g_ptr_array_index (world->records, number);
  guint version = world_body_version (entity->body);

  if (world->settings.updates && !world_is_idle_version (record->version)
      && version != record->version)
    world_complain (world, "\"%s\" has version %u in the target, but %u in the source",
                    entity->reference, version, record->version);
}

static void
audit_delivered (World *world, const TallyLedgerDelivery *row, const Entity *entity)
{
  g_autofree char *id = NULL, *hash = NULL;

  if (entity == NULL)
    {
      world_complain (world,
                      "\"%s\" is delivered, says the ledger, but the target does not have it",
                      row->reference);
      return;
    }
  id = g_strdup_printf ("%" G_GUINT64_FORMAT, entity->id);
  hash = tally_key_hash (entity->body, strlen (entity->body));
  if (g_strcmp0 (row->target_id, id) != 0)
    world_complain (world, "\"%s\" has id %s, the ledger says %s", row->reference, id,
                    row->target_id);
  /* The last request may have been rejected, and then there was nothing more to send; and what was found
   * in the target was made by a request that the ledger has lost. */
  if (strcmp (hash, row->request_hash) != 0 && !g_hash_table_contains (world->idle, row->reference)
      && !world->put_back)
    world_complain (world, "R3: \"%s\" was made by another request than the one in the ledger",
                    row->reference);
}

static void
audit_record (World *world, guint number, gboolean may_doubt)
{
  const TallyLedgerDelivery *row = world_ledger_row (world, number);
  guint n;
  const Entity *entity = find_entity (world, number, &n);

  if (n > 1)
    world_complain (world, "\"%s\" was created %u times", entity->reference, n);
  if (row == NULL)
    {
      if (!may_doubt)
        world_complain (world, "record %u is lost", number + 1);
      return;
    }

  switch (row->state)
    {
    case TALLY_DELIVERY_DELIVERED:
      audit_delivered (world, row, entity);
      if (!may_doubt && entity != NULL)
        audit_content (world, number, entity);
      break;
    case TALLY_DELIVERY_REJECTED:
      if (n > 0 && row->target_id == NULL)
        world_complain (world, "\"%s\" is rejected, says the ledger, but the target has it",
                        row->reference);
      break;
    default:
      /* One that ended the program time and again is set aside (A11). */
      if (!may_doubt && row->attempts <= world->settings.attempts)
        world_complain (world, "\"%s\" is still %s: %s", row->reference,
                        tally_delivery_state_name (row->state), row->detail);
      break;
    }
}

void
world_audit (World *world, gboolean may_doubt)
{
  for (guint i = 0; i < world->records->len; i++)
    audit_record (world, i, may_doubt);
}
