/* desk-made.c: see desk-made.h */
#include "desk-made.h"
#include <string.h>

#define DAY (24 * 3600)
/* 2012-01-01: the oldest ticket */
#define BEGINNING G_GINT64_CONSTANT (1325376000)

typedef struct
{
  char *id, *address, *key; /* (owned) address: (nullable) */
  gboolean is_active, is_agent;
} Person;

typedef struct
{
  const char *kind, *state;
  const Person *requester; /* (unowned) */
  gint64 opened, last;
  GString *conversation;   /* (owned) as it has to be, oldest first */
} Ticket;

typedef struct
{
  MadeDesk *desk;
  const DeskSize *size;
  GRand *random;
  const char *folder;
  GPtrArray *people, *agents;  /* (element-type Person); agents are borrowed */
  GHashTable *strangers;       /* (element-type utf8) keys of addresses that are somebody else's */
  Ticket *tickets;
  guint n_files;               /* so far */
} Maker;

static const char *const kinds[] = { "problem", "incident", "question", "task" };
static const char *const states[] = { "closed", "closed", "closed", "closed", "solved", "solved", "open", "open", "pending", "new" };
static const char *const priorities[] = { "low", "normal", "high", "urgent" };
static const char *const tags[] = { "billing", "gate", "hardware", "vip" };
static const char *const severities[] = { "severity_blocker", "severity_major", "severity_minor" };

/* ---- Texts ---- */

static void
add_fact (GString *out, const char *name, const char *value)
{
  g_string_append_printf (out, "%s: %s\n", name, value != NULL && *value != '\0' ? value : "-");
}

char *
made_describe_organization (const char *name, const char *domains, const char *notes)
{
  GString *out = g_string_new (NULL);

  add_fact (out, "name", name);
  add_fact (out, "domains", domains);
  add_fact (out, "notes", notes);
  return g_string_free (out, FALSE);
}

char *
made_describe_user (const char *name, const char *email, const char *phone, const char *role, const char *organization,
                    const char *labels)
{
  GString *out = g_string_new (NULL);

  add_fact (out, "name", name);
  add_fact (out, "email", email);
  add_fact (out, "phone", phone);
  add_fact (out, "role", role);
  add_fact (out, "organization", organization);
  add_fact (out, "tags", labels);
  return g_string_free (out, FALSE);
}

char *
made_describe_ticket (const MadeTicketFacts *facts, const char *conversation)
{
  GString *out = g_string_new (NULL);

  add_fact (out, "subject", facts->subject);
  add_fact (out, "requester", facts->requester);
  add_fact (out, "submitter", facts->submitter);
  add_fact (out, "assignee", facts->assignee);
  add_fact (out, "status", facts->status);
  add_fact (out, "type", facts->type);
  add_fact (out, "priority", facts->priority);
  add_fact (out, "tags", facts->tags);
  add_fact (out, "created", facts->created);
  /* The second pass changes it. */
  add_fact (out, "updated", facts->problem != NULL ? "(linked)" : facts->updated);
  add_fact (out, "solved", facts->solved);
  add_fact (out, "number", facts->number);
  add_fact (out, "affected", facts->affected);
  add_fact (out, "severity", facts->severity);
  add_fact (out, "problem", facts->problem);
  g_string_append (out, conversation);
  return g_string_free (out, FALSE);
}

void
made_describe_comment (GString *conversation, const char *time, const char *author, gboolean is_public, const char *text)
{
  g_string_append_printf (conversation, "* %s %s %s: %s\n", time, author, is_public ? "to all" : "a note", text);
}

void
made_describe_file (GString *conversation, const char *name, const char *sha256)
{
  g_string_append_printf (conversation, "  + %s %s\n", name, sha256);
}

static char *
format_time (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);

  return g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ");
}

/* ---- The export's files ---- */

static void
write_file (const Maker *maker, const char *name, const GString *data)
{
  g_autofree char *path = g_build_filename (maker->folder, name, NULL);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents (path, data->str, (gssize) data->len, &error))
    g_error ("%s", error->message);
}

/* NULL is NULL there, too. */
static void
add_field (GString *csv, const char *value)
{
  if (csv->len > 0 && csv->str[csv->len - 1] != '\n')
    g_string_append_c (csv, ',');
  if (value == NULL)
    return;
  g_string_append_c (csv, '"');
  for (const char *c = value; *c != '\0'; c++)
    g_string_append_printf (csv, *c == '"' ? "\"\"" : "%c", *c);
  g_string_append_c (csv, '"');
}

#define ROW_END ((const char *) 1)

/* Fields up to ROW_END. */
static void
add_row (GString *csv, ...)
{
  va_list fields;

  va_start (fields, csv);
  for (const char *field = va_arg (fields, const char *); field != ROW_END; field = va_arg (fields, const char *))
    add_field (csv, field);
  va_end (fields);
  g_string_append_c (csv, '\n');
}

/* ---- Chance ---- */

static guint
pick (const Maker *maker, guint n)
{
  return (guint) g_rand_int_range (maker->random, 0, (gint32) n);
}

#define PICK(maker, list) ((list)[pick (maker, G_N_ELEMENTS (list))])

/* As an old desk writes it: not always the same. */
static char *
write_address (const Maker *maker, const char *address)
{
  if (address == NULL)
    return NULL;
  return pick (maker, 4) == 0 ? g_ascii_strup (address, -1) : g_strdup (address);
}

/* ---- Who is there before ---- */

static void
newcomer_free (gpointer data)
{
  MadeNewcomer *newcomer = data;

  g_free (newcomer->body);
  g_free (newcomer);
}

static void
add_newcomer (Maker *maker, const char *path, char *body)
{
  MadeNewcomer *newcomer = g_new0 (MadeNewcomer, 1);

  newcomer->path = path;
  newcomer->body = body;
  g_ptr_array_add (maker->desk->newcomers, newcomer);
}

static void
make_person_known (Maker *maker, const Person *person, gboolean is_stranger)
{
  add_newcomer (maker, "/api/v2/users.json",
                g_strdup_printf ("{\"user\":{\"name\":\"Known %s\",\"email\":\"%s\",\"role\":\"%s\",\"skip_verify_email\":true%s%s%s}}",
                                 person->id, person->address, person->is_agent ? "agent" : "end-user",
                                 is_stranger ? ",\"external_id\":\"sso:" : "", is_stranger ? person->id : "", is_stranger ? "\"" : ""));
  if (is_stranger)
    g_hash_table_add (maker->strangers, g_strdup (person->key));
  else
    g_hash_table_add (maker->desk->adopted, g_strconcat (MADE_ORIGIN ":", person->key, NULL));
}

/* ---- Organizations ---- */

static void
make_organizations (Maker *maker)
{
  g_autoptr (GString) csv = g_string_new ("id,name,domains,notes\n");

  for (guint i = 1; i <= maker->size->n_organizations; i++)
    {
      g_autofree char *id = g_strdup_printf ("O-%u", i), *name = g_strdup_printf ("Firm \"%u\" & Söhne", i);
      g_autofree char *domain = i % 2 == 0 ? g_strdup_printf ("firm%u.example", i) : NULL;
      g_autofree char *spaced = g_strdup_printf (" %s ", name), *key = g_strconcat (MADE_ORIGIN ":", id, NULL);

      add_row (csv, id, spaced, domain, i % 3 == 0 ? "pays late" : NULL, ROW_END);
      g_hash_table_insert (maker->desk->organizations, g_strdup (key),
                           made_describe_organization (name, domain, i % 3 == 0 ? "pays late" : NULL));
      if (i != 1)
        continue;
      add_newcomer (maker, "/api/v2/organizations.json",
                    g_strdup ("{\"organization\":{\"name\":\"Firm \\\"1\\\" & Söhne\"}}"));
      g_hash_table_add (maker->desk->adopted, g_steal_pointer (&key));
    }
  write_file (maker, "organizations.csv", csv);
}

/* ---- People ---- */

static void
person_free (gpointer data)
{
  Person *person = data;

  g_free (person->id);
  g_free (person->address);
  g_free (person->key);
  g_free (person);
}

static char *
make_address (const Maker *maker, guint i)
{
  for (guint tries = 0; i % 10 == 3 && tries < 10; tries++)
    {
      const Person *other = maker->people->pdata[pick (maker, maker->people->len)];

      if (other->address != NULL)
        return g_strdup (other->address);
    }
  return i % 10 == 5 ? NULL : g_strdup_printf ("user%u@mail.example", i);
}

static Person *
make_person (Maker *maker, guint i)
{
  Person *person = g_new0 (Person, 1);

  person->id = g_strdup_printf ("%u", i);
  person->address = make_address (maker, i);
  person->key = g_strdup (person->address != NULL ? person->address : person->id);
  person->is_active = i % 10 != 7;
  person->is_agent = i % 10 == 0;
  g_ptr_array_add (maker->people, person);
  if (person->is_agent)
    g_ptr_array_add (maker->agents, person);
  if (i % 10 == 8 || i % 20 == 0 || i % 20 == 9)
    make_person_known (maker, person, i % 20 == 9);
  return person;
}

/* The first of those with one address is the one. */
static void
expect_person (Maker *maker, const Person *person, const char *name, const char *phone, const char *organization, const char *label)
{
  MadeDesk *desk = maker->desk;
  g_autofree char *external_id = g_strconcat (MADE_ORIGIN ":", person->key, NULL);
  g_autofree char *theirs = organization != NULL ? g_strconcat (MADE_ORIGIN ":", organization, NULL) : NULL;
  gboolean is_there = theirs != NULL && g_hash_table_contains (desk->organizations, theirs);

  if (g_hash_table_contains (desk->users, external_id))
    {
      desk->n_collisions++;
      return;
    }
  g_hash_table_insert (desk->users, g_steal_pointer (&external_id),
                       made_describe_user (name, person->address, phone, person->is_agent ? "agent" : "end-user",
                                           is_there ? theirs : NULL, label));
}

static void
make_people (Maker *maker)
{
  g_autoptr (GString) csv = g_string_new ("id,name,email,phone,role,organization,state,vip\n");

  for (guint i = 1; i <= maker->size->n_users; i++)
    {
      const Person *person = make_person (maker, i);
      g_autofree char *name = g_strdup_printf ("Person %u, née „Ö“", i), *address = write_address (maker, person->address);
      g_autofree char *phone = i % 3 == 0 ? g_strdup_printf ("+49 40 %07u", i) : NULL;
      /* The last of them is not in the export. */
      guint number = pick (maker, maker->size->n_organizations + 2);
      g_autofree char *organization = number > 0 ? g_strdup_printf ("O-%u", number) : NULL;
      gboolean is_vip = pick (maker, 4) == 0;

      add_row (csv, person->id, name, address, phone, person->is_agent ? "agent" : "customer", organization,
               person->is_active ? "active" : i % 20 == 7 ? "suspended" : "deleted", is_vip ? "yes" : "no", ROW_END);
      if (person->is_active)
        expect_person (maker, person, name, phone, organization, is_vip ? "vip" : NULL);
    }
  write_file (maker, "users.csv", csv);
}

/* What is somebody else's is a reject, and no user of ours. */
static void
settle_people (Maker *maker)
{
  GHashTableIter all;
  gpointer key;

  g_hash_table_iter_init (&all, maker->strangers);
  while (g_hash_table_iter_next (&all, &key, NULL))
    {
      g_autofree char *external_id = g_strconcat (MADE_ORIGIN ":", key, NULL);

      maker->desk->n_rejected += g_hash_table_remove (maker->desk->users, external_id);
    }
  for (guint i = 0; i < maker->people->len; i++)
    {
      const Person *person = maker->people->pdata[i];
      g_autofree char *external_id = g_strconcat (MADE_ORIGIN ":", person->key, NULL);

      maker->desk->n_left_behind += !person->is_active && !g_hash_table_contains (maker->desk->users, external_id);
    }
}

/* Who stands for somebody in the account. (transfer full) */
static char *
name_person (const Maker *maker, const Person *person, const char *fallback)
{
  g_autofree char *external_id = person != NULL ? g_strconcat (MADE_ORIGIN ":", person->key, NULL) : NULL;

  if (external_id != NULL && g_hash_table_contains (maker->desk->users, external_id))
    return g_steal_pointer (&external_id);
  return g_strdup (fallback);
}

static char *
write_person (const Maker *maker, const Person *person)
{
  return person == NULL ? NULL : person->address != NULL ? write_address (maker, person->address) : g_strdup (person->id);
}

static const Person *
pick_person (const Maker *maker)
{
  return maker->people->pdata[pick (maker, maker->people->len)];
}

/* ---- Conversations ---- */

/* (transfer full) */
static char *
make_text (const Maker *maker, guint number, gboolean is_html)
{
  GString *text;

  if (is_html)
    return g_strdup_printf ("<p>Said %u, " MADE_BOLD "</p>", number);
  text = g_string_new (NULL);
  g_string_append_printf (text, "Said %u: \"quoted\", a < b & c;\nline two, Größe 5 µm ✓", number);
  for (guint i = pick (maker, 10) == 0 ? pick (maker, 300) : 0; i > 0; i--)
    g_string_append_printf (text, "\nline %u of a long mail", i);
  return g_string_free (text, FALSE);
}

/* Any bytes. (transfer full) its path in the export */
static char *
make_file (Maker *maker, GString *conversation)
{
  g_autoptr (GString) data = g_string_new (NULL);
  g_autofree char *name = g_strdup_printf ("file-%u.bin", ++maker->n_files), *digest = NULL;

  for (guint i = 1 + pick (maker, 8192); i > 0; i--)
    g_string_append_c (data, (char) g_rand_int (maker->random));
  digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) data->str, data->len);
  made_describe_file (conversation, name, digest);

  char *path = g_build_filename ("files", name, NULL);
  write_file (maker, path, data);
  return path;
}

/* (transfer full) a row of the export */
static char *
make_comment (Maker *maker, guint number, guint n_files)
{
  guint place = pick (maker, maker->size->n_tickets);
  Ticket *ticket = &maker->tickets[place];
  const Person *author = pick (maker, 2) == 0 ? ticket->requester : pick_person (maker);
  gboolean is_html = pick (maker, 4) == 0, is_public = pick (maker, 4) != 0;
  g_autofree char *text = make_text (maker, number, is_html), *who = name_person (maker, author, MADE_NOBODY);
  g_autofree char *written_by = write_person (maker, author), *time = NULL, *id = g_strdup_printf ("%u", place + 1);
  g_autoptr (GString) row = g_string_new (NULL), paths = g_string_new (NULL);

  if (ticket->conversation->len > 0)
    ticket->last += 60 + pick (maker, DAY);
  time = format_time (ticket->last);
  made_describe_comment (ticket->conversation, time, who, is_public, text);
  for (guint i = 0; i < n_files; i++)
    {
      g_autofree char *path = make_file (maker, ticket->conversation);

      g_string_append_printf (paths, "%s%s", i > 0 ? ";" : "", path);
    }
  add_row (row, id, time, written_by, is_public ? "no" : "yes", is_html ? "html" : "text", text, n_files > 0 ? paths->str : NULL,
           ROW_END);
  return g_string_free (g_steal_pointer (&row), FALSE);
}

/* The rows stand in no order. */
static void
make_comments (Maker *maker)
{
  g_autoptr (GString) csv = g_string_new ("ticket,written,author,internal,format,text,files\n");
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  g_autofree guint *n_files = g_new0 (guint, maker->size->n_comments);

  for (guint i = 0; i < maker->size->n_files; i++)
    n_files[pick (maker, maker->size->n_comments)]++;
  for (guint i = 0; i < maker->size->n_comments; i++)
    g_ptr_array_add (rows, make_comment (maker, i + 1, n_files[i]));
  for (guint i = rows->len; i > 0; i--)
    {
      char *row = g_ptr_array_steal_index_fast (rows, pick (maker, i));

      g_string_append (csv, row);
      g_free (row);
    }
  write_file (maker, "comments.csv", csv);
}

/* ---- Tickets ---- */

static void
begin_tickets (Maker *maker)
{
  maker->tickets = g_new0 (Ticket, maker->size->n_tickets);
  for (guint i = 0; i < maker->size->n_tickets; i++)
    maker->tickets[i] = (Ticket){ .kind = PICK (maker, kinds),
                                  .state = PICK (maker, states),
                                  .requester = pick_person (maker),
                                  .opened = BEGINNING + (gint64) i * 3600,
                                  .last = BEGINNING + (gint64) i * 3600,
                                  .conversation = g_string_new (NULL) };
}

/* Any problem there is, also one that stands further down. (transfer full) (nullable) its number */
static char *
pick_cause (const Maker *maker, const Ticket *ticket)
{
  for (guint tries = 0; g_str_equal (ticket->kind, "incident") && tries < 10; tries++)
    {
      guint i = pick (maker, maker->size->n_tickets);

      if (g_str_equal (maker->tickets[i].kind, "problem"))
        return g_strdup_printf ("%u", i + 1);
    }
  return NULL;
}

/* (transfer full) in order, with blanks between */
static char *
pick_tags (const Maker *maker)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
    if (pick (maker, 3) == 0)
      g_string_append_printf (out, "%s%s", out->len > 0 ? " " : "", tags[i]);
  return g_string_free (out, FALSE);
}

static void
say_what_was_not_said (const Maker *maker, Ticket *ticket)
{
  g_autofree char *who = name_person (maker, ticket->requester, MADE_NOBODY), *time = format_time (ticket->opened);

  made_describe_comment (ticket->conversation, time, who, TRUE, "(the old desk has no text)");
}

static void
finish_ticket (Maker *maker, guint i, GString *csv)
{
  Ticket *ticket = &maker->tickets[i];
  gboolean is_closed = g_str_equal (ticket->state, "closed"), is_done = is_closed || g_str_equal (ticket->state, "solved");
  const Person *agent = g_str_equal (ticket->state, "new") ? NULL : maker->agents->pdata[pick (maker, maker->agents->len)];
  guint weight = pick (maker, 4);
  g_autofree char *number = g_strdup_printf ("%u", i + 1), *subject = g_strdup_printf ("Gate %u, „Tür“ & \"Tor\"", i + 1);
  g_autofree char *requester = name_person (maker, ticket->requester, MADE_NOBODY), *asked_by = write_person (maker, ticket->requester);
  g_autofree char *assignee = name_person (maker, agent, NULL), *done_by = write_person (maker, agent);
  g_autofree char *cause = pick_cause (maker, ticket), *labels = pick_tags (maker), *rank = g_strdup_printf ("%u", weight + 1);
  g_autofree char *affected = pick (maker, 2) == 0 ? g_strdup_printf ("%u", pick (maker, 1000)) : NULL;
  g_autofree char *opened = format_time (ticket->opened), *closed = is_done ? format_time (ticket->last + 3600) : NULL;
  g_autofree char *changed = format_time (ticket->last + 3600);
  g_autofree char *problem = cause != NULL && !is_closed ? g_strconcat (MADE_ORIGIN ":", cause, NULL) : NULL;
  const MadeTicketFacts facts = { .subject = subject, .requester = requester, .submitter = requester, .assignee = assignee,
                                  .status = ticket->state, .type = ticket->kind, .priority = PICK (maker, priorities), .tags = labels,
                                  .created = opened, .updated = changed, .solved = closed, .number = number, .affected = affected,
                                  .severity = weight < G_N_ELEMENTS (severities) ? severities[weight] : NULL, .problem = problem };

  if (ticket->conversation->len == 0)
    say_what_was_not_said (maker, ticket);
  add_row (csv, number, subject, asked_by, done_by, ticket->state, ticket->kind, facts.priority, labels, opened, changed, closed,
           facts.severity != NULL ? rank : NULL, affected, cause, ROW_END);
  maker->desk->n_links += problem != NULL;
  g_hash_table_insert (maker->desk->tickets, g_strconcat (MADE_ORIGIN ":", number, NULL),
                       made_describe_ticket (&facts, ticket->conversation->str));
}

static void
make_tickets (Maker *maker)
{
  g_autoptr (GString) csv = g_string_new ("number,subject,requester,assignee,state,kind,priority,tags,opened,changed,closed,"
                                          "severity,affected,cause\n");

  begin_tickets (maker);
  make_comments (maker);
  for (guint i = 0; i < maker->size->n_tickets; i++)
    finish_ticket (maker, i, csv);
  for (guint i = 0; i < maker->size->n_tickets; i++)
    g_string_free (maker->tickets[i].conversation, TRUE);
  g_free (maker->tickets);
  write_file (maker, "tickets.csv", csv);
}

/* ---- The whole ---- */

static GHashTable *
new_table (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static GHashTable *
new_set (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

MadeDesk *
made_desk_new (const DeskSize *size, guint32 seed, const char *folder)
{
  MadeDesk *desk = g_new0 (MadeDesk, 1);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autoptr (GPtrArray) people = g_ptr_array_new_with_free_func (person_free), agents = g_ptr_array_new ();
  g_autoptr (GHashTable) strangers = new_set ();
  g_autofree char *files = g_build_filename (folder, "files", NULL);
  Maker maker = { .desk = desk, .size = size, .random = random, .folder = folder, .people = people, .agents = agents,
                  .strangers = strangers };

  g_mkdir_with_parents (files, 0700);
  desk->organizations = new_table ();
  desk->users = new_table ();
  desk->tickets = new_table ();
  desk->adopted = new_set ();
  desk->newcomers = g_ptr_array_new_with_free_func (newcomer_free);
  make_organizations (&maker);
  make_people (&maker);
  settle_people (&maker);
  make_tickets (&maker);
  return desk;
}

void
made_desk_free (MadeDesk *desk)
{
  if (desk == NULL)
    return;
  g_hash_table_unref (desk->organizations);
  g_hash_table_unref (desk->users);
  g_hash_table_unref (desk->tickets);
  g_hash_table_unref (desk->adopted);
  g_ptr_array_unref (desk->newcomers);
  g_free (desk);
}
