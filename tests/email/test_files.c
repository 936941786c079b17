/* test_files.c: what the carriers of files promise: no message twice, none lost, each as it was sent */
#include "mails.h"
#include "promise.h"
#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#define FROM_ "From jane@example.org Fri Nov 21 09:55:06 1997\n"

typedef struct
{
  const char *label, *mbox;
  const char *dialect;
  const char *texts; /* of all messages, each between brackets */
  const char *rejects;
} Case;

static const Case mboxes[] = {
  { "two messages", FROM_ "A: 1\n\none\n\n" FROM_ "A: 2\n\ntwo\n\n", "auto", "[one\n][two\n]", "" },
  { "no empty line between them", FROM_ "A: 1\n\none\n" FROM_ "A: 2\n\ntwo", "auto", "[one\n][two]", "" },
  { "CR LF", "From j@x Fri Nov 21 09:55:06 1997\r\nA: 1\r\n\r\none\r\n\r\nFrom j@x Fri Nov 21 09:55:06 1997\r\nA: 2\r\n\r\ntwo\r\n\r\n", "auto",
    "[one\n][two\n]", "" },
  { "empty lines before the first", "\n\n" FROM_ "A: 1\n\none\n", "mbox", "[one\n]", "" },
  { "empty lines at the end of a message stay but one", FROM_ "A: 1\n\none\n\n\n\n" FROM_ "A: 2\n\ntwo\n", "auto", "[one\n\n\n][two\n]", "" },
  { "a message without a body", FROM_ "A: 1\n\n" FROM_ "A: 2\n\ntwo\n", "auto", "[][two\n]", "" },
  { "no message at all behind the line", FROM_ "A: 1\n\none\n\n" FROM_, "auto", "[one\n]", "x.mbox:6: is no message: it has no header\n" },
  { "zones and weekdays of other writers",
    "From - Fri Nov 21 09:55:06 1997\nA: 1\n\none\n\nFrom ???@??? Fri Nov 21 09:55:06 1997 +0000\nA: 2\n\ntwo\n\n"
    "From a b@x  Fri, 21 Nov 1997 09:55:06 GMT\nA: 3\n\nthree\n", "auto", "[one\n][two\n][three\n]", "" },
  { "a line that only begins like it", FROM_ "A: 1\n\none\n\nFrom what I heard at 10:30\nit is late\n", "auto",
    "[one\n\nFrom what I heard at 10:30\nit is late\n]", "" },
  { "something before the first message", "this is none\n\n" FROM_ "A: 1\n\none\n", "mbox", "[one\n]", "x.mbox:1: stands before the first message\n" },
  { "auto: lines that were escaped by mboxrd", FROM_ "A: 1\n\n>From a\n>>From b\n> From c\n", "auto", "[From a\n>From b\n> From c\n]", "" },
  { "mboxrd", FROM_ "A: 1\n\n>From a\n>>From b\n", "mboxrd", "[From a\n>From b\n]", "" },
  { "mboxo", FROM_ "A: 1\n\n>From a\n>>From b\n", "mboxo", "[From a\n>>From b\n]", "" },
  { "mboxcl", FROM_ "Content-Length: 10\n\n>From a\n\n\n\n" FROM_ "Content-Length: 4\n\ntwo\n\n", "mboxcl", "[From a\n\n\n][two\n]", "" },
  { "mboxcl2", FROM_ "Content-Length: 63\n\n" FROM_ ">From a\nanother\n\n" FROM_ "A: 2\n\ntwo\n", "mboxcl2",
    "[" FROM_ ">From a\nanother\n][two\n]", "" },
  { "auto: mboxcl2", FROM_ "Content-Length: 63\n\n" FROM_ ">From a\nanother\n\n" FROM_ "A: 2\n\ntwo\n", "auto",
    "[" FROM_ ">From a\nanother\n][two\n]", "" },
  { "a length that is not so", FROM_ "Content-Length: 7\n\none\n\n" FROM_ "A: 2\n\ntwo\n", "mboxcl", "[one\n][two\n]", "" },
  { "a length beyond the end", FROM_ "Content-Length: 99999\n\none\n\n" FROM_ "A: 2\n\ntwo\n", "auto", "[one\n][two\n]", "" },
  { "mboxrd does not believe lengths", FROM_ "Content-Length: 63\n\n" FROM_ ">From a\nanother\n\n" FROM_ "A: 2\n\ntwo\n", "mboxrd", "[][two\n]",
    "x.mbox:4: is no message: it has no header\n" },
};

/* The texts of all messages, each between brackets. */
static char *
texts_of (Mails *mails)
{
  GString *texts = g_string_new (NULL);

  for (guint row = 0; row < mails->n_rows; row++)
    {
      g_autofree char *text = mails_get (mails, row, "text");

      g_string_append_printf (texts, "[%s]", text);
    }
  return g_string_free (texts, FALSE);
}

static Mails *
read_mbox (const char *mbox, const char *dialect)
{
  g_autofree char *path = plug_write_file ("x.mbox", mbox, -1);
  gboolean is_format = g_str_equal (dialect, "mbox");
  const char *options[] = { is_format ? "format" : "mbox", dialect, NULL };

  return mails_read (path, options, NULL, 10);
}

static void
test_an_mbox_is_split_as_it_was_written (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mboxes); i++)
    {
      g_autoptr (Mails) mails = read_mbox (mboxes[i].mbox, mboxes[i].dialect);
      g_autofree char *texts = texts_of (mails);

      assert_row_text (mboxes[i].label, texts, mboxes[i].texts);
      assert_row_text (mboxes[i].label, mails->rejects->str, mboxes[i].rejects);
      assert_row_text (mboxes[i].label, mails->error, NULL);
    }
}

static void
test_what_is_no_mbox_is_said (void)
{
  g_autoptr (Mails) mails = read_mbox ("just text\n", "mbox"), nothing = read_mbox ("", "mbox"), empty = read_mbox ("", "auto");

  assert_contains (mails->error, "x.mbox: no line begins a message");
  assert_text (nothing->error, NULL);
  assert_int (nothing->n_rows + empty->n_rows, 0);
  assert_text (empty->rejects->str, "");
}

static void
test_a_message_is_named_by_its_line (void)
{
  g_autoptr (Mails) mails = read_mbox (FROM_ "A: 1\n\none\n\n" FROM_ "A: 2\n\ntwo\n", "auto");
  g_autofree char *origin = mails_origin (mails, 1), *folder = mails_get (mails, 1, "folder");

  assert_true (g_str_has_suffix (origin, "x.mbox:6"));
  assert_text (folder, "x");
}

/* A few that are larger than a block, one that is larger than the limit. */
static char *
large_mbox (guint n)
{
  GString *mbox = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *body = g_strnfill (i % 7 == 3 ? 600000 : 100 * i, 'x');

      g_string_append_printf (mbox, FROM_ "Message-ID: <%u@x>\nSubject: %u\n\n%s\n>From me\n\n", i, i, body);
    }
  return g_string_free (mbox, FALSE);
}

static void
test_a_large_message_is_rejected_alone (void)
{
  g_autofree char *mbox = large_mbox (12), *path = plug_write_file ("x.mbox", mbox, -1);
  const char *options[] = { "max-message", "500000", NULL };
  g_autoptr (Mails) mails = mails_read (path, options, NULL, 10);
  g_autofree char *subjects = mails_column (mails, "subject");

  assert_text (subjects, "0\n1\n2\n4\n5\n6\n7\n8\n9\n11\n");
  assert_text (mails->rejects->str, "x.mbox:22: is larger than max-message\nx.mbox:71: is larger than max-message\n");
}

static void
test_a_packed_mbox_is_read_alike (void)
{
  g_autofree char *mbox = large_mbox (12), *plain = plug_write_file ("x.mbox", mbox, -1), *packed = plug_path ("x.mbox.gz");
  gzFile out = gzopen (packed, "wb");

  assert_int (gzwrite (out, mbox, (unsigned) strlen (mbox)), (gint64) strlen (mbox));
  gzclose (out);
  g_autoptr (Mails) one = mails_read (plain, NULL, NULL, 10), other = mails_read (packed, NULL, NULL, 10);
  g_autofree char *first = mails_column (one, "identity"), *second = mails_column (other, "identity");

  assert_int (one->n_rows, 12);
  assert_text (second, first);
}

/* ---- Going on ---- */

/* From each position that was offered, the rest and nothing else comes. */
static void
goes_on_anywhere (const char *path)
{
  g_autoptr (Mails) whole = mails_read (path, NULL, NULL, 1);
  g_autofree char *all = mails_column (whole, "identity");
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);

  assert_true (whole->n_rows > 2);
  for (guint i = 0; i < whole->n_rows; i++)
    {
      g_autoptr (Mails) rest = mails_read (path, NULL, g_ptr_array_index (whole->positions, i), 10);
      g_autofree char *got = mails_column (rest, "identity"), *expected = g_strjoinv ("\n", lines + i + 1);

      assert_text (got, expected);
      assert_text (rest->warnings->str, "");
    }
}

static void
test_an_mbox_goes_on_at_any_message (void)
{
  g_autofree char *mbox = large_mbox (12), *path = plug_write_file ("x.mbox", mbox, -1);

  goes_on_anywhere (path);
}

static void
test_an_mbox_that_grew_is_read_on (void)
{
  g_autofree char *path = plug_write_file ("x.mbox", FROM_ "A: 1\n\none\n\n", -1);
  g_autoptr (Mails) before = mails_read (path, NULL, NULL, 10);

  g_free (plug_write_file ("x.mbox", FROM_ "A: 1\n\none\n\n" FROM_ "A: 2\n\ntwo\n\n", -1));
  g_autoptr (Mails) after = mails_read (path, NULL, g_ptr_array_index (before->positions, 0), 10);
  g_autofree char *texts = texts_of (after);

  assert_text (texts, "[two\n]");
  assert_text (after->warnings->str, "");
}

static void
test_an_mbox_that_changed_is_read_anew (void)
{
  g_autofree char *path = plug_write_file ("x.mbox", FROM_ "A: 1\n\none\n\n", -1);
  g_autoptr (Mails) before = mails_read (path, NULL, NULL, 10);

  g_free (plug_write_file ("x.mbox", FROM_ "A: 0\n\nzero\n\n" FROM_ "A: 2\n\ntwo\n\n", -1));
  g_autoptr (Mails) after = mails_read (path, NULL, g_ptr_array_index (before->positions, 0), 10);
  g_autofree char *texts = texts_of (after);

  assert_text (texts, "[zero\n][two\n]");
  assert_contains (after->warnings->str, "changed since the last run");
}

static void
test_single_files_go_on_at_any (void)
{
  static const char *const names[] = { "1.eml", "2.eml", "3.eml", "4.eml" };
  g_autofree char *pattern = plug_path ("[1-4].eml");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *message = g_strdup_printf ("Message-ID: <%u@x>\n\nHi\n", i);

      g_free (plug_write_file (names[i], message, -1));
    }
  goes_on_anywhere (pattern);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = plug_path (names[i]);

      g_remove (path);
    }
}

static void
test_one_id_with_other_content_is_told (void)
{
  g_autoptr (Mails) mails = read_mbox (FROM_ "Message-ID: <a@x>\n\none\n\n" FROM_ "Message-ID: <a@x>\n\none\n\n" FROM_ "Message-ID: <a@x>\n\ntwo\n", "auto");
  g_autofree char *first = mails_get (mails, 0, "identity"), *second = mails_get (mails, 1, "identity"), *third = mails_get (mails, 2, "identity");

  assert_text (second, first);
  assert_true (!g_str_equal (third, first));
  assert_text (mails->warnings->str, "Message-ID \"a@x\" is that of several mails with other content; each is a record of its own\n");
}

/* ---- Maildir ---- */

typedef struct
{
  const char *file, *message;
} Delivered;

static const Delivered delivered[] = {
  { "cur/100.a.host:2,S", "Message-ID: <1@x>\n\none\n" },
  { "new/101.b.host", "Message-ID: <2@x>\n\ntwo\n" },
  { "cur/102.c.host:2,RS", "Message-ID: <3@x>\n\nthree\n" },
  { "new/103.d.host", "Message-ID: <4@x>\n\nfour\n" },
  { "tmp/104.e.host", "Message-ID: <5@x>\n\nnot yet\n" },
  { ".Sent/cur/90.f.host:2,S", "Message-ID: <6@x>\n\nsent\n" },
  { ".Sent.2019/cur/80.g.host:2,S", "Message-ID: <7@x>\n\nsent long ago\n" },
};

static const char *const folders[] = { "", "/cur", "/new", "/tmp", "/.Sent", "/.Sent/cur", "/.Sent/new", "/.Sent.2019", "/.Sent.2019/cur",
                                       "/.Sent.2019/new" };

static void
empty_maildir (const char *path)
{
  g_autofree char *command = g_strdup_printf ("rm -rf '%s'", path);

  assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
}

static char *
make_maildir (void)
{
  char *path = plug_path ("Mail");

  empty_maildir (path);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *folder = g_strconcat (path, folders[i], NULL);

      g_mkdir (folder, 0700);
    }
  for (guint i = 0; i < G_N_ELEMENTS (delivered); i++)
    {
      g_autofree char *file = g_build_filename (path, delivered[i].file, NULL);

      g_assert_true (g_file_set_contents (file, delivered[i].message, -1, NULL));
    }
  return path;
}

static void
rename_in (const char *maildir, const char *from, const char *to)
{
  g_autofree char *old = g_build_filename (maildir, from, NULL), *new = g_build_filename (maildir, to, NULL);

  assert_int (g_rename (old, new), 0);
}

static void
test_a_maildir_has_what_is_delivered (void)
{
  g_autofree char *path = make_maildir ();
  g_autoptr (Mails) mails = mails_read (path, NULL, NULL, 10);
  g_autofree char *ids = mails_column (mails, "message_id"), *folder = mails_get (mails, 0, "folder"), *origin = mails_origin (mails, 1);

  assert_text (ids, "1@x\n2@x\n3@x\n4@x\n");
  assert_text (folder, "INBOX");
  assert_true (g_str_has_suffix (origin, "/Mail/new/101.b.host:1"));
  empty_maildir (path);
}

static void
test_subfolders_come_by_a_pattern (void)
{
  g_autofree char *path = make_maildir (), *pattern = g_strconcat (path, "/.*", NULL);
  g_autoptr (Mails) mails = mails_read (pattern, NULL, NULL, 10);
  g_autofree char *ids = mails_column (mails, "message_id"), *names = mails_column (mails, "folder");

  assert_text (ids, "6@x\n7@x\n");
  assert_text (names, "Sent\nSent.2019\n");
  empty_maildir (path);
}

static void
test_a_maildir_goes_on_at_any_message (void)
{
  g_autofree char *path = make_maildir ();

  goes_on_anywhere (path);
  empty_maildir (path);
}

/* In the order seen, answered, flagged, draft, deleted, passed; what a Maildir's own program means by small letters is not known. */
static void
test_a_maildir_keeps_flags_in_names (void)
{
  g_autofree char *path = make_maildir ();

  rename_in (path, "new/101.b.host", "cur/101.b.host:2,DFPRSTab");
  rename_in (path, "new/103.d.host", "cur/103.d.host:1,S");
  rename_in (path, "cur/102.c.host:2,RS", "cur/102.c.host:2,RT");
  g_autoptr (Mails) mails = mails_read (path, NULL, NULL, 10);
  g_autofree char *flags = mails_column (mails, "flags");

  assert_text (flags, "[\"seen\"]\n[\"seen\", \"answered\", \"flagged\", \"draft\", \"deleted\", \"passed\"]\n"
                      "[\"answered\", \"deleted\"]\n[]\n");
  empty_maildir (path);
}

typedef struct
{
  const char *label, *mbox, *flags;
} Status;

static const Status statuses[] = {
  { "read", FROM_ "Status: RO\nSubject: a\n\n", "[\"seen\"]" },
  { "all there are", FROM_ "Subject: a\nX-Status: TDFA\nStatus:R\n\n", "[\"seen\", \"answered\", \"flagged\", \"draft\", \"deleted\"]" },
  { "a draft", FROM_ "X-Status: T\nSubject: a\n\n", "[\"draft\"]" },
  { "looked at and not read, in any case", FROM_ "status: O\r\nsubject: a\r\n\r\n", "[]" },
  { "said of nothing", FROM_ "Subject: a\nX-Status-Of: A\n\nStatus: RO\n", "~" },
  { "a mail of nothing else, cut short", FROM_ "Status: RO", "[\"seen\"]" },
};

static void
test_an_mbox_keeps_flags_in_headers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    {
      g_autoptr (Mails) mails = read_mbox (statuses[i].mbox, "auto");
      g_autofree char *flags = mails_get (mails, 0, "flags");

      assert_row_text (statuses[i].label, flags, statuses[i].flags);
    }
}

static void
test_a_file_of_its_own_has_no_flags (void)
{
  g_autoptr (Mails) mails = mails_read_message ("Status: RO\nSubject: a\n\n", -1, NULL);
  g_autofree char *flags = mails_get (mails, 0, "flags");

  assert_text (flags, "~");
}

/* Somebody reads his mail between the runs, and more comes. */
static void
test_flags_do_not_make_another_message (void)
{
  g_autofree char *path = make_maildir (), *late = g_build_filename (path, "new/105.h.host", NULL);
  g_autoptr (Mails) before = mails_read (path, NULL, NULL, 1);

  rename_in (path, "new/101.b.host", "cur/101.b.host:2,S");
  rename_in (path, "cur/100.a.host:2,S", "cur/100.a.host:2,FS");
  rename_in (path, "new/103.d.host", "cur/103.d.host:2,");
  g_assert_true (g_file_set_contents (late, "Message-ID: <8@x>\n\nlate\n", -1, NULL));
  g_autoptr (Mails) after = mails_read (path, NULL, g_ptr_array_index (before->positions, 1), 10);
  g_autofree char *ids = mails_column (after, "message_id");

  assert_text (ids, "3@x\n4@x\n8@x\n");
  assert_text (after->warnings->str, "");
  empty_maildir (path);
}

static void
test_a_message_that_moves_while_it_is_read_is_found (void)
{
  g_autofree char *path = make_maildir ();
  g_autoptr (Plug) plug = plug_new ("email", TALLY_SOURCE, "email");
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  plug_set (plug, "path", path);
  assert_true (plug_open (plug, NULL, &error));
  g_autoptr (TallyBatch) first = plug_read_batch (plug, 1, &error);
  assert_int (tally_batch_n_rows (first), 1);
  rename_in (path, "new/101.b.host", "cur/101.b.host:2,S");
  rename_in (path, "cur/102.c.host:2,RS", "tmp/gone");
  plug_read_all (plug, 10, out, &error);
  assert_no_error (error);
  assert_contains (out->str, "2@x");
  assert_true (strstr (out->str, "3@x") == NULL);
  assert_contains (out->str, "4@x");
  empty_maildir (path);
}

static void
test_a_folder_that_is_no_maildir_is_said (void)
{
  g_autofree char *path = plug_path ("");
  g_autoptr (Mails) mails = mails_read (path, NULL, NULL, 10);

  assert_contains (mails->error, "is no Maildir: it has no folders \"new\" and \"cur\"");
}

/* ---- All of them ---- */

static void
test_a_mail_is_one_in_mbox_maildir_and_file (void)
{
  static const char message[] = "Received: x\nMessage-ID: <1@x>\nSubject: a\n\n>From me\n\nFrom you\n";
  g_autofree char *path = make_maildir (), *cur = g_build_filename (path, "cur/000.z.host:2,S", NULL);
  g_autofree char *crlf = g_strdup ("Received: y\r\nMessage-ID: <1@x>\r\nSubject: a\r\n\r\n>From me\r\n\r\nFrom you\r\n");

  g_assert_true (g_file_set_contents (cur, message, -1, NULL));
  g_autoptr (Mails) maildir = mails_read (path, NULL, NULL, 10), file = mails_read_message (crlf, -1, NULL);
  g_autoptr (Mails) rd = read_mbox (FROM_ "Status: RO\nMessage-ID: <1@x>\nSubject: a\n\n>>From me\n\n>From you\n\n", "mboxrd");
  g_autoptr (Mails) o = read_mbox (FROM_ "Message-ID: <1@x>\nX-Status: A\nSubject: a\n\n>From me\n\n>From you\n\n", "mboxo");
  Mails *all[] = { file, rd, o };
  g_autofree char *identity = mails_get (maildir, 0, "identity");

  assert_true (g_str_has_prefix (identity, "1@x/"));
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autofree char *other = mails_get (all[i], 0, "identity");

      assert_text (other, identity);
    }
  empty_maildir (path);
}

static const Promise promises[] = {
  { "an mbox is split as it was written", test_an_mbox_is_split_as_it_was_written },
  { "what is no mbox is said", test_what_is_no_mbox_is_said },
  { "a message is named by its line", test_a_message_is_named_by_its_line },
  { "a large message is rejected alone", test_a_large_message_is_rejected_alone },
  { "a packed mbox is read alike", test_a_packed_mbox_is_read_alike },
  { "an mbox goes on at any message", test_an_mbox_goes_on_at_any_message },
  { "an mbox that grew is read on", test_an_mbox_that_grew_is_read_on },
  { "an mbox that changed is read anew", test_an_mbox_that_changed_is_read_anew },
  { "single files go on at any", test_single_files_go_on_at_any },
  { "one id with other content is told", test_one_id_with_other_content_is_told },
  { "a Maildir has what is delivered", test_a_maildir_has_what_is_delivered },
  { "subfolders come by a pattern", test_subfolders_come_by_a_pattern },
  { "a Maildir keeps flags in names", test_a_maildir_keeps_flags_in_names },
  { "an mbox keeps flags in headers", test_an_mbox_keeps_flags_in_headers },
  { "a file of its own has no flags", test_a_file_of_its_own_has_no_flags },
  { "a Maildir goes on at any message", test_a_maildir_goes_on_at_any_message },
  { "flags do not make another message", test_flags_do_not_make_another_message },
  { "a message that moves while it is read is found", test_a_message_that_moves_while_it_is_read_is_found },
  { "a folder that is no Maildir is said", test_a_folder_that_is_no_maildir_is_said },
  { "a mail is one in mbox, Maildir and file", test_a_mail_is_one_in_mbox_maildir_and_file },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("email files", promises, argc, argv);
}
