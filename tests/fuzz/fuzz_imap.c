/* fuzz_imap: any bytes of a server become responses, however they are cut, and each can be asked
 * for what it says */
#include "flags.h"
#include "imap-wire.h"
#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>

#define MAX_LINE 256
#define MAX_LITERAL 64

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
ask_fetch (const ImapResponse *response)
{
  g_autofree char *flags = NULL;
  json_object *json;
  ImapFetch fetch;

  if (!imap_fetch_parse (response, &fetch))
    return;
  if (fetch.modseq > G_MAXINT64)
    abort ();
  if (fetch.flags.length == 0)
    return;
  flags = mail_flags_from_imap (fetch.flags);
  json = json_tokener_parse (flags);
  if (!json_object_is_type (json, json_type_array) || !g_utf8_validate (flags, -1, NULL))
    abort ();
  json_object_put (json);
}

static void
ask (const ImapResponse *response)
{
  g_autofree char *name = NULL;
  guint32 number;
  guint64 long_number;

  if (response->literal->len > MAX_LITERAL || response->literal->len > response->literal_size)
    abort ();
  ask_fetch (response);
  if (imap_list_parse (response, &name) && *name == '\0')
    abort ();
  if (imap_code_parse (response, "UIDVALIDITY", G_MAXUINT32, &long_number) && long_number > G_MAXUINT32)
    abort ();
  imap_exists_parse (response, &number);
}

/* (transfer full) All responses as one text, from pieces of a size. */
static char *
read_all (const uint8_t *data, size_t size, size_t piece)
{
  ImapWire *wire = imap_wire_new (MAX_LINE, MAX_LITERAL);
  GString *all = g_string_new (NULL);
  ImapWireState state = IMAP_WIRE_MORE;

  for (size_t at = 0; at < size && state != IMAP_WIRE_BROKEN; at += piece)
    {
      ImapResponse response;

      imap_wire_feed (wire, (const char *)data + at, MIN (piece, size - at));
      while ((state = imap_wire_next (wire, &response, NULL)) == IMAP_WIRE_RESPONSE)
        {
          ask (&response);
          g_string_append_printf (all, "%s|%u|%" G_GUINT64_FORMAT "\n", response.text,
                                  response.literal->len, response.literal_size);
        }
    }
  g_string_append (all, state == IMAP_WIRE_BROKEN ? "broken" : "");
  imap_wire_free (wire);
  return g_string_free (all, FALSE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *whole = read_all (data, size, MAX (size, 1)), *pieces = read_all (data, size, 3);

  if (!g_str_equal (whole, pieces))
    abort ();
  return 0;
}
