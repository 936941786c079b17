/* answer.h: what will go back to the client, before any HTTP library sees it */
#pragma once
#include <glib.h>

#define EMU_ANSWER_HEADERS 24

typedef struct
{
  guint status;        /* 0: none yet */
  const char *type;    /* (unowned) the Content-Type; NULL for JSON */
  GString *body;       /* (owned) (nullable) */
  const char *outcome; /* (unowned) one word for the history */
  guint n_headers;
  struct
  {
    const char *name; /* (unowned) */
    char *value;      /* (owned) */
  } headers[EMU_ANSWER_HEADERS];
} EmuAnswer;

#define EMU_TYPE_JSON "application/json; charset=utf-8"
#define EMU_TYPE_TEXT "text/plain; charset=utf-8"
#define EMU_TYPE_HTML "text/html; charset=utf-8"

/* Back to an answer without anything; frees what it holds. */
void emu_answer_clear (EmuAnswer *answer);

/* Sets the status and gives an empty body to write into. */
GString *emu_answer_begin (EmuAnswer *answer, guint status, const char *outcome);

/* Replaces all but the headers. */
void emu_answer_set (EmuAnswer *answer, guint status, const char *type, const char *outcome,
                     const char *body);

/* Takes @value.  What does not fit, or could not stand in a header, is left out. */
void emu_answer_take_header (EmuAnswer *answer, const char *name, char *value);

void emu_answer_drop_headers (EmuAnswer *answer);

/* The error bodies that the service answers with. */
void emu_answer_error (EmuAnswer *answer, guint status, const char *error, const char *description);
void emu_answer_not_found (EmuAnswer *answer);
void emu_answer_no_endpoint (EmuAnswer *answer);

/* 401, as it reads for a bearer token, and for anything else. */
void emu_answer_unauthorized (EmuAnswer *answer, const char *authorization);

/* 422: @details are the members of "details", already JSON. */
void emu_answer_invalid (EmuAnswer *answer, const char *details);

/* 400: @parameter names more than 100 records. */
void emu_answer_too_many (EmuAnswer *answer, const char *parameter);

/* 400 of the kind {"error":{"title":…,"message":…}}. */
void emu_answer_bad_attribute (EmuAnswer *answer, const char *message);

/* 400 of the kind {"errors":[{"code":…,"title":…}]}. */
void emu_answer_bad_page (EmuAnswer *answer, const char *code, const char *title);
