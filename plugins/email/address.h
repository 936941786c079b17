/* address.h: the addresses of a message, checked before anything is composed or sent
 *
 * Domains are in A-labels from here on (IDNA 2008).  A local part may have letters beyond ASCII; whoever sends such an address
 * needs a server that offers SMTPUTF8.
 */
#pragma once
#include <gmime/gmime.h>

/* Of one field. */
#define EMAIL_MAX_ADDRESSES 1000

G_DEFINE_AUTOPTR_CLEANUP_FUNC (InternetAddressList, g_object_unref)

/* Whether a text may stand in a header: it has no line break and no other control character. */
gboolean email_check_header (const char *text, GError **error);

/* Appends the mailboxes that a text lists: "A. Name <a@example.org>, b@example.org".  The text has no control characters. */
gboolean email_addresses_add_list (InternetAddressList *list, const char *text, GError **error);
/* Appends one. name: (nullable) */
gboolean email_addresses_add (InternetAddressList *list, const char *name, const char *address, GError **error);

const char *email_addresses_get (InternetAddressList *list, guint i);
guint email_addresses_count (InternetAddressList *list);
/* Whether one of them has a local part beyond ASCII. */
gboolean email_addresses_need_utf8 (InternetAddressList *list);
