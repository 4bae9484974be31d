#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_stages.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char STAGE[] = "decoder";
static const char REPLACEMENT_CHARACTER[] = "\xEF\xBF\xBD";

/* ---- steps on the whole list of pieces ---- */

/* How many bytes of broken UTF-8 at text[0] count as one error: the longest beginning of a character, or one
 * byte. */
static size_t broken_length(const unsigned char *text, size_t bytes) {
    unsigned char first = text[0], low = 0x80, high = 0xBF;
    size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                    : (first & 0xF0) == 0xE0         ? 3
                    : first >= 0xF0 && first <= 0xF4 ? 4
                                                     : 1;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    size_t good = 1;
    for (; good < length && good < bytes && text[good] >= low && text[good] <= high; good++) {
        low = 0x80;
        high = 0xBF;
    }
    return good;
}

static Status append_repaired(const char *text, size_t bytes, TokenizerText *out, Error *error) {
    for (size_t at = 0; at < bytes;) {
        size_t broken;
        bool whole = tokenizer_text_is_utf8(text + at, bytes - at, &broken);
        size_t good = whole ? bytes - at : broken;
        Status status = tokenizer_text_append(out, text + at, good, error);
        if (status != STATUS_OK || whole) return status;
        at += good;
        status = tokenizer_text_append_string(out, REPLACEMENT_CHARACTER, error);
        if (status != STATUS_OK) return status;
        at += broken_length((const unsigned char *)text + at, bytes - at);
    }
    return STATUS_OK;
}

/* Where every piece is empty there is no text at all. */
static const char *piece_text(const Stretches *pieces, size_t i) {
    return pieces->text.text == NULL ? "" : pieces->text.text + pieces->items[i].begin;
}

static Stretch piece_from(size_t begin, const Stretches *out) {
    return (Stretch){.begin = begin, .bytes = out->text.bytes - begin, .id = 0};
}

/* A piece all of whose characters are of the byte alphabet is those bytes, any other is itself; all together
 * become one piece, repaired. */
static Status apply_byte_level(const Stretches *pieces, Stretches *out, Error *error) {
    TokenizerText bytes = {0};
    Status status = STATUS_OK;
    for (size_t i = 0; i < pieces->count && status == STATUS_OK; i++) {
        const char *piece = piece_text(pieces, i);
        bool spelled;
        status = tokenizer_alphabet_undo(piece, pieces->items[i].bytes, &bytes, &spelled, error);
        if (status == STATUS_OK && !spelled)
            status = tokenizer_text_append(&bytes, piece, pieces->items[i].bytes, error);
    }
    if (status == STATUS_OK) status = append_repaired(bytes.text, bytes.bytes, &out->text, error);
    if (status == STATUS_OK) status = tokenizer_text_add_stretch(out, piece_from(0, out), error);
    tokenizer_text_free(&bytes);
    return status;
}

static int read_hexadecimal_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* The byte of a piece <0xE2>; -1 where it is no such piece. The reference's number parser takes a plus sign.
 */
static int byte_of_piece(const char *piece, size_t bytes) {
    if (bytes != 6 || memcmp(piece, "<0x", 3) != 0 || piece[5] != '>') return -1;
    int high = piece[3] == '+' ? 0 : read_hexadecimal_digit(piece[3]), low = read_hexadecimal_digit(piece[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* A run of byte pieces is one text where it is UTF-8 as a whole, else one U+FFFD for each byte. */
static Status close_byte_run(TokenizerText *run, Stretches *out, Error *error) {
    size_t begin = out->text.bytes, offset;
    Status status = STATUS_OK;
    if (run->bytes == 0) return status;
    if (tokenizer_text_is_utf8(run->text, run->bytes, &offset)) {
        status = tokenizer_text_append(&out->text, run->text, run->bytes, error);
        if (status == STATUS_OK) status = tokenizer_text_add_stretch(out, piece_from(begin, out), error);
    } else {
        for (size_t i = 0; i < run->bytes && status == STATUS_OK; i++) {
            begin = out->text.bytes;
            status = tokenizer_text_append_string(&out->text, REPLACEMENT_CHARACTER, error);
            if (status == STATUS_OK) status = tokenizer_text_add_stretch(out, piece_from(begin, out), error);
        }
    }
    run->bytes = 0;
    return status;
}

static Status apply_byte_fallback(const Stretches *pieces, Stretches *out, Error *error) {
    TokenizerText run = {0};
    Status status = STATUS_OK;
    for (size_t i = 0; i < pieces->count && status == STATUS_OK; i++) {
        const char *piece = piece_text(pieces, i);
        size_t bytes = pieces->items[i].bytes;
        int byte = byte_of_piece(piece, bytes);
        if (byte >= 0) {
            char written = (char)byte;
            status = tokenizer_text_append(&run, &written, 1, error);
            continue;
        }
        status = close_byte_run(&run, out, error);
        size_t begin = out->text.bytes;
        if (status == STATUS_OK) status = tokenizer_text_append(&out->text, piece, bytes, error);
        if (status == STATUS_OK) status = tokenizer_text_add_stretch(out, piece_from(begin, out), error);
    }
    if (status == STATUS_OK) status = close_byte_run(&run, out, error);
    tokenizer_text_free(&run);
    return status;
}

/* ---- steps on each piece ---- */

static Status strip(const DecoderStep *step, const char *piece, size_t bytes, TokenizerText *out,
                    Error *error) {
    size_t unit = strlen(step->content), begin = 0, end = bytes;
    for (size_t i = 0;
         i < step->start && bytes - begin >= unit && memcmp(piece + begin, step->content, unit) == 0; i++)
        begin += unit;
    for (size_t i = 0;
         i < step->stop && end - begin >= unit && memcmp(piece + end - unit, step->content, unit) == 0; i++)
        end -= unit;
    return tokenizer_text_append(out, piece + begin, end - begin, error);
}

static Status apply_to_piece(const DecoderStep *step, const char *piece, size_t bytes, bool first,
                             TokenizerText *out, Error *error) {
    switch (step->kind) {
    case DECODER_REPLACE:
        return tokenizer_stages_replace(&step->pattern, NULL, piece, bytes, step->content, out,
                                        &(TextMarks){0}, error);
    case DECODER_METASPACE:
        return tokenizer_stages_replace(&step->pattern, NULL, piece, bytes,
                                        first && step->drops_first ? "" : " ", out, &(TextMarks){0}, error);
    case DECODER_STRIP:
        return strip(step, piece, bytes, out, error);
    case DECODER_BYTE_LEVEL:
    case DECODER_BYTE_FALLBACK:
    case DECODER_FUSE:
        break;
    }
    return tokenizer_text_append(out, piece, bytes, error);
}

static Status apply_to_each(const DecoderStep *step, const Stretches *pieces, Stretches *out, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < pieces->count && status == STATUS_OK; i++) {
        size_t begin = out->text.bytes;
        status =
            apply_to_piece(step, piece_text(pieces, i), pieces->items[i].bytes, i == 0, &out->text, error);
        if (status == STATUS_OK) status = tokenizer_text_add_stretch(out, piece_from(begin, out), error);
    }
    return status;
}

/* Appends all pieces as one text, `separator` between them. */
static Status join(const Stretches *pieces, const char *separator, TokenizerText *out, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < pieces->count && status == STATUS_OK; i++) {
        if (i > 0) status = tokenizer_text_append_string(out, separator, error);
        if (status == STATUS_OK)
            status = tokenizer_text_append(out, piece_text(pieces, i), pieces->items[i].bytes, error);
    }
    return status;
}

static Status apply_step(const DecoderStep *step, const Stretches *pieces, Stretches *out, Error *error) {
    if (step->kind == DECODER_BYTE_LEVEL) return apply_byte_level(pieces, out, error);
    if (step->kind == DECODER_BYTE_FALLBACK) return apply_byte_fallback(pieces, out, error);
    if (step->kind != DECODER_FUSE) return apply_to_each(step, pieces, out, error);
    Status status = join(pieces, "", &out->text, error);
    return status == STATUS_OK ? tokenizer_text_add_stretch(out, piece_from(0, out), error) : status;
}

Status tokenizer_decoder_apply(const Decoder *decoder, Stretches *pieces, TokenizerText *out, Error *error) {
    Stretches spare = {0};
    Status status = STATUS_OK;
    for (size_t i = 0; i < decoder->count && status == STATUS_OK; i++) {
        spare.count = spare.text.bytes = 0;
        status = apply_step(&decoder->steps[i], pieces, &spare, error);
        Stretches swapped = *pieces;
        *pieces = spare;
        spare = swapped;
    }
    if (status == STATUS_OK) status = join(pieces, decoder->is_absent ? " " : "", out, error);
    tokenizer_text_free_stretches(&spare);
    return status;
}

Status tokenizer_decoder_apply_one(const Decoder *decoder, const char *piece, size_t bytes,
                                   TokenizerText *out, Error *error) {
    TokenizerText current = {0}, next = {0};
    Status status = tokenizer_text_append(&current, piece, bytes, error);
    bool is_bytes = false; /* no character any more, so that no later step applies */
    for (size_t i = 0; i < decoder->count && status == STATUS_OK && !is_bytes; i++) {
        const DecoderStep *step = &decoder->steps[i];
        next.bytes = 0;
        if (step->kind == DECODER_BYTE_LEVEL) {
            status = tokenizer_alphabet_undo(current.text, current.bytes, &next, &is_bytes, error);
            if (!is_bytes) continue;
        } else if (step->kind == DECODER_BYTE_FALLBACK && byte_of_piece(current.text, current.bytes) >= 0) {
            char byte = (char)byte_of_piece(current.text, current.bytes);
            status = tokenizer_text_append(&next, &byte, 1, error);
            is_bytes = true;
        } else if (step->kind == DECODER_REPLACE || step->kind == DECODER_METASPACE) {
            status = apply_to_piece(step, current.text, current.bytes, false, &next, error);
        } else {
            continue;
        }
        TokenizerText swapped = current;
        current = next;
        next = swapped;
    }
    if (status == STATUS_OK) status = tokenizer_text_append(out, current.text, current.bytes, error);
    tokenizer_text_free(&current);
    tokenizer_text_free(&next);
    return status;
}

static bool has_kind(const Decoder *decoder, DecoderKind kind) {
    for (size_t i = 0; i < decoder->count; i++) {
        if (decoder->steps[i].kind == kind) return true;
    }
    return false;
}

bool tokenizer_decoder_is_byte_level(const Decoder *decoder) {
    return has_kind(decoder, DECODER_BYTE_LEVEL);
}

bool tokenizer_decoder_has_byte_fallback(const Decoder *decoder) {
    return has_kind(decoder, DECODER_BYTE_FALLBACK);
}

/* ---- reading ---- */

static Status read_character(const cJSON *json, const char *key, char **character, Error *error) {
    const char *text;
    uint32_t ignored;
    Status status = tokenizer_stages_get_string(json, STAGE, key, &text, error);
    if (status != STATUS_OK) return status;
    if (text[0] == '\0' || text[tokenizer_text_read(text, &ignored)] != '\0')
        return status_fail(error, STATUS_FORMAT, "decoder: expected one character for %s", key);
    *character = memory_copy_text(text, strlen(text));
    return *character == NULL ? memory_fail(error, STAGE) : STATUS_OK;
}

static Status read_replace(const cJSON *json, DecoderStep *step, TokenizerText *description, Error *error) {
    const char *content;
    Status status = tokenizer_stages_get_string(json, STAGE, "content", &content, error);
    if (status != STATUS_OK) return status;
    step->content = memory_copy_text(content, strlen(content));
    if (step->content == NULL) return memory_fail(error, STAGE);
    status = tokenizer_stages_describe(description, "Replace", content, NULL, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_read_pattern(json, STAGE, &step->pattern, description, error);
    if (status == STATUS_OK &&
        step->pattern.literal == NULL) /* the reference runs it in another library than elsewhere */
        return status_fail(error, STATUS_UNSUPPORTED, "decoder Replace with a Regex is not supported");
    return status;
}

static Status read_strip(const cJSON *json, DecoderStep *step, TokenizerText *description, Error *error) {
    uint64_t start, stop;
    Status status = read_character(json, "content", &step->content, error);
    if (status != STATUS_OK) return status;
    if (!json_read_count(json_find(json, "start"), &start) ||
        !json_read_count(json_find(json, "stop"), &stop))
        return status_fail(error, STATUS_FORMAT, "decoder Strip: expected counts start and stop");
    step->start = (size_t)start;
    step->stop = (size_t)stop;
    char *counts = memory_format("%zu %zu", step->start, step->stop);
    if (counts == NULL) return memory_fail(error, STAGE);
    status = tokenizer_stages_describe(description, "Strip", step->content, counts, error);
    free(counts);
    return status;
}

static Status read_metaspace(const cJSON *json, DecoderStep *step, TokenizerText *description, Error *error) {
    const char *prepend = "always";
    bool prefix = true;
    Status status = read_character(json, "replacement", &step->pattern.literal, error);
    if (status == STATUS_OK && json_find(json, "prepend_scheme") != NULL)
        status = tokenizer_stages_get_string(json, STAGE, "prepend_scheme", &prepend, error);
    if (status == STATUS_OK)
        status = tokenizer_stages_get_option(json, STAGE, "add_prefix_space", &prefix, error);
    if (status != STATUS_OK) return status;
    step->pattern.bytes = strlen(step->pattern.literal);
    step->drops_first = strcmp(prepend, "never") != 0;
    if (step->drops_first && strcmp(prepend, "always") != 0 && strcmp(prepend, "first") != 0)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "decoder Metaspace: this prepend_scheme is not supported");
    if (!prefix && step->drops_first)
        return status_fail(error, STATUS_FORMAT,
                           "decoder Metaspace: add_prefix_space contradicts prepend_scheme");
    return tokenizer_stages_describe(description,
                                     step->drops_first ? "Metaspace" : "Metaspace keeping the first",
                                     step->pattern.literal, NULL, error);
}

static Status read_step(const cJSON *json, const char *type, DecoderStep *step, TokenizerText *description,
                        Error *error) {
    static const struct {
        const char *name;
        DecoderKind kind;
        Status (*read)(const cJSON *json, DecoderStep *step, TokenizerText *description, Error *error);
    } TYPES[] = {{"ByteLevel", DECODER_BYTE_LEVEL, NULL},
                 {"ByteFallback", DECODER_BYTE_FALLBACK, NULL},
                 {"Fuse", DECODER_FUSE, NULL},
                 {"Replace", DECODER_REPLACE, read_replace},
                 {"Strip", DECODER_STRIP, read_strip},
                 {"Metaspace", DECODER_METASPACE, read_metaspace}};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (strcmp(type, TYPES[i].name) != 0) continue;
        step->kind = TYPES[i].kind;
        return TYPES[i].read != NULL ? TYPES[i].read(json, step, description, error)
                                     : tokenizer_stages_describe(description, type, NULL, NULL, error);
    }
    return tokenizer_stages_refuse(STAGE, type, error);
}

static Status add_step(void *made, const cJSON *json, const char *type, TokenizerText *description,
                       Error *error) {
    Decoder *decoder = made;
    Status status = MEMORY_RESERVE(decoder->steps, &decoder->capacity, decoder->count + 1, error);
    if (status != STATUS_OK) return status;
    DecoderStep *step = &decoder->steps[decoder->count++];
    *step = (DecoderStep){0};
    return read_step(json, type, step, description, error);
}

static const StageReading READING = {STAGE, "decoders", add_step};

Status tokenizer_decoder_read(const cJSON *json, Decoder *decoder, TokenizerText *description, Error *error) {
    decoder->is_absent = json == NULL;
    return json == NULL ? tokenizer_stages_describe(description, "joined by spaces", NULL, NULL, error)
                        : tokenizer_stages_read(&READING, json, decoder, description, error);
}

void tokenizer_decoder_free(Decoder *decoder) {
    for (size_t i = 0; i < decoder->count; i++) {
        free(decoder->steps[i].content);
        tokenizer_stages_free_pattern(&decoder->steps[i].pattern);
    }
    free(decoder->steps);
    *decoder = (Decoder){0};
}
