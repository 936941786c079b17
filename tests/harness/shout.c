/* shout: a transform and two sinks that tests look at from outside
 *
 * A shared object may hold several plugins; these are found by the first word of their names.
 */
#include <string.h>
#include <tallyman/plugin.h>

/* ---- shout: upper case; a row that is empty is rejected ---- */

typedef struct
{
  gint column; /* found by accept() */
} Shout;

static gboolean
shout_accept (gpointer self, TallySchema *schema, GError **error)
{
  Shout *shout = self;

  shout->column = tally_schema_find (schema, "word");
  return shout->column >= 0
         || tally_throw (error, TALLY_ERROR_USAGE,
                         "there is no column \"word\"; did you mean \"%s\"?",
                         tally_schema_nearest (schema, "word"));
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

TALLY_REGISTER (&shout, &busy, &letter);
