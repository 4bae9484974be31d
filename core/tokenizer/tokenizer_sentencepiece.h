/*
 * tokenizer_sentencepiece — a model as SentencePiece writes it (tokenizer.model, a protocol buffer), and the tree of the
 * tokenizer.json that transformers 5.24 makes of it where there is none.
 *
 *     ModelProto  1 pieces           1 text, 2 score, 3 kind
 *                 2 trainer_spec     3 algorithm, 35 byte_fallback, 40 to 42 ids, 45 to 47 texts of <unk>, <s>, </s>
 *                 3 normalizer_spec  2 precompiled_charsmap, 3 add_dummy_prefix, 4 remove_extra_whitespaces,
 *                                    5 escape_whitespaces
 *
 * What it becomes depends on who reads it. A class (LlamaTokenizer, GemmaTokenizer, T5Tokenizer) takes pieces, and merges in
 * the order of the ids of what they make, and has all else itself. TokenizersBackend follows the model: its
 * normalizer, its dummy prefix, merges in the order of scores, pieces of users kept whole.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_SENTENCEPIECE_H
#define REJUV_CORE_TOKENIZER_SENTENCEPIECE_H

#include "core/support/status.h"
#include "core/tokenizer/tokenizer_map.h"
#include "core/tokenizer/tokenizer_specials.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { SENTENCEPIECE_FILE_MAX = 64 << 20 };

typedef enum SentencePieceKind {
    SENTENCEPIECE_NORMAL = 1,
    SENTENCEPIECE_UNKNOWN,
    SENTENCEPIECE_CONTROL,
    SENTENCEPIECE_USER,
    SENTENCEPIECE_UNUSED,
    SENTENCEPIECE_BYTE
} SentencePieceKind;

typedef struct SentencePiece {
    char *text;
    size_t bytes;
    double score;
    SentencePieceKind kind;
} SentencePiece;

/* In the order of the ids that trainer_spec has. */
typedef enum SentencePieceName {
    SENTENCEPIECE_UNK,
    SENTENCEPIECE_BOS,
    SENTENCEPIECE_EOS,
    SENTENCEPIECE_NAMES
} SentencePieceName;

typedef struct SentencePieceModel {
    SentencePiece *pieces; /* by id */
    size_t count, capacity;
    bool is_unigram, byte_fallback;
    int32_t ids[SENTENCEPIECE_NAMES]; /* below 0: there is none */
    char *names[SENTENCEPIECE_NAMES];
    unsigned char *charsmap; /* NULL: none */
    size_t charsmap_bytes;
    bool dummy_prefix, strips_spaces, escapes_spaces;
} SentencePieceModel;

/* `origin` names the file in messages. The caller frees, after an error too. */
Status tokenizer_sentencepiece_parse(const unsigned char *bytes, size_t size, const char *origin,
                                     SentencePieceModel *model, Error *error) STATUS_MUST_CHECK;
void tokenizer_sentencepiece_free(SentencePieceModel *model);

/* The pieces that are added tokens, an array as added_tokens of tokenizer.json without ids: control ones, which are
 * special, and, unless `control_only`, those of users. NULL when out of memory. */
cJSON *tokenizer_sentencepiece_tokens(const SentencePieceModel *model, bool control_only);

/* bos_token, eos_token and unk_token as TokenizersBackend takes them from the model. NULL when out of memory. */
cJSON *tokenizer_sentencepiece_names(const SentencePieceModel *model);

/* The tree for a class: the model alone; `as_merges`: byte pair encoding whatever the algorithm of the file is. */
Status tokenizer_sentencepiece_make_model(const SentencePieceModel *model, bool as_merges, cJSON **tree,
                                          Error *error) STATUS_MUST_CHECK;

/* The tree for TokenizersBackend. Pieces of byte pair encoding with an id among the `written` tokens are called as those.
 * `legacy`: the prefix comes before every stretch between added tokens, not before the first alone. */
Status tokenizer_sentencepiece_make_all(const SentencePieceModel *model, const SpecialToken *written,
                                        size_t written_count, bool legacy, cJSON **tree,
                                        Error *error) STATUS_MUST_CHECK;

#endif
