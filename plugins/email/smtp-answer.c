/* smtp-answer.c: see smtp-answer.h */
#include "smtp-answer.h"
#include "server.h"
#include <string.h>

#define MAX_ANSWER (64 * 1024)
#define CODE 3 /* digits */

void
smtp_answer_init (SmtpAnswer *answer)
{
  *answer = (SmtpAnswer){ .heard = g_string_new (NULL), .words = g_string_new (NULL) };
}

void
smtp_answer_clear (SmtpAnswer *answer)
{
  g_string_free (answer->heard, TRUE);
  g_string_free (answer->words, TRUE);
}

void
smtp_answer_forget (SmtpAnswer *answer)
{
  g_string_truncate (answer->words, 0);
  answer->whole = FALSE;
  answer->code = 0;
  answer->n_heard = 0;
}

void
smtp_answer_break_off (SmtpAnswer *answer)
{
  g_string_truncate (answer->heard, 0);
}

gboolean
smtp_answer_feed (SmtpAnswer *answer, const char *bytes, gsize n)
{
  answer->n_heard += n;
  g_string_append_len (answer->heard, bytes, (gssize) n);
  return answer->n_heard <= MAX_ANSWER;
}

/* The code that a line begins with; 0 if it has none. */
static gint
code_of (const char *line, gsize length)
{
  gint code = 0;

  if (length <= CODE)
    return 0;
  for (gsize i = 0; i < CODE; i++)
    {
      if (!g_ascii_isdigit (line[i]))
        return 0;
      code = code * 10 + g_ascii_digit_value (line[i]);
    }
  return code;
}

void
smtp_answer_take_line (SmtpAnswer *answer, const char *line, gsize length)
{
  gint code = code_of (line, length);

  if (answer->whole)
    smtp_answer_forget (answer);
  mail_server_append_words (answer->words, line, length);
  answer->whole = code > 0 && line[CODE] != '-';
  if (answer->whole)
    answer->code = code;
}

gboolean
smtp_answer_read (SmtpAnswer *answer)
{
  const char *end;

  while (!answer->whole && (end = memchr (answer->heard->str, '\n', answer->heard->len)) != NULL)
    {
      gsize length = (gsize) (end - answer->heard->str) + 1;

      smtp_answer_take_line (answer, answer->heard->str, length);
      g_string_erase (answer->heard, 0, (gssize) length);
    }
  return answer->whole;
}

void
smtp_offer_take_line (SmtpOffer *offer, const char *line, gsize length)
{
  gint code = code_of (line, length);
  g_autofree char *word = code > 0 ? g_strndup (line + CODE + 1, length - CODE - 1) : g_strdup ("");

  g_strchomp (word);
  if (code == 220)
    *offer = (SmtpOffer){ 0 }; /* what counts is what it says next */
  else if (code != 250)
    return;
  else if (g_ascii_strcasecmp (word, "SMTPUTF8") == 0)
    offer->utf8 = TRUE;
  else if (g_ascii_strncasecmp (word, "AUTH ", 5) == 0)
    offer->auth = TRUE;
  else if (g_ascii_strncasecmp (word, "SIZE ", 5) == 0)
    offer->size = MAX (g_ascii_strtoll (word + 5, NULL, 10), 0);
}
