/* mails.h: messages read by the source email, value by value */
#pragma once
#include "plug.h"

typedef struct
{
  GPtrArray *batches; /* (owned) (element-type TallyBatch) */
  GString *warnings;  /* (owned) */
  char *error;        /* (owned) (nullable) what ended the reading */
  guint n_rows;
  GString *rejects;   /* (owned) a line each: origin: reason */
  GPtrArray *positions; /* (owned) (element-type utf8) one a batch */
} Mails;

/* Reads path to its end.  options: (nullable) names and values in turn, NULL at the end.  position: (nullable) of an earlier reading.
 * capacity: of a batch. */
Mails *mails_read (const char *path, const char *const *options, const char *position, guint capacity);
/* One message as a file of its own; length -1: of a string. */
Mails *mails_read_message (const char *message, gssize length, const char *const *options);
void mails_free (Mails *mails);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mails, mails_free)

/* (transfer full) A value in PostgreSQL's form, "~" for NULL, "no row" if there is none. */
char *mails_get (Mails *mails, guint row, const char *column);
/* (transfer full) The values of all rows, a line each. */
char *mails_column (Mails *mails, const char *column);
/* (transfer full) Where a row came from. */
char *mails_origin (Mails *mails, guint row);
