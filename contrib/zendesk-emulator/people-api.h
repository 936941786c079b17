/* people-api.h: what the endpoints of users, organizations and jobs have in common */
#pragma once
#include "api.h"
#include "deeds.h"
#include "pages.h"

typedef void (*EmuRowWriter) (const EmuList *list, gpointer row, GString *out);

/* A deed that the request asks for now; its wish is the member @name of the body (nullable). */
EmuDeed emu_begin_deed (EmuExchange *x, EmuDeedKind kind, const char *name);

/* Does @deed and answers: with the record under @name as @write writes it, or with what was wrong.
 * @route: where the address of a new record points to */
void emu_answer_deed (EmuExchange *x, const EmuDeed *deed, const char *name, const char *route,
                      EmuRowWriter write);

/* {"name":{…}} */
void emu_answer_record (EmuExchange *x, const char *name, gpointer record, EmuRowWriter write);

/* {"names":[…],"next_page":null,…}; @rows: as they are */
void emu_answer_rows (EmuExchange *x, const char *names, const GPtrArray *rows, EmuRowWriter write);

/* One page of @rows. */
void emu_answer_pages (EmuExchange *x, const char *names, GPtrArray *rows, EmuRowWriter write);

/* {"count":{"value":N,…}} */
void emu_answer_count (EmuExchange *x, guint n);

/* The words of a parameter such as ids=1,2 (transfer full); NULL, with an answer, when they are
 * more than 100. */
GStrv emu_query_words (EmuExchange *x, const char *name);

/* The fields that records of a kind have, and one of them. */
void emu_answer_fields (EmuExchange *x, const EmuFields *fields, const char *route);
void emu_answer_field (EmuExchange *x, const EmuFields *fields, const char *route,
                       const char *name);

/* Whether what was created at @created is known after @lag seconds. */
gboolean emu_is_known (const Emulator *emu, gint64 created, gint64 lag);

/* Who is asked for by /users/me without credentials. */
void emu_show_nobody (EmuExchange *x);

/* Rows of lists. */
void emu_write_user_row (const EmuList *list, gpointer row, GString *out);
void emu_write_organization_row (const EmuList *list, gpointer row, GString *out);
void emu_write_membership_row (const EmuList *list, gpointer row, GString *out);
