/* datetime-input.c: what a person may write for a date or a timestamp
 *
 * PostgreSQL accepts a great deal, by rules that grew: the text is cut into fields by their looks,
 * then each field is given a meaning by its form and by what the fields before it have left open.
 * This file keeps these rules, odd ones too, because the promise is the same answer for the same
 * text.  The one form that machines write, 2023-09-18T23:25:58.123Z, has a short way of its own in
 * front.
 *
 * Not read, as no value of data should depend on the clock: now, today, tomorrow, yesterday.
 */
#include "datetime-private.h"
#include "value-private.h"
#include "value.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LENGTH 128 /* of all fields, without what stands between them */
#define MAX_ZONE_HOURS 15

/* What a field says, as bits: a text may say nothing twice. */
typedef enum
{
  HAS_YEAR = 1 << 0,
  HAS_MONTH = 1 << 1,
  HAS_DAY = 1 << 2,
  HAS_DATE = HAS_YEAR | HAS_MONTH | HAS_DAY,
  HAS_HOUR = 1 << 3,
  HAS_MINUTE = 1 << 4,
  HAS_SECOND = 1 << 5,
  HAS_FRACTION = 1 << 6,
  HAS_SECONDS = HAS_SECOND | HAS_FRACTION,
  HAS_TIME = HAS_HOUR | HAS_MINUTE | HAS_SECONDS,
  HAS_ZONE = 1 << 7,
  HAS_SUMMER = 1 << 8,
  HAS_DAY_OF_YEAR = 1 << 9,
  HAS_WEEKDAY = 1 << 10,
  HAS_MERIDIEM = 1 << 11,
  HAS_ERA = 1 << 12,
  HAS_SPECIAL = 1 << 13,
} Has;

/* A word that says what the next number is. */
typedef enum
{
  LABEL_NONE,
  LABEL_YEAR,
  LABEL_MONTH,
  LABEL_DAY,
  LABEL_HOUR,
  LABEL_MINUTE,
  LABEL_SECOND,
  LABEL_JULIAN,
  LABEL_TIME,
  LABEL_OTHER, /* none that a number may follow */
} Label;

typedef enum
{
  SPECIAL_NONE,
  SPECIAL_EPOCH,
  SPECIAL_INFINITY,
  SPECIAL_MINUS_INFINITY,
} Special;

typedef enum
{
  MERIDIEM_NONE,
  MERIDIEM_AM,
  MERIDIEM_PM,
} Meridiem;

typedef struct
{
  TallyCivil time;
  gint day_of_year;
  gint has;
  Label label;
  Meridiem meridiem;
  Special special;
  gboolean text_month, julian, two_digit_year, bc;
  gint zone_offset; /* seconds east */
  const TallyZone *zone;
  GError **error;
} Reading;

typedef enum
{
  WORD_IGNORE,
  WORD_MONTH,
  WORD_WEEKDAY,
  WORD_LABEL,
  WORD_MERIDIEM,
  WORD_ERA,
  WORD_SPECIAL,
  WORD_ZULU,
  WORD_CLOCK,
} WordKind;

typedef struct
{
  const char *word;
  WordKind kind;
  gint value;
} Word;

/* Sorted. */
static const Word words[] = {
  { "-infinity", WORD_SPECIAL, SPECIAL_MINUS_INFINITY },
  { "ad", WORD_ERA, FALSE },
  { "allballs", WORD_ZULU, 0 },
  { "am", WORD_MERIDIEM, MERIDIEM_AM },
  { "apr", WORD_MONTH, 4 },
  { "april", WORD_MONTH, 4 },
  { "at", WORD_IGNORE, 0 },
  { "aug", WORD_MONTH, 8 },
  { "august", WORD_MONTH, 8 },
  { "bc", WORD_ERA, TRUE },
  { "d", WORD_LABEL, LABEL_DAY },
  { "dec", WORD_MONTH, 12 },
  { "december", WORD_MONTH, 12 },
  { "dow", WORD_LABEL, LABEL_OTHER },
  { "doy", WORD_LABEL, LABEL_OTHER },
  { "epoch", WORD_SPECIAL, SPECIAL_EPOCH },
  { "feb", WORD_MONTH, 2 },
  { "february", WORD_MONTH, 2 },
  { "fri", WORD_WEEKDAY, 5 },
  { "friday", WORD_WEEKDAY, 5 },
  { "h", WORD_LABEL, LABEL_HOUR },
  { "infinity", WORD_SPECIAL, SPECIAL_INFINITY },
  { "isodow", WORD_LABEL, LABEL_OTHER },
  { "isoyear", WORD_LABEL, LABEL_OTHER },
  { "j", WORD_LABEL, LABEL_JULIAN },
  { "jan", WORD_MONTH, 1 },
  { "january", WORD_MONTH, 1 },
  { "jd", WORD_LABEL, LABEL_JULIAN },
  { "jul", WORD_MONTH, 7 },
  { "julian", WORD_LABEL, LABEL_JULIAN },
  { "july", WORD_MONTH, 7 },
  { "jun", WORD_MONTH, 6 },
  { "june", WORD_MONTH, 6 },
  { "m", WORD_LABEL, LABEL_MONTH },
  { "mar", WORD_MONTH, 3 },
  { "march", WORD_MONTH, 3 },
  { "may", WORD_MONTH, 5 },
  { "mm", WORD_LABEL, LABEL_MINUTE },
  { "mon", WORD_WEEKDAY, 1 },
  { "monday", WORD_WEEKDAY, 1 },
  { "nov", WORD_MONTH, 11 },
  { "november", WORD_MONTH, 11 },
  { "now", WORD_CLOCK, 0 },
  { "oct", WORD_MONTH, 10 },
  { "october", WORD_MONTH, 10 },
  { "on", WORD_IGNORE, 0 },
  { "pm", WORD_MERIDIEM, MERIDIEM_PM },
  { "s", WORD_LABEL, LABEL_SECOND },
  { "sat", WORD_WEEKDAY, 6 },
  { "saturday", WORD_WEEKDAY, 6 },
  { "sep", WORD_MONTH, 9 },
  { "sept", WORD_MONTH, 9 },
  { "september", WORD_MONTH, 9 },
  { "sun", WORD_WEEKDAY, 0 },
  { "sunday", WORD_WEEKDAY, 0 },
  { "t", WORD_LABEL, LABEL_TIME },
  { "thu", WORD_WEEKDAY, 4 },
  { "thur", WORD_WEEKDAY, 4 },
  { "thurs", WORD_WEEKDAY, 4 },
  { "thursday", WORD_WEEKDAY, 4 },
  { "today", WORD_CLOCK, 0 },
  { "tomorrow", WORD_CLOCK, 0 },
  { "tue", WORD_WEEKDAY, 2 },
  { "tues", WORD_WEEKDAY, 2 },
  { "tuesday", WORD_WEEKDAY, 2 },
  { "wed", WORD_WEEKDAY, 3 },
  { "wednesday", WORD_WEEKDAY, 3 },
  { "weds", WORD_WEEKDAY, 3 },
  { "y", WORD_LABEL, LABEL_YEAR },
  { "yesterday", WORD_CLOCK, 0 },
};

static int
compare_word (const void *key, const void *entry)
{
  return strcmp (key, ((const Word *)entry)->word);
}

static const Word *
find_word (const char *word)
{
  return bsearch (word, words, G_N_ELEMENTS (words), sizeof words[0], compare_word);
}

/* Cutting into fields. */

static gboolean
fields_add (TallyFields *fields, char c)
{
  if (fields->used + 1 >= fields->size)
    return FALSE;
  fields->buffer[fields->used++] = c;
  return TRUE;
}

typedef gboolean (*CharTest) (char c, char delimiter);

static gboolean
is_digit (char c, char delimiter)
{
  return g_ascii_isdigit (c);
}

static gboolean
is_alpha (char c, char delimiter)
{
  return g_ascii_isalpha (c);
}

static gboolean
is_digit_or_delimiter (char c, char delimiter)
{
  return g_ascii_isdigit (c) || c == delimiter;
}

static gboolean
is_alnum_or_delimiter (char c, char delimiter)
{
  return g_ascii_isalnum (c) || c == delimiter;
}

static gboolean
is_in_time (char c, char delimiter)
{
  return g_ascii_isdigit (c) || c == ':' || c == '.';
}

static gboolean
is_in_zone (char c, char delimiter)
{
  return is_in_time (c, delimiter) || c == '-';
}

static gboolean
is_in_zone_name (char c, char delimiter)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("+-/_.:", c) != NULL);
}

static gboolean
fields_take (TallyFields *fields, const char **at, const char *end, CharTest test, char delimiter)
{
  for (; *at < end && test (**at, delimiter); (*at)++)
    if (!fields_add (fields, g_ascii_tolower (**at)))
      return FALSE;
  return TRUE;
}

static char
peek (const char *at, const char *end)
{
  return at < end ? *at : '\0';
}

/* A field that starts with a digit. */
static gboolean
fields_take_number (TallyFields *fields, TallyFieldKind *kind, const char **at, const char *end)
{
  char delimiter;

  if (!fields_take (fields, at, end, is_digit, 0))
    return FALSE;
  delimiter = peek (*at, end);
  *kind = TALLY_FIELD_NUMBER;
  if (delimiter == ':')
    {
      *kind = TALLY_FIELD_TIME;
      return fields_take (fields, at, end, is_in_time, 0);
    }
  if (delimiter != '-' && delimiter != '/' && delimiter != '.')
    return TRUE;

  fields_add (fields, delimiter);
  (*at)++;
  if (!g_ascii_isdigit (peek (*at, end))) /* 18-Sep-2023 */
    {
      *kind = TALLY_FIELD_DATE;
      return fields_take (fields, at, end, is_alnum_or_delimiter, delimiter);
    }
  *kind = delimiter == '.' ? TALLY_FIELD_NUMBER : TALLY_FIELD_DATE;
  if (!fields_take (fields, at, end, is_digit, 0))
    return FALSE;
  if (peek (*at, end) == delimiter)
    {
      *kind = TALLY_FIELD_DATE;
      return fields_take (fields, at, end, is_digit_or_delimiter, delimiter);
    }

  return TRUE;
}

/* A field that starts with a letter: a word, a date such as Sep-18-2023, or a zone such as
 * Europe/Berlin. */
static gboolean
fields_take_word (TallyFields *fields, TallyFieldKind *kind, const char **at, const char *end)
{
  gsize start = fields->used;
  gboolean is_date;
  char next;

  if (!fields_take (fields, at, end, is_alpha, 0))
    return FALSE;
  next = peek (*at, end);
  is_date = next == '-' || next == '/' || next == '.';
  if (next == '+' || g_ascii_isdigit (next))
    {
      fields->buffer[fields->used] = '\0';
      is_date = find_word (fields->buffer + start) == NULL;
    }
  *kind = is_date ? TALLY_FIELD_DATE : TALLY_FIELD_WORD;
  return !is_date || fields_take (fields, at, end, is_in_zone_name, 0);
}

static gboolean
fields_take_signed (TallyFields *fields, TallyFieldKind *kind, const char **at, const char *end)
{
  fields_add (fields, *(*at)++);
  while (*at < end && tally_is_space (**at))
    (*at)++;
  *kind = g_ascii_isdigit (peek (*at, end)) ? TALLY_FIELD_ZONE : TALLY_FIELD_WORD;
  if (*kind == TALLY_FIELD_ZONE)
    return fields_take (fields, at, end, is_in_zone, 0);
  return g_ascii_isalpha (peek (*at, end)) && fields_take (fields, at, end, is_alpha, 0);
}

gboolean
tally_fields_cut (TallyFields *fields, TallyText text, gsize size)
{
  const char *at = text.data, *end = text.data + text.length;

  fields->n = 0;
  fields->used = 0;
  fields->size = size;
  while (at < end)
    {
      gboolean fits = TRUE;
      TallyFieldKind kind = TALLY_FIELD_NUMBER;
      gsize start = fields->used;

      if (tally_is_space (*at))
        {
          at++;
          continue;
        }
      if (fields->n == TALLY_MAX_FIELDS || fields->used + 2 >= size)
        return FALSE;
      if (g_ascii_isdigit (*at))
        fits = fields_take_number (fields, &kind, &at, end);
      else if (*at == '.')
        fits = fields_add (fields, *at++) && fields_take (fields, &at, end, is_digit, 0);
      else if (g_ascii_isalpha (*at))
        fits = fields_take_word (fields, &kind, &at, end);
      else if (*at == '+' || *at == '-')
        fits = fields_take_signed (fields, &kind, &at, end);
      else if (g_ascii_ispunct (*at))
        {
          at++;
          continue;
        }
      else
        return FALSE;
      if (!fits || !fields_add (fields, '\0'))
        return FALSE;

      fields->kind[fields->n] = kind;
      fields->text[fields->n++] = fields->buffer + start;
    }

  return TRUE;
}

/* Numbers in fields. */

TallyRead
tally_read_int (const char *text, char **ret_end, gint *ret_value, TallyRead overflow)
{
  glong value;

  errno = 0;
  value = strtol (text, ret_end, 10);
  if (errno == ERANGE || value != (gint)value)
    return overflow;
  *ret_value = (gint)value;
  return TALLY_READ_OK;
}

TallyRead
tally_read_fraction (const char *point, double *ret_fraction)
{
  char *end = (char *)point + 1;
  double fraction = 0;

  errno = 0;
  if (point[1] != '\0')
    fraction = g_ascii_strtod (point, &end);
  if (*end != '\0' || errno != 0)
    return TALLY_READ_BAD_FORMAT;

  *ret_fraction = fraction;
  return TALLY_READ_OK;
}

static TallyRead
read_fraction (const char *point, gint *ret_usec)
{
  double fraction;
  TallyRead read = tally_read_fraction (point, &fraction);

  if (read == TALLY_READ_OK)
    *ret_usec = (gint)rint (fraction * 1000000);
  return read;
}

/* +01, -0330, +05:30, +01:02:03 */
static TallyRead
read_zone (const char *text, gint *ret_offset)
{
  gint hours, minutes = 0, seconds = 0;
  TallyRead read;
  char *end;

  if (*text != '+' && *text != '-')
    return TALLY_READ_BAD_FORMAT;
  read = tally_read_int (text + 1, &end, &hours, TALLY_READ_ZONE_OVERFLOW);
  if (read == TALLY_READ_OK && *end == ':')
    {
      read = tally_read_int (end + 1, &end, &minutes, TALLY_READ_ZONE_OVERFLOW);
      if (read == TALLY_READ_OK && *end == ':')
        read = tally_read_int (end + 1, &end, &seconds, TALLY_READ_ZONE_OVERFLOW);
    }
  else if (read == TALLY_READ_OK && *end == '\0' && strlen (text) > 3)
    {
      minutes = hours % 100;
      hours /= 100;
    }
  if (read != TALLY_READ_OK)
    return read;
  if (hours < 0 || hours > MAX_ZONE_HOURS || minutes < 0 || minutes > 59 || seconds < 0
      || seconds > 59)
    return TALLY_READ_ZONE_OVERFLOW;
  if (*end != '\0')
    return TALLY_READ_BAD_FORMAT;

  *ret_offset = (hours * 60 + minutes) * 60 + seconds;
  if (*text == '-')
    *ret_offset = -*ret_offset;
  return TALLY_READ_OK;
}

/* 17:20, 17:20:30.5; 20:30.5 are minutes and seconds. */
static TallyRead
read_time (const char *text, TallyCivil *time)
{
  TallyRead read = tally_read_int (text, (char **)&text, &time->hour, TALLY_READ_FIELD_OVERFLOW);

  if (read != TALLY_READ_OK || *text != ':')
    return read != TALLY_READ_OK ? read : TALLY_READ_BAD_FORMAT;
  read = tally_read_int (text + 1, (char **)&text, &time->minute, TALLY_READ_FIELD_OVERFLOW);
  if (read != TALLY_READ_OK)
    return read;

  time->second = 0;
  time->usec = 0;
  if (*text == '.')
    {
      time->second = time->minute;
      time->minute = time->hour;
      time->hour = 0;
      read = read_fraction (text, &time->usec);
    }
  else if (*text == ':')
    {
      read = tally_read_int (text + 1, (char **)&text, &time->second, TALLY_READ_FIELD_OVERFLOW);
      if (read == TALLY_READ_OK && *text == '.')
        read = read_fraction (text, &time->usec);
      else if (read == TALLY_READ_OK && *text != '\0')
        read = TALLY_READ_BAD_FORMAT;
    }
  else if (*text != '\0')
    read = TALLY_READ_BAD_FORMAT;
  if (read != TALLY_READ_OK)
    return read;

  if (time->hour < 0 || time->minute < 0 || time->minute > 59 || time->second < 0
      || time->second > 60 || time->usec < 0 || time->usec > TALLY_USECS_PER_SECOND)
    return TALLY_READ_FIELD_OVERFLOW;
  return TALLY_READ_OK;
}

static gboolean
is_longer_than_a_day (const TallyCivil *time)
{
  return time->hour > 24
         || time->hour * TALLY_USECS_PER_HOUR + time->minute * TALLY_USECS_PER_MINUTE
                    + time->second * TALLY_USECS_PER_SECOND + time->usec
                > TALLY_USECS_PER_DAY;
}

/* Digits run together: 20230918, 232558, 2325.  Digits are cut off text from its end. */
static gint
cut_two (char *text, gsize *length)
{
  gint value = atoi (text + *length - 2);

  *length -= 2;
  text[*length] = '\0';
  return value;
}

static TallyRead
reading_run_together (Reading *reading, char *text, gint has, gint *ret_has)
{
  char *point = strchr (text, '.');
  gsize length = strlen (text);

  if (point != NULL)
    {
      errno = 0;
      reading->time.usec = (gint)rint (g_ascii_strtod (point, NULL) * 1000000);
      if (errno != 0)
        return TALLY_READ_BAD_FORMAT;
      *point = '\0';
      length = (gsize)(point - text);
    }
  else if ((has & HAS_DATE) != HAS_DATE && length >= 6)
    {
      reading->time.day = cut_two (text, &length);
      reading->time.month = cut_two (text, &length);
      reading->time.year = (gint)strtol (text, NULL, 10);
      if (length == 2)
        reading->two_digit_year = TRUE;
      *ret_has = HAS_DATE;
      return TALLY_READ_OK;
    }
  if ((has & HAS_TIME) == HAS_TIME || (length != 6 && length != 4))
    return TALLY_READ_BAD_FORMAT;

  reading->time.second = length == 6 ? cut_two (text, &length) : 0;
  reading->time.minute = cut_two (text, &length);
  reading->time.hour = cut_two (text, &length);
  *ret_has = HAS_TIME;
  return TALLY_READ_OK;
}

/* Which part of a date a number is, from what is there already: 01/02/2003 has the month first. */
static gint
choose_part (Reading *reading, gsize length, gint value, gint has)
{
  switch (has & HAS_DATE)
    {
    case 0:
      return length >= 3 ? HAS_YEAR : HAS_MONTH;
    case HAS_YEAR:
    case HAS_DAY:
      return HAS_MONTH;
    case HAS_MONTH:
      return reading->text_month && length >= 3 ? HAS_YEAR : HAS_DAY;
    case HAS_MONTH | HAS_DAY:
      return HAS_YEAR;
    case HAS_YEAR | HAS_MONTH:
      if (reading->text_month && length >= 3 && reading->two_digit_year)
        {
          /* 18-Sep-2023: what was taken for a year was the day. */
          reading->time.day = reading->time.year;
          reading->time.year = value;
          reading->two_digit_year = FALSE;
          return 0;
        }
      return HAS_DAY;
    default:
      return -1;
    }
}

static TallyRead
reading_number (Reading *reading, char *text, gint has, gint *ret_has)
{
  gsize length = strlen (text);
  gint value, part;
  char *end;
  TallyRead read = tally_read_int (text, &end, &value, TALLY_READ_FIELD_OVERFLOW);

  *ret_has = 0;
  if (read != TALLY_READ_OK)
    return read;
  if (end == text)
    return TALLY_READ_BAD_FORMAT;
  if (*end == '.' && end - text > 2)
    return reading_run_together (reading, text, has | HAS_DATE, ret_has);
  if (*end == '.')
    read = read_fraction (end, &reading->time.usec);
  else if (*end != '\0')
    read = TALLY_READ_BAD_FORMAT;
  if (read != TALLY_READ_OK)
    return read;

  if (length == 3 && (has & HAS_DATE) == HAS_YEAR && value >= 1 && value <= 366)
    {
      reading->day_of_year = value;
      *ret_has = HAS_DAY_OF_YEAR | HAS_MONTH | HAS_DAY;
      return TALLY_READ_OK;
    }
  if ((has & HAS_DATE) == HAS_DATE)
    return reading_run_together (reading, text, has, ret_has);

  part = choose_part (reading, length, value, has);
  if (part == HAS_YEAR)
    {
      reading->time.year = value;
      reading->two_digit_year = length <= 2;
    }
  else if (part == HAS_MONTH)
    reading->time.month = value;
  else if (part == HAS_DAY)
    reading->time.day = value;
  else if (part == 0)
    part = HAS_DAY;
  else
    return TALLY_READ_BAD_FORMAT;
  *ret_has = part;
  return TALLY_READ_OK;
}

/* 2023-09-18, 18.Sep.2023, 9/18/23: up to three parts with something between. */
static guint
split_date (char *text, char **parts)
{
  guint n = 0;

  while (*text != '\0' && n < TALLY_MAX_FIELDS)
    {
      gboolean digits;

      while (*text != '\0' && !g_ascii_isalnum (*text))
        text++;
      if (*text == '\0')
        return 0; /* ends in a delimiter */
      parts[n++] = text;
      digits = g_ascii_isdigit (*text);
      while (digits ? g_ascii_isdigit (*text) : g_ascii_isalpha (*text))
        text++;
      if (*text != '\0')
        *text++ = '\0';
    }

  return n;
}

static TallyRead
reading_date (Reading *reading, char *text, gint *ret_has)
{
  gint has = reading->has, part;
  gboolean had_text_month = reading->text_month;
  char *parts[TALLY_MAX_FIELDS];
  guint n = split_date (text, parts);

  if (n == 0)
    return TALLY_READ_BAD_FORMAT;
  *ret_has = 0;
  reading->text_month = FALSE; /* one in a field before says nothing about this one */
  for (guint i = 0; i < n; i++)
    if (g_ascii_isalpha (*parts[i]))
      {
        const Word *word = find_word (parts[i]);

        if (word != NULL && word->kind == WORD_IGNORE)
          continue;
        if (word == NULL || word->kind != WORD_MONTH || (has & HAS_MONTH) != 0)
          return TALLY_READ_BAD_FORMAT;
        reading->time.month = word->value;
        reading->text_month = TRUE;
        has |= HAS_MONTH;
        *ret_has |= HAS_MONTH;
        parts[i] = NULL;
      }
  for (guint i = 0; i < n; i++)
    {
      TallyRead read
          = parts[i] == NULL ? TALLY_READ_OK : reading_number (reading, parts[i], has, &part);

      if (parts[i] == NULL)
        continue;
      if (read != TALLY_READ_OK)
        return read;
      if ((has & part) != 0)
        return TALLY_READ_BAD_FORMAT;
      has |= part;
      *ret_has |= part;
    }

  reading->text_month = had_text_month;
  return (has & ~(HAS_DAY_OF_YEAR | HAS_ZONE)) == HAS_DATE ? TALLY_READ_OK : TALLY_READ_BAD_FORMAT;
}

static void
set_julian (Reading *reading, gint day)
{
  TallyCivil *time = &reading->time;

  tally_civil_from_days ((gint32)((gint64)day - TALLY_EPOCH_JULIAN), &time->year, &time->month,
                         &time->day);
  reading->julian = TRUE;
}

static TallyRead
find_named_zone (Reading *reading, const char *name, gint *ret_has)
{
  reading->zone = tally_zone_find_full (name, strlen (name));
  *ret_has = HAS_ZONE;
  return reading->zone != NULL ? TALLY_READ_OK : TALLY_READ_BAD_FORMAT;
}

static TallyRead
reading_date_field (Reading *reading, char *text, gint *ret_has)
{
  char *minus;
  TallyRead read;
  gint value;

  if (reading->label == LABEL_JULIAN)
    {
      read = tally_read_int (text, &minus, &value, TALLY_READ_FIELD_OVERFLOW);
      if (read != TALLY_READ_OK || value < 0)
        return TALLY_READ_FIELD_OVERFLOW;
      set_julian (reading, value);
      reading->label = LABEL_NONE;
      *ret_has = HAS_DATE | HAS_TIME | HAS_ZONE;
      return read_zone (minus, &reading->zone_offset);
    }
  if (reading->label == LABEL_NONE
      && (reading->has & (HAS_MONTH | HAS_DAY)) != (HAS_MONTH | HAS_DAY))
    return reading_date (reading, text, ret_has);

  if (!g_ascii_isdigit (*text) && reading->label == LABEL_NONE)
    {
      if (find_named_zone (reading, text, ret_has) == TALLY_READ_OK)
        return TALLY_READ_OK;
      tally_throw (reading->error, TALLY_ERROR_DATA, "time zone \"%s\" not recognized", text);
      return TALLY_READ_UNKNOWN_ZONE;
    }

  /* 232558-08: a time that runs into its zone. */
  minus = strchr (text, '-');
  if ((reading->label != LABEL_NONE && reading->label != LABEL_TIME)
      || (reading->has & HAS_TIME) == HAS_TIME || minus == NULL)
    return TALLY_READ_BAD_FORMAT;
  reading->label = LABEL_NONE;
  read = read_zone (minus, &reading->zone_offset);
  if (read != TALLY_READ_OK)
    return read;
  *minus = '\0';
  read = reading_run_together (reading, text, reading->has, ret_has);
  *ret_has |= HAS_ZONE;
  return read;
}

/* A number after a word that says what it is: j2460206, t232558. */
static TallyRead
reading_labelled (Reading *reading, char *text, gint *ret_has)
{
  Label label = reading->label;
  TallyCivil *time = &reading->time;
  gint value;
  char *end;
  TallyRead read = tally_read_int (text, &end, &value, TALLY_READ_FIELD_OVERFLOW);

  reading->label = LABEL_NONE;
  reading->special = SPECIAL_NONE;
  if (read != TALLY_READ_OK)
    return read;
  if (*end != '\0'
      && (*end != '.' || (label != LABEL_JULIAN && label != LABEL_TIME && label != LABEL_SECOND)))
    return TALLY_READ_BAD_FORMAT;

  switch (label)
    {
    case LABEL_YEAR:
      time->year = value;
      *ret_has = HAS_YEAR;
      return TALLY_READ_OK;
    case LABEL_MONTH:
      /* After an hour, m are minutes. */
      *(((reading->has & HAS_MONTH) && (reading->has & HAS_HOUR)) ? &time->minute : &time->month)
          = value;
      *ret_has = (reading->has & HAS_MONTH) && (reading->has & HAS_HOUR) ? HAS_MINUTE : HAS_MONTH;
      return TALLY_READ_OK;
    case LABEL_DAY:
      time->day = value;
      *ret_has = HAS_DAY;
      return TALLY_READ_OK;
    case LABEL_HOUR:
      time->hour = value;
      *ret_has = HAS_HOUR;
      return TALLY_READ_OK;
    case LABEL_MINUTE:
      time->minute = value;
      *ret_has = HAS_MINUTE;
      return TALLY_READ_OK;
    case LABEL_SECOND:
      time->second = value;
      *ret_has = *end == '.' ? HAS_SECONDS : HAS_SECOND;
      return *end == '.' ? read_fraction (end, &time->usec) : TALLY_READ_OK;
    case LABEL_TIME:
      read = reading_run_together (reading, text, reading->has | HAS_DATE, ret_has);
      return read == TALLY_READ_OK && *ret_has != HAS_TIME ? TALLY_READ_BAD_FORMAT : read;
    case LABEL_NONE:
    case LABEL_OTHER:
      return TALLY_READ_BAD_FORMAT;
    case LABEL_JULIAN:
      break;
    }

  /* A Julian day, with a part of the day. */
  if (value < 0)
    return TALLY_READ_FIELD_OVERFLOW;
  set_julian (reading, value);
  *ret_has = HAS_DATE;
  if (*end == '.')
    {
      double part = g_ascii_strtod (end, &end);
      gint64 rest = (gint64)(part * (double)TALLY_USECS_PER_DAY);

      if (*end != '\0')
        return TALLY_READ_BAD_FORMAT;
      time->hour = (gint)(rest / TALLY_USECS_PER_HOUR);
      time->minute = (gint)(rest / TALLY_USECS_PER_MINUTE % 60);
      time->second = (gint)(rest / TALLY_USECS_PER_SECOND % 60);
      time->usec = (gint)(rest % TALLY_USECS_PER_SECOND);
      *ret_has |= HAS_TIME;
    }
  return TALLY_READ_OK;
}

static TallyRead
reading_number_field (Reading *reading, char *text, gint *ret_has)
{
  const char *point = strchr (text, '.');

  if (reading->label != LABEL_NONE)
    return reading_labelled (reading, text, ret_has);
  if (point != NULL && (reading->has & HAS_DATE) == 0)
    return reading_date (reading, text, ret_has);
  if (point != NULL && point - text > 2)
    return reading_run_together (reading, text, reading->has, ret_has);
  if (strlen (text) >= 6 && ((reading->has & HAS_DATE) == 0 || (reading->has & HAS_TIME) == 0))
    return reading_run_together (reading, text, reading->has, ret_has);
  return reading_number (reading, text, reading->has, ret_has);
}

static TallyRead
reading_word (Reading *reading, const TallyFields *fields, guint i, gint *ret_has)
{
  const char *text = fields->text[i];
  const Word *word;

  *ret_has = 0;
  word = find_word (text);
  if (word == NULL)
    {
      reading->zone = tally_zone_find_abbreviation (text, strlen (text));
      *ret_has = HAS_ZONE;
      return reading->zone != NULL ? TALLY_READ_OK : find_named_zone (reading, text, ret_has);
    }

  switch (word->kind)
    {
    case WORD_IGNORE:
      break;
    case WORD_MONTH:
      if ((reading->has & HAS_MONTH) && !reading->text_month && !(reading->has & HAS_DAY)
          && reading->time.month >= 1 && reading->time.month <= 31)
        {
          reading->time.day = reading->time.month; /* 18 September: the number was the day */
          *ret_has = HAS_DAY;
        }
      else
        *ret_has = HAS_MONTH;
      reading->text_month = TRUE;
      reading->time.month = word->value;
      break;
    case WORD_WEEKDAY:
      *ret_has = HAS_WEEKDAY;
      break;
    case WORD_LABEL:
      if (word->value == LABEL_TIME
          && ((reading->has & HAS_DATE) != HAS_DATE || i + 1 == fields->n
              || (fields->kind[i + 1] != TALLY_FIELD_NUMBER
                  && fields->kind[i + 1] != TALLY_FIELD_TIME
                  && fields->kind[i + 1] != TALLY_FIELD_DATE)))
        return TALLY_READ_BAD_FORMAT;
      reading->label = word->value;
      break;
    case WORD_MERIDIEM:
      reading->meridiem = word->value;
      *ret_has = HAS_MERIDIEM;
      break;
    case WORD_ERA:
      reading->bc = word->value;
      *ret_has = HAS_ERA;
      break;
    case WORD_SPECIAL:
      reading->special = word->value;
      *ret_has = HAS_SPECIAL;
      break;
    case WORD_ZULU:
      reading->time.hour = reading->time.minute = reading->time.second = 0;
      reading->zone_offset = 0;
      reading->special = SPECIAL_NONE;
      *ret_has = HAS_TIME | HAS_ZONE;
      break;
    case WORD_CLOCK:
      return TALLY_READ_CLOCK_WORD;
    }
  return TALLY_READ_OK;
}

static TallyRead
reading_field (Reading *reading, const TallyFields *fields, guint i, gint *ret_has)
{
  TallyRead read;

  *ret_has = 0;
  switch (fields->kind[i])
    {
    case TALLY_FIELD_DATE:
      return reading_date_field (reading, fields->text[i], ret_has);
    case TALLY_FIELD_TIME:
      if (reading->label != LABEL_NONE && reading->label != LABEL_TIME)
        return TALLY_READ_BAD_FORMAT;
      reading->label = LABEL_NONE;
      *ret_has = HAS_TIME;
      read = read_time (fields->text[i], &reading->time);
      return read == TALLY_READ_OK && is_longer_than_a_day (&reading->time)
                 ? TALLY_READ_FIELD_OVERFLOW
                 : read;
    case TALLY_FIELD_ZONE:
      *ret_has = HAS_ZONE;
      return read_zone (fields->text[i], &reading->zone_offset);
    case TALLY_FIELD_NUMBER:
      return reading_number_field (reading, fields->text[i], ret_has);
    case TALLY_FIELD_WORD:
      return reading_word (reading, fields, i, ret_has);
    }
  return TALLY_READ_BAD_FORMAT;
}

/* Two digits mean 1970 to 2069; there is no year 0. */
static gboolean
reading_settle_year (Reading *reading)
{
  TallyCivil *time = &reading->time;

  if (!(reading->has & HAS_YEAR) || reading->julian)
    return TRUE;
  if (reading->bc)
    {
      if (time->year <= 0)
        return FALSE;
      time->year = -(time->year - 1);
      return TRUE;
    }
  if (reading->two_digit_year)
    {
      if (time->year < 0)
        return FALSE;
      time->year += time->year < 70 ? 2000 : time->year < 100 ? 1900 : 0;
      return TRUE;
    }

  return time->year > 0;
}

static TallyRead
reading_settle (Reading *reading)
{
  TallyCivil *time = &reading->time;

  if (!reading_settle_year (reading))
    return TALLY_READ_FIELD_OVERFLOW;
  if (reading->has & HAS_DAY_OF_YEAR)
    tally_civil_from_days (tally_days_from_civil (time->year, 1, 1) + reading->day_of_year - 1,
                           &time->year, &time->month, &time->day);
  if ((reading->has & HAS_MONTH) && (time->month < 1 || time->month > 12))
    return TALLY_READ_FIELD_OVERFLOW;
  if ((reading->has & HAS_DAY) && (time->day < 1 || time->day > 31))
    return TALLY_READ_FIELD_OVERFLOW;
  if ((reading->has & HAS_DATE) == HAS_DATE
      && time->day > tally_days_in_month (time->year, time->month))
    return TALLY_READ_FIELD_OVERFLOW;

  if (reading->meridiem != MERIDIEM_NONE && time->hour > 12)
    return TALLY_READ_FIELD_OVERFLOW;
  if (reading->meridiem == MERIDIEM_AM && time->hour == 12)
    time->hour = 0;
  else if (reading->meridiem == MERIDIEM_PM && time->hour != 12)
    time->hour += 12;
  return (reading->has & HAS_DATE) == HAS_DATE || reading->special != SPECIAL_NONE ? TALLY_READ_OK
                                                                                   : TALLY_READ_BAD_FORMAT;
}

/* buffer_size: PostgreSQL has less room for a date than for a timestamp. */
static TallyRead
reading_read (Reading *reading, TallyText text, gsize buffer_size, GError **error)
{
  TallyFields fields;

  memset (reading, 0, sizeof *reading);
  reading->error = error;
  if (!tally_fields_cut (&fields, text, buffer_size))
    return TALLY_READ_BAD_FORMAT;
  for (guint i = 0; i < fields.n; i++)
    {
      gint has;
      TallyRead read = reading_field (reading, &fields, i, &has);

      if (read != TALLY_READ_OK)
        return read;
      if ((has & reading->has) != 0)
        return TALLY_READ_BAD_FORMAT;
      reading->has |= has;
    }

  return reading_settle (reading);
}

gboolean
tally_throw_read (GError **error, TallyRead read, const char *type, TallyText text)
{
  g_autofree char *quoted = NULL;

  if (read == TALLY_READ_UNKNOWN_ZONE)
    return FALSE;
  quoted = tally_value_quote (text);
  switch (read)
    {
    case TALLY_READ_FIELD_OVERFLOW:
      return tally_throw (error, TALLY_ERROR_DATA, "date/time field value out of range: \"%s\"",
                          quoted);
    case TALLY_READ_INTERVAL_OVERFLOW:
      return tally_throw (error, TALLY_ERROR_DATA, "interval field value out of range: \"%s\"",
                          quoted);
    case TALLY_READ_ZONE_OVERFLOW:
      return tally_throw (error, TALLY_ERROR_DATA, "time zone displacement out of range: \"%s\"",
                          quoted);
    case TALLY_READ_CLOCK_WORD:
      return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                          "\"%s\" depends on the clock and is not supported as input for type %s",
                          quoted, type);
    default:
      return tally_value_throw_syntax (error, type, text);
    }
}

/* The short way. */

static gboolean
two_digits (const char *at, gint *ret_value)
{
  if (!g_ascii_isdigit (at[0]) || !g_ascii_isdigit (at[1]))
    return FALSE;
  *ret_value = (at[0] - '0') * 10 + (at[1] - '0');
  return TRUE;
}

static gboolean
iso_date (TallyText text, TallyCivil *time)
{
  const char *at = text.data;
  gint century, year;

  if (text.length < 10 || at[4] != '-' || at[7] != '-' || !two_digits (at, &century)
      || !two_digits (at + 2, &year) || !two_digits (at + 5, &time->month)
      || !two_digits (at + 8, &time->day))
    return FALSE;
  time->year = century * 100 + year;
  return time->year > 0 && time->month >= 1 && time->month <= 12 && time->day >= 1
         && time->day <= tally_days_in_month (time->year, time->month);
}

/* 2023-09-18 23:25:58.123456Z, with T or a blank, with or without fraction, with Z, +00 or no zone.
 */
static gboolean
iso_timestamp (TallyText text, TallyCivil *time)
{
  const char *at = text.data, *end = text.data + text.length;
  gint scale = 100000;

  if (text.length < 19 || !iso_date (text, time) || (at[10] != 'T' && at[10] != ' ')
      || at[13] != ':' || at[16] != ':' || !two_digits (at + 11, &time->hour)
      || !two_digits (at + 14, &time->minute) || !two_digits (at + 17, &time->second)
      || time->hour > 23 || time->minute > 59 || time->second > 59)
    return FALSE;

  at += 19;
  time->usec = 0;
  if (at < end && *at == '.')
    for (at++; at < end && g_ascii_isdigit (*at) && scale > 0; at++, scale /= 10)
      time->usec += (*at - '0') * scale;
  return at == end || (end - at == 1 && *at == 'Z')
         || (end - at == 3 && memcmp (at, "+00", 3) == 0);
}

gboolean
tally_date_parse (TallyText text, gint32 *ret_date, GError **error)
{
  Reading reading;
  TallyRead read;
  gint64 days;

  if (text.length == 10 && iso_date (text, &reading.time))
    {
      *ret_date = tally_days_from_civil (reading.time.year, reading.time.month, reading.time.day);
      return TRUE;
    }
  read = reading_read (&reading, text, MAX_LENGTH + 1, error);
  if (read != TALLY_READ_OK)
    return tally_throw_read (error, read, "date", text);

  switch (reading.special)
    {
    case SPECIAL_INFINITY:
      *ret_date = TALLY_DATE_INFINITY;
      return TRUE;
    case SPECIAL_MINUS_INFINITY:
      *ret_date = TALLY_DATE_MINUS_INFINITY;
      return TRUE;
    case SPECIAL_EPOCH:
      *ret_date = -(gint32)(TALLY_EPOCH_UNIX / 86400);
      return TRUE;
    default:
      break;
    }
  if (tally_is_julian (reading.time.year, reading.time.month))
    {
      days = tally_days_from_civil (reading.time.year, reading.time.month, reading.time.day);
      if (tally_date_is_valid (days))
        {
          *ret_date = (gint32)days;
          return TRUE;
        }
    }

  g_autofree char *quoted = tally_value_quote (text);
  return tally_throw (error, TALLY_ERROR_DATA, "date out of range: \"%s\"", quoted);
}

static gboolean
parse_timestamp (TallyText text, gboolean zoned, gint64 *ret_timestamp, GError **error)
{
  Reading reading;
  gint64 timestamp, offset = 0;
  TallyRead read;

  if (iso_timestamp (text, &reading.time)
      && tally_civil_to_timestamp (&reading.time, ret_timestamp))
    return TRUE;
  read = reading_read (&reading, text, MAX_LENGTH + TALLY_MAX_FIELDS, error);
  if (read != TALLY_READ_OK)
    return tally_throw_read (error, read, zoned ? "timestamp with time zone" : "timestamp", text);

  switch (reading.special)
    {
    case SPECIAL_INFINITY:
      *ret_timestamp = TALLY_TIMESTAMP_INFINITY;
      return TRUE;
    case SPECIAL_MINUS_INFINITY:
      *ret_timestamp = TALLY_TIMESTAMP_MINUS_INFINITY;
      return TRUE;
    case SPECIAL_EPOCH:
      *ret_timestamp = -TALLY_EPOCH_UNIX * TALLY_USECS_PER_SECOND;
      return TRUE;
    default:
      break;
    }
  if (tally_civil_to_timestamp_unchecked (&reading.time, &timestamp))
    {
      if (zoned)
        offset = reading.zone != NULL ? tally_zone_offset_at_local (reading.zone, timestamp)
                                      : reading.zone_offset;
      if (!__builtin_sub_overflow (timestamp, offset * TALLY_USECS_PER_SECOND, &timestamp)
          && tally_timestamp_is_valid (timestamp))
        {
          *ret_timestamp = timestamp;
          return TRUE;
        }
    }

  g_autofree char *quoted = tally_value_quote (text);
  return tally_throw (error, TALLY_ERROR_DATA, "timestamp out of range: \"%s\"", quoted);
}

gboolean
tally_timestamp_parse (TallyText text, gint64 *ret_timestamp, GError **error)
{
  return parse_timestamp (text, FALSE, ret_timestamp, error);
}

gboolean
tally_timestamptz_parse (TallyText text, gint64 *ret_timestamp, GError **error)
{
  return parse_timestamp (text, TRUE, ret_timestamp, error);
}
