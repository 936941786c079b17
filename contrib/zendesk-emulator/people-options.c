/* people-options.c: the part of the command line that is about people, jobs and limits */
#include "people-options.h"

void
emu_people_options_init (EmuPeopleOptions *options)
{
  *options = (EmuPeopleOptions){
    .search_lag = 120, .job_wait = 1, .job_pace = 0.08, .job_life = 86400, .job_limit = 30
  };
}

void
emu_people_options_clear (EmuPeopleOptions *options)
{
  char **texts[]
      = { &options->bulk_users,     &options->both_match,          &options->organization_rows,
          &options->user_fields,    &options->organization_fields, &options->limit_headers,
          &options->requester_race, &options->check_people,      &options->suspended_people };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
}

void
emu_people_options_add (EmuPeopleOptions *o, GOptionContext *context)
{
  const GOptionEntry entries[] = {
    { "bulk-users", 0, 0, G_OPTION_ARG_STRING, &o->bulk_users,
      "Whether users may be created in bulk: on, off or off-object (off)", "WHETHER" },
    { "both-match", 0, 0, G_OPTION_ARG_STRING, &o->both_match,
      "External id and address of two users: error or external-id (error)", "WHICH" },
    { "user-fields", 0, 0, G_OPTION_ARG_FILENAME, &o->user_fields, "More user fields, as JSON",
      "FILE" },
    { "organization-fields", 0, 0, G_OPTION_ARG_FILENAME, &o->organization_fields,
      "More organization fields, as JSON", "FILE" },
    { "organization-race", 0, 0, G_OPTION_ARG_DOUBLE, &o->organization_race,
      "How long the name of a new organization can be taken again (0)", "SECONDS" },
    { "organization-rows", 0, 0, G_OPTION_ARG_STRING, &o->organization_rows,
      "How a job names the place of an organization that failed: bare, index or id (bare)",
      "FORM" },
    { "requester-race", 0, 0, G_OPTION_ARG_STRING, &o->requester_race,
      "Two requests at once make the same user: off, or the second gets conflict (409), invalid "
      "(422) or collision (409 in text) (off)",
      "HOW" },
    { "check-people", 0, 0, G_OPTION_ARG_STRING, &o->check_people,
      "Refuse tickets that name a user or organization that is not there: on or off (off)",
      "WHETHER" },
    { "suspended-people", 0, 0, G_OPTION_ARG_STRING, &o->suspended_people,
      "Tickets that name a suspended user: take or refuse (take)", "HOW" },
    { "limit-headers", 0, 0, G_OPTION_ARG_STRING, &o->limit_headers,
      "In whose spelling limits are told: both, 2023 or 2024 (both)", "YEAR" },
    { "search-lag", 0, 0, G_OPTION_ARG_DOUBLE, &o->search_lag,
      "How late a search finds what is new or has changed (120)", "SECONDS" },
    { "job-wait", 0, 0, G_OPTION_ARG_DOUBLE, &o->job_wait, "How long a job is queued (1)",
      "SECONDS" },
    { "job-pace", 0, 0, G_OPTION_ARG_DOUBLE, &o->job_pace,
      "How long a job takes for each record (0.08)", "SECONDS" },
    { "job-life", 0, 0, G_OPTION_ARG_DOUBLE, &o->job_life,
      "How long after its beginning a job is known (86400)", "SECONDS" },
    { "job-limit", 0, 0, G_OPTION_ARG_INT, &o->job_limit,
      "Jobs that may be queued or working at once (30)", "N" },
    { 0 },
  };

  g_option_context_add_main_entries (context, entries, NULL);
}

gboolean
emu_option_choose (const char *option, const char *value, const char *const *choices,
                   guint *ret_choice, GError **error)
{
  g_autofree char *all = g_strjoinv (", ", (char **)choices);

  *ret_choice = 0;
  if (value == NULL)
    return TRUE;
  for (guint i = 0; choices[i] != NULL; i++)
    if (g_str_equal (choices[i], value))
      {
        *ret_choice = i;
        return TRUE;
      }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s is one of %s, not \"%s\"",
               option, all, value);
  return FALSE;
}

gboolean
emu_option_in_range (const char *option, double value, double least, double most, GError **error)
{
  if (value >= least && value <= most)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "--%s is between %.15g and %.15g, not %.15g", option, least, most, value);
  return FALSE;
}

static gboolean
check (const EmuPeopleOptions *o, GError **error)
{
  return emu_option_in_range ("organization-race", o->organization_race, 0, 1e9, error)
         && emu_option_in_range ("search-lag", o->search_lag, 0, 1e9, error)
         && emu_option_in_range ("job-wait", o->job_wait, 0, 1e6, error)
         && emu_option_in_range ("job-pace", o->job_pace, 0, 1e6, error)
         && emu_option_in_range ("job-life", o->job_life, 0, 1e9, error)
         && emu_option_in_range ("job-limit", o->job_limit, 1, 10000, error);
}

static gint64
get_microseconds (double seconds)
{
  return (gint64)(seconds * G_USEC_PER_SEC);
}

gboolean
emu_people_options_apply (const EmuPeopleOptions *o, EmuConfig *config, GError **error)
{
  static const char *const whether[] = { "off", "on", "off-object", NULL };
  static const char *const winners[] = { "error", "external-id", NULL };
  static const char *const rows[] = { "bare", "index", "id", NULL };
  static const char *const spellings[] = { "both", "2023", "2024", NULL };
  static const char *const races[] = { "off", "conflict", "invalid", "collision", NULL };
  static const char *const switches[] = { "off", "on", NULL };
  static const char *const reactions[] = { "take", "refuse", NULL };
  guint bulk, winner, row, spelling, race, check_people, reaction;

  if (!check (o, error) || !emu_option_choose ("bulk-users", o->bulk_users, whether, &bulk, error)
      || !emu_option_choose ("both-match", o->both_match, winners, &winner, error)
      || !emu_option_choose ("limit-headers", o->limit_headers, spellings, &spelling, error)
      || !emu_option_choose ("requester-race", o->requester_race, races, &race, error)
      || !emu_option_choose ("check-people", o->check_people, switches, &check_people, error)
      || !emu_option_choose ("suspended-people", o->suspended_people, reactions, &reaction, error)
      || !emu_option_choose ("organization-rows", o->organization_rows, rows, &row, error))
    return FALSE;
  config->bulk_users = bulk;
  config->external_id_wins = winner == 1;
  config->limit_headers = spelling;
  config->requester_race = race;
  config->check_people = check_people == 1;
  config->refuse_suspended = reaction == 1;
  config->organization_race = (gint64)o->organization_race;
  config->search_lag = (gint64)o->search_lag;
  config->jobs = (EmuJobConfig){ .wait = get_microseconds (o->job_wait),
                                 .pace = get_microseconds (o->job_pace),
                                 .life = get_microseconds (o->job_life),
                                 .limit = (guint)o->job_limit,
                                 .organization_rows = row };
  config->user_fields_file = g_strdup (o->user_fields);
  config->organization_fields_file = g_strdup (o->organization_fields);
  return TRUE;
}
