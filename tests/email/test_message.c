/* test_message.c: what the columns of a message promise */
#include "mails.h"
#include "promise.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  const char *label, *message, *column, *expected;
} Case;

#define FROM "From: Jane Doe <jane@example.org>\n"

static const Case headers[] = {
  { "a name and an address", FROM "\nx\n", "from", "[{\"name\": \"Jane Doe\", \"address\": \"jane@example.org\"}]" },
  { "the name alone", FROM "\nx\n", "from_name", "Jane Doe" },
  { "the address alone", FROM "\nx\n", "from_address", "jane@example.org" },
  { "an address without a name", "From: jane@example.org\n\n", "from_name", "~" },
  { "several, in words of RFC 2047", "To: =?utf-8?q?J=C3=BCrgen?= <j@x.de>, \"Doe, John\" <d@x.de>\n\n", "to",
    "[{\"name\": \"Jürgen\", \"address\": \"j@x.de\"}, {\"name\": \"Doe, John\", \"address\": \"d@x.de\"}]" },
  { "a group as its members", "Cc: Friends: a@x.de, B <b@x.de>;\n\n", "cc",
    "[{\"name\": null, \"address\": \"a@x.de\"}, {\"name\": \"B\", \"address\": \"b@x.de\"}]" },
  { "an empty group", "To: undisclosed-recipients:;\n\n", "to", "[]" },
  { "no such field", FROM "\n", "reply_to", "~" },
  { "a subject of two charsets", "Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?b?w7xiZXI=?=\n\n", "subject", "Grüßeüber" },
  { "a folded subject", "Subject: one\n two\n\n", "subject", "one two" },
  { "a subject in raw UTF-8", "Subject: Grüße\n\n", "subject", "Grüße" },
  { "a subject in raw windows-1252", "Subject: Gr\xfc\xdf\x80\n\n", "subject", "Grüß€" },
  { "a character in two words", "Subject: =?utf-8?B?5pc=?=\n =?UTF-8?b?pQ==?= x\n\n", "subject", "日 x" },
  { "windows-1252 by another name", "Subject: =?iso-8859-1?Q?=93a_b=94_=80?=\n\n", "subject", "“a b” €" },
  { "Shift_JIS that is more", "Subject: =?shift_jis?B?k/qHQA==?=\n\n", "subject", "日①" },
  { "a language", "Subject: =?iso-8859-1*de?q?=FC?=\n\n", "subject", "ü" },
  { "a word that is none", "Subject: =?utf-8?x?a?= =?\n\n", "subject", "=?utf-8?x?a?= =?" },
  { "a word in words", "Subject: a =?utf-8?q?b?= c =?utf-8?q?d?= =?utf-8?q?e?=\n\n", "subject", "a b c de" },
  { "bytes in the charset of the text", "Subject: \xa4\xa4\nContent-Type: text/plain; charset=big5\n\nx\n", "subject", "中" },
  { "a name in two words", "From: =?utf-8?B?5pc=?= =?utf-8?B?pQ==?= <a@x>\n\n", "from", "[{\"name\": \"日\", \"address\": \"a@x\"}]" },
  { "a comma in a word", "To: =?iso-8859-1?q?Doe=2C_J=FC?= <a@x>, b@x\n\n", "to",
    "[{\"name\": \"Doe, Jü\", \"address\": \"a@x\"}, {\"name\": null, \"address\": \"b@x\"}]" },
  { "a field twice", "To: a@x\nTo: b@x\n\n", "to", "[{\"name\": null, \"address\": \"a@x\"}, {\"name\": null, \"address\": \"b@x\"}]" },
  { "no address at all", "From: nobody (really) there\n\n", "from_address", "~" },
  { "a subject of blanks", "Subject:  \n\n", "subject", "~" },
  { "an unknown charset", "Subject: =?NONE?B?VEVTVA==?=\n\n", "subject", "TEST" },
  { "all fields in order", "X-B: 1\nContent-Type: text/plain\nX-A: =?utf-8?q?=C3=BC?=\nX-B: 2\n\n", "headers",
    "[[\"X-B\", \"1\"], [\"Content-Type\", \"text/plain\"], [\"X-A\", \"ü\"], [\"X-B\", \"2\"]]" },
  { "a line that a mailbox left", ">From j@x\nMessage-ID: <a.b@c>\n\n", "message_id", "a.b@c" },
  { "a blank before the colon", "From : j@x\nMessage-ID: <a.b@c>\n\n", "from_address", "j@x" },
  { "an id", "Message-ID: <a.b@c>\n\n", "message_id", "a.b@c" },
  { "an id without brackets", "Message-ID: a.b@c\n\n", "message_id", "a.b@c" },
  { "no id", FROM "\n", "message_id", "~" },
  { "what it replies to", "In-Reply-To: <p@x>\n\n", "in_reply_to", "p@x" },
  { "what it replies to, in a sentence", "In-Reply-To: Your message of Monday <p@x>\n\n", "in_reply_to", "p@x" },
  { "its ancestors", "References: <a@x> <b@x>\n\t<c@x>\n\n", "references", "[\"a@x\", \"b@x\", \"c@x\"]" },
  { "a thread by the oldest ancestor", "Message-ID: <d@x>\nIn-Reply-To: <c@x>\nReferences: <a@x> <c@x>\n\n", "thread_id", "a@x" },
  { "a thread by what it replies to", "Message-ID: <d@x>\nIn-Reply-To: <c@x>\n\n", "thread_id", "c@x" },
  { "a thread of its own", "Message-ID: <d@x>\n\n", "thread_id", "d@x" },
  { "automatic mail", "Auto-Submitted: Auto-Replied (vacation)\n\n", "auto_submitted", "auto-replied" },
  { "a list", "List-Id: Friends of x <friends.example.org>\n\n", "list_id", "friends.example.org" },
  { "a list without brackets", "List-Id: friends.example.org\n\n", "list_id", "friends.example.org" },
  { "the size, whatever ends the lines", "Subject: x\r\n\r\ny\r\n", "size", "14" },
};

static const Case dates[] = {
  { "a date", "Date: Fri, 21 Nov 1997 09:55:06 -0600\n\n", "date", "1997-11-21 15:55:06+00" },
  { "with a comment and an old zone", "Date: Fri, 21 Nov 97 09:55:06 EST (really)\n\n", "date", "1997-11-21 14:55:06+00" },
  { "none", "From: a@x\n\n", "date", "~" },
  { "none, but received",
    "Received: from a by b; Mon, 1 Jan 2001 00:00:02 +0000\nReceived: from c by a; Mon, 1 Jan 2001 00:00:01 +0000\n\n", "date",
    "2001-01-01 00:00:02+00" },
  { "a broken one, but received", "Received: from a by b; Mon, 1 Jan 2001 00:00:02 +0000\nDate: yesterday\n\n", "date",
    "2001-01-01 00:00:02+00" },
  { "the topmost that can be read",
    "Received: from a by b\nReceived: by x; never\nReceived: from c by a; Mon, 1 Jan 2001 00:00:01 +0000\n\n", "date",
    "2001-01-01 00:00:01+00" },
  { "a year that is none", "Date: Fri, 21 Nov 9997 09:55:06 +0000\n\n", "date", "~" },
};

#define TEXT(charset, encoding, body)                                                                                  \
  "Content-Type: text/plain; charset=" charset "\nContent-Transfer-Encoding: " encoding "\n\n" body

static const Case texts[] = {
  { "no charset, ASCII", "Subject: x\n\nHi\n", "text", "Hi\n" },
  { "no charset, UTF-8", "Subject: x\n\nGrüße\n", "text", "Grüße\n" },
  { "no charset, bytes", "Subject: x\n\nGr\xfc\xdf\x65 \x80\n", "text", "Grüße €\n" },
  { "us-ascii that is none", TEXT ("us-ascii", "8bit", "\xfc\n"), "text", "ü\n" },
  { "iso-8859-1 that is windows-1252", TEXT ("ISO-8859-1", "8bit", "\x80 \x93x\x94\n"), "text", "€ “x”\n" },
  { "iso-8859-2", TEXT ("iso-8859-2", "8bit", "\xb1\xe6\n"), "text", "ąć\n" },
  { "iso-8859-15", TEXT ("iso-8859-15", "quoted-printable", "=A4\n"), "text", "€\n" },
  { "koi8-r", TEXT ("koi8-r", "8bit", "\xf0\xd2\xc9\n"), "text", "При\n" },
  { "windows-1251", TEXT ("windows-1251", "8bit", "\xcf\xf0\xe8\n"), "text", "При\n" },
  { "windows-1256", TEXT ("windows-1256", "8bit", "\xe3\xd1\n"), "text", "مر\n" },
  { "iso-8859-8-i", TEXT ("iso-8859-8-i", "8bit", "\xf9\xec\n"), "text", "של\n" },
  { "tis-620", TEXT ("tis-620", "8bit", "\xa1\xa2\n"), "text", "กข\n" },
  { "shift_jis", TEXT ("Shift_JIS", "8bit", "\x93\xfa\x96\x7b\x87\x40\n"), "text", "日本①\n" },
  { "euc-jp", TEXT ("EUC-JP", "8bit", "\xc6\xfc\xcb\xdc\n"), "text", "日本\n" },
  { "iso-2022-jp", TEXT ("ISO-2022-JP", "7bit", "\x1b$BF|K\\\x1b(B\n"), "text", "日本\n" },
  { "gb2312 that is more", TEXT ("gb2312", "8bit", "\xd6\xd0\xe9\x46\n"), "text", "中镕\n" },
  { "gbk", TEXT ("GBK", "8bit", "\xd6\xd0\n"), "text", "中\n" },
  { "big5", TEXT ("Big5", "8bit", "\xa4\xa4\n"), "text", "中\n" },
  { "ks_c_5601-1987", TEXT ("ks_c_5601-1987", "8bit", "\xc7\xd1\xb1\xdb\n"), "text", "한글\n" },
  { "euc-kr", TEXT ("euc-kr", "base64", "x9Gx2wo=\n"), "text", "한글\n" },
  { "utf-7", TEXT ("utf-7", "7bit", "+AOQ-\n"), "text", "ä\n" },
  { "utf-16 with a mark", TEXT ("utf-16", "base64", "//5IAGkA"), "text", "Hi" },
  { "utf-8 with a mark", TEXT ("utf-8", "8bit", "\xef\xbb\xbfHi\n"), "text", "Hi\n" },
  { "utf-8 with a bad byte", TEXT ("utf-8", "8bit", "a\xff" "b\n"), "text", "a\xef\xbf\xbd" "b\n" },
  { "a charset that nobody knows", TEXT ("x-unheard-of", "8bit", "Gr\xfc\n"), "text", "Grü\n" },
  { "a charset with dirt", TEXT ("\"utf-8;\"", "8bit", "ü\n"), "text", "ü\n" },
  { "CR LF", "Subject: x\r\n\r\na\r\nb\r\n", "text", "a\nb\n" },
  { "CR LF within base64", TEXT ("utf-8", "base64", "YQ0KYg0K\n"), "text", "a\nb\n" },
  { "an unknown encoding", TEXT ("utf-8", "x-odd", "ü\n"), "text", "ü\n" },
  { "HTML that names its charset", "Content-Type: text/html\n\n<meta charset=\"koi8-r\"><p>\xf0\xd2\xc9</p>", "best_text", "При" },
};

#define FLOWED(more, body) "Content-Type: text/plain; format=flowed" more "\n\n" body

static const Case flows[] = {
  { "a paragraph", FLOWED ("", "one \ntwo \nthree\nfour\n"), "text", "one two three\nfour\n" },
  { "not flowed", "Content-Type: text/plain\n\none \ntwo\n", "text", "one \ntwo\n" },
  { "blanks that are no part of it", FLOWED ("; delsp=yes", "\xe6\x97\xa5 \n\xe6\x9c\xac\n"), "text", "日本\n" },
  { "quotes", FLOWED ("", "> one \n> two\n>> deep \n> three\nown\n"), "text", "> one two\n>> deep \n> three\nown\n" },
  { "stuffing", FLOWED ("", " >no quote\n From me\n  a blank\n"), "text", ">no quote\nFrom me\n a blank\n" },
  { "a signature", FLOWED ("", "bye \n-- \nJane\n"), "text", "bye \n-- \nJane\n" },
  { "an end in the middle", FLOWED ("", "one \ntwo "), "text", "one two " },
};

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"
#define ALTERNATIVE "Content-Type: multipart/alternative; boundary=a\n\n"
#define RELATED "Content-Type: multipart/related; boundary=r\n\n"
#define HTML "Content-Type: text/html\n\n"
#define HI_SHA256 "3639efcd08abb273b1619e82e78c29a7df02c1051b1820e99fc395dcaa3326b8"

static const Case bodies[] = {
  { "an alternative's text", ALTERNATIVE "--a\n\nplain\n--a\n" HTML "<p>rich</p>\n--a--\n", "text", "plain" },
  { "an alternative's HTML", ALTERNATIVE "--a\n\nplain\n--a\n" HTML "<p>rich</p>\n--a--\n", "html", "<p>rich</p>" },
  { "its best text", ALTERNATIVE "--a\n\nplain\n--a\n" HTML "<p>rich</p>\n--a--\n", "best_text", "plain" },
  { "an empty text beside HTML", ALTERNATIVE "--a\n\n \n--a\n" HTML "<p>rich</p>\n--a--\n", "best_text", "rich" },
  { "HTML with its pictures beside a text", ALTERNATIVE "--a\n\nplain\n--a\n" RELATED "--r\n" HTML "<p>rich</p>\n--r--\n--a--\n", "best_text",
    "plain" },
  { "HTML with its pictures", ALTERNATIVE "--a\n\nplain\n--a\n" RELATED "--r\n" HTML "<p>rich</p>\n--r--\n--a--\n", "html", "<p>rich</p>" },
  { "a text that belongs to neither form is attached",
    ALTERNATIVE "--a\n\nplain\n--a\n" MIXED "--b\n" HTML "<p>rich</p>\n--b\n\nHi\n--b--\n--a--\n", "attachments",
    "[{\"cid\": null, \"name\": null, \"size\": 2, \"type\": \"text/plain\", \"sha256\": \"" HI_SHA256 "\", \"disposition\": null}]" },
  { "HTML alone is no text", HTML "<p>a<br>b</p>\n", "text", "~" },
  { "HTML alone, made readable", HTML "<p>a<br>b</p>\n", "best_text", "a\nb" },
  { "texts one after the other", MIXED "--b\n\none\n--b\n\ntwo\n--b--\n", "text", "one\ntwo" },
  { "a text between two of HTML", MIXED "--b\n" HTML "<p>one\n--b\n\ntwo\n--b\n" HTML "<p>three\n--b--\n", "best_text", "one\ntwo\nthree" },
  { "a text with a name is attached", MIXED "--b\n\none\n--b\nContent-Type: text/plain; name=log.txt\n\ntwo\n--b--\n", "text", "one" },
  { "a text that is to be attached", MIXED "--b\nContent-Disposition: attachment\n\none\n--b--\n", "text", "~" },
  { "a boundary that never comes", MIXED "\nlost text\n", "text", "\nlost text\n" },
  { "an end that never comes", MIXED "--b\n\none\n", "text", "one\n" },
  { "multipart without a boundary", "Content-Type: multipart/mixed\n\nsome text\n", "attachments", "[]" },
  { "no body", "Subject: x\n", "text", "" },
};

#define PART(type, more) MIXED "--b\nContent-Type: " type "\n" more "Content-Transfer-Encoding: base64\n\nSGk=\n--b--\n"

static const Case names[] = {
  { "quoted", PART ("a/b; name=\"x y.txt\"", ""), "attachments", "x y.txt" },
  { "by the disposition", PART ("a/b; name=1.txt", "Content-Disposition: attachment; filename=2.txt\n"), "attachments", "2.txt" },
  { "RFC 2231, with a charset", PART ("a/b", "Content-Disposition: attachment; filename*=iso-8859-1''Gr%FC%DFe.txt\n"), "attachments",
    "Grüße.txt" },
  { "RFC 2231, in pieces",
    PART ("a/b", "Content-Disposition: attachment; filename*0*=utf-8''%E2%82;\n filename*1*=%AC;\n filename*2=\".txt\"\n"), "attachments",
    "€.txt" },
  { "RFC 2047, which is forbidden there", PART ("a/b; name=\"=?utf-8?B?w7wudHh0?=\"", ""), "attachments", "ü.txt" },
  { "RFC 2047, a character in two words", PART ("a/b; name=\"=?utf-8?B?5pc=?= =?utf-8?B?pS50eHQ=?=\"", ""), "attachments", "日.txt" },
  { "raw bytes", PART ("a/b; name=\"\xfc.txt\"", ""), "attachments", "ü.txt" },
  { "a way to somewhere else", PART ("a/b; name=\"../../etc/passwd\"", ""), "attachments", "passwd" },
  { "a line break", PART ("a/b", "Content-Disposition: attachment; filename*=utf-8''a%0Ab\n"), "attachments", "a_b" },
  { "the subject of a message, which is no folder", MIXED "--b\nContent-Type: message/rfc822\n\nSubject: 1/2\n\nx\n--b--\n", "attachments",
    "1_2.eml" },
  { "a way to somewhere else, on Windows", PART ("a/b; name=\"C:\\\\windows\\\\x.dll\"", ""), "attachments", "x.dll" },
};

static void
hold (const Case *cases, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (Mails) mails = mails_read_message (cases[i].message, -1, NULL);
      g_autofree char *value = mails_get (mails, 0, cases[i].column);

      assert_row_text (cases[i].label, value, cases[i].expected);
    }
}

static void
test_header_fields_become_columns (void)
{
  hold (headers, G_N_ELEMENTS (headers));
}

static void
test_a_date_is_found_where_there_is_one (void)
{
  hold (dates, G_N_ELEMENTS (dates));
}

static void
test_text_is_read_in_any_charset (void)
{
  hold (texts, G_N_ELEMENTS (texts));
}

static void
test_flowed_text_has_its_own_lines (void)
{
  hold (flows, G_N_ELEMENTS (flows));
}

static void
test_the_body_is_what_a_reader_shows (void)
{
  hold (bodies, G_N_ELEMENTS (bodies));
}

static void
test_attachments_have_their_names (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (Mails) mails = mails_read_message (names[i].message, -1, NULL);
      g_autofree char *value = mails_get (mails, 0, "attachments");
      g_autofree char *part = g_strdup_printf ("\"name\": \"%s\"", names[i].expected);

      if (strstr (value, part) == NULL)
        assert_row_text (names[i].label, value, part);
    }
}

/* ---- Attachments ---- */

static void
test_an_attachment_is_told_whole (void)
{
  static const char message[] = MIXED "--b\nContent-Type: image/PNG\nContent-ID: <i@x>\nContent-Disposition: inline; filename=a.png\n"
                                      "Content-Transfer-Encoding: base64\n\nSGk=\n--b\nContent-Type: message/rfc822\n\nSubject: inner\n\nbody\n--b--\n";
  g_autoptr (Mails) mails = mails_read_message (message, -1, NULL);
  g_autofree char *value = mails_get (mails, 0, "attachments");

  assert_contains (value, "{\"cid\": \"i@x\", \"name\": \"a.png\", \"size\": 2, \"type\": \"image/png\", \"sha256\": \"" HI_SHA256
                          "\", \"disposition\": \"inline\"}");
  assert_contains (value, "\"name\": \"inner.eml\", \"size\": 20, \"type\": \"message/rfc822\"");
}

static void
test_binary_content_keeps_its_line_ends (void)
{
  static const char message[] = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b\r\nContent-Transfer-Encoding: %s\r\n\r\n"
                                "a\r\nb\r\n--b--\r\n";
  g_autofree char *binary = g_strdup_printf (message, "binary"), *lines = g_strdup_printf (message, "8bit");
  g_autoptr (Mails) one = mails_read_message (binary, -1, NULL), other = mails_read_message (lines, -1, NULL);
  g_autofree char *first = mails_get (one, 0, "attachments"), *second = mails_get (other, 0, "attachments");

  assert_contains (first, "\"size\": 4");
  assert_contains (second, "\"size\": 3");
}

static void
test_content_is_kept_under_its_hash (void)
{
  g_autofree char *folder = plug_path ("kept"), *file = plug_path ("kept/" HI_SHA256), *content = NULL;
  const char *options[] = { "attachments-folder", folder, NULL };

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Mails) mails = mails_read_message (PART ("a/b; name=\"../x\"", ""), -1, options);
      g_autofree char *value = mails_get (mails, 0, "attachments"), *path = g_strdup_printf ("\"path\": \"%s\"", file);

      assert_contains (value, path);
    }
  assert_true (g_file_get_contents (file, &content, NULL, NULL));
  assert_text (content, "Hi");
  g_remove (file);
  assert_int (g_rmdir (folder), 0); /* and nothing else is left */
}

/* ---- Bounces ---- */

static void
test_a_bounce_tells_who_was_not_reached (void)
{
  static const char message[]
      = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
        "Final-Recipient: rfc822; jane@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such\n user\n\n"
        "Final-Recipient: RFC822;joe@example.org\nAction: delayed\nStatus: 4.4.1\n\n"
        "--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <o@x>\nSubject: original\n--b--\n";
  g_autoptr (Mails) mails = mails_read_message (message, -1, NULL);
  g_autofree char *value = mails_get (mails, 0, "bounce");

  assert_text (value,
               "{\"recipients\": [{\"action\": \"failed\", \"status\": \"5.1.1\", \"recipient\": \"jane@example.org\", \"diagnostic\": "
               "\"550 no such user\"}, {\"action\": \"delayed\", \"status\": \"4.4.1\", \"recipient\": \"joe@example.org\", "
               "\"diagnostic\": null}], \"original_message_id\": \"o@x\"}");
}

/* ---- Identity ---- */

#define MAIL(id, body) "Message-ID: <" id ">\nDate: Fri, 21 Nov 1997 09:55:06 -0600\nSubject: a subject\n\n" body

/* Pairs: is it the same mail? */
static const struct
{
  const char *label, *one, *other;
  gboolean same;
} pairs[] = {
  { "line ends", "Message-ID: <a@x>\n\none\n\ntwo\n", "Message-ID: <a@x>\r\n\r\none\r\n\r\ntwo\r\n", TRUE },
  { "fields of its way", MAIL ("a@x", "one\n"),
    "Return-Path: <b@x>\nDelivered-To: c@x\nReceived: by d; x\nX-Status: RO\nStatus: RO\nContent-Length: 4\nX-UID: 7\n" MAIL ("a@x", "one\n"), TRUE },
  { "folding", MAIL ("a@x", "one\n"), "Message-ID:\n  <a@x>\nDate: Fri, 21 Nov 1997\n\t09:55:06 -0600\nsubject:  a   subject \n\none\n", TRUE },
  { "lines that begin with From", MAIL ("a@x", "From me\n>From you\n"), MAIL ("a@x", ">From me\n>>From you\n"), TRUE },
  { "empty lines at the end", MAIL ("a@x", "one\n"), MAIL ("a@x", "one\n\n\n"), TRUE },
  { "no end of the last line", MAIL ("a@x", "one\n"), MAIL ("a@x", "one"), TRUE },
  { "other content under one id", MAIL ("a@x", "one\n"), MAIL ("a@x", "two\n"), FALSE },
  { "another subject under one id", "Message-ID: <a@x>\nSubject: a\n\nx\n", "Message-ID: <a@x>\nSubject: b\n\nx\n", FALSE },
  { "another id", MAIL ("a@x", "one\n"), MAIL ("b@x", "one\n"), FALSE },
  { "no id", "Subject: x\n\none\n", "Received: by d; x\nSubject: x\n\none\n", TRUE },
  { "no id, another date", "Date: x\n\none\n", "Date: y\n\none\n", FALSE },
  { "an empty line within", MAIL ("a@x", "one\ntwo\n"), MAIL ("a@x", "one\n\ntwo\n"), FALSE },
};

static void
test_a_mail_is_one_wherever_it_lay (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autoptr (Mails) one = mails_read_message (pairs[i].one, -1, NULL), other = mails_read_message (pairs[i].other, -1, NULL);
      g_autofree char *first = mails_get (one, 0, "identity"), *second = mails_get (other, 0, "identity");

      assert_row_int (pairs[i].label, g_str_equal (first, second), pairs[i].same);
    }
}

/* What the ledger has as keys must not change with a release. */
static void
test_an_identity_stays_what_it_was (void)
{
  g_autoptr (Mails) with = mails_read_message (MAIL ("a@x", "one\n"), -1, NULL);
  g_autoptr (Mails) without = mails_read_message ("Subject: x\n\none\n", -1, NULL);
  g_autofree char *first = mails_get (with, 0, "identity"), *second = mails_get (without, 0, "identity");

  assert_text (first, "a@x/cbe5c58ac56d57b8");
  assert_text (second, "f332376e11348a851dd684d0a73d6e1b");
}

/* ---- Limits ---- */

static char *
repeated (const char *start, const char *piece, guint n)
{
  GString *text = g_string_new (start);

  for (guint i = 0; i < n; i++)
    g_string_append (text, piece);
  return g_string_free (text, FALSE);
}

static void
test_a_message_beyond_the_limits_is_rejected_alone (void)
{
  static const struct
  {
    const char *label, *start, *piece;
    guint n;
    const char *option, *limit, *reason;
  } cases[] = {
    { "bytes", "\n", "x", 200, "max-message", "200", "is larger than max-message" },
    { "parts", MIXED, "--b\n\n", 11, "max-parts", "10", "has more than 10 lines that could begin a part (max-parts)" },
    { "fields", "", "A: b\n", 11, "max-headers", "10", "has more than 10 header fields (max-headers)" },
    { "fields of parts", MIXED "--b\n", "A: b\n", 11, "max-headers", "10", "has more than 10 header fields (max-headers)" },
    { "fields of messages in messages", "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n", "A: b\n", 11, "max-headers",
      "10", "has more than 10 header fields (max-headers)" },
    { "bytes of fields", "A: ", "bcdefghij", 11, "max-header-size", "100", "has header fields of more than 100 bytes (max-header-size)" },
    { "depth", "", "Content-Type: multipart/mixed; boundary=b\n\n--b\n", 4, "max-depth", "2", "has parts nested deeper than 2 (max-depth)" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *message = repeated (cases[i].start, cases[i].piece, cases[i].n);
      const char *options[] = { cases[i].option, cases[i].limit, NULL };
      g_autoptr (Mails) within = mails_read_message (message, -1, NULL), beyond = mails_read_message (message, -1, options);
      g_autofree char *reason = g_strdup_printf ("message.eml:1: %s\n", cases[i].reason);

      assert_row_int (cases[i].label, within->n_rows, 1);
      assert_row_int (cases[i].label, beyond->n_rows, 0);
      assert_row_text (cases[i].label, beyond->rejects->str, reason);
      assert_text (beyond->error, NULL);
    }
}

/* More than a stack has room for, by whichever way a parser goes down. */
static void
test_a_hostile_message_ends_no_run (void)
{
  static const struct
  {
    const char *start, *piece;
    guint n;
    const char *rejects;
  } cases[] = {
    { "From: ", "a:", 200000, "message.eml:1: has more than 1000 groups in a field of addresses\n" },
    { "From: ", "a:\n ", 200000, "message.eml:1: has more than 1000 groups in a field of addresses\n" },
    { "Content-Type: message(x)/rfc822\n\nTo: ", "a:", 200000, "message.eml:1: has more than 1000 groups in a field of addresses\n" },
    { "Content-Type: multipart/digest; boundary=b\n\n--b\n\nTo: ", "a:", 200000,
      "message.eml:1: has more than 1000 groups in a field of addresses\n" },
    { "From: ", "a:", 900, "" },
    { "From: ", "(", 400000, "" },
    { "Content-Type: text/plain; charset=utf-7\nFrom: \xe9", "a+ADo-", 150000, "" }, /* "a:" */
    { "Subject: ", "=?a?q?", 15000, "" },
    { "Subject: =?a?q?x?=", "=?a?q?", 15000, "" },
    { "To: ", "=?utf-8?q?a?= ", 6000, "" },
    { "", "Content-Type: message/rfc822\n\n", 9000, "" },
    { "", "Content-Type: multipart/mixed; boundary=b\n\n--b\n", 4000, "message.eml:1: has parts nested deeper than 50 (max-depth)\n" },
    { "Content-Type: text/html\n\n", "<ul><blockquote>", 100000, "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *message = repeated (cases[i].start, cases[i].piece, cases[i].n);
      g_autoptr (Mails) mails = mails_read_message (message, -1, NULL);

      assert_row_text (cases[i].piece, mails->rejects->str, cases[i].rejects);
      assert_row_text (cases[i].piece, mails->error, NULL);
    }
}

/* What was encoded was not counted. */
static void
test_a_hostile_report_ends_no_run (void)
{
  g_autofree char *header = repeated ("From: ", "a:", 200000);
  g_autofree char *encoded = g_base64_encode ((const guchar *) header, strlen (header));
  g_autofree char *message = g_strdup_printf (
      "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: x;y\n\n--b\n"
      "Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n%s\n--b--\n", encoded);
  g_autoptr (Mails) mails = mails_read_message (message, -1, NULL);
  g_autofree char *bounce = mails_get (mails, 0, "bounce");

  assert_contains (bounce, "\"original_message_id\": null");
}

/* Groups of nothing are no groups, and there are not more than ten thousand. */
static void
test_a_report_of_many_is_bounded (void)
{
  g_autoptr (GString) message = g_string_new ("Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n");
  g_autoptr (Mails) mails = NULL;
  g_autofree char *bounce = NULL;

  for (guint i = 0; i < 100000; i++)
    g_string_append (message, "\n\n\n\n");
  for (guint i = 1; i <= 10100; i++)
    g_string_append_printf (message, "Final-Recipient: rfc822; r%u@x\n\n", i);
  g_string_append (message, "--b--\n");
  mails = mails_read_message (message->str, -1, NULL);
  bounce = mails_get (mails, 0, "bounce");
  assert_contains (bounce, "\"r1@x\"");
  assert_contains (bounce, "\"r10000@x\"");
  assert_true (strstr (bounce, "\"r10001@x\"") == NULL);
}

static void
test_what_is_no_message_is_rejected (void)
{
  g_autoptr (Mails) mails = mails_read_message ("just words", -1, NULL);

  assert_text (mails->rejects->str, "message.eml:1: is no message: it has no header\n");
}

static const Promise promises[] = {
  { "header fields become columns", test_header_fields_become_columns },
  { "a date is found where there is one", test_a_date_is_found_where_there_is_one },
  { "text is read in any charset", test_text_is_read_in_any_charset },
  { "flowed text has its own lines", test_flowed_text_has_its_own_lines },
  { "the body is what a reader shows", test_the_body_is_what_a_reader_shows },
  { "attachments have their names", test_attachments_have_their_names },
  { "an attachment is told whole", test_an_attachment_is_told_whole },
  { "binary content keeps its line ends", test_binary_content_keeps_its_line_ends },
  { "content is kept under its hash", test_content_is_kept_under_its_hash },
  { "a bounce tells who was not reached", test_a_bounce_tells_who_was_not_reached },
  { "a mail is one wherever it lay", test_a_mail_is_one_wherever_it_lay },
  { "an identity stays what it was", test_an_identity_stays_what_it_was },
  { "a message beyond the limits is rejected alone", test_a_message_beyond_the_limits_is_rejected_alone },
  { "a hostile message ends no run", test_a_hostile_message_ends_no_run },
  { "a hostile report ends no run", test_a_hostile_report_ends_no_run },
  { "a report of many is bounded", test_a_report_of_many_is_bounded },
  { "what is no message is rejected", test_what_is_no_message_is_rejected },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("email message", promises, argc, argv);
}
