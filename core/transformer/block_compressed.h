/*
 * block_compressed — attention of DeepSeek-V4: one key head whose keys are its values, a window of them, and compressed
 * entries of what came before (compressor.h). For forward.c.
 *
 *     q        = each head of q_b(norm(q_a(x))), brought to length 1, its last channels turned
 *     k        = norm(kv(x)), the same
 *     mixed    = softmax of q against the window's keys, the entries and a sink, times keys and entries, turned back
 *     y        = out( each group of heads by a matrix of its own )
 */
#ifndef REJUV_CORE_BLOCK_COMPRESSED_H
#define REJUV_CORE_BLOCK_COMPRESSED_H

#include "core/transformer/pass.h"

Status block_compressed_run(const Pass *pass, Error *error) STATUS_MUST_CHECK;

#endif
