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
    PROCESSOR_NONE,     /* nothing is put beside the text */
    PROCESSOR_BEGINNING /* the beginning-of-text token is put before it */
} ClassProcessor;

typedef enum ClassEnding {
    ENDING_NONE,
    ENDING_TEXTS, /* all names are added once more, as special tokens without flags */
    ENDING_TOKENS /* all names are added once more, with the flags they have, as special ones */
} ClassEnding;

typedef struct TokenizerClass {
    const char *name;
    const char *normalizer, *pre_tokenizer; /* JSON; NULL: none. Where spaces are put first is filled in. */
    const char *decoder;
    const char *bare_decoder; /* where no space is put first; NULL: the same */
    bool fuse_unknown, byte_fallback, has_unknown;
    bool prefix_space; /* add_prefix_space where the configuration is silent */
    bool heeds_legacy; /* legacy: a ▁ is put before every stretch, not before the first alone */
    ClassProcessor processor;
    ClassEnding ending;
    const char *tokens[NAMED_COUNT]; /* where the configuration is silent; NULL: none */
    bool reads_merges;               /* vocab.json with merges.txt, where there is no tokenizer.json */
    bool knows_padding;              /* the padding of tokenizer.json then names no token */
    const char *const *extra;        /* further special tokens, up to a NULL; or NULL */
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
