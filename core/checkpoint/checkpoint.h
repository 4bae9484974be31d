/*
 * checkpoint — a Hugging Face model directory: config.json, an index or a single file, shards, tensors by
 * name and by role.
 *
 * Opening reads headers only: ten thousand tensors take milliseconds, whatever the weights weigh. (But a head that
 * config.json ties and that is stored all the same is compared with the embedding, up to where they differ.) A directory
 * whose config.json is missing or of a kind this program cannot run still opens, for drift and fusion need
 * only tensors; `model_status` then says why there is no forward pass.
 *
 * The room: what lies on disk, safetensors, config.json into an architecture, a directory, two side by side. Files
 * are mapped and stay mapped as long as the Checkpoint, which the Pair owns, which the Model borrows; nothing in
 * them changes once opened, so any thread may read.
 */
#ifndef REJUV_CORE_CHECKPOINT_H
#define REJUV_CORE_CHECKPOINT_H

#include "core/checkpoint/architecture.h"
#include "core/checkpoint/directory_listing.h"
#include "core/checkpoint/finding.h"
#include "core/checkpoint/quantization.h"
#include "core/checkpoint/role_index.h"
#include "core/checkpoint/safetensors.h"
#include "core/support/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct TensorScale TensorScale;
typedef struct TensorParts TensorParts;
typedef struct TensorCodes TensorCodes;
typedef struct TensorChange TensorChange;
typedef struct Adapter Adapter;

typedef struct Tensor {
    const char *name;
    DType dtype;
    const char *dtype_name; /* as the file has it, which is all that is known of a DTYPE_OTHER */
    /* its elements are codes: values are codes × scales; NULL: values as they stand */
    const TensorScale *scale;
    const TensorCodes *codes; /* its elements are codes of less than a byte (tensor_codes.h), `dtype` and
                                 `bytes` are those of their values, and `data` is NULL; NULL: they are not */
    /* it is stored as several others (pair_experts.h), and `data` is NULL; NULL: as one */
    const TensorParts *parts;
    /* an adapter's (tensor_change.h), and `data` is what it begins from; NULL: none */
    const TensorChange *change;
    /* it is some of another's elements, in a row, whose values are not stored as they are, and `data` is
     * NULL; NULL: of none */
    const struct Tensor *whole;
    uint64_t whole_first; /* which of them is its first */
    unsigned rank;
    uint64_t shape[SAFETENSORS_MAX_RANK];
    uint64_t rows,
        columns; /* as a matrix: shape[0] × the product of the rest; a vector is n × 1; a scalar 1 × 1;
                    without elements 0 × 1; where dtype_is_packed(), bytes × 1 */
    const unsigned char *data; /* mapped, row-major, little-endian; may be unaligned */
    uint64_t bytes;
    size_t file; /* index into Checkpoint.files */
    TensorRole role;
    int layer;       /* -1 where it belongs to none */
    int expert;      /* -1 where it belongs to none, or to all */
    TensorRole part; /* of an expert: gate, up, gate_up, down; else TENSOR_OTHER */
    bool is_bias;
} Tensor;

/* The scales of one tensor of codes: a grid over each of its matrices (the last two dimensions), whose cells are blocks;
 * the last row and column of blocks may be cut. Elements count from the tensor's first: a slice of a tensor needs one of its
 * own. */
struct TensorScale {
    const Tensor *tensor;               /* the scales, as they are stored */
    uint64_t rows, columns;             /* of a matrix */
    uint64_t grid_rows, grid_columns;   /* scales of a matrix */
    uint64_t block_rows, block_columns; /* elements that share one */
    DType product;                      /* what a product is rounded to: F32, BF16 or F16 */
};

/* Tensors of one dtype and size, without scales, whose elements come one after the other. */
struct TensorParts {
    const Tensor **list; /* [count] */
    size_t count;
    uint64_t elements; /* of each */
};

typedef struct Checkpoint {
    char *directory; /* where the files are: the one that was given, or the model in it that was meant */
    SafetensorsFile **files;
    char **file_names; /* within the directory */
    size_t file_count;
    size_t home_files;   /* of an adapter: the first of them are base's, in `home` */
    bool is_sharded;     /* several files, or one that an index names */
    Adapter *adapter;    /* what it is base with (adapter.h); NULL: a model of its own */
    char *home;          /* where what the adapter's directory has not is: base's; NULL: in `directory` */
    bool has_text;       /* of an adapter: its directory has a tokenizer */
    FindingList remarks; /* about the directory: what was opened in place of what was named (directory.h) */
    Tensor *tensors;     /* in file order: files by name, tensors by offset */
    size_t tensor_count;
    Tensor *parts; /* what belongs to a tensor's codes and is none of its own: scales; behind `tensors` */
    size_t part_count;
    TensorScale *scales; /* [quantization.scaled] */
    TensorCodes *codes;  /* [quantization.packed] */
    char *code_names;    /* of the tensors that have them */
    Quantization quantization;
    size_t *by_name; /* indexes into `tensors`, sorted by name */
    RoleIndex roles; /* of `tensors` */
    uint64_t parameters, bytes;
    size_t layers; /* highest layer + 1 among the tensors' names */
    cJSON *config; /* config.json as it stands; NULL where there is none */
    /* config.json ties the head, and a head is stored that is not the embedding (head.h) */
    bool head_differs;
    ModelConfig model;
    Status model_status; /* STATUS_OK iff `model` can be run; otherwise model_error says why not */
    Error model_error;
} Checkpoint;

/* Opens a directory; what it may be in place of a model, and what is said of it, is in directory.h. The caller closes
 * the result; tensors live as long as it does. */
Status checkpoint_open(const char *directory, Checkpoint **checkpoint, Error *error) STATUS_MUST_CHECK;

/* Gives a tensor, whose shape is known, a name, which is borrowed, and what that says of it; whoever does so to one of a
 * checkpoint's calls checkpoint_sort_names() behind it. */
void checkpoint_name_tensor(Tensor *tensor, const char *name);
void checkpoint_sort_names(Checkpoint *checkpoint);

/* Puts one more tensor behind all others, of a checkpoint whose tensors nobody points to yet and that has no parts;
 * its name is borrowed. */
Status checkpoint_add_tensor(Checkpoint *checkpoint, const Tensor *tensor, Error *error) STATUS_MUST_CHECK;

/* Takes NULL. */
void checkpoint_close(Checkpoint *checkpoint);

/* The tensor of that name, or NULL. */
const Tensor *checkpoint_find_tensor(const Checkpoint *checkpoint, const char *name);

/* The tensor of that role (layer -1 for roles that are not layered), whatever its name; the first where there are
 * several, or NULL. */
const Tensor *checkpoint_find_role(const Checkpoint *checkpoint, TensorRole role, int layer);

/* The most common dtype, by bytes; DTYPE_UNKNOWN for a checkpoint without tensors. */
DType checkpoint_main_dtype(const Checkpoint *checkpoint);

/* How the tensor's dtype is called: "BF16", "F8_E4M3+scale", "MXFP4". */
const char *checkpoint_dtype_text(const Tensor *tensor);

/* Whether a file of that name goes with the tokenizer, rather than with the model. */
bool checkpoint_is_text_file(const char *name);

/* DIRECTORY/NAME in a block the caller frees; NULL when out of memory. Of an adapter it is base's, but for what belongs to
 * the tokenizer and is there (checkpoint_text_directory). */
char *checkpoint_path(const Checkpoint *checkpoint, const char *name);

/* The names that checkpoint_path() makes paths of. */
Status checkpoint_list(const Checkpoint *checkpoint, DirectoryListing *listing,
                       Error *error) STATUS_MUST_CHECK;

/* The directory whose tokenizer, and chat templates, are the checkpoint's. */
const char *checkpoint_text_directory(const Checkpoint *checkpoint);

/* Writes "[64 × 128]" (or with "x" where `ascii`). */
void checkpoint_format_shape(const Tensor *tensor, bool ascii, char *text, size_t size);

#endif
