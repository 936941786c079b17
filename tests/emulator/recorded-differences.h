/* recorded-differences.h: where the emulator does not answer as was recorded, and why
 *
 * "lacks": recorded, and not here.  "adds": here, and not recorded.
 */
#pragma once

typedef struct
{
  const char *what; /* may have * and ? in it, for anything */
  const char *why;
} Difference;

/* --- 2015, by the client in Ruby --- */

static const Difference differences_2015[] = {
  /* What the emulator does not do. */
  { "* brands is not there", "an account is made of its file and does not change" },
  { "* groups* is not there", "likewise" },
  { "* group_memberships* is not there", "likewise" },
  { "* ticket_fields* is not there", "likewise" },
  { "* ticket_forms* is not there", "likewise" },
  { "* user_fields* is not there", "likewise" },
  { "* organization_fields* is not there", "likewise" },
  { "* views* is not there", "a migration has nothing to do with views" },
  { "* suspended_tickets* is not there", "nothing is suspended here" },
  { "* requests* is not there", "how end users see tickets, who do not migrate them" },
  { "GET satisfaction_ratings* is not there", "nobody is asked whether he is satisfied" },
  { "GET exports/tickets is not there", "an export that the service has given up since" },
  { "GET ticket_metrics* is not there", "measures are shown with their ticket" },
  { "GET tickets/#/macros/#/apply is not there", "macros are not kept" },
  { "* organizations/#/tags is not there", "tags are set with their organization" },
  { "* users/me/settings is not there", "how somebody likes his screen" },
  { "GET users/#/forum_subscriptions is not there", "forums are no more" },
  { "GET users/#/topic* is not there", "likewise" },
  { "GET users/#/requests is not there", "see requests" },
  { "GET users/# 200 lacks roles", "include=roles is not done" },
  { "POST imports/tickets 409 is answered with 201",
    "the race for a requester happens when it is ordered: --fault conflict" },
  { "POST tickets 201 lacks audit.events[].recipients", "no trigger sends mail" },
  { "POST tickets 201 lacks audit.events[].subject", "likewise" },
  { "POST tickets 201 lacks audit.events[].via", "likewise" },
  { "POST uploads 201 lacks *thumbnails??", "likewise" },
  { "POST tickets 201 lacks *thumbnails??", "likewise" },
  { "GET account/settings 200 lacks *", "only what a migration may look at is told" },
  { "GET custom_roles 200 lacks *configuration.*", "what a role may do is not told" },

  /* What the service does otherwise by now. */
  { "* adds *iana_time_zone", "came later" },
  { "* adds *report_csv", "came later" },
  { "* adds *default_group_id", "came later" },
  { "* adds *shared_phone_number", "came later" },
  { "GET ticket_fields* 200 adds *.agent_description", "came later" },
  { "GET ticket_fields* 200 adds *.key", "came later" },
  { "* adds *.height", "came later, of attachments" },
  { "* adds *.width", "likewise" },
  { "* lacks *chat_only", "is not told any more" },
  { "GET users/me 200 lacks user.authenticity_token", "belongs to a session in a browser" },
  { "* adds *allow_attachments", "came later" },
  { "* adds *allow_channelback", "came later" },
  { "* adds *custom_status_id", "came later" },
  { "* adds *email_cc_ids", "came later" },
  { "* adds *follower_ids", "came later" },
  { "* adds *followup_ids", "came later" },
  { "* adds *from_messaging_channel", "came later" },
  { "* adds *generated_timestamp", "came later" },
  { "* adds *is_public", "came later, of tickets and of groups" },
  { "* adds *plain_body", "came later" },
  { "* adds *group*.default", "came later" },
  { "* adds *group*.description", "came later" },
  { "* adds *signature_template", "came later" },
  { "* adds *role_type", "came later" },
  { "* adds *team_member_count", "came later" },
  { "GET custom_roles 200 adds custom_roles??.url", "came later" },
  { "* adds *agent_conditions", "came later" },
  { "* adds *end_user_conditions", "came later" },
  { "* adds *.deleted", "came later, of attachments" },
  { "* adds *malware_*", "came later" },
  { "* adds *organization_name", "came later" },
  { "* adds *view_tickets", "came later" },
  { "GET account/settings 200 adds *", "came later" },
  { "POST uploads 201 is text/plain*", "so it was recorded in 2023 and 2024" },
  { "POST tickets 201 audit.events[].value has never number",
    "ids are texts in the audits of 2023" },

  /* What is only so because the accounts differ. */
  { "* adds *custom_field_options", "a field with choices was not in that account" },
  { "* adds *.user_fields.*", "fields of this account" },
  { "* adds *.organization_fields.*", "likewise" },
};

/* --- 2023, by the client for Node --- */

static const Difference differences_2023[] = {
  { "* adds job_status.job_type", "was recorded from February 2024 on" },
  { "GET job_statuses/? 200 adds job_status.results*",
    "a row that failed: most of the records of those jobs are not here" },
  { "* adds *.organization_fields.*", "fields of this account" },
};

/* --- the fixtures of the client in Go --- */

static const Difference differences_go[] = {
  /* They are a choice of members from the documents, so much is not in them. */
  { "* adds count", "is not in it" },
  { "* adds next_page", "is not in it" },
  { "* adds previous_page", "is not in it" },
  { "* adds *.regexp_for_validation", "is not in it, but was recorded in 2015" },
  { "GET ticket_fields* 200 adds *.key", "came later" },
  { "* adds *.user_fields.*", "fields of this account" },
  { "GET groups 200 adds *", "is not in it, but was recorded in 2023" },
  { "GET organizations* 200 adds *", "is not in it, but was recorded" },
  { "GET organization_memberships 200 adds *.url", "is not in it, but was recorded in 2015" },
  { "* adds *_fields??.system", "is not in it, but was recorded in 2015" },
  { "* adds *custom_field_options", "a field with choices is not in it" },
  { "GET search 200 adds results*.default", "of a group: recorded in 2023" },
  { "* adds *custom_status_id", "came later" },
  { "* adds *from_messaging_channel", "came later" },
  { "* adds *generated_timestamp", "came later" },
  { "GET ticket_forms 200 adds *conditions", "is in it where it is a single form" },
  { "GET tickets/#/audits 200 adds *", "is not in it, but was recorded" },
  { "GET tickets/#/audits 200 * has also list", "tags are a list: recorded in 2015" },
  { "GET tickets/#/comments 200 adds *", "is not in it, but was recorded in 2023" },

  /* What the emulator does not do. */
  { "* lacks *chat_only", "is not told any more" },
  { "* lacks *relationship_*", "fields that look records up have no filter here" },
  { "* lacks *satisfaction_probability", "a forecast that only some plans have" },
  { "* lacks *sub_type_id", "is not in what was recorded in 2023" },
  { "* lacks *user_fields.*", "fields of that account" },
  { "* lacks *conditions??", "a form of the default account has no conditions" },
  { "* lacks *restricted_brand_ids??", "nor is it kept from a brand" },
  { "* lacks *via.source.*", "all tickets come by the API here, none by mail" },
  { "GET tickets/#/audits 200 lacks *.via", "no trigger has done anything" },
  { "GET tickets/#/comments 200 lacks meta", "pages by cursor only where page[size] asks for it" },
};
