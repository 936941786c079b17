/* zone-file.h: one zone of the tz database */
#pragma once
#include <glib.h>

typedef struct _TallyZoneFile TallyZoneFile;

/* Reads a file of the database (RFC 8536, version 2 and later); NULL if it is none. */
TallyZoneFile *tally_zone_file_new (const char *bytes, gsize length);
void tally_zone_file_free (TallyZoneFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyZoneFile, tally_zone_file_free)

/* Seconds east of Greenwich at a Unix time; ret_abbreviation: (out) (optional): its name then, as
 * long as file lives. */
gint tally_zone_file_offset (const TallyZoneFile *file, gint64 time, const char **ret_abbreviation);
