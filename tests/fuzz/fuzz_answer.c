/* fuzz_answer.c: what Zendesk, or whoever answers in its place, can send
 *
 * The input is an answer as it goes over the wire: header lines, an empty line, a body.  Its first
 * two bytes choose the status.  Whatever comes, a ticket counts as created only with an id and our
 * own external_id in it.
 */
#include "../../plugins/zendesk/answer.h"
#include "../../plugins/zendesk/belongings.h"
#include "../../plugins/zendesk/export-row.h"
#include "../../plugins/zendesk/fields.h"
#include "../../plugins/zendesk/inline.h"
#include "../../plugins/zendesk/match.h"
#include "../../plugins/zendesk/names.h"
#include "../../plugins/zendesk/parts.h"
#include "../../plugins/zendesk/text.h"
#include "../../plugins/zendesk/update.h"

#include <string.h>

#define REFERENCE "desk:7"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
judge (const ZendeskAnswer *answer)
{
  for (ZendeskAsk ask = ZENDESK_ASK_CREATE; ask <= ZENDESK_ASK_CONTINUE; ask++)
    {
      ZendeskFinding finding;

      zendesk_finding_init (&finding);
      finding.target_id = ask == ZENDESK_ASK_UPDATE ? 7 : 0;
      zendesk_judge (ask, answer, REFERENCE, &finding);
      g_assert (g_utf8_validate (finding.detail->str, (gssize) finding.detail->len, NULL));
      g_assert (finding.wait >= 0 && finding.wait <= ZENDESK_MAX_WAIT);
      if (finding.verdict == TALLY_VERDICT_DELIVERED && ask != ZENDESK_ASK_CONTINUE && ask != ZENDESK_ASK_UPLOAD)
        {
          g_assert (finding.target_id > 0);
          g_assert (ask != ZENDESK_ASK_UPDATE || finding.target_id == 7);
          g_assert (ask == ZENDESK_ASK_UPDATE || memmem (answer->body, answer->length, "external_id", 11) != NULL
                    || memmem (answer->body, answer->length, "\\u", 2) != NULL);
        }
      zendesk_finding_clear (&finding);
    }
}

static void
read_row (const char *body, gsize length)
{
  ZendeskExportRow row;

  if (!g_utf8_validate (body, (gssize) length, NULL) || !zendesk_export_row_read ((TallyText){ body, length }, &row))
    return;
  g_assert (row.id > 0);
  g_assert (row.external_id.text.length <= length);
}

static void
read_upload (const char *body, gsize length)
{
  g_autofree char *token = NULL, *url = NULL;

  if (zendesk_upload_read (body, length, &token, &url))
    g_assert (*token != '\0');
}

static void
read_names (const char *body, gsize length)
{
  for (ZendeskNamesKind kind = 0; kind < ZENDESK_N_NAMES; kind++)
    {
      g_autoptr (ZendeskNames) names = zendesk_names_new (kind);
      gboolean more;

      zendesk_names_take (names, body, length, &more, NULL);
      g_assert (names->all->len == g_hash_table_size (names->ids));
    }
  zendesk_user_check (body, length, 7, NULL);
}

/* A text of ours, with whatever was put in its place: nothing is read beyond its end. */
static void
replace_images (const char *body)
{
  const ZendeskInline image = { "a.png", "cid", "b/a.png", "https://z/\"&'<>" };
  g_autofree char *shown = zendesk_inline_replace (body, &image, 1);
  g_autofree char *plain = zendesk_text_escape_braces (body, FALSE), *html = zendesk_text_escape_braces (body, TRUE);

  g_assert (strstr (body, "src") != NULL || strcasestr (body, "src") != NULL || g_str_equal (shown, body));
  g_assert (html == NULL || strstr (html, "{{") == NULL);
  g_assert ((plain == NULL) == (html == NULL));
}

static void
read_update (const char *body, gsize length)
{
  static const char stored[] = "7\n{\"ticket\":{\"tags\":[\"a\"],\"custom_fields\":[{\"id\":1,\"value\":\"x\"}]}}";
  ZendeskUpdate update, strange;
  ZendeskUpdatable ticket = { 0 };
  gboolean found, more;

  g_assert (zendesk_update_read (&update, (TallyText){ stored, strlen (stored) }));
  if (zendesk_updatable_read (&update, body, length, &ticket))
    g_free (ticket.updated_at);
  zendesk_update_find_mark (body, length, "[tallyman 0123456789ab]", &found, &more);
  zendesk_update_clear (&update);
  if (zendesk_update_read (&strange, (TallyText){ body, length }))
    g_assert (strange.id > 0);
  zendesk_update_clear (&strange);
}

static void
read_lists (const char *body, gsize length)
{
  static const ZendeskTable table = { .field = "ticket field", .fields = "ticket_fields" };
  g_autoptr (GPtrArray) fields = NULL, parts = NULL;
  g_autofree char *updated_at = NULL;
  ZendeskThread thread;
  gboolean solved;

  fields = zendesk_fields_parse (&table, body, length, NULL);
  for (guint i = 0; fields != NULL && i < fields->len; i++)
    g_assert (((const ZendeskField *) fields->pdata[i])->id > 0);
  zendesk_thread_init (&thread, REFERENCE, 5);
  zendesk_thread_read (&thread, body, length);
  g_assert (thread.n_present >= 1 && thread.n_present <= 5);
  zendesk_ticket_read (body, length, 1, &updated_at, &solved);
  zendesk_parts_further ((TallyText){ body, length }, &parts);
}

/* Nobody is taken for another, whatever a list of users says. */
static void
match_users (const char *body, gsize length)
{
  ZendeskWanted wanted = { .entity = "user", .reference = REFERENCE, .name = "Ann", .email = "ann@acme.test",
                           .adopts = ZENDESK_ADOPT_EMAIL | ZENDESK_ADOPT_NAME };
  g_autoptr (GPtrArray) found = zendesk_found_new ();
  g_autoptr (GString) detail = g_string_new (NULL);
  const ZendeskFound *one;
  gboolean more;
  gint64 id = 0;

  if (!zendesk_found_read (found, "user", body, length, &more))
    return;
  switch (zendesk_match (&wanted, found, &id, detail))
    {
    case ZENDESK_MATCH_OURS:
      g_assert_cmpstr (zendesk_found_get (found, id)->external_id, ==, REFERENCE);
      break;
    case ZENDESK_MATCH_ADOPT:
      one = zendesk_found_get (found, id);
      g_assert (one->external_id == NULL || *one->external_id == '\0');
      g_assert (!one->deleted);
      break;
    case ZENDESK_MATCH_CONFLICT:
      g_assert (detail->len > 0 && g_utf8_validate (detail->str, (gssize) detail->len, NULL));
      break;
    case ZENDESK_MATCH_NONE:
      break;
    }
}

static void
read_belongings (const char *body, gsize length)
{
  g_autoptr (GPtrArray) identities = zendesk_belonging_list_new (), memberships = zendesk_belonging_list_new ();
  g_autoptr (ZendeskBelongings) wanted = NULL;
  gboolean more;
  gint64 id;

  zendesk_identities_read (identities, body, length, &more);
  zendesk_memberships_read (memberships, body, length, &more);
  g_assert (identities->len <= ZENDESK_MAX_BELONGINGS && memberships->len <= ZENDESK_MAX_BELONGINGS);
  if (!zendesk_belongings_parse ((TallyText){ body, length }, &wanted) || wanted == NULL)
    return;
  zendesk_next_identity (wanted, identities, &id);
  zendesk_next_membership (wanted, memberships, &id);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const gint statuses[] = { 200, 201, 302, 400, 401, 409, 413, 422, 429, 500, 503 };
  ZendeskHeaders headers;
  const char *text, *end;

  if (size < 2)
    return 0;
  zendesk_headers_init (&headers);
  text = (const char *) data + 2;
  end = (const char *) data + size;
  for (const char *line_end; (line_end = memchr (text, '\n', end - text)) != NULL; text = line_end + 1)
    {
      if (line_end - text <= 1)
        {
          text = line_end + 1;
          break;
        }
      zendesk_headers_take (&headers, text, line_end - text);
    }

  g_autofree char *body = g_strndup (text, end - text); /* its own block, so that reading past it is seen */
  ZendeskAnswer answer = { .entity = "ticket", .status = data[0] & 1 ? data[0] + 256 * (data[1] % 4) : statuses[data[1] % G_N_ELEMENTS (statuses)],
                           .body = body, .length = end - text, .headers = &headers, .now = 1700000000 };
  TallyAnswerNews news = { TALLY_ANSWER_NEWS_INIT };

  judge (&answer);
  match_users (body, end - text);
  read_belongings (body, end - text);
  read_row (body, end - text);
  read_upload (body, end - text);
  read_names (body, end - text);
  read_update (body, end - text);
  replace_images (body);
  read_lists (body, end - text);
  g_free (zendesk_headers_dup_warning (&headers));
  zendesk_headers_tell (&headers, answer.status, &news);
  g_assert (news.wait >= 0 && news.wait <= ZENDESK_MAX_WAIT && news.kind_period >= 0);
  if (end - text > 8)
    g_assert (zendesk_text_cut (body, 8) <= 8 && zendesk_text_cut (body, 8) > 0);
  zendesk_headers_clear (&headers);
  return 0;
}
