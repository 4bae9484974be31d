#include "core/chat/chat_part.h"

#include "core/chat/chat_access.h"
#include "core/chat/chat_conversation_internal.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_execute.h"
#include "core/chat/chat_functions.h"
#include "core/support/memory.h"

#include <string.h>

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

Status chat_part_render(const ChatTemplate *template, const ChatRequest *request, ChatPart part,
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
