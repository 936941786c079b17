/* reply.c: what a reply says itself, without what it quotes
 *
 * Mail programs mark a quote by ">" before each line, and by a line before it that ends with a colon and has a date or an address in
 * it, in whatever language; or they put the old message under a line of their own, or under its headers.  What looks like neither is
 * taken for own words, as is a message under a line that says that it is passed on: too much is an eyesore, too little is a loss.
 */
#include "reply.h"
#include <string.h>

/* A line that tells who wrote is broken into so many at most. */
#define MOST_INTRODUCTION 3
/* So many headers tell a copied message from a list of somebody's own; a form that somebody filled in has some of their names, too. */
#define FEWEST_HEADERS 4
#define MOST_HEADERS 8
#define FEWEST_OF_RULE 10
#define LONGEST_HEADER_NAME 24

static const char *const old_messages[] = {
  "original message",  "original appointment", "ursprüngliche nachricht", "originalnachricht",   "message d'origine",   "message original",
  "mensaje original",  "messaggio originale",  "mensagem original",       "oorspronkelijk bericht", "originalmeddelande", "исходное сообщение",
  "原始邮件",          NULL,
};

static const char *const forwarded_messages[] = {
  "forwarded message",     "begin forwarded message",        "weitergeleitete nachricht",   "anfang der weitergeleiteten nachricht",
  "message transféré",     "début du message réexpédié",     "début du message transféré",  "mensaje reenviado",
  "inicio del mensaje reenviado", "messaggio inoltrato",     "inizio messaggio inoltrato",  "mensagem encaminhada",
  "doorgestuurd bericht",  "begin doorgestuurd bericht",     "vidarebefordrat meddelande",  "пересланное сообщение",
  "пересылаемое сообщение", "转发邮件",                       NULL,
};

/* What a copied message has under whatever name, in bits. */
enum { SENDER = 1 << 0, DATE = 1 << 1, SUBJECT = 1 << 2, ALL_HEADERS = SENDER | DATE | SUBJECT };

static const struct
{
  guint what;
  const char *const names[26];
} headers[] = {
  { SENDER, { "from", "von", "de", "da", "van", "från", "fra", "od", "от", "lähettäjä", "发件人", "差出人", NULL } },
  { DATE, { "sent", "date", "gesendet", "datum", "envoyé", "enviado", "enviada em", "enviado el", "fecha", "inviato", "data", "verzonden",
            "skickat", "sendt", "dato", "wysłano", "отправлено", "дата", "lähetetty", "päivämäärä", "发送时间", "日期", "送信日時", "日時", NULL } },
  { SUBJECT, { "subject", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp", "ämne", "emne", "temat", "тема", "aihe", "主题",
               "件名", NULL } },
};

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

/* (transfer full) Small letters of what stands between hyphens and blanks, without a colon behind. */
static char *
plain_words (TallyText line)
{
  static const char around[] = "- :\t";
  g_autofree char *words = NULL;

  while (line.length > 0 && strchr (around, line.data[0]) != NULL)
    line = (TallyText){ line.data + 1, line.length - 1 };
  while (line.length > 0
         && (strchr (around, line.data[line.length - 1]) != NULL || (line.length >= 2 && memcmp (line.data + line.length - 2, "\u00a0", 2) == 0)))
    line.length -= line.data[line.length - 1] == '\xa0' ? 2 : 1;
  words = g_utf8_make_valid (line.data, (gssize)line.length);
  return g_utf8_strdown (words, -1);
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

/* Whether an address that ends in a line begins in one before: "Ann Lee <", "ann@example.com> wrote:" */
static gboolean
ends_an_address (TallyText line)
{
  const char *end = memchr (line.data, '>', line.length);

  return end != NULL && memchr (line.data, '<', (gsize)(end - line.data)) == NULL;
}

/* How many of the last lines are "On Monday the 3rd Ann wrote:" or its like: as few as have a date or an address, whole. */
static guint
count_introduction (const Reply *reply)
{
  if (reply->n_lines == 0 || reply->n_blank > 1 || !ends_with_colon (reply->lines[0]))
    return 0;
  for (guint i = 0; i < reply->n_lines; i++)
    if (contains_any (reply->lines[i], "0123456789@") && !(ends_an_address (reply->lines[i]) && i + 1 < reply->n_lines))
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

static gboolean
is_one_of (TallyText line, const char *const *list)
{
  g_autofree char *words = line.length <= 100 ? plain_words (line) : NULL;

  return words != NULL && g_strv_contains (list, words);
}

/* "-----Original Message-----" */
static gboolean
is_old_message (TallyText line)
{
  return line.length >= 8 && line.data[0] == '-' && line.data[line.length - 1] == '-' && is_one_of (line, old_messages);
}

/* "---------- Forwarded message ---------", "Begin forwarded message:" */
static gboolean
is_forwarded_message (TallyText line)
{
  return line.length >= 8 && ((line.data[0] == '-' && line.data[line.length - 1] == '-') || ends_with_colon (line))
         && is_one_of (line, forwarded_messages);
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

/* 0: none of them */
static guint
header_kind (TallyText name)
{
  g_autofree char *words = plain_words (name);

  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    if (g_strv_contains (headers[i].names, words))
      return headers[i].what;
  return 0;
}

/* The old message with its headers, in whatever order.  Of those whose sender has no address only a rule before them tells that they
 * are headers. */
static gboolean
begins_headers (const Reply *reply, TallyText line, const char *rest, gboolean after_rule)
{
  TallyText name = header_name (line);
  guint n = 0, found = 0;

  if (name.length == 0 || header_kind (name) == 0)
    return FALSE;
  for (; name.length > 0 && n < MOST_HEADERS; n++)
    {
      guint kind = header_kind (name);

      found |= kind == SENDER && !after_rule && !contains_any (line, "@") ? 0 : kind;
      line = rest < reply->end ? strip (next_line (&rest, reply->end)) : (TallyText){ rest, 0 };
      name = header_name (line);
    }
  return n >= FEWEST_HEADERS && found == ALL_HEADERS;
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

/* What somebody passes on is what he says. */
static void
take_rest (Reply *reply, TallyText line)
{
  take_own (reply, line);
  reply->own.end = reply->end;
  while (g_ascii_isspace (reply->own.end[-1]))
    reply->own.end--;
}

/* FALSE: all that follows is the old message, or one that is passed on. */
static gboolean
take_line (Reply *reply, gboolean *after_rule)
{
  TallyText line = strip (next_line (&reply->at, reply->end));

  if (is_old_message (line) || begins_headers (reply, line, reply->at, *after_rule))
    return FALSE;
  if (is_forwarded_message (line))
    {
      take_rest (reply, line);
      return FALSE;
    }
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
