#include "core/chat/chat.h"

#include "core/chat/chat_access.h"
#include "core/chat/chat_conversation_internal.h"
#include "core/chat/chat_declare.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_execute.h"
#include "core/chat/chat_functions.h"
#include "core/chat/chat_output.h"
#include "core/chat/chat_parser.h"
#include "core/chat/chat_text.h"
#include "core/support/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ChatTemplate {
    ChatArena arena;
    ChatTree tree;
    char *name;
};

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

/* ---- rendering ---- */

/* What part of a conversation is rendered. */
typedef struct Part {
    size_t messages;
    bool add_generation_prompt;
} Part;

/* The value that a template sees under a name; CHAT_MISSING for none. */
static Status find_variable(ChatRun *run, const ChatRequest *request, Part part, const ChatList *messages,
                            const ChatText *name, ChatValue *value) {
    const ChatConversation *conversation = request->conversation;
    const struct {
        const char *name;
        ChatValue value;
    } OWN[] = {{"messages", {.type = CHAT_LIST, .as.list = (ChatList *)messages}},
               {"tools", conversation->tools},
               {"documents", conversation->documents},
               {"add_generation_prompt", chat_value_bool(part.add_generation_prompt)}};
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
        if (strlen(OWN[i].name) != name->length || memcmp(OWN[i].name, name->bytes, name->length) != 0)
            continue;
        *value = OWN[i].value;
        return STATUS_OK;
    }
    const ChatValue *found = chat_dict_find_text(conversation->variables, name->bytes, name->length);
    if (found != NULL) {
        *value = *found;
        return STATUS_OK;
    }
    for (size_t i = 0; i < request->variable_count; i++) {
        const ChatVariable *variable = &request->variables[i];
        if (strlen(variable->name) == name->length && memcmp(variable->name, name->bytes, name->length) == 0)
            return chat_value_copy(run, variable->text, strlen(variable->text), value);
    }
    return chat_functions_find(run, name, value);
}

static Status execute(ChatRun *run, const ChatTree *tree, const ChatRequest *request, Part part) {
    void *variables;
    ChatList messages = *request->conversation->messages;
    messages.count = messages.capacity = part.messages;
    CHAT_TRY(chat_run_take(run, tree->name_count, sizeof(ChatValue), &variables));
    for (size_t i = 0; i < tree->name_count; i++)
        CHAT_TRY(find_variable(run, request, part, &messages, tree->names[i], (ChatValue *)variables + i));
    ChatScope scope = {.tree = tree, .variables = variables};
    CHAT_TRY(chat_execute(run, &scope, tree));
    return chat_run_step(run, 0); /* comparisons do not say themselves that steps are used up */
}

/* One rendering of a part; *output is to be freed by the caller in any case. */
static Status render_part(const ChatTemplate *template, const ChatRequest *request, Part part,
                          ChatOutput *output, Error *error) {
    *output = (ChatOutput){0};
    ChatRun run = {.limits = request->limits != NULL ? *request->limits : CHAT_LIMITS_DEFAULT,
                   .name = template->name,
                   .now = request->now,
                   .is_utc = request->is_utc,
                   .error = error,
                   .get = chat_access_get,
                   .renderer = output};
    run.arena.limit = run.limits.memory;
    Status status = execute(&run, &template->tree, request, part);
    if (status == STATUS_OK)
        status = MEMORY_RESERVE(output->bytes, &output->capacity, output->length + 1, error);
    if (status == STATUS_OK) output->bytes[output->length] = '\0';
    chat_arena_free(&run.arena);
    return status;
}

/* ---- spans by rendering ---- */

static bool begins_with(const ChatOutput *text, const ChatOutput *beginning) {
    return text->length >= beginning->length && memcmp(text->bytes, beginning->bytes, beginning->length) == 0;
}

static bool is_assistant(ChatValue message) {
    const ChatValue *role = chat_dict_find_string(message.as.dict, "role");
    return role != NULL && role->type == CHAT_TEXT && role->as.text->length == 9 &&
           memcmp(role->as.text->bytes, "assistant", 9) == 0;
}

/* The span of message `index`; *found is false where renderings do not continue each other, or one is refused. */
static Status find_span(const ChatTemplate *template, const ChatRequest *request, size_t index,
                        const ChatOutput *whole, ChatSpan *span, bool *found, Error *error) {
    ChatOutput before = {0}, with = {0};
    Error ignored;
    *found = false;
    Status status = render_part(template, request, (Part){index, true}, &before, &ignored);
    if (status == STATUS_OK)
        status = render_part(template, request, (Part){index + 1, false}, &with, &ignored);
    if (status == STATUS_OK && begins_with(&with, &before) && begins_with(whole, &with)) {
        *found = true;
        span->first = chat_text_count(before.bytes, before.length);
        span->end = span->first + chat_text_count(with.bytes + before.length, with.length - before.length);
    }
    chat_output_free(&before);
    chat_output_free(&with);
    return status == STATUS_NO_MEMORY ? status_fail(error, status, "%s", ignored.message) : STATUS_OK;
}

static Status find_spans(const ChatTemplate *template, const ChatRequest *request, ChatOutput *whole,
                         bool *has_spans, Error *error) {
    const ChatList *messages = request->conversation->messages;
    *has_spans = true;
    whole->span_count = 0;
    for (size_t i = 0; i < messages->count && *has_spans; i++) {
        ChatSpan span;
        if (!is_assistant(messages->items[i])) continue;
        Status status = find_span(template, request, i, whole, &span, has_spans, error);
        if (status == STATUS_OK)
            status = MEMORY_RESERVE(whole->spans, &whole->span_capacity, whole->span_count + 1, error);
        if (status != STATUS_OK) return status;
        whole->spans[whole->span_count++] = span;
    }
    return STATUS_OK;
}

Status chat_render(const ChatTemplate *template, const ChatRequest *request, ChatRendering *rendering,
                   Error *error) {
    ChatOutput output;
    const ChatConversation *conversation = request->conversation;
    Part all = {conversation->messages->count, conversation->add_generation_prompt};
    *rendering = (ChatRendering){0};
    Status status = render_part(template, request, all, &output, error);
    bool by_blocks = template->tree.has_generation && request->spans != CHAT_SPANS_BY_RENDERING;
    bool has_spans = request->spans != CHAT_SPANS_NONE;
    if (status == STATUS_OK && has_spans && !by_blocks)
        status = find_spans(template, request, &output, &has_spans, error);
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
