/* scratch.h: a folder that a test fills with files */
#pragma once
#include "pipeline/pipeline.h"

typedef struct
{
  char *folder;             /* (owned) */
  TallyRegistry *registry;  /* (owned) */
} Scratch;

/* A folder with the file lines.txt in it (three lines) and the tests' own plugins at hand. */
void scratch_init (Scratch *scratch);
void scratch_clear (Scratch *scratch);
/* Writes a file of the folder, replacing what is there. */
void scratch_write (const Scratch *scratch, const char *name, const char *text);
/* Loads text as the folder's pipeline p.yaml. */
TallyPipeline *scratch_load (const Scratch *scratch, const char *text);
/* Runs the command in the folder.  Returns its exit code. */
int scratch_tallyman (const Scratch *scratch, const char *const *arguments, char **ret_output, char **ret_complaints);
/* (transfer full): what is wrong with text, each as `line:column-length severity: message | hint`, one a line. */
char *scratch_check (const Scratch *scratch, const char *text);
