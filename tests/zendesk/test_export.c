/* test_export.c: pages, places and rows of what is read out of an account: tables, no network */
#include "desk.h"
#include "layout.h"
#include "place.h"
#include "promise.h"

#include <string.h>

/* --- pages --- */

typedef struct
{
  const char *label;
  ZendeskPaging paging;
  const char *answer; /* with ' for " */
  gint n;             /* records; -1: it is no page */
  gboolean ends;
  const char *cursor;
} PageRow;

static const PageRow pages[] = {
  { "a cursor export", ZENDESK_PAGING_CURSOR,
    "{'tickets':[{'id':1,'generated_timestamp':5},{'id':2}],'after_cursor':'MTY=','end_of_stream':false}", 2, FALSE, "MTY=" },
  { "its end", ZENDESK_PAGING_CURSOR, "{'tickets':[],'after_cursor':'a\\/b','end_of_stream':true}", 0, TRUE, "a/b" },
  { "its end, empty from the start", ZENDESK_PAGING_CURSOR, "{'tickets':[],'after_cursor':null,'end_of_stream':true}", 0, TRUE,
    NULL },
  { "no word of its end", ZENDESK_PAGING_CURSOR, "{'tickets':[],'after_cursor':'a'}", -1, FALSE, NULL },
  { "no cursor", ZENDESK_PAGING_CURSOR, "{'tickets':[],'end_of_stream':false}", -1, FALSE, NULL },
  { "a time export", ZENDESK_PAGING_TIME, "{'tickets':[{'id':1}],'count':1,'end_of_stream':false,'end_time':9,'next_page':'x'}", 1,
    FALSE, NULL },
  { "an old one", ZENDESK_PAGING_TIME, "{'tickets':[{'id':1}],'count':1,'end_time':9,'next_page':'x'}", 1, TRUE, NULL },
  { "a time export without a time", ZENDESK_PAGING_TIME, "{'tickets':[{'id':1}],'end_of_stream':false}", -1, FALSE, NULL },
  { "a list by cursor", ZENDESK_PAGING_LIST,
    "{'tickets':[{'id':1}],'meta':{'has_more':true,'after_cursor':'c'},'links':{'next':'u'}}", 1, FALSE, "c" },
  { "its last page, with a next link", ZENDESK_PAGING_LIST,
    "{'tickets':[{'id':1}],'meta':{'has_more':false,'after_cursor':'c'},'links':{'next':'u'}}", 1, TRUE, "c" },
  { "a list by number", ZENDESK_PAGING_LIST, "{'tickets':[{'id':1}],'next_page':'u','count':2}", 1, FALSE, NULL },
  { "its last page", ZENDESK_PAGING_LIST, "{'tickets':[{'id':1}],'next_page':null,'count':1}", 1, TRUE, NULL },
  { "another list", ZENDESK_PAGING_LIST, "{'users':[]}", -1, FALSE, NULL },
  { "half a page", ZENDESK_PAGING_LIST, "{'tickets':[{'id':1}", -1, FALSE, NULL },
  { "no array", ZENDESK_PAGING_LIST, "{'tickets':{}}", -1, FALSE, NULL },
  { "no objects in it", ZENDESK_PAGING_LIST, "{'tickets':[1]}", -1, FALSE, NULL },
  { "a page of HTML", ZENDESK_PAGING_LIST, "<html>", -1, FALSE, NULL },
  { "not UTF-8", ZENDESK_PAGING_LIST, "{'tickets':[],'x':'\xff'}", -1, FALSE, NULL },
};

static char *
quoted (const char *text)
{
  return g_strdelimit (g_strdup (text), "'", '"');
}

static void
test_reads_pages (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      const PageRow *row = &pages[i];
      g_autofree char *answer = quoted (row->answer);
      g_auto (ZendeskPage) page = { 0 };
      g_autoptr (GError) error = NULL;
      gboolean good = zendesk_page_read (&page, row->paging, "tickets", (TallyText){ answer, strlen (answer) }, &error);

      assert_row_int (row->label, good, row->n >= 0);
      if (!good)
        {
          assert_row_int (row->label, error != NULL, TRUE);
          continue;
        }
      assert_row_int (row->label, page.records->len, row->n);
      assert_row_int (row->label, page.ends, row->ends);
      assert_row_text (row->label, page.cursor, row->cursor);
    }
}

/* --- places --- */

/* Reads a page at a place; returns the ids that are new, "1 2 3", or the error's message. */
static char *
take (ZendeskPlace *place, const char *text, guint give)
{
  g_autofree char *answer = quoted (text);
  g_auto (ZendeskPage) page = { 0 };
  g_autoptr (GError) error = NULL;
  GString *ids = g_string_new (NULL);

  if (!zendesk_page_read (&page, place->paging, "tickets", (TallyText){ answer, strlen (answer) }, &error)
      || !zendesk_place_sift (place, &page, &error))
    {
      g_string_assign (ids, error->message);
      return g_string_free (ids, FALSE);
    }
  for (guint i = 0; i < MIN (give, page.records->len); i++)
    {
      const ZendeskPageRecord *record = &g_array_index (page.records, ZendeskPageRecord, i);

      g_string_append_printf (ids, "%s%" G_GINT64_FORMAT, i > 0 ? " " : "", record->id);
      zendesk_place_advance (place, record, 0);
    }
  if (give >= page.records->len)
    zendesk_place_turn (place, &page);
  return g_string_free (ids, FALSE);
}

#define ALL 1000u

static void
resume (ZendeskPlace *place)
{
  g_autofree char *text = zendesk_place_dup_text (place);
  ZendeskPaging paging = place->paging;
  g_autoptr (GError) error = NULL;

  zendesk_place_clear (place);
  zendesk_place_init (place, paging, text, 0, &error);
  assert_no_error (error);
}

static void
expect_take (ZendeskPlace *place, const char *text, guint give, const char *ids)
{
  g_autofree char *taken = take (place, text, give);

  assert_row_text (text, taken, ids);
}

#define PAGE_ONE                                                                                                         \
  "{'tickets':[{'id':3,'generated_timestamp':5},{'id':1,'generated_timestamp':6},{'id':2,'generated_timestamp':6}],"     \
  "'after_cursor':'one','end_of_stream':false}"

/* Ticket 1 has changed meanwhile, and so has left the page. */
#define PAGE_ONE_LATER                                                                                                   \
  "{'tickets':[{'id':3,'generated_timestamp':5},{'id':2,'generated_timestamp':6}],'after_cursor':'one','end_of_stream':false}"

static void
test_goes_on_within_a_page (void)
{
  ZendeskPlace place;

  zendesk_place_init (&place, ZENDESK_PAGING_CURSOR, NULL, 0, NULL);
  expect_take (&place, PAGE_ONE, 1, "3");
  resume (&place);
  expect_take (&place, PAGE_ONE, 1, "1");
  resume (&place);
  expect_take (&place, PAGE_ONE_LATER, ALL, "2");
  assert_text (place.cursor, "one");
  resume (&place);
  assert_text (place.cursor, "one");
  zendesk_place_clear (&place);
}

static void
test_gives_a_record_of_two_pages_once (void)
{
  ZendeskPlace place;

  zendesk_place_init (&place, ZENDESK_PAGING_CURSOR, NULL, 0, NULL);
  expect_take (&place, PAGE_ONE, ALL, "3 1 2");
  expect_take (&place,
               "{'tickets':[{'id':2,'generated_timestamp':6},{'id':2,'generated_timestamp':7},{'id':2,'generated_timestamp':7},"
               "{'id':4,'generated_timestamp':8}],'after_cursor':'two','end_of_stream':true}",
               ALL, "2 4");
  zendesk_place_clear (&place);
}

static void
test_gives_the_last_second_once (void)
{
  ZendeskPlace place;

  zendesk_place_init (&place, ZENDESK_PAGING_TIME, NULL, 0, NULL);
  expect_take (&place,
               "{'tickets':[{'id':1,'generated_timestamp':5},{'id':2,'generated_timestamp':6}],'end_time':6,'end_of_stream':false}",
               ALL, "1 2");
  resume (&place);
  assert_int (place.since, 6);
  expect_take (&place,
               "{'tickets':[{'id':2,'generated_timestamp':6},{'id':3,'generated_timestamp':6},{'id':4,'generated_timestamp':7}],"
               "'end_time':7,'end_of_stream':false}",
               2, "3 4");
  resume (&place);
  expect_take (&place, "{'tickets':[{'id':4,'generated_timestamp':7}],'end_time':7,'end_of_stream':true}", ALL, "");
  zendesk_place_clear (&place);
}

static void
test_does_not_turn_in_a_circle (void)
{
  ZendeskPlace place;

  zendesk_place_init (&place, ZENDESK_PAGING_TIME, NULL, 0, NULL);
  expect_take (&place, "{'tickets':[{'id':1,'generated_timestamp':6}],'end_time':6,'end_of_stream':false}", ALL, "1");
  expect_take (&place, "{'tickets':[{'id':1,'generated_timestamp':6}],'end_time':6,'end_of_stream':false}", ALL,
               "more records were changed within second 6 than one page holds, and the export cannot get beyond it");
  zendesk_place_clear (&place);
}

static void
test_refuses_a_strange_position (void)
{
  static const char *const texts[] = { "12", "{}", "{\"since\":\"x\"}", "tickets.csv:12" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      ZendeskPlace place;
      g_autoptr (GError) error = NULL;

      assert_row_int (texts[i], zendesk_place_init (&place, ZENDESK_PAGING_CURSOR, texts[i], 0, &error), FALSE);
      assert_contains (error->message, "is none of this source's");
      zendesk_place_clear (&place);
    }
}

/* --- rows --- */

static void
test_refuses_paths_that_lead_elsewhere (void)
{
  static const char *const names[] = { "", "/users", "users/", "users//1", "../users", "users?x=1", "Users", "users.json" };
  ZendeskResource resource;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    assert_row_int (names[i], zendesk_resource_find (names[i], &resource, NULL), FALSE);
  assert_true (zendesk_resource_find ("users/601/identities", &resource, NULL));
  assert_text (resource.list, "identities");
}

static const char ticket_fields[]
    = "{'ticket_fields':[{'id':1,'type':'subject','title':'Subject','active':true},"
      "{'id':11,'type':'checkbox','title':'Paid','active':true},{'id':12,'type':'decimal','title':'Sum','active':true},"
      "{'id':13,'type':'text','title':'Note','active':true},{'id':14,'type':'text','title':'Note','active':true},"
      "{'id':15,'type':'text','title':'Old','active':false},{'id':16,'type':'date','title':'Due','active':true}]}";

static char *
row_of (const char *name, const char *fields, const char *record)
{
  g_autofree char *list = fields != NULL ? quoted (fields) : NULL;
  g_autofree char *text = quoted (record);
  ZendeskResource resource;
  ZendeskLayout layout;
  TallySchema *schema;
  g_autoptr (TallyBatch) batch = NULL;
  GString *out = g_string_new (NULL);
  char *reason = NULL;

  zendesk_resource_find (name, &resource, NULL);
  zendesk_layout_init (&layout, &resource, FALSE);
  if (list != NULL)
    assert_true (zendesk_layout_add_fields (&layout, list, strlen (list), NULL));
  schema = zendesk_layout_schema (&layout);
  batch = tally_batch_new (schema, 1);
  tally_batch_add_row (batch);
  if (zendesk_layout_fill (&layout, (TallyText){ text, strlen (text) }, batch, &reason))
    tally_batch_append_json (batch, 0, out);
  else
    g_string_assign (out, reason);
  g_free (reason);
  zendesk_layout_clear (&layout);
  tally_schema_unref (schema);
  return g_string_free (out, FALSE);
}

static void
test_custom_fields_are_columns_by_title (void)
{
  g_autofree char *row = row_of ("tickets", ticket_fields,
                                 "{'id':7,'status':'deleted','custom_fields':[{'id':12,'value':'1.50'},{'id':11,'value':true},"
                                 "{'id':14,'value':'n'},{'id':16,'value':'2021-04-16'}],'via':{'channel':'web'}}");

  assert_contains (row, "\"custom_fields.Paid\":true,\"custom_fields.Sum\":1.50,\"custom_fields.13\":null,"
                        "\"custom_fields.14\":\"n\",\"custom_fields.Due\":\"2021-04-16\"");
  assert_contains (row, "\"via.channel\":\"web\"");
  assert_contains (row, "\"deleted\":true,\"scrubbed\":false");
  assert_true (strstr (row, "Old") == NULL);
}

static void
test_rows_of_other_resources (void)
{
  g_autofree char *user = row_of ("users", "{'user_fields':[{'id':1,'key':'plan','type':'text','title':'Plan','active':true}]}",
                                  "{'id':5,'name':'Ada','active':false,'user_fields':{'plan':'gold','other':1}}");
  g_autofree char *any = row_of ("views", NULL, "{'id':5,'title':'All','conditions':{'all':[]}}");
  g_autofree char *scrubbed = row_of ("tickets", NULL, "{'id':7,'subject':'SCRUBBED','description':'X','status':'deleted'}");

  assert_contains (user, "\"active\":false");
  assert_contains (user, "\"user_fields.plan\":\"gold\"");
  assert_text (any, "{\"id\":5,\"record\":{\"id\": 5, \"title\": \"All\", \"conditions\": {\"all\": []}}}");
  assert_contains (scrubbed, "\"deleted\":true,\"scrubbed\":true");
}

static void
test_a_value_that_does_not_fit_is_told (void)
{
  g_autofree char *number = row_of ("tickets", ticket_fields, "{'id':7,'custom_fields':[{'id':12,'value':'many'}]}");
  g_autofree char *nul = row_of ("tickets", NULL, "{'id':7,'subject':'a\\u0000b'}");
  g_autofree char *none = row_of ("tickets", NULL, "[]");

  assert_contains (number, "\"custom_fields.Sum\" does not fit");
  assert_contains (nul, "\"subject\" has a NUL");
  assert_contains (none, "no object");
}

static const Promise promises[] = {
  { "reads pages of exports and lists", test_reads_pages },
  { "goes on within a page", test_goes_on_within_a_page },
  { "gives a record of two pages once", test_gives_a_record_of_two_pages_once },
  { "gives the last second once", test_gives_the_last_second_once },
  { "does not turn in a circle", test_does_not_turn_in_a_circle },
  { "refuses a position of another source", test_refuses_a_strange_position },
  { "refuses paths that lead elsewhere", test_refuses_paths_that_lead_elsewhere },
  { "custom fields are columns by title", test_custom_fields_are_columns_by_title },
  { "rows of other resources", test_rows_of_other_resources },
  { "a value that does not fit is told", test_a_value_that_does_not_fit_is_told },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk export", promises, argc, argv);
}
