/*
 * pair_names — which tensor of base is which tensor of SFT, where the two were saved under different names.
 *
 * transformers loads GPT-2, BLOOM and OPT as published and saves them with a prefix before every name; wrappers of
 * several kinds ("_orig_mod.", "module.", "base_model.model.") and multimodal models do the like. First come equal
 * names; then prefixes: a name with one prefix taken off and another put on is a name of the other side; then what
 * names say (role, layer, expert, part), where that is one tensor on each side. A tensor matches only one of its own
 * role, layer and shape (a vocabulary's rows may differ).
 */
#ifndef REJUV_CORE_PAIR_NAMES_H
#define REJUV_CORE_PAIR_NAMES_H

#include "core/checkpoint/checkpoint.h"

enum { PAIR_RENAMES_LIMIT = 16 };

/* Names of SFT that begin with one text and are base's that begin with another. */
typedef struct PairRename {
    char *base, *sft; /* "" is no prefix */
    size_t tensors;
} PairRename;

/* Zero-initialise, release with pair_names_free(). */
typedef struct PairNames {
    const Tensor **base_of; /* [of SFT's tensors] the tensor of base that it meets, or NULL */
    bool *is_met;           /* [of base's tensors] */
    PairRename renames[PAIR_RENAMES_LIMIT];
    size_t rename_count;
    size_t by_role; /* tensors that only their role, layer and expert matched */
} PairNames;

Status pair_names_match(const Checkpoint *base, const Checkpoint *sft, PairNames *names,
                        Error *error) STATUS_MUST_CHECK;

void pair_names_free(PairNames *names);

/* Whether the two can be one tensor: one shape, or one vocabulary that was enlarged or cut. */
bool pair_names_shapes_agree(const Tensor *base, const Tensor *sft);

#endif
