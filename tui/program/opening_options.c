#include "tui/program/opening_options.h"

/* What is not given stays. */
static void replace_text(const Options *options, OptionId option, const char **text) {
    if (options_has(options, option)) *text = options_text(options, option);
}

void opening_options_replace(const Options *options, SessionOptions *session) {
    if (options_has(options, OPTION_PROMPT)) session->chat = session->prompt_template = NULL;
    if (options_has(options, OPTION_SAMPLES) || options_has(options, OPTION_PROMPTS))
        session->samples = session->prompts = NULL;
    replace_text(options, OPTION_CALIBRATION, &session->calibration);
    replace_text(options, OPTION_END_TOKEN, &session->end_token);
    replace_text(options, OPTION_TEMPLATE, &session->chat_template);
    replace_text(options, OPTION_PROMPT, &session->prompt);
    replace_text(options, OPTION_SAMPLES, &session->samples);
    replace_text(options, OPTION_PROMPTS, &session->prompts);
    replace_text(options, OPTION_THIRD, &session->third);
    replace_text(options, OPTION_REWARD, &session->reward);
    replace_text(options, OPTION_REWARD_COMMAND, &session->reward_command);
    if (options_has(options, OPTION_TOKENIZER_FILE)) session->tokenizer_rule = TOKENIZER_BY_FILE;
    if (options_has(options, OPTION_ALLOW_UNMATCHED)) session->allow_unmatched = true;
    session->alpha = options_value(options, OPTION_ALPHA)->number;
    session->threads = (unsigned)options_value(options, OPTION_THREADS)->count;
}

SessionOptions opening_options_read(const Options *options) {
    SessionOptions session = {.tokenizer_rule = TOKENIZER_BY_CLASS};
    opening_options_replace(options, &session);
    return session;
}
