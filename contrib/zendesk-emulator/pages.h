/* pages.h: a list as the service answers it, by offset and by cursor
 *
 * A list is a row of places, each of which may be empty: a deleted ticket's, or that of a change
 * which a later one has replaced.  A cursor names a place, so it stays good whatever happens to
 * the rows around it.
 */
#pragma once
#include "exchange.h"

#define EMU_MAX_PAGE 100

typedef struct EmuList EmuList;

struct EmuList
{
  EmuExchange *x;
  const char *name;  /* of the member that holds the rows */
  const char *order; /* as cursors spell it */
  guint n_places;
  guint n_rows; /* without the empty places */
  gboolean descending;
  gpointer data;
  gpointer (*get) (const EmuList *list, guint place); /* NULL: an empty place */
  void (*write) (const EmuList *list, gpointer row, GString *out);
  /* (nullable): adds what include= asks for, each member with a comma before it */
  void (*sideload) (const EmuList *list, const GPtrArray *rows, GString *out);
  char *more; /* parameters that links repeat, each ending in & */
};

/* (nullable) (unowned): a parameter of the request */
const char *emu_query (EmuExchange *x, const char *name);

/* A number of the query between @least and @most; @fallback when there is none. */
gint64 emu_query_number (EmuExchange *x, const char *name, gint64 fallback, gint64 least,
                         gint64 most);

/* Whether the list of words at @name, with commas between them, has @word. */
gboolean emu_query_has (EmuExchange *x, const char *name, const char *word);

/* (transfer full): "a=b&c=d&", for those of @names (up to NULL) that the request has. */
char *emu_query_dup (EmuExchange *x, const char *const *names);

/* Answers with the page that the request asks for. */
void emu_list_answer (const EmuList *list);

/* {"name":[rows] and what is loaded beside them, still open. */
void emu_list_write_rows (const EmuList *list, const GPtrArray *rows, GString *out);

/* For lists that are answered whole: the rest of the object. */
void emu_list_write_whole (guint n_rows, GString *out);
