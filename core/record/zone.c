/* zone.c: time zones, from the machine's tz database
 *
 * PostgreSQL on Debian reads the same database.  Names are looked up as PostgreSQL does: without
 * regard to case, below one folder.  A zone that was found once is kept: there are a few hundred of
 * them.
 */
#include "datetime-private.h"
#include "value-private.h"
#include "zone-file.h"
#include <stdlib.h>
#include <string.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define MAX_NAME 255
/* More than the database has; POSIX's form has any number. */
#define MAX_ZONES 5000
/* POSIX allows an offset of almost a week. */
#define MAX_POSIX_HOURS 167
/* Two changes of the clock are never closer together. */
#define CLOSEST_CHANGES TALLY_USECS_PER_DAY

struct _TallyZone
{
  TallyZoneFile *file; /* (owned) (nullable) NULL: always at offset */
  gint offset;         /* seconds east */
  char *abbreviation;  /* (owned) (nullable) an abbreviation whose offset depends on the time */
};

static GMutex zones_lock;
static GHashTable *zones; /* (owned) lower-case name → TallyZone; for ever */

/* PostgreSQL's default abbreviations with their minutes east of Greenwich, sorted. */
static const struct
{
  const char *name;
  gint minutes;
} fixed_abbreviations[] = {
  { "acdt", 630 },  { "acsst", 630 },  { "acst", 570 },  { "act", -300 },  { "acwst", 525 },
  { "adt", -180 },  { "aedt", 660 },   { "aesst", 660 }, { "aest", 600 },  { "aft", 270 },
  { "akdt", -480 }, { "akst", -540 },  { "almst", 420 }, { "almt", 360 },  { "amt", -240 },
  { "ast", -240 },  { "awsst", 540 },  { "awst", 480 },  { "azost", 0 },   { "azot", -60 },
  { "bdst", 120 },  { "bdt", 360 },    { "bnt", 480 },   { "bort", 480 },  { "bot", -240 },
  { "bra", -180 },  { "brst", -120 },  { "brt", -180 },  { "bst", 60 },    { "btt", 360 },
  { "cadt", 630 },  { "cast", 570 },   { "cct", 480 },   { "cdt", -300 },  { "cest", 120 },
  { "cet", 60 },    { "cetdst", 120 }, { "chadt", 825 }, { "chast", 765 }, { "chut", 600 },
  { "clst", -180 }, { "cot", -300 },   { "cst", -360 },  { "cxt", 420 },   { "ddut", 600 },
  { "eat", 180 },   { "edt", -240 },   { "eest", 180 },  { "eet", 120 },   { "eetdst", 180 },
  { "egst", 0 },    { "egt", -60 },    { "est", -300 },  { "fet", 180 },   { "fjst", 780 },
  { "fjt", 720 },   { "fnst", -60 },   { "fnt", -120 },  { "galt", -360 }, { "gamt", -540 },
  { "gft", -180 },  { "gilt", 720 },   { "gmt", 0 },     { "hkt", 480 },   { "hst", -600 },
  { "ict", 420 },   { "idt", 180 },    { "irt", 210 },   { "ist", 120 },   { "jayt", 540 },
  { "jst", 540 },   { "kdt", 600 },    { "kgst", 360 },  { "kst", 540 },   { "lhst", 630 },
  { "ligt", 600 },  { "mart", -570 },  { "mdt", -360 },  { "mest", 120 },  { "mesz", 120 },
  { "met", 60 },    { "metdst", 120 }, { "mez", 60 },    { "mht", 720 },   { "mmt", 390 },
  { "mpt", 600 },   { "msd", 240 },    { "mst", -420 },  { "must", 300 },  { "mut", 240 },
  { "mvt", 300 },   { "myt", 480 },    { "ndt", -150 },  { "nft", -210 },  { "npt", 345 },
  { "nst", -210 },  { "nzdt", 780 },   { "nzst", 720 },  { "nzt", 720 },   { "pdt", -420 },
  { "pet", -300 },  { "pgt", 600 },    { "pht", 480 },   { "pkst", 360 },  { "pkt", 300 },
  { "pmdt", -120 }, { "pmst", -180 },  { "pont", 660 },  { "pst", -480 },  { "pwt", 540 },
  { "pyst", -180 }, { "ret", 240 },    { "sadt", 630 },  { "sast", 120 },  { "sct", 240 },
  { "taht", -600 }, { "tft", 300 },    { "tjt", 300 },   { "tot", 780 },   { "trut", 600 },
  { "tvt", 720 },   { "uct", 0 },      { "ulast", 540 }, { "ut", 0 },      { "utc", 0 },
  { "uyst", -120 }, { "uyt", -180 },   { "uzst", 360 },  { "uzt", 300 },   { "vut", 660 },
  { "wadt", 480 },  { "wakt", 720 },   { "wast", 420 },  { "wat", 60 },    { "wdt", 540 },
  { "wet", 0 },     { "wetdst", 60 },  { "wft", 720 },   { "wgst", -120 }, { "wgt", -180 },
  { "xjt", 360 },   { "yapt", 600 },   { "yekst", 360 }, { "z", 0 },       { "zulu", 0 },
};

/* Those whose meaning has changed: the zone says what it was at a time. */
static const struct
{
  const char *name;
  const char *zone;
} dynamic_abbreviations[] = {
  { "amst", "Asia/Yerevan" },
  { "anast", "Asia/Anadyr" },
  { "anat", "Asia/Anadyr" },
  { "arst", "America/Argentina/Buenos_Aires" },
  { "art", "America/Argentina/Buenos_Aires" },
  { "azst", "Asia/Baku" },
  { "azt", "Asia/Baku" },
  { "ckt", "Pacific/Rarotonga" },
  { "clt", "America/Santiago" },
  { "davt", "Antarctica/Davis" },
  { "easst", "Pacific/Easter" },
  { "east", "Pacific/Easter" },
  { "fkst", "Atlantic/Stanley" },
  { "fkt", "Atlantic/Stanley" },
  { "gest", "Asia/Tbilisi" },
  { "get", "Asia/Tbilisi" },
  { "gyt", "America/Guyana" },
  { "iot", "Indian/Chagos" },
  { "irkst", "Asia/Irkutsk" },
  { "irkt", "Asia/Irkutsk" },
  { "kgt", "Asia/Bishkek" },
  { "kost", "Pacific/Kosrae" },
  { "krast", "Asia/Krasnoyarsk" },
  { "krat", "Asia/Krasnoyarsk" },
  { "lhdt", "Australia/Lord_Howe" },
  { "lint", "Pacific/Kiritimati" },
  { "lkt", "Asia/Colombo" },
  { "magst", "Asia/Magadan" },
  { "magt", "Asia/Magadan" },
  { "mawt", "Antarctica/Mawson" },
  { "msk", "Europe/Moscow" },
  { "novst", "Asia/Novosibirsk" },
  { "novt", "Asia/Novosibirsk" },
  { "nut", "Pacific/Niue" },
  { "omsst", "Asia/Omsk" },
  { "omst", "Asia/Omsk" },
  { "petst", "Asia/Kamchatka" },
  { "pett", "Asia/Kamchatka" },
  { "pyt", "America/Asuncion" },
  { "sgt", "Asia/Singapore" },
  { "tkt", "Pacific/Fakaofo" },
  { "tmt", "Asia/Ashgabat" },
  { "ulat", "Asia/Ulaanbaatar" },
  { "vet", "America/Caracas" },
  { "vlast", "Asia/Vladivostok" },
  { "vlat", "Asia/Vladivostok" },
  { "volt", "Europe/Volgograd" },
  { "yakst", "Asia/Yakutsk" },
  { "yakt", "Asia/Yakutsk" },
  { "yekt", "Asia/Yekaterinburg" },
};

static gint64
to_unix (gint64 timestamp)
{
  gint64 seconds = timestamp / TALLY_USECS_PER_SECOND;

  if (timestamp % TALLY_USECS_PER_SECOND < 0)
    seconds--;
  return seconds + TALLY_EPOCH_UNIX;
}

static gint
clock_offset_at (const TallyZone *zone, gint64 utc)
{
  return tally_zone_file_offset (zone->file, to_unix (utc), NULL);
}

/* Looks for the interval closest before utc, else after it, in which the abbreviation was in use.
 */
static gboolean
find_abbreviation_use (const TallyZone *zone, gint64 utc, gint *ret_offset)
{
  const gint64 step = 30 * TALLY_USECS_PER_DAY, century = 36525 * TALLY_USECS_PER_DAY;
  const gint n_steps = 12 * 250;

  utc = CLAMP (utc, -2 * century, century); /* time zones came with the railways */
  for (gint i = 0; i < 2 * n_steps; i++)
    {
      gint64 at = i < n_steps ? utc - i * step : utc + (i - n_steps + 1) * step;
      const char *abbreviation;
      gint offset = tally_zone_file_offset (zone->file, to_unix (at), &abbreviation);

      if (strcmp (abbreviation, zone->abbreviation) == 0)
        {
          *ret_offset = offset;
          return TRUE;
        }
    }

  return FALSE;
}

gint
tally_zone_offset_at_utc (const TallyZone *zone, gint64 utc)
{
  gint offset;

  if (zone->file == NULL
      || (zone->abbreviation != NULL && find_abbreviation_use (zone, utc, &offset)))
    return zone->file == NULL ? zone->offset : offset;

  return clock_offset_at (zone, utc);
}

static gint
clock_offset_at_local (const TallyZone *zone, gint64 local)
{
  gint before = clock_offset_at (zone, local - CLOSEST_CHANGES);
  gint after = clock_offset_at (zone, local + CLOSEST_CHANGES);

  if (before == after)
    return before;

  /* Twice that time: after the change.  Never: as if the clock had not been put forward. */
  return clock_offset_at (zone, local - after * TALLY_USECS_PER_SECOND) == after ? after : before;
}

gint
tally_zone_offset_at_local (const TallyZone *zone, gint64 local)
{
  gint offset;

  if (zone->file == NULL)
    return zone->offset;

  offset = clock_offset_at_local (zone, local);
  if (zone->abbreviation != NULL)
    find_abbreviation_use (zone, local - offset * TALLY_USECS_PER_SECOND, &offset);
  return offset;
}

static int
compare_first (const void *key, const void *entry)
{
  return strcmp (key, *(const char *const *)entry);
}

/* One number and up to two more after colons, as hours, minutes, seconds. */
static gboolean
read_offset (const char **at, gint *ret_seconds)
{
  static const gint bounds[] = { MAX_POSIX_HOURS, 59, 59 }, units[] = { 3600, 60, 1 };
  gboolean negative = **at == '-';
  gint seconds = 0;

  if (**at == '-' || **at == '+')
    (*at)++;
  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    {
      gint value = 0;

      if (!g_ascii_isdigit (**at))
        return FALSE;
      for (; g_ascii_isdigit (**at); (*at)++)
        if ((value = value * 10 + (**at - '0')) > bounds[i])
          return FALSE;
      seconds += value * units[i];
      if (**at != ':')
        break;
      (*at)++;
    }

  *ret_seconds = negative ? -seconds : seconds;
  return TRUE;
}

/* POSIX's form without rules: UTC-3, <+03>-3, +5:30. */
static TallyZone *
zone_from_posix (const char *name)
{
  const char *at = name;
  TallyZone *zone;
  gint west;

  if (*at == '<')
    {
      at = strchr (at, '>');
      if (at == NULL)
        return NULL;
      at++;
    }
  else
    while (*at != '\0' && !g_ascii_isdigit (*at) && strchr (",+-", *at) == NULL)
      at++;
  if (!read_offset (&at, &west) || *at != '\0')
    return NULL;

  zone = g_new0 (TallyZone, 1);
  zone->offset = -west;
  return zone;
}

/* The entry of a folder that is name but for case. */
static char *
find_entry (const char *folder, const char *name)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    if (g_ascii_strcasecmp (entry, name) == 0)
      return g_strdup (entry);
  return NULL;
}

static TallyZone *
zone_from_database (const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", 0);
  g_autofree char *path = g_strdup (ZONE_FOLDER), *bytes = NULL;
  TallyZoneFile *file;
  TallyZone *zone;
  gsize length;

  if (name[strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+/")]
      != '\0')
    return NULL;
  for (guint i = 0; parts[i] != NULL; i++)
    {
      g_autofree char *entry = find_entry (path, parts[i]), *folder = path;

      path = NULL;
      if (entry == NULL)
        return NULL;
      path = g_build_filename (folder, entry, NULL);
    }
  if (!g_file_get_contents (path, &bytes, &length, NULL))
    return NULL;
  file = tally_zone_file_new (bytes, length);
  if (file == NULL)
    return NULL;

  zone = g_new0 (TallyZone, 1);
  zone->file = file;
  return zone;
}

static TallyZone *
zone_from_abbreviation (const char *name)
{
  const void *entry = bsearch (name, fixed_abbreviations, G_N_ELEMENTS (fixed_abbreviations),
                               sizeof fixed_abbreviations[0], compare_first);
  TallyZone *zone;
  gint offset;

  if (entry != NULL)
    {
      zone = g_new0 (TallyZone, 1);
      zone->offset = ((const typeof (fixed_abbreviations[0]) *)entry)->minutes * 60;
      return zone;
    }
  entry = bsearch (name, dynamic_abbreviations, G_N_ELEMENTS (dynamic_abbreviations),
                   sizeof dynamic_abbreviations[0], compare_first);
  if (entry == NULL)
    return NULL;

  zone = zone_from_database (((const typeof (dynamic_abbreviations[0]) *)entry)->zone);
  if (zone == NULL)
    return NULL;
  zone->abbreviation = g_ascii_strup (name, -1);
  if (!find_abbreviation_use (zone, 0, &offset))
    g_clear_pointer (
        &zone->abbreviation,
        g_free); /* the database has it under no such name: the clock of the place counts */
  return zone;
}

/* Kinds of names have prefixes in the table: a CET of the database is not the abbreviation. */
static const TallyZone *
find_cached (const char *kind, const char *name, gsize length,
             TallyZone *(*make) (const char *name))
{
  g_autofree char *lower = NULL, *key = NULL;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = NULL;
  TallyZone *zone;

  if (length == 0 || length > MAX_NAME || memchr (name, '\0', length) != NULL)
    return NULL;
  lower = g_ascii_strdown (name, length);
  key = g_strconcat (kind, lower, NULL);
  locker = g_mutex_locker_new (&zones_lock);
  if (zones == NULL)
    zones = g_hash_table_new (g_str_hash, g_str_equal);
  zone = g_hash_table_lookup (zones, key);
  if (zone == NULL && g_hash_table_size (zones) < MAX_ZONES)
    {
      zone = make (lower);
      if (zone != NULL)
        g_hash_table_insert (zones, g_steal_pointer (&key), zone);
    }

  return zone;
}

static TallyZone *
zone_from_full_name (const char *name)
{
  TallyZone *zone = zone_from_database (name);

  return zone != NULL ? zone : zone_from_posix (name);
}

const TallyZone *
tally_zone_find_abbreviation (const char *name, gsize length)
{
  return find_cached ("abbreviation ", name, length, zone_from_abbreviation);
}

const TallyZone *
tally_zone_find_full (const char *name, gsize length)
{
  return find_cached ("name ", name, length, zone_from_full_name);
}

const TallyZone *
tally_zone_find (TallyText name, GError **error)
{
  const TallyZone *zone = tally_zone_find_abbreviation (name.data, name.length);

  if (zone == NULL)
    zone = tally_zone_find_full (name.data, name.length);
  if (zone == NULL)
    {
      g_autofree char *quoted = tally_value_quote (name);

      tally_throw (error, TALLY_ERROR_DATA, "time zone \"%s\" not recognized", quoted);
    }
  return zone;
}

static gboolean
shift (gint64 timestamp, gint64 seconds, gint64 *ret_timestamp, GError **error)
{
  gint64 shifted;

  if (__builtin_add_overflow (timestamp, seconds * TALLY_USECS_PER_SECOND, &shifted)
      || !tally_timestamp_is_valid (shifted))
    return tally_throw (error, TALLY_ERROR_DATA, "timestamp out of range");

  *ret_timestamp = shifted;
  return TRUE;
}

static gboolean
is_infinite (gint64 timestamp)
{
  return timestamp == TALLY_TIMESTAMP_INFINITY || timestamp == TALLY_TIMESTAMP_MINUS_INFINITY;
}

gboolean
tally_zone_to_utc (const TallyZone *zone, gint64 local, gint64 *ret_utc, GError **error)
{
  gint offset = is_infinite (local) ? 0 : tally_zone_offset_at_local (zone, local);

  if (is_infinite (local))
    {
      *ret_utc = local;
      return TRUE;
    }

  return shift (local, -offset, ret_utc, error);
}

gboolean
tally_zone_to_local (const TallyZone *zone, gint64 utc, gint64 *ret_local, GError **error)
{
  if (is_infinite (utc))
    {
      *ret_local = utc;
      return TRUE;
    }

  return shift (utc, tally_zone_offset_at_utc (zone, utc), ret_local, error);
}

static gboolean
shift_by_interval (TallyInterval offset, gint64 sign, gint64 timestamp, gint64 *ret_timestamp,
                   GError **error)
{
  if (is_infinite (timestamp))
    {
      *ret_timestamp = timestamp;
      return TRUE;
    }

  if (offset.months != 0 || offset.days != 0)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      tally_interval_append (offset, text);
      return tally_throw (error, TALLY_ERROR_DATA,
                          "interval time zone \"%s\" must not include months or days", text->str);
    }

  return shift (timestamp, sign * (gint32)(offset.microseconds / TALLY_USECS_PER_SECOND),
                ret_timestamp, error);
}

gboolean
tally_interval_zone_to_utc (TallyInterval offset, gint64 local, gint64 *ret_utc, GError **error)
{
  return shift_by_interval (offset, -1, local, ret_utc, error);
}

gboolean
tally_interval_zone_to_local (TallyInterval offset, gint64 utc, gint64 *ret_local, GError **error)
{
  return shift_by_interval (offset, 1, utc, ret_local, error);
}
