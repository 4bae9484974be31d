#include "core/checkpoint/pair.h"

#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- matching tensors ---- */

/* Opening reads headers: only small buffers (a rotary table's positions) are looked at, quantized weights are
 * not. */
enum { COMPARED_BYTES = 64 << 10 };

static bool same_beyond_rows(const Tensor *a, const Tensor *b) {
    return a->rank == b->rank && a->rank > 0 &&
           memcmp(a->shape + 1, b->shape + 1, (a->rank - 1) * sizeof *a->shape) == 0;
}

static bool same_shape(const Tensor *a, const Tensor *b) {
    return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

/* The tensor of `checkpoint` that plays the part of `name`, its embedding where its head is tied. */
static const Tensor *find_counterpart(const Checkpoint *checkpoint, const char *name, TensorRole role) {
    const Tensor *found = checkpoint_find_tensor(checkpoint, name);
    if (found == NULL && role == TENSOR_HEAD) found = checkpoint_find_role(checkpoint, TENSOR_EMBEDDING, -1);
    return found;
}

static Status judge_shapes(Pair *pair, PairTensor *tensor, Error *error) {
    char base[96], sft[96];
    checkpoint_format_shape(tensor->base, false, base, sizeof base);
    checkpoint_format_shape(tensor->sft, false, sft, sizeof sft);
    bool rows_only = same_beyond_rows(tensor->base, tensor->sft);
    bool vocabulary = tensor->role == TENSOR_EMBEDDING || tensor->role == TENSOR_HEAD;
    if (rows_only && vocabulary && tensor->sft->shape[0] > tensor->base->shape[0])
        return finding_add(&pair->findings, SEVERITY_NOTE, tensor->name, error,
                           "SFT enlarged the vocabulary: base %s, SFT %s; rows that base lacks stay SFT's",
                           base, sft);
    if (rows_only && vocabulary)
        return finding_add(&pair->findings, SEVERITY_WARNING, tensor->name, error,
                           "base has more rows: base %s, SFT %s; its further rows are left out", base, sft);
    tensor->is_fused = false;
    return finding_add(&pair->findings, SEVERITY_ERROR, tensor->name, error,
                       "expected one shape, found base %s, SFT %s", base, sft);
}

static Status judge_lone_tensor(Pair *pair, PairTensor *tensor, Error *error) {
    tensor->is_fused = false;
    if (tensor->role == TENSOR_OTHER)
        return finding_add(&pair->findings, SEVERITY_NOTE, tensor->name, error,
                           "only in SFT: copied from there");
    return finding_add(&pair->findings, SEVERITY_ERROR, tensor->name, error, "missing in base");
}

static Status match_tensor(Pair *pair, const Tensor *sft, Error *error) {
    PairTensor *tensor = &pair->tensors[pair->count++];
    *tensor =
        (PairTensor){.name = sft->name, .sft = sft, .role = sft->role, .layer = sft->layer, .is_fused = true};
    tensor->base = find_counterpart(pair->base, sft->name, sft->role);
    if (tensor->base == NULL) return judge_lone_tensor(pair, tensor, error);
    if (!dtype_is_float(sft->dtype) || !dtype_is_float(tensor->base->dtype)) {
        tensor->is_fused = false;
        bool equal = sft->dtype == tensor->base->dtype && sft->bytes == tensor->base->bytes &&
                     sft->bytes <= COMPARED_BYTES && memcmp(sft->data, tensor->base->data, sft->bytes) == 0;
        return equal ? STATUS_OK
                     : finding_add(&pair->findings, SEVERITY_NOTE, tensor->name, error,
                                   "%s cannot be blended: copied from SFT", dtype_name(sft->dtype));
    }
    if (!same_shape(sft, tensor->base)) return judge_shapes(pair, tensor, error);
    return STATUS_OK;
}

static Status match_tensors(Pair *pair, Error *error) {
    size_t capacity;
    if (!memory_add(pair->sft->tensor_count, 1, &capacity)) return memory_fail(error, "the pair");
    pair->tensors = memory_allocate(capacity, sizeof *pair->tensors);
    if (pair->tensors == NULL) return memory_fail(error, "the pair");
    Status status = STATUS_OK;
    for (size_t i = 0; i < pair->sft->tensor_count && status == STATUS_OK; i++)
        status = match_tensor(pair, &pair->sft->tensors[i], error);
    for (size_t i = 0; i < pair->base->tensor_count && status == STATUS_OK; i++) {
        const Tensor *base = &pair->base->tensors[i];
        if (checkpoint_find_tensor(pair->sft, base->name) != NULL) continue;
        const Tensor *embedding = checkpoint_find_role(pair->sft, TENSOR_EMBEDDING, -1);
        bool base_is_tied = pair->base->model_status == STATUS_OK && pair->base->model.tied_head;
        if (base->role == TENSOR_HEAD && base_is_tied) {
            status = finding_add(&pair->findings, SEVERITY_NOTE, base->name, error,
                                 "base stores a head that it ties: left out");
        } else if (base->role == TENSOR_HEAD && embedding != NULL) {
            /* SFT's head is tied, base's is not: the embedding of SFT meets the head of base */
            PairTensor *head = &pair->tensors[pair->count++];
            *head = (PairTensor){base->name, base, embedding, TENSOR_HEAD, -1, true};
            pair->unties_head = true;
            status = finding_add(&pair->findings, SEVERITY_WARNING, base->name, error,
                                 "tied in SFT, not in base: the fused model gets a head of its own");
            if (status == STATUS_OK && !same_shape(base, embedding)) status = judge_shapes(pair, head, error);
        } else {
            status = finding_add(&pair->findings, base->role == TENSOR_OTHER ? SEVERITY_NOTE : SEVERITY_ERROR,
                                 base->name, error,
                                 base->role == TENSOR_OTHER ? "only in base: left out" : "missing in SFT");
        }
    }
    return status;
}

static Status index_roles(Pair *pair, Error *error) {
    Status status = role_index_reserve(&pair->roles, pair->count, error);
    for (size_t i = 0; i < pair->count && status == STATUS_OK; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        role_index_add(&pair->roles, (RoleEntry){tensor->role, tensor->layer, tensor->sft->is_bias, i});
    }
    if (status == STATUS_OK) role_index_sort(&pair->roles);
    return status;
}

/* ---- comparing what config.json says ---- */

static Status compare_number(Pair *pair, const char *key, double base, double sft, Severity severity,
                             Error *error) {
    if (base == sft) return STATUS_OK;
    return finding_add(&pair->findings, severity, key, error, "base %g, SFT %g", base, sft);
}

static Status compare_configs(Pair *pair, Error *error) {
    const Checkpoint *sides[] = {pair->base, pair->sft};
    for (int i = 0; i < 2; i++) {
        if (sides[i]->model_status == STATUS_OK) continue;
        Status status = finding_add(&pair->findings, SEVERITY_WARNING, "config.json", error,
                                    "no previews: %s", sides[i]->model_error.message);
        if (status != STATUS_OK) return status;
    }
    if (pair->base->model_status != STATUS_OK || pair->sft->model_status != STATUS_OK) return STATUS_OK;
    const ModelConfig *base = &pair->base->model, *sft = &pair->sft->model;
    Status status = STATUS_OK;
    if (base->architecture != sft->architecture)
        status = finding_add(&pair->findings, SEVERITY_ERROR, "model_type", error, "base %s, SFT %s",
                             architecture_name(base->architecture), architecture_name(sft->architecture));
    const struct {
        const char *key;
        double base, sft;
        Severity severity;
    } figures[] = {
        {"num_hidden_layers", (double)base->layers, (double)sft->layers, SEVERITY_ERROR},
        {"hidden_size", (double)base->hidden_size, (double)sft->hidden_size, SEVERITY_ERROR},
        {"num_attention_heads", (double)base->heads, (double)sft->heads, SEVERITY_ERROR},
        {"num_key_value_heads", (double)base->kv_heads, (double)sft->kv_heads, SEVERITY_ERROR},
        {"head_dim", (double)base->head_dim, (double)sft->head_dim, SEVERITY_ERROR},
        {"hidden_act", base->activation, sft->activation, SEVERITY_ERROR},
        {"rms_norm_eps", base->norm_epsilon, sft->norm_epsilon, SEVERITY_WARNING},
        {"rope_theta", base->rope.theta, sft->rope.theta, SEVERITY_WARNING},
        {"rope_type", base->rope.kind, sft->rope.kind, SEVERITY_WARNING},
        {"rope_factor", base->rope.factor, sft->rope.factor, SEVERITY_WARNING},
        {"rope_low_freq_factor", base->rope.low_frequency, sft->rope.low_frequency, SEVERITY_WARNING},
        {"rope_high_freq_factor", base->rope.high_frequency, sft->rope.high_frequency, SEVERITY_WARNING},
        {"rope_original_length", base->rope.original_length, sft->rope.original_length, SEVERITY_WARNING},
        {"sliding_window", (double)base->window, (double)sft->window, SEVERITY_WARNING},
        {"max_position_embeddings", (double)base->max_positions, (double)sft->max_positions, SEVERITY_NOTE},
        {"vocab_size", (double)base->vocabulary, (double)sft->vocabulary, SEVERITY_NOTE},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures && status == STATUS_OK; i++)
        status =
            compare_number(pair, figures[i].key, figures[i].base, figures[i].sft, figures[i].severity, error);
    return status;
}

Status pair_open(const char *base_directory, const char *sft_directory, Pair **pair, Error *error) {
    *pair = NULL;
    Pair *opened = memory_allocate(1, sizeof *opened);
    if (opened == NULL) return memory_fail(error, "the pair");
    Status status = checkpoint_open(base_directory, &opened->base, error);
    if (status == STATUS_OK) status = checkpoint_open(sft_directory, &opened->sft, error);
    if (status == STATUS_OK) status = match_tensors(opened, error);
    if (status == STATUS_OK) status = index_roles(opened, error);
    if (status == STATUS_OK) status = compare_configs(opened, error);
    if (status != STATUS_OK) {
        pair_close(opened);
        return status;
    }
    *pair = opened;
    return STATUS_OK;
}

void pair_close(Pair *pair) {
    if (pair == NULL) return;
    finding_free(&pair->findings);
    free(pair->tensors);
    role_index_free(&pair->roles);
    checkpoint_close(pair->base);
    checkpoint_close(pair->sft);
    free(pair);
}

Status pair_check(const Pair *pair, Error *error) {
    const Finding *first = finding_first_error(&pair->findings);
    if (first == NULL) return STATUS_OK;
    size_t errors = finding_count(&pair->findings, SEVERITY_ERROR);
    return status_fail(error, STATUS_MISMATCH, "%s: %s (%zu mismatch%s between %s and %s)", first->subject,
                       first->text, errors, errors == 1 ? "" : "es", pair->base->directory,
                       pair->sft->directory);
}

const PairTensor *pair_find_tensor(const Pair *pair, const char *name) {
    const Tensor *sft = checkpoint_find_tensor(pair->sft, name);
    /* the SFT tensors come first and in order; what follows is a head that SFT does not store */
    if (sft != NULL) return &pair->tensors[sft - pair->sft->tensors];
    for (size_t i = pair->sft->tensor_count; i < pair->count; i++) {
        if (strcmp(pair->tensors[i].name, name) == 0) return &pair->tensors[i];
    }
    return NULL;
}

const PairTensor *pair_find_role(const Pair *pair, TensorRole role, int layer) {
    const RoleEntry *found = role == TENSOR_OTHER ? NULL : role_index_find(&pair->roles, role, layer, NULL);
    return found == NULL ? NULL : &pair->tensors[found->tensor];
}
