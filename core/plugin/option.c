/* option.c: what each type of option takes, and how its field is filled and freed */
#include "option.h"
#include "record/nearest.h"
#include <errno.h>
#include <string.h>

typedef struct
{
  const char *name;
  gint64 factor;
} Unit;

/* From the greatest on, so that a number is shown in the greatest unit that divides it. */
static const Unit size_units[] = {
  { "TiB", G_GINT64_CONSTANT (1) << 40 },
  { "TB", G_GINT64_CONSTANT (1000000000000) },
  { "GiB", G_GINT64_CONSTANT (1) << 30 },
  { "GB", 1000000000 },
  { "MiB", 1 << 20 },
  { "MB", 1000000 },
  { "KiB", 1 << 10 },
  { "kB", 1000 },
  { "B", 1 },
  { NULL },
};

static const Unit duration_units[] = {
  { "d", G_GINT64_CONSTANT (86400000000) },
  { "h", G_GINT64_CONSTANT (3600000000) },
  { "min", 60 * G_USEC_PER_SEC },
  { "s", G_USEC_PER_SEC },
  { "ms", 1000 },
  { "us", 1 },
  { NULL },
};

static const Unit no_units[] = { { NULL } };

typedef gboolean (*Setter) (const TallyOption *option, gpointer field, const char *text);

static gboolean set_text (const TallyOption *option, gpointer field, const char *text);
static gboolean set_number (const TallyOption *option, gpointer field, const char *text);
static gboolean set_bool (const TallyOption *option, gpointer field, const char *text);
static gboolean set_choice (const TallyOption *option, gpointer field, const char *text);
static gboolean set_list (const TallyOption *option, gpointer field, const char *text);

static const struct
{
  const char *name;
  gsize size;
  const char *takes; /* for messages; bounds or choices follow */
  const Unit *units;
  gboolean needs_unit;
  Setter set;
} types[] = {
  [TALLY_OPTION_TEXT] = { "text", sizeof (char *), "a text", NULL, FALSE, set_text },
  [TALLY_OPTION_INT] = { "int", sizeof (gint64), "a whole number", no_units, FALSE, set_number },
  [TALLY_OPTION_SIZE]
  = { "size", sizeof (gint64), "a size such as 64kB or 16MiB", size_units, FALSE, set_number },
  [TALLY_OPTION_DURATION] = { "duration", sizeof (gint64), "a duration such as 500ms, 30s or 2h",
                              duration_units, TRUE, set_number },
  [TALLY_OPTION_BOOL] = { "bool", sizeof (gboolean), "true or false", NULL, FALSE, set_bool },
  [TALLY_OPTION_CHOICE] = { "choice", sizeof (gint), "one of", NULL, FALSE, set_choice },
  [TALLY_OPTION_LIST]
  = { "list", sizeof (char **), "a list of at most 10000 texts", NULL, FALSE, set_list },
  [TALLY_OPTION_SECRET] = { "secret", sizeof (char *), "a text", NULL, FALSE, set_text },
  [TALLY_OPTION_EXPRESSION] = { "expression", sizeof (gint), "an expression", NULL, FALSE, NULL },
};

/* ---- The table ---- */

static gboolean
same_name (const char *a, const char *b)
{
  for (; *a != '\0' && *b != '\0'; a++, b++)
    if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
      return FALSE;

  return *a == *b;
}

guint
tally_option_count (const TallyOption *options)
{
  guint n = 0;

  while (options != NULL && n < TALLY_OPTION_MAX_ROWS && options[n].name != NULL)
    n++;
  return n;
}

const TallyOption *
tally_option_find (const TallyOption *options, const char *name)
{
  guint n = tally_option_count (options);

  for (guint i = 0; i < n; i++)
    if (same_name (options[i].name, name))
      return &options[i];

  return NULL;
}

const char *
tally_option_nearest (const TallyOption *options, const char *name)
{
  guint n = tally_option_count (options);
  g_autofree const char **names = g_new (const char *, n);

  for (guint i = 0; i < n; i++)
    names[i] = options[i].name;
  return tally_nearest (name, names, n);
}

gsize
tally_option_field_size (TallyOptionType type)
{
  return (guint) type < G_N_ELEMENTS (types) ? types[type].size : 0;
}

const char *
tally_option_type_name (TallyOptionType type)
{
  return (guint) type < G_N_ELEMENTS (types) ? types[type].name : "unknown";
}

gboolean
tally_option_has_bounds (const TallyOption *option)
{
  return types[option->type].units != NULL && (option->min != 0 || option->max != 0);
}

void
tally_option_append_number (const TallyOption *option, gint64 number, GString *out)
{
  for (const Unit *unit = types[option->type].units; unit->name != NULL; unit++)
    if (number != 0 && number % unit->factor == 0)
      {
        g_string_append_printf (out, "%" G_GINT64_FORMAT "%s", number / unit->factor, unit->name);
        return;
      }

  g_string_append_printf (out, "%" G_GINT64_FORMAT, number);
}

/* ---- From text to field ---- */

static gboolean
set_text (const TallyOption *option, gpointer field, const char *text)
{
  char **old = field;

  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;

  g_free (*old);
  *old = g_strdup (text);
  return TRUE;
}

static gboolean
set_number (const TallyOption *option, gpointer field, const char *text)
{
  const Unit *unit = types[option->type].units;
  gint64 number, factor = 1;
  char *end;

  if (!g_ascii_isdigit (*text) && *text != '-')
    return FALSE;
  errno = 0;
  number = g_ascii_strtoll (text, &end, 10);
  if (errno != 0 || end == text || !g_ascii_isdigit (end[-1]))
    return FALSE;

  if (*end == '\0' && types[option->type].needs_unit && number != 0)
    return FALSE;
  if (*end != '\0')
    {
      while (unit->name != NULL && strcmp (unit->name, end) != 0)
        unit++;
      if (unit->name == NULL)
        return FALSE;
      factor = unit->factor;
    }
  if (__builtin_mul_overflow (number, factor, &number))
    return FALSE;
  if (tally_option_has_bounds (option) && (number < option->min || number > option->max))
    return FALSE;

  *(gint64 *) field = number;
  return TRUE;
}

static gboolean
set_bool (const TallyOption *option, gpointer field, const char *text)
{
  gboolean yes = strcmp (text, "true") == 0;

  if (!yes && strcmp (text, "false") != 0)
    return FALSE;

  *(gboolean *) field = yes;
  return TRUE;
}

static gboolean
set_choice (const TallyOption *option, gpointer field, const char *text)
{
  for (gint i = 0; option->choices[i] != NULL; i++)
    if (same_name (option->choices[i], text))
      {
        *(gint *) field = i;
        return TRUE;
      }

  return FALSE;
}

static gboolean
set_list (const TallyOption *option, gpointer field, const char *text)
{
  char ***list = field;
  guint n = *list != NULL ? g_strv_length (*list) : 0;

  if (n >= TALLY_OPTION_MAX_ELEMENTS || !g_utf8_validate (text, -1, NULL))
    return FALSE;

  *list = g_renew (char *, *list, n + 2);
  (*list)[n] = g_strdup (text);
  (*list)[n + 1] = NULL;
  return TRUE;
}

static void
append_what_it_takes (const TallyOption *option, GString *out)
{
  g_string_append (out, types[option->type].takes);
  if (tally_option_has_bounds (option))
    {
      g_string_append (out, option->max == G_MAXINT64 ? ", at least " : ", from ");
      tally_option_append_number (option, option->min, out);
      if (option->max != G_MAXINT64)
        {
          g_string_append (out, " to ");
          tally_option_append_number (option, option->max, out);
        }
    }
  for (gint i = 0; option->type == TALLY_OPTION_CHOICE && option->choices[i] != NULL; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? ", " : " ", option->choices[i]);
}

gboolean
tally_option_set (const TallyOption *option, gpointer self, const char *text, const char *shown,
                  const char *directory, GError **error)
{
  gpointer field = (char *) self + option->offset;
  g_autofree char *path = NULL;
  g_autoptr (GString) takes = NULL;

  /* By custom "-" is standard input or output. */
  if ((option->flags & TALLY_OPTION_PATH) != 0 && *text != '\0' && strcmp (text, "-") != 0)
    path = g_canonicalize_filename (text, directory);
  if (types[option->type].set (option, field, path != NULL ? path : text))
    return TRUE;

  takes = g_string_new (NULL);
  append_what_it_takes (option, takes);
  if (option->type == TALLY_OPTION_SECRET)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" takes %s", option->name, takes->str);
  return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" takes %s, not \"%s\"", option->name,
                      takes->str, shown != NULL ? shown : text);
}

void
tally_option_clear (const TallyOption *option, gpointer self)
{
  gpointer field = (char *) self + option->offset;
  char **text = field;

  switch (option->type)
    {
    case TALLY_OPTION_SECRET:
      if (*text != NULL)
        explicit_bzero (*text, strlen (*text));
      G_GNUC_FALLTHROUGH;
    case TALLY_OPTION_TEXT:
      g_clear_pointer (text, g_free);
      break;
    case TALLY_OPTION_LIST:
      g_clear_pointer ((char ***) field, g_strfreev);
      break;
    default:
      break;
    }
}
