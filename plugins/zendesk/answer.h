/* answer.h: what an answer of Zendesk means
 *
 * zendesk_judge() is the one place where a status and a body become a verdict.  It does no I/O and
 * knows no clock but the one it is given, so that its test is a table.
 */
#pragma once
#include "headers.h"
#include <tallyman/plugin.h>

/* Bytes of an answer, and how deep its JSON may be. */
#define ZENDESK_MAX_ANSWER (4 << 20)
#define ZENDESK_MAX_DEPTH 32

/* The most that a message tells of an answer. */
#define ZENDESK_MAX_DETAIL 2000

/* What was asked for. */
typedef enum
{
  ZENDESK_ASK_CREATE,  /* POST /tickets, /users, /organizations */
  ZENDESK_ASK_UPLOAD,  /* POST /uploads, before a creation or update */
  ZENDESK_ASK_UPDATE,  /* PUT of what has the finding's target_id */
  ZENDESK_ASK_FIND,    /* GET /tickets?external_id=, or whatever answers with a list */
  ZENDESK_ASK_CONTINUE /* anything about what is there already, but not yet whole */
} ZendeskAsk;

/* An answer that came whole. */
typedef struct
{
  const char *entity; /* what it is about: "ticket"; a list has an s behind it */
  gint status;
  const char *body;
  gsize length;
  const ZendeskHeaders *headers;
  gint64 now; /* Unix seconds, in case that the server does not tell its time */
} ZendeskAnswer;

/* What it means: a TallyOutcome that owns its texts. */
typedef struct
{
  TallyVerdict verdict;
  gint status;
  gint64 target_id;   /* 0: none */
  GString *other_ids; /* (owned) joined by commas; empty: none */
  gboolean repeated, adopted;
  gint64 wait;
  gboolean wait_all;
  gboolean more;      /* ZENDESK_ASK_FIND: another page follows */
  gboolean strangers; /* ZENDESK_ASK_FIND: entities with other external_ids were among them */
  GString *detail;    /* (owned) */
} ZendeskFinding;

void zendesk_finding_init (ZendeskFinding *finding);
void zendesk_finding_clear (ZendeskFinding *finding);

/* Sets verdict and detail of something that is not an answer. */
void zendesk_finding_set (ZendeskFinding *finding, TallyVerdict verdict, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* Adds one more that was found: the lowest id becomes target_id, the others other_ids. */
void zendesk_finding_add (ZendeskFinding *finding, gint64 id);

/**
 * zendesk_judge:
 * @ask: what was asked for
 * @answer: what came
 * @reference: the external_id that was sent, or looked for
 * @finding: (inout): gets verdict, status, wait and detail; what a further page has is added
 *
 * An entity counts only if the answer has the expected shape, an id above zero and our own
 * external_id; anything that is not understood is %TALLY_VERDICT_UNKNOWN.  For
 * %ZENDESK_ASK_FIND the verdict says what is known so far: %TALLY_VERDICT_ABSENT or
 * %TALLY_VERDICT_DELIVERED.  For %ZENDESK_ASK_CONTINUE it is %TALLY_VERDICT_DELIVERED if the answer
 * may be read, else %TALLY_VERDICT_UNKNOWN.
 */
void zendesk_judge (ZendeskAsk ask, const ZendeskAnswer *answer, const char *reference,
                    ZendeskFinding *finding);

/* Takes the token and the file's address out of the answer to POST /uploads.  (transfer full)  FALSE if it has none. */
gboolean zendesk_upload_read (const char *text, gsize length, char **ret_token, char **ret_url);
