/* scan.h: where in a text the bytes stand that mean something, 64 bytes at a time
 *
 * One bit for each byte, the lowest for the first.  There is a path for each kind of processor; all give the same.
 */
#pragma once
#include <glib.h>

#define CSV_WORD 64

typedef struct
{
  guint8 delimiter;
  guint8 quote;  /* NUL: there are no quotes */
  guint8 escape; /* the quote itself, or another byte */
} CsvSpecials;

typedef struct
{
  guint64 quotes; /* quote and escape */
  guint64 delimiters;
  guint64 lines;    /* LF, and CR without an LF after it: once for each end of a line */
  guint64 suspects; /* NUL, and all that is not ASCII */
} CsvMask;

/* data has n_words * 64 + 1 readable bytes. */
typedef void (*CsvScan) (const guint8 *data, gsize n_words, const CsvSpecials *specials, CsvMask *masks);

typedef struct
{
  const char *name;
  CsvScan scan;
  gboolean (*works_here) (void);
} CsvScanPath;

/* The fastest first; ended by an empty row.  The last one works everywhere. */
extern const CsvScanPath csv_scan_paths[];

CsvScan csv_scan_best (void);
