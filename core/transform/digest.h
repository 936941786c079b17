/* digest.h: what a row is known by: a few bytes that differ where its values do */
#pragma once
#include <tallyman/batch.h>

#define TALLY_DIGEST_SIZE 16 /* of SHA-256: nobody finds two rows that share one, not even on purpose */

typedef struct
{
  GString *identity;   /* (owned) */
  GChecksum *checksum; /* (owned) */
} TallyDigester;

void tally_digester_init (TallyDigester *digester);
void tally_digester_clear (TallyDigester *digester);
void tally_digester_begin (TallyDigester *digester);
void tally_digester_add_number (TallyDigester *digester, guint64 number);
void tally_digester_add (TallyDigester *digester, const TallyBatch *batch, guint row, guint column);
/* value: (nullable) of type; NULL is NULL. */
void tally_digester_add_value (TallyDigester *digester, TallyType type, gconstpointer value);
void tally_digester_end (TallyDigester *digester, guint8 ret_digest[TALLY_DIGEST_SIZE]);
