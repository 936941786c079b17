/* ref.h: what ref() asks, and who answers
 *
 * A batch brings along what its rows may refer to.  The expression knows nothing of a ledger.
 */
#pragma once
#include <glib.h>

/* One call of ref(): the same for all rows. */
typedef struct
{
  const char *entity;
  const char *origin; /* (nullable) NULL: the pipeline's */
  const char *target; /* (nullable) NULL: the sink's */
  gboolean missing_is_null;
} TallyRefQuestion;

/* What is known of one key; neither an id nor a reason: NULL. */
typedef struct
{
  char *target_id; /* (owned) (nullable) */
  char *reason;    /* (owned) (nullable) why the row cannot go on */
} TallyRefAnswer;

typedef struct _TallyReferences TallyReferences;

struct _TallyReferences
{
  /* Answers for all keys at once; ret_answers is zeroed.  FALSE: nobody could be asked, and whoever gave the batch its
   * references knows why. */
  gboolean (*find) (TallyReferences *self, const TallyRefQuestion *question, const char *const *keys, guint n_keys,
                    TallyRefAnswer *ret_answers);
};
