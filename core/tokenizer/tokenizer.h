/*
 * tokenizer — text to token ids and back, as a Hugging Face tokenizer.json says, with the very numbers and
 * texts that Hugging Face tokenizers 0.23 gives; of a directory, with those that AutoTokenizer.from_pretrained()
 * of transformers 5.24 gives, whose classes put parts of their own in place of the file's (tokenizer_class.h).
 *
 *     text ─► added tokens ─► normalizer ─► added tokens ─► pre-tokenizer ─► model     ─► post-processor ─► ids
 *             (raw text)                    (normalized)    cuts and byte    merges or    special tokens
 *                                                           alphabet         scores
 *     ids ─► pieces ─► decoder ─► text
 *
 * Supported: the BPE model, byte-level (GPT-2, Llama 3, Qwen, DeepSeek) and SentencePiece-like with byte
 * fallback (Llama 2, Mistral, Gemma); the Unigram model (T5, XLM-R, ALBERT); normalizers NFC, NFD, NFKC, NFKD, Prepend,
 * Replace, Precompiled, Strip, StripAccents, Lowercase; pre-tokenizers ByteLevel, Split, Metaspace, Digits,
 * WhitespaceSplit, Punctuation; post-processors TemplateProcessing, ByteLevel, BertProcessing, RobertaProcessing; decoders
 * ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace; Sequences of each; added tokens with every flag. Anything
 * else is refused by name when the file is opened (STATUS_UNSUPPORTED), never approximated.
 *
 * A directory without a tokenizer.json may have tokenizer.model (SentencePiece), tekken.json, or vocab.json with merges.txt
 * in its place (tokenizer_source.h).
 *
 * Two things of the file are not applied, because every program that loads it sets them anew for each call:
 * `truncation` and `padding` (TokenizerFacts says whether they were there). Pairs of texts are not offered; of offsets,
 * where among the ids places of the text fall.
 *
 * Unicode: regular expressions use the tables of the PCRE2, all else those of the utf8proc the program runs with;
 * tokenizers 0.23 has Unicode 16 for the former and for Lowercase, Unicode 9 for NFC and StripAccents, and an older one for
 * Punctuation. Characters that came between can therefore be cut or composed differently
 * (tests/golden/tokenizers/differences.txt names every such case of the golden data). Of all characters below U+20000 it is
 * 55 for Lowercase, 357 for StripAccents, 129 for Punctuation with utf8proc's Unicode 15, and none for Precompiled.
 *
 * The file is untrusted: at most 128 MiB, 8 million values, ids below 4,194,304, added tokens of at most 1024
 * bytes.
 *
 * A Tokenizer does not change after tokenizer_open(), so any number of threads may use one at once.
 *
 * The room: tokenizer.json, and what stands beside it, into ids and back; its doors are this header, token_list.h and
 * tokenizer_findings.h.
 */
#ifndef REJUV_CORE_TOKENIZER_H
#define REJUV_CORE_TOKENIZER_H

#include "core/support/status.h"
#include "core/tokenizer/token_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Tokenizer Tokenizer;

/* What a directory's tokenizer follows. */
typedef enum TokenizerRule {
    TOKENIZER_BY_CLASS, /* the class, as AutoTokenizer does: tokenizer_config.json and the older files count, and without
                         * a tokenizer.json what is in its place */
    TOKENIZER_BY_FILE /* tokenizer.json alone */
} TokenizerRule;

typedef struct TokenizerFacts {
    const char *kind; /* "byte-level BPE", "SentencePiece BPE", "BPE" or "Unigram" */
    size_t pieces;    /* of the model's own vocabulary */
    size_t merges;
    size_t added_tokens;              /* those that the model's vocabulary has too included */
    size_t special_tokens;            /* those among the added that a decoder may skip */
    bool has_truncation, has_padding; /* stated in the file, not applied */
    const char *class_name;           /* of transformers: "LlamaTokenizer"; NULL: the file alone was read */
    const char *class_key;            /* what decided on it, in words; "" where nothing did */
    const char *file;                 /* static: what was read, "tokenizer.json" or what is in its place */
} TokenizerFacts;

/* Reads the tokenizer of a checkpoint's directory. *tokenizer is NULL, and the status STATUS_OK, where it has none:
 * tokenizer_absence() says which files that are. The caller frees it: tokenizer_free(). STATUS_IO for a link that leads nowhere and for what git-lfs
 * leaves in place of a file. What code beside the checkpoint (auto_map) would do is not done; a remark says so.
 *
 * Not followed: `fast_tokenizer_files` (a remark says so), `fix_mistral_regex`, mistral-common, which transformers asks
 * where it is installed, what CodeLlamaTokenizer makes of <FILL_ME>, and the exceptions that transformers makes for names
 * of the Hub, of which a directory has none. */
Status tokenizer_open_directory(const char *directory, TokenizerRule rule, Tokenizer **tokenizer,
                                Error *error) STATUS_MUST_CHECK;

/* What a directory lacks that has no tokenizer by this rule, as "there is no …" has it (static). */
const char *tokenizer_absence(TokenizerRule rule);

/* What a person should know about how it was read: sentences without a full stop, one a call, NULL after the last: what
 * the class puts in place of the file's, tokens that it adds, ids that are not as written, a class that is unknown. */
const char *tokenizer_remark(const Tokenizer *tokenizer, size_t index);

/* Reads the tokenizer.json at `path`, and nothing beside it. The caller frees it: tokenizer_free(). */
Status tokenizer_open(const char *path, Tokenizer **tokenizer, Error *error) STATUS_MUST_CHECK;

/* The same from memory; `origin` names it in messages. */
Status tokenizer_parse(const char *json, size_t bytes, const char *origin, Tokenizer **tokenizer,
                       Error *error) STATUS_MUST_CHECK;

void tokenizer_free(Tokenizer *tokenizer); /* takes NULL */

/* Appends the ids of `text` to *list, which the caller owns whatever the outcome (after an error it may hold
 * a part of them). add_special: whether the post-processor puts its special tokens in; added tokens written
 * out in the text are recognised either way. The text may hold U+0000. STATUS_ARGUMENT, with the byte offset,
 * where it is not UTF-8, and for more than 1 GiB of it; STATUS_UNSUPPORTED where a regular expression of the
 * file exceeds its match limits. */
Status tokenizer_encode(const Tokenizer *tokenizer, const char *text, size_t bytes, bool add_special,
                        TokenList *list, Error *error) STATUS_MUST_CHECK;

/* The same, and for each of `places`, ascending byte offsets at which characters begin, how many ids *list then has
 * before it: a token that covers both sides is behind. That is what the ends of the offsets say that tokenizers 0.23
 * gives where its post-processor does not trim them. covered[i] (NULL: not asked for) is whether a token covers both sides
 * of place i. */
Status tokenizer_encode_places(const Tokenizer *tokenizer, const char *text, size_t bytes, bool add_special,
                               size_t *places, size_t place_count, bool *covered, TokenList *list,
                               Error *error) STATUS_MUST_CHECK;

/* The id of the tokenizer's eos_token, which a fine-tuned model was trained to stop with, and which key names it
 * (static: "tokenizer_config.json: eos_token"); -1 where nothing does, as where the file alone was read. */
int32_t tokenizer_end(const Tokenizer *tokenizer, const char **from);

/* Whether a text that was encoded with special tokens begins with the one that the tokenizer puts before it: it is there
 * twice then. */
bool tokenizer_doubles_first(const Tokenizer *tokenizer, const int32_t *ids, size_t count);

/* The text of `count` ids: valid UTF-8, NUL-terminated beyond *bytes, to be freed by the caller. Ids that do
 * not exist are passed over; skip_special leaves special tokens out before decoding. */
Status tokenizer_decode(const Tokenizer *tokenizer, const int32_t *ids, size_t count, bool skip_special,
                        char **text, size_t *bytes, Error *error) STATUS_MUST_CHECK;

/* One more than the highest id, added tokens included: the number of rows an embedding needs. */
size_t tokenizer_vocabulary_size(const Tokenizer *tokenizer);

/* The piece as the file has it (not NUL-terminated, owned by the tokenizer); NULL for an id that does not
 * exist. */
const char *tokenizer_piece(const Tokenizer *tokenizer, int32_t id, size_t *bytes);

bool tokenizer_is_special(const Tokenizer *tokenizer, int32_t id);

/* The id of a piece or added token; -1 where there is none. */
int32_t tokenizer_find(const Tokenizer *tokenizer, const char *piece, size_t bytes);

/* What the token contributes to a decoded text, before any is joined or stripped: the byte alphabet undone,
 * <0xE2> as the byte, ▁ as a space. Any bytes, perhaps a part of a character; NUL-terminated beyond *bytes,
 * freed by the caller. STATUS_ARGUMENT for an id that does not exist. */
Status tokenizer_token_bytes(const Tokenizer *tokenizer, int32_t id, char **token, size_t *bytes,
                             Error *error) STATUS_MUST_CHECK;

TokenizerFacts tokenizer_facts(const Tokenizer *tokenizer);

/* STATUS_OK where both give the same ids and texts for every text, as far as their files say: same pieces
 * under the same ids, same merges, same added tokens, same pipeline (however spelled). Otherwise
 * STATUS_MISMATCH and the first difference in words, the arguments being called `base` and `SFT`. */
Status tokenizer_compare(const Tokenizer *base, const Tokenizer *sft, Error *error) STATUS_MUST_CHECK;

#endif
