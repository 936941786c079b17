/* datetime-template.c: to_char(), to_timestamp() and to_date() with a template such as DD/Mon/YYYY
 * HH24:MI
 *
 * A template is cut into nodes: patterns, separators, blanks and other characters.  Writing goes
 * over the nodes; reading goes over them and the text together and collects fields, which are then
 * brought together to a time.  The rules of reading, which forgive much, are PostgreSQL's: outside
 * of FX mode a separator stands for any or none, and a number may be longer or shorter than its
 * pattern where no digit follows it.
 */
#include "datetime-private.h"
#include "value-private.h"
#include "value.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of what most templates write and read. */
#define TYPICAL_LENGTH 64
/* Beyond the last year of any type. */
#define MAX_YEAR 10000000

typedef enum
{
  PATTERN_LONG_AM, /* a.m. */
  PATTERN_AM,
  PATTERN_LONG_AD,
  PATTERN_AD,
  PATTERN_CC,
  PATTERN_DAY,
  PATTERN_DY,
  PATTERN_DDD,
  PATTERN_DD,
  PATTERN_D,
  PATTERN_FF,
  PATTERN_FX,
  PATTERN_HH24,
  PATTERN_HH12,
  PATTERN_IDDD,
  PATTERN_ID,
  PATTERN_IW,
  PATTERN_IYYY,
  PATTERN_J,
  PATTERN_MI,
  PATTERN_MM,
  PATTERN_MONTH,
  PATTERN_MON,
  PATTERN_MS,
  PATTERN_OF,
  PATTERN_Q,
  PATTERN_RM,
  PATTERN_SSSS,
  PATTERN_SS,
  PATTERN_TZH,
  PATTERN_TZM,
  PATTERN_TZ,
  PATTERN_US,
  PATTERN_WW,
  PATTERN_W,
  PATTERN_YCOMMA,
  PATTERN_YYYY,
} Pattern;

typedef enum
{
  CASE_UPPER,
  CASE_LOWER,
  CASE_MIXED,
} Case;

/* Which calendar a pattern is of; a template may not mix them. */
typedef enum
{
  CALENDAR_ANY,
  CALENDAR_GREGORIAN,
  CALENDAR_ISO,
} Calendar;

typedef struct
{
  const char *word;
  Pattern pattern;
  gint digits;     /* of years and fractions */
  gboolean number; /* starts with a digit when read */
  Calendar calendar;
} Keyword;

#define NUMBER TRUE
#define WORD FALSE

/* In upper case; of two that begin alike the longer is first. */
static const Keyword keywords[] = {
  { "A.D.", PATTERN_LONG_AD, 0, WORD, CALENDAR_ANY },
  { "A.M.", PATTERN_LONG_AM, 0, WORD, CALENDAR_ANY },
  { "AD", PATTERN_AD, 0, WORD, CALENDAR_ANY },
  { "AM", PATTERN_AM, 0, WORD, CALENDAR_ANY },
  { "B.C.", PATTERN_LONG_AD, 0, WORD, CALENDAR_ANY },
  { "BC", PATTERN_AD, 0, WORD, CALENDAR_ANY },
  { "CC", PATTERN_CC, 0, NUMBER, CALENDAR_ANY },
  { "DAY", PATTERN_DAY, 0, WORD, CALENDAR_ANY },
  { "DDD", PATTERN_DDD, 0, NUMBER, CALENDAR_GREGORIAN },
  { "DD", PATTERN_DD, 0, NUMBER, CALENDAR_GREGORIAN },
  { "DY", PATTERN_DY, 0, WORD, CALENDAR_ANY },
  { "D", PATTERN_D, 0, NUMBER, CALENDAR_GREGORIAN },
  { "FF1", PATTERN_FF, 1, NUMBER, CALENDAR_ANY },
  { "FF2", PATTERN_FF, 2, NUMBER, CALENDAR_ANY },
  { "FF3", PATTERN_FF, 3, NUMBER, CALENDAR_ANY },
  { "FF4", PATTERN_FF, 4, NUMBER, CALENDAR_ANY },
  { "FF5", PATTERN_FF, 5, NUMBER, CALENDAR_ANY },
  { "FF6", PATTERN_FF, 6, NUMBER, CALENDAR_ANY },
  { "FX", PATTERN_FX, 0, WORD, CALENDAR_ANY },
  { "HH24", PATTERN_HH24, 0, NUMBER, CALENDAR_ANY },
  { "HH12", PATTERN_HH12, 0, NUMBER, CALENDAR_ANY },
  { "HH", PATTERN_HH12, 0, NUMBER, CALENDAR_ANY },
  { "IDDD", PATTERN_IDDD, 0, NUMBER, CALENDAR_ISO },
  { "ID", PATTERN_ID, 0, NUMBER, CALENDAR_ISO },
  { "IW", PATTERN_IW, 0, NUMBER, CALENDAR_ISO },
  { "IYYY", PATTERN_IYYY, 4, NUMBER, CALENDAR_ISO },
  { "IYY", PATTERN_IYYY, 3, NUMBER, CALENDAR_ISO },
  { "IY", PATTERN_IYYY, 2, NUMBER, CALENDAR_ISO },
  { "I", PATTERN_IYYY, 1, NUMBER, CALENDAR_ISO },
  { "J", PATTERN_J, 0, NUMBER, CALENDAR_ANY },
  { "MI", PATTERN_MI, 0, NUMBER, CALENDAR_ANY },
  { "MM", PATTERN_MM, 0, NUMBER, CALENDAR_GREGORIAN },
  { "MONTH", PATTERN_MONTH, 0, WORD, CALENDAR_GREGORIAN },
  { "MON", PATTERN_MON, 0, WORD, CALENDAR_GREGORIAN },
  { "MS", PATTERN_MS, 0, NUMBER, CALENDAR_ANY },
  { "OF", PATTERN_OF, 0, WORD, CALENDAR_ANY },
  { "P.M.", PATTERN_LONG_AM, 0, WORD, CALENDAR_ANY },
  { "PM", PATTERN_AM, 0, WORD, CALENDAR_ANY },
  { "Q", PATTERN_Q, 0, NUMBER, CALENDAR_ANY },
  { "RM", PATTERN_RM, 0, WORD, CALENDAR_GREGORIAN },
  { "SSSSS", PATTERN_SSSS, 0, NUMBER, CALENDAR_ANY },
  { "SSSS", PATTERN_SSSS, 0, NUMBER, CALENDAR_ANY },
  { "SS", PATTERN_SS, 0, NUMBER, CALENDAR_ANY },
  { "TZH", PATTERN_TZH, 0, WORD, CALENDAR_ANY },
  { "TZM", PATTERN_TZM, 0, NUMBER, CALENDAR_ANY },
  { "TZ", PATTERN_TZ, 0, WORD, CALENDAR_ANY },
  { "US", PATTERN_US, 0, NUMBER, CALENDAR_ANY },
  { "WW", PATTERN_WW, 0, NUMBER, CALENDAR_GREGORIAN },
  { "W", PATTERN_W, 0, NUMBER, CALENDAR_GREGORIAN },
  { "Y,YYY", PATTERN_YCOMMA, 4, NUMBER, CALENDAR_GREGORIAN },
  { "YYYY", PATTERN_YYYY, 4, NUMBER, CALENDAR_GREGORIAN },
  { "YYY", PATTERN_YYYY, 3, NUMBER, CALENDAR_GREGORIAN },
  { "YY", PATTERN_YYYY, 2, NUMBER, CALENDAR_GREGORIAN },
  { "Y", PATTERN_YYYY, 1, NUMBER, CALENDAR_GREGORIAN },
};

typedef enum
{
  NODE_PATTERN,
  NODE_SEPARATOR,
  NODE_BLANK,
  NODE_CHARACTER,
} NodeKind;

typedef struct
{
  NodeKind kind;
  const Keyword *keyword;
  Case letters;
  gboolean fill, local; /* FM, TM */
  const char *ordinal;  /* (nullable) "TH" or "th" */
  const char *text;     /* as it stands in the template; a character: its bytes */
  gsize length;
} Node;

struct _TallyTemplate
{
  char *format; /* (owned) the nodes' texts are views of it */
  Node *nodes;  /* (owned) */
  guint n;
};

static const char *const month_names[]
    = { "January", "February", "March",     "April",   "May",      "June",
        "July",    "August",   "September", "October", "November", "December" };
static const char *const month_short_names[]
    = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const day_names[]
    = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char *const day_short_names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const roman_months[]
    = { "XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I" };
static const char *const meridiems[] = { "am", "pm" };
static const char *const long_meridiems[] = { "a.m.", "p.m." };
static const char *const eras[] = { "ad", "bc" };
static const char *const long_eras[] = { "a.d.", "b.c." };

/* Cutting a template. */

/* A word of patterns that are all upper or all lower case, or a name with its first letter upper.
 */
static gboolean
match_keyword (const Keyword *keyword, const char *at, gsize length, Case *ret_letters)
{
  gsize size = strlen (keyword->word);
  gboolean upper = TRUE, lower = TRUE, mixed;

  if (size > length)
    return FALSE;
  mixed = at[0] == keyword->word[0]
          && (keyword->pattern == PATTERN_DAY || keyword->pattern == PATTERN_DY
              || keyword->pattern == PATTERN_MONTH || keyword->pattern == PATTERN_MON);
  for (gsize i = 0; i < size; i++)
    {
      upper = upper && at[i] == keyword->word[i];
      lower = lower && at[i] == g_ascii_tolower (keyword->word[i]);
      mixed = mixed && (i == 0 || at[i] == g_ascii_tolower (keyword->word[i]));
    }
  *ret_letters = upper ? CASE_UPPER : lower ? CASE_LOWER : CASE_MIXED;
  return upper || lower || mixed;
}

static const Keyword *
find_keyword (const char *at, gsize length, Case *ret_letters)
{
  char first = length > 0 ? g_ascii_toupper (*at) : '\0';

  for (guint i = 0; i < G_N_ELEMENTS (keywords); i++)
    if (keywords[i].word[0] == first && match_keyword (&keywords[i], at, length, ret_letters))
      return &keywords[i];
  return NULL;
}

static gboolean
starts_with (const char *at, const char *end, const char *upper, const char *lower)
{
  return end - at >= 2 && (memcmp (at, upper, 2) == 0 || memcmp (at, lower, 2) == 0);
}

static gboolean
is_separator (char c)
{
  return g_ascii_ispunct (c);
}

static gsize
character_length (const char *at, const char *end)
{
  guchar first = (guchar)*at;
  gsize length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

  return MIN (length, (gsize)(end - at));
}

static void
template_add (TallyTemplate *template, NodeKind kind, const char **at, const char *end)
{
  Node *node = &template->nodes[template->n++];

  *node = (Node){ .kind = kind, .text = *at, .length = character_length (*at, end) };
  *at += node->length;
}

static void
template_add_quoted (TallyTemplate *template, const char **at, const char *end)
{
  for ((*at)++; *at < end && **at != '"';)
    {
      if (**at == '\\' && *at + 1 < end)
        (*at)++;
      template_add (template, NODE_CHARACTER, at, end);
    }
  if (*at < end)
    (*at)++;
}

static void
template_add_pattern (TallyTemplate *template, Node node, const char **at, const char *end)
{
  node.kind = NODE_PATTERN;
  node.text = *at;
  node.length = strlen (node.keyword->word);
  *at += node.length;
  if (end - *at >= 2 && (memcmp (*at, "TH", 2) == 0 || memcmp (*at, "th", 2) == 0))
    {
      node.ordinal = **at == 'T' ? "TH" : "th";
      *at += 2;
    }
  else if (end - *at >= 2 && memcmp (*at, "SP", 2) == 0)
    *at += 2;
  template->nodes[template->n++] = node;
}

TallyTemplate *
tally_template_new (TallyText format)
{
  TallyTemplate *template = g_new0 (TallyTemplate, 1);
  const char *at, *end;

  template->format = tally_text_dup (format);
  template->nodes = g_new (Node, format.length);
  at = template->format;
  end = at + format.length;
  while (at < end)
    {
      Node node = { 0 };

      node.fill = starts_with (at, end, "FM", "fm");
      node.local = starts_with (at, end, "TM", "tm");
      if (node.fill || node.local)
        at += 2;
      if (at == end)
        break;
      node.keyword = find_keyword (at, (gsize)(end - at), &node.letters);
      if (node.keyword != NULL)
        template_add_pattern (template, node, &at, end);
      else if (*at == '"')
        template_add_quoted (template, &at, end);
      else
        {
          if (*at == '\\' && at + 1 < end && at[1] == '"')
            at++;
          template_add (template,
                        is_separator (*at)     ? NODE_SEPARATOR
                        : tally_is_space (*at) ? NODE_BLANK
                                               : NODE_CHARACTER,
                        &at, end);
        }
    }

  return template;
}

void
tally_template_free (gpointer data)
{
  TallyTemplate *template = data;

  if (template == NULL)
    return;

  g_free (template->format);
  g_free (template->nodes);
  g_free (template);
}

/* Writing. */

/* The time in fields; of an interval they may be negative or large. */
typedef struct
{
  gint64 year, month, day, hour;
  gint minute, second, usec;
  gint weekday, day_of_year; /* Sunday is 0; from 1 */
  gint32 days;               /* the date since 2000-01-01 */
  gboolean interval, zoned;
} Fields;

static void
fields_from_timestamp (Fields *fields, gint64 timestamp, gboolean zoned)
{
  TallyCivil civil;

  tally_timestamp_to_civil (timestamp, &civil);
  *fields = (Fields){ civil.year,   civil.month,  civil.day, civil.hour,
                      civil.minute, civil.second, civil.usec };
  fields->days = tally_timestamp_to_date (timestamp);
  fields->weekday = tally_iso_weekday (fields->days) % 7;
  fields->day_of_year = fields->days - tally_days_from_civil (civil.year, 1, 1) + 1;
  fields->zoned = zoned;
}

static void
fields_from_interval (Fields *fields, TallyInterval interval)
{
  gint64 rest = interval.microseconds % TALLY_USECS_PER_HOUR;

  *fields = (Fields){ .interval = TRUE };
  fields->year = interval.months / TALLY_MONTHS_PER_YEAR;
  fields->month = interval.months % TALLY_MONTHS_PER_YEAR;
  fields->day = interval.days;
  fields->hour = interval.microseconds / TALLY_USECS_PER_HOUR;
  fields->minute = (gint)(rest / TALLY_USECS_PER_MINUTE);
  fields->second = (gint)(rest % TALLY_USECS_PER_MINUTE / TALLY_USECS_PER_SECOND);
  fields->usec = (gint)(rest % TALLY_USECS_PER_SECOND);
  fields->day_of_year = (gint)((gint64)interval.months * 30 + interval.days);
}

/* As printf's %0*d, which costs four times as much. */
static void
put_digits (gint64 value, gint width, GString *out)
{
  char digits[24];
  gsize at = sizeof digits;
  guint64 rest = value < 0 ? -(guint64)value : (guint64)value;

  for (; rest > 0 || at == sizeof digits; rest /= 10)
    digits[--at] = (char)('0' + rest % 10);
  while ((gint)(sizeof digits - at) < width - (value < 0))
    digits[--at] = '0';
  if (value < 0)
    digits[--at] = '-';
  g_string_append_len (out, digits + at, sizeof digits - at);
}

/* width: with zeros and, of a negative number, the sign; FM has none. */
static void
put_number (const Node *node, gint64 value, gint width, GString *out)
{
  gsize start = out->len;
  const char *suffix = "th";

  put_digits (value, node->fill ? 0 : width, out);
  if (node->ordinal == NULL)
    return;

  if (out->len - start < 2 || out->str[out->len - 2] != '1')
    switch (out->str[out->len - 1])
      {
      case '1':
        suffix = "st";
        break;
      case '2':
        suffix = "nd";
        break;
      case '3':
        suffix = "rd";
        break;
      default:
        break;
      }
  for (; *suffix != '\0'; suffix++)
    g_string_append_c (out, node->ordinal[0] == 'T' ? g_ascii_toupper (*suffix) : *suffix);
}

static void
put_name (const Node *node, const char *name, gint width, GString *out)
{
  gint length = (gint)strlen (name);

  for (gint i = 0; i < length; i++)
    g_string_append_c (out, node->letters == CASE_UPPER   ? g_ascii_toupper (name[i])
                            : node->letters == CASE_LOWER ? g_ascii_tolower (name[i])
                                                          : name[i]);
  for (gint i = length; i < width && !node->fill; i++)
    g_string_append_c (out, ' ');
}

static gint
signed_width (gint64 value, gint width)
{
  return value >= 0 ? width : width + 1;
}

/* 1 BC is year 0 inside. */
static gint64
shown_year (const Fields *fields, gint64 year)
{
  return fields->interval || year > 0 ? year : 1 - year;
}

static void
put_year (const Node *node, const Fields *fields, GString *out)
{
  static const gint moduli[] = { 0, 10, 100, 1000, G_MAXINT };
  gint digits = node->keyword->digits, iso_year;
  gint64 year = shown_year (fields, fields->year), value = year;

  if (node->keyword->pattern == PATTERN_IYYY)
    {
      tally_iso_week (fields->days, &iso_year);
      value = shown_year (fields, iso_year);
    }
  put_number (node, value % moduli[digits], digits == 1 ? 1 : signed_width (year, digits), out);
}

static void
put_century (const Node *node, const Fields *fields, GString *out)
{
  gint64 century = fields->interval   ? fields->year / 100
                   : fields->year > 0 ? (fields->year - 1) / 100 + 1
                                      : fields->year / 100 - 1;

  put_number (node, century, ABS (century) <= 99 ? signed_width (century, 2) : 0, out);
}

static void
put_roman_month (const Node *node, const Fields *fields, GString *out)
{
  gint64 month = fields->month;

  if (month == 0 && fields->year == 0)
    return;
  month = month == 0 ? (fields->year >= 0 ? 0 : 11) : month < 0 ? -(month + 1) : 12 - month;
  put_name (node, roman_months[month], 4, out);
}

static void
put_thousands (const Node *node, const Fields *fields, GString *out)
{
  gint64 year = shown_year (fields, fields->year), thousands = year / 1000;
  g_autoptr (GString) rest = g_string_new (NULL);

  g_string_append_printf (out, "%" G_GINT64_FORMAT ",", thousands);
  put_number (&(Node){ .ordinal = node->ordinal }, year - thousands * 1000, 3, rest);
  g_string_append_len (out, rest->str, rest->len);
}

/* What an interval has no answer to. */
static gboolean
is_of_dates_only (Pattern pattern)
{
  switch (pattern)
    {
    case PATTERN_TZ:
    case PATTERN_TZH:
    case PATTERN_TZM:
    case PATTERN_OF:
    case PATTERN_AD:
    case PATTERN_LONG_AD:
    case PATTERN_MONTH:
    case PATTERN_MON:
    case PATTERN_DAY:
    case PATTERN_DY:
    case PATTERN_D:
    case PATTERN_ID:
      return TRUE;
    default:
      return FALSE;
    }
}

static void
put_fraction (const Node *node, gint usec, gint digits, GString *out)
{
  static const gint divisors[] = { 1, 100000, 10000, 1000, 100, 10, 1 };
  Node full = *node;

  full.fill = FALSE;
  put_number (&full, usec / divisors[digits], digits, out);
}

static void
put_time (const Node *node, const Fields *fields, GString *out)
{
  gint64 hour = fields->hour;

  switch (node->keyword->pattern)
    {
    case PATTERN_LONG_AM:
      put_name (node, long_meridiems[hour % 24 >= 12], 0, out);
      break;
    case PATTERN_AM:
      put_name (node, meridiems[hour % 24 >= 12], 0, out);
      break;
    case PATTERN_HH12:
      put_number (node, hour % 12 == 0 ? 12 : hour % 12, signed_width (hour, 2), out);
      break;
    case PATTERN_HH24:
      put_number (node, hour, signed_width (hour, 2), out);
      break;
    case PATTERN_MI:
      put_number (node, fields->minute, signed_width (fields->minute, 2), out);
      break;
    case PATTERN_SS:
      put_number (node, fields->second, signed_width (fields->second, 2), out);
      break;
    case PATTERN_FF:
      put_fraction (node, fields->usec, node->keyword->digits, out);
      break;
    case PATTERN_MS:
      put_fraction (node, fields->usec, 3, out);
      break;
    case PATTERN_US:
      put_fraction (node, fields->usec, 6, out);
      break;
    case PATTERN_SSSS:
      put_number (node, hour * 3600 + fields->minute * 60 + fields->second, 0, out);
      break;
    case PATTERN_TZ:
      if (fields->zoned)
        put_name (node, "utc", 0, out);
      break;
    case PATTERN_TZH:
      g_string_append (out, "+00");
      break;
    case PATTERN_TZM:
      g_string_append (out, "00");
      break;
    case PATTERN_OF:
      g_string_append (out, node->fill ? "+0" : "+00");
      break;
    default:
      break;
    }
}

static void
put_date (const Node *node, const Fields *fields, GString *out)
{
  gint iso_year, week;

  switch (node->keyword->pattern)
    {
    case PATTERN_LONG_AD:
      put_name (node, long_eras[fields->year <= 0], 0, out);
      break;
    case PATTERN_AD:
      put_name (node, eras[fields->year <= 0], 0, out);
      break;
    case PATTERN_MONTH:
      put_name (node, month_names[fields->month - 1], node->local ? 0 : 9, out);
      break;
    case PATTERN_MON:
      put_name (node, month_short_names[fields->month - 1], 0, out);
      break;
    case PATTERN_DAY:
      put_name (node, day_names[fields->weekday], node->local ? 0 : 9, out);
      break;
    case PATTERN_DY:
      put_name (node, day_short_names[fields->weekday], 0, out);
      break;
    case PATTERN_MM:
      put_number (node, fields->month, signed_width (fields->month, 2), out);
      break;
    case PATTERN_DDD:
      put_number (node, fields->day_of_year, 3, out);
      break;
    case PATTERN_DD:
      put_number (node, fields->day, 2, out);
      break;
    case PATTERN_D:
      put_number (node, fields->weekday + 1, 0, out);
      break;
    case PATTERN_ID:
      put_number (node, fields->weekday == 0 ? 7 : fields->weekday, 0, out);
      break;
    case PATTERN_WW:
      put_number (node, (fields->day_of_year - 1) / 7 + 1, 2, out);
      break;
    case PATTERN_IW:
      put_number (node, tally_iso_week (fields->days, &iso_year), 2, out);
      break;
    case PATTERN_IDDD:
      week = tally_iso_week (fields->days, &iso_year);
      put_number (node, (week - 1) * 7 + tally_iso_weekday (fields->days), 3, out);
      break;
    case PATTERN_Q:
      if (fields->month != 0)
        put_number (node, (fields->month - 1) / 3 + 1, 0, out);
      break;
    case PATTERN_CC:
      put_century (node, fields, out);
      break;
    case PATTERN_YCOMMA:
      put_thousands (node, fields, out);
      break;
    case PATTERN_YYYY:
    case PATTERN_IYYY:
      put_year (node, fields, out);
      break;
    case PATTERN_RM:
      put_roman_month (node, fields, out);
      break;
    case PATTERN_W:
      put_number (node, (fields->day - 1) / 7 + 1, 0, out);
      break;
    case PATTERN_J:
      put_number (node, (gint64)fields->days + TALLY_EPOCH_JULIAN, 0, out);
      break;
    default:
      put_time (node, fields, out);
      break;
    }
}

static gboolean
put_node (const Node *node, const Fields *fields, GString *out, GError **error)
{
  Pattern pattern;

  if (node->kind != NODE_PATTERN)
    {
      g_string_append_len (out, node->text, node->length);
      return TRUE;
    }

  pattern = node->keyword->pattern;
  if (fields->interval && is_of_dates_only (pattern))
    return tally_throw (error, TALLY_ERROR_DATA,
                        "invalid format specification for an interval value");
  if (fields->interval
      && (pattern == PATTERN_J || pattern == PATTERN_IW || pattern == PATTERN_IYYY
          || pattern == PATTERN_IDDD))
    return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                        "\"%s\" is not supported for an interval value", node->keyword->word);
  put_date (node, fields, out);
  return TRUE;
}

gboolean
tally_datetime_to_char (TallyType type, gconstpointer value, const TallyTemplate *template,
                        TallyBatch *batch, gboolean *ret_is_null, TallyText *ret_text,
                        GError **error)
{
  g_autoptr (GString) out = NULL;
  gint64 timestamp = 0;
  Fields fields;

  if (type == TALLY_TYPE_INTERVAL)
    fields_from_interval (&fields, *(const TallyInterval *)value);
  else if (type == TALLY_TYPE_DATE)
    {
      if (!tally_date_to_timestamp (*(const gint32 *)value, TALLY_TYPE_TIMESTAMPTZ, &timestamp,
                                    error))
        return FALSE;
    }
  else
    timestamp = *(const gint64 *)value;
  if (template->format[0] == '\0' || timestamp == TALLY_TIMESTAMP_INFINITY
      || timestamp == TALLY_TIMESTAMP_MINUS_INFINITY)
    {
      *ret_is_null = TRUE;
      return TRUE;
    }
  if (type != TALLY_TYPE_INTERVAL)
    fields_from_timestamp (&fields, timestamp, type != TALLY_TYPE_TIMESTAMP);

  out = g_string_sized_new (TYPICAL_LENGTH);
  for (guint i = 0; i < template->n; i++)
    if (!put_node (&template->nodes[i], &fields, out, error))
      return FALSE;
  *ret_is_null = FALSE;
  *ret_text = tally_value_copy (batch, out->str, out->len);
  return TRUE;
}

/* Reading. */

typedef struct
{
  const TallyTemplate *template;
  const char *start, *at, *end; /* a NUL stands at the end */
  GError **error;

  Calendar calendar;
  gboolean twelve_hours;
  gint hour, minute, second, second_of_day, msec, usec;
  gint pm, bc;
  gint weekday; /* from 1, Sunday */
  gint day, day_of_year, month, year, year_digits, century, week, week_of_month, julian;
  gint zone_sign, zone_hour, zone_minute;
  gint precision; /* digits of FF, to which the result is rounded, or 0 */
} Reader;

static gboolean
throw_invalid (Reader *reader, const Node *node, const char *value, gsize length)
{
  g_autofree char *quoted = tally_value_quote ((TallyText){ value, length });
  g_autofree char *name = g_strndup (node->text, node->length);

  return tally_throw (reader->error, TALLY_ERROR_DATA, "invalid value \"%s\" for \"%s\"", quoted,
                      name);
}

static gboolean
set_field (Reader *reader, const Node *node, gint *field, gint value)
{
  if (field == NULL)
    return TRUE;
  if (*field != 0 && *field != value)
    {
      g_autofree char *name = g_strndup (node->text, node->length);

      return tally_throw (reader->error, TALLY_ERROR_DATA,
                          "conflicting values for \"%s\" field in formatting string", name);
    }

  *field = value;
  return TRUE;
}

/* Can no digit follow the number that this node reads? */
static gboolean
ends_number (const TallyTemplate *template, const Node *node)
{
  const Node *next = node + 1;

  if (node->ordinal != NULL || next == template->nodes + template->n)
    return TRUE;
  if (next->kind == NODE_PATTERN)
    return !next->keyword->number;
  return next->length != 1 || !g_ascii_isdigit (next->text[0]);
}

/* A number with a sign before end, as strtol() reads it, which takes several times as long.  Returns where it stops: at if
 * there is none.  ret_value is beyond every gint if the number is. */
static const char *
scan_number (const char *at, const char *end, gint64 *ret_value)
{
  const char *digits = at < end && (*at == '-' || *at == '+') ? at + 1 : at, *next = digits;
  gint64 value = 0;

  for (; next < end && g_ascii_isdigit (*next); next++)
    value = MIN (value * 10 + (*next - '0'), G_MAXUINT32);
  *ret_value = *at == '-' ? -value : value;
  return next > digits ? next : at;
}

/* field: (out) (nullable); ret_used: (out) (nullable): characters that were read, blanks before
 * them, too. */
static gboolean
read_number (Reader *reader, const Node *node, gsize width, gint *field, gint *ret_used)
{
  const char *start = reader->at, *digits = start, *end;
  gboolean is_open = node->fill || ends_number (reader->template, node);
  gint64 value;

  while (tally_is_space (*digits))
    digits++;
  if (!is_open && (gsize)(reader->end - digits) < width)
    {
      g_autofree char *name = g_strndup (node->text, node->length);

      return tally_throw (reader->error, TALLY_ERROR_DATA,
                          "source string too short for \"%s\" formatting field", name);
    }
  end = scan_number (digits, is_open ? reader->end : digits + width, &value);
  if (is_open ? end == digits : end != digits + width && (end > digits || digits == start))
    return throw_invalid (reader, node, digits, MIN (width, (gsize)(reader->end - digits)));
  if (value != (gint)value)
    {
      g_autofree char *name = g_strndup (node->text, node->length);

      return tally_throw (reader->error, TALLY_ERROR_DATA,
                          "value for \"%s\" in source string is out of range", name);
    }

  reader->at = end;
  if (ret_used != NULL)
    *ret_used = (gint)(end - start);
  return set_field (reader, node, field, (gint)value);
}

/* One of several names, in any case. */
static gboolean
read_name (Reader *reader, const Node *node, const char *const *names, guint n_names,
           gint *ret_index)
{
  gsize length = 0;

  for (guint i = 0; i < n_names; i++)
    if (g_ascii_strncasecmp (reader->at, names[i], strlen (names[i])) == 0)
      {
        reader->at += strlen (names[i]);
        *ret_index = (gint)i;
        return TRUE;
      }

  while (reader->at[length] != '\0' && !tally_is_space (reader->at[length]))
    length++;
  return throw_invalid (reader, node, reader->at, length);
}

static gboolean
read_named (Reader *reader, const Node *node, const char *const *names, guint n_names, gint base,
            gint *field)
{
  gint index = 0;

  return read_name (reader, node, names, n_names, &index)
         && set_field (reader, node, field, index + base);
}

/* 25 of milliseconds is a quarter of a second, as 250 is. */
static gboolean
read_fraction (Reader *reader, const Node *node, gint width, gint digits, gint *field)
{
  gint used;

  if (!read_number (reader, node, (gsize)width, field, &used))
    return FALSE;
  for (; used < digits; used++)
    *field *= 10;
  return TRUE;
}

/* Years of less than four digits are those nearest to 2020. */
static gint
complete_year (gint year)
{
  if (year < 70)
    return year + 2000;
  if (year < 100)
    return year + 1900;
  if (year < 520)
    return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

static gboolean
read_year (Reader *reader, const Node *node)
{
  gint digits = node->keyword->digits, used;

  if (!read_number (reader, node, node->length, &reader->year, &used))
    return FALSE;
  if (digits < 4 && used < 4)
    reader->year = complete_year (reader->year);
  reader->year_digits = digits;
  return TRUE;
}

/* 1,999 */
static gboolean
read_thousands (Reader *reader, const Node *node)
{
  gint thousands, rest, used, year;

  if (sscanf (reader->at, "%d,%03d%n", &thousands, &rest, &used) < 2)
    return tally_throw (reader->error, TALLY_ERROR_DATA, "invalid input string for \"Y,YYY\"");
  reader->at += used;
  reader->year_digits = 4;
  if (__builtin_mul_overflow (thousands, 1000, &year) || __builtin_add_overflow (year, rest, &year))
    return tally_throw (reader->error, TALLY_ERROR_DATA,
                        "value for \"Y,YYY\" in source string is out of range");
  return set_field (reader, node, &reader->year, year);
}

/* The sign may have been taken for a separator already. */
static gboolean
read_zone_hour (Reader *reader, const Node *node, gint n_skipped)
{
  if (*reader->at == '+' || *reader->at == '-' || *reader->at == ' ')
    reader->zone_sign = *reader->at++ == '-' ? -1 : 1;
  else
    reader->zone_sign
        = n_skipped > 0 && reader->at > reader->start && reader->at[-1] == '-' ? -1 : 1;
  return read_number (reader, node, 2, &reader->zone_hour, NULL);
}

static gboolean
read_time (Reader *reader, const Node *node, gint n_skipped)
{
  g_autofree char *name = NULL;

  switch (node->keyword->pattern)
    {
    case PATTERN_LONG_AM:
      reader->twelve_hours = TRUE;
      return read_named (reader, node, long_meridiems, 2, 0, &reader->pm);
    case PATTERN_AM:
      reader->twelve_hours = TRUE;
      return read_named (reader, node, meridiems, 2, 0, &reader->pm);
    case PATTERN_HH12:
      reader->twelve_hours = TRUE;
      return read_number (reader, node, 2, &reader->hour, NULL);
    case PATTERN_HH24:
      return read_number (reader, node, 2, &reader->hour, NULL);
    case PATTERN_MI:
      return read_number (reader, node, node->length, &reader->minute, NULL);
    case PATTERN_SS:
      return read_number (reader, node, node->length, &reader->second, NULL);
    case PATTERN_SSSS:
      return read_number (reader, node, node->length, &reader->second_of_day, NULL);
    case PATTERN_MS:
      return read_fraction (reader, node, 3, 3, &reader->msec);
    case PATTERN_FF:
      reader->precision = node->keyword->digits;
      return read_fraction (reader, node, node->keyword->digits, 6, &reader->usec);
    case PATTERN_US:
      return read_fraction (reader, node, 6, 6, &reader->usec);
    case PATTERN_TZH:
      return read_zone_hour (reader, node, n_skipped);
    case PATTERN_TZM:
      if (reader->zone_sign == 0)
        reader->zone_sign = 1;
      return read_number (reader, node, 2, &reader->zone_minute, NULL);
    default:
      name = g_strndup (node->text, node->length);
      return tally_throw (reader->error, TALLY_ERROR_DATA,
                          "formatting field \"%s\" is only supported in to_char", name);
    }
}

static gboolean
read_roman_month (Reader *reader, const Node *node)
{
  gint index = 0;

  return read_name (reader, node, roman_months, 12, &index)
         && set_field (reader, node, &reader->month, 12 - index);
}

static gboolean
read_iso_weekday (Reader *reader, const Node *node)
{
  if (!read_number (reader, node, 1, &reader->weekday, NULL))
    return FALSE;
  reader->weekday = reader->weekday >= 7 ? 1 : reader->weekday + 1;
  return TRUE;
}

static gboolean
read_pattern (Reader *reader, const Node *node, gint n_skipped)
{
  switch (node->keyword->pattern)
    {
    case PATTERN_FX:
      return TRUE;
    case PATTERN_LONG_AD:
      return read_named (reader, node, long_eras, 2, 0, &reader->bc);
    case PATTERN_AD:
      return read_named (reader, node, eras, 2, 0, &reader->bc);
    case PATTERN_MONTH:
      return read_named (reader, node, month_names, 12, 1, &reader->month);
    case PATTERN_MON:
      return read_named (reader, node, month_short_names, 12, 1, &reader->month);
    case PATTERN_MM:
      return read_number (reader, node, node->length, &reader->month, NULL);
    case PATTERN_DAY:
      return read_named (reader, node, day_names, 7, 1, &reader->weekday);
    case PATTERN_DY:
      return read_named (reader, node, day_short_names, 7, 1, &reader->weekday);
    case PATTERN_DDD:
      return read_number (reader, node, node->length, &reader->day_of_year, NULL);
    case PATTERN_IDDD:
      return read_number (reader, node, 3, &reader->day_of_year, NULL);
    case PATTERN_DD:
      return read_number (reader, node, node->length, &reader->day, NULL);
    case PATTERN_D:
      return read_number (reader, node, node->length, &reader->weekday, NULL);
    case PATTERN_ID:
      return read_iso_weekday (reader, node);
    case PATTERN_WW:
    case PATTERN_IW:
      return read_number (reader, node, node->length, &reader->week, NULL);
    case PATTERN_W:
      return read_number (reader, node, node->length, &reader->week_of_month, NULL);
    case PATTERN_Q: /* read, but which day of it would be meant? */
      return read_number (reader, node, node->length, NULL, NULL);
    case PATTERN_CC:
      return read_number (reader, node, node->length, &reader->century, NULL);
    case PATTERN_J:
      return read_number (reader, node, node->length, &reader->julian, NULL);
    case PATTERN_YCOMMA:
      return read_thousands (reader, node);
    case PATTERN_YYYY:
    case PATTERN_IYYY:
      return read_year (reader, node);
    case PATTERN_RM:
      return read_roman_month (reader, node);
    default:
      return read_time (reader, node, n_skipped);
    }
}

static gint
skip_blanks (Reader *reader)
{
  const char *start = reader->at;

  while (tally_is_space (*reader->at))
    reader->at++;
  return (gint)(reader->at - start);
}

static void
skip_character (Reader *reader)
{
  reader->at += character_length (reader->at, reader->at + strnlen (reader->at, 4));
}

static gboolean
reader_set_calendar (Reader *reader, Calendar calendar)
{
  if (calendar != CALENDAR_ANY && reader->calendar != CALENDAR_ANY && reader->calendar != calendar)
    return tally_throw (reader->error, TALLY_ERROR_DATA, "invalid combination of date conventions");
  if (calendar != CALENDAR_ANY)
    reader->calendar = calendar;
  return TRUE;
}

/* n_skipped counts the text's characters that were passed over beyond what the template has. */
static gboolean
reader_read (Reader *reader)
{
  const TallyTemplate *template = reader->template;
  gboolean fixed = FALSE;
  gint n_skipped = 0;

  for (const Node *node = template->nodes;
       node < template->nodes + template->n && *reader->at != '\0'; node++)
    {
      gboolean is_fx = node->kind == NODE_PATTERN && node->keyword->pattern == PATTERN_FX;

      if (!fixed && !is_fx && (node->kind == NODE_PATTERN || node == template->nodes))
        n_skipped += skip_blanks (reader);
      if (node->kind == NODE_PATTERN)
        {
          if (!reader_set_calendar (reader, node->keyword->calendar)
              || !read_pattern (reader, node, n_skipped))
            return FALSE;
          fixed |= is_fx;
          if (node->ordinal != NULL && node->keyword->number
              && node->keyword->pattern != PATTERN_TZM)
            for (gint i = 0; i < 2 && *reader->at != '\0'; i++)
              reader->at++;
          if (!fixed)
            n_skipped = skip_blanks (reader);
        }
      else if (fixed)
        skip_character (reader);
      else if (node->kind == NODE_CHARACTER)
        {
          if (n_skipped > 0)
            n_skipped--;
          else
            skip_character (reader);
        }
      else if (tally_is_space (*reader->at) || is_separator (*reader->at))
        reader->at++;
      else
        n_skipped--;
    }

  return TRUE;
}

/* From fields to a time. */

static gboolean
settle_year (const Reader *reader, gint64 *ret_year)
{
  gint64 century = reader->bc ? -(gint64)reader->century : reader->century;
  gint64 year = reader->year;

  if (year == 0 && century == 0)
    return FALSE;
  if (year == 0)
    *ret_year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
  else if (century != 0 && reader->year_digits <= 2)
    {
      year %= 100;
      if (year != 0)
        *ret_year = century >= 0 ? year + (century - 1) * 100 : (century + 1) * 100 - year + 1;
      else
        *ret_year = century * 100 + (century >= 0 ? 0 : 1);
    }
  else
    {
      year = reader->bc ? -year : year;
      *ret_year = year < 0 ? year + 1 : year;
    }
  return TRUE;
}

typedef struct
{
  gint64 year, month, day;
  gboolean has_year, has_month, has_day;
} Date;

static void
date_set_days (Date *date, gint64 days)
{
  gint year, month, day;

  tally_civil_from_days ((gint32)CLAMP (days, G_MININT32, G_MAXINT32), &year, &month, &day);
  *date = (Date){ year, month, day, TRUE, TRUE, TRUE };
}

/* The day of the year gives month and day where they have not been given. */
static gboolean
date_set_day_of_year (Date *date, const Reader *reader, gint64 day_of_year)
{
  gint64 rest = day_of_year;
  gint month = 1;

  if (date->year == 0 && !reader->bc)
    return tally_throw (reader->error, TALLY_ERROR_DATA,
                        "cannot calculate day of year without year information");
  if (reader->calendar == CALENDAR_ISO)
    {
      date_set_days (date, tally_iso_week_start ((gint)date->year, 1) - 1 + day_of_year);
      return TRUE;
    }

  for (; month <= 12 && rest > tally_days_in_month ((gint)date->year, month); month++)
    rest -= tally_days_in_month ((gint)date->year, month);
  if (date->month <= 1)
    date->month = month;
  if (date->day <= 1)
    date->day = rest;
  date->has_month = date->has_day = TRUE;
  return TRUE;
}

static gboolean
settle_date (const Reader *reader, Date *date)
{
  gint64 day_of_year = reader->day_of_year, day = reader->day;

  gboolean known;

  *date = (Date){ 0, 1, 1 };
  date->has_year = settle_year (reader, &date->year);
  known = ABS (date->year) <= MAX_YEAR; /* else it is out of range in any case */
  if (reader->julian != 0)
    date_set_days (date, (gint64)reader->julian - TALLY_EPOCH_JULIAN);
  if (reader->week != 0 && reader->calendar != CALENDAR_ISO)
    day_of_year = ((gint64)reader->week - 1) * 7 + 1;
  else if (reader->week != 0 && known)
    {
      gint64 monday = tally_iso_week_start ((gint)date->year, 1) + ((gint64)reader->week - 1) * 7;

      date_set_days (date, monday
                               + (reader->weekday > 1    ? reader->weekday - 2
                                  : reader->weekday == 1 ? 6
                                                         : 0));
    }
  if (reader->week_of_month != 0)
    day = ((gint64)reader->week_of_month - 1) * 7 + 1;
  if (day != 0)
    {
      date->day = day;
      date->has_day = TRUE;
    }
  if (reader->month != 0)
    {
      date->month = reader->month;
      date->has_month = TRUE;
    }

  return day_of_year == 0 || !known || (date->month > 1 && date->day > 1)
         || date_set_day_of_year (date, reader, day_of_year);
}

static gboolean
is_date (const Date *date)
{
  return ABS (date->year) <= G_MAXINT
         && (!date->has_month || (date->month >= 1 && date->month <= 12))
         && (!date->has_day || (date->day >= 1 && date->day <= 31))
         && (!(date->has_year && date->has_month && date->has_day)
             || date->day <= tally_days_in_month ((gint)date->year, (gint)date->month));
}

static gboolean
settle_hour (const Reader *reader, gint64 *hour)
{
  if (!reader->twelve_hours)
    return TRUE;
  if (*hour < 1 || *hour > 12)
    return tally_throw (reader->error, TALLY_ERROR_DATA,
                        "hour \"%d\" is invalid for the 12-hour clock", (gint)*hour);

  if (reader->pm && *hour < 12)
    *hour += 12;
  else if (!reader->pm && *hour == 12)
    *hour = 0;
  return TRUE;
}

static gboolean
settle (const Reader *reader, TallyText text, TallyCivil *ret_civil, gint *ret_offset)
{
  gint64 hour = reader->second_of_day / 3600, minute = reader->second_of_day / 60 % 60;
  gint64 second = reader->second_of_day % 60, usec = (gint64)reader->msec * 1000 + reader->usec;
  Date date;

  second = reader->second != 0 ? reader->second : second;
  minute = reader->minute != 0 ? reader->minute : minute;
  hour = reader->hour != 0 ? reader->hour : hour;
  if (!settle_hour (reader, &hour) || !settle_date (reader, &date))
    return FALSE;
  if (!is_date (&date) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0
      || second > 59 || usec < 0 || usec >= TALLY_USECS_PER_SECOND)
    return tally_throw_read (reader->error, TALLY_READ_FIELD_OVERFLOW, "timestamp", text);
  if (reader->zone_sign != 0
      && (reader->zone_hour < 0 || reader->zone_hour > 15 || reader->zone_minute < 0
          || reader->zone_minute > 59))
    return tally_throw_read (reader->error, TALLY_READ_ZONE_OVERFLOW, "timestamp", text);

  *ret_civil = (TallyCivil){ (gint)date.year, (gint)date.month, (gint)date.day, (gint)hour,
                             (gint)minute,    (gint)second,     (gint)usec };
  *ret_offset = reader->zone_sign * (reader->zone_hour * 3600 + reader->zone_minute * 60);
  return TRUE;
}

/* Rounds half away from zero to so many digits of a second. */
static gint64
round_timestamp (gint64 timestamp, gint digits)
{
  static const gint64 units[] = { 1, 100000, 10000, 1000, 100, 10, 1 };
  gint64 unit = units[digits], half = unit / 2;

  return timestamp >= 0 ? (timestamp + half) / unit * unit : -((half - timestamp) / unit * unit);
}

static gboolean
read_template (TallyText text, const TallyTemplate *template, TallyCivil *ret_civil,
               gint *ret_offset, gint *ret_precision, GError **error)
{
  char space[TYPICAL_LENGTH];
  g_autofree char *large = text.length < sizeof space ? NULL : g_malloc (text.length + 1);
  char *copy = large != NULL ? large : space;
  Reader reader = { .template = template, .start = copy, .at = copy, .end = copy + text.length, .error = error };

  memcpy (copy, text.data, text.length);
  copy[text.length] = '\0';
  if (!reader_read (&reader) || !settle (&reader, text, ret_civil, ret_offset))
    return FALSE;

  *ret_precision = reader.precision;
  return TRUE;
}

gboolean
tally_timestamp_from_template (TallyText text, const TallyTemplate *template, gint64 *ret_timestamp,
                               GError **error)
{
  TallyCivil civil;
  gint64 timestamp;
  gint offset, precision;

  if (!read_template (text, template, &civil, &offset, &precision, error))
    return FALSE;
  if (!tally_civil_to_timestamp_unchecked (&civil, &timestamp)
      || __builtin_sub_overflow (timestamp, offset * TALLY_USECS_PER_SECOND, &timestamp)
      || !tally_timestamp_is_valid (timestamp))
    return tally_throw (error, TALLY_ERROR_DATA, "timestamp out of range");

  *ret_timestamp = round_timestamp (timestamp, precision);
  return TRUE;
}

gboolean
tally_date_from_template (TallyText text, const TallyTemplate *template, gint32 *ret_date,
                          GError **error)
{
  TallyCivil civil;
  gint offset, precision;
  gint32 days;

  if (!read_template (text, template, &civil, &offset, &precision, error))
    return FALSE;
  days = tally_days_from_civil (civil.year, civil.month, civil.day);
  if (!tally_is_julian (civil.year, civil.month) || !tally_date_is_valid (days))
    {
      g_autofree char *quoted = tally_value_quote (text);

      return tally_throw (error, TALLY_ERROR_DATA, "date out of range: \"%s\"", quoted);
    }

  *ret_date = days;
  return TRUE;
}
