/* zone-file.c: the tz database's files, and the rules at their end
 *
 * A file lists the changes of a zone's clock, and ends in a rule for the time after the last of
 * them.  GLib reads these files as well, but not each rule: for Ireland, whose winter time is the
 * one that is "saved", it is two hours off from 2038 on.  So the format, which is short, is read
 * here.
 */
#include "zone-file.h"
#include "value.h"
#include <string.h>

#define HEADER_SIZE 44
#define MAX_COUNT 100000
#define MAX_ABBREVIATION 16
#define SECONDS_PER_DAY 86400

typedef enum
{
  RULE_MONTH,      /* M3.5.0: the last Sunday of March */
  RULE_JULIAN,     /* J60: March 1st, leap year or not */
  RULE_DAY_OF_YEAR /* 60: from 0, the leap day counts */
} RuleKind;

typedef struct
{
  RuleKind kind;
  gint month, week, day;
  gint time; /* seconds after midnight, by the clock before the change */
} Rule;

typedef struct
{
  gint offset;
  char abbreviation[MAX_ABBREVIATION];
} Clock;

struct _TallyZoneFile
{
  guint n_changes, n_clocks;
  gint64 *changes;  /* (owned) Unix times, ascending */
  guint8 *clock_of; /* (owned) the clock from each change on */
  Clock *clocks;    /* (owned) the first counts before all changes */

  gboolean has_rule; /* after the last change */
  gboolean has_summer;
  Clock standard, summer;
  Rule start, end; /* of summer time */
};

/* The rule at the end: CET-1CEST,M3.5.0,M10.5.0/3 */

static gboolean
read_name (const char **at, Clock *clock)
{
  const char *start = *at;
  gsize length;

  if (*start == '<')
    {
      start++;
      length = strcspn (start, ">");
      if (start[length] != '>')
        return FALSE;
      *at = start + length + 1;
    }
  else
    {
      length = strspn (start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
      *at = start + length;
    }
  if (length == 0 || length >= MAX_ABBREVIATION)
    return FALSE;
  memcpy (clock->abbreviation, start, length);
  clock->abbreviation[length] = '\0';
  return TRUE;
}

static gboolean
read_number (const char **at, gint max, gint *ret_value)
{
  gint value = 0;

  if (!g_ascii_isdigit (**at))
    return FALSE;
  for (; g_ascii_isdigit (**at); (*at)++)
    if ((value = value * 10 + (**at - '0')) > max)
      return FALSE;
  *ret_value = value;
  return TRUE;
}

/* -3, 5:30, +167:59:59 */
static gboolean
read_time (const char **at, gint *ret_seconds)
{
  gboolean negative = **at == '-';
  gint hours, minutes = 0, seconds = 0;

  if (**at == '-' || **at == '+')
    (*at)++;
  if (!read_number (at, 167, &hours))
    return FALSE;
  if (**at == ':')
    {
      (*at)++;
      if (!read_number (at, 59, &minutes))
        return FALSE;
      if (**at == ':')
        {
          (*at)++;
          if (!read_number (at, 59, &seconds))
            return FALSE;
        }
    }

  *ret_seconds = (hours * 60 + minutes) * 60 + seconds;
  if (negative)
    *ret_seconds = -*ret_seconds;
  return TRUE;
}

static gboolean
expect (const char **at, char c)
{
  if (**at != c)
    return FALSE;
  (*at)++;
  return TRUE;
}

static gboolean
read_rule (const char **at, Rule *rule)
{
  rule->time = 2 * 3600;
  if (!expect (at, ','))
    return FALSE;
  if (expect (at, 'M'))
    {
      rule->kind = RULE_MONTH;
      if (!read_number (at, 12, &rule->month) || !expect (at, '.')
          || !read_number (at, 5, &rule->week) || !expect (at, '.')
          || !read_number (at, 6, &rule->day) || rule->month == 0 || rule->week == 0)
        return FALSE;
    }
  else
    {
      rule->kind = expect (at, 'J') ? RULE_JULIAN : RULE_DAY_OF_YEAR;
      if (!read_number (at, 365, &rule->day) || (rule->kind == RULE_JULIAN && rule->day == 0))
        return FALSE;
    }

  return !expect (at, '/') || read_time (at, &rule->time);
}

static gboolean
read_rules (TallyZoneFile *file, const char *at)
{
  gint west;

  if (!read_name (&at, &file->standard) || !read_time (&at, &west))
    return FALSE;
  file->standard.offset = -west;
  if (*at == '\0')
    return TRUE;

  file->has_summer = TRUE;
  if (!read_name (&at, &file->summer))
    return FALSE;
  file->summer.offset = file->standard.offset + 3600;
  if (*at != ',')
    {
      if (!read_time (&at, &west))
        return FALSE;
      file->summer.offset = -west;
    }
  return read_rule (&at, &file->start) && read_rule (&at, &file->end) && *at == '\0';
}

/* Seconds since the epoch by the clock that the rule is told in. */
static gint64
rule_time (const Rule *rule, gint year)
{
  gint64 first = tally_days_from_civil (year, rule->kind == RULE_MONTH ? rule->month : 1, 1), day;
  gint64 weekday, length;

  switch (rule->kind)
    {
    case RULE_MONTH:
      weekday = ((first + 6) % 7 + 7) % 7; /* 2000-01-01 was a Saturday */
      day = first + (rule->day - weekday + 7) % 7 + (rule->week - 1) * 7;
      length = rule->month == 12 ? 31 : tally_days_from_civil (year, rule->month + 1, 1) - first;
      if (day >= first + length)
        day -= 7;
      break;
    case RULE_JULIAN:
      day = first + rule->day - 1;
      if (rule->day > 59 && tally_days_from_civil (year, 3, 1) - first == 60)
        day++;
      break;
    default:
      day = first + rule->day;
      break;
    }

  return (day + TALLY_EPOCH_UNIX / SECONDS_PER_DAY) * SECONDS_PER_DAY + rule->time;
}

static const Clock *
clock_by_rule (const TallyZoneFile *file, gint64 time)
{
  gint64 local = time + file->standard.offset - TALLY_EPOCH_UNIX, start, end;
  gint year, month, day;
  gboolean is_summer;

  if (!file->has_summer)
    return &file->standard;

  tally_civil_from_days ((gint32)(local / SECONDS_PER_DAY - (local % SECONDS_PER_DAY < 0)), &year,
                         &month, &day);
  start = rule_time (&file->start, year) - file->standard.offset;
  end = rule_time (&file->end, year) - file->summer.offset;
  is_summer = start < end ? time >= start && time < end : time >= start || time < end;
  return is_summer ? &file->summer : &file->standard;
}

gint
tally_zone_file_offset (const TallyZoneFile *file, gint64 time, const char **ret_abbreviation)
{
  const Clock *clock;
  guint low = 0, high = file->n_changes; /* changes before low are not after time */

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (file->changes[middle] <= time)
        low = middle + 1;
      else
        high = middle;
    }
  clock = low == file->n_changes && file->has_rule ? clock_by_rule (file, time)
          : low == 0                               ? &file->clocks[0]
                                                   : &file->clocks[file->clock_of[low - 1]];
  if (ret_abbreviation != NULL)
    *ret_abbreviation = clock->abbreviation;
  return clock->offset;
}

/* The file. */

typedef struct
{
  guint64 n_utc, n_standard, n_leaps, n_changes, n_clocks, n_characters;
} Counts;

static guint64
read_big_endian (const char *at, guint size)
{
  guint64 value = 0;

  for (guint i = 0; i < size; i++)
    value = value << 8 | (guchar)at[i];
  return value;
}

static gboolean
read_header (const char *bytes, gsize length, Counts *counts)
{
  if (length < HEADER_SIZE || memcmp (bytes, "TZif", 4) != 0)
    return FALSE;
  *counts = (Counts){
    .n_utc = read_big_endian (bytes + 20, 4),
    .n_standard = read_big_endian (bytes + 24, 4),
    .n_leaps = read_big_endian (bytes + 28, 4),
    .n_changes = read_big_endian (bytes + 32, 4),
    .n_clocks = read_big_endian (bytes + 36, 4),
    .n_characters = read_big_endian (bytes + 40, 4),
  };
  return counts->n_utc <= 256 && counts->n_standard <= 256 && counts->n_leaps <= MAX_COUNT
         && counts->n_changes <= MAX_COUNT && counts->n_clocks >= 1 && counts->n_clocks <= 256
         && counts->n_characters <= MAX_COUNT;
}

static gsize
block_size (const Counts *counts, gsize time_size)
{
  return counts->n_changes * (time_size + 1) + counts->n_clocks * 6 + counts->n_characters
         + counts->n_leaps * (time_size + 4) + counts->n_standard + counts->n_utc;
}

static gboolean
read_clock (Clock *clock, const char *at, const char *characters, guint64 n_characters)
{
  guint index = (guchar)at[5];
  gsize length;

  if (index >= n_characters)
    return FALSE;
  length = strnlen (characters + index, n_characters - index);
  if (length >= MAX_ABBREVIATION)
    return FALSE;
  clock->offset = (gint32)read_big_endian (at, 4);
  memcpy (clock->abbreviation, characters + index, length);
  return ABS (clock->offset) <= 7 * SECONDS_PER_DAY;
}

static gboolean
read_block (TallyZoneFile *file, const char *at, const Counts *counts)
{
  const char *clock_of = at + counts->n_changes * 8, *clocks = clock_of + counts->n_changes;
  const char *characters = clocks + counts->n_clocks * 6;

  file->n_changes = (guint)counts->n_changes;
  file->n_clocks = (guint)counts->n_clocks;
  file->changes = g_new (gint64, MAX (file->n_changes, 1));
  file->clock_of = g_new (guint8, MAX (file->n_changes, 1));
  file->clocks = g_new0 (Clock, file->n_clocks);
  for (guint i = 0; i < file->n_changes; i++)
    {
      file->changes[i] = (gint64)read_big_endian (at + i * 8, 8);
      file->clock_of[i] = (guint8)clock_of[i];
      if (file->clock_of[i] >= file->n_clocks
          || (i > 0 && file->changes[i] <= file->changes[i - 1]))
        return FALSE;
    }
  for (guint i = 0; i < file->n_clocks; i++)
    if (!read_clock (&file->clocks[i], clocks + i * 6, characters, counts->n_characters))
      return FALSE;
  return TRUE;
}

static gboolean
read_file (TallyZoneFile *file, const char *bytes, gsize length)
{
  const char *end = bytes + length, *line;
  g_autofree char *rule = NULL;
  Counts counts;
  gsize first;

  /* The first block has times of 32 bits, for readers of the last century. */
  if (!read_header (bytes, length, &counts) || bytes[4] < '2')
    return FALSE;
  first = HEADER_SIZE + block_size (&counts, 4);
  if (first > length || !read_header (bytes + first, length - first, &counts))
    return FALSE;
  bytes += first + HEADER_SIZE;
  /* Files that count leap seconds are of another time than ours. */
  if (block_size (&counts, 8) > (gsize)(end - bytes) || counts.n_leaps > 0
      || !read_block (file, bytes, &counts))
    return FALSE;

  bytes += block_size (&counts, 8);
  if (bytes == end || *bytes++ != '\n')
    return FALSE;
  line = memchr (bytes, '\n', (gsize)(end - bytes));
  if (line == NULL)
    return FALSE;
  rule = g_strndup (bytes, (gsize)(line - bytes));
  file->has_rule = *rule != '\0';
  return !file->has_rule || read_rules (file, rule);
}

TallyZoneFile *
tally_zone_file_new (const char *bytes, gsize length)
{
  g_autoptr (TallyZoneFile) file = g_new0 (TallyZoneFile, 1);

  return read_file (file, bytes, length) ? g_steal_pointer (&file) : NULL;
}

void
tally_zone_file_free (TallyZoneFile *file)
{
  if (file == NULL)
    return;

  g_free (file->changes);
  g_free (file->clock_of);
  g_free (file->clocks);
  g_free (file);
}
