/* search.c: finding records by what is in them, a while after they came
 *
 * A search looks at every record as the service would show it.  That is slow where there are many,
 * but knows of no record more than a client does.
 */
#include "people-api.h"
#include "search-query.h"
#include "sideload.h"

#include <string.h>

#define MAX_RESULTS 1000 /* that a search gives out, however many there are */
#define MAX_EXPORTED 1000
#define CURSOR_LIFE 3600 /* seconds */

typedef struct
{
  EmuFound found;
  gpointer row;   /* (unowned) */
  gint64 id, key; /* what it is sorted by */
} Match;

/* --- the records --- */

static guint
count_records (const Emulator *emu, EmuFound found)
{
  switch (found)
    {
    case EMU_FOUND_TICKET:
      return emu->tickets->all->len;
    case EMU_FOUND_USER:
      return emu->users->all->len;
    case EMU_FOUND_ORGANIZATION:
      return emu->organizations->all->len;
    default:
      return emu->reference->rows[EMU_GROUPS]->len;
    }
}

/* (nullable): the record, if a search may find it by now */
static gpointer
get_record (const Emulator *emu, EmuFound found, guint i)
{
  gint64 lag = emu->config.search_lag;

  if (found == EMU_FOUND_TICKET)
    {
      EmuTicket *ticket = emu->tickets->all->pdata[i];

      return !ticket->deleted && emu_is_known (emu, ticket->arrived, lag) ? ticket : NULL;
    }
  if (found == EMU_FOUND_USER)
    {
      EmuUser *user = emu->users->all->pdata[i];

      return user->active && emu_is_known (emu, user->created, lag) ? user : NULL;
    }
  if (found == EMU_FOUND_ORGANIZATION)
    {
      EmuOrganization *organization = emu->organizations->all->pdata[i];

      return organization != NULL && emu_is_known (emu, organization->created, lag) ? organization
                                                                                    : NULL;
    }
  return emu->reference->rows[EMU_GROUPS]->pdata[i];
}

static void
write_record (EmuExchange *x, EmuFound found, gpointer row, GString *out)
{
  EmuList list = { .x = x };

  switch (found)
    {
    case EMU_FOUND_TICKET:
      emu_sideload_write_ticket (x, row, out);
      break;
    case EMU_FOUND_USER:
      emu_write_user_row (&list, row, out);
      break;
    case EMU_FOUND_ORGANIZATION:
      emu_write_organization_row (&list, row, out);
      break;
    default:
      emu_reference_write (EMU_GROUPS, row, x->emu->base_url, out);
    }
}

/* --- searching --- */

/* What the results are sorted by; a search that does not say gives the newest first. */
static gint64
get_key (json_object *record, const char *sort_by)
{
  gint64 time = 0;
  const char *text;

  if (g_strcmp0 (sort_by, "updated_at") == 0)
    emu_json_get_time (emu_json_get (record, "updated_at"), &time);
  else if (g_strcmp0 (sort_by, "status") == 0 || g_strcmp0 (sort_by, "priority") == 0)
    {
      const char *const *choices = g_str_equal (sort_by, "status") ? emu_statuses : emu_priorities;

      text = json_object_get_string (emu_json_get (record, sort_by));
      for (gint i = 1; text != NULL && choices[i] != NULL; i++)
        if (g_str_equal (choices[i], text))
          time = i;
    }
  else
    emu_json_get_time (emu_json_get (record, "created_at"), &time);
  return time;
}

static gint
compare_matches (gconstpointer a, gconstpointer b)
{
  const Match *one = a, *other = b;

  if (one->key != other->key)
    return one->key < other->key ? -1 : 1;
  return one->id < other->id ? -1 : one->id > other->id;
}

static void
find (EmuExchange *x, const GPtrArray *terms, EmuFound found, const char *sort_by, GArray *matches)
{
  Emulator *emu = x->emu;
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < count_records (emu, found); i++)
    {
      Match match = { found, get_record (emu, found, i), 0, 0 };

      if (match.row == NULL)
        continue;
      g_string_truncate (text, 0);
      write_record (x, found, match.row, text);
      g_autoptr (json_object) record = emu_json_parse (text->str, text->len, EMU_JSON_DEPTH);
      if (!emu_search_matches (terms, found, record, emu))
        continue;
      match.id = json_object_get_int64 (emu_json_get (record, "id"));
      match.key = get_key (record, sort_by);
      g_array_append_val (matches, match);
    }
}

/* (transfer full) (nullable): what the query asks for, sorted; NULL with an answer.  @only: a type
 * that alone is looked at, or EMU_N_FOUND */
static GArray *
search (EmuExchange *x, EmuFound only, const char *sort_by)
{
  const char *query = emu_query (x, "query");
  g_autofree char *reason = NULL;
  g_autoptr (GPtrArray) terms = emu_search_parse (query != NULL ? query : "", &reason);
  GArray *matches;

  if (terms == NULL)
    {
      g_autofree char *description = g_strdup_printf ("Invalid search: %s", reason);

      emu_answer_error (&x->answer, 422, "invalid", description);
      return NULL;
    }
  matches = g_array_new (FALSE, FALSE, sizeof (Match));
  for (guint found = 0; found < EMU_N_FOUND; found++)
    if ((only == EMU_N_FOUND || only == found) && emu_search_wants (terms, found))
      find (x, terms, found, sort_by, matches);
  g_array_sort (matches, compare_matches);
  return matches;
}

/* {"results":[…] with the @n results from @first on; @step: -1 goes backwards */
static void
write_results (EmuExchange *x, const GArray *matches, guint first, guint n, gint step, GString *out)
{
  g_autoptr (GPtrArray) tickets = g_ptr_array_new ();

  g_string_append (out, "{\"results\":[");
  for (guint i = 0; i < n; i++)
    {
      const Match *match = &g_array_index (matches, Match, first + (guint)((gint)i * step));

      g_string_append (out, i > 0 ? "," : "");
      if (match->found == EMU_FOUND_TICKET)
        g_ptr_array_add (tickets, match->row);
      write_record (x, match->found, match->row, out);
      g_string_truncate (out, out->len - 1); /* the brace */
      g_string_append_printf (out, ",\"result_type\":\"%s\"}", emu_found_get_name (match->found));
    }
  g_string_append (out, "],\"facets\":null");
  emu_sideload_tickets (&(EmuList){ .x = x }, tickets, out);
}

/* ,"name":"…?page=N" or null */
static void
write_link (EmuExchange *x, const char *name, gint64 page, gint64 size, GString *out)
{
  static const char *const repeated[] = { "query", "sort_by", "sort_order", "include", NULL };
  g_autofree char *parameters = emu_query_dup (x, repeated);

  if (page == 0)
    g_string_append_printf (out, ",\"%s\":null", name);
  else
    g_string_append_printf (
        out, ",\"%s\":\"%s%s?%spage=%" G_GINT64_FORMAT "&per_page=%" G_GINT64_FORMAT "\"", name,
        x->emu->base_url, x->path, parameters, page, size);
}

static void
search_records (EmuExchange *x)
{
  gint64 page = emu_query_number (x, "page", 1, 1, G_MAXINT32);
  gint64 size = emu_query_number (x, "per_page", EMU_MAX_PAGE, 1, EMU_MAX_PAGE);
  gboolean ascending = g_strcmp0 (emu_query (x, "sort_order"), "asc") == 0;
  gint64 skip = (page - 1) * size, n;

  if (emu_query (x, "page[size]") != NULL)
    {
      emu_answer_bad_attribute (
          &x->answer, "You passed an invalid value for the page attribute. must be an integer");
      return;
    }
  if (skip + size > MAX_RESULTS)
    {
      emu_answer_error (&x->answer, 422, "invalid",
                        "Invalid search: Requested response size was greater than Search "
                        "Response Limits");
      return;
    }
  g_autoptr (GArray) matches = search (x, EMU_N_FOUND, emu_query (x, "sort_by"));
  if (matches == NULL)
    return;
  n = CLAMP ((gint64)matches->len - skip, 0, size);
  GString *out = emu_answer_begin (&x->answer, 200, "searched");
  write_results (x, matches, (guint)(ascending ? skip : (gint64)matches->len - 1 - skip), (guint)n,
                 ascending ? 1 : -1, out);
  /* It may well lead past the limit. */
  write_link (x, "next_page", page * size < matches->len ? page + 1 : 0, size, out);
  write_link (x, "previous_page", page - 1, size, out);
  g_string_append_printf (out, ",\"count\":%u}", matches->len);
}

static void
count_results (EmuExchange *x)
{
  g_autoptr (GArray) matches = search (x, EMU_N_FOUND, NULL);

  if (matches != NULL)
    g_string_append_printf (emu_answer_begin (&x->answer, 200, "searched"), "{\"count\":%u}",
                            matches->len);
}

/* --- exporting --- */

/* A cursor tells what came last, and when it was given out. */
static char *
make_cursor (const Match *match, gint64 now)
{
  g_autofree char *text = g_strdup_printf ("{\"at\":%" G_GINT64_FORMAT ",\"key\":%" G_GINT64_FORMAT
                                           ",\"id\":%" G_GINT64_FORMAT "}",
                                           now, match->key, match->id);

  return g_base64_encode ((guchar *)text, strlen (text));
}

/* FALSE for a cursor that is none, or has become too old. */
static gboolean
read_cursor (const char *cursor, gint64 now, Match *ret_last)
{
  gsize length;
  g_autofree guchar *text = g_base64_decode (cursor, &length);
  g_autoptr (json_object) value = emu_json_parse ((char *)text, length, EMU_JSON_DEPTH);
  gint64 at;

  return emu_json_get_id (emu_json_get (value, "at"), &at)
         && emu_json_get_id (emu_json_get (value, "key"), &ret_last->key)
         && emu_json_get_id (emu_json_get (value, "id"), &ret_last->id) && at + CURSOR_LIFE >= now;
}

static EmuFound
find_type (const char *name)
{
  EmuFound found = 0;

  while (found < EMU_N_FOUND && g_strcmp0 (name, emu_found_get_name (found)) != 0)
    found++;
  return found;
}

static void
answer_export (EmuExchange *x, const GArray *matches, guint first, guint n, gint64 size)
{
  static const char *const repeated[] = { "query", "filter[type]", NULL };
  g_autofree char *parameters = emu_query_dup (x, repeated);
  g_autofree char *cursor = n > 0 ? make_cursor (&g_array_index (matches, Match, first + n - 1),
                                                 emu_clock_seconds (&x->emu->clock))
                                  : NULL;
  g_autofree char *escaped = cursor != NULL ? g_uri_escape_string (cursor, NULL, FALSE) : NULL;
  GString *out = emu_answer_begin (&x->answer, 200, "searched");

  write_results (x, matches, first, n, 1, out);
  g_string_append_printf (out, ",\"meta\":{\"has_more\":%s,\"after_cursor\":",
                          first + n < matches->len ? "true" : "false");
  emu_json_add_text (out, cursor);
  g_string_append (out, ",\"before_cursor\":null},\"links\":{\"prev\":null,\"next\":");
  if (cursor == NULL)
    g_string_append (out, "null}}");
  else
    g_string_append_printf (
        out, "\"%s%s?%spage%%5Bsize%%5D=%" G_GINT64_FORMAT "&page%%5Bafter%%5D=%s\"}}",
        x->emu->base_url, x->path, parameters, size, escaped);
}

static void
export_results (EmuExchange *x)
{
  EmuFound found = find_type (emu_query (x, "filter[type]"));
  gint64 size = emu_query_number (x, "page[size]", EMU_MAX_PAGE, 1, MAX_EXPORTED);
  const char *after = emu_query (x, "page[after]");
  Match last = { .key = G_MININT64 };
  guint first = 0;

  if (found == EMU_N_FOUND)
    {
      emu_answer_error (&x->answer, 422, "invalid",
                        "Invalid search: filter[type] is one of ticket, user, organization, group");
      return;
    }
  if (after != NULL && !read_cursor (after, emu_clock_seconds (&x->emu->clock), &last))
    {
      emu_answer_bad_page (&x->answer, "InvalidPaginationParameter",
                           "Cursor is not valid, or expired");
      return;
    }
  g_autoptr (GArray) matches = search (x, found, NULL);
  if (matches == NULL)
    return;
  while (first < matches->len
         && compare_matches (&g_array_index (matches, Match, first), &last) <= 0)
    first++;
  answer_export (x, matches, first, (guint)MIN (size, (gint64)(matches->len - first)), size);
}

const EmuRoute emu_search_routes[] = {
  { "GET", "search", search_records, EMU_BUCKET_SEARCH },
  { "GET", "search/count", count_results },
  { "GET", "search/export", export_results, EMU_BUCKET_SEARCH_EXPORT },
  { 0 },
};
