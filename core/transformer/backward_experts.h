/*
 * backward_experts — the way back of a mixture of experts, and what it needs of the way there. For the files of this room.
 *
 *     g ─► down ◄ of each row ─► · weight ─► activation ◄ ─► gate, up ◄ ─► a token's rows, added
 *     g ─► ⟨expert(x), g⟩ of each row ─► weights ◄ ─► scores ◄ ─► router ◄
 *
 * ⟨down(a), g⟩ is taken as ⟨a, down ◄ g⟩, so that what experts gave need not be kept. The choice is taken as it is.
 */
#ifndef REJUV_CORE_BACKWARD_EXPERTS_H
#define REJUV_CORE_BACKWARD_EXPERTS_H

#include "core/transformer/backward.h"

/* Of a layer and a group at hand. */
typedef struct ExpertsPast ExpertsPast;
struct Descent;

/* Room for so many tokens of a group; *past is NULL where no layer has experts. The caller frees. */
Status backward_experts_create(const ModelConfig *config, size_t tokens, ExpertsPast **past,
                               Error *error) STATUS_MUST_CHECK;
void backward_experts_free(ExpertsPast *past); /* takes NULL */

/* Room for so many tokens of sequences. Takes NULL. */
Status backward_experts_reserve(ExpertsPast *past, const ModelConfig *config, size_t tokens,
                                Error *error) STATUS_MUST_CHECK;

/* Floats that a token of a group takes, and one of sequences. */
size_t backward_experts_row_width(const ModelConfig *config);
size_t backward_experts_sequence_width(const ModelConfig *config);

/* Copies what a layer that runs again shows of its experts. Takes NULL. */
void backward_experts_keep(ExpertsPast *past, const ForwardMoment *moment);

/* From descent->given to SLOPE_NORMED. */
Status backward_experts_descend(const struct Descent *descent, Error *error) STATUS_MUST_CHECK;

/* What there is to see of the layer that went down last. */
const BackwardExperts *backward_experts_seen(const ExpertsPast *past);

#endif
