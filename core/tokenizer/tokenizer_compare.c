#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/tokenizer_internal.h"

#include <string.h>

static Status compare_sizes(const Tokenizer *base, const Tokenizer *sft, Error *error) {
    size_t sizes[2] = {tokenizer_vocabulary_size(base), tokenizer_vocabulary_size(sft)};
    if (sizes[0] == sizes[1]) return STATUS_OK;
    const Tokenizer *larger = sizes[0] > sizes[1] ? base : sft;
    size_t first = sizes[0] < sizes[1] ? sizes[0] : sizes[1], bytes;
    char quote[TOKENIZER_QUOTE_SIZE];
    const char *piece = tokenizer_piece(larger, (int32_t)first, &bytes);
    return status_fail(error, STATUS_MISMATCH,
                       "base has ids below %zu, SFT below %zu; the first beyond is %s", sizes[0], sizes[1],
                       piece == NULL ? "a gap" : tokenizer_text_quote(quote, piece, bytes));
}

static Status compare_pieces(const Tokenizer *base, const Tokenizer *sft, Error *error) {
    size_t sizes[2] = {tokenizer_vocabulary_size(base), tokenizer_vocabulary_size(sft)};
    size_t common = sizes[0] < sizes[1] ? sizes[0] : sizes[1];
    for (size_t id = 0; id < common; id++) {
        size_t bytes[2];
        const char *pieces[2] = {tokenizer_piece(base, (int32_t)id, &bytes[0]),
                                 tokenizer_piece(sft, (int32_t)id, &bytes[1])};
        if (bytes[0] == bytes[1] && (pieces[0] == NULL) == (pieces[1] == NULL) &&
            (pieces[0] == NULL || memcmp(pieces[0], pieces[1], bytes[0]) == 0))
            continue;
        char quotes[2][TOKENIZER_QUOTE_SIZE];
        for (int i = 0; i < 2; i++)
            (void)tokenizer_text_quote(quotes[i], pieces[i] == NULL ? "" : pieces[i], bytes[i]);
        return status_fail(error, STATUS_MISMATCH, "the id %zu is %s in base and %s in SFT", id,
                           pieces[0] == NULL ? "a gap" : quotes[0], pieces[1] == NULL ? "a gap" : quotes[1]);
    }
    return compare_sizes(base, sft, error);
}

/* Ranks count by their order only, but every file numbers them from 0 on: equal order is equal ranks. */
static Status compare_merges(const Tokenizer *base, const Tokenizer *sft, Error *error) {
    const Merges *a = &base->model.merges, *b = &sft->model.merges;
    if (a->count != b->count)
        return status_fail(error, STATUS_MISMATCH, "base has %zu merges, SFT %zu", a->count, b->count);
    uint32_t rank = UINT32_MAX; /* of the first merge that differs */
    for (size_t i = 0; a->slots != NULL && i <= a->mask; i++) {
        const Merge *merge = &a->slots[i];
        if (merge->pair == UINT64_MAX || merge->rank >= rank) continue;
        const Merge *twin =
            tokenizer_map_find_merge(b, (int32_t)(merge->pair >> 32), (int32_t)(uint32_t)merge->pair);
        if (twin == NULL || twin->rank != merge->rank || twin->merged != merge->merged) rank = merge->rank;
    }
    return rank == UINT32_MAX
               ? STATUS_OK
               : status_fail(error, STATUS_MISMATCH, "the merge number %u of base is another one in SFT",
                             (unsigned)rank);
}

static Status compare_models(const TokenizerModel *base, const TokenizerModel *sft, Error *error) {
    bool are_unigram[2] = {tokenizer_model_is_unigram(base), tokenizer_model_is_unigram(sft)};
    if (are_unigram[0] != are_unigram[1])
        return status_fail(error, STATUS_MISMATCH, "the model is %s in base and %s in SFT",
                           are_unigram[0] ? "Unigram" : "BPE", are_unigram[1] ? "Unigram" : "BPE");
    for (size_t id = 0; are_unigram[0] && id < base->pieces.count && id < sft->pieces.count; id++) {
        double scores[2] = {base->unigram.scores[id], sft->unigram.scores[id]};
        if (scores[0] != scores[1])
            return status_fail(error, STATUS_MISMATCH, "the piece %zu has the score %g in base and %g in SFT",
                               id, scores[0], scores[1]);
    }
    return STATUS_OK;
}

static Status compare_switches(const TokenizerModel *base, const TokenizerModel *sft, Error *error) {
    const struct {
        const char *name;
        bool base, sft;
    } switches[] = {{"byte_fallback", base->byte_fallback, sft->byte_fallback},
                    {"fuse_unk", base->fuse_unknown, sft->fuse_unknown},
                    {"ignore_merges", base->ignore_merges, sft->ignore_merges}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        if (switches[i].base != switches[i].sft)
            return status_fail(error, STATUS_MISMATCH, "%s is %s in base and %s in SFT", switches[i].name,
                               switches[i].base ? "true" : "false", switches[i].sft ? "true" : "false");
    }
    if (base->unknown_id == sft->unknown_id && (base->unknown == NULL) == (sft->unknown == NULL))
        return STATUS_OK;
    return status_fail(error, STATUS_MISMATCH, "unk_token has the id %d in base and %d in SFT",
                       (int)base->unknown_id, (int)sft->unknown_id);
}

/* The list of both that only one has, or has with other flags. */
static Status compare_added(const Tokenizer *base, const Tokenizer *sft, Error *error) {
    const Tokenizer *both[2] = {base, sft};
    char quote[TOKENIZER_QUOTE_SIZE];
    if (base->added.splits_special != sft->added.splits_special)
        return status_fail(error, STATUS_MISMATCH,
                           "special tokens in a text are text in %s only (split_special_tokens)",
                           base->added.splits_special ? "base" : "SFT");
    for (int side = 0; side < 2; side++) {
        const AddedTokens *mine = &both[side]->added;
        for (size_t i = 0; i < mine->count; i++) {
            const AddedToken *a = &mine->tokens[i], *b = tokenizer_added_get(&both[1 - side]->added, a->id);
            if (b == NULL)
                return status_fail(error, STATUS_MISMATCH, "%s is an added token in %s only",
                                   tokenizer_text_quote(quote, a->content, a->bytes),
                                   side == 0 ? "base" : "SFT");
            if (a->single_word != b->single_word || a->lstrip != b->lstrip || a->rstrip != b->rstrip ||
                a->normalized != b->normalized || a->special != b->special)
                return status_fail(error, STATUS_MISMATCH,
                                   "the added token %s has other flags in base than in SFT",
                                   tokenizer_text_quote(quote, a->content, a->bytes));
        }
    }
    return STATUS_OK;
}

/* How much of a description a message shows: at most 160 bytes, whole characters. */
static int shown_bytes(const TokenizerText *description) {
    size_t shown = description->bytes < 160 ? description->bytes : 160;
    while (shown < description->bytes && ((unsigned char)description->text[shown] & 0xC0) == 0x80) shown--;
    return (int)shown;
}

static Status compare_stages(const Tokenizer *base, const Tokenizer *sft, Error *error) {
    static const char *const NAMES[STAGE_COUNT] = {[STAGE_NORMALIZER] = "normalizer",
                                                   [STAGE_PRE_TOKENIZER] = "pre-tokenizer",
                                                   [STAGE_POST_PROCESSOR] = "post-processor",
                                                   [STAGE_DECODER] = "decoder"};
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        const TokenizerText *a = &base->descriptions[i], *b = &sft->descriptions[i];
        if (a->bytes == b->bytes && (a->bytes == 0 || memcmp(a->text, b->text, a->bytes) == 0)) continue;
        return status_fail(error, STATUS_MISMATCH, "the %s is (%.*s) in base and (%.*s) in SFT", NAMES[i],
                           shown_bytes(a), a->bytes == 0 ? "" : a->text, shown_bytes(b),
                           b->bytes == 0 ? "" : b->text);
    }
    return STATUS_OK;
}

Status tokenizer_compare(const Tokenizer *base, const Tokenizer *sft, Error *error) {
    Status status = compare_pieces(base, sft, error);
    if (status == STATUS_OK) status = compare_models(&base->model, &sft->model, error);
    if (status == STATUS_OK) status = compare_switches(&base->model, &sft->model, error);
    if (status == STATUS_OK) status = compare_merges(base, sft, error);
    if (status == STATUS_OK) status = compare_added(base, sft, error);
    if (status == STATUS_OK) status = compare_stages(base, sft, error);
    return status;
}
