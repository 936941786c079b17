/* guess.h: what a stranger's file is, and a pipeline for it */
#pragma once
#include "plugin/registry.h"

/* How a file is written, in the words of the csv source's options. */
typedef struct
{
  const char *delimiter, *escape, *encoding; /* (unowned) (nullable) NULL: the option's own default */
  gint64 skip;
  gboolean has_header;
} GuessDialect;

/* What all values of a column still can be. */
typedef enum
{
  GUESS_BIGINT = 1 << 0,
  GUESS_NUMERIC = 1 << 1,
  GUESS_BOOLEAN = 1 << 2,
} GuessKinds;

/* So many different values are kept, to map them one by one. */
#define GUESS_MAX_CHOICES 16

/* A column, or a member of one that has objects in it. */
typedef struct
{
  char *name;         /* (owned) of a member "column.member" */
  char *sql, *text;   /* (owned) what an expression calls it, and its text */
  TallyType type;     /* as the source gives it */
  gboolean is_member;
  GPtrArray *members; /* (owned) (element-type GuessColumn) while it is looked at */
  guint64 n_values, n_emails, n_arrays;
  guint kinds;        /* of GuessKinds */
  guint64 formats;    /* a bit for each date format, see guess_format() */
  gsize longest;      /* bytes */
  GHashTable *seen;   /* (owned) (nullable) hashes of the values, while no two are equal */
  GPtrArray *choices; /* (owned) (nullable) (element-type utf8) the different values, while they are few */
} GuessColumn;

typedef struct _GuessMail GuessMail;

typedef struct
{
  char *path;         /* (owned) absolute */
  const char *source; /* (unowned) that reads it: csv, json, email */
  GuessDialect dialect;
  GPtrArray *columns; /* (owned) (nullable) (element-type GuessColumn) not of mail */
  GuessMail *mail;    /* (owned) (nullable) */
  guint64 n_records, n_rejects, n_rows;
  gboolean is_whole; /* all of the file was looked at */
  char *reject;      /* (owned) (nullable) the first one, where and why */
} GuessFile;

typedef struct
{
  const char *pattern; /* as to_timestamp() takes it */
  const char *cast;    /* (nullable) a type whose own form this is */
} GuessFormat;

/* Looks at a file through the source that reads it.  most: records to look at. */
GuessFile *guess_file_new (TallyRegistry *registry, const char *path, guint64 most, GError **error);
void guess_file_free (GuessFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GuessFile, guess_file_free)
/* Counts what is in a batch. */
void guess_file_count (GuessFile *file, TallyBatch *batch);

GuessColumn *guess_column_new (const char *name, TallyType type, const GuessColumn *parent);
void guess_column_free (gpointer column);
/* One more row; index: of the column in the batch. */
void guess_column_note (GuessColumn *column, TallyBatch *batch, guint row, guint index);
/* Whether it is a number, a date or an address, which nobody calls a column. */
gboolean guess_is_value (const char *text);

/* Counts what is in a mailbox, instead of columns. */
gboolean guess_look_at_mail (GuessFile *file, TallyRegistry *registry, guint64 most, GError **error);
void guess_mail_free (GuessMail *mail);

/* All formats that a value of a date may have. */
guint64 guess_formats_of (const char *text, gsize length);
/* The first of a set that is not empty. */
const GuessFormat *guess_format (guint64 formats);
/* Whether a column's dates could have day and month the other way round. */
gboolean guess_is_ambiguous (guint64 formats);

/* The column that tells one record from another best, or NULL. */
const GuessColumn *guess_key (const GuessFile *file);

typedef enum
{
  GUESS_SINK_ZENDESK,
  GUESS_SINK_CSV,
  GUESS_SINK_JSON,
  GUESS_SINK_POSTGRESQL,
} GuessSink;

/* A pipeline that runs as it is.  (transfer full) */
char *guess_draft (const GuessFile *file, GuessSink sink);

/* Its parts that are other ones for mail: what was found, the source's options, and how mails become tickets. */
void guess_append_mail_facts (const GuessFile *file, GString *out);
void guess_append_mail_source (const GuessFile *file, GString *out);
void guess_append_mail_tickets (GString *out);
