/* users.c: zendesk-users, a delivering sink that creates users
 *
 * What render() makes has one line for the request that creates the user, and, if there is more to it, a line with what is
 * settled once the user is there, see belongings.h.
 */
#include "belongings.h"
#include "cost.h"
#include "party.h"
#include "plugins.h"
#include "text.h"
#include "values.h"
#include "survey.h"

#include <string.h>

#define CREATE ZENDESK_MODE_CREATE

enum
{
  MEMBER_NAME,
  MEMBER_EMAIL,
  MEMBER_ROLE,
  MEMBER_CUSTOM_ROLE_ID,
  MEMBER_PHONE,
  MEMBER_ALIAS,
  MEMBER_ORGANIZATION_ID,
  MEMBER_ORGANIZATION_IDS,
  MEMBER_IDENTITIES,
  MEMBER_VERIFIED,
  MEMBER_SUSPENDED,
  MEMBER_TAGS,
  MEMBER_NOTES,
  MEMBER_DETAILS,
  MEMBER_TIME_ZONE,
  MEMBER_LOCALE,
  MEMBER_LOCALE_ID,
  N_MEMBERS
};

#define BIT(member) (G_GUINT64_CONSTANT (1) << (member))

/* What the request that creates a user does not have. */
#define BELONGINGS (BIT (MEMBER_ORGANIZATION_IDS) | BIT (MEMBER_IDENTITIES))

static const char *const roles[] = { "end-user", "agent", "admin", NULL };

static const ZendeskMember members[N_MEMBERS] = {
  [MEMBER_NAME] = { "name", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_EMAIL] = { "email", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_ROLE] = { "role", CREATE, ZENDESK_FORM_CHOICE, roles },
  [MEMBER_CUSTOM_ROLE_ID] = { "custom_role_id", CREATE, ZENDESK_FORM_ID },
  [MEMBER_PHONE] = { "phone", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_ALIAS] = { "alias", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_ORGANIZATION_ID] = { "organization_id", CREATE, ZENDESK_FORM_ID },
  [MEMBER_ORGANIZATION_IDS] = { "organization_ids", CREATE, ZENDESK_FORM_IDS },
  [MEMBER_IDENTITIES] = { "identities", CREATE, ZENDESK_FORM_TAGS },
  [MEMBER_VERIFIED] = { "verified", CREATE, ZENDESK_FORM_BOOLEAN },
  [MEMBER_SUSPENDED] = { "suspended", CREATE, ZENDESK_FORM_BOOLEAN },
  [MEMBER_TAGS] = { "tags", CREATE, ZENDESK_FORM_TAGS },
  [MEMBER_NOTES] = { "notes", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_DETAILS] = { "details", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_TIME_ZONE] = { "time_zone", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_LOCALE] = { "locale", CREATE, ZENDESK_FORM_TEXT },
  [MEMBER_LOCALE_ID] = { "locale_id", CREATE, ZENDESK_FORM_ID },
};

static const ZendeskRefusal refused[] = {
  { "external_id", "is filled by the pipeline's \"origin\" and the sink's \"key\", so that each user "
                   "can be found again; rename the column, or use it as the key" },
  { "id", "is given by Zendesk; rename the column, or use it as the key" },
  { "user_fields", "is an object: name the fields, as \"user_fields.tier\"" },
  { "organization", "is an object: \"organization_id\" names one that is there" },
  { "password", "is not set by us: users set their own" },
  { "active", "is what Zendesk answers; \"suspended\" keeps a user out" },
  { "skip_verify_email", "is what \"verify-email\" of the sink is for" },
  { "created_at", "is given by Zendesk" },
  { "updated_at", "is given by Zendesk" },
  { "last_login_at", "is given by Zendesk" },
  { "url", "is given by Zendesk" },
  { 0 },
};

static gboolean
check_whole (const ZendeskPlan *plan, GError **error)
{
  if (plan->columns[MEMBER_NAME] < 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "a user needs a column \"name\"");
  if (plan->columns[MEMBER_LOCALE] >= 0 && plan->columns[MEMBER_LOCALE_ID] >= 0)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "columns \"locale\" and \"locale_id\" are both the user's language; leave one out");
  return TRUE;
}

G_STATIC_ASSERT (N_MEMBERS <= ZENDESK_MAX_MEMBERS);

static const ZendeskTable table = {
  .an_entity = "a user",
  .members = members,
  .n_members = N_MEMBERS,
  .refused = refused,
  .custom_prefix = "user_fields.",
  .custom_name = "key",
  .field = "user field",
  .fields = "user_fields",
  .fields_have_keys = TRUE,
  .check = check_whole,
};

static const ZendeskPartyKind kind = {
  .entity = "user",
  .path = ZENDESK_API "/users",
  .many = ZENDESK_API "/users/create_many.json",
  .table = &table,
  .name = MEMBER_EMAIL,
  .name_called = "e-mail address",
};

static const TallyOption options[] = {
  ZENDESK_ACCOUNT_OPTIONS (ZendeskPartySink),
  { .name = "adopt", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (ZendeskPartySink, adopt),
    .summary = "By what a user that is there without an external_id is taken over: email, name", .example = "[email]" },
  { .name = "verify-email", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (ZendeskPartySink, verify_email),
    .fallback = "false", .summary = "Whether Zendesk mails each new user to have the address verified", .example = "true" },
  ZENDESK_PARTY_OPTIONS,
  ZENDESK_NETWORK_OPTIONS (ZendeskPartySink),
  { 0 },
};

static gboolean
users_check (gpointer self, GError **error)
{
  static const char *const adoptable[] = { "email", "name", NULL };

  return zendesk_party_check (self, adoptable, error);
}

static gboolean
users_accept (gpointer self, TallySchema *schema, GError **error)
{
  return zendesk_party_accept (self, &kind, schema, error);
}

static void
users_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  zendesk_party_profile (self, kind.entity, ret_profile);
}

/* --- the request --- */

/* Enough to tell an address from a name; whether there is such a mailbox nobody can tell. */
static gboolean
check_address (const char *text, GError **error)
{
  const char *at = strchr (text, '@');

  if (at != NULL && at != text && at[1] != '\0' && strchr (at + 1, '@') == NULL && strpbrk (text, " \t\r\n,;<>\"") == NULL)
    return TRUE;

  g_autofree char *shown = zendesk_text_clean (text, strlen (text), 60);
  return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no e-mail address%s", shown,
                      *text == '\0' ? "; nullif(email, '') makes NULL of it, which is left out" : "");
}

static gboolean
check_row (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, GError **error)
{
  g_autofree char *name = zendesk_plan_dup (&sink->plan, batch, row, MEMBER_NAME);
  g_autofree char *email = zendesk_plan_dup (&sink->plan, batch, row, MEMBER_EMAIL);

  if (zendesk_text_is_blank (name))
    return tally_throw (error, TALLY_ERROR_DATA, "the user has no name: \"name\" is empty");
  if (email != NULL && !check_address (email, error))
    return tally_throw_prefix (error, "email");
  return TRUE;
}

/* The further addresses: each is checked. (transfer full) (nullable) NULL: error is set, or there are none. */
static GPtrArray *
take_identities (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, GError **error)
{
  g_autoptr (GPtrArray) words = NULL;

  if (!zendesk_plan_gives (&sink->plan, batch, row, MEMBER_IDENTITIES))
    return g_ptr_array_new_with_free_func (g_free);
  words = zendesk_value_words (batch, row, (guint) sink->plan.columns[MEMBER_IDENTITIES],
                               sink->plan.types[MEMBER_IDENTITIES], ZENDESK_SEPARATORS, error);
  for (guint i = 0; words != NULL && i < words->len; i++)
    if (!check_address (words->pdata[i], error))
      return NULL;
  if (words != NULL && words->len > ZENDESK_MAX_BELONGINGS)
    {
      tally_throw (error, TALLY_ERROR_DATA, "more than %d addresses", ZENDESK_MAX_BELONGINGS);
      return NULL;
    }
  return g_steal_pointer (&words);
}

static gboolean
append_organizations (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, GString *out, GError **error)
{
  gsize before = out->len;
  guint n = 1;

  if (!zendesk_plan_append (&sink->plan, batch, row, MEMBER_ORGANIZATION_IDS, out, error))
    return FALSE;
  for (const char *comma = out->str + before; (comma = strchr (comma, ',')) != NULL; comma++)
    n++;
  if (n > ZENDESK_MAX_BELONGINGS)
    return tally_throw (error, TALLY_ERROR_DATA, "more than %d organizations", ZENDESK_MAX_BELONGINGS);
  return TRUE;
}

/* Appends the line of what the user has beside its own record, if it has anything. */
static gboolean
append_belongings (const ZendeskPartySink *sink, const TallyBatch *batch, guint row, gboolean is_update, GString *out,
                   GError **error)
{
  g_autoptr (GPtrArray) identities = take_identities (sink, batch, row, error);
  gboolean organizations = zendesk_plan_gives (&sink->plan, batch, row, MEMBER_ORGANIZATION_IDS);
  const char *separator = "\n{";

  if (identities == NULL)
    return tally_throw_prefix (error, "identities");
  if (identities->len > 0)
    {
      g_string_append_printf (out, "%s\"identities\":", separator);
      zendesk_words_append (identities, out);
      separator = ",";
    }
  if (is_update && zendesk_plan_gives (&sink->plan, batch, row, MEMBER_EMAIL))
    {
      g_string_append_printf (out, "%s\"email\":", separator);
      if (!zendesk_plan_append (&sink->plan, batch, row, MEMBER_EMAIL, out, error))
        return FALSE;
      separator = ",";
    }
  if (organizations)
    {
      g_string_append_printf (out, "%s\"organization_ids\":", separator);
      if (!append_organizations (sink, batch, row, out, error))
        return tally_throw_prefix (error, "organization_ids");
      separator = ",";
    }
  if (is_update && organizations && zendesk_plan_gives (&sink->plan, batch, row, MEMBER_ORGANIZATION_ID))
    {
      g_string_append_printf (out, "%s\"organization_id\":", separator);
      if (!zendesk_plan_append (&sink->plan, batch, row, MEMBER_ORGANIZATION_ID, out, error))
        return tally_throw_prefix (error, "organization_id");
      separator = ",";
    }
  g_string_append (out, *separator == ',' ? "}" : "");
  return TRUE;
}

static gboolean
users_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row, const char *reference,
              GString *ret_body, GError **error)
{
  ZendeskPartySink *sink = self;

  if (!check_row (sink, batch, row, error)
      || !zendesk_party_render (sink, batch, row, reference, BELONGINGS,
                                sink->verify_email ? NULL : "\"skip_verify_email\":true", ret_body, error)
      || !append_belongings (sink, batch, row, /* is_update= */ FALSE, ret_body, error))
    return FALSE;
  zendesk_party_mark (sink, ret_body);
  return TRUE;
}

/* An address in an update is added as a further one, and an organization ends all other memberships; so these are settled
 * afterwards, the organization at least where there may be others. */
static gboolean
users_render_update (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row, const char *reference,
                     const char *target_id, GString *ret_body, GError **error)
{
  ZendeskPartySink *sink = self;
  gboolean several = zendesk_plan_gives (&sink->plan, batch, row, MEMBER_ORGANIZATION_IDS);

  return check_row (sink, batch, row, error)
         && zendesk_party_render (sink, batch, row, NULL,
                                  BELONGINGS | BIT (MEMBER_EMAIL) | (several ? BIT (MEMBER_ORGANIZATION_ID) : 0), NULL,
                                  ret_body, error)
         && append_belongings (sink, batch, row, /* is_update= */ TRUE, ret_body, error);
}

static gboolean
users_survey (gpointer self, TallyContext *ctx, gint64 since, TallySurveyed found, gpointer data, GError **error)
{
  ZendeskPartySink *sink = self;

  return zendesk_survey (&sink->account, "users", since, ZENDESK_EXPORT_DELAY, found, data, error);
}

static const TallyDeliverySink delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = users_profile,
  .render = users_render,
  .send = zendesk_party_send,
  .resolve = zendesk_party_resolve,
  .drive = zendesk_party_drive,
  .render_update = users_render_update,
  .survey = users_survey,
  .cost = zendesk_party_cost,
  .foretell = zendesk_party_foretell,
};

const TallyPlugin zendesk_users = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "zendesk-users",
  .summary = "Creates and updates a Zendesk user for each record, exactly once",
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (ZendeskPartySink),
  .options = options,
  .check = users_check,
  .accept = users_accept,
  .open = zendesk_party_open,
  .probe = zendesk_party_probe,
  .delivery = &delivery,
  .interrupt = zendesk_party_interrupt,
  .close = zendesk_party_close,
};
