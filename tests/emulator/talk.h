/* talk.h: a conversation with the emulator as a table, one request after another */
#pragma once
#include "rig.h"

/* Path, body and values may have $a to $z, which earlier lines have kept; ' stands for " in a
 * body. */
typedef struct
{
  const char *says; /* what the line is for */
  const char *method, *path, *body;
  long status;
  struct
  {
    const char *place; /* as at() has it */
    const char *value; /* NULL: null, or not there */
  } is[8];
  const char *keep; /* "a=user.id": keeps what is there */
} Line;

/* Holds every line to what it says; @lines ends with one without a method.  Paths are what follows
 * /api/v2/, unless they begin with a slash. */
void talk (Rig *rig, const Line *lines);

/* Forgets what was kept. */
void talk_forget (void);

/* (transfer full): @text with what was kept */
char *talk_fill (const char *text);
