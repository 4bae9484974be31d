#include "core/evaluation/calibration_chat.h"

#include "core/chat/chat_conversation.h"
#include "core/chat/chat_source.h"
#include "core/evaluation/calibration_forms.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 2 /* of a turn in the text: where it begins, and where it ends */ };

struct CalibrationChat {
    const CalibrationReading *reading;
    ChatSource *source;
    ChatRequest request; /* of every row: its conversation is not there */
};

Status calibration_chat_open(const CalibrationReading *reading, CalibrationChat **chat, Error *error) {
    *chat = NULL;
    if (reading->tokenizer == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there is no tokenizer: give token ids");
    CalibrationChat *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "chat templates");
    made->reading = reading;
    Status status =
        reading->directory != NULL
            ? chat_source_require(reading->directory, &made->source, error)
            : status_fail(error, STATUS_IO, "there is no directory to look for a chat template in");
    if (status != STATUS_OK)
        status =
            status_add_context(error, "a row is a conversation, to be rendered by the SFT model's template");
    if (status != STATUS_OK) {
        calibration_chat_close(made);
        return status;
    }
    made->request = (ChatRequest){.spans = CHAT_SPANS_BY_TEMPLATE};
    made->request.variables = chat_source_variables(made->source, &made->request.variable_count);
    chat_set_time(&made->request);
    *chat = made;
    return STATUS_OK;
}

void calibration_chat_close(CalibrationChat *chat) {
    if (chat == NULL) return;
    chat_source_close(chat->source);
    free(chat);
}

bool calibration_chat_exists(const CalibrationReading *reading) {
    ChatSource *source = NULL;
    bool exists = reading->directory != NULL &&
                  chat_source_open(reading->directory, &source, NULL) == STATUS_OK && source != NULL;
    chat_source_close(source);
    return exists;
}

/* ---- rendering ---- */

/* Who may speak last where an answer is asked for. */
static const char *const ASKS[] = {"user",     "tool",    "system",     "developer",
                                   "function", "ipython", "observation"};

/* A conversation without an answer is a prompt, unless somebody answers under another name. */
static Status check_prompt(const ChatConversation *conversation, Error *error) {
    size_t count = chat_conversation_count(conversation), bytes;
    if (chat_conversation_turn(conversation, count - 1) != CHAT_TURN_OTHER)
        return STATUS_OK; /* not learned */
    const char *role = chat_conversation_role(conversation, count - 1, &bytes);
    for (size_t i = 0; i < sizeof ASKS / sizeof *ASKS; i++) {
        if (strlen(ASKS[i]) == bytes && memcmp(ASKS[i], role, bytes) == 0) return STATUS_OK;
    }
    return status_fail(error, STATUS_UNSUPPORTED,
                       "the last message is by \"%.*s\", and none by \"assistant\", which is what is learned",
                       (int)(bytes < 40 ? bytes : 40), role);
}

static Status find_learned(const ChatConversation *conversation, bool *any, Error *error) {
    *any = false;
    for (size_t i = 0; i < chat_conversation_count(conversation); i++) {
        ChatTurn turn = chat_conversation_turn(conversation, i);
        if (turn == CHAT_TURN_IN_PART)
            return status_fail(error, STATUS_UNSUPPORTED,
                               "message %zu is learned in part: expected its weight to be 0 or 1", i + 1);
        *any = *any || turn == CHAT_TURN_LEARNED;
    }
    return *any ? STATUS_OK : check_prompt(conversation, error);
}

/* A conversation without a turn that is learned is a prompt: it asks for one. */
static Status render(const CalibrationChat *chat, const ChatConversation *conversation, CalibrationRow *row,
                     ChatRendering *rendering, Error *error) {
    const ChatTemplate *template;
    ChatRequest request = chat->request;
    bool any;
    Status status = find_learned(conversation, &any, error);
    if (status != STATUS_OK) return status;
    bool is_prompt = !any;
    request.conversation = conversation;
    request.asks = is_prompt;
    if (is_prompt) request.spans = CHAT_SPANS_NONE;
    status = chat_source_choose(chat->source, chat->reading->template,
                                chat_conversation_has_tools(conversation), &template, error);
    if (status == STATUS_OK) status = chat_render(template, &request, rendering, error);
    if (status != STATUS_OK || is_prompt || (rendering->has_spans && rendering->span_count > 0))
        return status;
    chat_rendering_free(rendering);
    row->is_last_alone = true;
    return chat_render_last(template, &request, rendering, error);
}

/* ---- places in the text ---- */

/* Byte offsets of each turn's places, ascending, from code points. */
static void locate(const ChatRendering *rendering, size_t *places) {
    size_t byte = 0, point = 0;
    for (size_t i = 0; i < rendering->span_count * PLACES; i++) {
        const ChatSpan *span = &rendering->spans[i / PLACES];
        size_t wanted = i % PLACES == 0 ? span->first : span->end;
        for (; byte < rendering->bytes && point < wanted; point++) {
            byte++;
            while (byte < rendering->bytes && ((unsigned char)rendering->text[byte] & 0xC0) == 0x80) byte++;
        }
        places[i] = byte;
    }
}

/* From how many tokens stand before each place to the turns' tokens. One that covers a turn's end is the turn's too. */
static void find_tokens(const ChatRendering *rendering, const size_t *places, const bool *covered,
                        EvaluationSpan *spans) {
    for (size_t i = 0; i < rendering->span_count; i++) {
        size_t begin = i * PLACES, end = begin + 1;
        bool is_empty = rendering->spans[i].first == rendering->spans[i].end;
        spans[i] = (EvaluationSpan){places[begin], places[end] + (covered[end] && !is_empty)};
    }
}

/* The texts before and behind the first turn; `byte` is where it begins. */
static Status copy_texts(const ChatRendering *rendering, size_t byte, CalibrationRow *row, Error *error) {
    row->prompt = memory_copy_text(rendering->text, byte);
    bool has_response = byte < rendering->bytes;
    if (has_response) row->response = memory_copy_text(rendering->text + byte, rendering->bytes - byte);
    return row->prompt == NULL || (has_response && row->response == NULL)
               ? memory_fail(error, "a calibration row")
               : STATUS_OK;
}

static Status encode(const CalibrationChat *chat, const ChatRendering *rendering, CalibrationRow *row,
                     Error *error) {
    size_t turns = rendering->span_count;
    TokenList list = {0};
    size_t *places = memory_allocate(turns, PLACES * sizeof *places);
    bool *covered = memory_allocate(turns, PLACES * sizeof *covered);
    EvaluationSpan *spans = memory_allocate(turns, sizeof *spans);
    Status status = places == NULL || covered == NULL || spans == NULL
                        ? memory_fail(error, "a calibration row")
                        : STATUS_OK;
    if (status == STATUS_OK) {
        locate(rendering, places);
        status = copy_texts(rendering, turns > 0 ? places[0] : rendering->bytes, row, error);
    }
    if (status == STATUS_OK)
        status = tokenizer_encode_places(chat->reading->tokenizer, rendering->text, rendering->bytes, false,
                                         places, turns * PLACES, covered, &list, error);
    row->ids = list.ids; /* the list's block becomes the row's, whatever the status */
    row->count = row->prompt_count = list.count;
    if (status == STATUS_OK) {
        find_tokens(rendering, places, covered, spans);
        status = calibration_learn_tokens(row, spans, turns, error);
    }
    free(places);
    free(covered);
    free(spans);
    return status;
}

Status calibration_chat_encode(const CalibrationChat *chat, CalibrationRow *row, Error *error) {
    ChatConversation *conversation;
    ChatRendering rendering = {0};
    Status status =
        chat_conversation_read(row->conversation, strlen(row->conversation), &conversation, error);
    if (status != STATUS_OK) return status;
    status = render(chat, conversation, row, &rendering, error);
    if (status == STATUS_OK) status = encode(chat, &rendering, row, error);
    chat_rendering_free(&rendering);
    chat_conversation_free(conversation);
    return status;
}
