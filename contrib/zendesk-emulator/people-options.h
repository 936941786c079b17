/* people-options.h: the part of the command line that is about people, jobs and limits */
#pragma once
#include "emulator.h"

typedef struct
{
  char *bulk_users, *both_match, *organization_rows, *user_fields, *organization_fields;
  char *limit_headers, *requester_race, *check_people, *suspended_people;
  double search_lag, job_wait, job_pace, job_life, organization_race;
  int job_limit;
} EmuPeopleOptions;

/* With what is right for most. */
void emu_people_options_init (EmuPeopleOptions *options);
void emu_people_options_clear (EmuPeopleOptions *options);

/* Lets @context fill @options. */
void emu_people_options_add (EmuPeopleOptions *options, GOptionContext *context);

/* Checks @options; what they say goes to @config, and nothing if one is wrong. */
gboolean emu_people_options_apply (const EmuPeopleOptions *options, EmuConfig *config,
                                   GError **error);

/* The place of @value (nullable: the first) among @choices, a list that ends with NULL. */
gboolean emu_option_choose (const char *option, const char *value, const char *const *choices,
                            guint *ret_choice, GError **error);
gboolean emu_option_in_range (const char *option, double value, double least, double most,
                              GError **error);
