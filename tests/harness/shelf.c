/* shelf: a delivering sink whose target is a file, for tests that run the whole program
 *
 * Each line of the file is a state of an entity: its id, when it was put there, its reference and its text,
 * with tabs between.  The last state of an id counts.  shelf-blind is the same target, but its sink can neither
 * update nor list what is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <tallyman/plugin.h>
#include <unistd.h>

typedef struct
{
  char *path;     /* option */
  gint subject;   /* option */
  gint64 answers; /* option */
  gint64 n_sent;
} Shelf;

/* ---- The target ---- */

typedef struct
{
  gint64 id, at;
  char *reference;
} Entity;

static void
entity_clear (gpointer data)
{
  g_free (((Entity *) data)->reference);
}

/* In the order of their ids; at is when each changed last. */
static GArray *
shelf_read (const Shelf *shelf)
{
  GArray *entities = g_array_new (FALSE, TRUE, sizeof (Entity));
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_array_set_clear_func (entities, entity_clear);
  if (!g_file_get_contents (shelf->path, &text, NULL, NULL))
    return entities;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) fields = g_strsplit (*line, "\t", 4);
      Entity *entity;
      gint64 id;

      if (g_strv_length (fields) < 4)
        continue;
      id = g_ascii_strtoll (fields[0], NULL, 10);
      if (id > entities->len)
        g_array_set_size (entities, (guint) id);
      entity = &g_array_index (entities, Entity, id - 1);
      entity->id = id;
      entity->at = g_ascii_strtoll (fields[1], NULL, 10);
      g_free (entity->reference);
      entity->reference = g_strdup (fields[2]);
    }
  return entities;
}

static void
shelf_put (const Shelf *shelf, gint64 id, const char *reference, TallyText body)
{
  g_autofree char *line = g_strdup_printf ("%" G_GINT64_FORMAT "\t%" G_GINT64_FORMAT "\t%s\t%.*s\n", id,
                                           g_get_real_time (), reference, (int) body.length, body.data);
  int fd = open (shelf->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  if (fd < 0 || write (fd, line, strlen (line)) != (ssize_t) strlen (line))
    g_error ("shelf: %s: %s", shelf->path, g_strerror (errno));
  close (fd);
}

/* ---- The sink ---- */

static gboolean
shelf_open (gpointer self, TallyContext *ctx, GError **error)
{
  tally_context_set_target (ctx, "the shelf");
  return TRUE;
}

static void
shelf_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  ret_profile->entity = "book";
  ret_profile->can_resolve = TRUE;
  ret_profile->max_in_flight = 4;
}

static gboolean
shelf_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row, const char *reference,
              GString *ret_body, GError **error)
{
  const Shelf *shelf = self;
  TallyText subject = { "", 0 };

  if (!tally_batch_is_null (batch, row, shelf->subject))
    subject = tally_batch_get_text (batch, row, shelf->subject);
  if (subject.length == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "a book needs a subject");
  g_string_append_len (ret_body, subject.data, (gssize) subject.length);
  return TRUE;
}

/* Of "same" nothing is sent. */
static gboolean
shelf_render_update (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row, const char *reference,
                     const char *target_id, GString *ret_body, GError **error)
{
  if (!shelf_render (self, ctx, batch, row, reference, ret_body, error))
    return FALSE;
  if (g_str_equal (ret_body->str, "same"))
    g_string_truncate (ret_body, 0);
  return TRUE;
}

static void
shelf_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  Shelf *shelf = self;
  const char *known = tally_delivery_target_id (delivery), *reference = tally_delivery_reference (delivery);
  TallyText body = tally_delivery_body (delivery);
  TallyOutcome outcome = { TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_DELIVERED };
  g_autoptr (GArray) entities = shelf_read (shelf);
  g_autofree char *id = known != NULL ? g_strdup (known) : g_strdup_printf ("%u", entities->len + 1);

  if (body.length >= 3 && memcmp (body.data, "bad", 3) == 0)
    outcome = (TallyOutcome){ TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_REJECTED, .detail = "a bad book" };
  else
    shelf_put (shelf, g_ascii_strtoll (id, NULL, 10), reference, body);
  outcome.target_id = outcome.verdict == TALLY_VERDICT_DELIVERED ? id : NULL;
  if (shelf->answers >= 0 && ++shelf->n_sent > shelf->answers)
    outcome = (TallyOutcome){ TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_UNKNOWN };
  tally_delivery_settle (delivery, &outcome);
}

static void
shelf_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  g_autoptr (GArray) entities = shelf_read (self);
  TallyOutcome outcome = { TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_ABSENT };
  g_autofree char *id = NULL;

  for (guint i = 0; i < entities->len && id == NULL; i++)
    if (g_strcmp0 (g_array_index (entities, Entity, i).reference, tally_delivery_reference (delivery)) == 0)
      id = g_strdup_printf ("%u", i + 1);
  if (id != NULL)
    outcome.verdict = TALLY_VERDICT_DELIVERED;
  outcome.target_id = id;
  tally_delivery_settle (delivery, &outcome);
}

static gboolean
shelf_survey (gpointer self, TallyContext *ctx, gint64 since, TallySurveyed found, gpointer data, GError **error)
{
  g_autoptr (GArray) entities = shelf_read (self);

  for (guint i = 0; i < entities->len; i++)
    {
      const Entity *entity = &g_array_index (entities, Entity, i);
      g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, entity->id);

      if (entity->reference != NULL && entity->at >= since)
        found (entity->reference, id, data);
    }
  return TRUE;
}

static const TallyOption options[] = {
  { .name = "path",
    .type = TALLY_OPTION_TEXT,
    .flags = TALLY_OPTION_REQUIRED,
    .offset = G_STRUCT_OFFSET (Shelf, path),
    .summary = "File with what is on the shelf" },
  { .name = "subject",
    .type = TALLY_OPTION_EXPRESSION,
    .flags = TALLY_OPTION_REQUIRED,
    .offset = G_STRUCT_OFFSET (Shelf, subject),
    .summary = "What a book says",
    .example = "subject" },
  { .name = "answers",
    .type = TALLY_OPTION_INT,
    .fallback = "-1",
    .min = -1,
    .max = 1000000,
    .offset = G_STRUCT_OFFSET (Shelf, answers),
    .summary = "Answers that are not lost; -1: all" },
  { 0 },
};

static const TallyDeliverySink shelf_delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = shelf_profile,
  .render = shelf_render,
  .send = shelf_send,
  .resolve = shelf_resolve,
  .render_update = shelf_render_update,
  .survey = shelf_survey,
};

static const TallyPlugin shelf = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "shelf",
  .summary = "Books on a shelf",
  .instance_size = sizeof (Shelf),
  .options = options,
  .open = shelf_open,
  .delivery = &shelf_delivery,
};

static const TallyDeliverySink blind_delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = shelf_profile,
  .render = shelf_render,
  .send = shelf_send,
  .resolve = shelf_resolve,
};

static const TallyPlugin blind = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "shelf-blind",
  .summary = "The same, without updates and lists",
  .instance_size = sizeof (Shelf),
  .options = options,
  .open = shelf_open,
  .delivery = &blind_delivery,
};

TALLY_REGISTER (&shelf, &blind);
