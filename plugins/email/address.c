/* address.c: the addresses of a message (RFC 5322, 3.4; RFC 5321, 4.5.3.1; RFC 6531) */
#include "address.h"
#include <gio/gio.h>
#include <idn2.h>
#include <string.h>
#include <tallyman/error.h>

#define MAX_ADDRESS 254
#define MAX_LOCAL 64
#define MAX_DOMAIN 253
#define MAX_LABEL 63

/* ---- What may stand in a header ---- */

gboolean
email_check_header (const char *text, GError **error)
{
  for (const char *p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) && *p != '\t')
      return tally_throw (error, TALLY_ERROR_DATA, "it has a %s in it, which no header may have",
                          *p == '\n' || *p == '\r' ? "line break" : "control character");
  return TRUE;
}

/* ---- One address ---- */

static gboolean
is_atext (guchar c)
{
  return c >= 0x80 || g_ascii_isalnum (c) || (c != '\0' && strchr ("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static gboolean
is_dot_atom (const char *text, gsize length)
{
  gboolean after_dot = TRUE;

  for (gsize i = 0; i < length; i++)
    {
      gboolean dot = text[i] == '.';

      if (dot ? after_dot : !is_atext ((guchar) text[i]))
        return FALSE;
      after_dot = dot;
    }
  return length > 0 && !after_dot;
}

static gboolean
is_quoted (const char *text, gsize length)
{
  if (length < 2 || text[0] != '"' || text[length - 1] != '"')
    return FALSE;
  for (gsize i = 1; i < length - 1; i++)
    {
      if (text[i] == '"' || g_ascii_iscntrl (text[i]) || (text[i] == '\\' && ++i == length - 1))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_label (const char *label)
{
  gsize length = strlen (label);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (label[i]) && label[i] != '-')
      return FALSE;
  return length > 0 && length <= MAX_LABEL && label[0] != '-' && label[length - 1] != '-';
}

static gboolean
is_domain (const char *domain)
{
  g_auto (GStrv) labels = g_strsplit (domain, ".", 0);

  for (guint i = 0; labels[i] != NULL; i++)
    if (!is_label (labels[i]))
      return FALSE;
  return labels[0] != NULL && strlen (domain) <= MAX_DOMAIN;
}

/* [192.0.2.1] or [IPv6:2001:db8::1] */
static gboolean
is_literal (const char *domain)
{
  gsize length = strlen (domain);
  gboolean six = g_str_has_prefix (domain, "[IPv6:");
  g_autofree char *inner = length > 2 && domain[length - 1] == ']'
                               ? g_strndup (domain + (six ? 6 : 1), length - (six ? 7 : 2)) : NULL;
  g_autoptr (GInetAddress) address = inner != NULL ? g_inet_address_new_from_string (inner) : NULL;

  return address != NULL
         && g_inet_address_get_family (address) == (six ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4);
}

/* (transfer full) the domain in A-labels */
static char *
dup_domain (const char *domain, GError **error)
{
  char *encoded = NULL, *copy;
  int code;

  if (*domain == '[' ? is_literal (domain) : is_domain (domain))
    return g_strdup (domain);
  if (g_str_is_ascii (domain))
    {
      tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no domain", domain);
      return NULL;
    }
  code = idn2_to_ascii_8z (domain, &encoded, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  copy = code == IDN2_OK && is_domain (encoded) ? g_strdup (encoded) : NULL;
  idn2_free (encoded);
  if (copy == NULL)
    tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no domain: %s", domain,
                 code != IDN2_OK ? idn2_strerror (code) : "it is none once it is encoded");
  return copy;
}

/* (transfer full) the address with its domain in A-labels */
static char *
dup_checked (const char *address, GError **error)
{
  const char *at = strrchr (address, '@');
  gsize length = at != NULL ? (gsize) (at - address) : 0;
  g_autofree char *domain = NULL, *whole = NULL;

  if (at == NULL)
    tally_throw (error, TALLY_ERROR_DATA, "it has no \"@\"");
  else if (!is_dot_atom (address, length) && !is_quoted (address, length))
    tally_throw (error, TALLY_ERROR_DATA, "what stands before the \"@\" is none");
  else if (length > MAX_LOCAL)
    tally_throw (error, TALLY_ERROR_DATA, "what stands before the \"@\" has more than %d bytes", MAX_LOCAL);
  else
    domain = dup_domain (at + 1, error);
  if (domain == NULL)
    return NULL;
  whole = g_strdup_printf ("%.*s@%s", (int) length, address, domain);
  if (strlen (whole) <= MAX_ADDRESS)
    return g_steal_pointer (&whole);
  tally_throw (error, TALLY_ERROR_DATA, "it has more than %d bytes", MAX_ADDRESS);
  return NULL;
}

gboolean
email_addresses_add (InternetAddressList *list, const char *name, const char *address, GError **error)
{
  g_autofree char *checked = NULL;
  InternetAddress *mailbox;

  if (email_addresses_count (list) == EMAIL_MAX_ADDRESSES)
    return tally_throw (error, TALLY_ERROR_DATA, "there are more than %d addresses", EMAIL_MAX_ADDRESSES);
  checked = dup_checked (address, error);
  if (checked == NULL)
    return tally_throw_prefix (error, "\"%.100s\" is no address", address);
  mailbox = internet_address_mailbox_new (name != NULL && *name != '\0' ? name : NULL, checked);
  internet_address_set_charset (mailbox, "utf-8");
  internet_address_list_add (list, mailbox);
  g_object_unref (mailbox);
  return TRUE;
}

/* ---- Lists ----
 *
 * Of the grammar what people and programs write: names and addresses, quotes, encoded words.  GMime's parser takes what it
 * understands and passes over the rest, in part without a word, and loses memory on what it does not.
 */

/* The first such character outside of quotes, or the end; NULL if a quote does not end. */
static const char *
find_outside (const char *text, char wanted)
{
  gboolean quoted = FALSE;

  for (; *text != '\0' && (quoted || *text != wanted); text++)
    {
      if (*text == '"')
        quoted = !quoted;
      else if (*text == '\\' && quoted && text[1] != '\0')
        text++;
    }
  return quoted ? NULL : text;
}

/* (transfer full) a name as it is shown: without quotes, and with its encoded words decoded */
static char *
dup_name (const char *text, gsize length)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (gsize i = 0; i < length; i++)
    if (text[i] == '\\' && i + 1 < length)
      g_string_append_c (name, text[++i]);
    else if (text[i] != '"')
      g_string_append_c (name, text[i]);
  return g_strstrip (g_mime_utils_header_decode_text (NULL, name->str));
}

static gboolean
add_mailbox (InternetAddressList *list, const char *text, GError **error)
{
  const char *open = find_outside (text, '<');
  gsize length = strlen (text);
  g_autofree char *address = NULL, *name = NULL;

  if (*open == '\0')
    return email_addresses_add (list, NULL, text, error);
  if (text[length - 1] != '>')
    return tally_throw (error, TALLY_ERROR_DATA, "\"%.100s\" is no address, as \"Ann <ann@example.org>\" is one", text);
  address = g_strstrip (g_strndup (open + 1, (gsize) (text + length - 1 - (open + 1))));
  name = dup_name (text, (gsize) (open - text));
  return email_check_header (name, error) && email_addresses_add (list, name, address, error);
}

gboolean
email_addresses_add_list (InternetAddressList *list, const char *text, GError **error)
{
  const char *end;

  for (const char *begin = text; (end = find_outside (begin, ',')) != NULL; begin = end + 1)
    {
      g_autofree char *one = g_strstrip (g_strndup (begin, (gsize) (end - begin)));

      if (*one == '\0')
        return tally_throw (error, TALLY_ERROR_DATA, "\"%.100s\" lacks an address", text);
      if (!add_mailbox (list, one, error))
        return FALSE;
      if (*end == '\0')
        return TRUE;
    }
  return tally_throw (error, TALLY_ERROR_DATA, "\"%.100s\" has a quote that does not end", text);
}

guint
email_addresses_count (InternetAddressList *list)
{
  return (guint) MAX (internet_address_list_length (list), 0);
}

const char *
email_addresses_get (InternetAddressList *list, guint i)
{
  /* GMime decodes A-labels, to show them, and encodes them again. */
  return internet_address_mailbox_get_idn_addr (INTERNET_ADDRESS_MAILBOX (internet_address_list_get_address (list, (int) i)));
}

gboolean
email_addresses_need_utf8 (InternetAddressList *list)
{
  for (guint i = 0; i < email_addresses_count (list); i++)
    if (!g_str_is_ascii (email_addresses_get (list, i)))
      return TRUE;
  return FALSE;
}
