/* limit-headers.c: what an answer tells of the limits, in the spellings of different years */
#include "limit-headers.h"

static gboolean
is_old (const EmuExchange *x)
{
  return x->emu->config.limit_headers != EMU_LIMIT_HEADERS_NEW;
}

static gboolean
is_new (const EmuExchange *x)
{
  return x->emu->config.limit_headers != EMU_LIMIT_HEADERS_OLD;
}

static void
add_number (EmuExchange *x, const char *name, guint number)
{
  emu_answer_take_header (&x->answer, name, g_strdup_printf ("%u", number));
}

static void
add_account (EmuExchange *x, const EmuBudget *budget)
{
  add_number (x, "x-rate-limit", budget->total);
  add_number (x, "x-rate-limit-remaining", budget->remaining);
  if (is_old (x))
    {
      add_number (x, "rate-limit", budget->total);
      add_number (x, "rate-limit-remaining", budget->remaining);
      add_number (x, "rate-limit-reset", budget->reset);
    }
  if (is_new (x))
    {
      add_number (x, "ratelimit-limit", budget->total);
      add_number (x, "ratelimit-remaining", budget->remaining);
      add_number (x, "ratelimit-reset", budget->reset);
    }
}

static void
add_spelt (EmuExchange *x, const char *prefix, const char *name, const EmuBudget *budget)
{
  g_autofree char *whole = g_strconcat (prefix, name, NULL);

  emu_answer_take_header (&x->answer, g_intern_string (whole),
                          g_strdup_printf ("total=%u; remaining=%u; resets=%u", budget->total,
                                           budget->remaining, budget->reset));
}

void
emu_limit_headers_add_one (EmuExchange *x, const char *name, const EmuBudget *budget)
{
  if (is_old (x))
    add_spelt (x, "zendesk-rate-limit-", name, budget);
  if (is_new (x))
    add_spelt (x, "Zendesk-RateLimit-", name, budget);
}

void
emu_limit_headers_add (EmuExchange *x)
{
  const EmuBucketKind kinds[] = { x->bucket, x->each };
  const EmuLimits *limits = &x->emu->limits;
  gint64 now = emu_clock_seconds (&x->emu->clock);
  EmuBudget budget;

  if (emu_limits_get (limits, EMU_BUCKET_ACCOUNT, 0, now, &budget))
    add_account (x, &budget);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (emu_limits_get_name (kinds[i]) != NULL
        && emu_limits_get (limits, kinds[i], x->subject, now, &budget))
      emu_limit_headers_add_one (x, emu_limits_get_name (kinds[i]), &budget);
}
