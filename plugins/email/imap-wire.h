/* imap-wire.h: what an IMAP server says, from bytes to responses; knows no sockets (RFC 3501) */
#pragma once
#include <glib.h>
#include <tallyman/types.h>

typedef struct _ImapWire ImapWire;

typedef struct
{
  const char *text;     /* (unowned) without its literals, each of which is left as {N}; until the next call */
  GByteArray *literal;  /* (unowned) the last literal, as far as it is kept; empty if there was none */
  guint64 literal_size; /* of the whole of it, as it was announced */
} ImapResponse;

typedef enum
{
  IMAP_WIRE_RESPONSE,
  IMAP_WIRE_MORE, /* of which there is not enough yet */
  IMAP_WIRE_BROKEN,
} ImapWireState;

/* A line beyond max_line breaks it.  Of a literal beyond max_literal the rest is passed over. */
ImapWire *imap_wire_new (gsize max_line, gsize max_literal);
void imap_wire_free (ImapWire *wire);
void imap_wire_feed (ImapWire *wire, const char *bytes, gsize size);
ImapWireState imap_wire_next (ImapWire *wire, ImapResponse *ret_response, GError **error);

/* ---- What responses say ---- */

/* "* 3 FETCH (UID 5 RFC822.SIZE 100 BODY[] {100})" */
typedef struct
{
  guint32 uid; /* 0: not told */
  guint64 size;
  gboolean has_body; /* in the literal */
  TallyText flags;   /* (unowned) as they stand: (\Seen work); of no length: not told */
  guint64 modseq;    /* of its last change (RFC 7162); 0: not told */
} ImapFetch;

/* FALSE if it is none, or cannot be read. */
gboolean imap_fetch_parse (const ImapResponse *response, ImapFetch *ret_fetch);
/* "* LIST (\HasNoChildren) "/" name": ret_name (transfer full) as it is on the wire.  FALSE if it is none, or of nothing that
 * could be opened. */
gboolean imap_list_parse (const ImapResponse *response, char **ret_name);
/* The number behind a word in brackets: "* OK [UIDVALIDITY 7] …".  FALSE if it has none, or one beyond most. */
gboolean imap_code_parse (const ImapResponse *response, const char *word, guint64 most, guint64 *ret_number);
/* "* 12 EXISTS" */
gboolean imap_exists_parse (const ImapResponse *response, guint32 *ret_number);
