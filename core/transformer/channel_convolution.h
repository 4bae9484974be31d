/*
 * channel_convolution — the short causal convolution that stands before a recurrence, each channel by itself, in place. For
 * the files of this room.
 *
 *     x[t] = act( bias + Σ weight[k] · x[t − taps + 1 + k] )
 *
 * On the way back, with the gradient at what goes into the activation, it is the same convolution from the end on:
 *
 *     dx[t] = Σ weight[taps − 1 − k] · ds[t + k]
 *
 * The last taps − 1 inputs of each channel are the first part of the layer's state.
 */
#ifndef REJUV_CORE_CHANNEL_CONVOLUTION_H
#define REJUV_CORE_CHANNEL_CONVOLUTION_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

typedef struct ChannelConvolution {
    Buffer buffer;
    size_t first, channels;  /* of a row of it */
    TensorPart weight, bias; /* bias TENSOR_PART_COUNT: none of that kind */
    size_t pieces; /* parts that the weight is stored in, one behind another, cut anywhere; 0: the one */
    Activation (*activation)(const ModelConfig *config); /* of each state's own side; NULL: linear */
} ChannelConvolution;

/* Over all tokens of the chunk, in their order. A text begins with zeros before it. */
Status channel_convolution_run(const Pass *pass, const ChannelConvolution *convolution,
                               Error *error) STATUS_MUST_CHECK;

/* Takes the slope, as wide as the buffer, from the convolution's outputs to its inputs, in place, and gives what meets at its
 * weight and bias. `inputs` is the buffer as it was before, of all tokens of the group. */
Status channel_convolution_descend(const Descent *descent, const ChannelConvolution *convolution,
                                   const float *inputs, Slope slope, Error *error) STATUS_MUST_CHECK;

/* Floats of scratch that a thread needs for that, whatever the tokens. */
size_t channel_convolution_scratch(const ModelConfig *config);

#endif
