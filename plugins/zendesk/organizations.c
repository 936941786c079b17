/* organizations.c: zendesk-organizations, a delivering sink that creates organizations */
#include "cost.h"
#include "party.h"
#include "plugins.h"
#include "text.h"
#include "survey.h"

#define CREATE ZENDESK_MODE_CREATE

enum
{
  MEMBER_NAME,
  MEMBER_DOMAIN_NAMES,
  MEMBER_DETAILS,
  MEMBER_NOTES,
  MEMBER_GROUP_ID,
  MEMBER_TAGS,
  MEMBER_SHARED_TICKETS,
  MEMBER_SHARED_COMMENTS,
  N_MEMBERS
};

static const ZendeskMember members[N_MEMBERS] = {
  [MEMBER_NAME] = { "name", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_DOMAIN_NAMES] = { "domain_names", CREATE, ZENDESK_FORM_TAGS },
  [MEMBER_DETAILS] = { "details", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_NOTES] = { "notes", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_GROUP_ID] = { "group_id", CREATE, ZENDESK_FORM_ID },
  [MEMBER_TAGS] = { "tags", CREATE, ZENDESK_FORM_TAGS },
  [MEMBER_SHARED_TICKETS] = { "shared_tickets", CREATE, ZENDESK_FORM_BOOLEAN },
  [MEMBER_SHARED_COMMENTS] = { "shared_comments", CREATE, ZENDESK_FORM_BOOLEAN },
};

static const ZendeskRefusal refused[] = {
  { "external_id", "is filled by the pipeline's \"origin\" and the sink's \"key\", so that each organization "
                   "can be found again; rename the column, or use it as the key" },
  { "id", "is given by Zendesk; rename the column, or use it as the key" },
  { "organization_fields", "is an object: name the fields, as \"organization_fields.tier\"" },
  { "domain_name", "is a list: \"domain_names\"" },
  { "created_at", "is given by Zendesk" },
  { "updated_at", "is given by Zendesk" },
  { "url", "is given by Zendesk" },
  { 0 },
};

static gboolean
check_whole (const ZendeskPlan *plan, GError **error)
{
  if (plan->columns[MEMBER_NAME] < 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "an organization needs a column \"name\"");
  return TRUE;
}

G_STATIC_ASSERT (N_MEMBERS <= ZENDESK_MAX_MEMBERS);

static const ZendeskTable table = {
  .an_entity = "an organization",
  .members = members,
  .n_members = N_MEMBERS,
  .refused = refused,
  .custom_prefix = "organization_fields.",
  .custom_name = "key",
  .field = "organization field",
  .fields = "organization_fields",
  .fields_have_keys = TRUE,
  .check = check_whole,
};

static const ZendeskPartyKind kind = {
  .entity = "organization",
  .path = ZENDESK_API "/organizations",
  .many = ZENDESK_API "/organizations/create_many.json",
  .table = &table,
  .name = MEMBER_NAME,
  .name_called = "name",
};

static const TallyOption options[] = {
  ZENDESK_ACCOUNT_OPTIONS (ZendeskPartySink),
  { .name = "adopt", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (ZendeskPartySink, adopt),
    .summary = "By what an organization that is there without an external_id is taken over: name", .example = "[name]" },
  ZENDESK_PARTY_OPTIONS,
  ZENDESK_NETWORK_OPTIONS (ZendeskPartySink),
  { 0 },
};

static gboolean
organizations_check (gpointer self, GError **error)
{
  static const char *const adoptable[] = { "name", NULL };

  return zendesk_party_check (self, adoptable, error);
}

static gboolean
organizations_accept (gpointer self, TallySchema *schema, GError **error)
{
  return zendesk_party_accept (self, &kind, schema, error);
}

static void
organizations_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  zendesk_party_profile (self, kind.entity, ret_profile);
}

/* reference: (nullable) NULL: an update */
static gboolean
render (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, const char *reference, GString *ret_body,
        GError **error)
{
  g_autofree char *name = zendesk_plan_dup (&sink->plan, batch, row, MEMBER_NAME);

  if (zendesk_text_is_blank (name))
    return tally_throw (error, TALLY_ERROR_DATA, "the organization has no name: \"name\" is empty");
  return zendesk_party_render (sink, batch, row, reference, 0, NULL, ret_body, error);
}

static gboolean
organizations_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row, const char *reference,
                      GString *ret_body, GError **error)
{
  if (!render (self, batch, row, reference, ret_body, error))
    return FALSE;
  zendesk_party_mark (self, ret_body);
  return TRUE;
}

static gboolean
organizations_render_update (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row, const char *reference,
                             const char *target_id, GString *ret_body, GError **error)
{
  return render (self, batch, row, NULL, ret_body, error);
}

static gboolean
organizations_survey (gpointer self, TallyContext *ctx, gint64 since, TallySurveyed found, gpointer data, GError **error)
{
  ZendeskPartySink *sink = self;

  return zendesk_survey (&sink->account, "organizations", since, ZENDESK_EXPORT_DELAY, found, data, error);
}

static const TallyDeliverySink delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = organizations_profile,
  .render = organizations_render,
  .send = zendesk_party_send,
  .resolve = zendesk_party_resolve,
  .drive = zendesk_party_drive,
  .render_update = organizations_render_update,
  .survey = organizations_survey,
  .cost = zendesk_party_cost,
  .foretell = zendesk_party_foretell,
};

const TallyPlugin zendesk_organizations = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "zendesk-organizations",
  .summary = "Creates and updates a Zendesk organization for each record, exactly once",
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (ZendeskPartySink),
  .options = options,
  .check = organizations_check,
  .accept = organizations_accept,
  .open = zendesk_party_open,
  .probe = zendesk_party_probe,
  .delivery = &delivery,
  .interrupt = zendesk_party_interrupt,
  .close = zendesk_party_close,
};
