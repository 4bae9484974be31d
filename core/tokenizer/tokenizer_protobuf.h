/*
 * tokenizer_protobuf — the fields of a message in the wire format of protocol buffers, one after another.
 *
 *     08 96 01        field 1, a number: 150            key = number << 3 | kind
 *     12 02 68 69     field 2, two bytes: "hi"
 *
 * Untrusted: no byte beyond the message is read. Groups, long deprecated, are refused.
 *
 * Internal to the tokenizer.
 */
#ifndef REJUV_CORE_TOKENIZER_PROTOBUF_H
#define REJUV_CORE_TOKENIZER_PROTOBUF_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ProtobufMessage {
    const unsigned char *bytes;
    size_t size, at;
} ProtobufMessage;

typedef enum ProtobufKind { PROTOBUF_NUMBER, PROTOBUF_WIDE, PROTOBUF_BYTES, PROTOBUF_FLOAT } ProtobufKind;

typedef struct ProtobufField {
    uint32_t number;
    ProtobufKind kind;
    uint64_t value;             /* NUMBER; a signed one is sign-extended */
    float real;                 /* FLOAT */
    const unsigned char *bytes; /* BYTES: of the message */
    size_t size;
} ProtobufField;

/* The next field; *found is false at the end. STATUS_FORMAT for what is no message. */
Status tokenizer_protobuf_next(ProtobufMessage *message, ProtobufField *field, bool *found,
                               Error *error) STATUS_MUST_CHECK;

#endif
