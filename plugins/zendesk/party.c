/* party.c: what the sinks of users and organizations do without a network */
#include "party.h"
#include "belongings.h"
#include "errand.h"
#include "text.h"
#include "values.h"
#include "writer.h"

#include <string.h>

static const struct
{
  const char *word;
  ZendeskAdopt bit;
} adopt_words[] = { { "email", ZENDESK_ADOPT_EMAIL }, { "name", ZENDESK_ADOPT_NAME } };

static guint
adopt_bits (char **words)
{
  guint bits = 0;

  for (guint i = 0; words != NULL && i < G_N_ELEMENTS (adopt_words); i++)
    if (g_strv_contains ((const char *const *) words, adopt_words[i].word))
      bits |= adopt_words[i].bit;
  return bits;
}

gboolean
zendesk_party_check (ZendeskPartySink *sink, const char *const *adoptable, GError **error)
{
  g_autofree char *known = g_strjoinv (", ", (char **) adoptable);

  for (guint i = 0; sink->adopt != NULL && sink->adopt[i] != NULL; i++)
    if (!g_strv_contains (adoptable, sink->adopt[i]))
      return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" in \"adopt\" is none of: %s", sink->adopt[i], known);
  return zendesk_account_check (&sink->account, error);
}

gboolean
zendesk_party_accept (ZendeskPartySink *sink, const ZendeskPartyKind *kind, TallySchema *schema, GError **error)
{
  sink->kind = kind;
  sink->adopts = adopt_bits (sink->adopt);
  return zendesk_plan_accept (&sink->plan, kind->table, ZENDESK_MODE_CREATE, schema, (const char *const *) sink->ignore,
                              error);
}

void
zendesk_party_profile (const ZendeskPartySink *sink, const char *entity, TallyDeliveryProfile *ret_profile)
{
  ret_profile->entity = entity;
  ret_profile->key_life = 0;
  ret_profile->settle = ZENDESK_MINUTE;
  ret_profile->in_flight = TALLY_IN_FLIGHT_DUPLICATES;
  ret_profile->can_resolve = TRUE;
  zendesk_bulk_profile (sink->in_bulk, ret_profile);
}

static gboolean
read_fields (ZendeskPartySink *sink, GError **error)
{
  const ZendeskTable *table = sink->kind->table;
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/%s.json", table->fields);
  g_autofree char *what = g_strdup_printf ("the %ss", table->field);
  g_auto (ZendeskReply) reply = { 0 };

  if (!zendesk_account_get (&sink->account, path, what, &reply, error))
    return FALSE;
  sink->fields = zendesk_fields_parse (table, reply.body, reply.length, error);
  return sink->fields != NULL && zendesk_fields_resolve (sink->fields, &sink->plan, error);
}

/* What an earlier run sent in bulk is asked for whether or not this one does. */
static void
open_jobs (ZendeskPartySink *sink)
{
  const ZendeskBulkConfig bulk = { .path = sink->kind->many,
                                   .entity = sink->kind->entity,
                                   .single = zendesk_party_send_single };
  const ZendeskJobsConfig jobs = { .entity = sink->kind->entity,
                                   .path = sink->kind->path,
                                   .longest = sink->job_time,
                                   .told = zendesk_party_told };

  sink->jobs = zendesk_jobs_new (&sink->account, &jobs);
  if (sink->in_bulk)
    sink->bulk = zendesk_bulk_new (&sink->account, sink->jobs, &bulk);
}

gboolean
zendesk_party_open (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskPartySink *sink = self;
  g_autofree char *target = NULL;

  sink->errands = g_ptr_array_new ();
  sink->claims = zendesk_claims_new ();
  sink->alone = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  sink->planned = (ZendeskBulkPlan){ 0 };
  open_jobs (sink);
  if (!zendesk_account_open (&sink->account, ctx, &target, error))
    return FALSE;
  tally_context_set_target (ctx, target);
  return sink->plan.n_custom == 0 || read_fields (sink, error);
}

gboolean
zendesk_party_probe (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskPartySink *sink = self;

  if (!zendesk_account_probe (&sink->account, error))
    return FALSE;
  if (sink->plan.n_custom > 0)
    tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "the account has the %u fields that columns are for", (guint) sink->plan.n_custom);
  return TRUE;
}

void
zendesk_party_interrupt (gpointer self)
{
  ZendeskPartySink *sink = self;

  zendesk_account_interrupt (&sink->account);
}

void
zendesk_party_close (gpointer self)
{
  ZendeskPartySink *sink = self;

  g_clear_pointer (&sink->bulk, zendesk_bulk_free);
  g_clear_pointer (&sink->jobs, zendesk_jobs_free);
  zendesk_errands_drop (sink->errands);
  zendesk_account_close (&sink->account);
  g_clear_pointer (&sink->errands, g_ptr_array_unref);
  g_clear_pointer (&sink->claims, zendesk_claims_free);
  g_clear_pointer (&sink->alone, g_hash_table_unref);
  g_clear_pointer (&sink->fields, g_ptr_array_unref);
}

/* --- the request --- */

void
zendesk_party_mark (const ZendeskPartySink *sink, GString *request)
{
  gboolean is_one = zendesk_stored_request ((TallyText){ request->str, request->len }).length == request->len;

  if (sink->in_bulk && is_one && !zendesk_party_looks_first (sink))
    zendesk_bulk_mark (request);
}

static gboolean
append_fields (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, ZendeskWriter *writer, GError **error)
{
  const ZendeskTable *table = sink->kind->table;
  gboolean first = TRUE;

  for (guint i = 0; i < sink->plan.n_custom; i++)
    {
      const ZendeskCustomColumn *column = &sink->plan.custom[i];
      g_autofree char *name = g_strconcat (table->custom_prefix, column->name, NULL);

      if (tally_batch_is_null (batch, row, column->column))
        continue;
      if (first)
        zendesk_writer_begin (writer, table->fields);
      g_string_append_c (writer->out, first ? '{' : ',');
      first = FALSE;
      zendesk_append_string (column->name, writer->out);
      g_string_append_c (writer->out, ':');
      if (!zendesk_field_render (sink->fields->pdata[column->field], batch, row, column, writer->out, error))
        return tally_throw_prefix (error, "%s", name);
    }
  if (!first)
    g_string_append_c (writer->out, '}');
  return TRUE;
}

static gboolean
append_members (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, guint64 left_out,
                ZendeskWriter *writer, GError **error)
{
  const ZendeskTable *table = sink->kind->table;

  for (guint i = 0; i < table->n_members; i++)
    if (!(left_out & G_GUINT64_CONSTANT (1) << i) && zendesk_plan_gives (&sink->plan, batch, row, i))
      {
        zendesk_writer_begin (writer, table->members[i].name);
        if (!zendesk_plan_append (&sink->plan, batch, row, i, writer->out, error))
          return tally_throw_prefix (error, "%s", table->members[i].name);
      }
  return append_fields (sink, batch, row, writer, error);
}

gboolean
zendesk_party_render (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, const char *reference,
                      guint64 left_out, const char *last, GString *out, GError **error)
{
  ZendeskWriter writer = ZENDESK_WRITER_INIT (out);

  g_string_append_printf (out, "{\"%s\":{", sink->kind->entity);
  if (reference != NULL)
    {
      zendesk_writer_begin (&writer, "external_id");
      zendesk_append_string (reference, out);
    }
  if (!append_members (sink, batch, row, left_out, &writer, error))
    return FALSE;
  if (last != NULL)
    g_string_append_printf (out, "%s%s", writer.first ? "" : ",", last);
  g_string_append (out, "}}");
  return TRUE;
}

/* --- who is there already --- */

ZendeskWanted
zendesk_party_wanted (const ZendeskPartySink *sink, json_object *record, const char *reference)
{
  return (ZendeskWanted){ .entity = sink->kind->entity,
                          .reference = reference,
                          .name = zendesk_json_get_text (record, "name"),
                          .email = zendesk_json_get_text (record, "email"),
                          .role = zendesk_json_get_text (record, "role"),
                          .adopts = sink->adopts };
}

/* Users are looked up by ids, not searched, where the reference can stand in a list of these: a search may be behind. */
char *
zendesk_party_reference_path (const ZendeskPartyKind *kind, const char *reference)
{
  gboolean in_list = g_str_equal (kind->entity, "user") && strchr (reference, ',') == NULL;
  g_autofree char *escaped = g_uri_escape_string (reference, NULL, FALSE);

  return g_strdup_printf ("%s/%s=%s", kind->path, in_list ? "show_many.json?external_ids" : "search.json?external_id", escaped);
}

static char *
make_name_query (const char *name)
{
  g_autofree char *plain = g_strdelimit (g_strdup (name), "\"", ' ');

  return g_strdup_printf ("name:\"%s\"", plain);
}

char *
zendesk_party_name_path (const ZendeskPartyKind *kind, const ZendeskWanted *wanted, gboolean unique)
{
  gboolean is_user = g_str_equal (kind->entity, "user");
  g_autofree char *query = !is_user ? g_strdup (wanted->name)
                           : unique ? g_strdup_printf ("email:%s", wanted->email)
                                    : make_name_query (wanted->name);
  g_autofree char *escaped = g_uri_escape_string (query, NULL, FALSE);

  return g_strdup_printf ("%s/search.json?%s=%s&per_page=100", kind->path, is_user ? "query" : "name", escaped);
}

char *
zendesk_party_addresses_path (gint64 user)
{
  return g_strdup_printf (ZENDESK_API "/users/%" G_GINT64_FORMAT "/identities.json?per_page=100", user);
}
