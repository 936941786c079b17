/* number-template.c: numbers written and read by a template
 *
 * A template is cut into nodes, which are counted: digits before and after the point, where the
 * zeros start, where the sign stands.  Writing first makes the number's digits, as many as the
 * template has after the point, and then walks over the nodes with a cursor on these digits.  A
 * number that has more digits before the point than the template becomes #.  Reading walks over the
 * nodes and the text together and collects digits, which are then read as a numeric.  Where
 * PostgreSQL's results are odd (a text that ends where the digits did, a blank for a zero before
 * the point), they are so here.
 */
#include "number-template.h"
#include "numeric.h"
#include "value-private.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any that is meant; it also bounds what is written. */
#define MAX_TEMPLATE 300
#define MAX_ROMAN 3999
#define ROMAN_WIDTH 15

typedef enum
{
  PATTERN_TEXT, /* no pattern: what stands there */
  PATTERN_GROUP,
  PATTERN_POINT,
  PATTERN_ZERO,
  PATTERN_NINE,
  PATTERN_BLANK,
  PATTERN_EXPONENT,
  PATTERN_FILL,
  PATTERN_CURRENCY,
  PATTERN_MINUS,
  PATTERN_PLUS,
  PATTERN_BRACKETS,
  PATTERN_ROMAN,
  PATTERN_LOWER_ROMAN,
  PATTERN_SIGN,
  PATTERN_ANCHORED_SIGN,
  PATTERN_SHIFT,
  PATTERN_ORDINAL,
  PATTERN_LOWER_ORDINAL,
  PATTERN_NOTHING,
} Pattern;

/* Of two that begin alike the longer is first. */
static const struct
{
  const char *word;
  Pattern pattern;
  gboolean any_case;
} words[] = {
  { ",", PATTERN_GROUP, TRUE },
  { ".", PATTERN_POINT, TRUE },
  { "0", PATTERN_ZERO, TRUE },
  { "9", PATTERN_NINE, TRUE },
  { "B", PATTERN_BLANK, TRUE },
  { "C", PATTERN_NOTHING, TRUE },
  { "D", PATTERN_POINT, TRUE },
  { "EEEE", PATTERN_EXPONENT, TRUE },
  { "FM", PATTERN_FILL, TRUE },
  { "G", PATTERN_GROUP, TRUE },
  { "L", PATTERN_CURRENCY, TRUE },
  { "MI", PATTERN_MINUS, TRUE },
  { "PL", PATTERN_PLUS, TRUE },
  { "PR", PATTERN_BRACKETS, TRUE },
  { "RN", PATTERN_ROMAN, FALSE },
  { "rn", PATTERN_LOWER_ROMAN, FALSE },
  { "SG", PATTERN_SIGN, TRUE },
  { "SP", PATTERN_NOTHING, TRUE },
  { "S", PATTERN_ANCHORED_SIGN, TRUE },
  { "TH", PATTERN_ORDINAL, FALSE },
  { "th", PATTERN_LOWER_ORDINAL, FALSE },
  { "V", PATTERN_SHIFT, TRUE },
};

typedef struct
{
  Pattern pattern;
  const char *text; /* PATTERN_TEXT: one character */
  gsize length;
} Node;

typedef enum
{
  ANCHOR_NONE,
  ANCHOR_BEFORE,
  ANCHOR_AFTER,
} Anchor;

struct _TallyNumberTemplate
{
  char *format; /* (owned) the nodes' texts are views of it */
  Node *nodes;  /* (owned) */
  guint n;

  gint before, after, shift; /* digits: before the point, after it, after V */
  gboolean has_point, has_zero, has_shift, has_exponent, has_fill, has_blank;
  gboolean has_plus, has_minus, has_brackets, has_roman;
  gint first_zero, zeros_end; /* first_zero: from 0, if has_zero */
  Anchor anchor;
  gint anchor_before; /* digits before an S that stands before the point */
};

/* Cutting a template. */

static gboolean
throw_format (GError **error, const char *message)
{
  return tally_throw (error, TALLY_ERROR_DATA, "%s", message);
}

static gboolean
template_count_digit (TallyNumberTemplate *template, gboolean is_zero, GError **error)
{
  if (template->has_brackets)
    return throw_format (error, is_zero ? "\"0\" must be ahead of \"PR\""
                                        : "\"9\" must be ahead of \"PR\"");
  if (!is_zero && template->has_shift)
    {
      template->shift++;
      return TRUE;
    }

  if (is_zero && !template->has_zero && !template->has_point)
    {
      template->has_zero = TRUE;
      template->first_zero = template->before;
    }
  if (template->has_point)
    template->after++;
  else
    template->before++;
  if (is_zero)
    template->zeros_end = template->before + template->after;
  return TRUE;
}

static gboolean
template_add_point (TallyNumberTemplate *template, GError **error)
{
  if (template->has_point)
    return throw_format (error, "multiple decimal points");
  if (template->has_shift)
    return throw_format (error, "cannot use \"V\" and decimal point together");

  template->has_point = TRUE;
  return TRUE;
}

static gboolean
template_add_anchored_sign (TallyNumberTemplate *template, GError **error)
{
  if (template->anchor != ANCHOR_NONE)
    return throw_format (error, "cannot use \"S\" twice");
  if (template->has_plus || template->has_minus || template->has_brackets)
    return throw_format (error, "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");

  template->anchor = template->has_point ? ANCHOR_AFTER : ANCHOR_BEFORE;
  template->anchor_before = template->has_point ? 0 : template->before;
  return TRUE;
}

static gboolean
template_add_sign (TallyNumberTemplate *template, Pattern pattern, GError **error)
{
  const char *word = pattern == PATTERN_MINUS ? "MI" : pattern == PATTERN_PLUS ? "PL" : "SG";

  if (template->anchor != ANCHOR_NONE)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot use \"S\" and \"%s\" together", word);

  template->has_minus |= pattern != PATTERN_PLUS;
  template->has_plus |= pattern != PATTERN_MINUS;
  return TRUE;
}

static gboolean
template_add_brackets (TallyNumberTemplate *template, GError **error)
{
  if (template->anchor != ANCHOR_NONE || template->has_plus || template->has_minus)
    return throw_format (error, "cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");

  template->has_brackets = TRUE;
  return TRUE;
}

static gboolean
template_add_shift (TallyNumberTemplate *template, GError **error)
{
  if (template->has_point)
    return throw_format (error, "cannot use \"V\" and decimal point together");

  template->has_shift = TRUE;
  return TRUE;
}

static gboolean
template_add_exponent (TallyNumberTemplate *template, GError **error)
{
  if (template->has_blank || template->has_fill || template->anchor != ANCHOR_NONE
      || template->has_brackets || template->has_minus || template->has_plus || template->has_roman
      || template->has_shift)
    return throw_format (error, "\"EEEE\" is incompatible with other formats");

  template->has_exponent = TRUE;
  return TRUE;
}

static gboolean
template_add (TallyNumberTemplate *template, Pattern pattern, GError **error)
{
  if (template->has_exponent)
    return throw_format (error, pattern == PATTERN_EXPONENT
                                    ? "cannot use \"EEEE\" twice"
                                    : "\"EEEE\" must be the last pattern used");

  switch (pattern)
    {
    case PATTERN_ZERO:
    case PATTERN_NINE:
      return template_count_digit (template, pattern == PATTERN_ZERO, error);
    case PATTERN_POINT:
      return template_add_point (template, error);
    case PATTERN_ANCHORED_SIGN:
      return template_add_anchored_sign (template, error);
    case PATTERN_MINUS:
    case PATTERN_PLUS:
    case PATTERN_SIGN:
      return template_add_sign (template, pattern, error);
    case PATTERN_BRACKETS:
      return template_add_brackets (template, error);
    case PATTERN_SHIFT:
      return template_add_shift (template, error);
    case PATTERN_EXPONENT:
      return template_add_exponent (template, error);
    case PATTERN_BLANK:
      template->has_blank |= template->before == 0 && template->after == 0 && !template->has_zero;
      return TRUE;
    case PATTERN_FILL:
      template->has_fill = TRUE;
      return TRUE;
    case PATTERN_ROMAN:
    case PATTERN_LOWER_ROMAN:
      template->has_roman = TRUE;
      return TRUE;
    default:
      return TRUE;
    }
}

/* A word stands there in upper case, or all in lower case. */
static gboolean
starts_with_word (const char *at, gsize left, guint index)
{
  gsize length = strlen (words[index].word);
  gboolean lower = words[index].any_case;

  if (length > left)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    lower = lower && at[i] == g_ascii_tolower (words[index].word[i]);
  return lower || memcmp (at, words[index].word, length) == 0;
}

static gboolean
find_pattern (const char *at, gsize left, Pattern *ret_pattern, gsize *ret_length)
{
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (starts_with_word (at, left, i))
      {
        *ret_pattern = words[i].pattern;
        *ret_length = strlen (words[i].word);
        return TRUE;
      }

  return FALSE;
}

/* Also of a byte in the midst of a character, where it is 1. */
static gsize
character_length (const char *at, const char *end)
{
  guchar first = (guchar)*at;
  gsize length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

  return MIN (length, (gsize)(end - at));
}

static void
template_add_text (TallyNumberTemplate *template, const char **at, const char *end)
{
  Node *node = &template->nodes[template->n++];

  *node = (Node){ PATTERN_TEXT, *at, character_length (*at, end) };
  *at += node->length;
}

static void
template_add_quoted (TallyNumberTemplate *template, const char **at, const char *end)
{
  for ((*at)++; *at < end && **at != '"';)
    {
      if (**at == '\\' && *at + 1 < end)
        (*at)++;
      template_add_text (template, at, end);
    }
  if (*at < end)
    (*at)++;
}

static gboolean
template_cut (TallyNumberTemplate *template, const char *end, GError **error)
{
  const char *at = template->format;

  while (at < end)
    {
      Node *node = &template->nodes[template->n];

      if (find_pattern (at, (gsize)(end - at), &node->pattern, &node->length))
        {
          if (!template_add (template, node->pattern, error))
            return FALSE;
          at += node->length;
          template->n++;
        }
      else if (*at == '"')
        template_add_quoted (template, &at, end);
      else
        {
          if (*at == '\\' && at + 1 < end && at[1] == '"')
            at++;
          template_add_text (template, &at, end);
        }
    }

  return TRUE;
}

TallyNumberTemplate *
tally_number_template_new (TallyText format, GError **error)
{
  g_autoptr (TallyNumberTemplate) template = NULL;

  if (format.length > MAX_TEMPLATE)
    {
      tally_throw (error, TALLY_ERROR_LIMIT, "a template longer than %d bytes is not supported",
                   MAX_TEMPLATE);
      return NULL;
    }

  template = g_new0 (TallyNumberTemplate, 1);
  template->format = tally_text_dup (format);
  template->nodes = g_new (Node, format.length + 1);
  if (!template_cut (template, template->format + format.length, error))
    return NULL;

  return g_steal_pointer (&template);
}

void
tally_number_template_free (gpointer data)
{
  TallyNumberTemplate *template = data;

  if (template == NULL)
    return;

  g_free (template->format);
  g_free (template->nodes);
  g_free (template);
}

/* Writing. */

typedef struct
{
  const TallyNumberTemplate *template;
  gboolean has_brackets; /* those of the template, if they are needed */
  gboolean has_zero, has_point, is_roman;
  Anchor anchor;
  gint before, after;

  const char *number; /* digits and point, without the sign */
  const char *digit;  /* the next of number */
  const char *last;   /* (nullable) FM: the last that is to be written */
  gchar sign;         /* or NUL for Roman numbers */
  gboolean sign_done;
  gboolean in_number; /* a digit has just been written */
  gint n_blanks;      /* digits of the template that the number does not have */
  gint place, n_places;
  GString *out;
} Writer;

/* A zero alone before the point is a blank: 0.1 by 9.9. */
static gboolean
is_leading_zero (const Writer *writer)
{
  return !writer->has_zero && writer->digit == writer->number && *writer->number == '0'
         && writer->after != 0;
}

static gboolean
ends_at_point (const Writer *writer)
{
  return writer->last != NULL && *writer->last == '.';
}

static void
write_sign_before (Writer *writer)
{
  gboolean due = writer->place >= writer->n_blanks
                 || (writer->has_zero && writer->template->first_zero == writer->place);

  if (writer->sign_done || !due || (is_leading_zero (writer) && !ends_at_point (writer))
      || writer->anchor == ANCHOR_AFTER)
    return;

  if (writer->anchor == ANCHOR_BEFORE)
    g_string_append_c (writer->out, writer->sign);
  else if (writer->has_brackets)
    g_string_append_c (writer->out, writer->sign == '+' ? ' ' : '<');
  else if (writer->sign == '-')
    g_string_append_c (writer->out, '-');
  else if (!writer->template->has_fill)
    g_string_append_c (writer->out, ' ');
  writer->sign_done = TRUE;
}

static void
write_sign_after (Writer *writer)
{
  gint end = writer->n_places + (writer->n_blanks > 0) + writer->has_point;

  if (writer->last != NULL && writer->last == writer->digit)
    end = writer->place;
  if (writer->place + 1 != end)
    return;

  if (writer->sign_done && writer->has_brackets)
    g_string_append_c (writer->out, writer->sign == '+' ? ' ' : '>');
  else if (writer->anchor == ANCHOR_AFTER)
    g_string_append_c (writer->out, writer->sign);
}

static void
write_digit (Writer *writer, Pattern pattern)
{
  gboolean fill = writer->template->has_fill;

  if (*writer->digit == '.')
    {
      if (fill || !ends_at_point (writer))
        g_string_append_c (writer->out, '.');
    }
  else if (writer->last != NULL && writer->digit > writer->last && pattern != PATTERN_ZERO)
    ;
  else if (is_leading_zero (writer))
    {
      if (!fill)
        g_string_append_c (writer->out, ' ');
      else if (ends_at_point (writer))
        g_string_append_c (writer->out, '0');
    }
  else
    {
      /* Past the digits this is the NUL that ends the whole text. */
      g_string_append_c (writer->out, *writer->digit);
      writer->in_number = TRUE;
    }
  if (*writer->digit != '\0')
    writer->digit++;
}

/* A place for a digit or the point. */
static void
write_place (Writer *writer, Pattern pattern)
{
  if (writer->is_roman)
    return;

  writer->in_number = FALSE;
  write_sign_before (writer);
  if (writer->place >= writer->n_blanks)
    write_digit (writer, pattern);
  else if (writer->has_zero && writer->template->first_zero <= writer->place)
    {
      g_string_append_c (writer->out, '0');
      writer->in_number = TRUE;
    }
  else if (!writer->template->has_fill)
    g_string_append_c (writer->out, ' ');
  write_sign_after (writer);
  writer->place++;
}

static void
write_or_blank (Writer *writer, gboolean condition, char c)
{
  if (condition)
    g_string_append_c (writer->out, c);
  else if (!writer->template->has_fill)
    g_string_append_c (writer->out, ' ');
}

static gboolean
write_ordinal (Writer *writer, gboolean upper, GError **error)
{
  gsize n = strlen (writer->number);
  const char *suffix = "TH";

  if (writer->is_roman || *writer->number == '#' || writer->sign == '-' || writer->has_point)
    return TRUE;
  if (n == 0 || !g_ascii_isdigit (writer->number[n - 1]))
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is not a number", writer->number);

  if (n < 2 || writer->number[n - 2] != '1')
    suffix = writer->number[n - 1] == '1'   ? "ST"
             : writer->number[n - 1] == '2' ? "ND"
             : writer->number[n - 1] == '3' ? "RD"
                                            : "TH";
  for (; *suffix != '\0'; suffix++)
    g_string_append_c (writer->out, upper ? *suffix : g_ascii_tolower (*suffix));
  return TRUE;
}

static void
write_roman (Writer *writer, gboolean upper)
{
  gsize n = strlen (writer->number);

  for (gsize i = n; i < ROMAN_WIDTH && !writer->template->has_fill; i++)
    g_string_append_c (writer->out, ' ');
  for (gsize i = 0; i < n; i++)
    g_string_append_c (writer->out,
                       upper ? writer->number[i] : g_ascii_tolower (writer->number[i]));
}

static gboolean
write_node (Writer *writer, const Node *node, GError **error)
{
  switch (node->pattern)
    {
    case PATTERN_TEXT:
      g_string_append_len (writer->out, node->text, (gssize)node->length);
      break;
    case PATTERN_ZERO:
    case PATTERN_NINE:
    case PATTERN_POINT:
      write_place (writer, node->pattern);
      break;
    case PATTERN_GROUP:
      write_or_blank (writer, writer->in_number, ',');
      break;
    case PATTERN_CURRENCY:
      g_string_append_c (writer->out, ' ');
      break;
    case PATTERN_ROMAN:
    case PATTERN_LOWER_ROMAN:
      write_roman (writer, node->pattern == PATTERN_ROMAN);
      break;
    case PATTERN_ORDINAL:
    case PATTERN_LOWER_ORDINAL:
      return write_ordinal (writer, node->pattern == PATTERN_ORDINAL, error);
    case PATTERN_MINUS:
      write_or_blank (writer, writer->sign == '-', '-');
      break;
    case PATTERN_PLUS:
      write_or_blank (writer, writer->sign == '+', '+');
      break;
    case PATTERN_SIGN:
      g_string_append_c (writer->out, writer->sign);
      break;
    default:
      break;
    }
  return TRUE;
}

/* FM: zeros at the end are not written, but for those that the template asks for. */
static const char *
find_last_digit (const Writer *writer)
{
  const char *point = strchr (writer->number, '.'), *last = point;
  gint zeros_end = writer->template->zeros_end;

  if (point == NULL)
    return NULL;
  for (const char *at = point; *at != '\0'; at++)
    if (*at != '.' && *at != '0')
      last = at;
  if (zeros_end > writer->n_blanks)
    {
      gint end = MIN ((gint)strlen (writer->number) - 1, zeros_end - writer->n_blanks);

      last = MAX (last, writer->number + end);
    }
  return last;
}

static void
settle_sign (Writer *writer)
{
  const TallyNumberTemplate *template = writer->template;

  if (writer->is_roman)
    return;
  if (template->has_plus || template->has_minus)
    {
      writer->sign_done = template->has_minus;
      return;
    }

  if (writer->sign != '-' && template->has_fill)
    writer->has_brackets = FALSE;
  writer->sign_done = writer->sign == '+' && template->has_fill && template->anchor == ANCHOR_NONE;
  if (template->anchor == ANCHOR_BEFORE && writer->before == template->anchor_before)
    writer->anchor = ANCHOR_AFTER;
}

/* number has no sign; before and after count the template's digits once it has been made. */
static gboolean
write_number (const TallyNumberTemplate *template, const char *number, gchar sign, gint before,
              gint after, TallyBatch *batch, TallyText *ret_text, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean roman = template->has_roman;
  Writer writer = {
    .template = template,
    .has_brackets = template->has_brackets && !roman,
    .has_zero = template->has_zero && !roman,
    .has_point = template->has_point && !roman,
    .is_roman = roman,
    .anchor = roman ? ANCHOR_NONE : template->anchor,
    .before = before,
    .after = after,
    .number = number,
    .digit = number,
    .sign = sign,
    .n_blanks = roman ? 0 : MAX (before - (gint)strcspn (number, "."), 0),
    .n_places = before + after - 1,
    .out = out,
  };

  settle_sign (&writer);
  if (template->has_fill && writer.has_point)
    writer.last = find_last_digit (&writer);
  if (!writer.sign_done && writer.n_blanks == 0)
    writer.n_places++;
  for (guint i = 0; i < template->n; i++)
    if (!write_node (&writer, &template->nodes[i], error))
      return FALSE;

  *ret_text = tally_value_copy (batch, out->str, strlen (out->str));
  return TRUE;
}

static char *
hashes (gint before, gint after)
{
  char *text = g_strnfill ((gsize)(before + after) + 1, '#');

  text[before] = '.';
  return text;
}

/* printed: a number with its sign, if that is minus. */
static gboolean
write_printed (const TallyNumberTemplate *template, const char *printed, gint before, gint after,
               TallyBatch *batch, TallyText *ret_text, GError **error)
{
  g_autofree char *too_long = NULL;
  gchar sign = *printed == '-' ? '-' : '+';

  if (sign == '-')
    printed++;
  if ((gint)strcspn (printed, ".") > before)
    printed = too_long = hashes (before, after);
  return write_number (template, printed, sign, before, after, batch, ret_text, error);
}

static gboolean
write_roman_number (const TallyNumberTemplate *template, gint number, TallyBatch *batch,
                    TallyText *ret_text, GError **error)
{
  static const struct
  {
    gint value;
    const char *letters;
  } parts[] = {
    { 1000, "M" }, { 900, "CM" }, { 500, "D" }, { 400, "CD" }, { 100, "C" },
    { 90, "XC" },  { 50, "L" },   { 40, "XL" }, { 10, "X" },   { 9, "IX" },
    { 5, "V" },    { 4, "IV" },   { 1, "I" },
  };
  g_autoptr (GString) letters = g_string_new (NULL);

  if (number < 1 || number > MAX_ROMAN)
    g_string_append (letters, "###############");
  else
    for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
      for (; number >= parts[i].value; number -= parts[i].value)
        g_string_append (letters, parts[i].letters);
  return write_number (template, letters->str, '\0', 0, 0, batch, ret_text, error);
}

/* What has no exponent. */
static void
print_special_exponent (const TallyNumberTemplate *template, TallyBatch *batch, TallyText *ret_text)
{
  g_autofree char *text = hashes (template->before + 1, template->after + 4);

  text[0] = ' ';
  *ret_text = tally_value_copy (batch, text, strlen (text));
}

/* The power of ten of the first digit that is not zero; 0 for zero. */
static gint
decimal_exponent (TallyText value)
{
  const char *start = value.data + (value.data[0] == '-'), *end = value.data + value.length;
  const char *point = memchr (start, '.', (gsize)(end - start)), *at = start;

  point = point == NULL ? end : point;
  while (at < end && (*at == '0' || *at == '.'))
    at++;
  if (at == end)
    return 0;
  return at < point ? (gint)(point - at) - 1 : (gint)(point - at);
}

static gboolean
write_numeric_exponent (TallyText value, const TallyNumberTemplate *template, TallyBatch *batch,
                        TallyText *ret_text, GError **error)
{
  gint exponent = decimal_exponent (value);
  g_autofree char *text = tally_text_dup (value), *moved = NULL, *plain = NULL, *shown = NULL;
  TallyText significand;

  if (!g_ascii_isdigit (value.data[value.length - 1]))
    {
      print_special_exponent (template, batch, ret_text);
      return TRUE;
    }

  moved = g_strdup_printf ("%se%d", text, -exponent);
  if (!tally_numeric_parse (tally_value_copy (batch, moved, strlen (moved)), batch, &significand,
                            error)
      || !tally_numeric_round (significand, template->after, batch, &significand, error))
    return FALSE;
  plain = tally_text_dup (significand);
  shown = g_strdup_printf ("%s%se%+03d", *plain == '-' ? "" : " ", plain, exponent);
  *ret_text = tally_value_copy (batch, shown, strlen (shown));
  return TRUE;
}

static gboolean
numeric_to_int (TallyText value, gint *ret_number, GError **error)
{
  gint64 number;

  if (!g_ascii_isdigit (value.data[value.length - 1]))
    return tally_throw (error, TALLY_ERROR_DATA, "cannot convert %s to integer",
                        value.data[0] == 'N' ? "NaN" : "infinity");
  if (!tally_numeric_to_bigint (value, &number, NULL) || number != (gint)number)
    return tally_throw (error, TALLY_ERROR_DATA, "integer out of range");

  *ret_number = (gint)number;
  return TRUE;
}

/* value * 10^places */
static gboolean
shift_numeric (TallyText value, gint places, TallyBatch *batch, TallyText *ret_value,
               GError **error)
{
  TallyText power;

  return tally_numeric_power (tally_numeric_from_bigint (10, batch),
                              tally_numeric_from_bigint (places, batch), batch, &power, error)
         && tally_numeric_multiply (value, power, batch, ret_value, error);
}

gboolean
tally_numeric_to_char (TallyText value, const TallyNumberTemplate *template, TallyBatch *batch,
                       TallyText *ret_text, GError **error)
{
  g_autofree char *printed = NULL;
  gint number = 0;

  if (template->has_roman)
    return numeric_to_int (value, &number, error)
           && write_roman_number (template, number, batch, ret_text, error);
  if (template->has_exponent)
    return write_numeric_exponent (value, template, batch, ret_text, error);

  if (template->has_shift && !shift_numeric (value, template->shift, batch, &value, error))
    return FALSE;
  if (!tally_numeric_round (value, template->after, batch, &value, error))
    return FALSE;
  printed = tally_text_dup (value);
  return write_printed (template, printed, template->before + template->shift, template->after,
                        batch, ret_text, error);
}

gboolean
tally_bigint_to_char (gint64 value, const TallyNumberTemplate *template, TallyBatch *batch,
                      TallyText *ret_text, GError **error)
{
  g_autoptr (GString) printed = g_string_new (NULL);

  if (template->has_roman && value != (gint)value)
    return tally_throw (error, TALLY_ERROR_DATA, "integer out of range");
  if (template->has_roman)
    return write_roman_number (template, (gint)value, batch, ret_text, error);
  if (template->has_exponent)
    return write_numeric_exponent (tally_numeric_from_bigint (value, batch), template, batch,
                                   ret_text, error);

  for (gint i = 0; i < template->shift; i++)
    if (__builtin_mul_overflow (value, 10, &value))
      return tally_throw (error, TALLY_ERROR_DATA, "bigint out of range");
  tally_bigint_append (value, printed);
  if (template->after > 0)
    g_string_append_printf (printed, ".%0*d", template->after, 0);
  return write_printed (template, printed->str, template->before + template->shift, template->after,
                        batch, ret_text, error);
}

static char *
print_double (double value, gint digits)
{
  if (isnan (value))
    return g_strdup ("NaN");
  if (isinf (value))
    return g_strdup (value < 0 ? "-Infinity" : "Infinity");
  return g_strdup_printf ("%.*f", digits, value);
}

static gboolean
write_double_exponent (double value, const TallyNumberTemplate *template, TallyBatch *batch,
                       TallyText *ret_text)
{
  g_autofree char *text = NULL;

  if (!isfinite (value))
    {
      print_special_exponent (template, batch, ret_text);
      return TRUE;
    }

  text = g_strdup_printf ("% .*e", template->after, value);
  *ret_text = tally_value_copy (batch, text, strlen (text));
  return TRUE;
}

gboolean
tally_double_to_char (double value, const TallyNumberTemplate *template, TallyBatch *batch,
                      TallyText *ret_text, GError **error)
{
  g_autofree char *whole = NULL, *printed = NULL;
  double rounded = rint (value);
  gint n_whole, after;

  if (template->has_roman)
    return write_roman_number (template, rounded >= 1 && rounded <= MAX_ROMAN ? (gint)rounded : 0,
                               batch, ret_text, error);
  if (template->has_exponent)
    return write_double_exponent (value, template, batch, ret_text);

  if (template->has_shift)
    value *= pow (10, template->shift);
  whole = print_double (fabs (value), 0);
  n_whole = (gint)strlen (whole);
  after = CLAMP (DBL_DIG - n_whole, 0, template->after);
  printed = print_double (value, after);
  return write_printed (template, printed, template->before + template->shift, after, batch,
                        ret_text, error);
}

/* Reading. */

typedef struct
{
  const TallyNumberTemplate *template;
  const char *at, *end;
  gchar sign; /* or a blank */
  gint n_before, n_after;
  gboolean has_point;
  GString *digits;
} Reader;

static gboolean
reader_at (const Reader *reader, char c)
{
  return reader->at < reader->end && *reader->at == c;
}

/* Passes over n characters that cannot be of a number. */
static void
skip_characters (Reader *reader, gint n)
{
  for (; n > 0 && reader->at < reader->end; n--)
    {
      if (g_ascii_isdigit (*reader->at) || strchr (".,+-", *reader->at) != NULL)
        break;
      reader->at += character_length (reader->at, reader->end);
    }
}

static void
read_leading_sign (Reader *reader)
{
  if (reader_at (reader, '-') || (reader->template->has_brackets && reader_at (reader, '<')))
    reader->sign = '-';
  else if (reader_at (reader, '+'))
    reader->sign = '+';
  else
    return;
  reader->at++;
}

/* Of the last digit; the cursor stays on the character before what comes next. */
static void
read_trailing_sign (Reader *reader, gboolean was_read)
{
  const TallyNumberTemplate *template = reader->template;

  if (template->anchor != ANCHOR_NONE && was_read && reader->at + 1 < reader->end
      && !g_ascii_isdigit (reader->at[1]))
    {
      if (reader->at[1] == '-' || reader->at[1] == '+')
        reader->sign = *++reader->at;
    }
  else if (!was_read && (template->has_plus || template->has_minus)
           && (*reader->at == '-' || *reader->at == '+'))
    reader->sign = *reader->at;
}

/* Leaves the cursor on the last character that was read or is to be passed over. */
static void
read_place (Reader *reader, Pattern pattern)
{
  gboolean was_read = FALSE;

  if (*reader->at == ' ')
    reader->at++;
  if (reader->sign == ' ' && pattern != PATTERN_POINT && reader->n_before + reader->n_after == 0)
    read_leading_sign (reader);
  if (reader->at >= reader->end)
    return;

  if (g_ascii_isdigit (*reader->at))
    {
      if (reader->has_point && reader->n_after == reader->template->after)
        return;
      g_string_append_c (reader->digits, *reader->at);
      *(reader->has_point ? &reader->n_after : &reader->n_before) += 1;
      was_read = TRUE;
    }
  else if (*reader->at == '.' && reader->template->has_point && !reader->has_point)
    {
      g_string_append_c (reader->digits, '.');
      reader->has_point = was_read = TRUE;
    }

  if (reader->sign == ' ' && reader->n_before + reader->n_after > 0)
    read_trailing_sign (reader, was_read);
}

static void
read_sign (Reader *reader, Pattern pattern)
{
  if ((pattern != PATTERN_PLUS && *reader->at == '-')
      || (pattern != PATTERN_MINUS && *reader->at == '+'))
    reader->sign = *reader->at++;
  else
    skip_characters (reader, 1);
}

static void
read_node (Reader *reader, const Node *node)
{
  switch (node->pattern)
    {
    case PATTERN_TEXT:
      reader->at += character_length (reader->at, reader->end);
      break;
    case PATTERN_ZERO:
    case PATTERN_NINE:
    case PATTERN_POINT:
      read_place (reader, node->pattern);
      reader->at++;
      break;
    case PATTERN_GROUP:
      if (*reader->at == ',' && !reader->template->has_fill)
        reader->at++;
      break;
    case PATTERN_CURRENCY:
      skip_characters (reader, 1);
      break;
    case PATTERN_ORDINAL:
    case PATTERN_LOWER_ORDINAL:
      if (!reader->template->has_point)
        skip_characters (reader, 2);
      break;
    case PATTERN_MINUS:
    case PATTERN_PLUS:
    case PATTERN_SIGN:
      read_sign (reader, node->pattern);
      break;
    default:
      break;
    }
}

/* As a cast to numeric (precision, scale), but that no digits is a precision, too. */
static gboolean
limit (TallyText *number, gint precision, gint scale, TallyBatch *batch, GError **error)
{
  if (precision == 0 && tally_numeric_compare (*number, (TallyText){ "0", 1 }) != 0)
    return tally_throw (error, TALLY_ERROR_DATA, "numeric field overflow");

  return tally_numeric_limit (*number, MAX (precision, 1), scale, batch, number, error);
}

static gboolean
settle (const Reader *reader, TallyBatch *batch, TallyText *ret_numeric, GError **error)
{
  const TallyNumberTemplate *template = reader->template;
  g_autofree char *text = NULL;
  TallyText number;

  if (reader->digits->len > 0 && reader->digits->str[reader->digits->len - 1] == '.')
    g_string_truncate (reader->digits, reader->digits->len - 1);
  text = g_strdup_printf ("%c%s", reader->sign, reader->digits->str);
  number = tally_value_copy (batch, text, strlen (text));
  if (!tally_numeric_parse (number, batch, &number, error)
      || !limit (&number, template->before + template->shift + reader->n_after, reader->n_after,
                 batch, error))
    return FALSE;
  if (template->has_shift)
    return shift_numeric (number, -template->shift, batch, ret_numeric, error);

  *ret_numeric = number;
  return TRUE;
}

gboolean
tally_numeric_from_template (TallyText text, const TallyNumberTemplate *template, TallyBatch *batch,
                             gboolean *ret_is_null, TallyText *ret_numeric, GError **error)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  Reader reader = {
    .template = template,
    .at = text.data,
    .end = text.data + text.length,
    .sign = ' ',
    .digits = digits,
  };

  *ret_is_null = template->n == 0 && template->format[0] == '\0';
  if (*ret_is_null)
    return TRUE;
  if (template->has_exponent)
    return throw_format (error, "\"EEEE\" not supported for input");
  if (template->has_roman)
    return throw_format (error, "\"RN\" not supported for input");

  for (guint i = 0; i < template->n && reader.at < reader.end; i++)
    read_node (&reader, &template->nodes[i]);
  return settle (&reader, batch, ret_numeric, error);
}
