/* smtp-answer.h: what a server says, from whatever pieces it comes in, within bounds; knows no sockets */
#pragma once
#include <glib.h>

/* One answer: lines that go on, `250-…`, and a last one, `250 …`. */
typedef struct
{
  GString *heard; /* (owned) what has come and is no whole line yet */
  gsize n_heard;  /* bytes of the answer */
  GString *words; /* (owned) of all of its lines, for a person */
  gboolean whole; /* it has its last line */
  gint code;      /* its code, once it is whole */
} SmtpAnswer;

/* What a server has told at the beginning. */
typedef struct
{
  gboolean utf8, auth;
  gint64 size; /* largest message; 0: not told */
} SmtpOffer;

void smtp_answer_init (SmtpAnswer *answer);
void smtp_answer_clear (SmtpAnswer *answer);
/* The next one begins; what was heard beyond this one stays. */
void smtp_answer_forget (SmtpAnswer *answer);
/* Forgets all that was heard and is no whole line; what was said stays. */
void smtp_answer_break_off (SmtpAnswer *answer);
/* Some bytes more.  FALSE: the answer does not end. */
gboolean smtp_answer_feed (SmtpAnswer *answer, const char *bytes, gsize n);
/* Whether it is whole by what was fed. */
gboolean smtp_answer_read (SmtpAnswer *answer);
/* A line of an answer, length: with its end. */
void smtp_answer_take_line (SmtpAnswer *answer, const char *line, gsize length);

/* A line of the answer to EHLO. */
void smtp_offer_take_line (SmtpOffer *offer, const char *line, gsize length);
