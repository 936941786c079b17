/* checkpoint.c: a checkpoint as a JSON object */
#include "checkpoint.h"
#include "record/batch-private.h"
#include <json-c/json.h>
#include <string.h>
#include <tallyman/error.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

static const struct
{
  const char *name;
  gsize offset;
} reject_members[] = {
  { "origin", G_STRUCT_OFFSET (TallyReject, origin) },
  { "stage", G_STRUCT_OFFSET (TallyReject, stage) },
  { "reason", G_STRUCT_OFFSET (TallyReject, reason) },
  { "record", G_STRUCT_OFFSET (TallyReject, record) },
};

void
tally_checkpoint_clear (TallyCheckpoint *checkpoint)
{
  g_clear_pointer (&checkpoint->position, g_free);
  g_clear_pointer (&checkpoint->rejects, g_array_unref);
}

/* A file's name and a server's words may be any bytes, and JSON is UTF-8. */
static json_object *
new_text (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  return json_object_new_string (valid);
}

static json_object *
format_reject (const TallyReject *reject)
{
  json_object *object = json_object_new_object ();

  for (guint i = 0; i < G_N_ELEMENTS (reject_members); i++)
    json_object_object_add (
        object, reject_members[i].name,
        new_text (G_STRUCT_MEMBER (char *, reject, reject_members[i].offset)));
  return object;
}

char *
tally_checkpoint_format (const TallyCheckpoint *checkpoint)
{
  g_autoptr (json_object) object = json_object_new_object ();
  json_object *rejects = json_object_new_array ();

  for (guint i = 0; i < checkpoint->rejects->len; i++)
    json_object_array_add (rejects,
                           format_reject (&g_array_index (checkpoint->rejects, TallyReject, i)));
  json_object_object_add (object, "pass", json_object_new_int64 (checkpoint->pass));
  json_object_object_add (object, "run", json_object_new_int64 (checkpoint->run));
  json_object_object_add (
      object, "position",
      checkpoint->position != NULL ? json_object_new_string (checkpoint->position) : NULL);
  json_object_object_add (object, "complete", json_object_new_boolean (checkpoint->complete));
  json_object_object_add (object, "rejects_before",
                          json_object_new_int64 ((gint64)checkpoint->n_rejects_before));
  json_object_object_add (object, "rejects", rejects);
  return g_strdup (json_object_to_json_string_ext (object, JSON_C_TO_STRING_PLAIN));
}

static json_object *
member (json_object *object, const char *name, json_type type)
{
  json_object *value = NULL;

  json_object_object_get_ex (object, name, &value);
  return json_object_is_type (value, type) ? value : NULL;
}

static gboolean
parse_reject (json_object *object, TallyReject *ret_reject)
{
  for (guint i = 0; i < G_N_ELEMENTS (reject_members); i++)
    {
      json_object *value = member (object, reject_members[i].name, json_type_string);

      if (value == NULL)
        return FALSE;
      G_STRUCT_MEMBER (char *, ret_reject, reject_members[i].offset)
          = g_strdup (json_object_get_string (value));
    }
  return TRUE;
}

static gboolean
parse_object (json_object *object, TallyCheckpoint *checkpoint)
{
  json_object *pass = member (object, "pass", json_type_int), *run = member (object, "run", json_type_int);
  json_object *position = member (object, "position", json_type_string);
  json_object *complete = member (object, "complete", json_type_boolean);
  json_object *before = member (object, "rejects_before", json_type_int);
  json_object *rejects = member (object, "rejects", json_type_array);

  if (pass == NULL || run == NULL || complete == NULL || before == NULL || rejects == NULL)
    return FALSE;

  checkpoint->pass = json_object_get_int64 (pass);
  checkpoint->run = json_object_get_int64 (run);
  checkpoint->position = g_strdup (json_object_get_string (position));
  checkpoint->complete = json_object_get_boolean (complete);
  checkpoint->n_rejects_before = json_object_get_uint64 (before);
  for (gsize i = 0; i < json_object_array_length (rejects); i++)
    {
      TallyReject reject = { 0 };
      gboolean good = parse_reject (json_object_array_get_idx (rejects, i), &reject);

      g_array_append_val (checkpoint->rejects, reject);
      if (!good)
        return FALSE;
    }
  return TRUE;
}

gboolean
tally_checkpoint_parse (const char *text, TallyCheckpoint *ret_checkpoint, GError **error)
{
  g_autoptr (json_object) object = json_tokener_parse (text);

  *ret_checkpoint
      = (TallyCheckpoint){ .rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject)) };
  g_array_set_clear_func (ret_checkpoint->rejects, tally_reject_clear);
  if (parse_object (object, ret_checkpoint))
    return TRUE;
  tally_checkpoint_clear (ret_checkpoint);
  return tally_throw (error, TALLY_ERROR_DATA, "the checkpoint that the sink kept is none");
}
