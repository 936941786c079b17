/* inline.c: images that stand in a text */
#include "inline.h"

#include <string.h>

/* Whether value is one of the names of an image; & may stand as &amp; in it. */
static gboolean
is_called (const char *value, gsize length, const char *prefix, const char *name)
{
  g_autofree char *raw = name != NULL ? g_strconcat (prefix, name, NULL) : NULL;
  g_autofree char *escaped = raw != NULL ? g_markup_escape_text (raw, -1) : NULL;

  return raw != NULL && ((strlen (raw) == length && strncmp (raw, value, length) == 0)
                         || (strlen (escaped) == length && strncmp (escaped, value, length) == 0));
}

static const ZendeskInline *
find_image (const char *value, gsize length, const ZendeskInline *images, guint n_images)
{
  for (guint i = 0; i < n_images; i++)
    if (is_called (value, length, "cid:", images[i].cid) || is_called (value, length, "cid:", images[i].name)
        || is_called (value, length, "", images[i].path) || is_called (value, length, "", images[i].name))
      return &images[i];
  return NULL;
}

/* Behind `src=` and its quote, or NULL. */
static const char *
find_source (const char *html)
{
  for (; *html != '\0'; html++)
    if (g_ascii_strncasecmp (html, "src", 3) == 0)
      {
        const char *p = html + 3;

        while (g_ascii_isspace (*p))
          p++;
        if (*p++ != '=')
          continue;
        while (g_ascii_isspace (*p))
          p++;
        if (*p == '"' || *p == '\'')
          return p + 1;
      }
  return NULL;
}

char *
zendesk_inline_replace (const char *html, const ZendeskInline *images, guint n_images)
{
  GString *out = g_string_new (NULL);
  const char *value;

  while ((value = find_source (html)) != NULL)
    {
      char quote[] = { value[-1], '\0' };
      gsize length = strcspn (value, quote);
      const ZendeskInline *image = find_image (value, length, images, n_images);

      g_string_append_len (out, html, value - html);
      if (image != NULL)
        {
          g_autofree char *url = g_markup_escape_text (image->url, -1);

          g_string_append (out, url);
        }
      else
        g_string_append_len (out, value, (gssize) length);
      html = value + length;
    }
  g_string_append (out, html);
  return g_string_free (out, FALSE);
}
