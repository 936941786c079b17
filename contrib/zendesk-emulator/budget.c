/* budget.c: how many requests the account may make in how much time */
#include "budget.h"

static const struct
{
  const char *name;
  guint per_minute;
} plans[] = {
  { "none", 0 },           { "team", 200 },       { "growth", 400 },
  { "professional", 400 }, { "enterprise", 700 }, { "enterprise-plus", 2500 },
};

#define COMPLAINT "Number of allowed API requests per minute exceeded"

static const struct
{
  const char *name;
  guint total;
  gint64 seconds;
  gboolean by_plan; /* every plan that has a limit has this one, too */
  gboolean each;
  const char *complaint;
} kinds[EMU_N_BUCKETS] = {
  [EMU_BUCKET_ACCOUNT] = { NULL, 0, 60, FALSE, FALSE, COMPLAINT },
  [EMU_BUCKET_CREATE]
  = { "ticket-request-create-by-user-and-ip", 300, 60, FALSE, FALSE, COMPLAINT },
  [EMU_BUCKET_UPDATE] = { "tickets-update", 100, 60, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_TICKET] = { "per-ticket-updates", 30, 600, TRUE, TRUE, COMPLAINT },
  [EMU_BUCKET_INCREMENTAL]
  = { "incremental-exports", 10, 60, TRUE, FALSE,
      "Number of allowed incremental export API requests per minute exceeded" },
  [EMU_BUCKET_CREATE_UPDATE_USER] = { "create-update-user", 1, 1, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_CREATE_UPDATE_EACH] = { NULL, 5, 60, TRUE, TRUE, COMPLAINT },
  [EMU_BUCKET_UPDATE_USER] = { NULL, 1, 1, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_UPDATE_EACH] = { NULL, 5, 60, TRUE, TRUE, COMPLAINT },
  [EMU_BUCKET_UPDATE_ORGANIZATION] = { NULL, 5, 60, TRUE, TRUE, "Too many requests to update" },
  [EMU_BUCKET_SAMPLE] = { NULL, 10, 1200, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_SEARCH] = { "search-index", 2500, 60, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_SEARCH_EXPORT] = { NULL, 100, 60, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_DELETE] = { NULL, 400, 60, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_DELETED] = { "deleted-tickets-index", 10, 60, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_DESTROY] = { "deleted-tickets-destroy", 1000, 60, TRUE, FALSE, COMPLAINT },
  [EMU_BUCKET_DESTROY_MANY] = { "deleted-tickets-destroy_many", 300, 60, TRUE, FALSE, COMPLAINT },
};

gboolean
emu_limits_set_plan (EmuLimits *limits, const char *plan)
{
  for (guint i = 0; i < G_N_ELEMENTS (plans); i++)
    if (g_str_equal (plans[i].name, plan))
      {
        gboolean limited = plans[i].per_minute > 0;

        limits->buckets[EMU_BUCKET_ACCOUNT].total = plans[i].per_minute;
        limits->buckets[EMU_BUCKET_ACCOUNT].limited = limited;
        for (guint kind = 0; kind < EMU_N_BUCKETS; kind++)
          if (kinds[kind].by_plan)
            limits->buckets[kind].limited = limited;
        return TRUE;
      }
  return FALSE;
}

void
emu_limits_clear (EmuLimits *limits)
{
  for (guint kind = 0; kind < EMU_N_BUCKETS; kind++)
    g_clear_pointer (&limits->buckets[kind].each, g_hash_table_unref);
  *limits = (EmuLimits){ 0 };
}

void
emu_limits_limit_creation (EmuLimits *limits)
{
  limits->buckets[EMU_BUCKET_CREATE].limited = TRUE;
}

static guint
get_total (const EmuLimits *limits, EmuBucketKind kind)
{
  return kind == EMU_BUCKET_ACCOUNT ? limits->buckets[kind].total : kinds[kind].total;
}

/* How much of the window of @now is used up. */
static guint
get_used (const EmuLimits *limits, EmuBucketKind kind, gint64 subject, gint64 now)
{
  const EmuBucket *bucket = &limits->buckets[kind];

  if (bucket->window != now / kinds[kind].seconds)
    return 0;
  if (!kinds[kind].each)
    return bucket->used;
  return GPOINTER_TO_UINT (g_hash_table_lookup (bucket->each, &subject));
}

static void
begin_window (EmuBucket *bucket, gint64 window)
{
  bucket->window = window;
  bucket->used = 0;
  if (bucket->each != NULL)
    g_hash_table_remove_all (bucket->each);
  else
    bucket->each = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
}

gboolean
emu_limits_take (EmuLimits *limits, EmuBucketKind kind, gint64 subject, gint64 now)
{
  EmuBucket *bucket = &limits->buckets[kind];
  guint used = get_used (limits, kind, subject, now);

  if (!bucket->limited)
    return TRUE;
  if (used >= get_total (limits, kind))
    return FALSE;
  if (bucket->window != now / kinds[kind].seconds)
    begin_window (bucket, now / kinds[kind].seconds);
  if (kinds[kind].each)
    g_hash_table_insert (bucket->each, g_memdup2 (&subject, sizeof subject),
                         GUINT_TO_POINTER (used + 1));
  else
    bucket->used++;
  return TRUE;
}

gboolean
emu_limits_get (const EmuLimits *limits, EmuBucketKind kind, gint64 subject, gint64 now,
                EmuBudget *ret_budget)
{
  if (!limits->buckets[kind].limited)
    return FALSE;
  ret_budget->total = get_total (limits, kind);
  ret_budget->remaining = ret_budget->total - get_used (limits, kind, subject, now);
  ret_budget->reset = (guint)(kinds[kind].seconds - now % kinds[kind].seconds);
  return TRUE;
}

const char *
emu_limits_get_name (EmuBucketKind kind)
{
  return kinds[kind].name;
}

const char *
emu_limits_get_complaint (EmuBucketKind kind)
{
  return kinds[kind].complaint;
}
