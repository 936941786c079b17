/* generate-export.c: a made-up export of an old help desk, as large as asked, the same for each seed
 *
 * usage: generate-export ROWS > tickets.csv
 *
 * 22 columns and about 560 bytes a row; seven bodies of ten have several lines, more than half of the rows have
 * letters beyond ASCII, times are local with an offset, numbers have leading zeros.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#define PICK(random, list) ((list)[g_rand_int_range ((random), 0, G_N_ELEMENTS (list))])

static const char *const names[] = { "Anna Schmidt", "Jürgen Müller", "Élodie Petit", "Marco Rossi", "Zoë Brontë",
                                     "Liam Stone",   "Björn Lind",    "Grace Hill",   "Inês Almeida", "Tom Baker" };
static const char *const mails[] = { "Anna.Schmidt", "J.Mueller", "elodie", "ROSSI", "zoe",
                                     "Liam",         "bjoern",    "grace",  "INES",  "tom" };
static const char *const domains[] = { "Example.com", "example.org", "kunde.example", "CLIENT.example" };
static const char *const subjects[] = { "Invoice does not arrive", "Drucker, zweiter Stock", "Login page hangs",
                                        "Mot de passe oublié", "Export \"as always\" empty", "Wrong address" };
static const char *const sentences[]
    = { "Since yesterday nothing works any more, and the phone is not answered.",
        "Seit gestern geht nichts mehr, und am Telefon meldet sich niemand; bitte prüfen Sie das.",
        "Depuis hier plus rien ne fonctionne, et personne ne répond au téléphone.",
        "The page says \"internal error\" and a long number.",
        "Please call back before four o'clock, it costs us 25 € a day.",
        "I have restarted it twice, as the manual says." };
static const char *const status[] = { "open", "closed", "closed", "closed", "pending", "spam" };
static const char *const priorities[] = { "low", "normal", "normal", "high", "urgent" };
static const char *const groups[] = { "Hardware", "Billing", "Web shop", "IT" };
static const char *const offsets[] = { "-0500", "+0100", "+0000", "+0530" };

static void
put_time (GRand *random, const char *end)
{
  printf ("%02d/%02d/%04d %02d:%02d:%02d %s%s", g_rand_int_range (random, 1, 13),
          g_rand_int_range (random, 1, 29), g_rand_int_range (random, 2010, 2024),
          g_rand_int_range (random, 0, 24), g_rand_int_range (random, 0, 60),
          g_rand_int_range (random, 0, 60), PICK (random, offsets), end);
}

/* A quoted cell; quotes in text are doubled. */
static void
put_quoted (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    {
      if (*c == '"')
        putchar_unlocked ('"');
      putchar_unlocked (*c);
    }
}

static void
put_body (GRand *random)
{
  gboolean lines = g_rand_int_range (random, 0, 100) < 71;
  guint n_sentences = g_rand_int_range (random, 2, 7);

  putchar_unlocked ('"');
  for (guint i = 0; i < n_sentences; i++)
    {
      put_quoted (PICK (random, sentences));
      fputs (lines ? "\n\n" : " ", stdout);
    }
  fputs ("\",", stdout);
}

static void
put_row (GRand *random, guint i)
{
  guint person = g_rand_int_range (random, 0, G_N_ELEMENTS (names));

  printf ("%u,%s,%s,\"", i, PICK (random, status), PICK (random, priorities));
  put_quoted (PICK (random, subjects));
  fputs ("\",", stdout);
  put_body (random);
  printf ("%s,%s%u@%s,%s,%s,", names[person], mails[person], i % 5000, PICK (random, domains),
          PICK (random, names), PICK (random, groups));
  put_time (random, ",");
  put_time (random, ",");
  put_time (random, ",");
  printf ("\"vip,repeat\",web,\"Org %u, Ltd\",Product %u,%u.%u,DE,good,EXT-%08u,%03u,\n", i % 700, i % 9,
          i % 4, i % 10, i, g_rand_int_range (random, 0, 100));
}

int
main (int argc, char **argv)
{
  guint n_rows = argc == 2 ? (guint) strtoul (argv[1], NULL, 10) : 0;
  g_autoptr (GRand) random = g_rand_new_with_seed (20190314);

  if (n_rows == 0)
    {
      fputs ("usage: generate-export ROWS\n", stderr);
      return 2;
    }
  puts ("id,status,priority,subject,body,requester_name,requester_email,assignee,group,created,updated,solved,"
        "tags,channel,organization,product,version,country,satisfaction,external_ref,replies,note");
  for (guint i = 1; i <= n_rows; i++)
    put_row (random, i);
  return fflush (stdout) == 0 ? 0 : 1;
}
