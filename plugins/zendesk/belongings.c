/* belongings.c: what a user has beside its own record */
#include "belongings.h"
#include "json.h"

#include <string.h>

TallyText
zendesk_stored_request (TallyText stored)
{
  const char *end = memchr (stored.data, '\n', stored.length);

  return (TallyText){ stored.data, end != NULL ? (gsize) (end - stored.data) : stored.length };
}

ZendeskBelongings *
zendesk_belongings_new (void)
{
  ZendeskBelongings *wanted = g_new0 (ZendeskBelongings, 1);

  wanted->identities = g_ptr_array_new_with_free_func (g_free);
  wanted->organizations = g_array_new (FALSE, FALSE, sizeof (gint64));
  return wanted;
}

void
zendesk_belongings_free (ZendeskBelongings *wanted)
{
  if (wanted == NULL)
    return;
  g_free (wanted->email);
  g_ptr_array_unref (wanted->identities);
  g_array_unref (wanted->organizations);
  g_free (wanted);
}

static gboolean
take_addresses (json_object *array, GPtrArray *addresses)
{
  gsize n = array != NULL ? json_object_array_length (array) : 0;

  for (gsize i = 0; i < n; i++)
    {
      json_object *address = json_object_array_get_idx (array, i);

      if (!json_object_is_type (address, json_type_string) || i == ZENDESK_MAX_BELONGINGS)
        return FALSE;
      g_ptr_array_add (addresses, g_strdup (json_object_get_string (address)));
    }
  return TRUE;
}

static gboolean
take_ids (json_object *array, GArray *ids)
{
  gsize n = array != NULL ? json_object_array_length (array) : 0;

  for (gsize i = 0; i < n; i++)
    {
      json_object *element = json_object_array_get_idx (array, i);
      gint64 id = json_object_is_type (element, json_type_int) ? json_object_get_int64 (element) : 0;

      if (!zendesk_json_is_id (id) || i == ZENDESK_MAX_BELONGINGS)
        return FALSE;
      g_array_append_val (ids, id);
    }
  return TRUE;
}

gboolean
zendesk_belongings_parse (TallyText stored, ZendeskBelongings **ret_wanted)
{
  gsize first = zendesk_stored_request (stored).length;
  g_autoptr (ZendeskBelongings) wanted = NULL;

  if (first == stored.length)
    {
      *ret_wanted = NULL;
      return TRUE;
    }

  g_autoptr (json_object) body = zendesk_json_parse (stored.data + first + 1, stored.length - first - 1);
  if (!json_object_is_type (body, json_type_object))
    return FALSE;
  wanted = zendesk_belongings_new ();
  wanted->email = g_strdup (zendesk_json_get_text (body, "email"));
  if (zendesk_json_get (body, "organization_id") != NULL
      && !zendesk_json_get_id (body, "organization_id", &wanted->organization_id))
    return FALSE;
  if (!take_addresses (zendesk_json_get_array (body, "identities"), wanted->identities)
      || !take_ids (zendesk_json_get_array (body, "organization_ids"), wanted->organizations))
    return FALSE;
  *ret_wanted = g_steal_pointer (&wanted);
  return TRUE;
}

/* --- what is there --- */

static void
belonging_free (gpointer data)
{
  ZendeskBelonging *one = data;

  g_free (one->value);
  g_free (one);
}

GPtrArray *
zendesk_belonging_list_new (void)
{
  return g_ptr_array_new_with_free_func (belonging_free);
}

static gboolean
has_more (json_object *body)
{
  return zendesk_json_get_text (body, "next_page") != NULL
         || json_object_get_boolean (zendesk_json_get (zendesk_json_get (body, "meta"), "has_more"));
}

static gboolean
is_true (json_object *row, const char *name)
{
  json_object *value = zendesk_json_get (row, name);

  return json_object_is_type (value, json_type_boolean) && json_object_get_boolean (value);
}

/* Walks over a page; take() adds what a row tells to one, and says whether it is of interest. */
static gboolean
read_page (GPtrArray *has, const char *list, gboolean (*take) (json_object *row, ZendeskBelonging *one), const char *text,
           gsize length, gboolean *ret_more)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  json_object *rows = zendesk_json_get_array (body, list);

  if (rows == NULL)
    return FALSE;
  for (gsize i = 0; i < json_object_array_length (rows); i++)
    {
      json_object *row = json_object_array_get_idx (rows, i);
      ZendeskBelonging *one = g_new0 (ZendeskBelonging, 1);

      if (has->len == ZENDESK_MAX_BELONGINGS || !zendesk_json_get_id (row, "id", &one->id))
        {
          belonging_free (one);
          return FALSE;
        }
      if (take (row, one))
        g_ptr_array_add (has, one);
      else
        belonging_free (one);
    }
  *ret_more = has_more (body);
  return TRUE;
}

static gboolean
take_identity (json_object *row, ZendeskBelonging *one)
{
  if (g_strcmp0 (zendesk_json_get_text (row, "type"), "email") != 0)
    return FALSE;
  one->value = g_strdup (zendesk_json_get_text (row, "value"));
  one->first = is_true (row, "primary");
  return one->value != NULL;
}

gboolean
zendesk_identities_read (GPtrArray *has, const char *text, gsize length, gboolean *ret_more)
{
  return read_page (has, "identities", take_identity, text, length, ret_more);
}

static gboolean
take_membership (json_object *row, ZendeskBelonging *one)
{
  one->first = is_true (row, "default");
  return zendesk_json_get_id (row, "organization_id", &one->organization_id);
}

gboolean
zendesk_memberships_read (GPtrArray *has, const char *text, gsize length, gboolean *ret_more)
{
  return read_page (has, "organization_memberships", take_membership, text, length, ret_more);
}

/* --- what comes next --- */

static const ZendeskBelonging *
find_address (const GPtrArray *has, const char *address)
{
  for (guint i = 0; i < has->len; i++)
    {
      const ZendeskBelonging *one = has->pdata[i];

      if (g_ascii_strcasecmp (one->value, address) == 0)
        return one;
    }
  return NULL;
}

static const ZendeskBelonging *
find_membership (const GPtrArray *has, gint64 organization)
{
  for (guint i = 0; i < has->len; i++)
    if (((const ZendeskBelonging *) has->pdata[i])->organization_id == organization)
      return has->pdata[i];
  return NULL;
}

const char *
zendesk_next_identity (const ZendeskBelongings *wanted, const GPtrArray *has, gint64 *ret_id)
{
  *ret_id = 0;
  for (guint i = 0; i < wanted->identities->len; i++)
    if (find_address (has, wanted->identities->pdata[i]) == NULL)
      return wanted->identities->pdata[i];
  if (wanted->email == NULL)
    return NULL;

  const ZendeskBelonging *one = find_address (has, wanted->email);
  if (one != NULL && one->first)
    return NULL;
  *ret_id = one != NULL ? one->id : 0;
  return wanted->email;
}

gint64
zendesk_next_membership (const ZendeskBelongings *wanted, const GPtrArray *has, gint64 *ret_id)
{
  *ret_id = 0;
  for (guint i = 0; i < wanted->organizations->len; i++)
    if (find_membership (has, g_array_index (wanted->organizations, gint64, i)) == NULL)
      return g_array_index (wanted->organizations, gint64, i);
  if (wanted->organization_id == 0)
    return 0;

  const ZendeskBelonging *one = find_membership (has, wanted->organization_id);
  if (one != NULL && one->first)
    return 0;
  *ret_id = one != NULL ? one->id : 0;
  return wanted->organization_id;
}
