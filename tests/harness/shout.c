/* shout: sources, two transforms and three sinks that tests look at from outside
 *
 * A shared object may hold several plugins; these are found by the first word of their names.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <tallyman/plugin.h>
#include <unistd.h>

/* ---- shout: upper case; a row that is empty is rejected ---- */

typedef struct
{
  gint column; /* found by accept() */
} Shout;

static gboolean
shout_accept (gpointer self, TallySchema *schema, GError **error)
{
  Shout *shout = self;
  const char *nearest = tally_schema_nearest (schema, "word");

  shout->column = tally_schema_find (schema, "word");
  if (shout->column >= 0)
    return TRUE;
  if (nearest != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "there is no column \"word\"; did you mean \"%s\"?", nearest);
  return tally_throw (error, TALLY_ERROR_USAGE, "there is no column \"word\"");
}

static TallyFlow
shout_apply (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  Shout *shout = self;

  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      TallyText *word = &((TallyText *) tally_batch_vector (batch, shout->column))[row];
      char *loud;

      if (tally_batch_is_null (batch, row, shout->column))
        {
          tally_batch_reject (batch, row, "nothing to shout");
          continue;
        }
      loud = tally_batch_alloc (batch, word->length);
      for (gsize i = 0; i < word->length; i++)
        loud[i] = g_ascii_toupper (word->data[i]);
      word->data = loud;
    }
  return TALLY_FLOW_OK;
}

static const TallyPlugin shout = {
  TALLY_PLUGIN_INIT,       .kind = TALLY_TRANSFORM,         .name = "shout",
  .summary = "Upper case", .instance_size = sizeof (Shout), .accept = shout_accept,
  .apply = shout_apply,
};

/* ---- shout-echo: each word comes back in a column of its own, unless there is trouble ---- */

typedef struct
{
  gint trouble; /* option */
  gint64 rows;  /* option */
  char *pass;   /* option */
  TallySchema *accepted; /* (unowned) */
  TallySchema *made;     /* (owned) (nullable) from open to close */
  guint n_calls;
} Echo;

enum { NO_TROUBLE, BUSY, CROSS, BROKEN, FORGETFUL };
static const char *const troubles[] = { "none", "busy", "cross", "broken", "forgetful", NULL };

static gboolean
echo_accept (gpointer self, TallySchema *schema, GError **error)
{
  ((Echo *) self)->accepted = schema;
  return TRUE;
}

static TallySchema *
echo_describe (gpointer self, TallyContext *ctx, GError **error)
{
  TallySchema *accepted = ((Echo *) self)->accepted;
  guint n = tally_schema_n_columns (accepted);
  g_autofree TallyColumn *columns = g_new0 (TallyColumn, n + 1);

  for (guint i = 0; i < n; i++)
    columns[i] = *tally_schema_column (accepted, i);
  columns[n] = (TallyColumn) { "echo", TALLY_TYPE_TEXT };
  return tally_schema_new (columns, n + 1);
}

static gboolean
echo_open (gpointer self, TallyContext *ctx, GError **error)
{
  Echo *echo = self;

  echo->made = echo_describe (self, ctx, error);
  tally_context_warn (ctx, "the hall is open");
  return TRUE;
}

static TallyFlow
echo_apply (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  Echo *echo = self;
  guint n = tally_schema_n_columns (echo->accepted);
  g_autofree gint *from = g_new (gint, n + 1);

  if (echo->trouble == BROKEN
      || (echo->trouble == BUSY && echo->n_calls++ == 0)
      || echo->trouble == CROSS)
    {
      tally_throw (error, TALLY_ERROR_NETWORK, "the hall is %s", troubles[echo->trouble]);
      return echo->trouble == BROKEN ? TALLY_FLOW_FATAL
             : echo->trouble == BUSY ? TALLY_FLOW_RETRY
                                     : TALLY_FLOW_REJECT;
    }
  if (echo->trouble == FORGETFUL)
    return TALLY_FLOW_OK;

  for (guint i = 0; i < n; i++)
    from[i] = i;
  from[n] = -1;
  tally_batch_rearrange (batch, echo->made, from);
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    if (!tally_batch_is_null (batch, row, 0))
      {
        ((TallyText *) tally_batch_vector (batch, n))[row] = tally_batch_get_text (batch, row, 0);
        tally_batch_validity (batch, n)[row / 64] |= G_GUINT64_CONSTANT (1) << row % 64;
      }
  echo->rows -= tally_batch_n_rows (batch);
  return echo->rows > 0 ? TALLY_FLOW_OK : TALLY_FLOW_END;
}

static void
echo_close (gpointer self)
{
  g_clear_pointer (&((Echo *) self)->made, tally_schema_unref);
}

static const TallyOption echo_options[] = {
  { .name = "trouble",
    .type = TALLY_OPTION_CHOICE,
    .choices = troubles,
    .fallback = "none",
    .offset = G_STRUCT_OFFSET (Echo, trouble),
    .summary = "What goes wrong" },
  { .name = "rows",
    .type = TALLY_OPTION_INT,
    .fallback = "1000000",
    .min = 1,
    .max = 1000000,
    .offset = G_STRUCT_OFFSET (Echo, rows),
    .summary = "Rows until nothing comes back any more" },
  { .name = "pass",
    .type = TALLY_OPTION_SECRET,
    .offset = G_STRUCT_OFFSET (Echo, pass),
    .summary = "Opens the hall" },
  { 0 },
};

static const TallyPlugin echo = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_TRANSFORM,
  .name = "shout-echo",
  .summary = "Each row's first text again",
  .flags = TALLY_PLUGIN_KEEPS_STATE,
  .instance_size = sizeof (Echo),
  .options = echo_options,
  .accept = echo_accept,
  .describe = echo_describe,
  .open = echo_open,
  .apply = echo_apply,
  .close = echo_close,
};

/* ---- shout-busy: a sink that asks for patience once, warns, and counts ---- */

typedef struct
{
  gint64 limit;    /* option */
  gint key_column; /* option */
  guint n_calls, n_rows;
} Busy;

static TallyFlow
busy_write (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  Busy *busy = self;

  if (busy->n_calls++ == 0)
    {
      tally_throw (error, TALLY_ERROR_NETWORK, "the line is busy");
      return TALLY_FLOW_RETRY;
    }
  busy->n_rows += tally_batch_n_rows (batch);
  tally_context_warn (ctx, "%u rows", busy->n_rows);
  return TALLY_FLOW_OK;
}

static const TallyOption busy_options[] = {
  { .name = "limit",
    .type = TALLY_OPTION_SIZE,
    .fallback = "1MiB",
    .min = 1,
    .max = 1 << 30,
    .offset = G_STRUCT_OFFSET (Busy, limit),
    .summary = "Most bytes" },
  { .name = "mark",
    .type = TALLY_OPTION_EXPRESSION,
    .offset = G_STRUCT_OFFSET (Busy, key_column),
    .summary = "What marks a row" },
  { 0 },
};

static const TallyPlugin busy = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "shout-busy",
  .summary = "A line that is busy at first",
  .instance_size = sizeof (Busy),
  .options = busy_options,
  .write = busy_write,
};

/* ---- shout-later: a sink that says only afterwards which rows it does not take ---- */

#define LATER_MOST 8 /* batches that may be open */

typedef struct
{
  TallyBatch *open[LATER_MOST]; /* (unowned) */
  guint n_open;
} Later;

static TallyFlow
later_write (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  Later *later = self;

  if (later->n_open == LATER_MOST)
    {
      tally_throw (error, TALLY_ERROR_USAGE, "too many batches are open");
      return TALLY_FLOW_FATAL;
    }
  later->open[later->n_open++] = batch;
  return TALLY_FLOW_OPEN;
}

static TallyFlow
later_settle (gpointer self, TallyContext *ctx, GError **error)
{
  Later *later = self;

  if (later->n_open > 1)
    tally_context_warn (ctx, "several batches were open");
  for (guint i = 0; i < later->n_open; i++)
    for (guint row = 0; row < tally_batch_n_rows (later->open[i]); row++)
      if (tally_text_equal (tally_batch_get_text (later->open[i], row, 0), "bad"))
        tally_batch_reject (later->open[i], row, "not this one");
  later->n_open = 0;
  return TALLY_FLOW_OK;
}

static TallyFlow
later_commit (gpointer self, TallyContext *ctx, GError **error)
{
  if (((Later *) self)->n_open == 0)
    return TALLY_FLOW_OK;
  tally_throw (error, TALLY_ERROR_USAGE, "batches are open");
  return TALLY_FLOW_FATAL;
}

static const TallyPlugin later = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "shout-later",
  .summary = "Says afterwards what it does not take",
  .instance_size = sizeof (Later),
  .write = later_write,
  .settle = later_settle,
  .commit = later_commit,
};

/* ---- shout-letter: a sink that delivers ---- */

typedef struct
{
  char *token;   /* option */
  char **labels; /* option */
  gint tone;     /* option */
  gint subject;  /* option */
  gboolean open;
} Letter;

static gboolean
letter_check (gpointer self, GError **error)
{
  Letter *letter = self;

  return letter->token == NULL || strlen (letter->token) >= 8
         || tally_throw (error, TALLY_ERROR_USAGE, "the token \"%s\" is too short", letter->token);
}

static void
letter_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  ret_profile->entity = "letter";
  ret_profile->max_in_flight = 1;
}

static gboolean
letter_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row,
               const char *reference, GString *ret_body, GError **error)
{
  Letter *letter = self;
  TallyText subject;

  if (letter->subject < 0 || tally_batch_is_null (batch, row, letter->subject))
    return tally_throw (error, TALLY_ERROR_DATA, "a letter needs a subject");

  subject = tally_batch_get_text (batch, row, letter->subject);
  g_string_append_printf (ret_body, "%s: %.*s", reference, (int) subject.length, subject.data);
  return TRUE;
}

static void
letter_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  tally_delivery_settle (delivery,
                         &(TallyOutcome) { TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_UNSENT });
}

static const char *const tones[] = { "friendly", "formal", NULL };

static const TallyOption letter_options[] = {
  { .name = "token",
    .type = TALLY_OPTION_SECRET,
    .offset = G_STRUCT_OFFSET (Letter, token),
    .summary = "Key to the post box" },
  { .name = "labels",
    .type = TALLY_OPTION_LIST,
    .offset = G_STRUCT_OFFSET (Letter, labels),
    .summary = "Stickers" },
  { .name = "tone",
    .type = TALLY_OPTION_CHOICE,
    .choices = tones,
    .fallback = "formal",
    .offset = G_STRUCT_OFFSET (Letter, tone),
    .summary = "How it sounds" },
  { .name = "subject",
    .type = TALLY_OPTION_EXPRESSION,
    .offset = G_STRUCT_OFFSET (Letter, subject),
    .summary = "What it is about",
    .example = "coalesce(subject, '(none)')" },
  { 0 },
};

static const TallyDeliverySink letter_delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = letter_profile,
  .render = letter_render,
  .send = letter_send,
};

static const TallyPlugin letter = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "shout-letter",
  .summary = "A letter for each record",
  .instance_size = sizeof (Letter),
  .options = letter_options,
  .check = letter_check,
  .delivery = &letter_delivery,
};

/* ---- shout-far: a source beyond a network, and nobody answers ---- */

static gboolean
far_open (gpointer self, TallyContext *ctx, GError **error)
{
  return tally_throw (error, TALLY_ERROR_NETWORK, "nobody answers");
}

static TallySchema *
far_describe (gpointer self, TallyContext *ctx, GError **error)
{
  static const TallyColumn column = { "word", TALLY_TYPE_TEXT };

  return tally_schema_new (&column, 1);
}

static TallyFlow
far_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  return TALLY_FLOW_END;
}

static const TallyPlugin far = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "shout-far",
  .summary = "Nobody answers",
  .open = far_open,
  .describe = far_describe,
  .read = far_read,
};

/* ---- shout-late: a source beyond a network, which wants each row to be asked for twice ---- */

#define LATE_ROWS 9 /* more than tries in all */

typedef struct
{
  gint64 row;
  gboolean asked;
} Late;

static gboolean
late_open (gpointer self, TallyContext *ctx, GError **error)
{
  *(Late *) self = (Late) { 0 };
  return TRUE;
}

static TallySchema *
late_describe (gpointer self, TallyContext *ctx, GError **error)
{
  static const TallyColumn columns[] = { { "word", TALLY_TYPE_TEXT }, { "n", TALLY_TYPE_BIGINT } };

  return tally_schema_new (columns, 2);
}

static TallyFlow
late_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  Late *late = self;
  g_autofree char *word = NULL;

  late->asked = !late->asked;
  if (late->asked)
    {
      tally_throw (error, TALLY_ERROR_NETWORK, "not yet");
      return TALLY_FLOW_RETRY;
    }
  word = g_strdup_printf ("%" G_GINT64_FORMAT, ++late->row);
  tally_batch_set_origin (out, "late");
  tally_batch_add_row (out);
  tally_batch_set_row_number (out, 0, late->row);
  tally_batch_set_text (out, 0, word, strlen (word));
  tally_batch_set_int (out, 1, late->row);
  return late->row < LATE_ROWS ? TALLY_FLOW_OK : TALLY_FLOW_END;
}

static const TallyPlugin late = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "shout-late",
  .summary = "The words 1 to 9, each at the second call",
  .instance_size = sizeof (Late),
  .open = late_open,
  .describe = late_describe,
  .read = late_read,
};

/* ---- shout-begged: a source that wants to be left alone for a moment, and says for how long ---- */

#define BEGGED_CALLS 40 /* more than tries in all */

typedef struct
{
  guint calls;
} Begged;

static TallySchema *
begged_describe (gpointer self, TallyContext *ctx, GError **error)
{
  static const TallyColumn columns[] = { { "word", TALLY_TYPE_TEXT } };

  return tally_schema_new (columns, 1);
}

static TallyFlow
begged_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  Begged *begged = self;

  if (++begged->calls < BEGGED_CALLS)
    {
      tally_context_ask_patience (ctx, 1000);
      tally_throw (error, TALLY_ERROR_NETWORK, "not yet");
      return TALLY_FLOW_RETRY;
    }
  tally_batch_set_origin (out, "begged");
  tally_batch_add_row (out);
  tally_batch_set_text (out, 0, "at last", 7);
  return TALLY_FLOW_END;
}

static const TallyPlugin begged = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "shout-begged",
  .summary = "One row, after forty calls",
  .flags = TALLY_PLUGIN_LOCAL,
  .instance_size = sizeof (Begged),
  .describe = begged_describe,
  .read = begged_read,
};

/* ---- shout-mute: a source that has nothing to say until it is interrupted ---- */

typedef struct
{
  char *bell;       /* option */
  gint interrupted; /* atomic */
} Mute;

static gboolean
mute_open (gpointer self, TallyContext *ctx, GError **error)
{
  return TRUE;
}

/* Says to whoever listens that it is being read. */
static gboolean
ring (const Mute *mute)
{
  int bell = mute->bell != NULL ? open (mute->bell, O_WRONLY | O_CLOEXEC) : -1;
  gboolean rung = mute->bell == NULL || (bell >= 0 && write (bell, "!", 1) == 1);

  if (bell >= 0)
    close (bell);
  return rung;
}

static TallyFlow
mute_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  Mute *mute = self;

  if (!ring (mute))
    {
      tally_throw (error, TALLY_ERROR_IO, "could not ring \"%s\": %s", mute->bell, g_strerror (errno));
      return TALLY_FLOW_FATAL;
    }
  while (!g_atomic_int_get (&mute->interrupted))
    g_usleep (G_USEC_PER_SEC / 100);
  tally_throw (error, TALLY_ERROR_INTERRUPTED, "interrupted");
  return TALLY_FLOW_FATAL;
}

static void
mute_interrupt (gpointer self)
{
  g_atomic_int_set (&((Mute *) self)->interrupted, TRUE);
}

static const TallyOption mute_options[] = {
  { .name = "bell",
    .type = TALLY_OPTION_TEXT,
    .offset = G_STRUCT_OFFSET (Mute, bell),
    .summary = "FIFO that gets a byte when it is read" },
  { 0 },
};

static const TallyPlugin mute = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "shout-mute",
  .summary = "Nothing, until it is interrupted",
  .instance_size = sizeof (Mute),
  .options = mute_options,
  .open = mute_open,
  .describe = late_describe,
  .read = mute_read,
  .interrupt = mute_interrupt,
};

/* ---- shout-receipt: a source that says what it was told is durable ---- */

typedef struct
{
  gint64 rows;   /* option */
  gboolean deaf; /* option */
  gint64 skip;   /* option */
  gint64 row;
} Receipt;

static gboolean
receipt_open (gpointer self, TallyContext *ctx, GError **error)
{
  const char *position = tally_context_position (ctx);

  ((Receipt *) self)->row = position != NULL ? g_ascii_strtoll (position, NULL, 10) : 0;
  return TRUE;
}

static TallyFlow
receipt_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  Receipt *receipt = self;
  g_autofree char *word = NULL;

  if (receipt->row >= receipt->rows)
    return TALLY_FLOW_END;
  word = g_strdup_printf ("%" G_GINT64_FORMAT, ++receipt->row);
  tally_batch_set_origin (out, "receipt");
  tally_batch_add_row (out);
  tally_batch_set_text (out, 0, word, strlen (word));
  tally_batch_set_position (out, word);
  return TALLY_FLOW_OK;
}

static gboolean
receipt_acknowledge (gpointer self, TallyContext *ctx, const char *position, GError **error)
{
  Receipt *receipt = self;

  if (receipt->deaf)
    return tally_throw (error, TALLY_ERROR_NETWORK, "nobody hears");
  tally_context_warn (ctx, "heard of %s", position);
  if (receipt->skip > 0)
    {
      g_autofree char *moved = g_strdup_printf ("%" G_GINT64_FORMAT, g_ascii_strtoll (position, NULL, 10) + receipt->skip);

      tally_context_move_position (ctx, moved);
    }
  return TRUE;
}

static const TallyOption receipt_options[] = {
  { .name = "rows", .type = TALLY_OPTION_INT, .fallback = "5", .min = 0, .max = 1000, .offset = G_STRUCT_OFFSET (Receipt, rows),
    .summary = "The last word" },
  { .name = "deaf", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (Receipt, deaf), .summary = "Whether it hears nothing" },
  { .name = "skip", .type = TALLY_OPTION_INT, .fallback = "0", .min = 0, .max = 1000, .offset = G_STRUCT_OFFSET (Receipt, skip),
    .summary = "So many words it leaves out once it has heard" },
  { 0 },
};

static const TallyPlugin receipt = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "shout-receipt",
  .summary = "The numbers from 1, and what is durable of them",
  .flags = TALLY_PLUGIN_KEEPS_POSITION,
  .instance_size = sizeof (Receipt),
  .options = receipt_options,
  .open = receipt_open,
  .describe = begged_describe,
  .read = receipt_read,
  .acknowledge = receipt_acknowledge,
};

TALLY_REGISTER (&shout, &echo, &busy, &letter, &far, &late, &begged, &mute, &later, &receipt);
