#include "core/tokenizer/tokenizer_transform.h"

static void pass(Transform *transform) {
    uint32_t ignored;
    if (transform->next >= transform->bytes) return;
    transform->last = transform->next;
    transform->next += tokenizer_text_read(transform->text + transform->next, &ignored);
}

Transform tokenizer_transform_begin(const char *text, size_t bytes, size_t skipped, TokenizerText *out,
                                    TextMarks *marks) {
    Transform transform = {.text = text, .bytes = bytes, .out = out, .marks = marks};
    for (size_t i = 0; i < skipped; i++) pass(&transform);
    return transform;
}

Status tokenizer_transform_put(Transform *transform, uint32_t character, long change, Error *error) {
    size_t of = change > 0 && transform->next > 0 ? transform->last : transform->next;
    tokenizer_text_hold_marks(transform->marks, of + 1, transform->out->bytes);
    for (long i = change; i <= 0; i++) pass(transform);
    return tokenizer_text_append_character(transform->out, character, error);
}

void tokenizer_transform_end(Transform *transform) {
    tokenizer_text_hold_marks(transform->marks, SIZE_MAX, transform->out->bytes);
}
