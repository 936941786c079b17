/* plug.h: a plugin driven by hand: options in, tables as text out
 *
 * A table reads `a|b` for its columns, then a line for each row: the values with C escapes, ~ for NULL, and the
 * row's origin in front (`x.csv:2: 1|~`).  A reject is `x.csv:3! reason`.
 */
#pragma once
#include "plugin/instance.h"

typedef struct
{
  const TallyPlugin *plugin; /* (unowned) */
  TallyInstance *instance;   /* (owned) */
  gpointer self;             /* (unowned) the instance's */
  TallyContext *ctx;         /* (owned) */
  GString *warnings;     /* (owned) a line each */
  TallySchema *schema;   /* (owned) (nullable) of a source */
  GPtrArray *positions;  /* (owned) that the source offered, one a batch */
  gint ready; /* atomic: the plugin's open() has returned */
} Plug;

/* From the build's shared object of that name. */
Plug *plug_new (const char *module, TallyKind kind, const char *name);
void plug_free (Plug *plug);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plug, plug_free)

/* A list gets one element more each time. */
void plug_set (Plug *plug, const char *option, const char *value);
/* Fallbacks, check(), accept() with a schema for a sink, open(), describe() of a source. */
gboolean plug_open (Plug *plug, TallySchema *schema, GError **error);
/* Reads to the end in batches of that capacity; appends the rows and rejects.  FALSE on an error. */
gboolean plug_read_all (Plug *plug, guint capacity, GString *out, GError **error);
/* Columns and all rows; an error as `error: …`.  Closes the source. */
char *plug_table (Plug *plug, guint capacity);
/* The same with types, `a bigint|b text`, and without the names of folders. */
char *plug_typed_table (Plug *plug, guint capacity);
/* For tables whose rejects stand elsewhere.  (transfer full) */
char *plug_sort_lines (const char *text);

/* One batch of what a source gives, of any capacity, with all of its rows. */
TallyBatch *plug_read_batch (Plug *plug, guint capacity, GError **error);
void plug_append_batch (TallyBatch *batch, GString *out);

/* A file in a folder that is new for each test run.  (transfer full) */
char *plug_path (const char *name);
char *plug_write_file (const char *name, const char *data, gssize length);
