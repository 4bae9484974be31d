/*
 * tokenizer_base64 — bytes as the text that files of tokenizers have them as (RFC 4648, with padding).
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_BASE64_H
#define REJUV_CORE_TOKENIZER_BASE64_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_text.h"

#include <stddef.h>

/* A NUL-terminated text, freed by the caller; NULL when out of memory. */
char *tokenizer_base64_encode(const unsigned char *bytes, size_t count);

/* The bytes of `base64`: appended. STATUS_FORMAT where it is none. */
Status tokenizer_base64_decode(const char *base64, TokenizerText *bytes, Error *error) STATUS_MUST_CHECK;

#endif
