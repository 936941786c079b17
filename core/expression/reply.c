/* reply.c: what a reply says itself, without what it quotes
 *
 * Mail programs mark a quote by ">" before each line, and by a line before it that ends with a colon and has a date or an address in
 * it, in whatever language; or they put the old message under a line of their own, or under its headers.  What looks like neither is
 * taken for own words: too much is an eyesore, too little is a loss.
 */
#include "reply.h"
#include <string.h>

/* A line that tells who wrote is broken into so many at most. */
#define MOST_INTRODUCTION 3
/* So many headers tell a copied message from a list of somebody's own. */
#define FEWEST_HEADERS 4
#define FEWEST_OF_RULE 10
#define LONGEST_HEADER_NAME 24

static const char *const old_messages[] = {
  "original message",  "original appointment", "ursprüngliche nachricht", "originalnachricht",   "message d'origine",   "message original",
  "mensaje original",  "messaggio originale",  "mensagem original",       "oorspronkelijk bericht", "originalmeddelande", "исходное сообщение",
  "пересланное сообщение", "原始邮件",
};

static const char *const senders[] = { "from", "von", "de", "da", "van", "från", "fra", "od", "от", "lähettäjä", "发件人", "差出人" };

/* What is known of a text so far. */
typedef struct
{
  const char *begin; /* (nullable) of the first own line */
  const char *end;   /* of the last one */
  gboolean answered; /* there is a quote between two of them */
} Own;

typedef struct
{
  const char *at, *end; /* what is still to be read */
  Own own;
  gboolean quote_first;   /* a quote comes before all own lines */
  gboolean quote_between; /* one comes after some of them */
  /* The last lines of the paragraph at hand, newest first, and what was known before each. */
  TallyText lines[MOST_INTRODUCTION];
  Own before[MOST_INTRODUCTION];
  guint n_lines; /* 0: a quote came last */
  guint n_blank; /* empty lines after it */
} Reply;

static TallyText
strip (TallyText line)
{
  while (line.length > 0 && g_ascii_isspace (line.data[0]))
    line = (TallyText){ line.data + 1, line.length - 1 };
  while (line.length > 0 && g_ascii_isspace (line.data[line.length - 1]))
    line.length--;
  return line;
}

static TallyText
next_line (const char **at, const char *end)
{
  const char *start = *at, *newline = memchr (start, '\n', (gsize)(end - start));

  *at = newline != NULL ? newline + 1 : end;
  return (TallyText){ start, (gsize)((newline != NULL ? newline : end) - start) };
}

static gboolean
contains_any (TallyText text, const char *characters)
{
  for (gsize i = 0; i < text.length; i++)
    if (strchr (characters, text.data[i]) != NULL && text.data[i] != '\0')
      return TRUE;
  return FALSE;
}

/* ---- What a line is ---- */

static gboolean
ends_with_colon (TallyText line)
{
  static const char wide[] = "：";

  return line.length > 0
         && (line.data[line.length - 1] == ':'
             || (line.length >= strlen (wide) && memcmp (line.data + line.length - strlen (wide), wide, strlen (wide)) == 0));
}

/* How many of the last lines are "On Monday the 3rd Ann wrote:" or its like: as few as have a date or an address. */
static guint
count_introduction (const Reply *reply)
{
  if (reply->n_lines == 0 || reply->n_blank > 1 || !ends_with_colon (reply->lines[0]))
    return 0;
  for (guint i = 0; i < reply->n_lines; i++)
    if (contains_any (reply->lines[i], "0123456789@"))
      return i + 1;
  return 0;
}

static gboolean
is_rule (TallyText line)
{
  gsize n = 0;

  while (n < line.length && (line.data[n] == '_' || line.data[n] == '-'))
    n++;
  return n == line.length && n >= FEWEST_OF_RULE;
}

/* "-----Original Message-----" */
static gboolean
is_old_message (TallyText line)
{
  g_autofree char *words = NULL, *small = NULL;

  if (line.length < 8 || line.length > 80 || line.data[0] != '-' || line.data[line.length - 1] != '-')
    return FALSE;
  while (line.length > 0 && (line.data[0] == '-' || line.data[0] == ' '))
    line = (TallyText){ line.data + 1, line.length - 1 };
  while (line.length > 0 && (line.data[line.length - 1] == '-' || line.data[line.length - 1] == ' '))
    line.length--;
  words = g_utf8_make_valid (line.data, (gssize)line.length);
  small = g_utf8_strdown (words, -1);
  for (guint i = 0; i < G_N_ELEMENTS (old_messages); i++)
    if (strcmp (small, old_messages[i]) == 0)
      return TRUE;
  return FALSE;
}

/* "Name: value", the name perhaps between asterisks.  A name of no length: none. */
static TallyText
header_name (TallyText line)
{
  const char *colon = memchr (line.data, ':', MIN (line.length, LONGEST_HEADER_NAME));
  TallyText name = { line.data, colon != NULL ? (gsize)(colon - line.data) : 0 };

  while (name.length > 0 && name.data[0] == '*')
    name = (TallyText){ name.data + 1, name.length - 1 };
  return strip (name);
}

static gboolean
is_sender (TallyText name)
{
  g_autofree char *valid = g_utf8_make_valid (name.data, (gssize)name.length), *small = g_utf8_strdown (valid, -1);

  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    if (strcmp (small, senders[i]) == 0)
      return TRUE;
  return FALSE;
}

/* The old message with its headers.  Of those without an address only a rule before them tells that they are headers. */
static gboolean
begins_headers (const Reply *reply, TallyText line, const char *rest, gboolean after_rule)
{
  TallyText name = header_name (line);
  guint n = 0;

  if (name.length == 0 || !is_sender (name) || !(after_rule || contains_any (line, "@")))
    return FALSE;
  while (name.length > 0 && ++n < FEWEST_HEADERS && rest < reply->end)
    name = header_name (strip (next_line (&rest, reply->end)));
  return n >= FEWEST_HEADERS;
}

/* ---- The whole ---- */

static void
take_quote (Reply *reply)
{
  guint n = count_introduction (reply);

  if (n > 0)
    reply->own = reply->before[n - 1];
  reply->n_lines = 0;
  if (reply->own.begin == NULL)
    reply->quote_first = TRUE;
  else
    reply->quote_between = TRUE;
}

static void
take_own (Reply *reply, TallyText line)
{
  if (reply->n_blank > 0)
    reply->n_lines = 0;
  reply->n_blank = 0;
  memmove (reply->lines + 1, reply->lines, sizeof reply->lines - sizeof reply->lines[0]);
  memmove (reply->before + 1, reply->before, sizeof reply->before - sizeof reply->before[0]);
  reply->lines[0] = line;
  reply->before[0] = reply->own;
  reply->n_lines = MIN (reply->n_lines + 1, MOST_INTRODUCTION);

  reply->own.answered |= reply->quote_between;
  if (reply->own.begin == NULL)
    reply->own.begin = line.data;
  reply->own.end = line.data + line.length;
}

/* FALSE: all that follows is the old message. */
static gboolean
take_line (Reply *reply, gboolean *after_rule)
{
  TallyText line = strip (next_line (&reply->at, reply->end));

  if (is_old_message (line) || begins_headers (reply, line, reply->at, *after_rule))
    return FALSE;
  if (line.length == 0)
    {
      reply->n_blank++;
      return TRUE;
    }
  *after_rule = is_rule (line);
  if (line.data[0] == '>')
    take_quote (reply);
  else if (!*after_rule)
    take_own (reply, line);
  return TRUE;
}

TallyText
tally_reply_text (TallyText text)
{
  Reply reply = { .at = text.data, .end = text.data + text.length };
  gboolean after_rule = FALSE;
  const char *begin;

  while (reply.at < reply.end && take_line (&reply, &after_rule))
    continue;
  if (reply.own.begin == NULL)
    return text;
  begin = reply.quote_first && !reply.own.answered ? reply.own.begin : text.data;
  return (TallyText){ begin, (gsize)(reply.own.end - begin) };
}
