/* envelope.h: what is stored of a mail: to whom it goes, then the message itself
 *
 *   {"id":"1234@example.org","from":"a@example.org","to":["b@example.org","c@example.org"]}
 *   Date: …
 */
#pragma once
#include "compose.h"
#include "smtp.h"

/* An envelope that was stored; begins with a mail, whose addresses it has. */
typedef struct
{
  SmtpMail mail;
  char *id;   /* (owned) the message's, by which it is known everywhere */
  char *from; /* (owned) */
  char **to;  /* (owned) */
} EmailEnvelope;

/* Appends the line that goes before the message.  return_path: (nullable) where what cannot be delivered goes, in place of the
 * sender.  Fails with TALLY_ERROR_DATA if it goes to nobody. */
gboolean email_envelope_append (const EmailLetter *letter, const char *return_path, GString *out, GError **error);

/* stored: (unowned) stays while the envelope does.  NULL if it is not as it was written. */
EmailEnvelope *email_envelope_read (TallyText stored);
void email_envelope_free (EmailEnvelope *envelope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmailEnvelope, email_envelope_free)
