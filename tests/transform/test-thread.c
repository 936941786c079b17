/* test-thread.c: which rows are of one conversation, and what it is called */
#include "promise.h"
#include "record/batch-private.h"
#include "transform/step.h"
#include "transform/threads.h"
#include <string.h>

typedef struct
{
  const char *id, *references, *reply; /* (nullable) each */
} Mail;

static const TallyColumn columns[]
    = { { "id", TALLY_TYPE_TEXT }, { "references", TALLY_TYPE_JSONB }, { "reply", TALLY_TYPE_TEXT }, { "thread_id", TALLY_TYPE_TEXT } };

static void
set (TallyBatch *batch, guint column, const char *text)
{
  if (text != NULL)
    assert_true (tally_batch_set_from_text (batch, column, text, strlen (text), NULL));
}

/* Each row's thread_id, which was "own" before. */
static GPtrArray *
thread (const Mail *mails, guint n)
{
  const TallyStepArgument arguments[] = { { NULL, "id" }, { NULL, "references" }, { NULL, "reply" } };
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (GPtrArray) complaints = g_ptr_array_new ();
  g_autoptr (TallyStep) step = tally_step_find ("thread")->build (arguments, 3, schema, complaints);
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);
  TallyFlow flow = TALLY_FLOW_OK;

  assert_true (tally_step_open (step, NULL, NULL));
  for (guint i = 0; i < n;)
    {
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, 100);

      for (; i < n && tally_batch_n_rows (batch) < 100; i++)
        {
          tally_batch_set_row_number (batch, tally_batch_add_row (batch), i + 1);
          set (batch, 0, mails[i].id);
          set (batch, 1, mails[i].references);
          set (batch, 2, mails[i].reply);
          set (batch, 3, "own");
        }
      assert_int (tally_step_apply (step, batch, NULL), TALLY_FLOW_OK);
      assert_int (tally_batch_n_rows (batch), 0);
    }
  while (flow == TALLY_FLOW_OK)
    {
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, 100);

      flow = tally_step_drain (step, batch, NULL);
      for (guint row = 0; row < tally_batch_n_rows (batch); row++)
        {
          assert_int (tally_batch_row_number (batch, row), found->len + 1);
          g_ptr_array_add (found, tally_text_dup (tally_batch_get_text (batch, row, 3)));
        }
    }
  assert_int (flow, TALLY_FLOW_END);
  assert_int (tally_step_n_held (step), 0);
  tally_step_close (step);
  assert_int (found->len, n);
  return found;
}

static void
test_conversations (void)
{
  static const struct
  {
    const char *label;
    guint n;
    Mail mails[4];
    const char *expected;
  } cases[] = {
    { "a chain", 3, { { "a" }, { "b", "[\"a\"]", "a" }, { "c", "[\"a\", \"b\"]", "b" } }, "a a a" },
    { "answers before what they answer", 3, { { "c", "[\"b\"]" }, { "b", "[\"a\"]" }, { "a" } }, "a a a" },
    { "the oldest are left out", 4, { { "a" }, { "b", NULL, "a" }, { "c", NULL, "b" }, { "x" } }, "a a a x" },
    { "what both answer is lost", 2, { { "b", NULL, "a" }, { "c", NULL, "a" } }, "a a" },
    { "joined by one that comes last", 4, { { "a" }, { "c", "[\"b\"]" }, { "d", "[\"b\"]" }, { "b", "[\"a\"]" } }, "a a a a" },
    { "the one that is answered is not in the list", 2, { { "d", "[\"a\", \"b\"]", "c" }, { "c", NULL, "a" } }, "a a" },
    { "a circle", 3, { { "b", NULL, "a" }, { "a", NULL, "b" }, { "c", NULL, "b" } }, "a a a" },
    { "one that answers itself", 2, { { "a", "[\"a\"]", "a" }, { "b", NULL, "a" } }, "a a" },
    { "one that is named twice", 1, { { "c", "[\"a\", \"b\", \"a\"]", "b" } }, "a" },
    { "two that answer nothing", 2, { { "m", NULL, "y" }, { "m", NULL, "x" } }, "x x" },
    { "two that one answers", 4, { { "y" }, { "m", NULL, "y" }, { "x" }, { "m", "[\"x\"]" } }, "x x x x" },
    { "no name", 4, { { NULL, "[\"a\"]" }, { "a" }, { NULL }, { "" } }, "a a own own" },
    { "what are no names", 3, { { "b", "[1, null, [\"x\"], {}, \"\"]", "" }, { "c", "\"b\"" }, { "x" } }, "b c x" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) found = thread (cases[i].mails, cases[i].n);
      g_autofree char *joined = NULL;

      g_ptr_array_add (found, NULL);
      joined = g_strjoinv (" ", (char **)found->pdata);
      assert_row_text (cases[i].label, joined, cases[i].expected);
    }
}

/* ---- Made-up mailboxes ---- */

#define N_MAILS 200

typedef struct
{
  Mail mails[N_MAILS];
  guint n;
  GPtrArray *strings; /* (owned) what mails point at */
  guint parents[N_MAILS]; /* of all that were written; N_MAILS: none */
} Box;

static const char *
keep (Box *box, char *text)
{
  g_ptr_array_add (box->strings, text);
  return text;
}

/* What a program writes: all ancestors, some of the newest, or the one that is answered alone; and now and then another one. */
static Mail
write_mail (Box *box, guint i, GRand *chance)
{
  Mail mail = { keep (box, g_strdup_printf ("m%03u", i)) };
  g_autoptr (GString) list = g_string_new ("]");
  guint most = g_rand_boolean (chance) ? N_MAILS : (guint)g_rand_int_range (chance, 0, 4);

  if (box->parents[i] == N_MAILS)
    return mail;
  for (guint at = box->parents[i], n = 0; at != N_MAILS && n < most; at = box->parents[at], n++)
    {
      g_autofree char *one = g_strdup_printf ("\"m%03u\"%s", at, n > 0 ? ", " : "");

      g_string_prepend (list, one);
    }
  g_string_prepend_c (list, '[');
  mail.references = keep (box, g_strdup (list->str));
  if (most == 0 || g_rand_boolean (chance))
    mail.reply = keep (box, g_strdup_printf ("m%03u", box->parents[i]));
  else if (g_rand_int_range (chance, 0, 20) == 0)
    mail.reply = keep (box, g_strdup_printf ("m%03u", g_rand_int_range (chance, 0, (gint)i)));
  return mail;
}

/* A fifth of what was written is lost, and the rest is in no order. */
static void
make_box (Box *box, GRand *chance)
{
  *box = (Box){ .strings = g_ptr_array_new_with_free_func (g_free) };
  for (guint i = 0; i < N_MAILS; i++)
    {
      box->parents[i] = i == 0 || g_rand_int_range (chance, 0, 5) == 0 ? N_MAILS : (guint)g_rand_int_range (chance, 0, (gint)i);
      if (g_rand_int_range (chance, 0, 5) > 0)
        box->mails[box->n++] = write_mail (box, i, chance);
    }
  for (guint i = box->n; i > 1; i--)
    {
      guint other = (guint)g_rand_int_range (chance, 0, (gint)i);
      Mail mail = box->mails[other];

      box->mails[other] = box->mails[i - 1];
      box->mails[i - 1] = mail;
    }
}

/* The names in a mail, whatever stands between them; the last is its own. */
static GArray *
names_of (const Mail *mail)
{
  g_autofree char *all = g_strdup_printf ("%s %s %s", mail->references != NULL ? mail->references : "",
                                          mail->reply != NULL ? mail->reply : "", mail->id);
  GArray *names = g_array_new (FALSE, FALSE, sizeof (guint));

  for (const char *at = all; (at = strchr (at, 'm')) != NULL; at++)
    {
      guint name = (guint)g_ascii_strtoull (at + 1, NULL, 10);

      g_array_append_val (names, name);
    }
  return names;
}

/* Floods from name to name until nothing changes: slow, and nothing like what is tested. */
static void
flood (const Box *box, guint labels[N_MAILS], gboolean answers[N_MAILS])
{
  gboolean changed = TRUE;

  for (guint i = 0; i < N_MAILS; i++)
    labels[i] = i;
  while (changed)
    {
      changed = FALSE;
      for (guint i = 0; i < box->n; i++)
        {
          g_autoptr (GArray) names = names_of (&box->mails[i]);
          guint least = N_MAILS;

          for (guint j = 0; j < names->len; j++)
            {
              guint name = g_array_index (names, guint, j);

              least = MIN (least, labels[name]);
              answers[name] |= name != g_array_index (names, guint, 0);
            }
          for (guint j = 0; j < names->len; j++)
            {
              guint *label = &labels[g_array_index (names, guint, j)];

              changed |= *label != least;
              *label = least;
            }
        }
    }
}

/* Mails answer older ones here, so the least name of a conversation is the one that answers nothing, as far as anybody says. */
static void
test_made_up_mailboxes (void)
{
  for (guint32 seed = 1; seed <= 10; seed++)
    {
      g_autoptr (GRand) chance = g_rand_new_with_seed (seed);
      g_autofree char *label = g_strdup_printf ("seed %u", seed);
      guint labels[N_MAILS];
      gboolean answers[N_MAILS] = { 0 };
      Box box;
      g_autoptr (GPtrArray) found = NULL;

      make_box (&box, chance);
      found = thread (box.mails, box.n);
      flood (&box, labels, answers);
      for (guint i = 0; i < box.n; i++)
        {
          guint own = (guint)g_ascii_strtoull (box.mails[i].id + 1, NULL, 10), name = N_MAILS;
          g_autofree char *expected = NULL;

          for (guint j = N_MAILS; j-- > 0;)
            if (labels[j] == labels[own] && !answers[j])
              name = j;
          expected = g_strdup_printf ("m%03u", name);
          assert_row_text (label, g_ptr_array_index (found, i), expected);
        }
      g_ptr_array_unref (box.strings);
    }
}

/* ---- Many ---- */

/* In less memory than they need, and in the order that makes paths long. */
static void
test_many_names (void)
{
  enum { N = 5000 };
  g_autoptr (TallyThreads) threads = tally_threads_new (16 * 1024, NULL);
  gint64 *numbers = g_new (gint64, N);
  gboolean is_done = FALSE;
  guint n_pieces = 0;
  TallyText name;

  for (guint i = 0; i < N; i++)
    {
      g_autofree char *text = g_strdup_printf ("%06u@mail.example.org", i);

      assert_true (tally_threads_find (threads, (TallyText){ text, strlen (text) }, &numbers[i], NULL));
    }
  for (guint i = N - 1; i > 0; i--)
    assert_true (tally_threads_link (threads, numbers[i - 1], numbers[i], NULL));
  while (!is_done)
    {
      n_pieces++;
      assert_true (tally_threads_finish (threads, 1000, &is_done, NULL));
    }
  assert_int (n_pieces, N / 1000 + 1);
  for (guint i = 0; i < N; i += 100)
    {
      assert_true (tally_threads_get (threads, numbers[i], &name, NULL));
      assert_true (tally_text_equal (name, "000000@mail.example.org"));
    }
  g_free (numbers);
}

/* ---- Mistakes ---- */

static void
complaint_free (gpointer data)
{
  tally_complaint_free (((TallyStepComplaint *)data)->complaint);
  g_free (data);
}

static void
test_mistakes (void)
{
  static const TallyColumn odd[] = { { "id", TALLY_TYPE_TEXT }, { "n", TALLY_TYPE_BIGINT }, { "list", TALLY_TYPE_JSONB }, { "thread_id", TALLY_TYPE_BIGINT } };
  static const struct
  {
    const char *label;
    TallyStepArgument arguments[2];
    guint n_columns;
    const char *complaint;
  } rows[] = {
    { "nothing that it answers", { { NULL, "id" } }, 3, "\"thread\" names no column that says what a row answers" },
    { "unknown", { { NULL, "id" }, { NULL, "lst" } }, 3, "column \"lst\" does not exist" },
    { "twice", { { NULL, "id" }, { NULL, "id" } }, 3, "column \"id\" is named twice" },
    { "a number", { { NULL, "id" }, { NULL, "n" } }, 3, "\"thread\" takes texts and jsonb arrays of texts as what a row answers, and this is bigint" },
    { "a list as its own", { { NULL, "list" }, { NULL, "id" } }, 3, "\"thread\" takes a text as a row's own name, and this is jsonb" },
    { "a column of another type", { { NULL, "id" }, { NULL, "list" } }, 4, "there is a column \"thread_id\" already, which is no text" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallySchema) schema = tally_schema_new (odd, rows[i].n_columns);
      g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
      TallyStep *step = tally_step_find ("thread")->build (rows[i].arguments, rows[i].arguments[1].value != NULL ? 2 : 1, schema, complaints);

      assert_row_int (rows[i].label, step == NULL && complaints->len > 0, TRUE);
      assert_row_text (rows[i].label, ((TallyStepComplaint *)complaints->pdata[0])->complaint->message, rows[i].complaint);
    }
}

static const Promise promises[] = {
  { "rows that answer each other are one conversation", test_conversations },
  { "made-up mailboxes", test_made_up_mailboxes },
  { "many names, in little memory", test_many_names },
  { "mistakes are said", test_mistakes },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("thread", promises, argc, argv);
}
