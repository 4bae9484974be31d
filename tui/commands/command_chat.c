#include "core/chat/chat.h"
#include "core/chat/chat_conversation.h"
#include "core/chat/chat_source.h"
#include "core/files/json_text.h"
#include "tui/commands/command.h"
#include "tui/tables/table_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

typedef struct Chat {
    const ChatSource *source;
    const char *name; /* of the template; NULL: as suits the conversation */
    bool json;
    bool refused; /* a conversation was */
} Chat;

static Status open_source(const char *directory, ChatSource **source, Error *error) {
    struct stat facts;
    if (stat(directory, &facts) != 0) return status_fail_errno(error, errno, "%s", directory);
    if (!S_ISDIR(facts.st_mode))
        return status_fail(error, STATUS_ARGUMENT, "%s: expected a directory", directory);
    return chat_source_require(directory, source, error);
}

/* Standard output is checked after every line. */
static void write_spans(const ChatRendering *rendering) {
    (void)fputs(",\"assistant_spans\":", stdout);
    if (!rendering->has_spans) {
        (void)fputs("null", stdout);
        return;
    }
    (void)putchar('[');
    for (size_t i = 0; i < rendering->span_count; i++)
        (void)printf("%s[%zu,%zu]", i == 0 ? "" : ",", rendering->spans[i].first, rendering->spans[i].end);
    (void)putchar(']');
}

/* {"KEY":"TEXT" */
static Status write_member(const char *key, const char *text, size_t bytes, Error *error) {
    char *literal;
    Status status = json_text_encode(text, bytes, &literal, error);
    if (status != STATUS_OK) return status;
    (void)printf("{\"%s\":%s", key, literal);
    free(literal);
    return STATUS_OK;
}

static Status write_rendering(const Chat *chat, const ChatRendering *rendering, Error *error) {
    if (!chat->json) {
        batch_print_text(rendering->text, rendering->bytes);
        return STATUS_OK;
    }
    Status status = write_member("text", rendering->text, rendering->bytes, error);
    if (status != STATUS_OK) return status;
    write_spans(rendering);
    (void)puts("}");
    return STATUS_OK;
}

static Status render_line(const Chat *chat, const char *line, size_t bytes, ChatRendering *rendering,
                          Error *error) {
    ChatConversation *conversation;
    const ChatTemplate *template = NULL;
    Status status = chat_conversation_read(line, bytes, &conversation, error);
    if (status != STATUS_OK) return status;
    ChatRequest request = {.conversation = conversation,
                           .spans = chat->json ? CHAT_SPANS_BY_TEMPLATE : CHAT_SPANS_NONE};
    request.variables = chat_source_variables(chat->source, &request.variable_count);
    chat_set_time(&request);
    status = chat_source_choose(chat->source, chat->name, chat_conversation_has_tools(conversation),
                                &template, error);
    if (status == STATUS_OK) status = chat_render(template, &request, rendering, error);
    chat_conversation_free(conversation);
    return status;
}

static Status answer_line(void *user, const char *line, size_t bytes, Error *error) {
    Chat *chat = user;
    ChatRendering rendering = {0};
    Error refusal = {0};
    Status status = render_line(chat, line, bytes, &rendering, &refusal);
    if (status == STATUS_OK) {
        status = write_rendering(chat, &rendering, error);
        chat_rendering_free(&rendering);
        return status;
    }
    if (!chat->json || status == STATUS_NO_MEMORY) return status_fail(error, status, "%s", refusal.message);
    chat->refused = true;
    size_t length = 0;
    while (refusal.message[length] != '\0') length++;
    status = write_member("error", refusal.message, length, error);
    if (status == STATUS_OK) (void)puts("}");
    return status;
}

static Status run(Batch *batch, Error *error) {
    const Options *options = batch->options;
    ChatSource *source = NULL;
    Status status = open_source(options->operands[0], &source, error);
    if (status != STATUS_OK) return status;
    Chat chat = {.source = source,
                 .name = options_text(options, OPTION_TEMPLATE),
                 .json = options_has(options, OPTION_JSON_CHAT)};
    const char *path = options->operand_count > 1 ? options->operands[1] : "-";
    status = batch_answer_lines(path, answer_line, &chat, error);
    batch->found = chat.refused;
    chat_source_close(source);
    return status;
}

const Command command_chat = {
    .details =
        "A line of FILE, which may be packed by gzip or zstd, or of standard input (-, or without FILE) is a "
        "conversation: {\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], "
        "\"tools\": [], \"documents\": [], \"add_generation_prompt\": true, \"template_kwargs\": {\"enable_thinking\": "
        "false}}; all but messages may be left out. The text is what apply_chat_template of transformers makes of it, "
        "with the directory's own template and special tokens. Lines of standard input are answered one by one.\n"
        "Without --json a text takes as many lines as it has, and a conversation that the template refuses ends the "
        "program, with its line's number.\n"
        "\n"
        "JSON: a line out is {\"text\", \"assistant_spans\"}, or {\"error\"} where the template refuses the "
        "conversation, and then the exit status is 1. assistant_spans are the turns of the assistant, [first, end) in "
        "code points of the text: what the template marks with generation, where it does; else what follows the "
        "rendering of all before a turn, with a generation prompt, to the end of that which ends with it; null where "
        "one is not the beginning of the next.",
    .run = run,
};
