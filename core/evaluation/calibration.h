/*
 * calibration — the rows of text on which models are measured: a prompt, what it should be answered with, and
 * the ids of both.
 *
 * A file has a row a line, or is one array of rows of JSON; it may be packed by gzip or zstd, a pipe, or standard input
 * ("-"). A line is one of
 *
 *     {"prompt": "…", "response": "…", "answer": "…"}      response, and answer beside it, may be missing
 *     {"prompt": "…", "completion": "…"}                    as TRL has it
 *     {"messages": […], "tools": […]}                       a conversation, in any of the forms of chat_conversation.h:
 *                                                           ShareGPT's, Alpaca's, TRL's prompt and completion of messages
 *     {"prompt_ids": [1, 2], "response_ids": [3]}           response_ids may be missing
 *     {"input_ids": [1, 2, 3], "labels": [-100, -100, 3]}   as trainers keep them; or assistant_masks, completion_mask
 *     {"text": "…"}                                         a prompt
 *     any other text that does not begin with a brace       a prompt
 *
 * or is empty. Nothing is thrown away in silence: a row of another form, and a row with a text under a key that is not
 * used, are refused with their keys (calibration_forms.h has both tables).
 *
 * The ids of a row of text are encode(prompt + response), cut where the response begins: a token that covers both is the
 * response's. Behind a response comes the token that the SFT model was trained to stop with, unless it ends with it
 * already. Position t predicts token t + 1; the response positions are those that predict a response token, the end
 * included.
 *
 * A conversation is rendered by the SFT model's chat template, and has the ids of that text alone. Its response is every
 * turn of the assistant (chat.h): what ends a turn is the template's matter, and nothing is put behind it. A token that
 * covers a turn's beginning is the turn's; so is one that covers its end, as transformers' return_assistant_tokens_mask
 * has it. Where renderings do not continue each other, the last turn alone is measured, and the row is counted as such.
 */
#ifndef REJUV_CORE_CALIBRATION_H
#define REJUV_CORE_CALIBRATION_H

#include "core/evaluation/evaluation.h"
#include "core/files/hash.h"
#include "core/tokenizer/tokenizer.h"

typedef struct CalibrationRow {
    char *prompt, *response,
        *answer;        /* as given, or of a conversation what stands before the first turn that is
                                         learned, and all behind it; NULL where there is none */
    char *conversation; /* its JSON (chat_conversation.h); NULL: it is none */
    int32_t *ids;
    size_t count, prompt_count; /* tokens; those before the first of a response */
    /* the positions that predict its response; NULL: all from the prompt's last on */
    EvaluationSpan *measured;
    size_t measured_count;
    bool is_last_alone;  /* of a conversation: its last turn alone is its response */
    bool doubles_first;  /* its text begins with the token that the tokenizer puts first */
    bool changes_prompt; /* the prompt alone has other tokens, at its end, than before the response */
    bool is_ended;       /* the end was put behind its response */
} CalibrationRow;

/* What a response ends with. */
typedef struct CalibrationEnd {
    int32_t id; /* -1: nothing */
    /* static: the key that names it, "tokenizer_config.json: eos_token"; NULL: nothing does */
    const char *from;
} CalibrationEnd;

/* What rows are read with. */
typedef struct CalibrationReading {
    const Tokenizer *tokenizer; /* may be NULL where every row has ids */
    const ModelConfig *config;
    const char *end_token; /* a token, an id, "none"; NULL: what the SFT model was trained to stop with */
    size_t limit;          /* at most so many rows; 0: all */
    const char *directory; /* where the chat templates of conversations are (chat_source.h); NULL: nowhere */
    const char *template;  /* which of them; NULL: as suits the row */
    /* an answer may stand beside a prompt alone, to be compared with; else that is refused, for it would not
     * be measured */
    bool are_questions;
} CalibrationReading;

typedef struct Calibration {
    char *source; /* the file, or what the rows were typed into */
    CalibrationRow *rows;
    size_t count, capacity;
    size_t tokens, response_tokens;
    CalibrationEnd end;
    /* rows: longer than the model's positions, and the longest of them; with these flags */
    size_t too_long, longest, doubled, changed, ended;
    size_t conversations, last_alone;
    size_t bare;                /* of samples: decoded without special tokens, which a template puts in */
    uint64_t positions;         /* the model's; 0: not known */
    const char *positions_from; /* static: the key; NULL: its type's default */
    char sha256[HASH_HEX_SIZE]; /* of all bytes of the file, as they were read; "" where there is no file */
} Calibration;

/* An empty set; calibration_free() takes NULL. */
Status calibration_create(const char *source, Calibration **calibration, Error *error) STATUS_MUST_CHECK;
void calibration_free(Calibration *calibration);

/* Chooses calibration->end: `wanted` (a token of the tokenizer, an id, "none"), or where it is NULL the tokenizer's
 * eos_token, else the first end of text of generation_config.json or config.json. STATUS_ARGUMENT for a token that there
 * is not. `tokenizer` may be NULL. */
Status calibration_choose_end(Calibration *calibration, const Tokenizer *tokenizer, const ModelConfig *config,
                              const char *wanted, Error *error) STATUS_MUST_CHECK;

/* Reads a file, once, so that the sum is that of the rows even where another takes the file's place meanwhile.
 * Ids outside the model's vocabulary, a line that is neither JSON nor UTF-8, a row without tokens: refused with the
 * line's number. A cancelled `job` (may be NULL) ends it: STATUS_CANCELLED; its threads make the ids. */
Status calibration_read(const char *path, const CalibrationReading *reading, Job *job,
                        Calibration **calibration, Error *error) STATUS_MUST_CHECK;

/* What a person should know about the rows: a sentence without a full stop each, false after the last. */
enum { CALIBRATION_REMARK_SIZE = 256 };
bool calibration_remark(const Calibration *calibration, size_t index, char text[CALIBRATION_REMARK_SIZE]);

/* Adds one row of text. `response` may be NULL: then the row has only a prompt. */
Status calibration_add_text(Calibration *calibration, const char *prompt, size_t prompt_bytes,
                            const char *response, size_t response_bytes, const Tokenizer *tokenizer,
                            const ModelConfig *config, Error *error) STATUS_MUST_CHECK;

/* Adds one row of ids; response_count may be 0. */
Status calibration_add_ids(Calibration *calibration, const int32_t *prompt, size_t prompt_count,
                           const int32_t *response, size_t response_count, const ModelConfig *config,
                           Error *error) STATUS_MUST_CHECK;

/* The rows as a file of ids, which the caller frees: read again, it gives rows that measure alike, whatever they
 * were made from. The same rows give the same bytes. */
Status calibration_format_ids(const Calibration *calibration, char **text, size_t *bytes,
                              Error *error) STATUS_MUST_CHECK;

/* What to measure of a row. responses_only: the positions that predict the response; for a row without one,
 * the prompt's last. Otherwise every position. */
EvaluationRow calibration_positions(const CalibrationRow *row, bool responses_only);

/* The same for all rows, in a block the caller frees; NULL when out of memory. */
EvaluationRow *calibration_list_positions(const Calibration *calibration, bool responses_only);

#endif
