#include "core/checkpoint/quantization_internal.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is assumed where no configuration tells the blocks: every published format has these. */
enum { USUAL_BLOCK = 128, NOT_FOUND = -1 };

/* How the scales of NAME are called: the name without `weight`, then with `scale`. `weight_scale` is compressed-tensors',
 * which rounds to the type of the scales. */
static const struct {
    const char *weight, *scale;
    bool rounds;
} SCALE_NAMES[] = {
    {"", "_scale_inv", false},         {"", "_scale", true},
    {"weight", "scale", false},        {"weight", "qscale_weight", false},
    {"weight", "scale_weight", false},
};

/* What a search through the tensors came to. */
typedef struct Search {
    Checkpoint *checkpoint;
    const uint64_t *block;
    const char *place;
    ptrdiff_t *scale_of; /* [tensors]: index of the tensor's scales, or NOT_FOUND */
    bool *rounds;        /* [tensors] */
    bool *is_part;       /* [tensors] */
    size_t scaled;
    size_t unscaled; /* an 8-bit float without scales, or tensor_count */
} Search;

static bool is_code(const Tensor *tensor) {
    return tensor->dtype == DTYPE_F8_E4M3 || tensor->dtype == DTYPE_F8_E5M2;
}

static bool is_scale_dtype(DType dtype) {
    return dtype == DTYPE_F32 || dtype == DTYPE_F16 || dtype == DTYPE_BF16 || dtype == DTYPE_F8_E8M0 ||
           dtype == DTYPE_U8;
}

/* ---- which are whose ---- */

static const Tensor *find_scale(const Checkpoint *checkpoint, const Tensor *weight, bool *rounds) {
    char name[512];
    for (size_t i = 0; i < sizeof SCALE_NAMES / sizeof *SCALE_NAMES; i++) {
        if (!tensor_name_ends_with(weight->name, SCALE_NAMES[i].weight)) continue;
        int stem = (int)(strlen(weight->name) - strlen(SCALE_NAMES[i].weight));
        int length = snprintf(name, sizeof name, "%.*s%s", stem, weight->name, SCALE_NAMES[i].scale);
        if (length < 0 || (size_t)length >= sizeof name) continue;
        const Tensor *found = checkpoint_find_tensor(checkpoint, name);
        *rounds = SCALE_NAMES[i].rounds;
        if (found != NULL) return found;
    }
    return NULL;
}

static void find_scales(Search *search) {
    const Checkpoint *checkpoint = search->checkpoint;
    search->unscaled = checkpoint->tensor_count;
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        const Tensor *weight = &checkpoint->tensors[i];
        search->scale_of[i] = NOT_FOUND;
        if (!is_code(weight) || weight->rank == 0) continue;
        bool rounds;
        const Tensor *scale = find_scale(checkpoint, weight, &rounds);
        if (scale == NULL) {
            if (weight->rank > 1) search->unscaled = i;
            continue;
        }
        search->scale_of[i] = scale - checkpoint->tensors;
        search->rounds[i] = rounds;
        search->is_part[scale - checkpoint->tensors] = true;
        search->scaled++;
    }
}

/* ---- the grid ---- */

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

static bool fits_blocks(const TensorScale *scale, uint64_t rows, uint64_t columns) {
    return rows > 0 && columns > 0 && divide_up(scale->rows, rows) == scale->grid_rows &&
           divide_up(scale->columns, columns) == scale->grid_columns;
}

/* The scales' shape without the ones that a format puts between (ModelOpt: [r, 1, c, 1]); as many dimensions as the
 * weight has stay. */
static unsigned squeeze(const Tensor *scales, unsigned rank, uint64_t shape[SAFETENSORS_MAX_RANK]) {
    unsigned kept = 0;
    for (unsigned i = 0; i < scales->rank; i++) {
        bool is_surplus = scales->shape[i] == 1 && scales->rank - i + kept > rank;
        if (!is_surplus) shape[kept++] = scales->shape[i];
    }
    return kept;
}

/* The grid over each matrix; false where the shapes do not belong together. */
static bool lay_grid(const Tensor *weight, const Tensor *scales, TensorScale *scale) {
    uint64_t shape[SAFETENSORS_MAX_RANK] = {0};
    unsigned rank = squeeze(scales, weight->rank, shape), leading = weight->rank > 2 ? weight->rank - 2 : 0;
    uint64_t elements = scales->bytes / dtype_size(scales->dtype);
    scale->columns = weight->shape[weight->rank - 1];
    scale->rows = weight->rank > 1 ? weight->shape[weight->rank - 2] : 1;
    scale->grid_rows = scale->grid_columns = 1;
    if (elements == 1) { /* one for all: the matrices are one */
        scale->rows = weight->rows * weight->columns / (scale->columns > 0 ? scale->columns : 1);
        return true;
    }
    if (weight->rank == 2 && rank == 1) { /* one a row */
        scale->grid_rows = shape[0];
        return shape[0] == scale->rows;
    }
    for (unsigned i = 0; i < leading; i++)
        if (i >= rank || shape[i] != weight->shape[i]) return false;
    if (rank == leading) return true; /* one a matrix */
    if (rank != weight->rank || rank < 2) return false;
    scale->grid_rows = shape[rank - 2];
    scale->grid_columns = shape[rank - 1];
    return true;
}

/* The blocks that the configuration names, or the usual ones, whose last may be cut; else the grid divides the matrix
 * evenly: one scale, one a row, one for so many columns. */
static bool choose_blocks(TensorScale *scale, const uint64_t block[2]) {
    if (scale->rows == 0 || scale->columns == 0) {
        scale->block_rows = scale->block_columns = 1; /* nothing is read */
        return true;
    }
    bool is_declared = fits_blocks(scale, block[0], block[1]);
    if (is_declared || fits_blocks(scale, USUAL_BLOCK, USUAL_BLOCK)) {
        scale->block_rows = is_declared ? block[0] : USUAL_BLOCK;
        scale->block_columns = is_declared ? block[1] : USUAL_BLOCK;
        return true;
    }
    if (scale->grid_rows == 0 || scale->grid_columns == 0 || scale->rows % scale->grid_rows != 0 ||
        scale->columns % scale->grid_columns != 0)
        return false;
    scale->block_rows = scale->rows / scale->grid_rows;
    scale->block_columns = scale->columns / scale->grid_columns;
    return true;
}

/* ---- what is wrong with them ---- */

static void refuse(const Search *search, const Tensor *tensor, const char *why) {
    Quantization *found = &search->checkpoint->quantization;
    found->kind = QUANTIZATION_CODES;
    (void)snprintf(found->text, sizeof found->text, "8-bit floats; tensor %.200s: %.200s", tensor->name, why);
    found->status = status_fail(&found->error, STATUS_FORMAT, "%s: tensor %s: %s",
                                search->checkpoint->directory, tensor->name, why);
    search->checkpoint->model_status = found->status;
    search->checkpoint->model_error = found->error;
}

static void refuse_unscaled(const Search *search) {
    const Tensor *weight = &search->checkpoint->tensors[search->unscaled];
    char why[384];
    (void)snprintf(
        why, sizeof why,
        "expected scales beside it (%.100s_scale_inv, or _scale), because %s%s; found none, and codes "
        "without scales are no weights",
        weight->name, search->scaled > 0 ? "other weights have some" : search->place,
        search->scaled > 0 ? "" : " says that weights are quantised");
    refuse(search, weight, why);
}

static void refuse_shape(const Search *search, const Tensor *weight, const Tensor *scales) {
    char codes[96], found[96], why[384];
    checkpoint_format_shape(weight, false, codes, sizeof codes);
    checkpoint_format_shape(scales, false, found, sizeof found);
    uint64_t rows = search->block[0] > 0 ? search->block[0] : USUAL_BLOCK;
    uint64_t columns = search->block[1] > 0 ? search->block[1] : USUAL_BLOCK;
    (void)snprintf(why, sizeof why,
                   "expected, for its %.60s, scales for blocks of %" PRIu64 " × %" PRIu64
                   ", one a row or one in all; found %.60s in %.100s",
                   codes, rows, columns, found, scales->name);
    refuse(search, weight, why);
}

static void refuse_dtype(const Search *search, const Tensor *weight, const Tensor *scales) {
    char why[384];
    (void)snprintf(why, sizeof why, "expected scales of F32, F16, BF16, F8_E8M0 or U8, found %s in %.200s",
                   scales->dtype_name, scales->name);
    refuse(search, weight, why);
}

/* Weights that are no codes, and yet have scales: whether those were multiplied in, nobody can tell. */
static bool refuse_ambiguous(const Search *search) {
    static const char ENDING[] = "_scale_inv";
    const Checkpoint *checkpoint = search->checkpoint;
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        const Tensor *scales = &checkpoint->tensors[i];
        if (search->is_part[i] || !tensor_name_ends_with(scales->name, ENDING)) continue;
        char name[512], why[384];
        int stem = (int)(strlen(scales->name) - (sizeof ENDING - 1));
        int length = snprintf(name, sizeof name, "%.*s", stem, scales->name);
        const Tensor *weight =
            length >= 0 && (size_t)length < sizeof name ? checkpoint_find_tensor(checkpoint, name) : NULL;
        if (weight == NULL || is_code(weight)) continue;
        (void)snprintf(
            why, sizeof why,
            "expected 8-bit floats, because it has scales (%.200s), found %s: whether those are multiplied "
            "in already cannot be told",
            scales->name, weight->dtype_name);
        refuse(search, weight, why);
        return true;
    }
    return false;
}

/* ---- building ---- */

/* The tensor's scale, in checkpoint->scales; false where it was refused. */
static bool build_scale(const Search *search, Tensor *weight, const Tensor *scales, bool rounds,
                        TensorScale *scale) {
    *scale = (TensorScale){.tensor = scales, .product = DTYPE_F32};
    if (!is_scale_dtype(scales->dtype)) {
        refuse_dtype(search, weight, scales);
        return false;
    }
    if (!lay_grid(weight, scales, scale) || !choose_blocks(scale, search->block)) {
        refuse_shape(search, weight, scales);
        return false;
    }
    if (rounds && dtype_size(scales->dtype) == 2) scale->product = scales->dtype;
    weight->scale = scale;
    return true;
}

static Status build_scales(Search *search, Error *error) {
    Checkpoint *checkpoint = search->checkpoint;
    size_t count = checkpoint->tensor_count, built = 0;
    size_t *place_of = memory_allocate(count, sizeof *place_of);
    checkpoint->scales = memory_allocate(search->scaled, sizeof *checkpoint->scales);
    Status status = place_of == NULL || checkpoint->scales == NULL
                        ? memory_fail(error, checkpoint->directory)
                        : quantization_move_parts(checkpoint, search->is_part, place_of, error);
    for (size_t i = 0; i < count && status == STATUS_OK && checkpoint->quantization.status == STATUS_OK;
         i++) {
        if (search->scale_of[i] == NOT_FOUND) continue;
        const Tensor *scales = &checkpoint->tensors[place_of[search->scale_of[i]]];
        if (build_scale(search, &checkpoint->tensors[place_of[i]], scales, search->rounds[i],
                        &checkpoint->scales[built]))
            built++;
    }
    free(place_of);
    return status;
}

static void describe_blocks(const TensorScale *scale, char *text, size_t size) {
    bool has_whole_rows = scale->block_columns >= scale->columns;
    if (scale->grid_rows == 1 && scale->grid_columns == 1)
        (void)snprintf(text, size, "one a matrix");
    else if (has_whole_rows && scale->block_rows == 1)
        (void)snprintf(text, size, "one a row");
    else
        (void)snprintf(text, size, "one for %" PRIu64 " × %" PRIu64, scale->block_rows, scale->block_columns);
}

/* The first that says most: a matrix smaller than a block has one scale whatever the blocks are. */
static const TensorScale *most_telling(const Checkpoint *checkpoint, size_t scaled) {
    const TensorScale *telling = &checkpoint->scales[0];
    for (size_t i = 1; i < scaled; i++) {
        const TensorScale *other = &checkpoint->scales[i];
        if (telling->grid_rows * telling->grid_columns == 1 && other->grid_rows * other->grid_columns > 1)
            telling = other;
    }
    return telling;
}

static void say_what_is_read(const Search *search) {
    Quantization *found = &search->checkpoint->quantization;
    const TensorScale *scale = most_telling(search->checkpoint, search->scaled);
    char blocks[96];
    describe_blocks(scale, blocks, sizeof blocks);
    size_t used = strlen(found->text); /* of others that were read before */
    found->kind = QUANTIZATION_SCALED;
    found->scaled = search->scaled;
    (void)snprintf(found->text + used, sizeof found->text - used,
                   "%s%zu tensor%s read as code × scale: 8-bit floats with scales (%s of %s, %s)",
                   used > 0 ? ", " : "", search->scaled, search->scaled == 1 ? " is" : "s are", blocks,
                   scale->tensor->dtype_name, *search->place != '\0' ? search->place : "by their names");
}

static Status scale_tensors(Search *search, Error *error) {
    find_scales(search);
    bool is_declared = *search->place != '\0';
    if (search->unscaled < search->checkpoint->tensor_count && (search->scaled > 0 || is_declared)) {
        refuse_unscaled(search);
        return STATUS_OK;
    }
    if (refuse_ambiguous(search) || search->scaled == 0) return STATUS_OK;
    quantization_mark_activations(search->checkpoint, search->is_part);
    Status status = build_scales(search, error);
    if (status == STATUS_OK && search->checkpoint->quantization.status == STATUS_OK) say_what_is_read(search);
    return status;
}

Status quantization_scale_tensors(Checkpoint *checkpoint, const uint64_t block[2], const char *place,
                                  Error *error) {
    size_t count = checkpoint->tensor_count;
    Search search = {.checkpoint = checkpoint,
                     .block = block,
                     .place = place,
                     .scale_of = memory_allocate(count, sizeof *search.scale_of),
                     .rounds = memory_allocate(count, sizeof *search.rounds),
                     .is_part = memory_allocate(count, sizeof *search.is_part)};
    bool has_memory = search.scale_of != NULL && search.rounds != NULL && search.is_part != NULL;
    Status status = has_memory ? scale_tensors(&search, error) : memory_fail(error, checkpoint->directory);
    free(search.scale_of);
    free(search.rounds);
    free(search.is_part);
    return status;
}
