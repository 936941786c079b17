/* test_source.c: what the csv source promises to those who read a stranger's files */
#include "plug.h"
#include "promise.h"
#include <string.h>

/* A file, options (name, value, …) and what is read of it. */
typedef struct
{
  const char *label;
  const char *data;
  gssize length;
  const char *options[9];
  const char *expected;
} Case;

#define TEXT(data) data, sizeof (data) - 1

static const Case cases[] = {
  { "plain", TEXT ("a,b\n1,2\n3,4\n"), { NULL }, "a|b\nx.csv:2: 1|2\nx.csv:3: 3|4\n" },
  { "no line end at the end", TEXT ("a,b\n1,2"), { NULL }, "a|b\nx.csv:2: 1|2\n" },
  { "CR LF", TEXT ("a,b\r\n1,2\r\n3,\"4\"\r\n"), { NULL }, "a|b\nx.csv:2: 1|2\nx.csv:3: 3|4\n" },
  { "CR alone", TEXT ("a,b\r1,2\r\"3\",4\r"), { NULL }, "a|b\nx.csv:2: 1|2\nx.csv:3: 3|4\n" },
  { "mixed line ends", TEXT ("a,b\r1,2\n3,4\r\n5,6\r7,8"), { NULL },
    "a|b\nx.csv:2: 1|2\nx.csv:3: 3|4\nx.csv:4: 5|6\nx.csv:5: 7|8\n" },
  { "empty lines are no records", TEXT ("a,b\n\n1,2\n\r\n\r\r\n3,4\n\n"), { NULL }, "a|b\nx.csv:3: 1|2\nx.csv:7: 3|4\n" },
  { "an empty line in one column is NULL", TEXT ("a\n\n1\n\"\"\n"), { NULL }, "a\nx.csv:2: ~\nx.csv:3: 1\nx.csv:4: \n" },
  { "NULL is empty and unquoted", TEXT ("a,b,c\n,\"\",\n"), { NULL }, "a|b|c\nx.csv:2: ~||~\n" },
  { "quoted delimiter, quote and line breaks", TEXT ("a,b\n\"x,\"\"y\"\"\",\"1\n2\r\n3\r4\"\nz,w\n"), { NULL },
    "a|b\nx.csv:2: x,\"y\"|1\\n2\\r\\n3\\r4\nx.csv:6: z|w\n" },
  { "only quotes", TEXT ("a,b\n\"\"\"\",\"\"\"\"\"\"\n"), { NULL }, "a|b\nx.csv:2: \"|\"\"\n" },
  { "a quote within an unquoted field is a letter", TEXT ("a,b\n5\",6\" x\n7,8\n"), { NULL },
    "a|b\nx.csv:2: 5\"|6\" x\nx.csv:3: 7|8\n" },
  { "text after a closing quote", TEXT ("a,b\n\"x\"y,2\n3,4\n"), { NULL },
    "a|b\nx.csv:3: 3|4\nx.csv:2! column 1 has text after its closing quote\n" },
  { "a quote that is never closed", TEXT ("a,b\n1,2\n3,\"4\n5,6\n"), { NULL },
    "a|b\nx.csv:2: 1|2\nx.csv:3! the quote that opens in column 2 on line 3 is never closed; it takes in all up to "
    "the end of the file, line 4\n" },
  { "too short and too long", TEXT ("a,b\n1\n1,2,3\n4,5\n"), { NULL },
    "a|b\nx.csv:4: 4|5\nx.csv:2! has 1 field where there are 2 columns\nx.csv:3! has 3 fields where there are 2 columns\n" },
  { "padded", TEXT ("a,b\n1\n1,2,,\n1,2,3\n"), { "ragged", "pad" },
    "a|b\nx.csv:2: 1|~\nx.csv:3: 1|2\nx.csv:4! has 3 fields where there are 2 columns\n" },
  { "NUL", TEXT ("a,b\n1,\0\n3,4\n"), { NULL }, "a|b\nx.csv:3: 3|4\nx.csv:2! column 2 has a NUL byte\n" },
  { "not UTF-8", TEXT ("a,b\n1,\xe9t\xe9\n3,4\n5,\xc0\xaf\n7,\xed\xa0\x80\n\xf4\x90\x80\x80,1\n8,\xc3"), { NULL },
    "a|b\nx.csv:3: 3|4\nx.csv:2! column 2 has the byte 0xe9, which is not UTF-8; what is the file's encoding?\n"
    "x.csv:4! column 2 has the byte 0xc0, which is not UTF-8; what is the file's encoding?\n"
    "x.csv:5! column 2 has the byte 0xed, which is not UTF-8; what is the file's encoding?\n"
    "x.csv:6! column 1 has the byte 0xf4, which is not UTF-8; what is the file's encoding?\n"
    "x.csv:7! column 2 has the byte 0xc3, which is not UTF-8; what is the file's encoding?\n" },
  { "UTF-8 of all lengths", TEXT ("a,b\n\xc3\xa9,\xe2\x82\xac\n\xf0\x9f\x98\x80,\xf4\x8f\xbf\xbf\n"), { NULL },
    "a|b\nx.csv:2: \xc3\xa9|\xe2\x82\xac\nx.csv:3: \xf0\x9f\x98\x80|\xf4\x8f\xbf\xbf\n" },
  { "windows-1252", TEXT ("a\n\x80 \xe9\n\x81\nz\n"), { "encoding", "windows-1252" },
    "a\nx.csv:2: \xe2\x82\xac \xc3\xa9\nx.csv:4: z\nx.csv:3! column 1 has a byte that means nothing in windows-1252\n" },
  { "UTF-8 with a mark", TEXT ("\xef\xbb\xbf\"a\",b\n1,2\n"), { NULL }, "a|b\nx.csv:2: 1|2\n" },
  { "UTF-16LE with a mark", TEXT ("\xff\xfe" "a\0,\0b\0\n\0" "1\0,\0\xac\x20\n\0"), { NULL }, "a|b\nx.csv:2: 1|\xe2\x82\xac\n" },
  { "UTF-16BE with a mark", TEXT ("\xfe\xff\0a\0,\0b\0\n\0" "1\0,\x20\xac\0\n"), { NULL }, "a|b\nx.csv:2: 1|\xe2\x82\xac\n" },
  { "half a surrogate", TEXT ("\xff\xfe" "a\0\n\0\x3d\xd8\n\0z\0\n\0"), { NULL },
    "a\nx.csv:3: z\nx.csv:2! column 1 has a byte that means nothing in UTF-16LE\n" },
  { "an encoding that is not there", TEXT ("a\n"), { "encoding", "klingon" },
    "error: there is no encoding \"klingon\"; 'iconv -l' lists them\n" },
  { "semicolons", TEXT ("a;b\n1,5;2\n"), { "delimiter", ";" }, "a|b\nx.csv:2: 1,5|2\n" },
  { "tabs", TEXT ("a\tb\n1\t\"2\t3\"\n"), { "delimiter", "tab" }, "a|b\nx.csv:2: 1|2\t3\n" },
  { "another quote", TEXT ("a,b\n'1,''2','\n"), { "quote", "'" },
    "a|b\nx.csv:2! the quote that opens in column 2 on line 2 is never closed; it takes in all up to the end of the "
    "file, line 2\n" },
  { "no quotes at all", TEXT ("a,b\n\"1,2\"\n"), { "quote", "none" }, "a|b\nx.csv:2: \"1|2\"\n" },
  { "escapes by a backslash", TEXT ("a,b\n\"x\\\"y\\\\\",\"C:\\dir\"\n\\\",\"p\"\"q\"\n"), { "escape", "\\" },
    "a|b\nx.csv:2: x\"y\\\\|C:\\\\dir\nx.csv:3: \\\\\"|p\"q\n" },
  { "trimmed", TEXT ("a , b\n 1 ,\t2\t\n \"3 \" ,   \n"), { "trim", "true" }, "a|b\nx.csv:2: 1|2\nx.csv:3: 3 |~\n" },
  { "not trimmed", TEXT ("a,b\n 1 , \"2\"\n"), { NULL }, "a|b\nx.csv:2:  1 | \"2\"\n" },
  { "texts that are NULL", TEXT ("a,b,c\nN/A,\"N/A\",\n"), { "null", "N/A" }, "a|b|c\nx.csv:2: ~|N/A|\n" },
  { "several texts that are NULL", TEXT ("a,b,c\n-,,x\n"), { "null", "-", "null", "" }, "a|b|c\nx.csv:2: ~|~|x\n" },
  { "comments", TEXT ("# by \"hand\n#\xff\na,b\n1,2\n#3,4\n\"#5\",6\n"), { "comment", "#" }, "a|b\nx.csv:4: 1|2\nx.csv:6: #5|6\n" },
  { "lines to leave out", TEXT ("Report \"of\n\na,b\n1,2\n"), { "skip", "2" }, "a|b\nx.csv:4: 1|2\n" },
  { "no header", TEXT ("1,2\n3,4\n"), { "header", "false" }, "column_1|column_2\nx.csv:1: 1|2\nx.csv:2: 3|4\n" },
  { "no header, but names", TEXT ("1,2\n"), { "header", "false", "columns", "x", "columns", "y" }, "x|y\nx.csv:1: 1|2\n" },
  { "other names than the header's", TEXT ("a,b\n1,2\n"), { "columns", "x", "columns", "y" }, "x|y\nx.csv:2: 1|2\n" },
  { "a name too few", TEXT ("a,b\n1,2\n"), { "columns", "x" }, "error: x.csv: the header has 2 columns, but \"columns\" names 1\n" },
  { "a name twice", TEXT ("a,b\n1,2\n"), { "columns", "x", "columns", "x" }, "error: \"columns\" names \"x\" twice\n" },
  { "names are made usable", TEXT ("\" a\r\n b \",, b,b,column_2,b_2\n1,2,3,4,5,6\n"), { NULL },
    "a b|column_2|b|b_2|column_2_2|b_2_2\nx.csv:3: 1|2|3|4|5|6\n" },
  { "no header at all", TEXT (""), { NULL }, "error: x.csv: there is no header\n" },
  { "a header and no more", TEXT ("a,b"), { NULL }, "a|b\n" },
  { "a broken header", TEXT ("a,\"b\n1,2\n"), { NULL },
    "error: x.csv: line 1, the header, the quote that opens in column 2 on line 1 is never closed; it takes in all up "
    "to the end of the file, line 2\n" },
  { "a field too large", TEXT ("a,b\n12345,6\n1234,5\n"), { "max-field", "4" },
    "a|b\nx.csv:3: 1234|5\nx.csv:2! column 1 has 5 bytes, more than max-field (4)\n" },
  { "too many fields", TEXT ("a,b\n1,2,3,4\n1,2\n"), { "max-columns", "3" },
    "a|b\nx.csv:3: 1|2\nx.csv:2! has 4 fields, more than max-columns (3)\n" },
  { "delimiter and quote the same", TEXT ("a\n"), { "delimiter", "\"" }, "error: \"delimiter\" and \"quote\" are both \"\"\"\n" },
  { "a delimiter of two characters", TEXT ("a\n"), { "delimiter", "::" },
    "error: \"delimiter\" takes one ASCII character, tab, space or none, not \"::\"\n" },
};

static Plug *
source_of (const char *path, const char *const *options)
{
  Plug *plug = plug_new ("csv", TALLY_SOURCE, "csv");

  plug_set (plug, "path", path);
  for (; options != NULL && options[0] != NULL; options += 2)
    plug_set (plug, options[0], options[1]);
  return plug;
}

static void
test_reads_each_case (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = plug_write_file ("x.csv", cases[i].data, cases[i].length);
      g_autoptr (Plug) plug = source_of (path, cases[i].options);
      g_autofree char *table = plug_table (plug, 100);

      assert_row_text (cases[i].label, table, cases[i].expected);
    }
}

static const Promise promises[] = {
  { "reads each case", test_reads_each_case },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("csv source", promises, argc, argv);
}
