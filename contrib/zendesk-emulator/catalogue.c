/* catalogue.c: what an account has, for who asks before a migration */
#include "catalogue.h"

#include "pages.h"

#include <string.h>

static void
write_row (const EmuList *list, gpointer row, GString *out)
{
  emu_reference_write (emu_kind_find (list->name), row, list->x->emu->base_url, out);
}

static gpointer
get_row (const EmuList *list, guint place)
{
  return ((GPtrArray *)list->data)->pdata[place];
}

static void
list_rows (EmuExchange *x, EmuKind kind, GPtrArray *rows)
{
  EmuList list = { .x = x,
                   .name = emu_kind_get_plural (kind),
                   .order = "id",
                   .data = rows,
                   .n_places = rows->len,
                   .n_rows = rows->len,
                   .get = get_row,
                   .write = write_row,
                   .more = (char *)"" };

  emu_list_answer (&list);
}

/* The rows of @kind in which @name is @id. */
static GPtrArray *
choose (const EmuExchange *x, EmuKind kind, const char *name, gint64 id)
{
  const GPtrArray *rows = x->emu->reference->rows[kind];
  GPtrArray *chosen = g_ptr_array_new ();

  for (guint i = 0; i < rows->len; i++)
    if (json_object_get_int64 (emu_json_get (rows->pdata[i], name)) == id)
      g_ptr_array_add (chosen, rows->pdata[i]);
  return chosen;
}

/* The routes of the table name a kind in their first word. */
static EmuKind
get_kind (const EmuExchange *x)
{
  g_autofree char *word = g_strndup (x->route, strcspn (x->route, "/"));

  return emu_kind_find (word);
}

void
emu_list_reference (EmuExchange *x)
{
  EmuKind kind = get_kind (x);

  list_rows (x, kind, x->emu->reference->rows[kind]);
}

static void
show_row (EmuExchange *x, EmuKind kind, json_object *row)
{
  GString *out;

  if (row == NULL)
    {
      emu_answer_not_found (&x->answer);
      return;
    }
  out = emu_answer_begin (&x->answer, 200, "shown");
  g_string_append_printf (out, "{\"%s\":", emu_kind_get_singular (kind));
  emu_reference_write (kind, row, x->emu->base_url, out);
  g_string_append_c (out, '}');
}

void
emu_show_reference (EmuExchange *x)
{
  EmuKind kind = get_kind (x);

  show_row (x, kind, emu_reference_find (x->emu->reference, kind, x->id));
}

void
emu_list_assignable_groups (EmuExchange *x)
{
  g_autoptr (GPtrArray) groups = choose (x, EMU_GROUPS, "deleted", FALSE);

  list_rows (x, EMU_GROUPS, groups);
}

void
emu_list_memberships_of_user (EmuExchange *x)
{
  g_autoptr (GPtrArray) rows = choose (x, EMU_GROUP_MEMBERSHIPS, "user_id", x->id);

  list_rows (x, EMU_GROUP_MEMBERSHIPS, rows);
}

void
emu_list_memberships_of_group (EmuExchange *x)
{
  g_autoptr (GPtrArray) rows = choose (x, EMU_GROUP_MEMBERSHIPS, "group_id", x->id);

  list_rows (x, EMU_GROUP_MEMBERSHIPS, rows);
}

void
emu_list_groups_of_user (EmuExchange *x)
{
  g_autoptr (GPtrArray) memberships = choose (x, EMU_GROUP_MEMBERSHIPS, "user_id", x->id);
  g_autoptr (GPtrArray) groups = g_ptr_array_new ();

  for (guint i = 0; i < memberships->len; i++)
    g_ptr_array_add (groups, emu_reference_find (x->emu->reference, EMU_GROUPS,
                                                 json_object_get_int64 (emu_json_get (
                                                     memberships->pdata[i], "group_id"))));
  list_rows (x, EMU_GROUPS, groups);
}

void
emu_show_current_locale (EmuExchange *x)
{
  show_row (x, EMU_LOCALES, emu_reference_find_default (x->emu->reference, EMU_LOCALES));
}

void
emu_show_settings (EmuExchange *x)
{
  g_string_append_printf (
      emu_answer_begin (&x->answer, 200, "shown"), "{\"settings\":%s}",
      json_object_to_json_string_ext (x->emu->reference->settings,
                                      JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}
