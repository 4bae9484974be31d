/*
 * block_convolution — a short convolution between two gates in place of attention (LFM2, arXiv 2511.23404). For forward.c.
 *
 *     (B, C, x) = W_in h          y = W_out( C ⊙ conv(B ⊙ x) )
 *
 * The convolution is causal and of each channel for itself: an output is made of the last `taps` inputs of its text, its own
 * included. The state of a text is the taps − 1 before: [hidden_size][taps − 1], oldest first.
 */
#ifndef REJUV_CORE_BLOCK_CONVOLUTION_H
#define REJUV_CORE_BLOCK_CONVOLUTION_H

#include "core/transformer/pass.h"

Status block_convolution_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
