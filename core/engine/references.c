/* references.c: ref() reads the ledger
 *
 * A run sees what was delivered before it began, and nothing of what it or others deliver meanwhile: otherwise it would depend on
 * their speed what a row becomes.  Which deliveries are meant is never guessed: they are those of the entity and the origin
 * in one target.
 */
#include "references.h"
#include "delivery/key.h"
#include "record/nearest.h"
#include <string.h>

typedef struct
{
  TallyReferences base;
  TallyReferencesConfig config;
  GHashTable *given;   /* (owned) (nullable) of a test */
  TallyLedger *ledger; /* (owned) (nullable) once it was needed */
  GHashTable *scopes;  /* (owned) (nullable) (element-type utf8 TallyLedgerScope) by question; the value may be NULL */
  GError *failure;     /* (owned) (nullable) */
} References;

/* ---- One key ---- */

TallyRefFate
tally_ref_fate (const TallyLedgerDelivery *delivery, gint64 began_at)
{
  /* An update changes nothing about the id, whatever became of it. */
  if (delivery != NULL && delivery->target_id != NULL && delivery->known_since < began_at)
    return TALLY_REF_FOUND;
  /* Of an earlier generation it is known that the target did not have it. */
  if (delivery == NULL || delivery->intended_at >= began_at)
    return TALLY_REF_ABSENT;
  if (delivery->state == TALLY_DELIVERY_INTENDED || delivery->state == TALLY_DELIVERY_IN_DOUBT
      || delivery->settled_at >= began_at)
    return TALLY_REF_IN_DOUBT;
  return TALLY_REF_ABSENT;
}

static char *
describe (const TallyRefQuestion *question, const char *key)
{
  return g_strdup_printf ("ref(): the %s \"%s\"", question->entity, key);
}

static void
explain_absence (TallyRefAnswer *answer, const References *self, const TallyRefQuestion *question, const char *key, const char *origin,
                 const TallyLedgerDelivery *delivery)
{
  g_autofree char *what = describe (question, key);

  if (delivery != NULL && delivery->intended_at < self->config.began_at)
    answer->reason = g_strdup_printf ("%s of \"%s\" was not delivered: it is %s", what, origin,
                                      tally_delivery_state_name (delivery->state));
  else
    answer->reason = g_strdup_printf ("%s of \"%s\" was not delivered before this run began", what, origin);
}

static gboolean
note_missed (const References *self, const char *entity, const char *origin, const char *key, GError **error)
{
  gboolean is_coming = FALSE;

  if (self->config.coming != NULL && !tally_reference_file_has (self->config.coming, entity, origin, key, &is_coming, error))
    return FALSE;
  return is_coming || tally_reference_file_use (self->config.missed, entity, origin, key, NULL, error);
}

/* What the ledger has not may stand in the pipeline's file. */
static gboolean
answer_absent (TallyRefAnswer *answer, const References *self, const TallyRefQuestion *question, const char *key, const char *origin,
               const TallyLedgerDelivery *delivery, GError **error)
{
  if (self->config.missed != NULL && !note_missed (self, question->entity, origin, key, error))
    return FALSE;
  if (self->config.file != NULL
      && !tally_reference_file_find (self->config.file, question->entity, origin, key, &answer->target_id, error))
    return FALSE;
  if (answer->target_id == NULL && !question->missing_is_null)
    explain_absence (answer, self, question, key, origin, delivery);
  return TRUE;
}

/* The file may have another one, if that is not to be named. */
static gboolean
answer_found (TallyRefAnswer *answer, const References *self, const TallyRefQuestion *question, const char *key, const char *origin,
              const char *id, GError **error)
{
  TallyReferenceFile *uses;

  if (self->config.file != NULL
      && !tally_reference_file_find_instead (self->config.file, question->entity, origin, key, id, &answer->target_id, error))
    return FALSE;
  uses = answer->target_id != NULL ? self->config.missed : self->config.found;
  if (answer->target_id == NULL)
    answer->target_id = g_strdup (id);
  return uses == NULL || tally_reference_file_use (uses, question->entity, origin, key, id, error);
}

static gboolean
answer_with (TallyRefAnswer *answer, const References *self, const TallyRefQuestion *question, const char *key, const char *origin,
             const TallyLedgerDelivery *delivery, GError **error)
{
  g_autofree char *what = NULL;

  switch (tally_ref_fate (delivery, self->config.began_at))
    {
    case TALLY_REF_FOUND:
      return answer_found (answer, self, question, key, origin, delivery->target_id, error);
    case TALLY_REF_IN_DOUBT:
      what = describe (question, key);
      answer->reason = g_strdup_printf ("%s of \"%s\" was in doubt when this run began: it may be in the target, or not; run "
                                        "its pipeline again to settle it, then this one", what, origin);
      return TRUE;
    case TALLY_REF_ABSENT:
      return answer_absent (answer, self, question, key, origin, delivery, error);
    }
  g_assert_not_reached ();
}

/* ---- Which deliveries are meant ---- */

static const char *
origin_of (const References *self, const TallyRefQuestion *question)
{
  return question->origin != NULL ? question->origin : self->config.origin;
}

static gboolean
is_meant (const References *self, const TallyRefQuestion *question, const TallyLedgerScope *scope)
{
  const char *origin = origin_of (self, question);
  const char *target = question->target != NULL ? question->target : self->config.target;

  return g_str_equal (scope->entity, question->entity) && g_str_equal (scope->origin, origin)
         && (target == NULL || g_str_equal (scope->target, target));
}

/* Names what the ledger has of the entity: `of origin "desk" in "acme.zendesk.com"`. */
static char *
list_known (const GPtrArray *scopes, const char *entity)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < scopes->len; i++)
    {
      const TallyLedgerScope *scope = g_ptr_array_index (scopes, i);

      if (g_str_equal (scope->entity, entity))
        g_string_append_printf (list, "%sorigin => '%s', target => '%s'", list->len > 0 ? "; or " : "", scope->origin,
                                scope->target);
    }
  return g_string_free (list, FALSE);
}

static gboolean
throw_ambiguous (const GPtrArray *scopes, const TallyRefQuestion *question, GError **error)
{
  g_autofree char *known = list_known (scopes, question->entity);

  return tally_throw (error, TALLY_ERROR_USAGE,
                      "ref('%s', …) is ambiguous: the ledger knows of several targets; say which is meant: %s",
                      question->entity, known);
}

static gboolean
throw_unknown (const GPtrArray *scopes, const TallyRefQuestion *question, GError **error)
{
  g_autofree char *known = list_known (scopes, question->entity);
  g_autoptr (GPtrArray) entities = g_ptr_array_new ();
  const char *nearest;

  if (*known != '\0')
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "ref('%s', …): the ledger has none of this origin and target, but of others; if one is meant, say so: "
                        "%s",
                        question->entity, known);

  for (guint i = 0; i < scopes->len; i++)
    g_ptr_array_add (entities, ((TallyLedgerScope *)g_ptr_array_index (scopes, i))->entity);
  nearest = tally_nearest (question->entity, (const char *const *)entities->pdata, entities->len);
  if (nearest != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "ref('%s', …): no pipeline has delivered such a thing into this ledger; did you mean \"%s\"?",
                        question->entity, nearest);
  return tally_throw (error, TALLY_ERROR_USAGE,
                      "ref('%s', …): no pipeline has delivered such a thing into this ledger; run the one that does, first",
                      question->entity);
}

/* Where a file has ids, they may be all that there are. */
static gboolean
is_in_file (const References *self, const TallyRefQuestion *question, gboolean *ret_in_file, GError **error)
{
  *ret_in_file = FALSE;
  return self->config.file == NULL
         || tally_reference_file_knows (self->config.file, question->entity, origin_of (self, question), ret_in_file, error);
}

/* What this run itself is the first to deliver is not in the ledger yet, and that is no mistake. */
static gboolean
is_own (const References *self, const TallyRefQuestion *question)
{
  return self->config.entity != NULL && g_str_equal (question->entity, self->config.entity)
         && (question->origin == NULL || g_str_equal (question->origin, self->config.origin))
         && (question->target == NULL || g_str_equal (question->target, self->config.target));
}

static gboolean
choose_scope (References *self, const TallyRefQuestion *question, TallyLedgerScope **ret_scope, GError **error)
{
  g_autoptr (GPtrArray) scopes = self->ledger != NULL ? tally_ledger_list_scopes (self->ledger, error) : g_ptr_array_new ();
  g_autoptr (GError) unknown = NULL;
  TallyLedgerScope *meant = NULL;
  gboolean in_file;

  if (scopes == NULL || !is_in_file (self, question, &in_file, error))
    return FALSE;
  for (guint i = 0; i < scopes->len; i++)
    {
      TallyLedgerScope *scope = g_ptr_array_index (scopes, i);

      if (!is_meant (self, question, scope))
        continue;
      if (meant != NULL)
        return throw_ambiguous (scopes, question, error);
      meant = scope;
    }
  if (meant != NULL)
    *ret_scope = tally_ledger_scope_copy (meant);
  else if (!in_file && !is_own (self, question))
    {
      if (!question->missing_is_null)
        return throw_unknown (scopes, question, error);
      throw_unknown (scopes, question, &unknown);
      if (self->config.warn != NULL)
        self->config.warn (unknown->message, self->config.warn_data);
    }
  return TRUE;
}

static gboolean
find_scope (References *self, const TallyRefQuestion *question, const TallyLedgerScope **ret_scope, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s\n%s\n%s", question->entity, question->origin != NULL ? question->origin : "",
                                           question->target != NULL ? question->target : "");
  TallyLedgerScope *scope = NULL;

  if (g_hash_table_lookup_extended (self->scopes, name, NULL, (gpointer *)ret_scope))
    return TRUE;
  if (!choose_scope (self, question, &scope, error))
    return FALSE;
  g_hash_table_insert (self->scopes, g_steal_pointer (&name), scope);
  *ret_scope = scope;
  return TRUE;
}

/* ---- Many keys ---- */

/* One that is not there yet knows nothing: before the first run, whose plan may still be made. */
static gboolean
open_ledger (References *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (self->ledger == NULL)
    self->ledger
        = tally_ledger_open (self->config.ledger_uri, self->config.ledger_flags | TALLY_LEDGER_READ, &failure);
  if (self->ledger != NULL || g_error_matches (failure, TALLY_ERROR, TALLY_ERROR_NO_LEDGER))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* The keys as the ledger has them.  NULL where a key is none, which its answer says. */
static GPtrArray *
normalise (const char *const *keys, guint n_keys, const char *origin, TallyRefAnswer *answers)
{
  GPtrArray *normal = g_ptr_array_new_full (n_keys, g_free);

  for (guint i = 0; i < n_keys; i++)
    {
      g_autoptr (GError) error = NULL;
      char *key = tally_key_normalise ((TallyText){ keys[i], strlen (keys[i]) }, origin, &error);

      if (key == NULL)
        answers[i].reason = g_strdup_printf ("ref(): %s", error->message);
      g_ptr_array_add (normal, key);
    }
  return normal;
}

static gboolean
ask (References *self, const TallyRefQuestion *question, const char *const *keys, guint n_keys, TallyRefAnswer *answers,
     GError **error)
{
  const TallyLedgerScope *scope;
  g_autoptr (GPtrArray) normal = NULL, wanted = g_ptr_array_new (), found = NULL;

  if (!open_ledger (self, error) || !find_scope (self, question, &scope, error))
    return FALSE;
  normal = normalise (keys, n_keys, origin_of (self, question), answers);
  for (guint i = 0; i < n_keys; i++)
    if (normal->pdata[i] != NULL)
      g_ptr_array_add (wanted, normal->pdata[i]);
  if (scope != NULL && wanted->len > 0
      && (found = tally_ledger_find (self->ledger, scope->id, (const char *const *)wanted->pdata, wanted->len, error)) == NULL)
    return FALSE;

  for (guint i = 0, n = 0; i < n_keys; i++)
    if (normal->pdata[i] != NULL)
      {
        if (!answer_with (&answers[i], self, question, normal->pdata[i], origin_of (self, question),
                          found != NULL ? found->pdata[n] : NULL, error))
          return FALSE;
        n++;
      }
  return TRUE;
}

static gboolean
references_find (TallyReferences *references, const TallyRefQuestion *question, const char *const *keys, guint n_keys,
                 TallyRefAnswer *ret_answers)
{
  References *self = (References *)references;
  g_autoptr (GError) error = NULL;

  if (self->failure != NULL)
    return FALSE;
  if (ask (self, question, keys, n_keys, ret_answers, &error))
    return TRUE;
  if (!self->config.lenient)
    {
      self->failure = g_steal_pointer (&error);
      return FALSE;
    }

  for (guint i = 0; i < n_keys; i++)
    if (ret_answers[i].reason == NULL)
      ret_answers[i].reason = g_strdup (error->message);
  return TRUE;
}

TallyReferences *
tally_references_new (const TallyReferencesConfig *config)
{
  References *self = g_new0 (References, 1);

  self->base.find = references_find;
  self->config = *config;
  self->scopes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, tally_ledger_scope_free);
  return &self->base;
}

void
tally_references_free (TallyReferences *references)
{
  References *self = (References *)references;

  if (self == NULL)
    return;

  tally_ledger_close (self->ledger);
  g_clear_pointer (&self->scopes, g_hash_table_unref);
  g_clear_pointer (&self->given, g_hash_table_unref);
  g_clear_error (&self->failure);
  g_free (self);
}

gboolean
tally_references_failed (TallyReferences *references, GError **error)
{
  References *self = (References *)references;

  if (self == NULL || self->failure == NULL)
    return FALSE;
  g_propagate_error (error, g_error_copy (self->failure));
  return TRUE;
}

/* ---- Tests ---- */

static gboolean
test_find (TallyReferences *references, const TallyRefQuestion *question, const char *const *keys, guint n_keys,
           TallyRefAnswer *ret_answers)
{
  References *self = (References *)references;
  GHashTable *ids = self->given != NULL ? g_hash_table_lookup (self->given, question->entity) : NULL;
  g_autoptr (GPtrArray) normal = normalise (keys, n_keys, "", ret_answers);

  for (guint i = 0; i < n_keys; i++)
    {
      const char *key = normal->pdata[i], *id = key != NULL && ids != NULL ? g_hash_table_lookup (ids, key) : NULL;
      g_autofree char *what = NULL;

      if (key == NULL)
        continue;
      ret_answers[i].target_id = g_strdup (id);
      if (id == NULL && self->config.file != NULL
          && !tally_reference_file_find (self->config.file, question->entity, origin_of (self, question), key,
                                         &ret_answers[i].target_id, &self->failure))
        return FALSE;
      if (ret_answers[i].target_id != NULL || question->missing_is_null)
        continue;
      what = describe (question, key);
      ret_answers[i].reason = g_strdup_printf ("%s is not among the test's \"refs\"", what);
    }
  return TRUE;
}

TallyReferences *
tally_references_new_for_test (GHashTable *given, const char *origin, TallyReferenceFile *file)
{
  References *self = g_new0 (References, 1);

  self->config = (TallyReferencesConfig){ .origin = origin, .file = file };
  self->base.find = test_find;
  self->given = given != NULL ? g_hash_table_ref (given) : NULL;
  return &self->base;
}
