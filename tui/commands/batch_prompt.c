#include "tui/commands/batch_prompt.h"

#include "core/chat/chat_conversation.h"
#include "core/chat/chat_source.h"
#include "core/files/input.h"
#include "core/support/memory.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROMPT_LIMIT = 64 << 20 };

/* ---- text and ids ---- */

/* Everything a file or pipe holds; *text is the caller's to free, whatever the status. */
static Status read_all(const Batch *batch, FILE *file, const char *name, char **text, size_t *bytes,
                       Error *error) {
    size_t capacity = 0;
    *text = NULL;
    *bytes = 0;
    for (size_t got = 1; got > 0 && *bytes <= PROMPT_LIMIT; *bytes += got) {
        Status status = MEMORY_RESERVE(*text, &capacity, *bytes + BUFSIZ, error);
        if (status != STATUS_OK) return status;
        errno = 0;
        got = fread(*text + *bytes, 1, BUFSIZ, file);
        if (job_is_cancelled(batch->job)) return job_cancelled(error); /* a terminal's user gave up */
        if (got == 0 && ferror(file)) return status_fail_errno(error, errno, "%s", name);
    }
    if (*bytes <= PROMPT_LIMIT) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "%s: expected at most %d bytes", name, PROMPT_LIMIT);
}

static Status read_prompt_file(const Batch *batch, const char *path, char **text, size_t *bytes,
                               Error *error) {
    *text = NULL;
    if (strcmp(path, "-") == 0) return read_all(batch, stdin, "standard input", text, bytes, error);
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return status_fail_errno(error, errno, "%s", path);
    Status status = read_all(batch, file, path, text, bytes, error);
    (void)fclose(file); /* opened for reading: nothing can be lost */
    return status;
}

/* "1, 2 3": ids between white space, or one comma. */
static Status read_ids(const char *text, TokenList *list, Error *error) {
    const char *at = text + strspn(text, " \t\n");
    while (*at != '\0') {
        char *end = NULL;
        errno = 0;
        unsigned long id = isdigit((unsigned char)*at) ? strtoul(at, &end, 10) : ULONG_MAX;
        bool is_id = errno == 0 && id <= INT32_MAX && strchr(", \t\n", *end) != NULL;
        const char *next = is_id ? end + strspn(end, " \t\n") : at;
        bool goes_on = *next == ',';
        if (goes_on) next += 1 + strspn(next + 1, " \t\n");
        if (!is_id || (goes_on && *next == '\0'))
            return status_fail(error, STATUS_ARGUMENT,
                               "--ids: expected token ids such as 1,2,3, found \"%s\"", at);
        Status status = token_list_append(list, (int32_t)id, error);
        if (status != STATUS_OK) return status;
        at = next;
    }
    return STATUS_OK;
}

static Status add_ids(const Batch *batch, BatchPrompt *prompt, const TokenList *list, Error *error) {
    return calibration_add_ids(prompt->rows, list->ids, list->count, NULL, 0, batch->model->config, error);
}

static Status add_written_ids(const Batch *batch, BatchPrompt *prompt, const char *text, Error *error) {
    TokenList list = {0};
    Status status = read_ids(text, &list, error);
    if (status == STATUS_OK) status = add_ids(batch, prompt, &list, error);
    token_list_free(&list);
    return status;
}

static Status add_text(const Batch *batch, BatchPrompt *prompt, const char *text, size_t bytes,
                       Error *error) {
    return calibration_add_text(prompt->rows, text, bytes, NULL, 0, batch->tokenizer, batch->model->config,
                                error);
}

static Status add_file(const Batch *batch, BatchPrompt *prompt, const char *path, Error *error) {
    char *text = NULL;
    size_t bytes = 0;
    Status status = read_prompt_file(batch, path, &text, &bytes, error);
    if (status == STATUS_OK) status = add_text(batch, prompt, text, bytes, error);
    free(text);
    return status;
}

/* ---- a conversation ---- */

static Status read_conversation(const Batch *batch, const char *path, ChatConversation **conversation,
                                Error *error) {
    Input input;
    *conversation = NULL;
    Status status = input_read(path, PROMPT_LIMIT, batch->job, &input, error);
    if (status == STATUS_OK) {
        status = chat_conversation_read_prompt(input.text, input.bytes, conversation, error);
        if (status != STATUS_OK) (void)status_add_context(error, "%s", input_name(path));
    }
    input_free(&input);
    return status;
}

static Status keep_entry(BatchPrompt *prompt, const ChatSourceEntry *entry, Error *error) {
    prompt->template_name = memory_copy_text(entry->name, strlen(entry->name));
    prompt->template_file = memory_copy_text(entry->file, strlen(entry->file));
    if (prompt->template_name == NULL || prompt->template_file == NULL)
        return memory_fail(error, "a chat template's name");
    return STATUS_OK;
}

static Status render(const Batch *batch, const ChatSource *source, const ChatConversation *conversation,
                     BatchPrompt *prompt, Error *error) {
    const ChatTemplate *template = NULL;
    ChatSourceEntry entry;
    ChatRequest request = {.conversation = conversation};
    request.variables = chat_source_variables(source, &request.variable_count);
    chat_set_time(&request);
    Status status =
        chat_source_choose_entry(source, options_text(batch->options, OPTION_TEMPLATE),
                                 chat_conversation_has_tools(conversation), &template, &entry, error);
    if (status == STATUS_OK) status = keep_entry(prompt, &entry, error);
    if (status == STATUS_OK) status = chat_render(template, &request, &prompt->rendering, error);
    prompt->asks = chat_conversation_asks(conversation);
    return status;
}

/* The template writes special tokens itself, so that the tokenizer adds none, as apply_chat_template has it. */
static Status add_rendering(const Batch *batch, BatchPrompt *prompt, Error *error) {
    TokenList list = {0};
    Status status = tokenizer_encode(batch->tokenizer, prompt->rendering.text, prompt->rendering.bytes, false,
                                     &list, error);
    if (status == STATUS_OK && list.count == 0)
        status = status_fail(error, STATUS_FORMAT, "the template %s of %s makes no token of the conversation",
                             prompt->template_name, prompt->template_file);
    if (status == STATUS_OK) status = add_ids(batch, prompt, &list, error);
    token_list_free(&list);
    return status;
}

static Status add_chat(const Batch *batch, BatchPrompt *prompt, const char *path, Error *error) {
    ChatConversation *conversation = NULL;
    ChatSource *source = NULL;
    const char *directory = checkpoint_text_directory(batch->pair->sft);
    if (batch->tokenizer == NULL)
        return status_fail(error, STATUS_ARGUMENT,
                           "--chat: %s has no tokenizer that can be used: expected %s", directory,
                           tokenizer_absence(batch_tokenizer_rule(batch->options)));
    Status status = chat_source_require(directory, &source, error);
    if (status == STATUS_OK) status = read_conversation(batch, path, &conversation, error);
    if (status == STATUS_OK) status = render(batch, source, conversation, prompt, error);
    if (status == STATUS_OK) status = add_rendering(batch, prompt, error);
    chat_conversation_free(conversation);
    chat_source_close(source);
    return status;
}

/* ---- any of them ---- */

Status batch_prompt_check(const Options *options, Error *error) {
    bool has_rows = options_has(options, OPTION_CALIBRATION) || options_has(options, OPTION_PROMPTS) ||
                    options_has(options, OPTION_SAMPLES);
    bool takes_chat = (option_facts(OPTION_CHAT)->commands >> options->command & 1U) != 0;
    if (options_has(options, OPTION_END_TOKEN) && !has_rows)
        return status_fail(
            error, STATUS_ARGUMENT,
            "--end-token says what is put behind responses of --calibration, which is missing");
    if (options_has(options, OPTION_TEMPLATE) && !has_rows && !options_has(options, OPTION_CHAT))
        return status_fail(error, STATUS_ARGUMENT,
                           "--template says which template renders conversations: %s missing",
                           takes_chat ? "--chat and --calibration are" : "--calibration is");
    return STATUS_OK;
}

bool batch_prompt_is_given(const Options *options) {
    return options_has(options, OPTION_PROMPT) || options_has(options, OPTION_PROMPT_FILE) ||
           options_has(options, OPTION_CHAT) || options_has(options, OPTION_IDS);
}

Status batch_prompt_read(Batch *batch, BatchPrompt *prompt, Error *error) {
    const Options *options = batch->options;
    const char *text = options_text(options, OPTION_PROMPT), *ids = options_text(options, OPTION_IDS);
    const char *path = options_text(options, OPTION_PROMPT_FILE), *chat = options_text(options, OPTION_CHAT);
    *prompt = (BatchPrompt){0};
    const char *source = path != NULL ? path : chat != NULL ? chat : "the prompt";
    Status status = calibration_create(source, &prompt->rows, error);
    if (status == STATUS_OK)
        status = ids != NULL    ? add_written_ids(batch, prompt, ids, error)
                 : chat != NULL ? add_chat(batch, prompt, chat, error)
                 : text != NULL ? add_text(batch, prompt, text, strlen(text), error)
                                : add_file(batch, prompt, path, error);
    if (status == STATUS_OK) batch_say_rows(batch, prompt->rows);
    if (status != STATUS_OK) batch_prompt_free(prompt);
    return status;
}

void batch_prompt_free(BatchPrompt *prompt) {
    calibration_free(prompt->rows);
    chat_rendering_free(&prompt->rendering);
    free(prompt->template_name);
    free(prompt->template_file);
    *prompt = (BatchPrompt){0};
}
