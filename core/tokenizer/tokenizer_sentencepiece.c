#include "core/tokenizer/tokenizer_sentencepiece.h"

#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_protobuf.h"
#include "core/tokenizer/tokenizer_text.h"
#include "core/tokenizer/tokenizer_unigram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALGORITHM_UNIGRAM = 1, ALGORITHM_BPE, ALGORITHM_WORD, ALGORITHM_CHARACTER };

/* ---- values of fields ---- */

/* A text that can stand in a tree: UTF-8 without U+0000. */
static Status copy_text(const ProtobufField *field, char **text, Error *error) {
    size_t offset;
    const char *bytes = (const char *)field->bytes;
    if (field->kind != PROTOBUF_BYTES || !tokenizer_text_is_utf8(bytes, field->size, &offset))
        return status_fail(error, STATUS_FORMAT, "expected a text in UTF-8 for field %u",
                           (unsigned)field->number);
    if (memchr(bytes, '\0', field->size) != NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "a piece with the character U+0000 is not supported");
    free(*text);
    *text = memory_copy_text(bytes, field->size);
    return *text == NULL ? memory_fail(error, "a piece") : STATUS_OK;
}

static Status read_flag(const ProtobufField *field, bool *flag, Error *error) {
    if (field->kind != PROTOBUF_NUMBER)
        return status_fail(error, STATUS_FORMAT, "expected true or false for field %u",
                           (unsigned)field->number);
    *flag = field->value != 0;
    return STATUS_OK;
}

static Status read_integer(const ProtobufField *field, int32_t *value, Error *error) {
    if (field->kind != PROTOBUF_NUMBER)
        return status_fail(error, STATUS_FORMAT, "expected a number for field %u", (unsigned)field->number);
    uint32_t low = (uint32_t)field->value;
    memcpy(value, &low, sizeof *value);
    return STATUS_OK;
}

/* ---- pieces ---- */

static Status read_piece_field(const ProtobufField *field, SentencePiece *piece, Error *error) {
    int32_t kind = SENTENCEPIECE_NORMAL;
    Status status = STATUS_OK;
    switch (field->number) {
    case 1:
        status = copy_text(field, &piece->text, error);
        piece->bytes = field->size;
        return status;
    case 2:
        if (field->kind != PROTOBUF_FLOAT || !isfinite(field->real))
            return status_fail(error, STATUS_FORMAT, "expected a finite score");
        piece->score = (double)field->real;
        return STATUS_OK;
    case 3:
        status = read_integer(field, &kind, error);
        if (status == STATUS_OK && (kind < SENTENCEPIECE_NORMAL || kind > SENTENCEPIECE_BYTE))
            return status_fail(error, STATUS_UNSUPPORTED, "a piece of kind %d is not supported", (int)kind);
        piece->kind = (SentencePieceKind)kind;
        return status;
    }
    return STATUS_OK;
}

static Status read_piece(ProtobufMessage message, SentencePieceModel *model, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    if (model->count >= TOKENIZER_IDS_MAX)
        return status_fail(error, STATUS_UNSUPPORTED, "more than %d pieces are not supported",
                           TOKENIZER_IDS_MAX);
    Status status = MEMORY_RESERVE(model->pieces, &model->capacity, model->count + 1, error);
    if (status != STATUS_OK) return status;
    SentencePiece *piece = &model->pieces[model->count++];
    *piece = (SentencePiece){.kind = SENTENCEPIECE_NORMAL};
    ProtobufField field;
    bool found = true;
    while (status == STATUS_OK && found) {
        status = tokenizer_protobuf_next(&message, &field, &found, error);
        if (status == STATUS_OK && found) status = read_piece_field(&field, piece, error);
    }
    if (status != STATUS_OK) return status;
    if (piece->text == NULL)
        return status_fail(error, STATUS_FORMAT, "piece %zu has no text", model->count - 1);
    return piece->bytes <= UNIGRAM_BYTES_MAX
               ? STATUS_OK
               : status_fail(
                     error, STATUS_UNSUPPORTED, "the piece %s of %zu bytes is not supported, at most %d are",
                     tokenizer_text_quote(quote, piece->text, piece->bytes), piece->bytes, UNIGRAM_BYTES_MAX);
}

/* ---- how it was trained and how it normalizes ---- */

static Status read_algorithm(const ProtobufField *field, SentencePieceModel *model, Error *error) {
    int32_t algorithm = ALGORITHM_UNIGRAM;
    Status status = read_integer(field, &algorithm, error);
    if (status != STATUS_OK) return status;
    model->is_unigram = algorithm == ALGORITHM_UNIGRAM;
    if (model->is_unigram || algorithm == ALGORITHM_BPE) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "the algorithm %s is not supported, of SentencePiece BPE and Unigram are",
                       algorithm == ALGORITHM_WORD        ? "word"
                       : algorithm == ALGORITHM_CHARACTER ? "char"
                                                          : "of an unknown number");
}

static Status read_trainer_field(const ProtobufField *field, SentencePieceModel *model, Error *error) {
    enum { MODEL_TYPE = 3, BYTE_FALLBACK = 35, FIRST_ID = 40, FIRST_NAME = 45 };
    if (field->number == MODEL_TYPE) return read_algorithm(field, model, error);
    if (field->number == BYTE_FALLBACK) return read_flag(field, &model->byte_fallback, error);
    for (uint32_t i = 0; i < SENTENCEPIECE_NAMES; i++) {
        if (field->number == FIRST_ID + i) return read_integer(field, &model->ids[i], error);
        if (field->number == FIRST_NAME + i) return copy_text(field, &model->names[i], error);
    }
    return STATUS_OK;
}

static Status read_normalizer_field(const ProtobufField *field, SentencePieceModel *model, Error *error) {
    switch (field->number) {
    case 2:
        if (field->kind != PROTOBUF_BYTES) return status_fail(error, STATUS_FORMAT, "expected a table");
        free(model->charsmap);
        model->charsmap_bytes = field->size;
        model->charsmap = (unsigned char *)memory_copy_text((const char *)field->bytes, field->size);
        return model->charsmap == NULL ? memory_fail(error, "the table") : STATUS_OK;
    case 3:
        return read_flag(field, &model->dummy_prefix, error);
    case 4:
        return read_flag(field, &model->strips_spaces, error);
    case 5:
        return read_flag(field, &model->escapes_spaces, error);
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

typedef Status (*ReadField)(const ProtobufField *field, SentencePieceModel *model, Error *error);

static Status read_message(ProtobufMessage message, SentencePieceModel *model, ReadField read, Error *error) {
    ProtobufField field;
    bool found = true;
    Status status = STATUS_OK;
    while (status == STATUS_OK && found) {
        status = tokenizer_protobuf_next(&message, &field, &found, error);
        if (status == STATUS_OK && found) status = read(&field, model, error);
    }
    return status;
}

static Status read_model_field(const ProtobufField *field, SentencePieceModel *model, Error *error) {
    enum { PIECES = 1, TRAINER, NORMALIZER };
    ProtobufMessage message = {.bytes = field->bytes, .size = field->size};
    if (field->number > NORMALIZER) return STATUS_OK;
    if (field->kind != PROTOBUF_BYTES)
        return status_fail(error, STATUS_FORMAT, "expected a message for field %u", (unsigned)field->number);
    if (field->number == PIECES) return read_piece(message, model, error);
    return read_message(message, model, field->number == TRAINER ? read_trainer_field : read_normalizer_field,
                        error);
}

static Status set_defaults(SentencePieceModel *model, Error *error) {
    static const char *const NAMES[SENTENCEPIECE_NAMES] = {"<unk>", "<s>", "</s>"};
    *model = (SentencePieceModel){.is_unigram = true,
                                  .ids = {0, 1, 2},
                                  .dummy_prefix = true,
                                  .strips_spaces = true,
                                  .escapes_spaces = true};
    for (size_t i = 0; i < SENTENCEPIECE_NAMES; i++) {
        model->names[i] = memory_copy_text(NAMES[i], strlen(NAMES[i]));
        if (model->names[i] == NULL) return memory_fail(error, "the model");
    }
    return STATUS_OK;
}

Status tokenizer_sentencepiece_parse(const unsigned char *bytes, size_t size, const char *origin,
                                     SentencePieceModel *model, Error *error) {
    Status status = set_defaults(model, error);
    if (status == STATUS_OK)
        status =
            read_message((ProtobufMessage){.bytes = bytes, .size = size}, model, read_model_field, error);
    if (status == STATUS_OK && model->count == 0)
        status = status_fail(error, STATUS_FORMAT, "expected pieces, found none");
    if (status == STATUS_OK || status == STATUS_NO_MEMORY || error == NULL) return status;
    return status_add_context(error, "%s: %s", origin,
                              status == STATUS_FORMAT ? "not a SentencePiece model" : "SentencePiece model");
}

void tokenizer_sentencepiece_free(SentencePieceModel *model) {
    for (size_t i = 0; i < model->count; i++) free(model->pieces[i].text);
    for (size_t i = 0; i < SENTENCEPIECE_NAMES; i++) free(model->names[i]);
    free(model->pieces);
    free(model->charsmap);
    *model = (SentencePieceModel){0};
}
