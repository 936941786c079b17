/* digest.c: values that are equal give the same digest */
#include "digest.h"
#include "record/identity.h"
#include <string.h>

void
tally_digester_init (TallyDigester *digester)
{
  digester->identity = g_string_new (NULL);
  digester->checksum = g_checksum_new (G_CHECKSUM_SHA256);
}

void
tally_digester_clear (TallyDigester *digester)
{
  g_string_free (digester->identity, TRUE);
  g_checksum_free (digester->checksum);
}

void
tally_digester_begin (TallyDigester *digester)
{
  g_string_truncate (digester->identity, 0);
}

void
tally_digester_add_number (TallyDigester *digester, guint64 number)
{
  g_string_append_len (digester->identity, (const char *)&number, sizeof number);
}

void
tally_digester_add (TallyDigester *digester, const TallyBatch *batch, guint row, guint column)
{
  tally_identity_append (batch, row, column, digester->identity);
}

void
tally_digester_add_value (TallyDigester *digester, TallyType type, gconstpointer value)
{
  tally_identity_append_value (type, value, digester->identity);
}

void
tally_digester_end (TallyDigester *digester, guint8 ret_digest[TALLY_DIGEST_SIZE])
{
  guint8 whole[32];
  gsize size = sizeof whole;

  g_checksum_reset (digester->checksum);
  g_checksum_update (digester->checksum, (const guchar *)digester->identity->str,
                     digester->identity->len);
  g_checksum_get_digest (digester->checksum, whole, &size);
  memcpy (ret_digest, whole, TALLY_DIGEST_SIZE);
}
