/*
 * input — data as people have it at hand: a file, a pipe, standard input; as it is, or packed by gzip or zstd.
 *
 *     bytes as they come ──► SHA-256
 *                       └──► unpacked where their first bytes say so, else as they are ──► text
 *
 * What other formats begin with is known by name and refused, with the command that makes lines of JSON of them.
 */
#ifndef REJUV_CORE_INPUT_H
#define REJUV_CORE_INPUT_H

#include "core/files/hash.h"

#include <stdbool.h>

enum { INPUT_DEVICE_LIMIT = 1 << 20 }; /* bytes: some devices never end, and nobody types so much */

typedef struct Input {
    char *text; /* a NUL stands behind it */
    size_t bytes;
    char sha256[HASH_HEX_SIZE]; /* of the bytes as they came */
} Input;

/* What `path` is called in messages: "-" is standard input. */
const char *input_name(const char *path);

/* Reads `path` ("-": standard input) once, to its end. It waits for a pipe, and asks meanwhile whether `job` (may be NULL)
 * is cancelled. STATUS_FORMAT for more than `limit` bytes, packed or not (of a device, INPUT_DEVICE_LIMIT), and for what cannot be unpacked;
 * STATUS_UNSUPPORTED for the formats that are known by name. The caller frees with input_free(), after an error too. */
Status input_read(const char *path, size_t limit, Job *job, Input *input, Error *error) STATUS_MUST_CHECK;
void input_free(Input *input);

/* Whether it begins as what gzip or zstd packs. */
bool input_is_packed(const char *text, size_t bytes);

/* Replaces *text, a block of the caller's, by what it holds where it is packed by gzip or zstd; `name` names it in messages.
 * After an error *text is as it was. */
Status input_unpack(const char *name, size_t limit, Job *job, char **text, size_t *bytes,
                    Error *error) STATUS_MUST_CHECK;

#endif
