/* desk.c: the sink on a bench of its own */
#include "desk.h"
#include "plugins.h"
#include "promise.h"

#include <string.h>

/* No test waits longer for anything. */
#define PATIENCE (20 * G_USEC_PER_SEC)

const TallyPlugin *const *tallyman_plugins (void);

/* --- the core's functions that the sink calls --- */

const char *
tally_delivery_key (const TallyDelivery *delivery)
{
  return delivery->key;
}

const char *
tally_delivery_reference (const TallyDelivery *delivery)
{
  return delivery->reference;
}

TallyText
tally_delivery_body (const TallyDelivery *delivery)
{
  return (TallyText){ delivery->body->str, delivery->body->len };
}

const char *
tally_delivery_target_id (const TallyDelivery *delivery)
{
  return delivery->updates;
}

void
tally_delivery_set_receipt (TallyDelivery *delivery, const char *receipt)
{
  g_free (delivery->receipt);
  delivery->receipt = g_strdup (receipt);
}

const char *
tally_delivery_receipt (const TallyDelivery *delivery)
{
  return delivery->receipt;
}

gint64
tally_delivery_intended_at (const TallyDelivery *delivery)
{
  return delivery->intended_at;
}

gboolean
tally_delivery_is_first_look (const TallyDelivery *delivery)
{
  return delivery->is_first_look;
}

gint64
tally_delivery_sent_at (const TallyDelivery *delivery)
{
  return delivery->sent_at;
}

gboolean
tally_delivery_may_send (const TallyDelivery *delivery)
{
  return !delivery->barred;
}

void
tally_delivery_settle (TallyDelivery *delivery, const TallyOutcome *outcome)
{
  delivery->settled++;
  delivery->verdict = outcome->verdict;
  delivery->status = outcome->status;
  delivery->target_id = g_strdup (outcome->target_id);
  delivery->other_ids = g_strdup (outcome->other_ids);
  delivery->detail = g_strdup (outcome->detail);
  delivery->repeated = outcome->repeated;
  delivery->wait = outcome->wait;
  delivery->wait_all = outcome->wait_all;
  delivery->adopted = outcome->adopted;
}

const char *
tally_context_directory (TallyContext *ctx)
{
  return ctx->directory != NULL ? ctx->directory : "/";
}

const char *
tally_context_run_tag (TallyContext *ctx)
{
  return "run-1";
}

gboolean
tally_context_is_interrupted (TallyContext *ctx)
{
  return ctx->interrupted;
}

void
tally_context_warn (TallyContext *ctx, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (ctx->warnings, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/* "warning: the clocks …": beside the warnings. */
void
tally_context_tell (TallyContext *ctx, TallyFinding finding, const char *remedy, const char *format, ...)
{
  static const char *const words[] = { "ok", "warning", "problem" };
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_string_append_printf (ctx->told, "%s: %s\n", words[finding], message);
}

void
tally_context_set_target (TallyContext *ctx, const char *fingerprint)
{
  g_free (ctx->target);
  ctx->target = g_strdup (fingerprint);
}

void
tally_context_report_target_time (TallyContext *ctx, gint64 unix_time)
{
  ctx->target_time = unix_time;
}

void
tally_context_set_account (TallyContext *ctx, const char *account, const guint8 *reserve)
{
  ctx->reserve = reserve[0];
}

TallyAdmission *
tally_context_admit (TallyContext *ctx, const char *kind, gint64 *ret_wait)
{
  if (ctx->closed != NULL && ctx->n_refusals > 0 && g_str_has_prefix (kind, ctx->closed))
    {
      ctx->n_refusals--;
      *ret_wait = G_USEC_PER_SEC / 1000;
      return NULL;
    }
  ctx->n_admitted++;
  ctx->n_files += g_str_equal (kind, "GET /attachments") ? 1 : 0;
  return (TallyAdmission *) g_strdup (kind);
}

void
tally_context_end_request (TallyContext *ctx, TallyAdmission *admission, const TallyAnswerNews *news)
{
  g_free (admission);
  ctx->n_ended++;
  if (news != NULL)
    ctx->news = *news;
}

/* --- the sink --- */

void
desk_delivery_free (gpointer data)
{
  TallyDelivery *delivery = data;

  g_free (delivery->key);
  g_free (delivery->reference);
  g_string_free (delivery->body, TRUE);
  g_free (delivery->receipt);
  g_free (delivery->updates);
  g_free (delivery->target_id);
  g_free (delivery->other_ids);
  g_free (delivery->detail);
  g_free (delivery);
}

static gint
find_choice (const char *const *choices, const char *value)
{
  for (gint i = 0; choices[i] != NULL; i++)
    if (g_str_equal (choices[i], value))
      return i;
  g_error ("\"%s\" is no choice", value);
}

static gint64
read_duration (const char *value)
{
  char *end;
  gint64 number = g_ascii_strtoll (value, &end, 10);

  return number * (g_str_equal (end, "ms") ? 1000 : G_USEC_PER_SEC);
}

static void
append_word (char ***list, const char *word)
{
  guint n = *list != NULL ? g_strv_length (*list) : 0;

  *list = g_renew (char *, *list, n + 2);
  (*list)[n] = g_strdup (word);
  (*list)[n + 1] = NULL;
}

static void
set_option (gpointer sink, const TallyOption *option, const char *value)
{
  gpointer field = G_STRUCT_MEMBER_P (sink, option->offset);

  switch (option->type)
    {
    case TALLY_OPTION_TEXT:
    case TALLY_OPTION_SECRET:
      g_free (*(char **) field);
      *(char **) field = g_strdup (value);
      break;
    case TALLY_OPTION_DURATION:
      *(gint64 *) field = read_duration (value);
      break;
    case TALLY_OPTION_INT:
      *(gint64 *) field = g_ascii_strtoll (value, NULL, 10);
      break;
    case TALLY_OPTION_SIZE:
      *(gint64 *) field = g_ascii_strtoll (value, NULL, 10) * (g_str_has_suffix (value, "MiB") ? 1 << 20 : 1);
      break;
    case TALLY_OPTION_BOOL:
      *(gboolean *) field = g_str_equal (value, "true");
      break;
    case TALLY_OPTION_CHOICE:
      *(gint *) field = find_choice (option->choices, value);
      break;
    case TALLY_OPTION_LIST:
      append_word (field, value);
      break;
    default:
      g_error ("option \"%s\" has a type that no test needs", option->name);
    }
}

void
desk_set (Desk *desk, const char *name, const char *value)
{
  if (name == NULL)
    return;
  for (const TallyOption *option = desk->plugin->options; option->name != NULL; option++)
    if (g_str_equal (option->name, name))
      {
        set_option (desk->sink, option, value);
        return;
      }
  g_error ("there is no option \"%s\"", name);
}

static const TallyPlugin *
find_plugin (const char *name)
{
  for (const TallyPlugin *const *plugin = tallyman_plugins (); *plugin != NULL; plugin++)
    if (g_str_equal ((*plugin)->name, name))
      return *plugin;
  g_error ("there is no plugin \"%s\"", name);
}

static Desk *
desk_begin (const char *plugin)
{
  Desk *desk = g_new0 (Desk, 1);

  desk->plugin = find_plugin (plugin);
  desk->sink = g_malloc0 (desk->plugin->instance_size);
  desk->ctx.warnings = g_ptr_array_new_with_free_func (g_free);
  desk->ctx.told = g_string_new (NULL);
  desk->deliveries = g_ptr_array_new_with_free_func (desk_delivery_free);
  for (const TallyOption *option = desk->plugin->options; option->name != NULL; option++)
    if (option->fallback != NULL)
      set_option (desk->sink, option, option->fallback);
  return desk;
}

static void
set_all (Desk *desk, const char *name, va_list arguments)
{
  for (; name != NULL; name = va_arg (arguments, const char *))
    desk_set (desk, name, va_arg (arguments, const char *));
}

Desk *
desk_new (const char *name, ...)
{
  Desk *desk = desk_begin ("zendesk-tickets");
  va_list arguments;

  va_start (arguments, name);
  set_all (desk, name, arguments);
  va_end (arguments);
  return desk;
}

Desk *
desk_new_for (const char *plugin, const char *name, ...)
{
  Desk *desk = desk_begin (plugin);
  va_list arguments;

  va_start (arguments, name);
  set_all (desk, name, arguments);
  va_end (arguments);
  return desk;
}

static void
free_options (Desk *desk)
{
  for (const TallyOption *option = desk->plugin->options; option->name != NULL; option++)
    {
      gpointer field = G_STRUCT_MEMBER_P (desk->sink, option->offset);

      if (option->type == TALLY_OPTION_LIST)
        g_strfreev (*(char ***) field);
      else if (option->type == TALLY_OPTION_TEXT || option->type == TALLY_OPTION_SECRET)
        g_free (*(char **) field);
    }
}

void
desk_close (Desk *desk)
{
  desk->plugin->close (desk->sink);
}

void
desk_free (Desk *desk)
{
  desk_close (desk);
  free_options (desk);
  g_free (desk->sink);
  tally_batch_free (desk->batch);
  tally_schema_unref (desk->schema);
  g_free (desk->ctx.target);
  g_free (desk->ctx.directory);
  g_ptr_array_unref (desk->ctx.warnings);
  g_string_free (desk->ctx.told, TRUE);
  g_ptr_array_unref (desk->deliveries);
  g_free (desk);
}

gboolean
desk_check (Desk *desk, GError **error)
{
  return desk->plugin->check (desk->sink, error);
}

gboolean
desk_accept (Desk *desk, const char *columns, GError **error)
{
  g_auto (GStrv) list = g_strsplit (columns, ", ", -1);
  g_autofree TallyColumn *all = g_new0 (TallyColumn, g_strv_length (list));
  guint n = 0;

  for (; list[n] != NULL; n++)
    {
      char *blank = strrchr (list[n], ' ');

      *blank = '\0';
      if (!tally_type_from_name (blank + 1, &all[n].type))
        g_error ("\"%s\" is no type", blank + 1);
      all[n].name = list[n];
    }
  g_clear_pointer (&desk->batch, tally_batch_free);
  g_clear_pointer (&desk->schema, tally_schema_unref);
  desk->schema = tally_schema_new (all, n);
  desk->batch = tally_batch_new (desk->schema, 64);
  return desk->plugin->accept (desk->sink, desk->schema, error);
}

gboolean
desk_open (Desk *desk, GError **error)
{
  return desk->plugin->open (desk->sink, &desk->ctx, error);
}

void
desk_add_row (Desk *desk, const char *const *values)
{
  tally_batch_add_row (desk->batch);
  for (guint i = 0; i < tally_schema_n_columns (desk->schema); i++)
    {
      g_autoptr (GError) error = NULL;

      if (values[i] == NULL)
        continue;
      if (tally_schema_column (desk->schema, i)->type == TALLY_TYPE_JSONB)
        tally_batch_set_text (desk->batch, i, values[i], strlen (values[i]));
      else
        tally_batch_set_from_text (desk->batch, i, values[i], strlen (values[i]), &error);
      assert_no_error (error);
    }
}

char *
desk_render (Desk *desk, guint row, const char *reference, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (!desk->plugin->delivery->render (desk->sink, &desk->ctx, desk->batch, row, reference, out, error))
    return NULL;
  return g_strdup (out->str);
}

char *
desk_render_update (Desk *desk, guint row, const char *reference, const char *target_id, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (!desk->plugin->delivery->render_update (desk->sink, &desk->ctx, desk->batch, row, reference, target_id, out, error))
    return NULL;
  return g_strdup (out->str);
}

static TallyDelivery *
delivery_new (Desk *desk, const char *key, const char *reference, const char *body)
{
  TallyDelivery *delivery = g_new0 (TallyDelivery, 1);

  delivery->key = g_strdup (key);
  delivery->reference = g_strdup (reference);
  delivery->body = g_string_new (body);
  g_ptr_array_add (desk->deliveries, delivery);
  return delivery;
}

TallyDelivery *
desk_send (Desk *desk, const char *key, const char *reference, const char *body)
{
  TallyDelivery *delivery = delivery_new (desk, key, reference, body);

  desk->plugin->delivery->send (desk->sink, &desk->ctx, delivery);
  return delivery;
}

TallyDelivery *
desk_send_update (Desk *desk, const char *key, const char *reference, const char *target_id, const char *body)
{
  TallyDelivery *delivery = delivery_new (desk, key, reference, body);

  delivery->updates = g_strdup (target_id);
  desk->plugin->delivery->send (desk->sink, &desk->ctx, delivery);
  return delivery;
}

TallyDelivery *
desk_resolve (Desk *desk, const char *key, const char *reference, const char *body)
{
  TallyDelivery *delivery = delivery_new (desk, key, reference, body);

  desk->plugin->delivery->resolve (desk->sink, &desk->ctx, delivery);
  return delivery;
}

TallyDelivery *
desk_resolve_sent (Desk *desk, const char *reference, const char *body, const char *receipt, gint64 sent_at)
{
  TallyDelivery *delivery = delivery_new (desk, "k", reference, body);

  delivery->receipt = g_strdup (receipt);
  delivery->sent_at = sent_at;
  desk->plugin->delivery->resolve (desk->sink, &desk->ctx, delivery);
  return delivery;
}

TallyDelivery *
desk_take_delivery (Desk *desk, guint i)
{
  return g_ptr_array_steal_index (desk->deliveries, i);
}

static gboolean
is_done (const Desk *desk)
{
  for (guint i = 0; i < desk->deliveries->len; i++)
    if (((TallyDelivery *) desk->deliveries->pdata[i])->settled == 0)
      return FALSE;
  return TRUE;
}

void
desk_finish (Desk *desk)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;
  g_autoptr (GError) error = NULL;

  while (!is_done (desk) && error == NULL && g_get_monotonic_time () < end)
    desk->plugin->delivery->drive (desk->sink, &desk->ctx, G_USEC_PER_SEC, &error);
  assert_no_error (error);
  assert_true (is_done (desk));
  for (guint i = 0; i < desk->deliveries->len; i++)
    assert_int (((TallyDelivery *) desk->deliveries->pdata[i])->settled, 1);
}
