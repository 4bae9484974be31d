#include "core/chat/chat_spans.h"

#include "core/chat/chat_conversation.h"
#include "core/chat/chat_part.h"
#include "core/chat/chat_text.h"
#include "core/support/memory.h"

#include <string.h>

static bool begins_with(const ChatOutput *text, const ChatOutput *beginning) {
    return text->length >= beginning->length && memcmp(text->bytes, beginning->bytes, beginning->length) == 0;
}

/* ---- by rendering ---- */

/* All before message `index` with a generation prompt, and what ends with it; both are the caller's to free. *done is
 * false where one is refused, as a template may that wants turns to alternate. */
static Status render_turn(const ChatTemplate *template, const ChatRequest *request, size_t index,
                          ChatOutput *before, ChatOutput *with, bool *done, Error *error) {
    Error refused;
    *with = (ChatOutput){0};
    Status status = chat_part_render(template, request, (ChatPart){index, true}, before, &refused);
    if (status == STATUS_OK)
        status = chat_part_render(template, request, (ChatPart){index + 1, false}, with, &refused);
    *done = status == STATUS_OK;
    return status == STATUS_NO_MEMORY ? status_fail(error, status, "%s", refused.message) : STATUS_OK;
}

/* The span of message `index`; *found is false where renderings do not continue each other, or one is refused. */
static Status find_turn(const ChatTemplate *template, const ChatRequest *request, size_t index,
                        const ChatOutput *whole, ChatSpan *span, bool *found, Error *error) {
    ChatOutput before, with;
    Status status = render_turn(template, request, index, &before, &with, found, error);
    *found = status == STATUS_OK && *found && begins_with(&with, &before) && begins_with(whole, &with);
    if (*found) {
        span->first = chat_text_count(before.bytes, before.length);
        span->end = span->first + chat_text_count(with.bytes + before.length, with.length - before.length);
    }
    chat_output_free(&before);
    chat_output_free(&with);
    return status;
}

static Status find_by_rendering(const ChatTemplate *template, const ChatRequest *request, ChatOutput *whole,
                                bool *found, Error *error) {
    size_t count = chat_conversation_count(request->conversation);
    *found = true;
    whole->span_count = 0;
    for (size_t i = 0; i < count && *found; i++) {
        ChatSpan span;
        if (chat_conversation_turn(request->conversation, i) < CHAT_TURN_LEARNED) continue;
        Status status = find_turn(template, request, i, whole, &span, found, error);
        if (status == STATUS_OK)
            status = MEMORY_RESERVE(whole->spans, &whole->span_capacity, whole->span_count + 1, error);
        if (status != STATUS_OK) return status;
        whole->spans[whole->span_count++] = span;
    }
    return STATUS_OK;
}

/* ---- by the template's blocks ---- */

/* Takes out the blocks of turns that are not learned; false where it cannot be told whose a block is. */
static bool keep_learned(const ChatConversation *conversation, ChatOutput *whole) {
    size_t count = chat_conversation_count(conversation), turns = 0, passed = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        ChatTurn turn = chat_conversation_turn(conversation, i);
        turns += turn != CHAT_TURN_OTHER;
        passed += turn == CHAT_TURN_PASSED;
    }
    if (passed == 0) return true;
    if (turns != whole->span_count) return false;
    for (size_t i = 0, block = 0; i < count; i++) {
        ChatTurn turn = chat_conversation_turn(conversation, i);
        if (turn >= CHAT_TURN_LEARNED) whole->spans[kept++] = whole->spans[block];
        block += turn != CHAT_TURN_OTHER;
    }
    whole->span_count = kept;
    return true;
}

Status chat_spans_find(const ChatTemplate *template, const ChatRequest *request, ChatOutput *whole,
                       bool *found, Error *error) {
    *found = true;
    bool by_blocks = template->tree.has_generation && request->spans == CHAT_SPANS_BY_TEMPLATE;
    if (by_blocks && keep_learned(request->conversation, whole)) return STATUS_OK;
    return find_by_rendering(template, request, whole, found, error);
}
