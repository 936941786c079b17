/* newcomers.c: two requests at once that would both make a user of the same address */
#include "newcomers.h"

/* (nullable) (transfer full): the address, folded, of which there is no user yet */
static char *
find_newcomer (const EmuExchange *x)
{
  static const struct
  {
    const char *route, *record, *person; /* person: NULL: the record itself */
  } rows[] = {
    { "tickets", "ticket", "requester" },
    { "imports/tickets", "ticket", "requester" },
    { "users", "user", NULL },
    { "users/create_or_update", "user", NULL },
  };

  if (!g_str_equal (x->method, "POST"))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      json_object *record = emu_json_get (x->json, rows[i].record);
      json_object *person = rows[i].person != NULL ? emu_json_get (record, rows[i].person) : record;
      g_autofree char *email = NULL;

      if (!g_str_equal (rows[i].route, x->route))
        continue;
      email = emu_json_dup_text (emu_json_get (person, "email"));
      return email != NULL && emu_users_find (x->emu->users, email) == NULL ? emu_fold (email)
                                                                            : NULL;
    }
  return NULL;
}

static void
refuse (EmuExchange *x, const char *email)
{
  g_autoptr (GString) details = NULL;
  g_autofree char *text = NULL;

  switch (x->emu->config.requester_race)
    {
    case EMU_RACE_COLLISION:
      emu_answer_set (&x->answer, 409, EMU_TYPE_TEXT, "conflict",
                      "Requester creation collision - please try again");
      break;
    case EMU_RACE_INVALID:
      details = g_string_new ("\"email\":[{\"description\":");
      text = g_strdup_printf ("Email: %s is already being used by another user", email);
      emu_json_add_text (details, text);
      g_string_append (details, ",\"error\":\"DuplicateValue\"}]");
      emu_answer_invalid (&x->answer, details->str);
      break;
    default:
      emu_answer_error (&x->answer, 409, "DatabaseConflict", "Database collision");
      break;
    }
}

void
emu_newcomers_enter (EmuExchange *x)
{
  GHashTable *at_work = x->emu->newcomers;
  g_autofree char *email = NULL;

  if (x->emu->config.requester_race == EMU_RACE_OFF || x->answer.status != 0)
    return;
  email = find_newcomer (x);
  if (email == NULL)
    return;
  if (g_hash_table_contains (at_work, email))
    {
      refuse (x, email);
      return;
    }
  x->newcomer = g_steal_pointer (&email);
  g_hash_table_add (at_work, g_strdup (x->newcomer));
}

void
emu_newcomers_leave (EmuExchange *x)
{
  if (x->newcomer != NULL && x->generation == x->emu->generation)
    g_hash_table_remove (x->emu->newcomers, x->newcomer);
  g_clear_pointer (&x->newcomer, g_free);
}
