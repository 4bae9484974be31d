/*
 * tokenizer_findings — what a person should know about the two tokenizers of a pair, as findings: how each was read, in
 * the words of tokenizer_remark(). Whether they differ is tokenizer_compare()'s to say.
 */
#ifndef REJUV_CORE_TOKENIZER_FINDINGS_H
#define REJUV_CORE_TOKENIZER_FINDINGS_H

#include "core/checkpoint/finding.h"
#include "core/tokenizer/tokenizer.h"

/* Adds warnings about "tokenizer", each once: what holds for both names neither side. Either may be NULL; SFT's is used, or else
 * base's. Of its tokens those are told that have no row in the SFT model's embeddings of `rows` (0: not known), as where tokens
 * were added without resizing it: text that has one cannot be run. */
Status tokenizer_findings_add(const Tokenizer *base, const Tokenizer *sft, uint64_t rows,
                              FindingList *findings, Error *error) STATUS_MUST_CHECK;

#endif
