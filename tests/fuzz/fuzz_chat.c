/*
 * A chat template of any bytes, a form feed, and a conversation: each is refused with a message, or the template is
 * rendered, within limits, twice to the same text, and spans lie in it.
 */
#include "core/chat/chat.h"
#include "core/chat/chat_conversation.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const char TALK[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":\"Gr\xc3\xb6\xc3\x9f"
    "e?\",\"n\":[1,2.5,null,{\"a\":true}]},"
    "{\"role\":\"assistant\",\"content\":\"ok\"}],\"tools\":[{\"name\":\"f\"}],"
    "\"template_kwargs\":{\"n\":7,\"l\":[3,1,2],\"d\":{\"b\":1,\"a\":2},\"s\":\"a b\"}}";

static const ChatLimits LIMITS = {.memory = 1 << 22, .output = 1 << 16, .steps = 20000, .depth = 100};

/* NULL: refused. */
static ChatConversation *read_conversation(const char *json, size_t length) {
    Error error = {0};
    ChatConversation *conversation;
    Status status = chat_conversation_read(json, length, &conversation, &error);
    if (status == STATUS_OK ? chat_conversation_count(conversation) == 0 : error.message[0] == '\0') abort();
    return conversation;
}

static void check_spans(const ChatRendering *rendering) {
    size_t points = 0;
    for (size_t i = 0; i < rendering->bytes; i++)
        points += ((unsigned char)rendering->text[i] & 0xC0) != 0x80;
    for (size_t i = 0; i < rendering->span_count; i++) {
        if (rendering->spans[i].first > rendering->spans[i].end) abort();
        /* a block of a text that was put in twice, or cut, may lie elsewhere: transformers counts it as it is made */
        if (rendering->spans[i].first > points + LIMITS.output) abort();
    }
}

static void render(const ChatTemplate *template, const ChatConversation *conversation) {
    ChatRendering first, second;
    Error error = {0};
    const ChatRequest request = {.conversation = conversation,
                                 .spans = CHAT_SPANS_BY_TEMPLATE,
                                 .now = 1767323045,
                                 .is_utc = true,
                                 .limits = &LIMITS};
    if (chat_render(template, &request, &first, &error) != STATUS_OK) {
        if (error.message[0] == '\0') abort();
        return;
    }
    if (chat_render(template, &request, &second, NULL) != STATUS_OK) abort();
    if (first.bytes != second.bytes || memcmp(first.text, second.text, first.bytes) != 0) abort();
    if (first.text[first.bytes] != '\0') abort();
    check_spans(&first);
    chat_rendering_free(&first);
    chat_rendering_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    const uint8_t *end = count > 0 ? memchr(bytes, '\f', count) : NULL;
    size_t length = end != NULL ? (size_t)(end - bytes) : count;
    const char *source = count > 0 ? (const char *)bytes : "";
    Error error = {0};
    ChatTemplate *template;
    ChatConversation *conversation = end != NULL
                                         ? read_conversation((const char *)end + 1, count - length - 1)
                                         : read_conversation(TALK, sizeof TALK - 1);
    if (chat_compile("fuzz", source, length, &LIMITS, &template, &error) == STATUS_OK) {
        if (conversation != NULL) render(template, conversation);
    } else if (template != NULL || error.message[0] == '\0') {
        abort();
    }
    chat_free(template);
    chat_conversation_free(conversation);
    return 0;
}
