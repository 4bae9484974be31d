/*
 * pair_pieces — a convolution that both sides store in three pieces, and each cuts in other places.
 *
 *     published    q_conv1d [keys, 1, taps], k_conv1d [keys, 1, taps], v_conv1d [values, 1, taps]
 *     saved        the same names, even thirds of all channels
 *
 * transformers 5.24 reads OLMo Hybrid's as one, in this order, and saves it by torch.chunk: where keys and values have not as
 * many channels, pieces of one name are of other channels, and of another shape. Base's are cut here as SFT's are. They are
 * small; what is made of them is a copy.
 */
#ifndef REJUV_CORE_PAIR_PIECES_H
#define REJUV_CORE_PAIR_PIECES_H

#include "core/checkpoint/pair_names.h"

/* Tensors of base that are cut anew; base_of points into them. Zero-initialise, release with pair_pieces_free(). */
typedef struct PairPieces {
    Tensor *tensors;
    size_t count;
    unsigned char **copies; /* what their data lies in, of each layer */
    size_t copy_count;
} PairPieces;

/* Of pieces that pair_names_match() has met and whose shapes differ, those that are the same channels together: plainly stored,
 * of one dtype. Others stay as they are. */
Status pair_pieces_match(const Checkpoint *sft, PairNames *names, PairPieces *pieces,
                         Error *error) STATUS_MUST_CHECK;

void pair_pieces_free(PairPieces *pieces);

#endif
