/*
 * libnss_curl.so.2: what an NSS module with a client library of its own costs, the peer of the direct mode. It asks the same endpoint for the
 * same user by libcurl, takes the first uid and gid of the answer, and does nothing else: no cache, no second address, no check of what came back.
 *
 * /etc/rstudio/curl: three lines, address of the read API, CA file, token.
 */
#include <curl/curl.h>
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct body {
    char text[1 << 16];
    size_t length;
};

static size_t take(char *data, size_t size, size_t count, void *to)
{
    struct body *body = to;
    size_t length = size * count;
    if (length >= sizeof body->text - body->length) return 0;
    memcpy(body->text + body->length, data, length);
    body->length += length;
    return length;
}

static long number(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    return found ? atol(found + strlen(key)) : -1;
}

enum nss_status _nss_curl_getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t length, int *error)
{
    char address[256], ca[256], token[256], url[600], bearer[300];
    static __thread struct body body;
    FILE *file = fopen("/etc/rstudio/curl", "re");
    *error = EAGAIN;
    if (!file) return NSS_STATUS_UNAVAIL;
    int read = fscanf(file, "%255s %255s %255s", address, ca, token);
    fclose(file);
    if (read != 3) return NSS_STATUS_UNAVAIL;
    snprintf(url, sizeof url, "%s/nss/v1/user?name=%s", address, name);
    snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", token);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, bearer);
    long status = 0;
    body.length = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 900L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK || (status != 200 && status != 404)) return NSS_STATUS_TRYAGAIN;

    body.text[body.length] = '\0';
    long uid = number(body.text, "\"uid\":"), gid = number(body.text, "\"gid\":");
    if (status == 404 || uid < 0 || gid < 0) {
        *error = ENOENT;
        return NSS_STATUS_NOTFOUND;
    }
    if (strlen(name) >= length) {
        *error = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    strcpy(buffer, name);
    *entry = (struct passwd){ .pw_name = buffer, .pw_passwd = "x", .pw_uid = uid, .pw_gid = gid, .pw_gecos = "", .pw_dir = "/", .pw_shell = "/bin/sh" };
    return NSS_STATUS_SUCCESS;
}
