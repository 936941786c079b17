/* test-migration.c: a whole help desk moves exactly once, by the pipelines of pipelines/migration, killed at random moments
 *
 * A desk is made up by a seed, moved by one command, `tallyman run FOLDER`, which is killed (SIGKILL) again and again and started anew
 * until it says that all is done. Then the account is read out by our own source, and what is there is held against what was made up:
 * each organization, person, ticket, comment and file, with author, time, tags and fields. The emulator's history says whether each was
 * created once, and whether anybody was told.
 *
 * 8 kills a variant; with TALLYMAN_PROOF=long 50 of a desk of 20,000 tickets.  TALLYMAN_SEED=N repeats desk and moments.
 */
#include "desk-made.h"
#include "failures.h"
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <signal.h>
#include <string.h>

/* A minute of settling is a second here: a run that was killed comes back often. */
#define FAST "60"
#define MAX_WORKERS 3
/* Between two looks at the account while a run is at work; counting costs it time where it is large. */
#define BETWEEN_LOOKS (failure_is_long () ? 20000 : 3000)

/* How the desk moves.  A further one is a row more. */
typedef struct
{
  const char *label;
  const char *emulator[8]; /* its options beside those of all, up to NULL */
  const char *faults;      /* (nullable) */
  const char *sink_lines;  /* (nullable) more options of all sinks: "    in-flight: 4\n" */
  const char *create_lines; /* (nullable) likewise of those that create: all but that of the links */
  guint n_workers;         /* at once, on one ledger */
  gboolean put_back;       /* the ledger is put back on the way to what it was */
} Variant;

static const Variant variants[] = {
  { .label = "as it is", .emulator = { "--check-people", "on", "--check-authors" }, .n_workers = 1 },
  { .label = "at its worst",
    .emulator = { "--idempotency", "off", "--same-key", "duplicate", "--organization-race", "100000", "--repeat-exported", "7" },
    .faults = "[{\"kind\":\"drop-after\",\"method\":\"POST\",\"every\":23,\"count\":0},"
              "{\"kind\":\"drop-then-act\",\"ms\":40,\"method\":\"POST\",\"every\":41,\"count\":0},"
              "{\"kind\":\"status-after\",\"status\":502,\"body\":\"html\",\"method\":\"POST\",\"every\":53,\"count\":0},"
              "{\"kind\":\"drop-after\",\"method\":\"PUT\",\"every\":7,\"count\":0},"
              "{\"kind\":\"storm\",\"count\":3,\"retry_after\":\"1\",\"after\":60}]",
    .n_workers = 1 },
  /* Few at once: half of the work is still to do when the copy is taken. */
  { .label = "with a ledger that was put back", .sink_lines = "    in-flight: 4\n", .n_workers = 1, .put_back = TRUE },
  { .label = "by three at once", .sink_lines = "    in-flight: 4\n", .n_workers = 3 },
  /* Whose jobs are quick, as those of the emulator are: what a kill leaves in doubt waits for so long.  Hundreds are on their way at each
   * of the kills, so that some would be taken for the reason of them all, and set aside (A11). */
  { .label = "in bulk", .emulator = { "--bulk-users", "on" }, .create_lines = "    bulk: true\n    job-time: 120s\n    attempts: 100\n", .n_workers = 1 },
};

typedef struct
{
  const Variant *variant;
  Rig *rig;              /* (owned) */
  MadeDesk *desk;        /* (owned) */
  GRand *random;         /* (owned) */
  char *folder;          /* (owned) the pipelines and the export */
  char *placeholder;     /* (owned) the id of its user */
  gint64 workers[MAX_WORKERS]; /* 0: not at work */
  gint64 n_before;       /* what was there before the move */
  guint n_kills, n_turned_away;
} Move;

static guint
kills_planned (void)
{
  return failure_is_long () ? 50 : 8;
}

/* ---- Getting ready ---- */

/* (transfer full) a member of what was made */
static char *
make (Rig *rig, const char *path, const char *body)
{
  g_autofree char *answer = rig_ask (rig, "POST", path, body);
  const char *id = strstr (answer, "\"id\":");

  if (!assert_true (id != NULL))
    g_printerr ("%s: %s\n", path, answer);
  return id != NULL ? g_strndup (id + 5, strspn (id + 5, "0123456789")) : g_strdup ("0");
}

/* Puts more lines after each one like this.  Returns how many there were. */
static guint
add_lines (GString *text, const char *line, const char *more)
{
  g_autofree char *both = g_strconcat (line, more, NULL);

  return more != NULL ? g_string_replace (text, line, both, 0) : 0;
}

/* A file of what is shipped, with more options of the sinks, if there are any. */
static void
copy_file (const char *from, const char *to, const Variant *variant)
{
  g_autofree char *text = NULL;
  g_autoptr (GString) copy = NULL;
  gsize length = 0;

  assert_true (g_file_get_contents (from, &text, &length, NULL));
  copy = g_string_new_len (text, (gssize) length);
  if (g_str_has_suffix (from, ".yaml"))
    assert_row_int (from, add_lines (copy, "    url: ${ZENDESK_URL}\n", variant->sink_lines), variant->sink_lines != NULL);
  if (g_str_has_suffix (from, ".yaml") && !g_str_has_suffix (from, "/links.yaml"))
    assert_row_int (from, add_lines (copy, "    url: ${ZENDESK_URL}\n", variant->create_lines), variant->create_lines != NULL);
  assert_true (g_file_set_contents (to, copy->str, (gssize) copy->len, NULL));
}

/* The shipped pipelines, and the small export beside them. */
static void
copy_folder (const char *from, const char *to, const Variant *variant)
{
  g_autoptr (GDir) folder = g_dir_open (from, 0, NULL);
  const char *name;

  g_mkdir (to, 0700);
  while (assert_true (folder != NULL) && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *source = g_build_filename (from, name, NULL), *target = g_build_filename (to, name, NULL);

      if (g_file_test (source, G_FILE_TEST_IS_DIR))
        copy_folder (source, target, variant);
      else
        copy_file (source, target, variant);
    }
}

/* What is shipped, and an account with the user who stands for others. (transfer full) its id */
static char *
set_up (Rig *rig, const char *folder, const Variant *variant)
{
  g_autofree char *shipped = g_build_filename (g_getenv ("SOURCE_ROOT"), "pipelines", "migration", NULL);
  char *placeholder = make (rig, "/api/v2/users.json", "{\"user\":{\"name\":\"Nobody\",\"skip_verify_email\":true}}");

  copy_folder (shipped, folder, variant);
  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", FAST);
  rig_setenv (rig, "ZENDESK_URL", rig_url (rig));
  rig_setenv (rig, "ZENDESK_TOKEN", "a-secret");
  rig_setenv (rig, "ZENDESK_PLACEHOLDER", placeholder);
  return placeholder;
}

static gint64
count_made (Rig *rig)
{
  g_autofree char *answer = rig_ask (rig, "GET", "/_emulator/counts", NULL);
  static const char *const names[] = { "\"organizations_created\":", "\"users_created\":", "\"created\":" };
  gint64 n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *at = strstr (answer, names[i]);

      n += at != NULL ? g_ascii_strtoll (at + strlen (names[i]), NULL, 10) : 0;
    }
  return n;
}

static void
move_begin (Move *move, const Variant *variant, guint32 seed)
{
  static const DeskSize small = { .n_organizations = 3, .n_users = 40, .n_tickets = 150, .n_comments = 500, .n_files = 40 };
  static const DeskSize large = { .n_organizations = 5, .n_users = 2000, .n_tickets = 20000, .n_comments = 80000, .n_files = 3000 };
  const char *const *o = variant->emulator;

  *move = (Move){ .variant = variant, .random = g_rand_new_with_seed (seed) };
  /* A creation takes its time, so that a kill finds many on their way. */
  move->rig = rig_new (TRUE, "--time-rate", FAST, "--delay", "20", o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7], NULL);
  move->folder = rig_path (move->rig, "move");
  move->placeholder = set_up (move->rig, move->folder, variant);
  move->desk = made_desk_new (failure_is_long () ? &large : &small, seed, move->folder);
  for (guint i = 0; i < move->desk->newcomers->len; i++)
    {
      const MadeNewcomer *newcomer = move->desk->newcomers->pdata[i];

      g_free (make (move->rig, newcomer->path, newcomer->body));
    }
  /* Until a search finds them, and their names are taken. */
  g_free (rig_ask (move->rig, "POST", "/_emulator/clock", "{\"advance\":200000}"));
  move->n_before = count_made (move->rig);
  if (variant->faults != NULL)
    rig_faults (move->rig, variant->faults);
}

static void
move_end (Move *move)
{
  rig_free (move->rig);
  made_desk_free (move->desk);
  g_rand_free (move->random);
  g_free (move->folder);
  g_free (move->placeholder);
}

/* ---- On the way ---- */

/* What the account has more in the end than in the beginning. */
static guint
count_expected (const MadeDesk *desk)
{
  return g_hash_table_size (desk->organizations) + g_hash_table_size (desk->users) + g_hash_table_size (desk->tickets)
         - g_hash_table_size (desk->adopted);
}

static char *
name_worker (guint i)
{
  return g_strdup_printf ("worker-%u", i + 1);
}

/* Complete, or complete with the rejects that are due. */
static gboolean
is_done (int status)
{
  return status == 0 || status == 3;
}

/* Starts who is not at work.  Who was turned away by another's lease (D1) tries again. */
static void
keep_at_work (Move *move)
{
  for (guint i = 0; i < move->variant->n_workers; i++)
    {
      g_autofree char *name = name_worker (i);

      if (move->workers[i] != 0 && rig_has_ended (move->workers[i]))
        {
          int status = rig_reap (move->workers[i]);

          move->workers[i] = 0;
          move->n_turned_away += status == 5;
          if (status != 5 && !is_done (status))
            {
              g_autofree char *log = g_strconcat (name, ".err", NULL), *errors = rig_read (move->rig, log);

              g_printerr ("\n%s: a run ended with %d: %s", move->variant->label, status, errors);
            }
        }
      if (move->workers[i] == 0)
        move->workers[i] = rig_spawn (move->rig, name, "run", "--json", move->folder, NULL);
    }
}

static void
kill_one (Move *move, guint i)
{
  if (move->workers[i] == 0)
    return;
  if (!rig_has_ended (move->workers[i]))
    kill ((pid_t) move->workers[i], SIGKILL);
  move->n_kills += rig_reap (move->workers[i]) == 128 + SIGKILL;
  move->workers[i] = 0;
}

static void
kill_all (Move *move)
{
  for (guint i = 0; i < MAX_WORKERS; i++)
    kill_one (move, i);
}

/* Until so much has been made, and a little longer. */
static void
work_until (Move *move, gint64 n_made)
{
  gint64 deadline = g_get_monotonic_time () + 300 * G_USEC_PER_SEC;

  for (keep_at_work (move); count_made (move->rig) - move->n_before < n_made; keep_at_work (move))
    {
      if (!assert_true (g_get_monotonic_time () < deadline))
        return;
      g_usleep (BETWEEN_LOOKS);
    }
  g_usleep ((gulong) g_rand_int_range (move->random, 0, 20000));
}

/* Kill number k of n falls into the k-th part of the work, at a random place; each third one is followed by another in the recovery. */
static void
work_and_die (Move *move, guint from, guint to)
{
  guint n = kills_planned (), total = count_expected (move->desk);

  for (guint k = from; k < to; k++)
    {
      work_until (move, (gint64) total * k / n + g_rand_int_range (move->random, 0, (gint32) (total / n)));
      kill_one (move, (guint) g_rand_int_range (move->random, 0, (gint32) move->variant->n_workers));
      if (k % 3 == 2)
        {
          keep_at_work (move);
          g_usleep ((gulong) g_rand_int_range (move->random, 0, G_USEC_PER_SEC / 4));
          kill_one (move, (guint) g_rand_int_range (move->random, 0, (gint32) move->variant->n_workers));
        }
    }
}

/* ---- A ledger that goes backwards ---- */

/* Of all that creates; links are no creations, and a link that is made again is the same link. */
static gint64
start_reconciliation (Move *move)
{
  g_autofree char *organizations = g_build_filename (move->folder, "organizations.yaml", NULL);
  g_autofree char *users = g_build_filename (move->folder, "users.yaml", NULL);
  g_autofree char *tickets = g_build_filename (move->folder, "tickets.yaml", NULL);

  return rig_spawn (move->rig, "reconcile", "doubt", "reconcile", "--json", organizations, users, tickets, NULL);
}

/* The account still makes what the killed have sent. */
static void
wait_until_it_rests (Move *move)
{
  for (gboolean rests = FALSE; !rests; g_usleep (BETWEEN_LOOKS))
    {
      g_autofree char *history = rig_ask (move->rig, "GET", "/_emulator/history", NULL);

      rests = strstr (history, "\"outcome\":\"at-work\"") == NULL;
    }
}

/* Returns: what was made until then; of what is made later the copy knows nothing */
static gint64
keep_ledger (Move *move)
{
  kill_all (move);
  failure_copy_ledger (move->rig, FAILURE_LEDGER, "kept");
  wait_until_it_rests (move);
  return count_made (move->rig) - move->n_before;
}

/* It is noticed, nothing is made, and reconciled, which is killed as well, it goes on. */
static void
put_ledger_back (Move *move, gint64 n_kept)
{
  gint64 n_made, reconciliation;
  int status;

  /* A run that is killed before it has looked at its ledger leaves nothing to notice. */
  work_until (move, n_kept + 1);
  kill_all (move);
  failure_copy_ledger (move->rig, "kept", FAILURE_LEDGER);
  wait_until_it_rests (move);
  n_made = count_made (move->rig);
  assert_int (rig_command (move->rig, "run", "--json", move->folder, NULL), 1);
  assert_contains (rig_errors (move->rig), "reconcile");
  assert_int (count_made (move->rig), n_made);

  reconciliation = start_reconciliation (move);
  g_usleep ((gulong) g_rand_int_range (move->random, 0, G_USEC_PER_SEC));
  kill ((pid_t) reconciliation, SIGKILL);
  move->n_kills += rig_reap (reconciliation) == 128 + SIGKILL;
  status = rig_reap (start_reconciliation (move));
  g_autofree char *findings = rig_read (move->rig, "reconcile.out"), *errors = rig_read (move->rig, "reconcile.err");
  /* 4: something is in doubt, which the next run settles. */
  if (!assert_true (status == 0 || status == 4))
    g_printerr ("%d: %s%s", status, findings, errors);
  assert_contains (findings, "migration-tickets");
  assert_true (strstr (findings, "\"finding\":\"double\"") == NULL);
}

/* ---- What is there in the end ---- */

/* By `tallyman run`, into NAME.ndjson. */
static void
read_account (Move *move)
{
  static const char *const resources[] = { "organizations", "users", "tickets" };
  g_autofree char *folder = rig_path (move->rig, "read");
  int status;

  g_mkdir (folder, 0700);
  for (guint i = 0; i < G_N_ELEMENTS (resources); i++)
    {
      g_autofree char *path = g_strdup_printf ("read/%s.yaml", resources[i]);
      g_autofree char *yaml
          = g_strdup_printf ("pipeline: read-%s\nsource:\n  zendesk: { url: \"${ZENDESK_URL}\", access_token: \"${ZENDESK_TOKEN}\", "
                             "resource: %s%s }\nsink:\n  json: { path: %s.ndjson }\n",
                             resources[i], resources[i], g_str_equal (resources[i], "tickets") ? ", comments: true" : "", resources[i]);

      rig_write (move->rig, path, yaml);
    }
  rig_clear_faults (move->rig);
  g_free (rig_ask (move->rig, "POST", "/_emulator/clock", "{\"advance\":200}"));
  status = rig_command (move->rig, "run", "--json", folder, NULL);
  if (!assert_int (status, 0))
    g_printerr ("%s%s", rig_output (move->rig), rig_errors (move->rig));
}

/* Text of a member, or NULL. */
static const char *
member (json_object *object, const char *name)
{
  json_object *value = NULL;

  json_object_object_get_ex (object, name, &value);
  return value != NULL ? json_object_get_string (value) : NULL;
}

typedef struct
{
  Move *move;
  /* (element-type utf8 utf8) external_ids by id */
  GHashTable *organizations, *users, *tickets;
  GHashTable *found; /* (element-type utf8 utf8) of one of these: what is there, by external_id */
} Reading;

typedef char *(*Describe) (Reading *reading, json_object *record);

static GHashTable *
new_table (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/* Calls with each record of a file. */
static void
each_record (Reading *reading, const char *name, void (*call) (Reading *, json_object *, gpointer), gpointer data)
{
  g_autofree char *text = rig_read (reading->move->rig, name);
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : g_new0 (char *, 1);

  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0')
      {
        json_object *record = json_tokener_parse (*line);

        if (assert_true (record != NULL))
          call (reading, record, data);
        json_object_put (record);
      }
}

static void
note_id (Reading *reading, json_object *record, gpointer table)
{
  const char *external_id = member (record, "external_id");

  if (external_id != NULL)
    g_hash_table_insert (table, g_strdup (member (record, "id")), g_strdup (external_id));
}

/* Of what is ours, once each: an export that tells one twice is put right by the source. */
static void
note_text (Reading *reading, json_object *record, gpointer data)
{
  const Describe *describe = data;
  const char *external_id = member (record, "external_id");

  if (external_id == NULL || !g_str_has_prefix (external_id, MADE_ORIGIN ":"))
    return;
  assert_row_int (external_id, g_hash_table_contains (reading->found, external_id), FALSE);
  g_hash_table_insert (reading->found, g_strdup (external_id), (*describe) (reading, record));
}

static int
compare_words (gconstpointer one, gconstpointer other)
{
  return strcmp (*(const char *const *) one, *(const char *const *) other);
}

/* "a b c" of an array, in order. (transfer full) */
static char *
join (json_object *record, const char *name)
{
  json_object *list = NULL;
  GString *out = g_string_new (NULL);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  json_object_object_get_ex (record, name, &list);
  for (gsize i = 0; list != NULL && i < json_object_array_length (list); i++)
    g_ptr_array_add (words, (gpointer) json_object_get_string (json_object_array_get_idx (list, i)));
  g_ptr_array_sort (words, compare_words);
  for (guint i = 0; i < words->len; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? " " : "", (const char *) words->pdata[i]);
  return g_string_free (out, FALSE);
}

static char *
describe_organization (Reading *reading, json_object *record)
{
  g_autofree char *domains = join (record, "domain_names");

  return made_describe_organization (member (record, "name"), domains, member (record, "notes"));
}

/* Whose external_id an id is. */
static const char *
find_name (const Reading *reading, GHashTable *table, const char *id)
{
  const char *name = id != NULL ? g_hash_table_lookup (table, id) : NULL;

  return name != NULL ? name : g_strcmp0 (id, reading->move->placeholder) == 0 ? MADE_NOBODY : id;
}

static char *
describe_user (Reading *reading, json_object *record)
{
  g_autofree char *tags = join (record, "tags");

  return made_describe_user (member (record, "name"), member (record, "email"), member (record, "phone"), member (record, "role"),
                             find_name (reading, reading->organizations, member (record, "organization_id")), tags);
}

/* What an HTML comment says, without the service's wrapper, or a plain one. (transfer full) */
static char *
comment_text (json_object *comment)
{
  const char *html = member (comment, "html_body"), *begin = html != NULL ? strchr (html, '>') : NULL;

  if (begin == NULL || strstr (html, MADE_BOLD) == NULL)
    return g_strdup (member (comment, "plain_body"));
  return g_strndup (begin + 1, strlen (begin + 1) - strlen ("</div>"));
}

static void
describe_files (Reading *reading, json_object *comment, GString *conversation)
{
  json_object *files = NULL;

  json_object_object_get_ex (comment, "attachments", &files);
  for (gsize i = 0; files != NULL && i < json_object_array_length (files); i++)
    {
      json_object *file = json_object_array_get_idx (files, i);
      const char *url = member (file, "content_url"), *place = url != NULL ? strstr (url, "/attachments/") : NULL;
      g_autoptr (GString) content = rig_fetch (reading->move->rig, place != NULL ? place : "/nowhere");
      g_autofree char *digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) content->str, content->len);

      made_describe_file (conversation, member (file, "file_name"), digest);
    }
}

static char *
conversation_of (Reading *reading, json_object *record)
{
  json_object *comments = NULL;
  GString *out = g_string_new (NULL);

  json_object_object_get_ex (record, "comments", &comments);
  for (gsize i = 0; comments != NULL && i < json_object_array_length (comments); i++)
    {
      json_object *comment = json_object_array_get_idx (comments, i);
      g_autofree char *text = comment_text (comment);

      made_describe_comment (out, member (comment, "created_at"), find_name (reading, reading->users, member (comment, "author_id")),
                             g_strcmp0 (member (comment, "public"), "true") == 0, text);
      describe_files (reading, comment, out);
    }
  return g_string_free (out, FALSE);
}

/* When it was solved stands in its measures alone. (transfer full) (nullable) */
static char *
solved_at (Reading *reading, const char *id)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%s/metrics.json", id);
  g_autofree char *answer = rig_ask (reading->move->rig, "GET", path, NULL);
  const char *at = strstr (answer, "\"solved_at\":\"");

  return at != NULL ? g_strndup (at + 13, strcspn (at + 13, "\"")) : NULL;
}

/* "2012-06-01 10:00:00+00" as the service says it. (transfer full) (nullable) */
static char *
moment (json_object *record, const char *name)
{
  const char *text = member (record, name);

  return text != NULL ? g_strdup_printf ("%.10sT%.8sZ", text, text + 11) : NULL;
}

static char *
describe_ticket (Reading *reading, json_object *record)
{
  g_autofree char *tags = join (record, "tags"), *conversation = conversation_of (reading, record);
  g_autofree char *created = moment (record, "created_at"), *updated = moment (record, "updated_at");
  g_autofree char *solved = solved_at (reading, member (record, "id"));
  const char *problem = member (record, "problem_id");
  const MadeTicketFacts facts = { .subject = member (record, "subject"),
                                  .requester = find_name (reading, reading->users, member (record, "requester_id")),
                                  .submitter = find_name (reading, reading->users, member (record, "submitter_id")),
                                  .assignee = find_name (reading, reading->users, member (record, "assignee_id")),
                                  .status = member (record, "status"),
                                  .type = member (record, "type"),
                                  .priority = member (record, "priority"),
                                  .tags = tags,
                                  .created = created,
                                  .updated = updated,
                                  .solved = solved,
                                  .number = member (record, "custom_fields.Legacy number"),
                                  .affected = member (record, "custom_fields.Affected users"),
                                  .severity = member (record, "custom_fields.Severity"),
                                  .problem = problem != NULL ? find_name (reading, reading->tickets, problem) : NULL };

  return made_describe_ticket (&facts, conversation);
}

static void
compare (GHashTable *found, GHashTable *expected)
{
  GHashTableIter all;
  gpointer key, text;
  guint n_wrong = 0;

  g_hash_table_iter_init (&all, expected);
  while (g_hash_table_iter_next (&all, &key, &text))
    {
      const char *there = g_hash_table_lookup (found, key);

      /* A few tell what is wrong; thousands hide it. */
      if (g_strcmp0 (there, text) != 0 && ++n_wrong <= 5)
        assert_row_text (key, there, text);
    }
  assert_int (n_wrong, 0);
  assert_int (g_hash_table_size (found), g_hash_table_size (expected));
}

static void
compare_all (Move *move)
{
  g_autoptr (GHashTable) organizations = new_table (), users = new_table (), tickets = new_table ();
  Reading reading = { .move = move, .organizations = organizations, .users = users, .tickets = tickets };
  const struct
  {
    const char *file;
    Describe describe;
    GHashTable *ids, *expected;
  } parts[] = { { "read/organizations.ndjson", describe_organization, organizations, move->desk->organizations },
                { "read/users.ndjson", describe_user, users, move->desk->users },
                { "read/tickets.ndjson", describe_ticket, tickets, move->desk->tickets } };

  read_account (move);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    each_record (&reading, parts[i].file, note_id, parts[i].ids);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      Describe describe = parts[i].describe;

      reading.found = new_table ();
      each_record (&reading, parts[i].file, note_text, &describe);
      compare (reading.found, parts[i].expected);
      g_hash_table_unref (reading.found);
    }
}

/* The true history: each was made once, but for who was there before. */
static void
check_creations (Move *move, const char *event, GHashTable *expected)
{
  g_autoptr (GHashTable) creations = rig_count_creations (move->rig, event);
  GHashTableIter all;
  gpointer key, times;
  guint n_made = 0;

  g_hash_table_iter_init (&all, creations);
  while (g_hash_table_iter_next (&all, &key, &times))
    if (g_str_has_prefix (key, MADE_ORIGIN ":"))
      {
        n_made++;
        assert_row_int (key, GPOINTER_TO_UINT (times), 1);
        assert_row_int (key, g_hash_table_contains (expected, key) && !g_hash_table_contains (move->desk->adopted, key), TRUE);
      }
  g_hash_table_iter_init (&all, expected);
  while (g_hash_table_iter_next (&all, &key, NULL))
    n_made += g_hash_table_contains (move->desk->adopted, key);
  assert_row_int (event, n_made, g_hash_table_size (expected));
}

static void
check_history (Move *move)
{
  g_autofree char *history = rig_ask (move->rig, "GET", "/_emulator/history", NULL);

  check_creations (move, "created-organization", move->desk->organizations);
  check_creations (move, "created-user", move->desk->users);
  check_creations (move, "created", move->desk->tickets);
  assert_int (count_made (move->rig) - move->n_before, count_expected (move->desk));
  assert_true (strstr (history, "\"notified\":true") == NULL);
  assert_true (strstr (history, "\"verification_mail\":true") == NULL);
}

/* ---- The whole ---- */

/* The same command until it says that all is there. */
static void
run_to_the_end (Move *move)
{
  int status = -1;

  for (guint i = 0; i < 10 && !is_done (status); i++)
    status = rig_command (move->rig, "run", "--json", move->folder, NULL);
  if (!assert_int (status, move->desk->n_rejected > 0 ? 3 : 0))
    {
      g_printerr ("%s%s", rig_output (move->rig), rig_errors (move->rig));
      rig_command (move->rig, "doubt", "list", "--json", "migration-tickets", NULL);
      g_printerr ("%.4000s%s", rig_output (move->rig), rig_errors (move->rig));
    }
  assert_int (rig_count_lines (move->rig, "move/rejects-users.ndjson"), move->desk->n_rejected);
  assert_int (rig_count_lines (move->rig, "move/rejects-tickets.ndjson"), 0);
}

/* Once more: it finds all as it left it. */
static void
run_once_more (Move *move)
{
  gint64 n_made = count_made (move->rig);

  assert_int (rig_command (move->rig, "run", "--json", move->folder, NULL), move->desk->n_rejected > 0 ? 3 : 0);
  assert_int (count_made (move->rig), n_made);
}

static void
move_desk (const Variant *variant)
{
  const char *given = g_getenv ("TALLYMAN_SEED");
  guint32 seed = given != NULL ? (guint32) g_ascii_strtoull (given, NULL, 10) : g_random_int ();
  guint n = kills_planned ();
  gint64 n_kept = 0;
  Move move;

  g_print (" (seed %u)", seed);
  move_begin (&move, variant, seed);
  work_and_die (&move, 0, n / 2);
  if (variant->put_back)
    n_kept = keep_ledger (&move);
  work_and_die (&move, n / 2, n - 1);
  if (variant->put_back)
    put_ledger_back (&move, n_kept);
  work_and_die (&move, n - 1, n);
  kill_all (&move);
  run_to_the_end (&move);
  run_once_more (&move);
  check_history (&move);
  compare_all (&move);
  g_print (" (%u kills, %u turned away)", move.n_kills, move.n_turned_away);
  assert_true (move.n_kills >= n);
  assert_int (failure_count_posts (move.rig, "/api/v2/users/create_many") > 0, variant->create_lines != NULL);
  assert_int (failure_count_posts (move.rig, "/api/v2/imports/tickets/create_many") > 0, variant->create_lines != NULL);
  move_end (&move);
}

/* What a stranger runs first: the small export that lies beside the pipelines. */
static void
test_the_shipped_export_moves (void)
{
  g_autoptr (Rig) rig = rig_new (TRUE, "--time-rate", FAST, "--check-people", "on", "--check-authors", "--check-assignees", NULL);
  g_autofree char *folder = rig_path (rig, "move"), *history = NULL;
  gint64 n_before;

  g_free (set_up (rig, folder, &variants[0]));
  n_before = count_made (rig);
  for (guint i = 0; i < 2; i++)
    {
      if (!assert_int (rig_command (rig, "run", folder, NULL), 0))
        g_printerr ("%s", rig_errors (rig));
      assert_int (rig_emulator_count (rig, "organizations_created"), 3);
      assert_int (rig_emulator_count (rig, "created"), 5);
      assert_int (count_made (rig) - n_before, 3 + 5 + 5);
    }
  history = rig_ask (rig, "GET", "/_emulator/history", NULL);
  assert_int (rig_emulator_count (rig, "verification_mails"), 0);
  assert_true (strstr (history, "\"notified\":true") == NULL);

  /* Who stays behind is in the file beside it, as a plan drafts it. */
  g_autofree char *people = rig_read (rig, "move/people.csv"), *drafted = NULL;
  assert_int (rig_command (rig, "plan", "--references", "people.csv", folder, NULL), 0);
  drafted = rig_read (rig, "people.csv");
  assert_text (drafted, people);
}

static void
test_a_desk_moves (void)
{
  move_desk (&variants[0]);
}

static void
test_a_desk_moves_at_its_worst (void)
{
  move_desk (&variants[1]);
}

static void
test_a_desk_moves_with_a_ledger_that_was_put_back (void)
{
  move_desk (&variants[2]);
}

static void
test_a_desk_moves_by_three_at_once (void)
{
  move_desk (&variants[3]);
}

static void
test_a_desk_moves_in_bulk (void)
{
  move_desk (&variants[4]);
}

static const Promise promises[] = {
  { "the shipped export moves", test_the_shipped_export_moves },
  { "a whole desk moves once, killed on the way", test_a_desk_moves },
  { "a whole desk moves once into an account at its worst", test_a_desk_moves_at_its_worst },
  { "E1: a whole desk moves once although its ledger was put back", test_a_desk_moves_with_a_ledger_that_was_put_back },
  { "D1: a whole desk moves once by three at once", test_a_desk_moves_by_three_at_once },
  { "a whole desk moves once in bulk", test_a_desk_moves_in_bulk },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: migration", promises, argc, argv);
}
