/* test_real.c: mail that strangers wrote, and what another program makes of it
 *
 * James mime4j's test messages come with the structure and the decoded bodies that its authors expect.  Where we differ, the table of
 * differences says why.
 */
#include "mails.h"
#include "input.h"
#include "mime.h"
#include "promise.h"
#include <string.h>

static char *
shared (const char *name)
{
  char *path = g_build_filename (g_getenv ("SHARED_DATA"), "mail", name, NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    skip_promise ("%s is not there", path);
  return path;
}

static gboolean
is_there (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* ---- All of it ---- */

/* Files that are no messages, as their names say. */
static const char *const no_messages[] = {
  "malformedHeader-noheader.msg:1: is no message: it has no header",
  "malformedHeaderStartsBody-noheader.msg:1: is no message: it has no header",
};

static void
test_every_message_is_read (void)
{
  static const struct
  {
    const char *pattern;
    guint n_rows, n_rejects;
  } folders[] = {
    { "ruby-mail/*/*.eml", 0, 0 },
    { "rspamd/*.eml", 0, 0 },
    { "rspamd/from/*", 0, 0 },
    { "mime4j-testmsgs/*.msg", 0, G_N_ELEMENTS (no_messages) },
    { "mbox/*.mbox", 10, 2 }, /* two are none */
  };
  g_autofree char *folder = shared ("");

  for (gsize i = 0; is_there (folder) && i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = g_build_filename (folder, folders[i].pattern, NULL);
      char *paths[] = { path, NULL };
      g_autoptr (GPtrArray) files = tally_input_expand (paths, NULL);
      g_autoptr (Mails) mails = mails_read (path, NULL, NULL, 100);
      guint n_rejects = 0;

      for (const char *at = mails->rejects->str; (at = strchr (at, '\n')) != NULL; at++)
        n_rejects++;
      assert_row_text (folders[i].pattern, mails->error, NULL);
      assert_row_int (folders[i].pattern, n_rejects, folders[i].n_rejects);
      assert_row_int (folders[i].pattern, mails->n_rows, folders[i].n_rows > 0 ? folders[i].n_rows : files->len - folders[i].n_rejects);
      for (guint j = 0; i == 3 && j < G_N_ELEMENTS (no_messages); j++)
        assert_contains (mails->rejects->str, no_messages[j]);
    }
}

/* ---- An mbox ---- */

static void
test_an_mbox_is_split_as_mime4j_splits_it (void)
{
  g_autofree char *path = shared ("mbox/mime4j-mbox.rlug");

  if (!is_there (path))
    return;
  g_autoptr (Mails) whole = mails_read (path, NULL, NULL, 10);
  assert_int (whole->n_rows, 5);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *part = g_strdup_printf ("%s-%u", path, i), *content = NULL;
      gsize length;

      g_assert_true (g_file_get_contents (part, &content, &length, NULL));
      /* The empty line before the next message is not the message's for us. */
      assert_true (length > 2 && content[length - 1] == '\n' && content[length - 2] == '\n');
      g_autoptr (Mails) single = mails_read_message (content, (gssize) length - 1, NULL);
      static const char *const columns[] = { "identity", "headers", "text", "size", "date", "from" };
      for (gsize j = 0; j < G_N_ELEMENTS (columns); j++)
        {
          g_autofree char *one = mails_get (whole, i, columns[j]), *other = mails_get (single, 0, columns[j]);

          assert_row_text (columns[j], one, other);
        }
    }
}

/* ---- Structures ---- */

/* What mime4j expects otherwise, and why we are content. */
static const struct
{
  const char *name, *ours, *why;
} differences[] = {
  { "ending-boundaries", "message(multipart())",
    "RFC 2046 allows nothing but blanks behind a boundary; what stands there is shown as text all the same" },
  { "very-very-long-boundary", "message(multipart())",
    "a boundary of 28 kB, 400 times what RFC 2046 allows; what stands there is shown as text all the same" },
  { "multipartemptypart", "message(multipart())", "a part without a byte is no part" },
  { "malformedHeaderStartsBody-nocrlfcrlf", "message(.) _1:11/40", "a line that is no field does not end the header, the empty line does" },
  { "malformedHeader-noheader", "message()", "a text without any header is no message: it is rejected, and says so" },
  { "malformedHeaderStartsBody-noheader", "message()", "the same" },
};

/* The elements of mime4j's description that say how parts are nested: M(essage), m(ultipart), b(ody-part), t(ext), d(ata). */
typedef struct
{
  GString *shape;
  gboolean skipping; /* in a header, prologue or epilogue */
} Description;

static void
begin_element (GMarkupParseContext *context, const char *name, const char **names, const char **values, gpointer data, GError **error)
{
  Description *description = data;

  if (g_str_equal (name, "header") || g_str_equal (name, "preamble") || g_str_equal (name, "epilogue"))
    description->skipping = TRUE;
  if (description->skipping)
    return;
  if (g_str_equal (name, "text-body") || g_str_equal (name, "binary-body"))
    g_string_append_c (description->shape, '.');
  else
    g_string_append_printf (description->shape, "%s(", g_str_equal (name, "message") ? "message" : g_str_equal (name, "multipart") ? "multipart" : "");
}

static void
end_element (GMarkupParseContext *context, const char *name, gpointer data, GError **error)
{
  Description *description = data;

  if (g_str_equal (name, "header") || g_str_equal (name, "preamble") || g_str_equal (name, "epilogue"))
    description->skipping = FALSE;
  else if (!description->skipping && !g_str_equal (name, "text-body") && !g_str_equal (name, "binary-body"))
    g_string_append_c (description->shape, ')');
}

static char *
expected_shape (const char *path)
{
  static const GMarkupParser parser = { .start_element = begin_element, .end_element = end_element };
  g_autofree char *xml = NULL;
  Description description = { g_string_new (NULL), FALSE };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, &description, NULL);
  g_autoptr (GError) error = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &xml, &length, NULL));
  g_autofree char *valid = g_utf8_make_valid (xml, (gssize) length);
  if (!g_markup_parse_context_parse (context, valid, -1, &error))
    g_string_printf (description.shape, "%s", error->message);
  return g_string_free (description.shape, FALSE);
}

static void append_message (GMimeMessage *message, const char *path, const char *place, GString *shape, GString *wrong);

/* A leaf's content is to be that of the file which mime4j has for it. */
static void
compare_leaf (const GByteArray *content, const char *path, const char *place, GString *wrong)
{
  g_autofree char *text_file = g_strdup_printf ("%s_decoded%s.txt", path, place), *data_file = g_strdup_printf ("%s_decoded%s.bin", path, place);
  g_autofree char *expected = NULL;
  g_autoptr (GString) ours = g_string_new (NULL), theirs = g_string_new (NULL);
  gsize length;

  if (!g_file_get_contents (text_file, &expected, &length, NULL) && !g_file_get_contents (data_file, &expected, &length, NULL))
    {
      g_string_append_printf (wrong, " %s:unexpected", place);
      return;
    }
  mime_append_text (mime_view (content), ours);
  mime_append_text ((TallyText){ expected, length }, theirs);
  if (!g_string_equal (ours, theirs))
    g_string_append_printf (wrong, " %s:%u/%zu", place, content->len, length);
}

static void
append_part (GMimeObject *part, const char *path, const char *place, GString *shape, GString *wrong)
{
  g_autofree char *type = g_mime_content_type_get_mime_type (g_mime_object_get_content_type (part));

  if (GMIME_IS_MULTIPART (part))
    {
      g_string_append (shape, "multipart(");
      for (int i = 0; i < g_mime_multipart_get_count (GMIME_MULTIPART (part)); i++)
        {
          g_autofree char *inner = g_strdup_printf ("%s_%d", place, i + 1);

          g_string_append_c (shape, '(');
          append_part (g_mime_multipart_get_part (GMIME_MULTIPART (part), i), path, inner, shape, wrong);
          g_string_append_c (shape, ')');
        }
      g_string_append_c (shape, ')');
    }
  else if (GMIME_IS_MESSAGE_PART (part))
    append_message (g_mime_message_part_get_message (GMIME_MESSAGE_PART (part)), path, place, shape, wrong);
  else
    {
      g_autoptr (GByteArray) content = mime_content (part);
      g_autoptr (GMimeMessage) nested = g_ascii_strcasecmp (type, "message/rfc822") == 0 ? mime_parse (content) : NULL;

      if (nested != NULL)
        append_message (nested, path, place, shape, wrong);
      else
        {
          g_string_append_c (shape, '.');
          compare_leaf (content, path, place, wrong);
        }
    }
}

static void
append_message (GMimeMessage *message, const char *path, const char *place, GString *shape, GString *wrong)
{
  GMimeObject *root = message != NULL ? g_mime_message_get_mime_part (message) : NULL;
  g_autofree char *inner = g_strdup_printf ("%s_1", place);

  g_string_append (shape, "message(");
  if (root != NULL)
    append_part (root, path, inner, shape, wrong);
  g_string_append_c (shape, ')');
}

static void
test_structures_are_those_of_mime4j (void)
{
  g_autofree char *pattern = shared ("mime4j-testmsgs"), *messages = g_build_filename (pattern, "*.msg", NULL);
  char *paths[] = { messages, NULL };

  if (!is_there (pattern))
    return;
  g_autoptr (GPtrArray) files = tally_input_expand (paths, NULL);
  for (guint i = 0; i < files->len; i++)
    {
      const char *file = g_ptr_array_index (files, i);
      g_autofree char *path = g_strndup (file, strlen (file) - strlen (".msg")), *name = g_path_get_basename (path);
      g_autofree char *xml = g_strconcat (path, "_decoded.xml", NULL), *expected = expected_shape (xml), *content = NULL;
      g_autoptr (GString) shape = g_string_new (NULL), wrong = g_string_new (NULL);
      const char *known = NULL;
      gsize length;

      g_assert_true (g_file_get_contents (file, &content, &length, NULL));
      g_autoptr (GByteArray) bytes = g_byte_array_new_take ((guint8 *) g_steal_pointer (&content), length);
      g_autoptr (GMimeMessage) message = mime_parse (bytes);
      append_message (message, path, "", shape, wrong);
      if (!g_str_equal (shape->str, expected) || wrong->len > 0)
        g_string_append (shape, wrong->str);
      for (gsize j = 0; j < G_N_ELEMENTS (differences); j++)
        if (g_str_equal (differences[j].name, name))
          known = differences[j].ours;
      assert_row_text (name, shape->str, known != NULL ? known : expected);
    }
}

static const Promise promises[] = {
  { "every message is read", test_every_message_is_read },
  { "an mbox is split as mime4j splits it", test_an_mbox_is_split_as_mime4j_splits_it },
  { "structures are those of mime4j", test_structures_are_those_of_mime4j },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("email real", promises, argc, argv);
}
