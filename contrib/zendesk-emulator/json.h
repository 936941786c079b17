/* json.h: reading JSON that a stranger sent, within limits, and writing our own
 *
 * json-c reads.  Writing goes straight into a GString, because an answer is made for every
 * request and a tree of objects would cost more than all the rest of the work.
 */
#pragma once
#include <glib.h>
#include <json-c/json.h>

#define EMU_JSON_DEPTH 32 /* deepest nesting that a request may have */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

/**
 * emu_json_parse:
 * @text: bytes, not necessarily terminated
 * @length: how many
 *
 * @depth: deepest nesting that is read
 *
 * Reads one strict JSON value that fills @text.  Values nested deeper than @depth, text that is
 * not UTF-8 and anything after the value are refused.
 *
 * Returns: (transfer full) (nullable): the value; %NULL when @text is none
 */
json_object *emu_json_parse (const char *text, gsize length, int depth);

/* The member @name of @object, or NULL if it is not there, is null, or @object is no object. */
json_object *emu_json_get (json_object *object, const char *name);

/* Any scalar as text (nullable) (transfer full), without the zero bytes it may hold. */
char *emu_json_dup_text (json_object *value);

/* Tags, in lower case and each once (transfer full).  They come as a list or as one text; blanks
 * and commas separate in both. */
GStrv emu_json_dup_tags (json_object *value);

/* A whole number, given as such or as text.  FALSE, and @ret_number untouched, otherwise. */
gboolean emu_json_get_id (json_object *value, gint64 *ret_number);

/* A time in ISO 8601 as Unix seconds. */
gboolean emu_json_get_time (json_object *value, gint64 *ret_seconds);

/**
 * emu_json_canonical:
 *
 * Writes @value with the members of every object sorted, so that two texts which mean the same
 * come out the same.
 */
void emu_json_canonical (GString *out, json_object *value);

/* Writers.  @text may be NULL: then null is written.  An @id or @time of 0 is null as well, but a
 * moment of 0 is the first second of 1970. */
void emu_json_add_text (GString *out, const char *text);
void emu_json_add_tags (GString *out, GStrv tags); /* NULL: none */
void emu_json_add_number (GString *out, gint64 number);
void emu_json_add_id (GString *out, gint64 id);
void emu_json_add_time (GString *out, gint64 seconds);
void emu_json_add_moment (GString *out, gint64 seconds);

/* Writes the ISO 8601 form of @seconds ("2023-09-18T23:25:58Z") into @buffer. */
#define EMU_TIME_SIZE 32
void emu_time_format (gint64 seconds, char buffer[EMU_TIME_SIZE]);
