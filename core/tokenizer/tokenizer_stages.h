/*
 * tokenizer_stages — the stages of the pipeline that a tokenizer.json configures, each a list of steps read
 * from its JSON (Sequences are flattened) and then applied to texts: normalizer, pre-tokenizer,
 * post-processor, decoder.
 *
 * Each reader appends a canonical description of its steps to `description`, one line for equal behaviour
 * however the file spells it; tokenizer_compare() compares those. Readers name what they refuse; the caller
 * frees what a reader made, after an error too. JSON null is an empty list.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_STAGES_H
#define REJUV_CORE_TOKENIZER_STAGES_H

#include "core/support/status.h"
#include "core/tokenizer/token_list.h"
#include "core/tokenizer/tokenizer_charsmap.h"
#include "core/tokenizer/tokenizer_map.h"
#include "core/tokenizer/tokenizer_regex.h"
#include "core/tokenizer/tokenizer_text.h"
#include "core/tokenizer/tokenizer_trie.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAGES_DEPTH_MAX = 16 }; /* of Sequences in Sequences */

/* What a Split or a Replace looks for: a literal string, the longest of several, or a regular expression. */
typedef struct TokenizerPattern {
    char *literal; /* NULL: an expression */
    size_t bytes;
    Trie alternatives; /* with nodes: an expression that is no more than literal alternatives */
    TokenizerRegex *regex;
} TokenizerPattern;

/* ---- shared by the readers (tokenizer_stages.c) ---- */

/* Adds a step that is no Sequence to what is made of the stage. */
typedef Status (*StageAdd)(void *made, const cJSON *step, const char *type, TokenizerText *description,
                           Error *error);

typedef struct StageReading {
    const char *name; /* in messages */
    const char *key;  /* of a Sequence's steps */
    StageAdd add;
} StageReading;

/* Adds one step after another to `made`, those within Sequences too. */
Status tokenizer_stages_read(const StageReading *stage, const cJSON *json, void *made,
                             TokenizerText *description, Error *error) STATUS_MUST_CHECK;

/* STATUS_UNSUPPORTED: STAGE type "X" is not supported. */
Status tokenizer_stages_refuse(const char *stage, const char *type, Error *error);

/* Required members; STATUS_FORMAT, naming stage and key, where they are absent or of another type. */
Status tokenizer_stages_get_bool(const cJSON *step, const char *stage, const char *key, bool *value,
                                 Error *error) STATUS_MUST_CHECK;
/* The same for a member that may be absent or null: *value stays then. */
Status tokenizer_stages_get_option(const cJSON *step, const char *stage, const char *key, bool *value,
                                   Error *error) STATUS_MUST_CHECK;
Status tokenizer_stages_get_string(const cJSON *step, const char *stage, const char *key, const char **value,
                                   Error *error) STATUS_MUST_CHECK;

Status tokenizer_stages_read_pattern(const cJSON *step, const char *stage, TokenizerPattern *pattern,
                                     TokenizerText *description, Error *error) STATUS_MUST_CHECK;
/* Whether an expression is no more than literal alternatives (tokenizer_alternatives.c), none of which is longer than one
 * before it, and these: pieces of users come so, by the thousand. */
Status tokenizer_alternatives_read(const char *regex, Trie *alternatives, bool *are_texts,
                                   Error *error) STATUS_MUST_CHECK;
void tokenizer_stages_free_pattern(TokenizerPattern *pattern);

/* The leftmost match at or after `from`. Literals are never empty; a regular expression may match nothing. */
Status tokenizer_stages_find(const TokenizerPattern *pattern, RegexScratch *scratch, const char *text,
                             size_t bytes, size_t from, bool *found, size_t *begin, size_t *end,
                             Error *error) STATUS_MUST_CHECK;

/* All of `text` with every match replaced, appended to *out. The pattern must not match nothing. */
Status tokenizer_stages_replace(const TokenizerPattern *pattern, RegexScratch *scratch, const char *text,
                                size_t bytes, const char *content, TokenizerText *out, TextMarks *marks,
                                Error *error) STATUS_MUST_CHECK;

/* Appends `name("a", "b")`-like text to a description, strings quoted. */
Status tokenizer_stages_describe(TokenizerText *description, const char *name, const char *first,
                                 const char *second, Error *error) STATUS_MUST_CHECK;

/* ---- normalizer (tokenizer_normalizer.c) ---- */

typedef enum NormalizerKind {
    NORMALIZER_UNICODE,
    NORMALIZER_PREPEND,
    NORMALIZER_REPLACE,
    NORMALIZER_CHARSMAP,
    NORMALIZER_STRIP,
    NORMALIZER_STRIP_ACCENTS,
    NORMALIZER_LOWERCASE
} NormalizerKind;

typedef struct NormalizerStep {
    NormalizerKind kind;
    bool compatible, composed; /* UNICODE: NFKD or NFKC; NFC or NFKC */
    char *content;             /* PREPEND, REPLACE */
    TokenizerPattern pattern;  /* REPLACE */
    Charsmap charsmap;         /* CHARSMAP: Precompiled of the file */
    bool left, right;          /* STRIP: from which ends */
    bool is_of_blanks;         /* STRIP: of U+0020 alone, else of all white space */
} NormalizerStep;

typedef struct Normalizer {
    NormalizerStep *steps;
    size_t count, capacity;
} Normalizer;

Status tokenizer_normalizer_read(const cJSON *json, Normalizer *normalizer, TokenizerText *description,
                                 Error *error) STATUS_MUST_CHECK;
void tokenizer_normalizer_free(Normalizer *normalizer);

/* Replaces *text by its normalized form. */
Status tokenizer_normalizer_apply(const Normalizer *normalizer, RegexScratch *scratch, TokenizerText *text,
                                  TextMarks *marks, Error *error) STATUS_MUST_CHECK;

/* True where every character of the normalized text still stands where it stood, so that its first stretch is
 * the only one that begins where the text does. */
bool tokenizer_normalizer_keeps_start(const Normalizer *normalizer);

/* Steps that go character by character (tokenizer_filters.c): `text` as they make it, appended to *out. White space or blanks
 * taken from the ends, combining marks taken out, small letters for capital ones. */
Status tokenizer_filters_strip(const NormalizerStep *step, const TokenizerText *text, TokenizerText *out,
                               TextMarks *marks, Error *error) STATUS_MUST_CHECK;
Status tokenizer_filters_strip_accents(const TokenizerText *text, TokenizerText *out, TextMarks *marks,
                                       Error *error) STATUS_MUST_CHECK;
Status tokenizer_filters_lowercase(const TokenizerText *text, TokenizerText *out, TextMarks *marks,
                                   Error *error) STATUS_MUST_CHECK;

/* ---- pre-tokenizer (tokenizer_split.c) ---- */

typedef enum SplitKind {
    SPLIT_PATTERN,
    SPLIT_DIGITS,
    SPLIT_SPACES, /* WhitespaceSplit of the file */
    SPLIT_PUNCTUATION,
    SPLIT_METASPACE,
    SPLIT_BYTE_LEVEL
} SplitKind;

typedef enum SplitBehavior {
    SPLIT_REMOVED,
    SPLIT_ISOLATED,
    SPLIT_MERGED_WITH_PREVIOUS,
    SPLIT_MERGED_WITH_NEXT,
    SPLIT_CONTIGUOUS
} SplitBehavior;

typedef enum SplitPrepend { SPLIT_PREPEND_ALWAYS, SPLIT_PREPEND_FIRST, SPLIT_PREPEND_NEVER } SplitPrepend;

typedef struct SplitStep {
    SplitKind kind;
    /* PATTERN; METASPACE: its replacement; BYTE_LEVEL: GPT-2's expression or nothing */
    TokenizerPattern pattern;
    SplitBehavior behavior;
    bool invert;
    bool cuts; /* METASPACE: split; BYTE_LEVEL: use_regex */
    SplitPrepend prepend;
    bool prefix_space; /* BYTE_LEVEL */
} SplitStep;

typedef struct Splitter {
    SplitStep *steps;
    size_t count, capacity;
} Splitter;

Status tokenizer_split_read(const cJSON *json, Splitter *splitter, TokenizerText *description,
                            Error *error) STATUS_MUST_CHECK;
void tokenizer_split_free(Splitter *splitter);

/* Cuts and rewrites *stretches; `spare` is scratch. Stretches that are tokens stay what they are. */
Status tokenizer_split_apply(const Splitter *splitter, RegexScratch *scratch, Stretches *stretches,
                             Stretches *spare, TextMarks *marks, Error *error) STATUS_MUST_CHECK;

/* True where a step asks whether a stretch begins where the text does: Metaspace's prepend_scheme "first". */
bool tokenizer_split_asks_first(const Splitter *splitter);

bool tokenizer_split_is_byte_level(const Splitter *splitter);

/* ---- the byte alphabet (tokenizer_alphabet.c) ---- */

enum { ALPHABET_CHARACTERS = 0x144 }; /* its characters are below this code point */

/* The character that stands for a byte: printable ones for themselves, the others from U+0100 on. */
uint32_t tokenizer_alphabet_character(unsigned char byte);

/* The byte that a character stands for; -1 where it is not of the alphabet. */
int tokenizer_alphabet_byte(uint32_t character);

/* Appends the bytes that `text` spells in the alphabet; *spelled is false, and nothing is appended, where a
 * character is not of it. */
Status tokenizer_alphabet_undo(const char *text, size_t bytes, TokenizerText *out, bool *spelled,
                               Error *error) STATUS_MUST_CHECK;

/* ---- post-processor (tokenizer_processor.c) ---- */

typedef struct Processor {
    int32_t *items; /* a special token's id, or TOKENIZER_NO_ID: the text's own ids */
    size_t count, capacity;
    bool has_template; /* false: the ids as they are */
} Processor;

Status tokenizer_processor_read(const cJSON *json, Processor *processor, TokenizerText *description,
                                Error *error) STATUS_MUST_CHECK;
void tokenizer_processor_free(Processor *processor);

/* Makes of a zeroed one what puts these ids before and behind the text; TOKENIZER_NO_ID: nothing. */
Status tokenizer_processor_put_around(Processor *processor, int32_t first, int32_t last,
                                      TokenizerText *description, Error *error) STATUS_MUST_CHECK;

/* True where both give the same ids. */
bool tokenizer_processor_is_same(const Processor *a, const Processor *b);

/* Appends `ids` to *list as the template says; without special tokens where `add_special` is false. Places among `ids`
 * become places in *list. */
Status tokenizer_processor_apply(const Processor *processor, const TokenList *ids, bool add_special,
                                 TokenList *list, TextMarks *marks, Error *error) STATUS_MUST_CHECK;

/* How many special tokens it puts before a text. */
size_t tokenizer_processor_leading(const Processor *processor);

/* ---- decoder (tokenizer_decoder.c) ---- */

typedef enum DecoderKind {
    DECODER_BYTE_LEVEL,
    DECODER_REPLACE,
    DECODER_BYTE_FALLBACK,
    DECODER_FUSE,
    DECODER_STRIP,
    DECODER_METASPACE
} DecoderKind;

typedef struct DecoderStep {
    DecoderKind kind;
    TokenizerPattern pattern; /* REPLACE, METASPACE */
    char *content;            /* REPLACE: the replacement; STRIP: the character */
    size_t start, stop;       /* STRIP */
    bool drops_first;         /* METASPACE */
} DecoderStep;

typedef struct Decoder {
    DecoderStep *steps;
    size_t count, capacity;
    bool is_absent; /* pieces are joined by spaces then */
} Decoder;

Status tokenizer_decoder_read(const cJSON *json, Decoder *decoder, TokenizerText *description,
                              Error *error) STATUS_MUST_CHECK;
void tokenizer_decoder_free(Decoder *decoder);

/* The text of the pieces, which are the stretches of *pieces, appended to *out; *pieces is used up. */
Status tokenizer_decoder_apply(const Decoder *decoder, Stretches *pieces, TokenizerText *out,
                               Error *error) STATUS_MUST_CHECK;

/* What one piece becomes before any joining or stripping, any bytes. */
Status tokenizer_decoder_apply_one(const Decoder *decoder, const char *piece, size_t bytes,
                                   TokenizerText *out, Error *error) STATUS_MUST_CHECK;

bool tokenizer_decoder_is_byte_level(const Decoder *decoder);
bool tokenizer_decoder_has_byte_fallback(const Decoder *decoder);

#endif
