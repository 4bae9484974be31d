#include "core/tokenizer/tokenizer_findings.h"

#include "core/tokenizer/tokenizer_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool has_remark(const Tokenizer *tokenizer, const char *text) {
    const char *remark;
    for (size_t i = 0; tokenizer != NULL && (remark = tokenizer_remark(tokenizer, i)) != NULL; i++) {
        if (strcmp(remark, text) == 0) return true;
    }
    return false;
}

static Status add_beyond(const Tokenizer *tokenizer, uint64_t rows, FindingList *findings, Error *error) {
    size_t ids = tokenizer_vocabulary_size(tokenizer), count = 0, first = 0, bytes;
    char quote[TOKENIZER_QUOTE_SIZE];
    for (size_t id = ids; id > rows; id--) {
        if (tokenizer_piece(tokenizer, (int32_t)(id - 1), &bytes) == NULL) continue; /* a gap */
        first = id - 1;
        count++;
    }
    if (count == 0) return STATUS_OK;
    const char *piece = tokenizer_piece(tokenizer, (int32_t)first, &bytes);
    char tokens[48] = "the token";
    if (count > 1) (void)snprintf(tokens, sizeof tokens, "%zu tokens, first", count);
    return finding_add(findings, SEVERITY_WARNING, "tokenizer", error,
                       "%s %s (id %zu)%s beyond the %" PRIu64
                       " rows of the SFT model's embeddings"
                       ": text that has %s cannot be run",
                       tokens, tokenizer_text_quote(quote, piece, bytes), first, count == 1 ? " is" : ", are",
                       rows, count == 1 ? "it" : "one");
}

Status tokenizer_findings_add(const Tokenizer *base, const Tokenizer *sft, uint64_t rows,
                              FindingList *findings, Error *error) {
    const struct {
        const Tokenizer *own, *other;
        const char *name;
    } sides[] = {{base, sft, "base: "}, {sft, base, "SFT: "}};
    for (size_t side = 0; side < 2; side++) {
        const char *remark;
        for (size_t i = 0; sides[side].own != NULL && (remark = tokenizer_remark(sides[side].own, i)) != NULL;
             i++) {
            bool of_both = has_remark(sides[side].other, remark);
            if (of_both && side == 1) continue;
            Status status = finding_add(findings, SEVERITY_WARNING, "tokenizer", error, "%s%s",
                                        of_both ? "" : sides[side].name, remark);
            if (status != STATUS_OK) return status;
        }
    }
    const Tokenizer *used = sft != NULL ? sft : base;
    return used != NULL && rows > 0 ? add_beyond(used, rows, findings, error) : STATUS_OK;
}
