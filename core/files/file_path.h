/*
 * file_path — paths that are written down for another day, another directory, another program.
 *
 * A path is bytes, and need not be UTF-8 (a disk of older days has Latin-1 names); JSON and YAML are UTF-8. What a
 * person reads there is the path with U+FFFD for what is none; what a program reads is a URI (RFC 8089), which any bytes
 * fit into:
 *
 *     2f 63 61 66 e9    "/caf\uFFFD"    "file:///caf%E9"
 */
#ifndef REJUV_CORE_FILE_PATH_H
#define REJUV_CORE_FILE_PATH_H

#include "core/support/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* The same place, from the root, without links, `.` and `..`; where it is not there, as it was given, after the directory
 * that the program runs in. The caller frees it, as all below. */
Status file_path_absolute(const char *path, char **absolute, Error *error) STATUS_MUST_CHECK;

/* A path that is relative to `file`'s directory, from there, if there is something; otherwise as it was given. */
Status file_path_beside(const char *path, const char *file, char **found, Error *error) STATUS_MUST_CHECK;

/* Whether it is UTF-8. */
bool file_path_is_text(const char *path);

/* The text with U+FFFD for each byte that is not part of UTF-8. */
Status file_path_text(const char *path, char **text, Error *error) STATUS_MUST_CHECK;

/* A path as file:///…, a relative one as a relative reference (RFC 3986): letters, digits and -._~/ as they stand, all else
 * as %XX. */
Status file_path_to_uri(const char *path, char **uri, Error *error) STATUS_MUST_CHECK;

/* Back. STATUS_FORMAT: no such URI, of another host, or with a NUL in it. */
Status file_path_from_uri(const char *uri, char **path, Error *error) STATUS_MUST_CHECK;

/* Appends the path as text, as member `key`, and where that is not all of it, the URI as `key`_uri; nothing where it
 * is NULL. False when out of memory. */
bool file_path_add(cJSON *object, const char *key, const char *path);

/* What file_path_add() wrote; *path is NULL where there is no such member. */
Status file_path_read(const cJSON *object, const char *key, char **path, Error *error) STATUS_MUST_CHECK;

#endif
