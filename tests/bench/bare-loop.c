/* bare-loop.c: the peer of the creation benchmark: the same requests from libcurl's multi interface, without a
 * ledger, without looking at the answers beyond their status
 *
 * usage: bare-loop URL REQUESTS IN_FLIGHT      prints the seconds that it took
 */
#include <curl/curl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct
{
  CURLM *multi;
  char *url;
  struct curl_slist *common; /* headers of each request */
  guint n_requests, n_begun, n_good;
} Loop;

typedef struct
{
  char *body;
  struct curl_slist *headers;
} Request;

static size_t
ignore (char *data, size_t size, size_t n, void *into)
{
  return size * n;
}

static void
request_free (Request *request)
{
  g_free (request->body);
  curl_slist_free_all (request->headers);
  g_free (request);
}

static void
begin (Loop *loop, CURL *curl)
{
  Request *request = g_new0 (Request, 1);
  guint i = ++loop->n_begun;
  g_autofree char *digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *) &i, sizeof i);
  g_autofree char *key = g_strconcat ("Idempotency-Key: ", digest, NULL);

  request->body = g_strdup_printf (
      "{\"ticket\":{\"external_id\":\"bare:%u\",\"subject\":\"Subject, of %u\","
      "\"comment\":{\"body\":\"Line one of %u\\n\\\"line two\\\"\",\"public\":true}}}", i, i, i);
  request->headers = curl_slist_append (NULL, key);
  request->headers = curl_slist_append (request->headers, "Content-Type: application/json");
  request->headers = curl_slist_append (request->headers, "Authorization: Bearer secret");
  curl_easy_setopt (curl, CURLOPT_URL, loop->url);
  curl_easy_setopt (curl, CURLOPT_HTTPHEADER, request->headers);
  curl_easy_setopt (curl, CURLOPT_POSTFIELDS, request->body);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt (curl, CURLOPT_PRIVATE, request);
  curl_multi_add_handle (loop->multi, curl);
}

static void
finish (Loop *loop, CURL *curl)
{
  Request *request;
  long status = 0;

  curl_easy_getinfo (curl, CURLINFO_PRIVATE, &request);
  curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &status);
  loop->n_good += status == 201;
  curl_multi_remove_handle (loop->multi, curl);
  request_free (request);
  if (loop->n_begun < loop->n_requests)
    begin (loop, curl);
  else
    curl_easy_cleanup (curl);
}

static void
drive (Loop *loop, guint in_flight)
{
  int running = 1, queued;
  CURLMsg *message;

  for (guint i = 0; i < in_flight && loop->n_begun < loop->n_requests; i++)
    begin (loop, curl_easy_init ());
  while (running > 0)
    {
      curl_multi_perform (loop->multi, &running);
      while ((message = curl_multi_info_read (loop->multi, &queued)) != NULL)
        if (message->msg == CURLMSG_DONE)
          {
            finish (loop, message->easy_handle);
            running = 1;
          }
      curl_multi_poll (loop->multi, NULL, 0, 100, NULL);
    }
}

int
main (int argc, char **argv)
{
  Loop loop = { 0 };
  gint64 begun;

  if (argc != 4)
    {
      fputs ("usage: bare-loop URL REQUESTS IN_FLIGHT\n", stderr);
      return 2;
    }
  curl_global_init (CURL_GLOBAL_DEFAULT);
  loop.multi = curl_multi_init ();
  loop.url = g_strconcat (argv[1], "/api/v2/tickets.json", NULL);
  loop.n_requests = (guint) strtoul (argv[2], NULL, 10);
  curl_multi_setopt (loop.multi, CURLMOPT_MAXCONNECTS, strtol (argv[3], NULL, 10));

  begun = g_get_monotonic_time ();
  drive (&loop, (guint) strtoul (argv[3], NULL, 10));
  printf ("%.3f\n", (double) (g_get_monotonic_time () - begun) / G_USEC_PER_SEC);
  g_free (loop.url);
  curl_multi_cleanup (loop.multi);
  if (loop.n_good == loop.n_requests)
    return 0;
  fprintf (stderr, "only %u of %u were created\n", loop.n_good, loop.n_requests);
  return 1;
}
