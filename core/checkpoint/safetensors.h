/*
 * safetensors — one file, mapped and checked.
 *
 *     0        8              8 + n                                size
 *     ├────────┼──────────────┼───────────────────────────────────────┤
 *     │ n, LE  │ JSON header  │ data: tensors back to back, no holes  │
 *     └────────┴──────────────┴───────────────────────────────────────┘
 *     header: {"name": {"dtype": "BF16", "shape": [64, 128], "data_offsets": [begin, end]}, …,
 *              "__metadata__": {…}}
 *
 * The file is untrusted. Refused, with the file and the tensor named: a file shorter than its header says; a
 * header longer than 100 MB or not JSON; a name that is there twice, is no UTF-8 or has control characters; a dtype that is no word; a shape whose
 * product overflows; offsets that do not equal shape × dtype, reach past the file, overlap or leave holes.
 *
 * A dtype whose name is not known (DTYPE_OTHER) has the bytes that its offsets give, for nothing tells more.
 */
#ifndef REJUV_CORE_SAFETENSORS_H
#define REJUV_CORE_SAFETENSORS_H

#include "core/files/file_stamp.h"
#include "core/numerics/dtype.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAFETENSORS_MAX_RANK = 8, SAFETENSORS_DTYPE_SIZE = 32 /* a dtype's name, with its NUL */ };

typedef struct SafetensorsEntry {
    const char *name;
    DType dtype;
    const char *dtype_name; /* as the file has it where it is DTYPE_OTHER, else dtype_name()'s */
    unsigned rank;
    uint64_t shape[SAFETENSORS_MAX_RANK];
    uint64_t elements;         /* the shape's product */
    const unsigned char *data; /* into the mapping */
    uint64_t bytes;
} SafetensorsEntry;

typedef struct SafetensorsFile {
    char *path;
    SafetensorsEntry *entries; /* in order of their offsets; of a torch_file: as its dict has them */
    size_t count;
    const unsigned char *map;
    size_t size;
    FileStamp stamp;        /* of the mapped file, when it was mapped */
    char *names;            /* the text that entries' names and dtype_names point into */
    unsigned char **copies; /* elements that the file has in another order (torch_file.h) */
    size_t copy_count;
} SafetensorsFile;

/* Maps `path` read-only and checks its header. The caller frees the result; entries live as long as it does.
 */
Status safetensors_open(const char *path, SafetensorsFile **file, Error *error) STATUS_MUST_CHECK;

/* Maps a file that has no tensors but says how others' are to be read, an adapter's settings, so that it is hashed and watched
 * as they are: no entries. */
Status safetensors_open_beside(const char *path, SafetensorsFile **file, Error *error) STATUS_MUST_CHECK;

/* What all readers of tensors ask for: a name that is not empty, is UTF-8 and has no control characters. */
bool safetensors_is_name(const char *name);

/* STATUS_FORMAT, "expected WHAT, found …", for a file that begins as what is often found in place of weights: a pointer of
 * git-lfs, a page of HTML, another format; else STATUS_OK. */
Status safetensors_check_start(const SafetensorsFile *file, const char *what, Error *error) STATUS_MUST_CHECK;

/* Whether the file at the path is still the one that is mapped, as it was then. */
bool safetensors_is_unchanged(const SafetensorsFile *file);

/* Whether a text may be the name of a dtype: a short word of letters, digits and _. */
bool safetensors_is_dtype_name(const char *name);

/* Where in the file an entry's elements lie; false where they are a copy. */
bool safetensors_find_offset(const SafetensorsFile *file, const unsigned char *data, uint64_t *offset);

/* Lets the system take back the memory of the mapped pages that were read; they come back when they are read
 * again. For passes over a file that is larger than memory should look. */
void safetensors_forget_pages(const SafetensorsFile *file);

/* The same of some bytes of the mapping alone, with all of every page that they touch; bytes that lie elsewhere, in a copy,
 * stay as they are. */
void safetensors_forget_range(const SafetensorsFile *file, const unsigned char *bytes, uint64_t count);

/* Lets the system begin to read some bytes of the mapping, without waiting for them. */
void safetensors_expect_range(const SafetensorsFile *file, const unsigned char *bytes, uint64_t count);

/* Unmaps and frees; takes NULL. */
void safetensors_close(SafetensorsFile *file);

#endif
