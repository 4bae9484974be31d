#include "core/checkpoint/pair_match.h"

#include "core/checkpoint/head.h"
#include "core/checkpoint/pair_report.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* Opening reads headers: only small buffers (a rotary table's positions) are looked at, quantized weights are
 * not. */
enum { COMPARED_BYTES = 64 << 10 };

typedef struct Match {
    Pair *pair;
    PairReport *report;
    Head base, sft;
} Match;

static bool same_shape(const Tensor *a, const Tensor *b) {
    return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

/* Learned, and of a kind that can be blended. */
static bool counts(const Tensor *tensor) {
    return dtype_is_float(tensor->dtype) && tensor->role != TENSOR_BUFFER;
}

static uint64_t count_elements(const Tensor *tensor) {
    return tensor->rows * tensor->columns;
}

/* ---- tensors of SFT ---- */

static Status judge_shapes(Match *match, PairTensor *tensor, Error *error) {
    char base[96], sft[96];
    checkpoint_format_shape(tensor->base, false, base, sizeof base);
    checkpoint_format_shape(tensor->sft, false, sft, sizeof sft);
    bool vocabulary = pair_names_shapes_agree(tensor->base, tensor->sft); /* though not the same */
    if (vocabulary && tensor->sft->shape[0] > tensor->base->shape[0])
        return pair_report_add(
            match->report, SEVERITY_NOTE, tensor->sft, error,
            "SFT enlarged the vocabulary: base %s, SFT %s; rows that base lacks stay SFT's", base, sft);
    if (vocabulary)
        return pair_report_add(match->report, SEVERITY_WARNING, tensor->sft, error,
                               "base has more rows: base %s, SFT %s; its further rows are left out", base,
                               sft);
    tensor->is_fused = false;
    return pair_report_add(match->report, SEVERITY_ERROR, tensor->sft, error,
                           "expected one shape, found base %s, SFT %s", base, sft);
}

/* Types that no blend knows are rare, so that their bytes may be read while opening; whole numbers may be a model's. */
static bool is_equal(const Tensor *a, const Tensor *b) {
    bool is_exotic = a->dtype >= DTYPE_C64;
    return strcmp(a->dtype_name, b->dtype_name) == 0 && same_shape(a, b) && a->bytes == b->bytes &&
           (is_exotic || a->bytes <= COMPARED_BYTES) && memcmp(a->data, b->data, a->bytes) == 0;
}

static Status judge_codes(Match *match, const PairTensor *tensor, Error *error) {
    const Tensor *base = tensor->base, *sft = tensor->sft;
    if (is_equal(sft, base)) return STATUS_OK;
    return pair_report_add(match->report, SEVERITY_NOTE, sft, error, "%s cannot be blended: copied from SFT",
                           dtype_is_float(sft->dtype) ? base->dtype_name : sft->dtype_name);
}

/* The tensor of base that plays the part of one of SFT's that no name meets: where one model ties its head, its
 * embedding is both. */
static const Tensor *find_stand_in(const Match *match, const Tensor *sft) {
    if (sft->role == TENSOR_HEAD && match->sft.kind != HEAD_NONE) return match->base.matrix;
    return sft == match->sft.embedding ? match->base.embedding : NULL;
}

/* SFT ties its head and yet stores it, base has another: what is blended is no copy of the embedding. */
static Status untie_stored_head(Match *match, const PairTensor *tensor, Error *error) {
    bool is_head = tensor->role == TENSOR_HEAD && match->sft.kind == HEAD_TIED;
    if (!is_head || match->base.kind != HEAD_OWN || tensor->base != match->base.matrix) return STATUS_OK;
    match->pair->unties_head = true;
    return finding_add(&match->pair->findings, SEVERITY_WARNING, tensor->name, error,
                       "tied in SFT, not in base: the fused model gets a head of its own");
}

static void count_tensor(PairShare *share, const PairTensor *tensor) {
    if (!counts(tensor->sft)) return;
    uint64_t elements = count_elements(tensor->sft);
    *(tensor->is_fused ? &share->blended : &share->copied) += elements;
    *(tensor->is_fused ? &share->blended_tensors : &share->copied_tensors) += 1;
}

static Status match_tensor(Match *match, size_t index, Error *error) {
    Pair *pair = match->pair;
    const Tensor *sft = &pair->sft->tensors[index];
    PairTensor *tensor = &pair->tensors[pair->count++];
    *tensor =
        (PairTensor){.name = sft->name, .sft = sft, .role = sft->role, .layer = sft->layer, .is_fused = true};
    tensor->base = pair->names.base_of[index];
    if (tensor->base == NULL) tensor->base = find_stand_in(match, sft);
    tensor->is_tied_copy = sft->role == TENSOR_HEAD && sft != match->sft.matrix &&
                           match->sft.kind == HEAD_TIED && match->base.kind == HEAD_TIED;
    Status status = STATUS_OK;
    if (tensor->base == NULL) {
        tensor->is_fused = false;
        status = pair_report_add(match->report, counts(sft) ? SEVERITY_WARNING : SEVERITY_NOTE, sft, error,
                                 "only in SFT: copied from there");
    } else if (!dtype_is_float(sft->dtype) || !dtype_is_float(tensor->base->dtype)) {
        tensor->is_fused = false;
        status = judge_codes(match, tensor, error);
    } else if (!same_shape(sft, tensor->base)) {
        status = judge_shapes(match, tensor, error);
    }
    count_tensor(&pair->share, tensor);
    return status == STATUS_OK ? untie_stored_head(match, tensor, error) : status;
}

/* ---- tensors that only base has ---- */

/* SFT ties its head, base does not: the embedding of SFT meets the head of base. */
static Status untie_head(Match *match, const Tensor *base, Error *error) {
    Pair *pair = match->pair;
    PairTensor *head = &pair->tensors[pair->count++];
    *head = (PairTensor){.name = base->name,
                         .base = base,
                         .sft = match->sft.embedding,
                         .role = TENSOR_HEAD,
                         .layer = -1,
                         .is_fused = true};
    pair->unties_head = true;
    Status status = finding_add(&pair->findings, SEVERITY_WARNING, base->name, error,
                                "tied in SFT, not in base: the fused model gets a head of its own");
    if (status == STATUS_OK && !same_shape(base, head->sft)) status = judge_shapes(match, head, error);
    return status;
}

static Status judge_base_tensor(Match *match, size_t index, Error *error) {
    Pair *pair = match->pair;
    const Tensor *base = &pair->base->tensors[index];
    if (pair->names.is_met[index]) return STATUS_OK;
    bool is_tied =
        match->base.kind == HEAD_TIED && (base->role == TENSOR_HEAD || base->role == TENSOR_EMBEDDING);
    if (is_tied && base == match->base.matrix && match->sft.kind != HEAD_NONE)
        return STATUS_OK; /* a stand-in */
    if (is_tied && base != match->base.matrix)
        return finding_add(&pair->findings, SEVERITY_NOTE, base->name, error,
                           "base stores a head that it ties: left out");
    if (base == match->base.matrix && match->sft.kind == HEAD_TIED) return untie_head(match, base, error);
    if (counts(base)) {
        pair->share.missing += count_elements(base);
        pair->share.missing_tensors++;
        pair->is_left_out[index] = true;
    }
    return pair_report_add(match->report, counts(base) ? SEVERITY_WARNING : SEVERITY_NOTE, base, error,
                           "only in base: left out");
}

/* ---- what is said of all ---- */

static Status tell_head(Match *match, const char *side, const Head *head, Error *error) {
    FindingList *findings = &match->pair->findings;
    if (head->differs)
        return finding_add(
            findings, SEVERITY_WARNING, "tie_word_embeddings", error,
            "%s: true in config.json, but %s is not the embedding: not tied, as in transformers 5 "
            "(4 would tie it); the export says false",
            side, head->matrix->name);
    if (head->kind == HEAD_NONE && match->pair->base->tensor_count > 0 && head->embedding != NULL)
        return finding_add(findings, SEVERITY_NOTE, "lm_head", error,
                           "%s has none, and config.json does not tie it: no logits, so no previews", side);
    return STATUS_OK;
}

/* What programs put before every name when they save a model that is still wrapped; no loader takes it off. */
static const struct {
    const char *prefix, *from;
} WRAPPERS[] = {{"_orig_mod.", "torch.compile"},
                {"module.", "DataParallel"},
                {"base_model.model.", "PEFT"},
                {"_fsdp_wrapped_module.", "FSDP"},
                {"_forward_module.", "Fabric"}};

static Status tell_wrapper(Pair *pair, const char *side, const Checkpoint *checkpoint, Error *error) {
    for (size_t i = 0; i < sizeof WRAPPERS / sizeof *WRAPPERS; i++) {
        size_t count = 0, bytes = strlen(WRAPPERS[i].prefix);
        for (size_t j = 0; j < checkpoint->tensor_count; j++)
            count += strncmp(checkpoint->tensors[j].name, WRAPPERS[i].prefix, bytes) == 0;
        if (count == 0) continue;
        pair->has_wrapper = true;
        return finding_add(
            &pair->findings, SEVERITY_WARNING, "names", error,
            "%s: %zu of %zu names have the prefix \"%s\" of %s: transformers would find none of them; an "
            "export keeps SFT's names",
            side, count, checkpoint->tensor_count, WRAPPERS[i].prefix, WRAPPERS[i].from);
    }
    return STATUS_OK;
}

static Status tell_renames(const Pair *pair, FindingList *findings, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < pair->names.rename_count && status == STATUS_OK; i++) {
        const PairRename *rename = &pair->names.renames[i];
        const char *plural = rename->tensors == 1 ? "" : "s";
        bool in_sft = rename->base[0] == '\0';
        if (in_sft || rename->sft[0] == '\0')
            status = finding_add(findings, SEVERITY_NOTE, "names", error,
                                 "%s has the prefix \"%s\" before %s's names: %zu tensor%s meet so",
                                 in_sft ? "SFT" : "base", in_sft ? rename->sft : rename->base,
                                 in_sft ? "base" : "SFT", rename->tensors, plural);
        else
            status = finding_add(findings, SEVERITY_NOTE, "names", error,
                                 "the prefix \"%s\" of base is \"%s\" in SFT: %zu tensor%s meet so",
                                 rename->base, rename->sft, rename->tensors, plural);
    }
    if (status == STATUS_OK && pair->names.by_role > 0)
        status =
            finding_add(findings, SEVERITY_NOTE, "names", error,
                        "%zu tensors of other names meet by role, layer and expert", pair->names.by_role);
    if (status == STATUS_OK && pair->experts.met > 0)
        status = finding_add(
            findings, SEVERITY_NOTE, "experts", error,
            "%zu tensors of SFT meet slices of base's: one side stores experts as one tensor, the "
            "other one by one",
            pair->experts.met);
    if (status == STATUS_OK && pair->pieces.count > 0)
        status = finding_add(
            findings, SEVERITY_NOTE, "convolutions", error,
            "%zu pieces of convolutions are of other channels in base than in SFT (transformers saves even thirds): base's "
            "are cut as SFT's are",
            pair->pieces.count);
    return status;
}

/* A share that is not 100 % must not look it. */
static Status tell_share(const Pair *pair, FindingList *findings, Error *error) {
    const PairShare *share = &pair->share;
    const char *base = pair->base->tensor_count > 0 ? pair->base->tensors[0].name : "nothing";
    const char *sft = pair->sft->tensor_count > 0 ? pair->sft->tensors[0].name : "nothing";
    if (share->blended == 0)
        return finding_add(findings, SEVERITY_ERROR, "names", error,
                           "expected numbers of one name in both, found none to blend: base has %s, SFT %s",
                           base, sft);
    if (pair_share_is_whole(&pair->share)) return STATUS_OK;
    return finding_add(
        findings, SEVERITY_WARNING, "share", error,
        "%.4g %% of SFT's elements are blended; tensors that are not: %zu of SFT's, to be copied, %zu of base's, to "
        "be left out",
        pair_share_percent(share), share->copied_tensors, share->missing_tensors);
}

/* What was learned is in the adapter: blending what it stands on would pass by it. */
static Status refuse_adapter(Match *match, const char *side, const Checkpoint *checkpoint, Error *error) {
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        if (checkpoint->tensors[i].role != TENSOR_ADAPTER) continue;
        match->pair->has_adapter = true;
        return finding_add(&match->pair->findings, SEVERITY_ERROR, checkpoint->tensors[i].name, error,
                           "%s holds an adapter that is not merged: model = model.merge_and_unload() of PEFT "
                           "before model.save_pretrained()",
                           side);
    }
    return STATUS_OK;
}

static Status match_all(Match *match, Error *error) {
    Pair *pair = match->pair;
    Status status = pair_names_match(pair->base, pair->sft, &pair->names, error);
    if (status == STATUS_OK)
        status = pair_experts_match(pair->base, pair->sft, &pair->names, &pair->experts, error);
    if (status == STATUS_OK) status = pair_pieces_match(pair->sft, &pair->names, &pair->pieces, error);
    for (size_t i = 0; i < pair->sft->tensor_count && status == STATUS_OK; i++)
        status = match_tensor(match, i, error);
    for (size_t i = 0; i < pair->base->tensor_count && status == STATUS_OK; i++)
        status = judge_base_tensor(match, i, error);
    if (status == STATUS_OK) status = refuse_adapter(match, "base", pair->base, error);
    if (status == STATUS_OK) status = refuse_adapter(match, "SFT", pair->sft, error);
    if (status == STATUS_OK) status = tell_wrapper(pair, "base", pair->base, error);
    if (status == STATUS_OK) status = tell_wrapper(pair, "SFT", pair->sft, error);
    if (status == STATUS_OK) status = tell_renames(pair, &pair->findings, error);
    if (status == STATUS_OK) status = tell_share(pair, &pair->findings, error);
    if (status == STATUS_OK) status = tell_head(match, "base", &match->base, error);
    if (status == STATUS_OK) status = tell_head(match, "SFT", &match->sft, error);
    return status == STATUS_OK ? pair_report_write(match->report, &pair->findings, error) : status;
}

Status pair_match(Pair *pair, Error *error) {
    size_t capacity;
    if (!memory_add(pair->sft->tensor_count, 1, &capacity)) return memory_fail(error, "the pair");
    pair->tensors = memory_allocate(capacity, sizeof *pair->tensors);
    pair->is_left_out = memory_allocate(pair->base->tensor_count, sizeof *pair->is_left_out);
    if (pair->tensors == NULL || pair->is_left_out == NULL) return memory_fail(error, "the pair");
    PairReport report = {0};
    Match match = {
        .pair = pair, .report = &report, .base = head_find(pair->base), .sft = head_find(pair->sft)};
    Status status = match_all(&match, error);
    pair_report_free(&report);
    return status;
}
