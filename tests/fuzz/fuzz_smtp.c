/* fuzz_smtp: any bytes of a server become answers, however they are cut, within bounds, and with words that may be shown */
#include "smtp-answer.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const SmtpAnswer *answer)
{
  if (answer->code < 0 || answer->code > 999 || !g_utf8_validate (answer->words->str, (gssize) answer->words->len, NULL)
      || strpbrk (answer->words->str, "\r\n\033") != NULL)
    abort ();
}

/* (transfer full) All answers as one text, from pieces of a size. */
static char *
read_all (const uint8_t *data, size_t size, size_t piece)
{
  GString *all = g_string_new (NULL);
  SmtpAnswer answer;
  gboolean good = TRUE;

  smtp_answer_init (&answer);
  for (size_t at = 0; at < size && good; at += piece)
    {
      good = smtp_answer_feed (&answer, (const char *) data + at, MIN (piece, size - at));
      while (good && smtp_answer_read (&answer))
        {
          check (&answer);
          g_string_append_printf (all, "%d %s\n", answer.code, answer.words->str);
          smtp_answer_forget (&answer);
        }
    }
  smtp_answer_clear (&answer);
  return g_string_free (all, FALSE);
}

/* Its lines as the answer to EHLO, each in memory of its own, so that nothing is read behind it. */
static void
read_offer (const uint8_t *data, size_t size)
{
  SmtpOffer offer = { 0 };

  for (size_t at = 0; at < size;)
    {
      const uint8_t *end = memchr (data + at, '\n', size - at);
      size_t length = end != NULL ? (size_t) (end - data) - at + 1 : size - at;
      g_autofree char *line = g_memdup2 (data + at, length);

      smtp_offer_take_line (&offer, line, length);
      if (offer.size < 0)
        abort ();
      at += length;
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *whole = NULL, *pieces = NULL;

  /* Beyond the bound it depends on the pieces how much is told. */
  if (size > 4096)
    return 0;
  whole = read_all (data, size, MAX (size, 1));
  pieces = read_all (data, size, 3);
  if (!g_str_equal (whole, pieces))
    abort ();
  read_offer (data, size);
  return 0;
}
