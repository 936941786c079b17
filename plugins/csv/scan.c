/* scan.c: the same scan by AVX2, by SSE2, and by plain 64-bit words
 *
 * The path is chosen at run time, so that one build serves every processor of an architecture.
 */
#include "scan.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* A CR that an LF follows ends no line of its own: the LF does. */
static inline guint64
line_ends (guint64 lf, guint64 cr, guint8 next)
{
  return lf | (cr & ~(lf >> 1 | (guint64) (next == '\n') << 63));
}

#if defined(__x86_64__)

__attribute__ ((target ("avx2"))) static inline guint64
match_avx2 (__m256i low, __m256i high, __m256i wanted)
{
  guint32 a = (guint32) _mm256_movemask_epi8 (_mm256_cmpeq_epi8 (low, wanted));
  guint32 b = (guint32) _mm256_movemask_epi8 (_mm256_cmpeq_epi8 (high, wanted));

  return a | (guint64) b << 32;
}

__attribute__ ((target ("avx2"))) static void
scan_avx2 (const guint8 *data, gsize n_words, const CsvSpecials *specials, CsvMask *masks)
{
  const __m256i delimiter = _mm256_set1_epi8 ((char) specials->delimiter);
  const __m256i quote = _mm256_set1_epi8 ((char) specials->quote);
  const __m256i escape = _mm256_set1_epi8 ((char) specials->escape);
  const __m256i lf = _mm256_set1_epi8 ('\n'), cr = _mm256_set1_epi8 ('\r'), nul = _mm256_setzero_si256 ();
  gboolean escapes = specials->escape != specials->quote;

  for (gsize i = 0; i < n_words; i++, data += CSV_WORD)
    {
      __m256i low = _mm256_loadu_si256 ((const __m256i *) data);
      __m256i high = _mm256_loadu_si256 ((const __m256i *) (data + 32));
      guint64 quotes = match_avx2 (low, high, quote);

      if (escapes)
        quotes |= match_avx2 (low, high, escape);
      masks[i] = (CsvMask) {
        .quotes = quotes,
        .delimiters = match_avx2 (low, high, delimiter),
        .lines = line_ends (match_avx2 (low, high, lf), match_avx2 (low, high, cr), data[CSV_WORD]),
        .suspects = match_avx2 (low, high, nul) | (guint32) _mm256_movemask_epi8 (low)
                    | (guint64) (guint32) _mm256_movemask_epi8 (high) << 32,
      };
    }
}

static gboolean
has_avx2 (void)
{
  return __builtin_cpu_supports ("avx2");
}

/* 64 bytes in four registers. */
typedef struct
{
  __m128i part[4];
} Sse2Word;

static inline guint64
gather_sse2 (__m128i a, __m128i b, __m128i c, __m128i d)
{
  return (guint64) (guint16) _mm_movemask_epi8 (a) | (guint64) (guint16) _mm_movemask_epi8 (b) << 16
         | (guint64) (guint16) _mm_movemask_epi8 (c) << 32 | (guint64) (guint16) _mm_movemask_epi8 (d) << 48;
}

static inline guint64
match_sse2 (const Sse2Word *word, __m128i wanted)
{
  return gather_sse2 (_mm_cmpeq_epi8 (word->part[0], wanted), _mm_cmpeq_epi8 (word->part[1], wanted),
                      _mm_cmpeq_epi8 (word->part[2], wanted), _mm_cmpeq_epi8 (word->part[3], wanted));
}

static void
scan_sse2 (const guint8 *data, gsize n_words, const CsvSpecials *specials, CsvMask *masks)
{
  const __m128i delimiter = _mm_set1_epi8 ((char) specials->delimiter);
  const __m128i quote = _mm_set1_epi8 ((char) specials->quote);
  const __m128i escape = _mm_set1_epi8 ((char) specials->escape);
  const __m128i lf = _mm_set1_epi8 ('\n'), cr = _mm_set1_epi8 ('\r'), nul = _mm_setzero_si128 ();

  for (gsize i = 0; i < n_words; i++, data += CSV_WORD)
    {
      Sse2Word word;

      for (guint j = 0; j < 4; j++)
        word.part[j] = _mm_loadu_si128 ((const __m128i *) data + j);
      masks[i] = (CsvMask) {
        .quotes = match_sse2 (&word, quote) | match_sse2 (&word, escape),
        .delimiters = match_sse2 (&word, delimiter),
        .lines = line_ends (match_sse2 (&word, lf), match_sse2 (&word, cr), data[CSV_WORD]),
        .suspects = match_sse2 (&word, nul) | gather_sse2 (word.part[0], word.part[1], word.part[2], word.part[3]),
      };
    }
}

#endif

static gboolean
works_everywhere (void)
{
  return TRUE;
}

#define LOW_BITS G_GUINT64_CONSTANT (0x7f7f7f7f7f7f7f7f)
#define HIGH_BITS G_GUINT64_CONSTANT (0x8080808080808080)
/* Multiplied with eight bytes of 0 or 1 it brings them together in the top byte, the first one lowest. */
#define TOGETHER G_GUINT64_CONSTANT (0x0102040810204080)

/* The high bit of each byte, as eight bits. */
static inline guint64
gather_word (guint64 bytes)
{
  return ((bytes & HIGH_BITS) >> 7) * TOGETHER >> 56;
}

/* Which of eight bytes are equal to the wanted one, which stands in all bytes of its word. */
static inline guint64
match_word (guint64 bytes, guint64 wanted)
{
  guint64 difference = bytes ^ wanted;
  /* The high bit becomes set where a byte is not zero; no carry leaves a byte. */
  guint64 differs = ((difference & LOW_BITS) + LOW_BITS) | difference;

  return gather_word (~differs);
}

static inline guint64
in_all_bytes (guint8 byte)
{
  return byte * G_GUINT64_CONSTANT (0x0101010101010101);
}

static void
scan_words (const guint8 *data, gsize n_words, const CsvSpecials *specials, CsvMask *masks)
{
  const guint64 delimiter = in_all_bytes (specials->delimiter), quote = in_all_bytes (specials->quote);
  const guint64 escape = in_all_bytes (specials->escape);
  const guint64 lf = in_all_bytes ('\n'), cr = in_all_bytes ('\r');

  for (gsize i = 0; i < n_words; i++, data += CSV_WORD)
    {
      CsvMask mask = { 0 };
      guint64 lfs = 0, crs = 0;

      for (guint j = 0; j < 8; j++)
        {
          guint64 bytes;

          memcpy (&bytes, data + 8 * j, sizeof bytes);
          bytes = GUINT64_FROM_LE (bytes);
          mask.quotes |= (match_word (bytes, quote) | match_word (bytes, escape)) << (8 * j);
          mask.delimiters |= match_word (bytes, delimiter) << (8 * j);
          mask.suspects |= (match_word (bytes, 0) | gather_word (bytes)) << (8 * j);
          lfs |= match_word (bytes, lf) << (8 * j);
          crs |= match_word (bytes, cr) << (8 * j);
        }
      mask.lines = line_ends (lfs, crs, data[CSV_WORD]);
      masks[i] = mask;
    }
}

const CsvScanPath csv_scan_paths[] = {
#if defined(__x86_64__)
  { "AVX2", scan_avx2, has_avx2 },
  { "SSE2", scan_sse2, works_everywhere },
#endif
  { "words", scan_words, works_everywhere },
  { NULL },
};

CsvScan
csv_scan_best (void)
{
  const CsvScanPath *path = csv_scan_paths;

  while (!path->works_here ())
    path++;
  return path->scan;
}
