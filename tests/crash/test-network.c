/* test-network.c: B, network and HTTP */
#include "failures.h"
#include <signal.h>
#include <string.h>

#define N_ROWS 30

/* Whatever the server does, the run ends complete and each row is one ticket. */
static const struct
{
  const char *label;
  const char *options[5];
  const char *faults;
} complete[] = {
  { "B2: no answer after the ticket was made", { NULL }, "[{\"kind\":\"drop-after\",\"method\":\"POST\",\"every\":4}]" },
  { "B2: a reset after the ticket was made", { NULL }, "[{\"kind\":\"drop-after\",\"reset\":true,\"method\":\"POST\",\"every\":4}]" },
  { "B2: no answer, and nothing was made", { NULL }, "[{\"kind\":\"drop-before\",\"method\":\"POST\",\"every\":4}]" },
  { "B2: an answer cut off in its body", { NULL }, "[{\"kind\":\"cut-body\",\"method\":\"POST\",\"every\":4}]" },
  { "B2: each record loses its first answer", { NULL }, "[{\"kind\":\"drop-after\",\"method\":\"POST\",\"per\":\"external_id\"}]" },
  { "B3: 500 although it was made", { NULL }, "[{\"kind\":\"status-after\",\"status\":500,\"method\":\"POST\",\"every\":4}]" },
  { "B3: 502 with a page of HTML", { NULL }, "[{\"kind\":\"status-after\",\"status\":502,\"body\":\"html\",\"method\":\"POST\",\"every\":4}]" },
  { "B3: 503 with Retry-After", { NULL }, "[{\"kind\":\"status-after\",\"status\":503,\"retry_after\":\"2\",\"method\":\"POST\",\"every\":4}]" },
  { "B3: 504 as plain text", { NULL }, "[{\"kind\":\"status-after\",\"status\":504,\"body\":\"text\",\"method\":\"POST\",\"every\":4}]" },
  { "B3: 520 without a body", { NULL }, "[{\"kind\":\"status-after\",\"status\":520,\"body\":\"empty\",\"method\":\"POST\",\"every\":4}]" },
  { "B3: 500, and keys are not honoured", { "--idempotency", "off" }, "[{\"kind\":\"status-after\",\"status\":500,\"method\":\"POST\",\"every\":4}]" },
  { "B4: an error that is stored under the key", { NULL }, "[{\"kind\":\"status-stored\",\"status\":500,\"method\":\"POST\",\"external_id\":\"desk:9\"}]" },
  { "B5: 429 with Retry-After", { NULL }, "[{\"kind\":\"storm\",\"count\":12,\"retry_after\":\"3\",\"method\":\"POST\"}]" },
  { "B5: 429 without Retry-After", { NULL }, "[{\"kind\":\"storm\",\"count\":6,\"retry_after\":\"none\",\"method\":\"POST\"}]" },
  { "B5: 429 with a date", { NULL }, "[{\"kind\":\"storm\",\"count\":4,\"retry_after\":\"Wed, 21 Oct 2015 07:28:00 GMT\",\"method\":\"POST\"}]" },
  { "B5: 429 with nonsense", { NULL }, "[{\"kind\":\"storm\",\"count\":4,\"retry_after\":\"-17 bananas\",\"method\":\"POST\"}]" },
  { "B5: 429 as plain text", { NULL }, "[{\"kind\":\"storm\",\"count\":6,\"retry_after\":\"1\",\"body\":\"text\",\"method\":\"POST\"}]" },
  { "B5: 429 to the first questions", { NULL }, "[{\"kind\":\"storm\",\"count\":3,\"retry_after\":\"1\",\"method\":\"GET\"}]" },
  { "B6: a conflict in the database", { NULL }, "[{\"kind\":\"conflict\",\"method\":\"POST\",\"every\":3,\"count\":10}]" },
  { "B10: a page of HTML with 201, made", { NULL }, "[{\"kind\":\"html\",\"status\":201,\"acted\":true,\"method\":\"POST\",\"every\":4}]" },
  { "B10: a page of HTML with 200, not made", { NULL }, "[{\"kind\":\"html\",\"method\":\"POST\",\"every\":4,\"count\":6}]" },
  { "B10: 201 without a body", { NULL }, "[{\"kind\":\"empty\",\"method\":\"POST\",\"every\":4}]" },
  { "B10: 201 without an id", { NULL }, "[{\"kind\":\"no-id\",\"method\":\"POST\",\"every\":4}]" },
  { "B10: 201 for another external_id", { NULL }, "[{\"kind\":\"other-external-id\",\"method\":\"POST\",\"every\":4,\"count\":6}]" },
  { "B12: a kept connection that is dead", { NULL }, "[{\"kind\":\"close-idle\",\"method\":\"POST\",\"every\":4,\"count\":8}]" },
  { "B12: the same, made, and keys are not honoured", { "--idempotency", "off" },
    "[{\"kind\":\"close-idle\",\"acted\":true,\"method\":\"POST\",\"every\":4,\"count\":8}]" },
  { "B13: the server acts after the client is gone", { NULL }, "[{\"kind\":\"drop-then-act\",\"ms\":300,\"method\":\"POST\",\"every\":4,\"count\":6}]" },
  { "B15: two with one key: the server waits", { "--same-key", "wait" }, "[{\"kind\":\"drop-then-act\",\"ms\":400,\"method\":\"POST\",\"every\":4,\"count\":6}]" },
  { "B15: two with one key: 409", { "--same-key", "conflict" }, "[{\"kind\":\"drop-then-act\",\"ms\":400,\"method\":\"POST\",\"every\":4,\"count\":6}]" },
  { "B15: two with one key: both create", { "--same-key", "duplicate" }, "[{\"kind\":\"drop-then-act\",\"ms\":400,\"method\":\"POST\",\"every\":4,\"count\":6}]" },
};

static void
test_whatever_the_server_does (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (complete); i++)
    {
      g_autoptr (Rig) rig = failure_rig (N_ROWS, complete[i].options, NULL);

      rig_faults (rig, complete[i].faults);
      failure_run_to_the_end (rig, complete[i].label, 1);
      rig_exactly_once (rig, 1, N_ROWS, complete[i].label);
    }
}

/* The run halts and says why; nothing is rejected; when it is mended, the same command ends the work. */
static const struct
{
  const char *label;
  const char *faults;
  const char *says;
} halting[] = {
  { "B9: 401 in mid-run", "[{\"kind\":\"unauthorized\",\"method\":\"POST\",\"after\":10,\"count\":0}]", "401" },
  { "B9: 403 in mid-run", "[{\"kind\":\"forbidden\",\"method\":\"POST\",\"after\":10,\"count\":0}]", "403" },
  { "B11: 301", "[{\"kind\":\"redirect\",\"status\":301,\"method\":\"POST\",\"after\":10,\"count\":0}]", "301" },
  { "B11: 302", "[{\"kind\":\"redirect\",\"status\":302,\"method\":\"POST\",\"after\":10,\"count\":0}]", "302" },
  { "B11: 307", "[{\"kind\":\"redirect\",\"status\":307,\"method\":\"POST\",\"after\":10,\"count\":0}]", "307" },
  { "B11: 308", "[{\"kind\":\"redirect\",\"status\":308,\"method\":\"POST\",\"after\":10,\"count\":0}]", "308" },
};

static void
test_halts_and_explains (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (halting); i++)
    {
      g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);

      rig_faults (rig, halting[i].faults);
      assert_row_int (halting[i].label, rig_run (rig), 1);
      assert_contains (rig_errors (rig), halting[i].says);
      assert_row_int (halting[i].label, rig_count (rig, "rejected"), 0);
      assert_true (rig_tickets (rig) <= 10);
      rig_clear_faults (rig);
      failure_run_to_the_end (rig, halting[i].label, 1);
      rig_exactly_once (rig, 1, N_ROWS, halting[i].label);
    }
}

static void
test_no_server_is_no_reason_to_reject (void)
{
  const struct
  {
    const char *label, *url;
  } rows[] = {
    { "B1: no such host", "https://no-such-host.invalid" },
    { "B1: nobody listens", "http://127.0.0.1:1" },
    { "B1: no TLS there", "https://127.0.0.1:1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);
      g_autofree char *pipeline = rig_read (rig, "pipeline.yaml");
      g_auto (GStrv) parts = g_strsplit (pipeline, rig_url (rig), 2);
      g_autofree char *elsewhere = g_strjoinv (rows[i].url, parts);

      rig_write (rig, "pipeline.yaml", elsewhere);
      assert_row_int (rows[i].label, rig_run (rig), 1);
      assert_contains (rig_errors (rig), i == 0 ? "no-such-host.invalid" : "127.0.0.1");
      rig_write (rig, "pipeline.yaml", pipeline);
      assert_row_int (rows[i].label, rig_command (rig, "run", "--json", "--new-target", "pipeline.yaml", NULL), 0);
      rig_exactly_once (rig, 1, N_ROWS, rows[i].label);
    }
}

static void
test_a_mismatch_is_looked_up (void)
{
  g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);

  /* desk:3 was made, but its answer is lost and its key is then said to belong to another request; desk:5 was never made. */
  rig_faults (rig, "[{\"kind\":\"drop-after\",\"external_id\":\"desk:3\",\"method\":\"POST\"},"
                   "{\"kind\":\"mismatch\",\"external_id\":\"desk:3\",\"method\":\"POST\",\"count\":0},"
                   "{\"kind\":\"mismatch\",\"external_id\":\"desk:5\",\"method\":\"POST\",\"count\":0}]");
  assert_int (rig_run (rig), 3);
  assert_int (rig_count (rig, "adopted"), 1);
  assert_int (rig_count (rig, "rejected"), 1);
  assert_int (rig_tickets (rig), N_ROWS - 1);
  rig_clear_faults (rig);
  rig_command (rig, "rejects", "retry", "5", NULL);
  failure_run_to_the_end (rig, "B7", 1);
  rig_exactly_once (rig, 1, N_ROWS, "B7");
}

static void
test_a_corrected_record_gets_the_next_generation (void)
{
  g_autoptr (Rig) rig = failure_rig (3, NULL, NULL);
  gint64 requests;

  rig_faults (rig, "[{\"kind\":\"invalid\",\"field\":\"subject\",\"message\":\"Subject: is too silly\","
                   "\"external_id\":\"desk:2\",\"method\":\"POST\"}]");
  assert_int (rig_run (rig), 3);
  rig_command (rig, "rejects", "list", NULL);
  assert_contains (rig_output (rig), "is too silly");

  /* As it is, it stays rejected, without another request. */
  requests = rig_emulator_count (rig, "created");
  assert_int (rig_run (rig), 3);
  assert_int (rig_emulator_count (rig, "created"), requests);

  rig_write (rig, "tickets.csv", "id,subject,body\n1,\"Subject, of 1\",\"Line one of 1\n\"\"line two\"\"\"\n"
                                 "2,a better subject,text\n3,\"Subject, of 3\",\"Line one of 3\n\"\"line two\"\"\"\n");
  failure_run_to_the_end (rig, "B8", 1);
  rig_exactly_once (rig, 1, 3, "B8");
}

static void
test_another_account_is_refused (void)
{
  g_autoptr (Rig) rig = failure_rig (3, NULL, NULL);
  g_autoptr (Rig) sandbox = failure_rig (3, NULL, NULL);
  g_autofree char *elsewhere = NULL;

  assert_int (rig_run (rig), 0);
  elsewhere = rig_read (sandbox, "pipeline.yaml");
  rig_write (rig, "pipeline.yaml", elsewhere);
  assert_int (rig_run (rig), 2);
  assert_contains (rig_errors (rig), "before");
  assert_int (rig_tickets (sandbox), 0);
}

static const Promise promises[] = {
  { "B1: no server is no reason to reject", test_no_server_is_no_reason_to_reject },
  { "B2, B3, B4, B5, B6, B10, B12, B13, B15: whatever the server does", test_whatever_the_server_does },
  { "B7: a mismatch is looked up", test_a_mismatch_is_looked_up },
  { "B8: a corrected record gets the next generation", test_a_corrected_record_gets_the_next_generation },
  { "B9, B11: halts and explains", test_halts_and_explains },
  { "B14: another account is refused", test_another_account_is_refused },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("network and HTTP", promises, argc, argv);
}
