/* demo_tokenizer — the demo pair's tokenizer, kept to the end: opening it takes longer than a run. */
#ifndef REJUV_TESTS_FUZZ_DEMO_TOKENIZER_H
#define REJUV_TESTS_FUZZ_DEMO_TOKENIZER_H

#include "core/tokenizer/tokenizer.h"

#include <stdlib.h>

static inline const Tokenizer *demo_tokenizer(void) {
    static Tokenizer *tokenizer;
    if (tokenizer == NULL &&
        tokenizer_open(TESTS_DIR "/demo/sft/tokenizer.json", &tokenizer, NULL) != STATUS_OK)
        abort();
    return tokenizer;
}

#endif
