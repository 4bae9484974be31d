#include "core/chat/chat.h"

#include "core/chat/chat_access.h"
#include "core/chat/chat_conversation_internal.h"
#include "core/chat/chat_declare.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_execute.h"
#include "core/chat/chat_functions.h"
#include "core/chat/chat_output.h"
#include "core/chat/chat_parser.h"
#include "core/chat/chat_spans.h"
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

/* The value that a template sees under a name; CHAT_MISSING for none. */
static Status find_variable(ChatRun *run, const ChatRequest *request, ChatPart part, const ChatList *messages,
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

static Status execute(ChatRun *run, const ChatTree *tree, const ChatRequest *request, ChatPart part) {
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

Status chat_render_part(const ChatTemplate *template, const ChatRequest *request, ChatPart part,
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

Status chat_render(const ChatTemplate *template, const ChatRequest *request, ChatRendering *rendering,
                   Error *error) {
    ChatOutput output;
    const ChatConversation *conversation = request->conversation;
    ChatPart all = {conversation->messages->count, request->asks || conversation->add_generation_prompt};
    bool has_spans = request->spans != CHAT_SPANS_NONE;
    *rendering = (ChatRendering){0};
    Status status = chat_render_part(template, request, all, &output, error);
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
