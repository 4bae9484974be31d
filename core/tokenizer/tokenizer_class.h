/*
 * tokenizer_class — the class that AutoTokenizer of transformers 5.24 makes of a directory, and what that class
 * puts in place of parts of tokenizer.json.
 *
 *     tokenizer_config.json  tokenizer_class ─┐
 *     config.json            model_type      ─┼─►  class  ─►  normalizer, pre-tokenizer, decoder, post-processor,
 *                            tokenizer_class ─┘               switches of the model, names of special tokens
 *
 * TokenizersBackend follows the file; so does every class that transformers does not have. A class that it has and that
 * is not in the table here is said to be unknown: the file is followed, which may be wrong.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_CLASS_H
#define REJUV_CORE_TOKENIZER_CLASS_H

#include "core/support/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* In the order in which transformers adds them. */
typedef enum NamedToken {
    NAMED_BEGINNING,
    NAMED_END,
    NAMED_UNKNOWN,
    NAMED_SEPARATOR,
    NAMED_PADDING,
    NAMED_CLASS,
    NAMED_MASK,
    NAMED_COUNT
} NamedToken;

typedef enum ClassProcessor {
    PROCESSOR_OF_FILE,
    PROCESSOR_NONE,      /* nothing is put beside the text */
    PROCESSOR_BEGINNING, /* the beginning-of-text token is put before it */
    PROCESSOR_ENDED,     /* the end-of-text token behind it */
    PROCESSOR_FRAMED,    /* both */
    PROCESSOR_AFTER_END, /* the end-of-text token before it */
    PROCESSOR_CLASSED    /* that of the file, or else cls_token before and sep_token behind it */
} ClassProcessor;

typedef enum ClassEnding {
    ENDING_NONE,
    ENDING_TEXTS, /* all names are added once more, as special tokens without flags */
    ENDING_TOKENS /* all names are added once more, with the flags they have, as special ones */
} ClassEnding;

/* How a class changes the pieces of a SentencePiece model. */
typedef enum ClassVocabulary {
    VOCABULARY_OF_MODEL,
    VOCABULARY_EXTRA_IDS, /* <extra_id_99> … <extra_id_0> behind them, or as many as extra_ids says */
    VOCABULARY_FAIRSEQ    /* <s>, <pad>, </s>, <unk> in place of the first three, <mask> behind them */
} ClassVocabulary;

typedef struct TokenizerClass {
    const char *name;
    /* JSON; NULL: none. Filled in are: where spaces are put first; the table of the file for a Precompiled, which is
     * left out where the file has none. A step with "unless" or "with" stands where that setting is false or true. */
    const char *normalizer, *pre_tokenizer;
    const char *decoder;
    const char *bare_decoder; /* where no space is put first; NULL: the same */
    bool fuse_unknown, byte_fallback, has_unknown;
    bool is_unigram; /* else of byte pair encoding */
    int unknown_id;  /* of Unigram */
    ClassVocabulary vocabulary;
    const char *model_name; /* of a SentencePiece model, beside tokenizer.model; NULL: no other */
    bool prefix_space;      /* add_prefix_space where the configuration is silent */
    bool heeds_legacy;      /* legacy: a ▁ is put before every stretch, not before the first alone */
    ClassProcessor processor;
    ClassEnding ending;
    const char *tokens[NAMED_COUNT]; /* where the configuration is silent; NULL: none */
    bool reads_merges;               /* vocab.json with merges.txt, where there is no tokenizer.json */
    bool knows_padding;              /* the padding of tokenizer.json then names no token */
    const char *const *extra;        /* further special tokens, up to a NULL; or NULL */
    bool extra_are_names;            /* they are names of tokens, too */
} TokenizerClass;

typedef struct ClassChoice {
    const TokenizerClass *rule; /* NULL: tokenizer.json is followed */
    const char *name;           /* "LlamaTokenizer": static or of a tree */
    const char *key;   /* what said so: "tokenizer_class of tokenizer_config.json"; NULL: nothing did */
    bool is_unknown;   /* transformers has the class, and it is not in the table */
    bool has_own_code; /* auto_map: code beside the checkpoint, which is not run */
} ClassChoice;

/* The key of each: "bos_token", … */
extern const char *const TOKENIZER_NAMED_KEYS[NAMED_COUNT];

/* Trees of config.json and tokenizer_config.json, each may be NULL; `is_byte_level`: tokenizer.json has the text
 * "ByteLevel", quotes included. What is returned may point into the trees. */
ClassChoice tokenizer_class_choose(const cJSON *config, const cJSON *settings, bool is_byte_level);

/* ---- what it puts in place (tokenizer_class_apply.c) ---- */

/* Makes of `file`, the tree of a tokenizer.json, what the class makes of it, and puts what it replaces into `parts`.
 * `settings`: tokenizer_config.json, or NULL. `unknown`: the name of the unknown token; NULL: none. */
Status tokenizer_class_apply(const TokenizerClass *rule, const cJSON *settings, const char *unknown,
                             cJSON *file, cJSON *parts, Error *error) STATUS_MUST_CHECK;

/* The tokens <extra_id_0> … of VOCABULARY_EXTRA_IDS, as texts; NULL, STATUS_OK where the class has none. */
Status tokenizer_class_extra_ids(const TokenizerClass *rule, const cJSON *settings, cJSON **tokens,
                                 Error *error) STATUS_MUST_CHECK;

/* A switch of tokenizer_config.json as Python's kwargs.get(key, fallback) has it: null is false. */
bool tokenizer_class_says(const cJSON *settings, const char *key, bool fallback);

/* Puts `value` (taken over, also on failure; NULL: nothing) in the place of a member, which goes to `aside`. */
Status tokenizer_class_replace(cJSON *object, const char *key, cJSON *value, cJSON *aside,
                               Error *error) STATUS_MUST_CHECK;

/* ---- the tables (tokenizer_class_table.c) ---- */

/* True for two names of one class: "Fast" at the end does not count. */
bool tokenizer_class_is_same(const char *a, const char *b);

/* The class of this name, which may end in "Fast"; NULL where the table has none. */
const TokenizerClass *tokenizer_class_find(const char *name);

/* True where transformers has a class of this name that puts something in place of tokenizer.json, in the table or not. */
bool tokenizer_class_exists(const char *name);

/* The class that transformers holds a model type to have; NULL where it holds none. */
const char *tokenizer_class_of_type(const char *model_type);

/* True for model types whose tokenizer_class is known to be wrong where they are published. */
bool tokenizer_class_is_mistaken(const char *model_type);

#endif
