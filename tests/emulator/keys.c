/* keys.c: what the emulator promises about Idempotency-Key */
#include "promise.h"
#include "rig.h"

#include <string.h>

#define TICKET "{'ticket':{'subject':'s','comment':{'body':'text'},'external_id':'a:1'}}"

static void
test_repeats_the_first_answer (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) first = rig_create (rig, TICKET, "k1");
  g_autoptr (Reply) second = rig_create (rig, TICKET, "k1");
  g_autofree char *miss = reply_header (first, "x-idempotency-lookup");
  g_autofree char *hit = reply_header (second, "x-idempotency-lookup");
  g_autofree char *where = reply_header (first, "Location");
  g_autofree char *again = reply_header (second, "Location");

  assert_int (first->status, 201);
  assert_text (miss, "miss");
  assert_int (second->status, 201);
  assert_text (hit, "hit");
  assert_text (second->body, first->body);
  assert_text (again, where);
  assert_int (rig_count (rig, "created"), 1);
  assert_int (rig_count (rig, "hits"), 1);
}

static void
test_repeats_it_after_the_ticket_has_changed (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) first = rig_create (rig, TICKET, "k1");
  g_autofree char *change = quoted ("{'ticket':{'subject':'other','status':'solved'}}");
  g_autoptr (Reply) changed = rig_call (rig, "PUT", "/api/v2/tickets/1.json", change, NULL);
  g_autoptr (Reply) second = rig_create (rig, TICKET, "k1");
  g_autoptr (Reply) gone = rig_call (rig, "DELETE", "/api/v2/tickets/1.json", NULL, NULL);
  g_autoptr (Reply) third = rig_create (rig, TICKET, "k1");

  assert_int (changed->status, 200);
  assert_text (second->body, first->body);
  assert_int (gone->status, 204);
  assert_text (third->body, first->body);
  assert_int (rig_count (rig, "created"), 1);
}

static void
test_refuses_another_body (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) first = rig_create (rig, TICKET, "k1");
  g_autoptr (Reply) other = rig_create (rig, "{'ticket':{'comment':'other'}}", "k1");
  g_autofree char *lookup = reply_header (other, "x-idempotency-lookup");

  assert_int (first->status, 201);
  assert_int (other->status, 400);
  assert_text (other->body, "{\"error\":\"IdempotentRequestError\",\"description\":"
                            "\"Request parameters don't match the given idempotency key\"}");
  assert_text (lookup, NULL);
  assert_int (rig_count (rig, "created"), 1);
}

static void
test_forgets_a_key_after_two_hours (void)
{
  static const struct
  {
    const char *label;
    gint64 seconds, created;
  } rows[] = {
    { "ten seconds before", 7190, 1 },
    { "just after", 7201, 2 },
    { "a day later", 86400, 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (NULL);
      assert_int (reply_take_status (rig_create (rig, TICKET, "k1")), 201);
      rig_advance (rig, rows[i].seconds);
      g_autoptr (Reply) second = rig_create (rig, TICKET, "k1");

      assert_row_int (rows[i].label, second->status, 201);
      assert_row_int (rows[i].label, rig_count (rig, "created"), rows[i].created);
      assert_row_int (rows[i].label, rig_count (rig, "duplicates"), rows[i].created - 1);
    }
}

static void
test_counts_the_life_from_the_arrival (void)
{
  g_autoptr (Rig) rig = rig_new ("--idempotency-life", "60", NULL);
  assert_int (reply_take_status (rig_create (rig, TICKET, "k1")), 201);
  rig_advance (rig, 40);
  g_autoptr (Reply) second = rig_create (rig, TICKET, "k1");
  rig_advance (rig, 30); /* a repetition does not lengthen it */
  g_autoptr (Reply) third = rig_create (rig, TICKET, "k1");

  assert_int (number_at (second->json, "ticket.id"), 1);
  assert_int (number_at (third->json, "ticket.id"), 2);
}

static void
test_compares_bodies_as_asked (void)
{
  static const struct
  {
    const char *label, *how, *body;
    long status;
  } rows[] = {
    { "parsed: blanks do not matter", "parsed",
      "{ 'ticket': {'subject':'s','comment':{'body':'text'},'external_id':'a:1'} }", 201 },
    { "parsed: the order does not matter", "parsed",
      "{'ticket':{'external_id':'a:1','comment':{'body':'text'},'subject':'s'}}", 201 },
    { "parsed: an escape is the letter", "parsed",
      "{'ticket':{'subject':'\\u0073','comment':{'body':'text'},'external_id':'a:1'}}", 201 },
    { "parsed: a value matters", "parsed",
      "{'ticket':{'subject':'S','comment':{'body':'text'},'external_id':'a:1'}}", 400 },
    { "parsed: text is not a number", "parsed",
      "{'ticket':{'subject':'s','comment':{'body':'text'},'external_id':1}}", 400 },
    { "raw: the same bytes", "raw", TICKET, 201 },
    { "raw: a blank matters", "raw",
      "{'ticket': {'subject':'s','comment':{'body':'text'},'external_id':'a:1'}}", 400 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new ("--same-body", rows[i].how, NULL);
      assert_int (reply_take_status (rig_create (rig, TICKET, "k1")), 201);
      g_autoptr (Reply) second = rig_create (rig, rows[i].body, "k1");

      assert_row_int (rows[i].label, second->status, rows[i].status);
      assert_row_int (rows[i].label, rig_count (rig, "created"), 1);
    }
}

static void
test_settles_two_at_once_as_asked (void)
{
  static const struct
  {
    const char *how;
    gint64 created, hits, conflicts;
  } rows[] = {
    { "wait", 1, 1, -1 },
    { "conflict", 1, 0, 1 },
    { "duplicate", 2, 0, -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new ("--same-key", rows[i].how, "--delay", "100", NULL);
      g_autoptr (GPtrArray) replies = rig_create_at_once (rig, TICKET, "k1", 2);

      assert_row_int (rows[i].how, replies->len, 2);
      assert_row_int (rows[i].how, rig_count (rig, "created"), rows[i].created);
      assert_row_int (rows[i].how, rig_count (rig, "hits"), rows[i].hits);
      assert_row_int (rows[i].how, rig_count (rig, "requests.409"), rows[i].conflicts);
      assert_row_int (rows[i].how, rig_count (rig, "max_concurrent_same_key"), 2);
      assert_row_int (rows[i].how, rig_count (rig, "max_in_flight"), 2);
    }
}

static void
test_lets_the_next_one_act_when_the_first_fails (void)
{
  g_autoptr (Rig) rig = rig_new ("--delay", "50", NULL);
  g_autoptr (GPtrArray) replies = rig_create_at_once (rig, "{'ticket':{'subject':'s'}}", "k1", 3);

  for (guint i = 0; i < replies->len; i++)
    assert_int (((Reply *)replies->pdata[i])->status, 422);
  g_autoptr (Reply) good = rig_create (rig, TICKET, "k1");
  assert_int (good->status, 201);
}

static void
test_stores_errors_only_when_asked (void)
{
  static const struct
  {
    const char *label, *option;
    long again;
  } rows[] = {
    { "forgotten", "--quiet", 201 },
    { "stored", "--store-errors", 400 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (rows[i].option, NULL);
      g_autoptr (Reply) bad = rig_create (rig, "{'ticket':{'subject':'s'}}", "k1");
      g_autoptr (Reply) same = rig_create (rig, "{'ticket':{'subject':'s'}}", "k1");
      g_autoptr (Reply) good = rig_create (rig, TICKET, "k1");

      assert_row_int (rows[i].label, bad->status, 422);
      assert_row_text (rows[i].label, same->body, bad->body);
      assert_row_int (rows[i].label, good->status, rows[i].again);
    }
}

static void
test_ignores_keys_where_the_service_does (void)
{
  static const struct
  {
    const char *label, *option, *path;
  } rows[] = {
    { "an import", "--quiet", "/api/v2/imports/tickets.json" },
    { "switched off", "--idempotency=off", "/api/v2/tickets.json" },
  };
  g_autofree char *body = quoted (TICKET);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (rows[i].option, NULL);
      assert_int (
          reply_take_status (rig_call (rig, "POST", rows[i].path, body, "Idempotency-Key: k1")),
          201);
      g_autoptr (Reply) second = rig_call (rig, "POST", rows[i].path, body, "Idempotency-Key: k1");
      g_autofree char *lookup = reply_header (second, "x-idempotency-lookup");

      assert_row_int (rows[i].label, second->status, 201);
      assert_row_text (rows[i].label, lookup, NULL);
      assert_row_int (rows[i].label, rig_count (rig, "created"), 2);
      assert_row_int (rows[i].label, rig_count (rig, "duplicates"), 1);
    }
}

static void
test_bounds_the_length_of_a_key (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *longest = g_strnfill (255, 'k'), *longer = g_strnfill (256, 'k');
  g_autoptr (Reply) good = rig_create (rig, TICKET, longest);
  g_autoptr (Reply) bad = rig_create (rig, TICKET, longer);

  assert_int (good->status, 201);
  assert_int (bad->status, 400);
  assert_int (rig_count (rig, "created"), 1);
}

static const Promise promises[] = {
  { "repeats the first answer", test_repeats_the_first_answer },
  { "repeats it after the ticket has changed", test_repeats_it_after_the_ticket_has_changed },
  { "refuses another body", test_refuses_another_body },
  { "forgets a key after two hours", test_forgets_a_key_after_two_hours },
  { "counts the life from the arrival", test_counts_the_life_from_the_arrival },
  { "compares bodies as asked", test_compares_bodies_as_asked },
  { "settles two at once as asked", test_settles_two_at_once_as_asked },
  { "lets the next one act when the first fails", test_lets_the_next_one_act_when_the_first_fails },
  { "stores errors only when asked", test_stores_errors_only_when_asked },
  { "ignores keys where the service does", test_ignores_keys_where_the_service_does },
  { "bounds the length of a key", test_bounds_the_length_of_a_key },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator keys", promises, argc, argv);
}
