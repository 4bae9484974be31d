#include "core/checkpoint/pair_names.h"

#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES_LIMIT = 64, HITS_LIMIT = 8, TRIES_LIMIT = 256, NAME_LIMIT = 1024, SHORTEST_PARTS = 2 };

/* The end of a name of base that no name of SFT equals, from one of its parts on. */
typedef struct Suffix {
    const char *text;
    const Tensor *tensor;
} Suffix;

typedef struct Candidate {
    const Tensor *base, *sft;     /* where it was seen */
    size_t base_bytes, sft_bytes; /* of the prefixes of their names */
} Candidate;

typedef struct Matching {
    const Checkpoint *base, *sft;
    PairNames *names;
    Suffix *suffixes; /* sorted by text */
    size_t suffix_count;
    Candidate candidates[CANDIDATES_LIMIT];
    size_t candidate_count;
} Matching;

static bool is_vocabulary(const Tensor *tensor) {
    return tensor->role == TENSOR_EMBEDDING || tensor->role == TENSOR_HEAD ||
           tensor->role == TENSOR_HEAD_BIAS;
}

bool pair_names_shapes_agree(const Tensor *base, const Tensor *sft) {
    if (base->rank != sft->rank) return false;
    unsigned from = is_vocabulary(sft) && sft->rank > 0 ? 1 : 0;
    return memcmp(base->shape + from, sft->shape + from, (sft->rank - from) * sizeof *sft->shape) == 0;
}

static bool can_be_one(const Tensor *base, const Tensor *sft) {
    return base->role == sft->role && base->layer == sft->layer && base->expert == sft->expert &&
           pair_names_shapes_agree(base, sft);
}

static void meet(Matching *matching, const Tensor *base, const Tensor *sft) {
    matching->names->base_of[sft - matching->sft->tensors] = base;
    matching->names->is_met[base - matching->base->tensors] = true;
}

static bool is_met_base(const Matching *matching, const Tensor *base) {
    return matching->names->is_met[base - matching->base->tensors];
}

static bool is_met_sft(const Matching *matching, size_t sft) {
    return matching->names->base_of[sft] != NULL;
}

/* ---- equal names ---- */

/* Whatever their shapes: that is for the findings. */
static size_t match_equal_names(Matching *matching) {
    size_t left = 0;
    for (size_t i = 0; i < matching->sft->tensor_count; i++) {
        const Tensor *sft = &matching->sft->tensors[i];
        const Tensor *base = checkpoint_find_tensor(matching->base, sft->name);
        if (base != NULL)
            meet(matching, base, sft);
        else
            left++;
    }
    return left;
}

/* ---- prefixes ---- */

static int compare_suffixes(const void *first, const void *second) {
    const Suffix *a = first, *b = second;
    int order = strcmp(a->text, b->text);
    return order != 0 ? order : (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

/* The next part's beginning, or NULL. */
static const char *next_part(const char *at) {
    const char *dot = strchr(at, '.');
    return dot == NULL ? NULL : dot + 1;
}

/* "weight" alone is no name. */
static bool has_parts(const char *text) {
    int parts = 1;
    for (const char *at = text; (at = next_part(at)) != NULL;) parts++;
    return parts >= SHORTEST_PARTS;
}

static Status list_suffixes(Matching *matching, Error *error) {
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            matching->suffixes = memory_allocate(count, sizeof *matching->suffixes);
            if (matching->suffixes == NULL) return memory_fail(error, "the names of the tensors");
        }
        for (size_t i = 0; i < matching->base->tensor_count; i++) {
            const Tensor *base = &matching->base->tensors[i];
            if (is_met_base(matching, base)) continue;
            for (const char *at = base->name; at != NULL && has_parts(at); at = next_part(at)) {
                if (pass == 0)
                    count++;
                else
                    matching->suffixes[matching->suffix_count++] = (Suffix){at, base};
            }
        }
    }
    qsort(matching->suffixes, matching->suffix_count, sizeof *matching->suffixes, compare_suffixes);
    return STATUS_OK;
}

static size_t find_suffix(const Matching *matching, const char *text) {
    size_t low = 0, high = matching->suffix_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(matching->suffixes[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* "classifier.dense.weight" and "pooler.dense.weight" end alike, and tell of no prefix. */
static bool is_evidence(const Candidate *candidate) {
    const Tensor *sft = candidate->sft;
    bool is_vague = sft->layer < 0 && (sft->role == TENSOR_OTHER || sft->role == TENSOR_NORM);
    return !is_vague || candidate->base_bytes == 0 || candidate->sft_bytes == 0;
}

static void add_candidate(Matching *matching, Candidate candidate) {
    if (!is_evidence(&candidate)) return;
    for (size_t i = 0; i < matching->candidate_count; i++) {
        const Candidate *known = &matching->candidates[i];
        if (known->base_bytes == candidate.base_bytes && known->sft_bytes == candidate.sft_bytes &&
            memcmp(known->base->name, candidate.base->name, known->base_bytes) == 0 &&
            memcmp(known->sft->name, candidate.sft->name, known->sft_bytes) == 0)
            return;
    }
    if (matching->candidate_count < CANDIDATES_LIMIT)
        matching->candidates[matching->candidate_count++] = candidate;
}

/* The longest end that a name of SFT shares with names of base tells which prefixes may have been exchanged. */
static void list_candidates(Matching *matching) {
    for (size_t i = 0; i < matching->sft->tensor_count; i++) {
        const Tensor *sft = &matching->sft->tensors[i];
        if (is_met_sft(matching, i)) continue;
        size_t hits = 0;
        size_t most =
            tensor_name_stem(sft->name); /* a prefix ends before the layers, or there would be one of each */
        for (const char *at = sft->name; at != NULL && has_parts(at) && hits == 0; at = next_part(at)) {
            if (sft->layer >= 0 && (size_t)(at - sft->name) > most) break;
            size_t tries = 0;
            for (size_t j = find_suffix(matching, at);
                 j < matching->suffix_count && hits < HITS_LIMIT && tries < TRIES_LIMIT &&
                 strcmp(matching->suffixes[j].text, at) == 0;
                 j++, tries++) {
                const Suffix *found = &matching->suffixes[j];
                if (!can_be_one(found->tensor, sft)) continue;
                hits++;
                add_candidate(matching,
                              (Candidate){found->tensor, sft, (size_t)(found->text - found->tensor->name),
                                          (size_t)(at - sft->name)});
            }
        }
    }
}

/* The tensor of base that a tensor of SFT is, if the prefixes are exchanged; NULL where it is none. */
static const Tensor *exchange(const Matching *matching, const Candidate *candidate, const Tensor *sft) {
    char name[NAME_LIMIT];
    if (strncmp(sft->name, candidate->sft->name, candidate->sft_bytes) != 0 ||
        !has_parts(sft->name + candidate->sft_bytes))
        return NULL;
    int length = snprintf(name, sizeof name, "%.*s%s", (int)candidate->base_bytes, candidate->base->name,
                          sft->name + candidate->sft_bytes);
    if (length < 0 || (size_t)length >= sizeof name) return NULL;
    const Tensor *base = checkpoint_find_tensor(matching->base, name);
    return base != NULL && !is_met_base(matching, base) && can_be_one(base, sft) ? base : NULL;
}

static size_t apply(Matching *matching, const Candidate *candidate, bool for_good) {
    size_t count = 0;
    for (size_t i = 0; i < matching->sft->tensor_count; i++) {
        const Tensor *sft = &matching->sft->tensors[i];
        const Tensor *base = is_met_sft(matching, i) ? NULL : exchange(matching, candidate, sft);
        if (base == NULL) continue;
        if (for_good) meet(matching, base, sft);
        count++;
    }
    return count;
}

/* Takes prefixes that match most tensors first, until there are no more. */
static Status match_prefixes(Matching *matching, Error *error) {
    PairNames *names = matching->names;
    Status status = list_suffixes(matching, error);
    if (status != STATUS_OK) return status;
    list_candidates(matching);
    while (names->rename_count < PAIR_RENAMES_LIMIT) {
        const Candidate *best = NULL;
        size_t most = 0;
        for (size_t i = 0; i < matching->candidate_count; i++) {
            size_t count = apply(matching, &matching->candidates[i], false);
            if (count > most) {
                most = count;
                best = &matching->candidates[i];
            }
        }
        if (best == NULL) return STATUS_OK;
        PairRename *rename = &names->renames[names->rename_count++];
        rename->base = memory_copy_text(best->base->name, best->base_bytes);
        rename->sft = memory_copy_text(best->sft->name, best->sft_bytes);
        rename->tensors = apply(matching, best, true);
        if (rename->base == NULL || rename->sft == NULL)
            return memory_fail(error, "the names of the tensors");
    }
    return STATUS_OK;
}

/* ---- what names say ---- */

/* Roles that say all there is to say about a tensor, together with its layer, expert and part. */
static bool is_telling(const Tensor *tensor) {
    switch (tensor->role) {
    case TENSOR_OTHER:
    case TENSOR_NORM:
    case TENSOR_STATE_SPACE:
    case TENSOR_CONVOLUTION:
    case TENSOR_VISION:
    case TENSOR_AUDIO:
    case TENSOR_ADAPTER:
    case TENSOR_BUFFER:
        return false;
    case TENSOR_EXPERT:
    case TENSOR_EXPERT_BIAS:
    case TENSOR_SHARED_EXPERT:
        return tensor->part != TENSOR_OTHER;
    default:
        return true;
    }
}

/* Matrices whose rows have an order, or sides, that differs from format to format: Meta's wq is q_proj with its rows
 * permuted for another rotation, GPT-2's c_proj is transposed, and what is fused is fused in several ways. */
static bool has_format(const Tensor *tensor) {
    static const TensorRole ROLES[] = {TENSOR_Q,      TENSOR_K,        TENSOR_QKV,     TENSOR_Q_B,
                                       TENSOR_KV_A,   TENSOR_KV_B,     TENSOR_O,       TENSOR_Q_BIAS,
                                       TENSOR_K_BIAS, TENSOR_QKV_BIAS, TENSOR_GATE_UP, TENSOR_GATE_UP_BIAS};
    for (size_t i = 0; i < sizeof ROLES / sizeof *ROLES; i++)
        if (tensor->role == ROLES[i] || tensor->part == ROLES[i]) return true;
    return false;
}

/* The module's own name and what follows it: "q_proj.weight". */
static const char *last_parts(const char *name) {
    const char *last = name, *before = name;
    for (const char *at = name; (at = next_part(at)) != NULL;) {
        before = last;
        last = at;
    }
    return before;
}

static bool formats_agree(const Tensor *base, const Tensor *sft) {
    return !has_format(sft) || strcmp(last_parts(base->name), last_parts(sft->name)) == 0;
}

/* The one tensor of that role, layer, expert and part; NULL where there is none or more than one. */
static const Tensor *find_only(const Checkpoint *checkpoint, const Tensor *like) {
    size_t count;
    const RoleEntry *entries =
        role_index_find_expert(&checkpoint->roles, like->role, like->layer, like->expert, &count);
    const Tensor *only = NULL;
    for (size_t i = 0; i < count; i++) {
        const Tensor *tensor = &checkpoint->tensors[entries[i].tensor];
        if (tensor->part != like->part || tensor->is_bias != like->is_bias ||
            tensor->rank != like->rank) /* a router's bias may have another name than ".bias" */
            continue;
        if (only != NULL) return NULL;
        only = tensor;
    }
    return only;
}

static void match_roles(Matching *matching) {
    for (size_t i = 0; i < matching->sft->tensor_count; i++) {
        const Tensor *sft = &matching->sft->tensors[i];
        if (is_met_sft(matching, i) || !is_telling(sft) || find_only(matching->sft, sft) == NULL) continue;
        const Tensor *base = find_only(matching->base, sft);
        if (base == NULL || is_met_base(matching, base) || !can_be_one(base, sft) ||
            !formats_agree(base, sft))
            continue;
        meet(matching, base, sft);
        matching->names->by_role++;
    }
}

Status pair_names_match(const Checkpoint *base, const Checkpoint *sft, PairNames *names, Error *error) {
    Matching matching = {.base = base, .sft = sft, .names = names};
    names->base_of = memory_allocate(sft->tensor_count, sizeof *names->base_of);
    names->is_met = memory_allocate(base->tensor_count, sizeof *names->is_met);
    if (names->base_of == NULL || names->is_met == NULL) return memory_fail(error, "the pair");
    Status status = STATUS_OK;
    if (match_equal_names(&matching) > 0) {
        status = match_prefixes(&matching, error);
        if (status == STATUS_OK) match_roles(&matching);
    }
    free(matching.suffixes);
    return status;
}

void pair_names_free(PairNames *names) {
    for (size_t i = 0; i < names->rename_count; i++) {
        free(names->renames[i].base);
        free(names->renames[i].sft);
    }
    free(names->base_of);
    free(names->is_met);
    *names = (PairNames){0};
}
