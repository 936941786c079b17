/* survey.c: all of an account that carries an external_id
 *
 * What was found is kept until the end, some forty bytes each, because it is told by id: the oldest of several with one
 * external_id comes first then, whatever changed last.
 */
#include "survey.h"
#include "pager.h"

#include <string.h>

/* Tries of a page that could not be had, where the answer does not say how long to wait. */
#define TRIES_MOST 10
#define PAUSE (5 * G_USEC_PER_SEC)

/* Clocks are told in whole seconds. */
#define MARGIN (2 * G_USEC_PER_SEC)

typedef struct
{
  gint64 id;
  gsize reference; /* where it begins in the texts */
} Found;

typedef struct
{
  GArray *found;  /* (owned) (element-type Found) */
  GString *texts; /* (owned) references, each with its NUL */
} Finds;

static gint64
account_now (const ZendeskAccount *account)
{
  return g_get_real_time () + account->skew * G_USEC_PER_SEC;
}

/* Waits, unless the run is to stop. */
static gboolean
wait_a_while (ZendeskAccount *account, gint64 wait, GError **error)
{
  gint64 until = g_get_monotonic_time () + wait;

  while (g_get_monotonic_time () < until)
    if (!zendesk_account_glance (account, until - g_get_monotonic_time (), error))
      return FALSE;
  return TRUE;
}

static gboolean
fetch (ZendeskPager *pager, GError **error)
{
  for (guint tries = 1;; tries++)
    {
      g_autoptr (GError) failure = NULL;
      TallyFlow flow = zendesk_pager_fetch (pager, &failure);
      gint64 wish = pager->reply.wait;

      if (flow == TALLY_FLOW_OK)
        return TRUE;
      if (flow != TALLY_FLOW_RETRY || (wish == 0 && tries >= TRIES_MOST))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      if (!wait_a_while (pager->account, wish > 0 ? wish : PAUSE, error))
        return FALSE;
    }
}

static void
keep (const ZendeskPageRecord *record, Finds *finds)
{
  g_autoptr (json_object) body = zendesk_json_parse (record->text.data, record->text.length);
  const char *reference = zendesk_json_get_text (body, "external_id");
  Found found = { .id = record->id, .reference = finds->texts->len };

  if (reference == NULL || *reference == '\0')
    return;
  g_string_append_len (finds->texts, reference, (gssize) strlen (reference) + 1);
  g_array_append_val (finds->found, found);
}

/* Reads on until the export has come to its end; what changes meanwhile comes again. */
static gboolean
read_to_the_end (ZendeskPager *pager, Finds *finds, GError **error)
{
  do
    {
      if (tally_context_is_interrupted (pager->account->ctx))
        return tally_throw (error, TALLY_ERROR_INTERRUPTED, "interrupted while the account was read");
      if (!fetch (pager, error))
        return FALSE;
      for (guint i = 0; i < pager->page.records->len; i++)
        keep (&g_array_index (pager->page.records, ZendeskPageRecord, i), finds);
      zendesk_pager_turn (pager);
    }
  while (!pager->ended);
  return TRUE;
}

static gint
compare_found (gconstpointer a, gconstpointer b)
{
  const Found *one = a, *other = b;

  if (one->id != other->id)
    return one->id < other->id ? -1 : 1;
  return one->reference < other->reference ? -1 : one->reference > other->reference;
}

/* Each id once, as it was last. */
static void
tell (Finds *finds, TallySurveyed found, gpointer data)
{
  g_array_sort (finds->found, compare_found);
  for (guint i = 0; i < finds->found->len; i++)
    {
      const Found *one = &g_array_index (finds->found, Found, i);
      g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, one->id);

      if (i + 1 < finds->found->len && one[1].id == one->id)
        continue;
      found (finds->texts->str + one->reference, id, data);
    }
}

/* Reads until the export tells of enough. */
static gboolean
read_until (ZendeskPager *pager, gint64 enough, Finds *finds, GError **error)
{
  for (;;)
    {
      ZendeskAccount *account = pager->account;
      gboolean is_last = account_now (account) >= enough;

      if (!zendesk_pager_is_too_early (pager) && !read_to_the_end (pager, finds, error))
        return FALSE;
      if (is_last)
        return TRUE;
      if (!wait_a_while (account, CLAMP (enough - account_now (account), ZENDESK_GLANCE, PAUSE), error))
        return FALSE;
    }
}

gboolean
zendesk_survey (ZendeskAccount *account, const char *name, gint64 since, gint64 export_delay, TallySurveyed found,
                gpointer data, GError **error)
{
  const gint64 enough = account_now (account) + export_delay + MARGIN;
  ZendeskResource resource;
  ZendeskPager pager = { 0 };
  Finds finds = { g_array_new (FALSE, FALSE, sizeof (Found)), g_string_new (NULL) };
  gboolean good = zendesk_resource_find (name, &resource, error)
                  && zendesk_pager_init (&pager, account, &resource, 1000, NULL, since / G_USEC_PER_SEC, error)
                  && read_until (&pager, enough, &finds, error);

  if (good)
    tell (&finds, found, data);
  zendesk_pager_clear (&pager);
  g_array_unref (finds.found);
  g_string_free (finds.texts, TRUE);
  return good;
}
