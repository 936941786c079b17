/* faults.c: things that go wrong on demand */
#include "faults.h"

#include <errno.h>
#include <string.h>

#define MAX_FAULTS 1000

static const struct
{
  const char *name;
  gboolean acts;
} kinds[] = {
  [EMU_FAULT_NONE] = { "none", TRUE },
  [EMU_FAULT_DROP_BEFORE] = { "drop-before", FALSE },
  [EMU_FAULT_DROP_AFTER] = { "drop-after", TRUE },
  [EMU_FAULT_DROP_THEN_ACT] = { "drop-then-act", TRUE },
  [EMU_FAULT_CUT_BODY] = { "cut-body", TRUE },
  [EMU_FAULT_CLOSE_IDLE] = { "close-idle", FALSE },
  [EMU_FAULT_DELAY_BEFORE] = { "delay-before", TRUE },
  [EMU_FAULT_DELAY_AFTER] = { "delay-after", TRUE },
  [EMU_FAULT_STATUS] = { "status", FALSE },
  [EMU_FAULT_STATUS_AFTER] = { "status-after", TRUE },
  [EMU_FAULT_STATUS_STORED] = { "status-stored", FALSE },
  [EMU_FAULT_CONFLICT] = { "conflict", FALSE },
  [EMU_FAULT_INVALID] = { "invalid", FALSE },
  [EMU_FAULT_MISMATCH] = { "mismatch", FALSE },
  [EMU_FAULT_STORM] = { "storm", FALSE },
  [EMU_FAULT_REDIRECT] = { "redirect", FALSE },
  [EMU_FAULT_HTML] = { "html", FALSE },
  [EMU_FAULT_EMPTY] = { "empty", TRUE },
  [EMU_FAULT_NO_ID] = { "no-id", TRUE },
  [EMU_FAULT_OTHER_EXTERNAL_ID] = { "other-external-id", TRUE },
  [EMU_FAULT_UNAUTHORIZED] = { "unauthorized", FALSE },
  [EMU_FAULT_FORBIDDEN] = { "forbidden", FALSE },
  [EMU_FAULT_WARN] = { "warn", TRUE },
  [EMU_FAULT_JOB_FAIL] = { "job-fail", TRUE },
  [EMU_FAULT_JOB_STALL] = { "job-stall", TRUE },
  [EMU_FAULT_JOB_SHORT] = { "job-short", TRUE },
  [EMU_FAULT_JOB_GONE] = { "job-gone", TRUE },
  [EMU_FAULT_JOB_MIXED] = { "job-mixed", TRUE },
};

typedef enum
{
  TEXT,
  NUMBER,
  FRACTION,
  FLAG
} SettingType;

#define AT(member) G_STRUCT_OFFSET (EmuFault, member)

static const struct
{
  const char *name;
  SettingType type;
  gsize offset;
} settings[] = {
  { "method", TEXT, AT (method) },
  { "path", TEXT, AT (path) },
  { "external_id", TEXT, AT (external_id) },
  { "key", TEXT, AT (key) },
  { "per", TEXT, AT (per) },
  { "at", NUMBER, AT (at) },
  { "after", NUMBER, AT (after) },
  { "every", NUMBER, AT (every) },
  { "count", NUMBER, AT (count) },
  { "probability", FRACTION, AT (probability) },
  { "seed", NUMBER, AT (seed) },
  { "seconds", NUMBER, AT (seconds) },
  { "status", NUMBER, AT (status) },
  { "ms", NUMBER, AT (ms) },
  { "records", NUMBER, AT (records) },
  { "acted", FLAG, AT (acted) },
  { "reset", FLAG, AT (reset) },
  { "rows", FLAG, AT (rows) },
  { "body", TEXT, AT (body) },
  { "retry_after", TEXT, AT (retry_after) },
  { "content", TEXT, AT (content) },
  { "content_type", TEXT, AT (content_type) },
  { "location", TEXT, AT (location) },
  { "field", TEXT, AT (field) },
  { "message", TEXT, AT (message) },
};

static void
fault_clear (gpointer data)
{
  EmuFault *fault = data;

  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    if (settings[i].type == TEXT)
      g_free (*(char **)G_STRUCT_MEMBER_P (fault, settings[i].offset));
  g_clear_pointer (&fault->random, g_rand_free);
  g_clear_pointer (&fault->each, g_hash_table_unref);
}

static void
fault_free (gpointer data)
{
  g_rc_box_release_full (data, fault_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuFault, fault_free)

EmuFaults *
emu_faults_new (void)
{
  return g_ptr_array_new_with_free_func (fault_free);
}

static gboolean
refuse (GError **error, const char *format, const char *a, const char *b)
{
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, format, a, b);
  return FALSE;
}

static gboolean
set_kind (EmuFault *fault, const char *name, GError **error)
{
  for (guint i = 1; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].name, name))
      {
        fault->kind = i;
        return TRUE;
      }
  return refuse (error, "\"%s\" is no kind of fault%s", name, "");
}

static gboolean
set_one (EmuFault *fault, guint i, const char *value, GError **error)
{
  gpointer place = G_STRUCT_MEMBER_P (fault, settings[i].offset);
  char *end;

  switch (settings[i].type)
    {
    case TEXT:
      g_free (*(char **)place);
      *(char **)place = g_strdup (value);
      return TRUE;
    case NUMBER:
      if (!g_ascii_string_to_signed (value, 10, 0, G_MAXINT32, place, NULL))
        return refuse (error, "\"%s\" of a fault is no number: \"%s\"", settings[i].name, value);
      fault->count_given |= g_str_equal (settings[i].name, "count");
      return TRUE;
    case FRACTION:
      *(double *)place = g_ascii_strtod (value, &end);
      if (end == value || *end != '\0' || !(*(double *)place >= 0 && *(double *)place <= 1))
        return refuse (error, "\"%s\" of a fault is not between 0 and 1: \"%s\"", settings[i].name,
                       value);
      return TRUE;
    case FLAG:
      *(gboolean *)place = g_str_equal (value, "true") || g_str_equal (value, "1");
      if (!*(gboolean *)place && !g_str_equal (value, "false") && !g_str_equal (value, "0"))
        return refuse (error, "\"%s\" of a fault is neither true nor false: \"%s\"",
                       settings[i].name, value);
      return TRUE;
    }
  return FALSE;
}

static gboolean
set_named (EmuFault *fault, const char *name, const char *value, GError **error)
{
  if (g_str_equal (name, "kind"))
    return set_kind (fault, value, error);
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    if (g_str_equal (settings[i].name, name))
      return set_one (fault, i, value, error);
  return refuse (error, "a fault has no \"%s\"%s", name, "");
}

static const struct
{
  EmuFaultKind kind;
  gint64 status, ms;
} defaults[] = {
  { EMU_FAULT_STATUS, 500, 0 },        { EMU_FAULT_STATUS_AFTER, 500, 0 },
  { EMU_FAULT_STATUS_STORED, 500, 0 }, { EMU_FAULT_REDIRECT, 302, 0 },
  { EMU_FAULT_HTML, 200, 0 },          { EMU_FAULT_DELAY_BEFORE, 0, 1000 },
  { EMU_FAULT_DELAY_AFTER, 0, 1000 },  { EMU_FAULT_DROP_THEN_ACT, 0, 1000 },
};

/* Checks the whole and fills what was left open; takes @fault either way. */
static gboolean
finish (EmuFaults *faults, EmuFault *taken, GError **error)
{
  g_autoptr (EmuFault) fault = taken;

  if (fault->kind == EMU_FAULT_NONE)
    return refuse (error, "a fault needs a \"kind\"%s%s", "", "");
  if (fault->per != NULL && !g_str_equal (fault->per, "external_id")
      && !g_str_equal (fault->per, "key"))
    return refuse (error, "\"per\" of a fault is external_id or key, not \"%s\"%s", fault->per, "");
  if (fault->status != 0 && (fault->status < 200 || fault->status > 599))
    return refuse (error, "\"status\" of a fault is not between 200 and 599%s%s", "", "");
  if (faults->len >= MAX_FAULTS)
    return refuse (error, "too many faults%s%s", "", "");

  for (guint i = 0; i < G_N_ELEMENTS (defaults); i++)
    if (defaults[i].kind == fault->kind)
      {
        fault->status = fault->status != 0 ? fault->status : defaults[i].status;
        fault->ms = fault->ms != 0 ? fault->ms : defaults[i].ms;
      }
  if (!fault->count_given && fault->every == 0 && fault->probability == 0 && fault->seconds == 0)
    fault->count = 1;
  if (fault->probability > 0)
    fault->random = g_rand_new_with_seed ((guint32)fault->seed);
  if (fault->per != NULL)
    fault->each = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_ptr_array_add (faults, g_steal_pointer (&fault));
  return TRUE;
}

/* The text up to the next comma that no backslash precedes; moves @p behind it. */
static char *
next_part (const char **p)
{
  GString *part = g_string_new (NULL);

  for (; **p != '\0' && **p != ','; (*p)++)
    {
      if (**p == '\\' && (*p)[1] != '\0')
        (*p)++;
      g_string_append_c (part, **p);
    }
  if (**p == ',')
    (*p)++;
  return g_string_free (part, FALSE);
}

gboolean
emu_faults_add_text (EmuFaults *faults, const char *spec, GError **error)
{
  g_autoptr (EmuFault) fault = g_rc_box_new0 (EmuFault);
  const char *colon = strchr (spec, ':');
  g_autofree char *kind = colon != NULL ? g_strndup (spec, colon - spec) : g_strdup (spec);

  if (!set_kind (fault, kind, error))
    return FALSE;
  for (const char *p = colon != NULL ? colon + 1 : ""; *p != '\0';)
    {
      g_autofree char *part = next_part (&p);
      char *equals = strchr (part, '=');

      if (equals == NULL)
        return refuse (error, "\"%s\" in a fault has no \"=\"%s", part, "");
      *equals = '\0';
      if (!set_named (fault, part, equals + 1, error))
        return FALSE;
    }
  return finish (faults, g_steal_pointer (&fault), error);
}

static gboolean
add_object (EmuFaults *faults, json_object *object, GError **error)
{
  g_autoptr (EmuFault) fault = g_rc_box_new0 (EmuFault);

  if (!json_object_is_type (object, json_type_object))
    return refuse (error, "a fault is a JSON object%s%s", "", "");
  json_object_object_foreach (object, name, value)
  {
    g_autofree char *text = emu_json_dup_text (value);

    if (text == NULL)
      return refuse (error, "\"%s\" of a fault is neither text nor number%s", name, "");
    if (!set_named (fault, name, text, error))
      return FALSE;
  }
  return finish (faults, g_steal_pointer (&fault), error);
}

gboolean
emu_faults_add_json (EmuFaults *faults, json_object *list, GError **error)
{
  guint before = faults->len;

  if (!json_object_is_type (list, json_type_array))
    return add_object (faults, list, error);
  for (gsize i = 0; i < json_object_array_length (list); i++)
    if (!add_object (faults, json_object_array_get_idx (list, i), error))
      {
        g_ptr_array_set_size (faults, (gint)before);
        return FALSE;
      }
  return TRUE;
}

/* "abc*" matches what begins with abc. */
static gboolean
matches_text (const char *wanted, const char *text)
{
  gsize length;

  if (wanted == NULL)
    return TRUE;
  if (text == NULL)
    return FALSE;
  length = strlen (wanted);
  if (length > 0 && wanted[length - 1] == '*')
    return strncmp (wanted, text, length - 1) == 0;
  return g_str_equal (wanted, text);
}

static gboolean
matches (const EmuFault *fault, const EmuFaultTarget *target)
{
  return (fault->method == NULL || g_ascii_strcasecmp (fault->method, target->method) == 0)
         && (fault->path == NULL || g_str_has_prefix (target->path, fault->path))
         && matches_text (fault->external_id, target->external_id)
         && matches_text (fault->key, target->key)
         && (fault->kind != EMU_FAULT_CLOSE_IDLE || target->reused);
}

/* Counts the match; gives its number, which with "per" is that of this value alone. */
static gint64
count_match (EmuFault *fault, const EmuFaultTarget *target)
{
  const char *value;
  gint64 n;

  fault->matched++;
  if (fault->per == NULL)
    return fault->matched;
  value = g_str_equal (fault->per, "key") ? target->key : target->external_id;
  if (value == NULL)
    return 0;
  n = GPOINTER_TO_INT (g_hash_table_lookup (fault->each, value)) + 1;
  g_hash_table_insert (fault->each, g_strdup (value), GINT_TO_POINTER (n));
  return n;
}

static gboolean
strikes (EmuFault *fault, const EmuFaultTarget *target)
{
  gint64 n, first = fault->at > 0 ? fault->at : fault->after + 1;
  gint64 every = MAX (fault->every, 1), turn;

  if (!matches (fault, target))
    return FALSE;
  n = count_match (fault, target);
  if (fault->storm_end != 0)
    return target->now < fault->storm_end;
  if (n < first || (n - first) % every != 0)
    return FALSE;
  turn = fault->per != NULL ? (n - first) / every : fault->struck;
  if (fault->count > 0 && turn >= fault->count)
    return FALSE;
  if (fault->random != NULL && g_rand_double (fault->random) >= fault->probability)
    return FALSE;
  if (fault->kind == EMU_FAULT_STORM && fault->seconds > 0)
    fault->storm_end = target->now + fault->seconds * G_USEC_PER_SEC;
  return TRUE;
}

void
emu_strike_clear (EmuStrike *strike)
{
  g_clear_pointer (&strike->main, fault_free);
  g_clear_pointer (&strike->job, fault_free);
  g_clear_pointer (&strike->warn, g_free);
}

/* Whether @fault can be asked as soon as the headers are there. */
static gboolean
is_early (const EmuFault *fault)
{
  return fault->kind == EMU_FAULT_DROP_BEFORE && fault->external_id == NULL
         && g_strcmp0 (fault->per, "external_id") != 0;
}

/* Whether it is not the request that suffers, but the job that it queues. */
static gboolean
is_of_job (const EmuFault *fault)
{
  return fault->kind == EMU_FAULT_JOB_FAIL || fault->kind == EMU_FAULT_JOB_STALL
         || fault->kind == EMU_FAULT_JOB_SHORT || fault->kind == EMU_FAULT_JOB_GONE
         || fault->kind == EMU_FAULT_JOB_MIXED;
}

void
emu_faults_strike (EmuFaults *faults, const EmuFaultTarget *target, gboolean early,
                   EmuStrike *strike)
{
  for (guint i = 0; i < faults->len; i++)
    {
      EmuFault *fault = faults->pdata[i];

      if (is_early (fault) != early || !strikes (fault, target))
        continue;
      fault->struck++;
      if (fault->kind == EMU_FAULT_DELAY_BEFORE)
        strike->before += fault->ms;
      else if (fault->kind == EMU_FAULT_DELAY_AFTER)
        strike->after += fault->ms;
      else if (fault->kind == EMU_FAULT_WARN && strike->warn == NULL)
        strike->warn
            = g_strdup (fault->message != NULL ? fault->message : "{:warning=>\"asked for\"}");
      else if (is_of_job (fault))
        {
          if (strike->job == NULL)
            strike->job = g_rc_box_acquire (fault);
        }
      else if (fault->kind != EMU_FAULT_WARN && strike->main == NULL)
        {
          strike->main = g_rc_box_acquire (fault);
          if (fault->kind == EMU_FAULT_DROP_THEN_ACT)
            strike->before += fault->ms;
        }
    }
}

void
emu_faults_write (const EmuFaults *faults, GString *out)
{
  g_string_append_c (out, '[');
  for (guint i = 0; i < faults->len; i++)
    {
      const EmuFault *fault = faults->pdata[i];

      g_string_append_printf (
          out,
          "%s{\"kind\":\"%s\",\"matched\":%" G_GINT64_FORMAT ",\"struck\":%" G_GINT64_FORMAT "}",
          i > 0 ? "," : "", kinds[fault->kind].name, fault->matched, fault->struck);
    }
  g_string_append_c (out, ']');
}

const char *
emu_fault_get_name (EmuFaultKind kind)
{
  return kinds[kind].name;
}

gboolean
emu_fault_acts (const EmuFault *fault)
{
  return fault == NULL || kinds[fault->kind].acts || fault->acted;
}
