/* budget.c: how many requests a minute the account may make */
#include "budget.h"

#define WINDOW 60

static const struct
{
  const char *name;
  guint per_minute;
} plans[] = {
  { "none", 0 },           { "team", 200 },       { "growth", 400 },
  { "professional", 400 }, { "enterprise", 700 }, { "enterprise-plus", 2500 },
};

static const struct
{
  const char *header;
  guint total;
} kinds[EMU_N_BUCKETS] = {
  [EMU_BUCKET_ACCOUNT] = { NULL, 0 },
  [EMU_BUCKET_CREATE] = { "Zendesk-RateLimit-ticket-request-create-by-user-and-ip", 300 },
  [EMU_BUCKET_UPDATE] = { "Zendesk-RateLimit-tickets-update", 100 },
  [EMU_BUCKET_INCREMENTAL] = { "Zendesk-RateLimit-incremental-exports", 10 },
};

gboolean
emu_limits_set_plan (EmuLimits *limits, const char *plan)
{
  for (guint i = 0; i < G_N_ELEMENTS (plans); i++)
    if (g_str_equal (plans[i].name, plan))
      {
        gboolean limited = plans[i].per_minute > 0;

        limits->buckets[EMU_BUCKET_ACCOUNT].total = plans[i].per_minute;
        limits->buckets[EMU_BUCKET_UPDATE].total = limited ? kinds[EMU_BUCKET_UPDATE].total : 0;
        limits->buckets[EMU_BUCKET_INCREMENTAL].total
            = limited ? kinds[EMU_BUCKET_INCREMENTAL].total : 0;
        return TRUE;
      }
  return FALSE;
}

void
emu_limits_limit_creation (EmuLimits *limits)
{
  limits->buckets[EMU_BUCKET_CREATE].total = kinds[EMU_BUCKET_CREATE].total;
}

gboolean
emu_limits_take (EmuLimits *limits, EmuBucketKind kind, gint64 now)
{
  EmuBucket *bucket = &limits->buckets[kind];

  if (bucket->total == 0)
    return TRUE;
  if (bucket->window != now / WINDOW)
    {
      bucket->window = now / WINDOW;
      bucket->used = 0;
    }
  if (bucket->used >= bucket->total)
    return FALSE;
  bucket->used++;
  return TRUE;
}

gboolean
emu_limits_get (const EmuLimits *limits, EmuBucketKind kind, gint64 now, EmuBudget *ret_budget)
{
  const EmuBucket *bucket = &limits->buckets[kind];
  guint used = bucket->window == now / WINDOW ? bucket->used : 0;

  if (bucket->total == 0)
    return FALSE;
  ret_budget->total = bucket->total;
  ret_budget->remaining = bucket->total - used;
  ret_budget->reset = (guint)(WINDOW - now % WINDOW);
  return TRUE;
}

const char *
emu_limits_get_header (EmuBucketKind kind)
{
  return kinds[kind].header;
}
