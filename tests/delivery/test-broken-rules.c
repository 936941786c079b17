/* test-broken-rules.c: a proof that cannot fail proves nothing
 *
 * The simulation is run with one rule of the protocol switched off after the other, and must find
 * out each time.
 */
#include "promise.h"
#include <string.h>

static const struct
{
  const char *rule;
  const char *complaint;
} rules[] = {
  { "R1", "R1: \"desk:" },         { "R3", "R3: \"desk:" }, { "R5", "was created 2 times" },
  { "R6", "was created 2 times" }, { "R7", "R7: \"desk:" }, { "R14", "was created 2 times" },
};

static const char *simulation;

static char *
simulate_without (const char *rule, int *ret_status)
{
  const char *argv[] = { simulation, "--seeds", "1500", NULL };
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "TALLYMAN_BREAK", rule, TRUE);
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  g_spawn_sync (NULL, (char **)argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL,
                ret_status, &error);
  assert_no_error (error);
  return output;
}

static void
test_a_broken_rule_is_found_out (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    {
      int status = 0;
      g_autofree char *output = simulate_without (rules[i].rule, &status);

      assert_row_int (rules[i].rule, g_spawn_check_wait_status (status, NULL), FALSE);
      assert_contains (output, rules[i].complaint);
    }
}

static void
test_no_rule_is_no_rule (void)
{
  int status = 0;
  g_autofree char *output = simulate_without ("R99", &status);

  assert_true (g_spawn_check_wait_status (status, NULL));
  assert_contains (output, " 0 bad");
}

static const Promise promises[] = {
  { "a broken rule is found out", test_a_broken_rule_is_found_out },
  { "with all rules kept there is nothing to find", test_no_rule_is_no_rule },
  { NULL },
};

int
main (int argc, char **argv)
{
  simulation = g_getenv ("SIMULATION");
  return keep_promises ("delivery broken rules", promises, argc, argv);
}
