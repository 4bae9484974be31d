/*
 * directory — which files of a directory are a model's weights.
 *
 * As transformers 5.24 chooses: the file that "transformers_weights" of config.json names, model.safetensors,
 * model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json. Where none of them is there, what can only be meant is taken, and a remark says so:
 *
 *     shards without an index         all of model-00001-of-00002.safetensors, …, none missing
 *     one file of another name        final.safetensors, model.fp16.safetensors
 *     a folder around one model       RUN/checkpoint-500, of a run that kept one
 *     a model in the Hub's cache      …/models--ORGANISATION--NAME with one snapshot
 *
 * All else is refused: by the name of what it is, with the command that makes a model of it (directory_form.h).
 */
#ifndef REJUV_CORE_DIRECTORY_H
#define REJUV_CORE_DIRECTORY_H

#include "core/checkpoint/finding.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

#define DIRECTORY_SINGLE "model.safetensors"
#define DIRECTORY_INDEX  "model.safetensors.index.json"

/* The same as PyTorch's own files (torch_file.h). */
#define DIRECTORY_PICKLE       "pytorch_model.bin"
#define DIRECTORY_PICKLE_INDEX "pytorch_model.bin.index.json"
#define DIRECTORY_PICKLE_SHARD "pytorch_model-*-of-*.bin"

enum { DIRECTORY_NAME_COUNT = 4 };
/* In the order in which transformers takes them. */
extern const char *const DIRECTORY_NAMES[DIRECTORY_NAME_COUNT];

/* What a remark is about. */
#define DIRECTORY_SUBJECT "directory"

/* Zero-initialise, release with directory_free(). */
typedef struct Directory {
    char *path;   /* where the weights are: the directory that was given, or one in it; no slash at its end */
    char **files; /* their names in it, sorted */
    size_t file_count;
    cJSON *index;        /* NULL where no index was read */
    FindingList remarks; /* what else was taken than what was named, and what lies beside it unread */
} Directory;

/* Fills `found`. The files are there, but none was opened yet. */
Status directory_find_weights(const char *path, Directory *found, Error *error) STATUS_MUST_CHECK;

/* Whether a file of weights is to be read as PyTorch's, by its name. */
bool directory_is_pickle(const char *name);

void directory_free(Directory *directory);

#endif
