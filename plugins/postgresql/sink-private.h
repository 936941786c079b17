/* sink-private.h: what the sink and its plan share */
#pragma once
#include "connection.h"
#include "copy-in.h"
#include <tallyman/plugin.h>

#define MAX_CONNECTIONS 16

typedef enum
{
  MODE_APPEND,
  MODE_UPSERT,
  MODE_REPLACE,
} Mode;

typedef enum
{
  OTHERS_FAIL,
  OTHERS_ADD,
  OTHERS_IGNORE,
} Others;

/* What a run would do, see plan.c. */
typedef struct
{
  gboolean makes_table;
  GPtrArray *added;    /* (owned) (element-type utf8) (unowned) columns that the table would get, if there is one */
  GPtrArray *left_out; /* (owned) (element-type utf8) (unowned) columns that would not be written */
  gint64 n_taken;      /* rows so far */
} PgPlan;

typedef struct
{
  char *connection; /* option */
  char *table;      /* option */
  gint mode;        /* option: Mode */
  char **key;       /* option */
  gboolean create;  /* option */
  gint others;      /* option: Others, columns that the table lacks */
  gint64 n_connections; /* option */

  TallySchema *schema; /* (unowned) that was accepted */
  PGconn *conn;        /* (owned) (nullable) */
  GPtrArray *helpers;  /* (owned) (nullable) (element-type PGconn) that load beside it */
  gboolean loads;      /* the table is new, and several connections fill it */
  char *prefix;        /* (owned) (nullable) the table's schema as SQL, with its dot, or "" */
  char *name;          /* (owned) (nullable) the table within it as SQL */
  char *target;        /* (owned) (nullable) the table as SQL */
  char *into;          /* (owned) (nullable) the table that rows go to as SQL: the target, or what will be it */
  char *checkpoints;   /* (owned) (nullable) the table of checkpoints as SQL */
  char *version;       /* (owned) (nullable) of our row in it, once it was claimed: the transaction that wrote it */
  GArray *columns;     /* (owned) (nullable) (element-type PgColumn) those of the batch that are written */
  char *list;          /* (owned) (nullable) their names as SQL */
  char *copy;          /* (owned) (nullable) the COPY of batches */
  char *merge;         /* (owned) (nullable) from the stage into the table */
  gboolean binary;
  gboolean in_transaction;
  gboolean has_savepoint[MAX_CONNECTIONS]; /* in the transaction: a COPY came before */
  GPtrArray *open;     /* (owned) (nullable) (element-type TallyBatch) (unowned) those of the COPY that has not ended */
  GError *failures[MAX_CONNECTIONS]; /* (owned) (nullable) why it went wrong */
  gsize n_sent;        /* its bytes so far */
  gint64 number;       /* upsert: of the next row, in the order that they come in */
  gboolean is_emptied; /* replace: what was there is deleted */
  GString *rows;       /* (owned) (nullable) scratch */
  PgPlan *plan;        /* (owned) (nullable) nothing is changed, and this is told */
} PgSink;

extern const char *const pg_sink_modes[];
extern const TallyPlanSink pg_sink_plan;

/* Connects, and says in the context which target it is. */
gboolean pg_sink_connect (PgSink *sink, TallyContext *ctx, GError **error);
/* Chooses the columns that are written, after making the table and what it lacks; for a plan nothing is made. */
gboolean pg_sink_look_at_table (PgSink *sink, TallyContext *ctx, GError **error);
/* Whether the table of checkpoints is there. */
gboolean pg_sink_find_checkpoints (PgSink *sink, gboolean *ret_there, GError **error);
/* Whether the user may do what a run would; of a plan, after looking at the table.  Fails with TALLY_ERROR_AUTH. */
gboolean pg_sink_check_rights (PgSink *sink, GError **error);
/* After the open() of a plan, which has looked at table and rights. */
gboolean pg_sink_probe (gpointer self, TallyContext *ctx, GError **error);
char *pg_sink_compose_create (const PgSink *sink, const char *table);
/* The COPY, into the stage or the table. */
void pg_sink_compose_copy (PgSink *sink);
gboolean pg_sink_is_key (const PgSink *sink, const char *name);
/* The connections that rows go over: the sink's own is the first. */
guint pg_sink_n_writers (const PgSink *sink);
PGconn *pg_sink_writer (const PgSink *sink, guint i);
/* Begins to copy a batch, which stays as it is until it is settled: then its rows are in the table, merged if there is a merge,
 * and those that the server refused are rejected. */
gboolean pg_sink_write_batch (PgSink *sink, TallyBatch *batch, GError **error);
gboolean pg_sink_settle (PgSink *sink, GError **error);
