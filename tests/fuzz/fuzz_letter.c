/* Any texts as a message: it is rejected, or its headers are those that it was to have and no other, however the texts look; and
 * it goes to those whose addresses are in it.
 *
 * The input is the columns below, separated by the byte 1.
 */
#include "envelope.h"
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static const TallyColumn columns[] = {
  { "to", TALLY_TYPE_TEXT },           { "subject", TALLY_TYPE_TEXT },    { "text", TALLY_TYPE_TEXT },
  { "html", TALLY_TYPE_TEXT },         { "references", TALLY_TYPE_TEXT }, { "cc", TALLY_TYPE_JSONB },
  { "headers", TALLY_TYPE_JSONB },     { "attachments", TALLY_TYPE_JSONB },
};

/* FALSE if a column is no JSON. */
static gboolean
fill (TallyBatch *batch, char **texts)
{
  tally_batch_add_row (batch);
  for (guint i = 0; i < G_N_ELEMENTS (columns) && texts[i] != NULL; i++)
    if (texts[i][0] != '\0' && !tally_batch_set_from_text (batch, i, texts[i], strlen (texts[i]), NULL))
      return FALSE;
  return TRUE;
}

static guint
count_headers (const char *message)
{
  const char *end = strstr (message, "\r\n\r\n");
  guint n = 0;

  g_assert (end != NULL);
  for (const char *line = message; line < end + 2; line = strstr (line, "\r\n") + 2)
    n += *line != ' ' && *line != '\t';
  return n;
}

static gboolean
has_line (const char *message, const char *begin)
{
  g_autofree char *inner = g_strconcat ("\r\n", begin, NULL);
  const char *end = strstr (message, "\r\n\r\n");

  return g_strstr_len (message, end - message, inner) != NULL;
}

static void
check (const EmailLetter *letter, const char *message)
{
  guint wanted = 6 /* Date, From, Subject, Message-Id, MIME-Version, Content-Type */;

  for (EmailColumn part = EMAIL_TO; part <= EMAIL_CC; part++)
    wanted += email_addresses_count (letter->lists[part]) > 0;
  wanted += (letter->references != NULL) + letter->headers->len / 2 + has_line (message, "Content-Transfer-Encoding: ");
  g_assert_cmpuint (count_headers (message), ==, wanted);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_utf8_make_valid ((const char *) data, (gssize) size);
  g_auto (GStrv) texts = g_strsplit (text, "\1", G_N_ELEMENTS (columns));
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, 1);
  g_autoptr (GString) stored = g_string_new (NULL);
  g_auto (EmailLetter) letter = { 0 };
  const EmailRules rules = { .directory = "/", .root = "/nowhere", .most = 1 << 20, .from = "Desk <desk@example.org>" };
  EmailPlan plan;

  email_init ();
  g_assert (email_plan_accept (&plan, schema, NULL, /* takes_raw= */ FALSE, NULL));
  if (!fill (batch, texts) || !email_letter_read (&letter, &plan, &rules, batch, 0, "desk:1", NULL)
      || !email_envelope_append (&letter, NULL, stored, NULL)
      || !email_compose (&letter, /* keep_bcc= */ FALSE, rules.most, stored, NULL))
    return 0;

  g_autoptr (EmailEnvelope) envelope = email_envelope_read ((TallyText){ stored->str, stored->len });
  g_assert (envelope != NULL && g_strv_length (envelope->to) > 0);
  for (guint i = 0; envelope->to[i] != NULL; i++)
    g_assert (strpbrk (envelope->to[i], "\r\n<> ") == NULL || envelope->to[i][0] == '"');
  check (&letter, envelope->mail.message);
  return 0;
}
