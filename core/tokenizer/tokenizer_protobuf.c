#include "core/tokenizer/tokenizer_protobuf.h"

#include <string.h>

static Status fail(const ProtobufMessage *message, Error *error) {
    return status_fail(error, STATUS_FORMAT, "expected a field of a protocol buffer at byte %zu of a message",
                       message->at);
}

static Status read_number(ProtobufMessage *message, uint64_t *value, Error *error) {
    *value = 0;
    for (unsigned shift = 0; shift < 64 && message->at < message->size; shift += 7) {
        unsigned char byte = message->bytes[message->at++];
        if (shift == 63 && byte > 1) break;
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return STATUS_OK;
    }
    return fail(message, error);
}

/* `size` bytes, little-endian. */
static Status read_fixed(ProtobufMessage *message, size_t size, uint64_t *value, Error *error) {
    *value = 0;
    if (message->size - message->at < size) return fail(message, error);
    for (size_t i = 0; i < size; i++) *value |= (uint64_t)message->bytes[message->at + i] << (8 * i);
    message->at += size;
    return STATUS_OK;
}

static Status read_bytes(ProtobufMessage *message, ProtobufField *field, Error *error) {
    uint64_t size;
    Status status = read_number(message, &size, error);
    if (status != STATUS_OK) return status;
    if (size > message->size - message->at) return fail(message, error);
    field->kind = PROTOBUF_BYTES;
    field->bytes = message->bytes + message->at;
    field->size = (size_t)size;
    message->at += field->size;
    return STATUS_OK;
}

static Status read_float(ProtobufMessage *message, ProtobufField *field, Error *error) {
    uint64_t value;
    field->kind = PROTOBUF_FLOAT;
    Status status = read_fixed(message, sizeof field->real, &value, error);
    if (status != STATUS_OK) return status;
    uint32_t bits = (uint32_t)value;
    memcpy(&field->real, &bits, sizeof field->real);
    return STATUS_OK;
}

Status tokenizer_protobuf_next(ProtobufMessage *message, ProtobufField *field, bool *found, Error *error) {
    enum { NUMBER, EIGHT_BYTES, LENGTH, FOUR_BYTES = 5 };
    uint64_t key;
    *found = message->at < message->size;
    if (!*found) return STATUS_OK;
    *field = (ProtobufField){.kind = PROTOBUF_NUMBER};
    Status status = read_number(message, &key, error);
    if (status != STATUS_OK) return status;
    if (key >> 3 == 0 || key > UINT32_MAX) return fail(message, error);
    field->number = (uint32_t)(key >> 3);
    switch (key & 7) {
    case NUMBER:
        return read_number(message, &field->value, error);
    case EIGHT_BYTES:
        field->kind = PROTOBUF_WIDE;
        return read_fixed(message, sizeof field->value, &field->value, error);
    case LENGTH:
        return read_bytes(message, field, error);
    case FOUR_BYTES:
        return read_float(message, field, error);
    }
    return fail(message, error);
}
