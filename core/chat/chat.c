#include "core/chat/chat.h"

#include "core/chat/chat_conversation_internal.h"
#include "core/chat/chat_declare.h"
#include "core/chat/chat_names.h"
#include "core/chat/chat_output.h"
#include "core/chat/chat_parser.h"
#include "core/chat/chat_part.h"
#include "core/chat/chat_spans.h"
#include "core/chat/chat_text.h"
#include "core/support/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- compiling ---- */

Status chat_compile(const char *name, const char *source, size_t length, const ChatLimits *limits,
                    ChatTemplate **template, Error *error) {
    *template = NULL;
    ChatTemplate *made = memory_allocate(1, sizeof *made);
    if (made == NULL || (made->name = memory_copy_text(name, strlen(name))) == NULL) {
        free(made);
        return memory_fail(error, "a chat template");
    }
    ChatRun run = {
        .limits = limits != NULL ? *limits : CHAT_LIMITS_DEFAULT, .name = made->name, .error = error};
    run.arena.limit = run.limits.memory;
    Status status = chat_parser_read(&run, source, length, &made->tree);
    run.line = 0;
    if (status == STATUS_OK) status = chat_declare(&run, &made->tree);
    made->arena = run.arena;
    if (status == STATUS_OK)
        *template = made;
    else
        chat_free(made);
    return status;
}

void chat_free(ChatTemplate *template) {
    if (template == NULL) return;
    chat_arena_free(&template->arena);
    free(template->name);
    free(template);
}

bool chat_has_generation(const ChatTemplate *template) {
    return template->tree.has_generation;
}

bool chat_reads(const ChatTemplate *template, const char *name) {
    const ChatTree *tree = &template->tree;
    for (size_t i = 0; i < tree->name_count; i++) {
        const ChatText *known = tree->names[i];
        if (known->length == strlen(name) && memcmp(known->bytes, name, known->length) == 0)
            return chat_names_are_read(tree, (uint32_t)i);
    }
    return false;
}

/* ---- rendering ---- */

Status chat_render(const ChatTemplate *template, const ChatRequest *request, ChatRendering *rendering,
                   Error *error) {
    ChatOutput output;
    const ChatConversation *conversation = request->conversation;
    ChatPart all = {conversation->messages->count, request->asks || conversation->add_generation_prompt};
    bool has_spans = request->spans != CHAT_SPANS_NONE;
    *rendering = (ChatRendering){0};
    Status status = chat_part_render(template, request, all, &output, error);
    if (status == STATUS_OK && has_spans)
        status = chat_spans_find(template, request, &output, &has_spans, error);
    if (status != STATUS_OK) {
        chat_output_free(&output);
        return status;
    }
    *rendering = (ChatRendering){.text = output.bytes,
                                 .bytes = output.length,
                                 .spans = output.spans,
                                 .span_count = has_spans ? output.span_count : 0,
                                 .has_spans = has_spans};
    return STATUS_OK;
}

/* Bytes that both begin with, up to where a character begins. */
static size_t count_common(const ChatOutput *one, const ChatOutput *other) {
    size_t common = 0, least = one->length < other->length ? one->length : other->length;
    while (common < least && one->bytes[common] == other->bytes[common]) common++;
    while (common > 0 && common < one->length && ((unsigned char)one->bytes[common] & 0xC0) == 0x80) common--;
    return common;
}

Status chat_render_last(const ChatTemplate *template, const ChatRequest *request, ChatRendering *rendering,
                        Error *error) {
    ChatOutput before = {0}, with = {0};
    size_t index = chat_conversation_count(request->conversation);
    *rendering = (ChatRendering){0};
    while (index > 0 && chat_conversation_turn(request->conversation, index - 1) < CHAT_TURN_LEARNED) index--;
    if (index == 0)
        return status_fail(error, STATUS_ARGUMENT,
                           "the conversation has no turn of the assistant that is learned");
    Status status = chat_part_render(template, request, (ChatPart){index - 1, true}, &before, error);
    if (status == STATUS_OK)
        status = chat_part_render(template, request, (ChatPart){index, false}, &with, error);
    with.span_count = 0; /* of blocks */
    if (status == STATUS_OK) status = MEMORY_RESERVE(with.spans, &with.span_capacity, 1, error);
    if (status == STATUS_OK) {
        size_t common = count_common(&with, &before), first = chat_text_count(with.bytes, common);
        with.spans[0] = (ChatSpan){first, first + chat_text_count(with.bytes + common, with.length - common)};
        *rendering = (ChatRendering){.text = with.bytes,
                                     .bytes = with.length,
                                     .spans = with.spans,
                                     .span_count = 1,
                                     .has_spans = true};
    } else {
        chat_output_free(&with);
    }
    chat_output_free(&before);
    return status;
}

void chat_rendering_free(ChatRendering *rendering) {
    free(rendering->text);
    free(rendering->spans);
    *rendering = (ChatRendering){0};
}

void chat_set_time(ChatRequest *request) {
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL;
    errno = 0;
    long long seconds = epoch != NULL ? strtoll(epoch, &end, 10) : 0;
    request->is_utc = epoch != NULL && end != epoch && *end == '\0' && errno == 0;
    request->now = request->is_utc ? (int64_t)seconds : (int64_t)time(NULL);
}
