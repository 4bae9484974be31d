/*
 * block_convolution — a short convolution between two gates in place of attention (LFM2, arXiv 2511.23404). For forward.c.
 *
 *     (B, C, x) = W_in h          y = W_out( C ⊙ conv(B ⊙ x) )
 *
 * The convolution is causal and of each channel for itself: an output is made of the last `taps` inputs of its text, its own
 * included. The state of a text is the taps − 1 before: [hidden_size][taps − 1], oldest first.
 *
 * On the way back, with z = B ⊙ x and g at what goes into W_out:
 *
 *     dC = g ⊙ conv(z)          dz = conv ◄ (C ⊙ g)          dB = dz ⊙ x          dx = dz ⊙ B
 */
#ifndef REJUV_CORE_BLOCK_CONVOLUTION_H
#define REJUV_CORE_BLOCK_CONVOLUTION_H

#include "core/transformer/descent.h"
#include "core/transformer/pass.h"

Status block_convolution_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

/* From descent->given to SLOPE_NORMED; gives what meets at all weights of the block. */
Status block_convolution_descend(const Descent *descent, Error *error) STATUS_MUST_CHECK;

#endif
