/* test_settling.c: users and organizations against an emulator of Zendesk, whose own books are what counts */
#include "desk.h"
#include "json.h"
#include "promise.h"

#include <string.h>

#define USERS "zendesk-users"
#define ORGANIZATIONS "zendesk-organizations"

/* Searches find at once what is new, unless a test is about that. */
#define EMULATOR(...) emulator_new ("--search-lag", "0", ##__VA_ARGS__, NULL)

static Desk *
open_with (Emulator *emulator, const char *plugin, const char *columns, const char *adopt)
{
  Desk *desk = adopt == NULL
                   ? desk_new_for (plugin, "url", emulator->url, "access_token", "t", "timeout", "10s", NULL)
                   : desk_new_for (plugin, "url", emulator->url, "access_token", "t", "timeout", "10s", "adopt", adopt, NULL);
  g_autoptr (GError) error = NULL;

  assert_true (desk_accept (desk, columns, &error) && desk_open (desk, &error));
  assert_no_error (error);
  return desk;
}

/* Hands over a record with this reference, without driving. */
static TallyDelivery *
hand_over (Desk *desk, const char *reference, const char *const *values)
{
  g_autoptr (GError) error = NULL;

  tally_batch_clear (desk->batch);
  desk_add_row (desk, values);
  g_autofree char *body = desk_render (desk, 0, reference, &error);
  assert_no_error (error);
  return desk_send (desk, "k", reference, body);
}

static TallyDelivery *
send_row (Desk *desk, const char *reference, const char *const *values)
{
  TallyDelivery *delivery = hand_over (desk, reference, values);

  desk_finish (desk);
  return delivery;
}

#define ROW(...) ((const char *const[]){ __VA_ARGS__ })

static TallyDelivery *
look_up (Desk *desk, const TallyDelivery *sent)
{
  TallyDelivery *delivery = desk_resolve (desk, "k", sent->reference, sent->body->str);

  desk_finish (desk);
  return delivery;
}

static void
assert_detail (const TallyDelivery *delivery, const char *part)
{
  if (delivery->detail == NULL || strstr (delivery->detail, part) == NULL)
    assert_text (delivery->detail, part);
}

/* Makes one that was there before; its id. */
static gint64
make (Emulator *emulator, const char *list, const char *entity, const char *record)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/%s.json", list);
  g_autofree char *body = g_strdup_printf ("{'%s':%s}", entity, record);
  g_autofree char *answered = emulator_ask (emulator, "POST", path, g_strdelimit (body, "'", '"'));
  g_autoptr (json_object) json = zendesk_json_parse (answered, strlen (answered));
  gint64 id = 0;

  if (!zendesk_json_get_id (zendesk_json_get (json, entity), "id", &id))
    g_error ("%s", answered);
  return id;
}

/* (transfer full) what is at a path, as it reads without blanks. */
static char *
show (Emulator *emulator, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *path = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return emulator_ask (emulator, "GET", path, NULL);
}

static void
assert_shows (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    assert_text (text, part);
}

/* --- creation --- */

static const struct
{
  const char *plugin, *count;
} both[] = { { USERS, "users_created" }, { ORGANIZATIONS, "organizations_created" } };

static void
test_one_record_makes_one (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (both); i++)
    {
      g_autoptr (Emulator) emulator = EMULATOR ();
      g_autoptr (Desk) desk = open_with (emulator, both[i].plugin, "name text", NULL);
      TallyDelivery *first = send_row (desk, "desk:1", ROW ("Acme")), *again = send_row (desk, "desk:1", ROW ("Acme"));

      assert_row_int (both[i].plugin, first->verdict, TALLY_VERDICT_DELIVERED);
      assert_true (!first->repeated && !first->adopted);
      assert_row_int (both[i].plugin, again->verdict, TALLY_VERDICT_DELIVERED);
      assert_true (again->repeated);
      assert_text (again->target_id, first->target_id);
      assert_text (again->other_ids, NULL);
      assert_row_int (both[i].plugin, emulator_count (emulator, both[i].count), 1);
      assert_int (desk->ctx.warnings->len, 0);
    }
}

static void
test_a_lookup_finds_what_is_there (void)
{
  static const char *const references[] = { "desk:1", "desk:a,b", "desk:a&b=ü ?#/+%2F\"" };

  for (guint i = 0; i < G_N_ELEMENTS (both); i++)
    for (guint k = 0; k < G_N_ELEMENTS (references); k++)
      {
        g_autoptr (Emulator) emulator = EMULATOR ();
        g_autoptr (Desk) desk = open_with (emulator, both[i].plugin, "name text", NULL);
        TallyDelivery *absent = desk_resolve (desk, "k", references[k], i == 0 ? "{\"user\":{}}" : "{\"organization\":{}}");
        TallyDelivery *sent, *found;

        desk_finish (desk);
        assert_row_int (references[k], absent->verdict, TALLY_VERDICT_ABSENT);
        sent = send_row (desk, references[k], ROW ("Acme"));
        assert_row_int (references[k], sent->verdict, TALLY_VERDICT_DELIVERED);
        found = look_up (desk, sent);
        assert_row_int (references[k], found->verdict, TALLY_VERDICT_DELIVERED);
        assert_row_text (references[k], found->target_id, sent->target_id);
      }
}

static const struct
{
  const char *fault; /* of the next POST */
  TallyVerdict verdict;
  gint created;
  gint64 wait;       /* seconds */
} faults[] = {
  { "'kind':'drop-before'", TALLY_VERDICT_UNKNOWN, 0 },
  { "'kind':'drop-after'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'drop-after','reset':true", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'cut-body'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'close-idle','acted':true", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'status','status':503,'retry_after':'7'", TALLY_VERDICT_UNKNOWN, 0, 7 },
  { "'kind':'status-after','status':502,'body':'html'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'conflict'", TALLY_VERDICT_BUSY, 0 },
  { "'kind':'invalid'", TALLY_VERDICT_REJECTED, 0 },
  { "'kind':'status','status':422,'body':'html'", TALLY_VERDICT_UNKNOWN, 0 },
  { "'kind':'storm','retry_after':'12'", TALLY_VERDICT_BUSY, 0, 12 },
  { "'kind':'redirect','status':308", TALLY_VERDICT_HALT, 0 },
  { "'kind':'html','status':201,'acted':true", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'empty'", TALLY_VERDICT_UNKNOWN, 1 },
  { "'kind':'unauthorized'", TALLY_VERDICT_HALT, 0 },
  { "'kind':'forbidden'", TALLY_VERDICT_HALT, 0 },
};

static void
test_each_fault_is_judged_and_nothing_is_sent_twice (void)
{
  for (guint k = 0; k < G_N_ELEMENTS (both); k++)
    for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
      {
        g_autoptr (Emulator) emulator = EMULATOR ();
        g_autoptr (Desk) desk = open_with (emulator, both[k].plugin, "name text", NULL);
        g_autofree char *fault = g_strdup_printf ("{%s,'method':'POST'}", faults[i].fault);
        TallyDelivery *delivery, *found;

        emulator_set_faults (emulator, fault);
        delivery = send_row (desk, "desk:1", ROW ("Acme"));
        assert_row_int (faults[i].fault, delivery->verdict, faults[i].verdict);
        assert_row_int (faults[i].fault, emulator_count (emulator, both[k].count), faults[i].created);
        assert_row_int (faults[i].fault, delivery->wait / G_USEC_PER_SEC, faults[i].wait);
        if (faults[i].verdict != TALLY_VERDICT_UNKNOWN)
          continue;
        found = look_up (desk, delivery);
        assert_row_int (faults[i].fault, found->verdict, faults[i].created > 0 ? TALLY_VERDICT_DELIVERED : TALLY_VERDICT_ABSENT);
      }
}

static void
test_fields_are_found_by_their_keys (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ();
  g_autoptr (Desk) desk = open_with (emulator, USERS, "name text, user_fields.vip boolean, user_fields.plan text", NULL);
  g_autoptr (Desk) wrong = desk_new_for (USERS, "url", emulator->url, "access_token", "t", NULL);
  g_autoptr (Desk) organizations = open_with (emulator, ORGANIZATIONS, "name text, organization_fields.region text", NULL);
  g_autoptr (GError) error = NULL;

  TallyDelivery *sent = send_row (desk, "desk:1", ROW ("Ann", "t", "plan_paid"));
  g_autofree char *shown = show (emulator, "/api/v2/users/%s.json", sent->target_id);
  assert_shows (shown, "\"plan\":\"plan_paid\"");
  assert_shows (shown, "\"vip\":true");
  desk_add_row (desk, ROW ("Ann", "t", "gold"));
  g_free (desk_render (desk, 1, "desk:2", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "user_fields.plan: \"gold\" is no option of this field");
  g_clear_error (&error);
  assert_true (desk_accept (wrong, "name text, user_fields.vipp boolean", NULL) && !desk_open (wrong, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "no active user field has the key \"vipp\"; did you mean \"vip\"?");
  assert_int (send_row (organizations, "desk:1", ROW ("Acme", "region_south"))->verdict, TALLY_VERDICT_DELIVERED);
}

/* --- no mail --- */

static void
test_nobody_is_written_to (void)
{
  static const char columns[] = "name text, email text, identities text";
  g_autoptr (Emulator) emulator = EMULATOR ();
  g_autoptr (Desk) desk = open_with (emulator, USERS, columns, NULL);
  g_autoptr (Desk) loud = desk_new_for (USERS, "url", emulator->url, "access_token", "t", "verify-email", "true", NULL);

  send_row (desk, "desk:1", ROW ("Ann", "ann@acme.test", "a@acme.test b@acme.test"));
  assert_int (emulator_count (emulator, "identities_created"), 2);
  assert_int (emulator_count (emulator, "verification_mails"), 0);
  assert_true (desk_accept (loud, columns, NULL) && desk_open (loud, NULL));
  send_row (loud, "desk:2", ROW ("Bob", "bob@acme.test", ""));
  assert_int (emulator_count (emulator, "verification_mails"), 1);
}

/* --- what is there already --- */

typedef struct
{
  const char *what, *plugin;
  const char *there;         /* with ' for " */
  const char *adopt;         /* (nullable) */
  const char *values[2];     /* name and, of users, email */
  TallyVerdict verdict;
  const char *detail;        /* part of it; the id of what is there for %s */
  gboolean taken_over;
} Conflict;

static const Conflict conflicts[] = {
  { "an address without an owner", USERS, "{'name':'Ann','email':'ann@acme.test'}", NULL, { "Ann", "Ann@acme.test" },
    TALLY_VERDICT_REJECTED, "user %s has this e-mail address and no external_id; \"adopt: [email]\" would take it over" },
  { "the same, allowed", USERS, "{'name':'Old','email':'ann@acme.test'}", "email", { "Ann", "ann@acme.test" },
    TALLY_VERDICT_DELIVERED, NULL, TRUE },
  { "somebody else's address", USERS, "{'name':'Ann','email':'ann@acme.test','external_id':'crm:7'}", "email",
    { "Ann", "ann@acme.test" }, TALLY_VERDICT_REJECTED,
    "user %s has this e-mail address and the external_id \"crm:7\", where this record's would be \"desk:1\"" },
  { "an external_id in other letters", USERS, "{'name':'Ann','external_id':'DESK:1'}", "email", { "Ann", "ann@acme.test" },
    TALLY_VERDICT_REJECTED, "user %s has the external_id \"DESK:1\"" },
  { "a suspended one", USERS, "{'name':'Ann','email':'ann@acme.test','suspended':true}", NULL, { "Ann", "ann@acme.test" },
    TALLY_VERDICT_REJECTED, "user %s (suspended) has this e-mail address" },
  { "an agent", USERS, "{'name':'Ann','email':'ann@acme.test','role':'agent'}", "email", { "Ann", "ann@acme.test" },
    TALLY_VERDICT_REJECTED, "user %s has this e-mail address, but works for the help desk" },
  { "an address that is not the first", USERS,
    "{'name':'Ann','email':'old@acme.test','identities':[{'type':'email','value':'ann@acme.test'}]}", NULL,
    { "Ann", "ann@acme.test" }, TALLY_VERDICT_REJECTED, "user %s has this e-mail address and no external_id" },
  { "the same, allowed", USERS,
    "{'name':'Ann','email':'old@acme.test','identities':[{'type':'email','value':'ann@acme.test'}]}", "email",
    { "Ann", "ann@acme.test" }, TALLY_VERDICT_DELIVERED, NULL, TRUE },
  { "a namesake", USERS, "{'name':'Ann'}", "name", { "Ann", "ann@acme.test" }, TALLY_VERDICT_DELIVERED, NULL, TRUE },
  { "an organization without an owner", ORGANIZATIONS, "{'name':'ACME'}", NULL, { "Acme" }, TALLY_VERDICT_REJECTED,
    "organization %s has this name and no external_id; \"adopt: [name]\" would take it over" },
  { "the same, allowed", ORGANIZATIONS, "{'name':'ACME'}", "name", { "Acme" }, TALLY_VERDICT_DELIVERED, NULL, TRUE },
  { "somebody else's organization", ORGANIZATIONS, "{'name':'ACME','external_id':'crm:7'}", "name", { "Acme" },
    TALLY_VERDICT_REJECTED, "organization %s has this name and the external_id \"crm:7\"" },
  { "an organization's external_id in other letters", ORGANIZATIONS, "{'name':'Other','external_id':'Desk:1'}", "name", { "Acme" },
    TALLY_VERDICT_REJECTED, "organization %s has the external_id \"Desk:1\"" },
};

static void
test_what_is_there_is_never_taken_in_silence (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (conflicts); i++)
    {
      const Conflict *row = &conflicts[i];
      gboolean is_user = g_str_equal (row->plugin, USERS);
      const char *list = is_user ? "users" : "organizations", *entity = is_user ? "user" : "organization";
      g_autoptr (Emulator) emulator = EMULATOR ();
      gint64 id = make (emulator, list, entity, row->there);
      g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, id);
      gint64 mails = emulator_count (emulator, "verification_mails");
      g_autoptr (Desk) desk = open_with (emulator, row->plugin, is_user ? "name text, email text" : "name text", row->adopt);
      TallyDelivery *delivery = send_row (desk, "desk:1", row->values);
      g_autofree char *shown = show (emulator, "/api/v2/%s/%s.json", list, number);

      assert_row_int (row->what, delivery->verdict, row->verdict);
      assert_row_int (row->what, emulator_count (emulator, is_user ? "users_created" : "organizations_created"), 1);
      assert_row_int (row->what, emulator_count (emulator, "verification_mails"), mails);
      assert_row_int (row->what, strstr (shown, "\"external_id\":\"desk:1\"") != NULL, row->taken_over);
      if (row->taken_over)
        {
          g_autofree char *name = g_strdup_printf ("\"name\":\"%s\"", row->values[0]);

          assert_row_text (row->what, delivery->target_id, number);
          assert_row_int (row->what, delivery->adopted, TRUE);
          assert_shows (shown, name);
          if (is_user)
            assert_shows (shown, "\"email\":\"ann@acme.test\"");
        }
      if (row->detail != NULL)
        {
          g_auto (GStrv) halves = g_strsplit (row->detail, "%s", 2);
          g_autofree char *detail = g_strjoinv (number, halves);

          assert_detail (delivery, detail);
        }
    }
}

static void
test_two_who_could_both_be_meant_are_named (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ();
  gint64 one = make (emulator, "users", "user", "{'name':'Ann','external_id':'desk:1'}");
  gint64 other = make (emulator, "users", "user", "{'name':'Ann','email':'ann@acme.test'}");
  g_autoptr (Desk) desk = open_with (emulator, USERS, "name text, email text", "email");
  TallyDelivery *delivery = send_row (desk, "desk:1", ROW ("Ann", "ann@acme.test"));
  g_autofree char *detail = g_strdup_printf ("the external_id is that of user %" G_GINT64_FORMAT ", but the e-mail address that "
                                             "of user %" G_GINT64_FORMAT ": merge the two in the target", one, other);

  assert_int (delivery->verdict, TALLY_VERDICT_REJECTED);
  assert_detail (delivery, detail);
}

static void
test_who_is_too_new_to_be_found_is_not_guessed_at (void)
{
  g_autoptr (Emulator) emulator = emulator_new ("--search-lag", "120", NULL);
  g_autoptr (Desk) desk = open_with (emulator, USERS, "name text, email text", "email");
  TallyDelivery *delivery;

  make (emulator, "users", "user", "{'name':'Ann','email':'ann@acme.test'}");
  delivery = send_row (desk, "desk:1", ROW ("Ann", "ann@acme.test"));
  assert_int (delivery->verdict, TALLY_VERDICT_REJECTED);
  assert_detail (delivery, "is already being used by another user");
  assert_detail (delivery, "a search shows what is new some minutes later");
}

/* An adoption does not give what a creation would have brought along; that comes after it, whoever heard of it. */
static void
test_a_lost_adoption_is_found_and_finished (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ();
  gint64 id = make (emulator, "users", "user", "{'name':'Old','email':'ann@acme.test'}");
  gint64 organization = make (emulator, "organizations", "organization", "{'name':'Acme'}");
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, id);
  g_autofree char *employer = g_strdup_printf ("%" G_GINT64_FORMAT, organization);
  g_autoptr (Desk) desk = open_with (emulator, USERS, "name text, email text, organization_id text", "email");
  TallyDelivery *delivery, *found;

  emulator_set_faults (emulator, "{'kind':'drop-after','method':'PUT'}");
  delivery = send_row (desk, "desk:1", ROW ("Ann", "ann@acme.test", employer));
  assert_int (delivery->verdict, TALLY_VERDICT_UNKNOWN);
  assert_int (emulator_count (emulator, "memberships"), 0);
  found = look_up (desk, delivery);
  assert_int (found->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (found->target_id, number);
  assert_int (emulator_count (emulator, "users_created"), 1);
  assert_int (emulator_count (emulator, "memberships"), 1);
}

/* What a server of our own answers to a lookup, or to a creation. */
static TallyDelivery *
ask_server (const char *answered, gboolean sending)
{
  const Turn turns[] = { { answer (200, "{\"user\":{\"id\":1}}") }, { answered } };
  g_autoptr (Server) server = server_new (turns, G_N_ELEMENTS (turns));
  Desk *desk = desk_new_for (USERS, "url", server_url (server), "access_token", "t", "timeout", "10s", NULL);
  TallyDelivery *delivery;

  assert_true (desk_accept (desk, "name text", NULL) && desk_open (desk, NULL));
  delivery = (sending ? desk_send : desk_resolve) (desk, "k", "desk:1", "{\"user\":{\"external_id\":\"desk:1\",\"name\":\"Ann\"}}");
  desk_finish (desk);
  desk_take_delivery (desk, 0);
  desk_free (desk);
  return delivery;
}

static const struct
{
  const char *what;
  gint status;
  const char *body;
  gboolean sending;
  TallyVerdict verdict;
  const char *detail;
} odd[] = {
  { "who was deleted is not made again", 200, "{\"users\":[{\"id\":7,\"external_id\":\"desk:1\",\"active\":false}]}", FALSE,
    TALLY_VERDICT_DELIVERED, "it was deleted in the target since" },
  { "a lookup that goes on", 200, "{\"users\":[],\"next_page\":\"x\"}", FALSE, TALLY_VERDICT_UNKNOWN, "too many users" },
  { "a lookup of something else", 200, "{\"tickets\":[]}", FALSE, TALLY_VERDICT_UNKNOWN, "not a list of users" },
  { "a creation without an id", 201, "{\"user\":{\"external_id\":\"desk:1\"}}", TRUE, TALLY_VERDICT_UNKNOWN, "without a user's id" },
  { "a creation of somebody else", 201, "{\"user\":{\"id\":7,\"external_id\":\"other:1\"}}", TRUE, TALLY_VERDICT_UNKNOWN,
    "an answer about user 7, whose external_id is not" },
};

static void
test_odd_answers_are_not_believed (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      TallyDelivery *delivery = ask_server (answer (odd[i].status, odd[i].body), odd[i].sending);

      assert_row_int (odd[i].what, delivery->verdict, odd[i].verdict);
      assert_detail (delivery, odd[i].detail);
      desk_delivery_free (delivery);
    }
}

/* --- two at once --- */

/* Each creation is at work for a while. */
#define SLOW "delay-before:method=POST,ms=100,count=0"

static void
test_records_with_one_name_do_not_race (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ("--fault", SLOW, "--organization-race", "60");
  g_autoptr (Desk) desk = open_with (emulator, ORGANIZATIONS, "name text", NULL);
  TallyDelivery *one = hand_over (desk, "desk:1", ROW ("Acme")), *same = hand_over (desk, "desk:2", ROW ("ACME"));

  desk_finish (desk);
  assert_int (one->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (same->settled, 1);
  assert_int (emulator_count (emulator, "max_in_flight"), 1);
}

static void
test_records_with_different_names_go_at_once (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ("--fault", SLOW);
  g_autoptr (Desk) desk = open_with (emulator, ORGANIZATIONS, "name text", NULL);
  TallyDelivery *one = hand_over (desk, "desk:1", ROW ("Acme")), *other = hand_over (desk, "desk:2", ROW ("Other"));

  desk_finish (desk);
  assert_int (one->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (other->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (emulator_count (emulator, "max_in_flight"), 2);
}

static void
test_records_with_one_address_do_not_race (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ("--fault", SLOW);
  g_autoptr (Desk) desk = open_with (emulator, USERS, "name text, email text, identities text", NULL);
  TallyDelivery *one = hand_over (desk, "desk:1", ROW ("Ann", "ann@acme.test", NULL));
  TallyDelivery *same = hand_over (desk, "desk:2", ROW ("Bob", "ANN@acme.test", NULL));
  TallyDelivery *further = hand_over (desk, "desk:3", ROW ("Cid", "cid@acme.test", "ann@acme.test"));

  desk_finish (desk);
  assert_int (one->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (same->verdict, TALLY_VERDICT_REJECTED);
  assert_detail (same, "and the external_id \"desk:1\", where this record's would be \"desk:2\"");
  assert_int (further->verdict, TALLY_VERDICT_REJECTED);
  assert_int (emulator_count (emulator, "users_created"), 2);
  assert_int (emulator_count (emulator, "max_in_flight"), 1);
}

static void
test_a_name_in_doubt_waits (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ();
  g_autoptr (Desk) desk = open_with (emulator, ORGANIZATIONS, "name text", NULL);
  TallyDelivery *lost, *same;

  emulator_set_faults (emulator, "{'kind':'drop-before','method':'POST'}");
  lost = send_row (desk, "desk:1", ROW ("Acme"));
  assert_int (lost->verdict, TALLY_VERDICT_UNKNOWN);
  same = send_row (desk, "desk:2", ROW ("Acme"));
  assert_int (same->verdict, TALLY_VERDICT_BUSY);
  assert_true (same->wait > 0 && same->wait <= 60 * G_USEC_PER_SEC);
  assert_detail (same, "another record has this name");
  assert_int (look_up (desk, lost)->verdict, TALLY_VERDICT_ABSENT);
  assert_int (send_row (desk, "desk:2", ROW ("Acme"))->verdict, TALLY_VERDICT_DELIVERED);
}

/* --- what belongs to a user --- */

static void
test_memberships_and_addresses_are_each_made_once (void)
{
  static const char *const faults_between[] = {
    NULL, "{'kind':'drop-after','method':'POST','path':'/api/v2/organization_memberships'}",
    "{'kind':'drop-after','method':'POST','path':'/api/v2/users/'}",
    "{'kind':'status','status':503,'method':'GET','path':'/api/v2/users/'}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (faults_between); i++)
    {
      const char *what = faults_between[i] != NULL ? faults_between[i] : "no fault";
      g_autoptr (Emulator) emulator = EMULATOR ();
      gint64 one = make (emulator, "organizations", "organization", "{'name':'One'}");
      gint64 other = make (emulator, "organizations", "organization", "{'name':'Other'}");
      g_autofree char *first = g_strdup_printf ("%" G_GINT64_FORMAT, one);
      g_autofree char *list = g_strdup_printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, other, one);
      g_autoptr (Desk) desk = open_with (emulator, USERS,
                                         "name text, email text, identities text, organization_id text, organization_ids text", NULL);
      TallyDelivery *sent;

      if (faults_between[i] != NULL)
        emulator_set_faults (emulator, faults_between[i]);
      sent = send_row (desk, "desk:1", ROW ("Ann", "ann@acme.test", "a@acme.test b@acme.test", first, list));
      assert_row_int (what, sent->verdict, i == 0 ? TALLY_VERDICT_DELIVERED : TALLY_VERDICT_UNKNOWN);
      if (i > 0)
        assert_row_int (what, look_up (desk, sent)->verdict, TALLY_VERDICT_DELIVERED);
      assert_row_int (what, emulator_count (emulator, "users_created"), 1);
      assert_row_int (what, emulator_count (emulator, "identities_created"), 2);
      assert_row_int (what, emulator_count (emulator, "memberships_created"), 2);
      assert_row_int (what, emulator_count (emulator, "verification_mails"), 0);
    }
}

static void
test_an_address_of_somebody_elses_is_told (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ();
  g_autoptr (Desk) desk = open_with (emulator, USERS, "name text, identities text", NULL);
  TallyDelivery *delivery;

  make (emulator, "users", "user", "{'name':'Bob','email':'b@acme.test'}");
  delivery = send_row (desk, "desk:1", ROW ("Ann", "b@acme.test"));
  assert_int (delivery->verdict, TALLY_VERDICT_REJECTED);
  assert_detail (delivery, "is there, but one of its e-mail addresses is not its own");
  /* Corrected and retried, it is the same user. */
  delivery = send_row (desk, "desk:1", ROW ("Ann", "a@acme.test"));
  assert_int (delivery->verdict, TALLY_VERDICT_DELIVERED);
  assert_int (emulator_count (emulator, "users_created"), 2);
}

/* --- updates --- */

static TallyDelivery *
update_row (Desk *desk, const char *reference, const char *target_id, const char *const *values)
{
  TallyDelivery *delivery;

  tally_batch_clear (desk->batch);
  desk_add_row (desk, values);
  g_autofree char *body = desk_render_update (desk, 0, reference, target_id, NULL);
  delivery = desk_send_update (desk, "k", reference, target_id, body);
  desk_finish (desk);
  return delivery;
}

static void
test_an_update_changes_what_is_there (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ();
  g_autoptr (Desk) desk = open_with (emulator, ORGANIZATIONS, "name text, domain_names text", NULL);
  TallyDelivery *sent = send_row (desk, "desk:1", ROW ("Acme", "a.test b.test"));
  TallyDelivery *update = update_row (desk, "desk:1", sent->target_id, ROW ("Acme Ltd", "b.test"));
  g_autofree char *shown = show (emulator, "/api/v2/organizations/%s.json", sent->target_id);

  assert_int (update->verdict, TALLY_VERDICT_DELIVERED);
  assert_text (update->target_id, sent->target_id);
  assert_shows (shown, "\"name\":\"Acme Ltd\"");
  assert_shows (shown, "\"domain_names\":[\"b.test\"]");
  assert_shows (shown, "\"external_id\":\"desk:1\"");
  assert_int (emulator_count (emulator, "organizations_created"), 1);
}

/* With and without a fault; an update's bytes may go again. */
static void
test_an_address_is_changed_and_no_membership_lost (void)
{
  static const char *const faults_between[] = {
    NULL, "{'kind':'drop-after','method':'PUT'}", "{'kind':'drop-before','method':'PUT'}",
    "{'kind':'drop-after','method':'POST','path':'/api/v2/users/'}",
    "{'kind':'drop-after','method':'PUT','at':2}", "{'kind':'drop-after','method':'PUT','at':3}",
    "{'kind':'drop-after','method':'POST','path':'/api/v2/organization_memberships'}",
  };
  static const char columns[] = "name text, email text, organization_id text, organization_ids text";

  for (guint i = 0; i < G_N_ELEMENTS (faults_between); i++)
    {
      const char *what = faults_between[i] != NULL ? faults_between[i] : "no fault";
      g_autoptr (Emulator) emulator = EMULATOR ();
      g_autofree char *one = g_strdup_printf ("%" G_GINT64_FORMAT, make (emulator, "organizations", "organization", "{'name':'One'}"));
      g_autofree char *two = g_strdup_printf ("%" G_GINT64_FORMAT, make (emulator, "organizations", "organization", "{'name':'Two'}"));
      g_autofree char *three
          = g_strdup_printf ("%" G_GINT64_FORMAT, make (emulator, "organizations", "organization", "{'name':'Three'}"));
      g_autoptr (Desk) desk = open_with (emulator, USERS, columns, NULL);
      TallyDelivery *sent = send_row (desk, "desk:1", ROW ("Ann", "old@acme.test", one, two)), *update;

      if (i > 0)
        emulator_set_faults (emulator, faults_between[i]);
      update = update_row (desk, "desk:1", sent->target_id, ROW ("Ann", "new@acme.test", two, three));
      assert_row_int (what, update->verdict, i == 0 ? TALLY_VERDICT_DELIVERED : TALLY_VERDICT_UNKNOWN);
      if (i > 0)
        update = update_row (desk, "desk:1", sent->target_id, ROW ("Ann", "new@acme.test", two, three));
      assert_row_int (what, update->verdict, TALLY_VERDICT_DELIVERED);
      assert_row_text (what, update->target_id, sent->target_id);

      g_autofree char *shown = show (emulator, "/api/v2/users/%s.json", sent->target_id);
      g_autofree char *organization = g_strdup_printf ("\"organization_id\":%s", two);
      assert_shows (shown, "\"email\":\"new@acme.test\"");
      assert_shows (shown, organization);
      assert_row_int (what, emulator_count (emulator, "identities_created"), 1);
      assert_row_int (what, emulator_count (emulator, "memberships"), 3);
      assert_row_int (what, emulator_count (emulator, "verification_mails"), 0);
      assert_row_int (what, emulator_count (emulator, "users_created"), 1);
    }
}

static void
test_an_update_of_what_was_deleted_creates_nothing (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (both); i++)
    {
      g_autoptr (Emulator) emulator = EMULATOR ();
      g_autoptr (Desk) desk = open_with (emulator, both[i].plugin, "name text", NULL);
      TallyDelivery *sent = send_row (desk, "desk:1", ROW ("Acme")), *update;
      g_autofree char *path = g_strdup_printf ("/api/v2/%s/%s.json", i == 0 ? "users" : "organizations", sent->target_id);
      g_autofree char *words = g_strdup_printf ("%s was deleted in the target", sent->target_id);

      g_free (emulator_ask (emulator, "DELETE", path, NULL));
      update = update_row (desk, "desk:1", sent->target_id, ROW ("Acme"));
      assert_row_int (both[i].plugin, update->verdict, TALLY_VERDICT_ABSENT);
      assert_detail (update, words);
      assert_row_int (both[i].plugin, emulator_count (emulator, both[i].count), 1);
    }
}

static void
test_a_reject_says_whether_it_is_there (void)
{
  g_autoptr (Emulator) emulator = EMULATOR ();
  g_autoptr (Desk) desk = open_with (emulator, USERS, "name text, email text, identities text", NULL);
  TallyDelivery *half, *nothing;

  make (emulator, "users", "user", "{'name':'Bob','email':'b@acme.test'}");
  half = send_row (desk, "desk:1", ROW ("Ann", NULL, "b@acme.test"));
  nothing = send_row (desk, "desk:2", ROW ("Cid", "b@acme.test", NULL));
  assert_int (half->verdict, TALLY_VERDICT_REJECTED);
  assert_true (half->target_id != NULL);
  assert_int (nothing->verdict, TALLY_VERDICT_REJECTED);
  assert_text (nothing->target_id, NULL);
}

static const Promise promises[] = {
  { "one record makes one", test_one_record_makes_one },
  { "a lookup finds what is there", test_a_lookup_finds_what_is_there },
  { "each fault is judged, and nothing is sent twice", test_each_fault_is_judged_and_nothing_is_sent_twice },
  { "fields are found by their keys", test_fields_are_found_by_their_keys },
  { "nobody is written to", test_nobody_is_written_to },
  { "what is there is never taken in silence", test_what_is_there_is_never_taken_in_silence },
  { "two who could both be meant are named", test_two_who_could_both_be_meant_are_named },
  { "who is too new to be found is not guessed at", test_who_is_too_new_to_be_found_is_not_guessed_at },
  { "a lost adoption is found again, and finished", test_a_lost_adoption_is_found_and_finished },
  { "odd answers are not believed", test_odd_answers_are_not_believed },
  { "D7: records with one name do not race", test_records_with_one_name_do_not_race },
  { "records with different names go at once", test_records_with_different_names_go_at_once },
  { "D7: records with one address do not race", test_records_with_one_address_do_not_race },
  { "a name in doubt waits", test_a_name_in_doubt_waits },
  { "memberships and addresses are each made once", test_memberships_and_addresses_are_each_made_once },
  { "an address of somebody else's is told", test_an_address_of_somebody_elses_is_told },
  { "an update changes what is there", test_an_update_changes_what_is_there },
  { "an address is changed, and no membership lost", test_an_address_is_changed_and_no_membership_lost },
  { "an update of what was deleted creates nothing", test_an_update_of_what_was_deleted_creates_nothing },
  { "a reject says whether it is there", test_a_reject_says_whether_it_is_there },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("zendesk settling", promises, argc, argv);
}
