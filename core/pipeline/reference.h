/* reference.h: ${NAME}, ${file:PATH} and ${credential:NAME} in a pipeline's values */
#pragma once
#include <glib.h>

/* A value that must not be shown, and what is shown in its place. */
typedef struct
{
  char *value;   /* (owned) */
  char *written; /* (owned) */
} TallySecret;

void tally_secret_free (TallySecret *secret);

/* What is wrong with a reference: bytes of the text that holds it. */
typedef struct
{
  gsize offset, length;
  char *message; /* (owned) */
  char *hint;    /* (owned) (nullable) */
} TallyReferenceMistake;

void tally_reference_mistake_free (TallyReferenceMistake *mistake);

/* Replaces the references in text, and `$${` by `${`.  Values that came in are added to secrets (element-type TallySecret),
 * all mistakes to mistakes (element-type TallyReferenceMistake); NULL then. */
char *tally_reference_expand (const char *text, const char *directory, GPtrArray *secrets, GPtrArray *mistakes);

/* (transfer full): text with every secret's value replaced by what was written for it. */
char *tally_secrets_redact (const GPtrArray *secrets, const char *text);
