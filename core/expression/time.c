/* time.c: dates, timestamps and intervals */
#include "record/datetime.h"
#include "record/numeric.h"
#include "text.h"
#include <math.h>

/* Arithmetic. */

static gboolean
date_plus (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_date_add_days (args[0].date, args[1].integer, &ret->date, error);
}

static gboolean
plus_date (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_date_add_days (args[1].date, args[0].integer, &ret->date, error);
}

static gboolean
date_minus (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_date_add_days (args[0].date,
                              args[1].integer == G_MININT64 ? G_MAXINT64 : -args[1].integer,
                              &ret->date, error);
}

static gboolean
date_minus_date (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_date_subtract (args[0].date, args[1].date, &ret->integer, error);
}

/* date ± interval is a timestamp. */
static gboolean
date_plus_interval (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 timestamp;

  return tally_date_to_timestamp (args[0].date, TALLY_TYPE_TIMESTAMP, &timestamp, error)
         && tally_timestamp_add (timestamp, args[1].interval, &ret->integer, error);
}

static gboolean
interval_plus_date (Call *call, const Value *args, Value *ret, GError **error)
{
  return date_plus_interval (call, (Value[]){ args[1], args[0] }, ret, error);
}

static gboolean
date_minus_interval (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 timestamp;

  return tally_date_to_timestamp (args[0].date, TALLY_TYPE_TIMESTAMP, &timestamp, error)
         && tally_timestamp_subtract_interval (timestamp, args[1].interval, &ret->integer, error);
}

static gboolean
timestamp_plus (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_timestamp_add (args[0].integer, args[1].interval, &ret->integer, error);
}

static gboolean
interval_plus_timestamp (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_timestamp_add (args[1].integer, args[0].interval, &ret->integer, error);
}

static gboolean
timestamp_minus (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_timestamp_subtract_interval (args[0].integer, args[1].interval, &ret->integer,
                                            error);
}

static gboolean
timestamp_minus_timestamp (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_timestamp_subtract (args[0].integer, args[1].integer, &ret->interval, error);
}

static gboolean
interval_plus (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_interval_add (args[0].interval, args[1].interval, &ret->interval, error);
}

static gboolean
interval_minus (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_interval_subtract (args[0].interval, args[1].interval, &ret->interval, error);
}

static gboolean
interval_negate (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_interval_negate (args[0].interval, &ret->interval, error);
}

static gboolean
interval_times (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_interval_multiply (args[0].interval, args[1].real, &ret->interval, error);
}

static gboolean
times_interval (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_interval_multiply (args[1].interval, args[0].real, &ret->interval, error);
}

static gboolean
interval_divide (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_interval_divide (args[0].interval, args[1].real, &ret->interval, error);
}

typedef gboolean (*JustifyFunc) (TallyInterval interval, TallyInterval *ret_interval,
                                 GError **error);

static gboolean
justify (Call *call, const Value *args, Value *ret, GError **error)
{
  return ((JustifyFunc)call->term->function->detail) (args[0].interval, &ret->interval, error);
}

static gboolean
age (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_timestamp_age (args[0].integer, args[1].integer, &ret->interval, error);
}

/* Fields. */

static gboolean
date_trunc (Call *call, const Value *args, Value *ret, GError **error)
{
  const TallyZone *zone = NULL;

  if (call->term->n_args == 3 && (zone = tally_zone_find (args[2].text, error)) == NULL)
    return FALSE;
  return tally_timestamp_trunc (args[0].text, call->term->type, args[1].integer, zone,
                                &ret->integer, error);
}

static gboolean
interval_trunc (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_interval_trunc (args[0].text, args[1].interval, &ret->interval, error);
}

static gboolean
date_bin (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_timestamp_bin (args[0].interval, args[1].integer, args[2].integer, &ret->integer,
                              error);
}

static gboolean
extract (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_datetime_extract (args[0].text, call->term->args[1]->type, &args[1], call->batch,
                                 &call->is_null, &ret->text, error);
}

static gboolean
date_part (Call *call, const Value *args, Value *ret, GError **error)
{
  Value value = args[1];
  TallyType type = call->term->args[1]->type;

  if (type == TALLY_TYPE_DATE)
    {
      type = TALLY_TYPE_TIMESTAMP;
      if (!tally_date_to_timestamp (args[1].date, type, &value.integer, error))
        return FALSE;
    }
  return tally_datetime_part (args[0].text, type, &value, &call->is_null, &ret->real, error);
}

static gboolean
is_finite (Call *call, const Value *args, Value *ret, GError **error)
{
  switch (call->term->args[0]->type)
    {
    case TALLY_TYPE_DATE:
      ret->boolean
          = args[0].date != TALLY_DATE_INFINITY && args[0].date != TALLY_DATE_MINUS_INFINITY;
      break;
    case TALLY_TYPE_INTERVAL:
      ret->boolean = TRUE;
      break;
    default:
      ret->boolean = args[0].integer != TALLY_TIMESTAMP_INFINITY
                     && args[0].integer != TALLY_TIMESTAMP_MINUS_INFINITY;
      break;
    }
  return TRUE;
}

/* Making and writing. */

static gboolean
make_date (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_date_make (args[0].integer, args[1].integer, args[2].integer, &ret->date, error);
}

static gboolean
make_timestamp (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 local;
  const TallyZone *zone;

  if (!tally_timestamp_make (args[0].integer, args[1].integer, args[2].integer, args[3].integer,
                             args[4].integer, args[5].real, &local, error))
    return FALSE;
  if (call->term->n_args < 7)
    {
      ret->integer = local;
      return TRUE;
    }

  zone = tally_zone_find (args[6].text, error);
  return zone != NULL && tally_zone_to_utc (zone, local, &ret->integer, error);
}

static gboolean
make_interval (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 fields[6] = { 0 };
  guint n = call->term->n_args;

  for (guint i = 0; i < MIN (n, 6); i++)
    fields[i] = args[i].integer;
  return tally_interval_make (fields[0], fields[1], fields[2], fields[3], fields[4], fields[5],
                              n == 7 ? args[6].real : 0, &ret->interval, error);
}

static gboolean
timestamp_from_epoch (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_timestamp_from_epoch (args[0].real, &ret->integer, error);
}

/* A template that is a constant is read once. */
static gboolean
prepare_template (Term *term, GError **error)
{
  const Term *format = term->args[1];

  if (format->kind != TERM_CONSTANT)
    return TRUE;

  term->data = tally_template_new (format->constant.text);
  term->free_data = tally_template_free;
  return TRUE;
}

/* The prepared one, or this row's, which ret_own then holds. */
static const TallyTemplate *
find_template (const Call *call, TallyText format, TallyTemplate **ret_own)
{
  if (call->term->data != NULL)
    return call->term->data;

  *ret_own = tally_template_new (format);
  return *ret_own;
}

static gboolean
timestamp_from_template (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (TallyTemplate) own = NULL;

  return tally_timestamp_from_template (args[0].text, find_template (call, args[1].text, &own),
                                        &ret->integer, error);
}

static gboolean
date_from_template (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (TallyTemplate) own = NULL;

  return tally_date_from_template (args[0].text, find_template (call, args[1].text, &own),
                                   &ret->date, error);
}

static gboolean
to_char (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (TallyTemplate) own = NULL;

  return tally_datetime_to_char (call->term->args[0]->type, &args[0],
                                 find_template (call, args[1].text, &own), call->batch,
                                 &call->is_null, &ret->text, error);
}

/* Zones. */

static gboolean
prepare_zone (Term *term, GError **error)
{
  const Term *name = term->args[0];

  if (name->kind != TERM_CONSTANT || name->is_null)
    return TRUE;

  term->data = (gpointer)tally_zone_find (name->constant.text, error);
  return term->data != NULL;
}

static gboolean
at_zone (Call *call, const Value *args, Value *ret, GError **error)
{
  const TallyZone *zone = call->term->data;

  ret->integer = args[1].integer;
  if (args[1].integer == TALLY_TIMESTAMP_INFINITY
      || args[1].integer == TALLY_TIMESTAMP_MINUS_INFINITY)
    return TRUE;
  if (zone == NULL && (zone = tally_zone_find (args[0].text, error)) == NULL)
    return FALSE;
  if (call->term->type == TALLY_TYPE_TIMESTAMPTZ)
    return tally_zone_to_utc (zone, args[1].integer, &ret->integer, error);
  return tally_zone_to_local (zone, args[1].integer, &ret->integer, error);
}

/* The clock.  now() is one moment for the whole life of an expression, as it is for a transaction.
 */

static gint64
read_clock (void)
{
  return g_get_real_time () - TALLY_EPOCH_UNIX * TALLY_USECS_PER_SECOND;
}

static gboolean
prepare_now (Term *term, GError **error)
{
  term->modifier = read_clock ();
  return TRUE;
}

static gboolean
now (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->integer = call->term->modifier;
  return TRUE;
}

static gboolean
current_date (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->date = tally_timestamp_to_date (call->term->modifier);
  return TRUE;
}

static gboolean
clock_timestamp (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->integer = read_clock ();
  return TRUE;
}

static gboolean
age_of_today (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 midnight;

  return tally_date_to_timestamp (tally_timestamp_to_date (call->term->modifier),
                                  TALLY_TYPE_TIMESTAMP, &midnight, error)
         && tally_timestamp_age (midnight, args[0].integer, &ret->interval, error);
}

#define JUSTIFY(function) ((gintptr)(JustifyFunc)(function))

const Function tally_time_functions[] = {
  { "+", "Di", 'D', date_plus },
  { "+", "iD", 'D', plus_date },
  { "-", "Di", 'D', date_minus },
  { "-", "DD", 'i', date_minus_date },
  { "+", "Dv", 's', date_plus_interval },
  { "+", "vD", 's', interval_plus_date },
  { "-", "Dv", 's', date_minus_interval },
  { "+", "sv", 's', timestamp_plus },
  { "+", "zv", 'z', timestamp_plus },
  { "+", "vs", 's', interval_plus_timestamp },
  { "+", "vz", 'z', interval_plus_timestamp },
  { "-", "sv", 's', timestamp_minus },
  { "-", "zv", 'z', timestamp_minus },
  { "-", "ss", 'v', timestamp_minus_timestamp },
  { "-", "zz", 'v', timestamp_minus_timestamp },
  { "+", "vv", 'v', interval_plus },
  { "-", "vv", 'v', interval_minus },
  { "-", "v", 'v', interval_negate },
  { "*", "vd", 'v', interval_times },
  { "*", "dv", 'v', times_interval },
  { "/", "vd", 'v', interval_divide },
  { "justify_days", "v", 'v', justify, .detail = JUSTIFY (tally_interval_justify_days) },
  { "justify_hours", "v", 'v', justify, .detail = JUSTIFY (tally_interval_justify_hours) },
  { "justify_interval", "v", 'v', justify, .detail = JUSTIFY (tally_interval_justify_interval) },
  { "age", "ss", 'v', age },
  { "age", "zz", 'v', age },
  { "age", "s", 'v', age_of_today, .prepare = prepare_now, .flags = FUNCTION_VOLATILE },
  { "age", "z", 'v', age_of_today, .prepare = prepare_now, .flags = FUNCTION_VOLATILE },
  { "date_trunc", "ts", 's', date_trunc },
  { "date_trunc", "tz", 'z', date_trunc },
  { "date_trunc", "tzt", 'z', date_trunc },
  { "date_trunc", "tv", 'v', interval_trunc },
  { "date_bin", "vss", 's', date_bin },
  { "date_bin", "vzz", 'z', date_bin },
  { "extract", "tD", 'n', extract },
  { "extract", "ts", 'n', extract },
  { "extract", "tz", 'n', extract },
  { "extract", "tv", 'n', extract },
  { "date_part", "tD", 'd', date_part },
  { "date_part", "ts", 'd', date_part },
  { "date_part", "tz", 'd', date_part },
  { "date_part", "tv", 'd', date_part },
  { "isfinite", "D", 'b', is_finite },
  { "isfinite", "s", 'b', is_finite },
  { "isfinite", "z", 'b', is_finite },
  { "isfinite", "v", 'b', is_finite },
  { "make_date", "iii", 'D', make_date },
  { "make_timestamp", "iiiiid", 's', make_timestamp },
  { "make_timestamptz", "iiiiid", 'z', make_timestamp },
  { "make_timestamptz", "iiiiidt", 'z', make_timestamp },
  { "make_interval", "i", 'v', make_interval },
  { "make_interval", "ii", 'v', make_interval },
  { "make_interval", "iii", 'v', make_interval },
  { "make_interval", "iiii", 'v', make_interval },
  { "make_interval", "iiiii", 'v', make_interval },
  { "make_interval", "iiiiii", 'v', make_interval },
  { "make_interval", "iiiiiid", 'v', make_interval },
  { "to_timestamp", "d", 'z', timestamp_from_epoch },
  { "to_timestamp", "tt", 'z', timestamp_from_template, .prepare = prepare_template },
  { "to_date", "tt", 'D', date_from_template, .prepare = prepare_template },
  { "to_char", "st", 't', to_char, .prepare = prepare_template },
  { "to_char", "zt", 't', to_char, .prepare = prepare_template },
  { "to_char", "vt", 't', to_char, .prepare = prepare_template },
  { "timezone", "ts", 'z', at_zone, .prepare = prepare_zone },
  { "timezone", "tz", 's', at_zone, .prepare = prepare_zone },
  { "now", "", 'z', now, .prepare = prepare_now, .flags = FUNCTION_VOLATILE },
  { "transaction_timestamp", "", 'z', now, .prepare = prepare_now, .flags = FUNCTION_VOLATILE },
  { "statement_timestamp", "", 'z', now, .prepare = prepare_now, .flags = FUNCTION_VOLATILE },
  { "localtimestamp", "", 's', now, .prepare = prepare_now, .flags = FUNCTION_VOLATILE },
  { "current_date", "", 'D', current_date, .prepare = prepare_now, .flags = FUNCTION_VOLATILE },
  { "clock_timestamp", "", 'z', clock_timestamp, .flags = FUNCTION_VOLATILE },
  { NULL },
};
