#include "core/checkpoint/pair_pieces.h"

#include "core/checkpoint/tensor_values.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *const ENDINGS[] = {".q_conv1d.weight", ".k_conv1d.weight", ".v_conv1d.weight"};
enum { PIECES = sizeof ENDINGS / sizeof *ENDINGS, ENDING_BYTES = sizeof ".q_conv1d.weight" - 1 };

/* Of one convolution, in the order in which they are read. */
typedef struct Pieces {
    const Tensor *base[PIECES], *sft[PIECES];
} Pieces;

static bool begins_pieces(const Tensor *tensor) {
    size_t bytes = strlen(tensor->name);
    return tensor->role == TENSOR_CONVOLUTION && bytes > ENDING_BYTES &&
           strcmp(tensor->name + bytes - ENDING_BYTES, ENDINGS[0]) == 0;
}

/* The tensor of that name but for its ending; NULL where there is none. */
static const Tensor *find_piece(const Checkpoint *checkpoint, const char *first, const char *ending) {
    char *name = memory_format("%.*s%s", (int)(strlen(first) - ENDING_BYTES), first, ending);
    const Tensor *found = name != NULL ? checkpoint_find_tensor(checkpoint, name) : NULL;
    free(name);
    return found;
}

/* But for how many channels they have. */
static bool are_alike(const Tensor *a, const Tensor *b) {
    return a->rank == b->rank && a->rank > 0 &&
           memcmp(a->shape + 1, b->shape + 1, (a->rank - 1) * sizeof *a->shape) == 0;
}

static bool is_plain(const Tensor *tensor) {
    return dtype_is_float(tensor->dtype) && tensor_values_are_stored(tensor);
}

/* All three, of one dtype, with as many channels on both sides, but not all cut alike. */
static bool find_pieces(const Checkpoint *sft, const PairNames *names, const Tensor *first, Pieces *pieces) {
    uint64_t base_rows = 0, sft_rows = 0;
    bool differ = false;
    for (size_t i = 0; i < PIECES; i++) {
        const Tensor *own = find_piece(sft, first->name, ENDINGS[i]);
        const Tensor *base = own != NULL ? names->base_of[own - sft->tensors] : NULL;
        if (base == NULL || !is_plain(base) || !is_plain(own)) return false;
        if (i > 0 && base->dtype != pieces->base[0]->dtype) return false;
        if (!are_alike(base, first) || !are_alike(own, first)) return false;
        pieces->base[i] = base;
        pieces->sft[i] = own;
        differ = differ || base->shape[0] != own->shape[0];
        base_rows += base->shape[0]; /* each is in memory: the sum fits */
        sft_rows += own->shape[0];
    }
    return differ && base_rows == sft_rows;
}

static Status cut(const Checkpoint *sft, PairNames *names, const Pieces *pieces, PairPieces *made,
                  Error *error) {
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i < PIECES; i++) bytes += (size_t)pieces->base[i]->bytes;
    unsigned char *copy = memory_allocate(bytes, 1);
    if (copy == NULL) return memory_fail(error, "a convolution");
    made->copies[made->copy_count++] = copy;
    for (size_t i = 0; i < PIECES; at += (size_t)pieces->base[i++]->bytes)
        memcpy(copy + at, pieces->base[i]->data, (size_t)pieces->base[i]->bytes);
    at = 0;
    for (size_t i = 0; i < PIECES; i++) {
        const Tensor *own = pieces->sft[i];
        Tensor *piece = &made->tensors[made->count++];
        *piece = *pieces->base[i];
        memcpy(piece->shape, own->shape, sizeof piece->shape);
        piece->rows = own->rows;
        piece->columns = own->columns;
        piece->bytes = own->rows * own->columns * dtype_size(piece->dtype);
        piece->data = copy + at;
        at += (size_t)piece->bytes;
        names->base_of[own - sft->tensors] = piece;
    }
    return STATUS_OK;
}

Status pair_pieces_match(const Checkpoint *sft, PairNames *names, PairPieces *made, Error *error) {
    size_t count = 0;
    for (size_t i = 0; i < sft->tensor_count; i++) count += begins_pieces(&sft->tensors[i]);
    if (count == 0) return STATUS_OK;
    made->tensors = memory_allocate(count, PIECES * sizeof *made->tensors);
    made->copies = memory_allocate(count, sizeof *made->copies);
    if (made->tensors == NULL || made->copies == NULL) return memory_fail(error, "convolutions");
    Status status = STATUS_OK;
    for (size_t i = 0; i < sft->tensor_count && status == STATUS_OK; i++) {
        Pieces pieces = {0};
        if (begins_pieces(&sft->tensors[i]) && find_pieces(sft, names, &sft->tensors[i], &pieces))
            status = cut(sft, names, &pieces, made, error);
    }
    return status;
}

void pair_pieces_free(PairPieces *pieces) {
    for (size_t i = 0; i < pieces->copy_count; i++) free(pieces->copies[i]);
    free(pieces->copies);
    free(pieces->tensors);
    *pieces = (PairPieces){0};
}
