/* bounce.h: what a mail server says of a message that it could not deliver, or has (RFC 3464) */
#pragma once
#include "mime.h"

/* Appends {"original_message_id": …, "recipients": [{"recipient", "action", "status", "diagnostic"}, …]}.  FALSE, and nothing is
 * appended, if the message reports no delivery. */
gboolean mail_append_bounce (GMimeMessage *message, GString *json);
