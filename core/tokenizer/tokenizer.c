#include "core/tokenizer/tokenizer.h"

#include "core/tokenizer/tokenizer_internal.h"

enum { TEXT_LIMIT = 1 << 30 };

/* ---- encoding ---- */

/* What one call works with. */
typedef struct Encoding {
    const Tokenizer *tokenizer;
    RegexScratch *regex;
    Stretches stretches, spare;
    ModelScratch model;
    TokenList ids;
    TextMarks marks;
} Encoding;

/* A raw added token needs a byte, so that marks before and behind it differ; of those within it, it is behind. */
static Status keep_token(Encoding *encoding, Stretch from, Error *error) {
    Stretches *out = &encoding->stretches;
    Stretch to = from;
    to.begin = out->text.bytes;
    to.bytes = 1;
    tokenizer_text_cover_marks(&encoding->marks, from.begin, from.begin + from.bytes);
    tokenizer_text_hold_marks(&encoding->marks, from.begin + from.bytes, to.begin);
    tokenizer_text_hold_marks(&encoding->marks, from.begin + from.bytes + 1, to.begin + 1);
    Status status = tokenizer_text_append(&out->text, "", 1, error);
    return status == STATUS_OK ? tokenizer_text_add_stretch(out, to, error) : status;
}

/* The marks up to a stretch's end, as places of it; they count as moved from then on. */
static TextMarks take_marks(TextMarks *marks, Stretch from) {
    TextMarks taken = {0};
    if (marks->next >= marks->count) return taken;
    taken.at = marks->at + marks->next;
    tokenizer_text_move_marks(marks, from.begin + from.bytes, from.begin, 0);
    taken.count = (size_t)(marks->at + marks->next - taken.at);
    return taken;
}

/* How much of the normalized text stands for the first character of the whole, which the pre-tokenizer may ask. */
static Status find_first(Encoding *encoding, const char *text, Stretch from, size_t *first, Error *error) {
    const Tokenizer *tokenizer = encoding->tokenizer;
    *first = from.first;
    if (from.first == 0 || from.bytes == 0 || !tokenizer_split_asks_first(&tokenizer->splitter) ||
        tokenizer_normalizer_keeps_start(&tokenizer->normalizer))
        return STATUS_OK;
    uint32_t ignored;
    *first = tokenizer_text_read(text + from.begin, &ignored);
    TextMarks marks = {.at = first, .count = 1};
    TokenizerText normalized = {0};
    Status status = tokenizer_text_append(&normalized, text + from.begin, from.bytes, error);
    if (status == STATUS_OK)
        status =
            tokenizer_normalizer_apply(&tokenizer->normalizer, encoding->regex, &normalized, &marks, error);
    tokenizer_text_free(&normalized);
    return status;
}

/* The text between raw added tokens, normalized and cut at the normalized ones. */
static Status normalize_stretch(Encoding *encoding, const char *text, Stretch from, Error *error) {
    const Tokenizer *tokenizer = encoding->tokenizer;
    Stretches *out = &encoding->stretches;
    if (from.id != TOKENIZER_NO_ID) return keep_token(encoding, from, error);
    TokenizerText normalized = {0};
    TextMarks marks = take_marks(&encoding->marks, from);
    Status status = find_first(encoding, text, from, &from.first, error);
    if (status == STATUS_OK)
        status = tokenizer_text_append(&normalized, text + from.begin, from.bytes, error);
    if (status == STATUS_OK)
        status =
            tokenizer_normalizer_apply(&tokenizer->normalizer, encoding->regex, &normalized, &marks, error);
    marks.next = 0;
    tokenizer_text_move_marks(&marks, SIZE_MAX, 0, out->text.bytes);
    Stretch whole = {
        .begin = out->text.bytes, .bytes = normalized.bytes, .id = TOKENIZER_NO_ID, .first = from.first};
    if (status == STATUS_OK)
        status = tokenizer_text_append(&out->text, normalized.text, normalized.bytes, error);
    if (status == STATUS_OK)
        status = tokenizer_added_cut(&tokenizer->added, &tokenizer->added.normalized, encoding->regex,
                                     normalized.text, whole, out, error);
    tokenizer_text_free(&normalized);
    return status;
}

static Status find_stretches(Encoding *encoding, const char *text, size_t bytes, Error *error) {
    const AddedTokens *added = &encoding->tokenizer->added;
    Stretches raw = {0};
    Stretch whole = {.bytes = bytes, .id = TOKENIZER_NO_ID, .first = 1};
    Status status = tokenizer_added_cut(added, &added->raw, encoding->regex, text, whole, &raw, error);
    for (size_t i = 0; i < raw.count && status == STATUS_OK; i++)
        status = normalize_stretch(encoding, text, raw.items[i], error);
    tokenizer_text_free_stretches(&raw);
    return status;
}

/* Marks within a stretch of which the ids from `first` on were made: each becomes the number of ids before it. */
static void place_marks(Encoding *encoding, Stretch stretch, size_t first) {
    const ModelScratch *model = &encoding->model;
    TextMarks *marks = &encoding->marks;
    size_t id = first, end = stretch.begin;
    if (stretch.id != TOKENIZER_NO_ID) tokenizer_text_cover_marks(marks, end, end + stretch.bytes);
    tokenizer_text_hold_marks(marks, stretch.begin + 1, first);
    for (size_t i = 0; i < model->symbol_count && stretch.id == TOKENIZER_NO_ID; i++) {
        if (model->symbols[i].bytes == 0) continue;
        tokenizer_text_cover_marks(marks, end, end + model->symbols[i].bytes);
        end += model->symbols[i].bytes;
        tokenizer_text_hold_marks(marks, end, id);
        id += model->symbols[i].id == MODEL_SPELLED ? model->symbols[i].bytes : 1;
    }
    tokenizer_text_hold_marks(marks, stretch.begin + stretch.bytes,
                              stretch.id == TOKENIZER_NO_ID && model->symbol_count > 0 ? id : first);
}

static Status encode_stretches(Encoding *encoding, Error *error) {
    const Stretches *stretches = &encoding->stretches;
    Status status = STATUS_OK;
    encoding->marks.next = 0;
    for (size_t i = 0; i < stretches->count && status == STATUS_OK; i++) {
        Stretch stretch = stretches->items[i];
        size_t first = encoding->ids.count;
        status = stretch.id != TOKENIZER_NO_ID
                     ? token_list_append(&encoding->ids, stretch.id, error)
                     : tokenizer_model_encode(&encoding->tokenizer->model, &encoding->model,
                                              stretches->text.text + stretch.begin, stretch.bytes,
                                              &encoding->ids, error);
        if (encoding->marks.next < encoding->marks.count) place_marks(encoding, stretch, first);
    }
    tokenizer_text_hold_marks(&encoding->marks, SIZE_MAX, encoding->ids.count);
    return status;
}

Status tokenizer_encode(const Tokenizer *tokenizer, const char *text, size_t bytes, bool add_special,
                        TokenList *list, Error *error) {
    return tokenizer_encode_places(tokenizer, text, bytes, add_special, NULL, 0, NULL, list, error);
}

Status tokenizer_encode_places(const Tokenizer *tokenizer, const char *text, size_t bytes, bool add_special,
                               size_t *places, size_t place_count, bool *covered, TokenList *list,
                               Error *error) {
    size_t offset;
    for (size_t i = 0; covered != NULL && i < place_count; i++) covered[i] = false;
    if (bytes > TEXT_LIMIT)
        return status_fail(error, STATUS_ARGUMENT, "expected a text of at most %d bytes, found %zu",
                           TEXT_LIMIT, bytes);
    if (!tokenizer_text_is_utf8(text, bytes, &offset))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected a text in UTF-8, found an invalid byte at offset %zu", offset);
    Encoding encoding = {.tokenizer = tokenizer,
                         .marks = {.at = places, .covered = covered, .count = place_count}};
    Status status = tokenizer_regex_create_scratch(&encoding.regex, error);
    if (status == STATUS_OK) status = find_stretches(&encoding, text, bytes, error);
    if (status == STATUS_OK)
        status = tokenizer_split_apply(&tokenizer->splitter, encoding.regex, &encoding.stretches,
                                       &encoding.spare, &encoding.marks, error);
    if (status == STATUS_OK) status = encode_stretches(&encoding, error);
    if (status == STATUS_OK)
        status = tokenizer_processor_apply(&tokenizer->processor, &encoding.ids, add_special, list,
                                           &encoding.marks, error);
    tokenizer_regex_free_scratch(encoding.regex);
    tokenizer_text_free_stretches(&encoding.stretches);
    tokenizer_text_free_stretches(&encoding.spare);
    tokenizer_model_free_scratch(&encoding.model);
    token_list_free(&encoding.ids);
    return status;
}

/* ---- decoding ---- */

/* What decoding starts from: a piece, or an added token in the form in which it is looked for. */
static const char *get_form(const Tokenizer *tokenizer, int32_t id, bool *skipped, size_t *bytes) {
    const AddedToken *added = tokenizer_added_get(&tokenizer->added, id);
    *skipped = added != NULL && added->skipped;
    if (added != NULL) {
        *bytes = added->form.bytes;
        return added->form.text;
    }
    const char *piece = tokenizer_map_get_piece(&tokenizer->model.pieces, id, bytes);
    if (piece != NULL &&
        tokenizer_model_is_unigram(&tokenizer->model)) { /* where two ids may have one piece */
        added = tokenizer_added_find(&tokenizer->added, piece, *bytes);
        *skipped = added != NULL && added->was_special;
    }
    return piece;
}

Status tokenizer_decode(const Tokenizer *tokenizer, const int32_t *ids, size_t count, bool skip_special,
                        char **text, size_t *bytes, Error *error) {
    *text = NULL;
    *bytes = 0;
    Stretches pieces = {0};
    TokenizerText decoded = {0};
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        size_t piece_bytes, begin = pieces.text.bytes;
        bool skipped;
        const char *piece = get_form(tokenizer, ids[i], &skipped, &piece_bytes);
        if (piece == NULL || (skip_special && skipped)) continue;
        status = tokenizer_text_append(&pieces.text, piece, piece_bytes, error);
        if (status == STATUS_OK)
            status = tokenizer_text_add_stretch(
                &pieces, (Stretch){.begin = begin, .bytes = piece_bytes, .id = 0}, error);
    }
    if (status == STATUS_OK) status = tokenizer_decoder_apply(&tokenizer->decoder, &pieces, &decoded, error);
    if (status == STATUS_OK)
        status = tokenizer_text_append(&decoded, "", 0, error); /* so that it is there at all */
    tokenizer_text_free_stretches(&pieces);
    if (status != STATUS_OK) {
        tokenizer_text_free(&decoded);
        return status;
    }
    *text = decoded.text;
    *bytes = decoded.bytes;
    return STATUS_OK;
}

Status tokenizer_token_bytes(const Tokenizer *tokenizer, int32_t id, char **token, size_t *bytes,
                             Error *error) {
    *token = NULL;
    *bytes = 0;
    size_t piece_bytes;
    bool skipped;
    const char *piece = get_form(tokenizer, id, &skipped, &piece_bytes);
    if (piece == NULL)
        return status_fail(error, STATUS_ARGUMENT, "the tokenizer has no token with the id %d", (int)id);
    TokenizerText out = {0};
    Status status = tokenizer_decoder_apply_one(&tokenizer->decoder, piece, piece_bytes, &out, error);
    if (status != STATUS_OK) {
        tokenizer_text_free(&out);
        return status;
    }
    *token = out.text;
    *bytes = out.bytes;
    return STATUS_OK;
}

/* ---- looking up ---- */

size_t tokenizer_vocabulary_size(const Tokenizer *tokenizer) {
    size_t own = tokenizer->model.pieces.ids, added = tokenizer->added.ids;
    return own > added ? own : added;
}

const char *tokenizer_piece(const Tokenizer *tokenizer, int32_t id, size_t *bytes) {
    const AddedToken *added = tokenizer_added_get(&tokenizer->added, id);
    if (added == NULL) return tokenizer_map_get_piece(&tokenizer->model.pieces, id, bytes);
    *bytes = added->bytes;
    return added->content;
}

int32_t tokenizer_end(const Tokenizer *tokenizer, const char **from) {
    *from = tokenizer->end_origin;
    return tokenizer->end;
}

bool tokenizer_doubles_first(const Tokenizer *tokenizer, const int32_t *ids, size_t count) {
    size_t leading = tokenizer_processor_leading(&tokenizer->processor);
    return leading > 0 && leading < count && ids[leading] == ids[leading - 1];
}

bool tokenizer_is_special(const Tokenizer *tokenizer, int32_t id) {
    const AddedToken *added = tokenizer_added_get(&tokenizer->added, id);
    return added != NULL && added->special;
}

int32_t tokenizer_find(const Tokenizer *tokenizer, const char *piece, size_t bytes) {
    const AddedToken *added = tokenizer_added_find(&tokenizer->added, piece, bytes);
    return added != NULL ? added->id : tokenizer_map_find_piece(&tokenizer->model.pieces, piece, bytes);
}

/* What the model is called, beside how its pieces are written. */
static const char *name_kind(const Tokenizer *tokenizer) {
    bool byte_level = tokenizer_split_is_byte_level(&tokenizer->splitter) ||
                      tokenizer_decoder_is_byte_level(&tokenizer->decoder);
    bool sentencepiece =
        tokenizer->model.byte_fallback || tokenizer_decoder_has_byte_fallback(&tokenizer->decoder);
    if (tokenizer_model_is_unigram(&tokenizer->model)) return "Unigram";
    return byte_level ? "byte-level BPE" : sentencepiece ? "SentencePiece BPE" : "BPE";
}

TokenizerFacts tokenizer_facts(const Tokenizer *tokenizer) {
    return (TokenizerFacts){.kind = name_kind(tokenizer),
                            .pieces = tokenizer->model.pieces.count,
                            .merges = tokenizer->model.merges.count,
                            .added_tokens = tokenizer->added.count,
                            .special_tokens = tokenizer->added.special_count,
                            .class_name = tokenizer->class_name,
                            .class_key = tokenizer->class_key != NULL ? tokenizer->class_key : "",
                            .file = tokenizer->file != NULL ? tokenizer->file : "tokenizer.json",
                            .has_truncation = tokenizer->has_truncation,
                            .has_padding = tokenizer->has_padding};
}
