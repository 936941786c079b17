/* sideload.c: records that are sent along because others refer to them (include=) */
#include "sideload.h"

#include "metrics.h"
#include "people-api.h"
#include "ticket-json.h"

/* include=users,groups; a search says include=tickets(users,groups). */
static gboolean
asks_for (EmuExchange *x, const char *word)
{
  const char *text = emu_query (x, "include");
  g_auto (GStrv) words = g_strsplit_set (text != NULL ? text : "", ",()", 64);

  return g_strv_contains ((const char *const *)words, word);
}

EmuIds *
emu_ids_new (void)
{
  EmuIds *ids = g_new0 (EmuIds, 1);

  ids->seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  ids->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  return ids;
}

void
emu_ids_free (EmuIds *ids)
{
  g_hash_table_unref (ids->seen);
  g_array_unref (ids->ids);
  g_free (ids);
}

void
emu_ids_add (EmuIds *ids, gint64 id)
{
  if (id == 0 || g_hash_table_contains (ids->seen, &id))
    return;
  g_hash_table_add (ids->seen, g_memdup2 (&id, sizeof id));
  g_array_append_val (ids->ids, id);
}

static void
add_list (EmuIds *ids, const GArray *list)
{
  for (guint i = 0; list != NULL && i < list->len; i++)
    emu_ids_add (ids, g_array_index (list, gint64, i));
}

void
emu_sideload_write_users (const Emulator *emu, const EmuIds *ids, GString *out)
{
  gboolean first = TRUE;

  g_string_append (out, ",\"users\":[");
  for (guint i = 0; i < ids->ids->len; i++)
    {
      EmuUser *user = emu_users_get (emu->users, g_array_index (ids->ids, gint64, i));

      if (user == NULL)
        continue;
      g_string_append (out, first ? "" : ",");
      first = FALSE;
      emu_user_write (user, emu->user_fields, emu->base_url, out);
    }
  g_string_append_c (out, ']');
}

static void
sideload_users (const EmuList *list, const GPtrArray *rows, GString *out)
{
  g_autoptr (EmuIds) ids = emu_ids_new ();

  for (guint i = 0; i < rows->len; i++)
    {
      const EmuTicket *ticket = rows->pdata[i];

      emu_ids_add (ids, ticket->requester);
      emu_ids_add (ids, ticket->submitter);
      emu_ids_add (ids, ticket->assignee);
      add_list (ids, ticket->collaborators);
      add_list (ids, ticket->followers);
      add_list (ids, ticket->ccs);
    }
  emu_sideload_write_users (list->x->emu, ids, out);
}

static void
write_organizations (const EmuList *list, const EmuIds *ids, GString *out)
{
  const Emulator *emu = list->x->emu;
  gboolean first = TRUE;

  g_string_append (out, ",\"organizations\":[");
  for (guint i = 0; i < ids->ids->len; i++)
    {
      EmuOrganization *organization
          = emu_organizations_get (emu->organizations, g_array_index (ids->ids, gint64, i));

      if (organization == NULL)
        continue;
      g_string_append (out, first ? "" : ",");
      first = FALSE;
      emu_write_organization_row (list, organization, out);
    }
  g_string_append_c (out, ']');
}

/* The organizations of the rows, whose ids stand at @offset. */
static void
sideload_organizations (const EmuList *list, const GPtrArray *rows, gsize offset, GString *out)
{
  g_autoptr (EmuIds) ids = emu_ids_new ();

  for (guint i = 0; i < rows->len; i++)
    emu_ids_add (ids, G_STRUCT_MEMBER (gint64, rows->pdata[i], offset));
  write_organizations (list, ids, out);
}

void
emu_sideload_users (const EmuList *list, const GPtrArray *rows, GString *out)
{
  if (asks_for (list->x, "organizations"))
    sideload_organizations (list, rows, G_STRUCT_OFFSET (EmuUser, organization), out);
}

static void
sideload_metrics (const EmuList *list, const GPtrArray *rows, GString *out)
{
  g_string_append (out, ",\"metric_sets\":[");
  for (guint i = 0; i < rows->len; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      emu_metrics_write (list->x->emu, rows->pdata[i], out);
    }
  g_string_append_c (out, ']');
}

static void
sideload_reference (const EmuList *list, const GPtrArray *rows, EmuKind kind, gsize offset,
                    GString *out)
{
  g_autoptr (EmuIds) ids = emu_ids_new ();
  gboolean first = TRUE;

  for (guint i = 0; i < rows->len; i++)
    emu_ids_add (ids, G_STRUCT_MEMBER (gint64, rows->pdata[i], offset));
  g_string_append_printf (out, ",\"%s\":[", emu_kind_get_plural (kind));
  for (guint i = 0; i < ids->ids->len; i++)
    {
      json_object *row
          = emu_reference_find (list->x->emu->reference, kind, g_array_index (ids->ids, gint64, i));

      if (row == NULL)
        continue;
      g_string_append (out, first ? "" : ",");
      first = FALSE;
      emu_reference_write (kind, row, list->x->emu->base_url, out);
    }
  g_string_append_c (out, ']');
}

void
emu_sideload_tickets (const EmuList *list, const GPtrArray *rows, GString *out)
{
  if (asks_for (list->x, "users"))
    sideload_users (list, rows, out);
  if (asks_for (list->x, "organizations"))
    sideload_organizations (list, rows, G_STRUCT_OFFSET (EmuTicket, organization), out);
  if (asks_for (list->x, "groups"))
    sideload_reference (list, rows, EMU_GROUPS, G_STRUCT_OFFSET (EmuTicket, group), out);
  if (asks_for (list->x, "custom_statuses"))
    sideload_reference (list, rows, EMU_CUSTOM_STATUSES, G_STRUCT_OFFSET (EmuTicket, custom_status),
                        out);
  if (asks_for (list->x, "metric_sets"))
    sideload_metrics (list, rows, out);
}

void
emu_sideload_write_ticket (EmuExchange *x, const EmuTicket *ticket, GString *out)
{
  emu_ticket_write (ticket, x->emu->fields, x->emu->base_url, FALSE, out);
  if (!asks_for (x, "comment_count"))
    return;
  g_string_truncate (out, out->len - 1); /* the brace */
  g_string_append_printf (out, ",\"comment_count\":%u}", ticket->comments->len);
}
