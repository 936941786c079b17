/* problems.h: what is wrong with a request, and what of it is dropped in silence
 *
 * A request is checked as a whole before anything is done, so it may have several problems.
 */
#pragma once
#include <glib.h>

typedef struct
{
  GPtrArray *list;      /* (owned) field, then JSON of the problem, in turn */
  GPtrArray *texts;     /* (owned) the descriptions alone */
  GString *unpermitted; /* (owned) Ruby's list of strings, without the brackets */
} EmuProblems;

void emu_problems_init (EmuProblems *problems);
void emu_problems_clear (EmuProblems *problems);

/* @field: "base" for what is wrong with the whole */
void emu_problems_add (EmuProblems *problems, const char *field, const char *description,
                       const char *code);

/* The value of @name is none that can stand there; @shown: (nullable): the value */
void emu_problems_add_bad_value (EmuProblems *problems, const char *name, const char *shown);

/* Notes that the member @prefix.@name is not known. */
void emu_problems_add_unpermitted (EmuProblems *problems, const char *prefix, const char *name);

gboolean emu_problems_any (const EmuProblems *problems);

/* (nullable) (transfer full): the members of "details" for a 422. */
char *emu_problems_dup_details (const EmuProblems *problems);

/* (transfer full): all descriptions in one line, as the results of a job have them */
char *emu_problems_dup_line (const EmuProblems *problems);

/* (nullable) (transfer full): what x-zendesk-api-warn says. */
char *emu_problems_dup_warning (const EmuProblems *problems, const char *controller,
                                const char *action);
