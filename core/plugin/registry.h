/* registry.h: finds and loads plugins
 *
 * Shared objects named NAME.so in TALLYMAN_PLUGIN_PATH (colon-separated, absolute), then in the installed folder;
 * RTLD_NOW, local binding, never from the working directory.
 */
#pragma once
#include <tallyman/plugin.h>

typedef struct _TallyRegistry TallyRegistry;

TallyRegistry *tally_registry_new (void);
void tally_registry_free (TallyRegistry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyRegistry, tally_registry_free)

/* Fails with TALLY_ERROR_USAGE; the message names the nearest known plugin.  The descriptor is a copy of
 * the plugin's, filled up with zeros where the plugin is older than this library, and lives as long as the registry. */
const TallyPlugin *tally_registry_find (TallyRegistry *registry, TallyKind kind, const char *name, GError **error);
/* Why the shared object that a plugin of this name should be in does not load, or NULL. */
const char *tally_registry_complaint (TallyRegistry *registry, const char *name);
/* The plugin of that kind that was most likely meant, or NULL. */
const char *tally_registry_nearest (TallyRegistry *registry, TallyKind kind, const char *name);
/* (transfer container) (element-type TallyPlugin) all that can be found, by kind and name; ones that do not load are reported by
 * warnings (transfer full) (element-type utf8). */
GPtrArray *tally_registry_list (TallyRegistry *registry, GPtrArray **ret_warnings);
/* The file that a plugin came from. */
const char *tally_registry_path (TallyRegistry *registry, const TallyPlugin *plugin);
