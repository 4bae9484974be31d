/*
 * chat_format_spec — one value by a format of Python: of `format(value, spec)` and of `"%…" % value`.
 */
#ifndef REJUV_CORE_CHAT_FORMAT_SPEC_H
#define REJUV_CORE_CHAT_FORMAT_SPEC_H

#include "core/chat/chat_builder.h"

typedef struct ChatFormatSpec {
    int32_t fill;  /* 0: a blank */
    char align;    /* < > = ^, or 0: as suits the type */
    char sign;     /* + or a blank, or 0 */
    char grouping; /* , or _ or 0 */
    char type;     /* d x f s …, or 0 */
    bool alternate;
    int64_t width, precision; /* -1: none */
} ChatFormatSpec;

/* Reads [[fill]align][sign][#][0][width][,][.precision][type]. */
Status chat_format_spec_read(ChatRun *run, const ChatText *text, ChatFormatSpec *spec) STATUS_MUST_CHECK;

/* Appends the value; what suits no format is refused. */
void chat_format_spec_add(ChatBuilder *builder, ChatValue value, const ChatFormatSpec *spec);

/* Appends bytes padded to the width: `align` where the spec has none; a sign and prefix of `prefix` bytes stays in
 * front for =. */
void chat_format_spec_pad(ChatBuilder *builder, const char *bytes, size_t length, size_t prefix,
                          const ChatFormatSpec *spec, char align);

#endif
