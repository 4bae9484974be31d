#include "core/tokenizer/tokenizer_findings.h"

#include <stdbool.h>
#include <string.h>

static bool has_remark(const Tokenizer *tokenizer, const char *text) {
    const char *remark;
    for (size_t i = 0; tokenizer != NULL && (remark = tokenizer_remark(tokenizer, i)) != NULL; i++) {
        if (strcmp(remark, text) == 0) return true;
    }
    return false;
}

Status tokenizer_findings_add(const Tokenizer *base, const Tokenizer *sft, FindingList *findings,
                              Error *error) {
    const struct {
        const Tokenizer *own, *other;
        const char *name;
    } sides[] = {{base, sft, "base: "}, {sft, base, "SFT: "}};
    Status status = STATUS_OK;
    for (size_t side = 0; side < 2; side++) {
        const char *remark;
        for (size_t i = 0; sides[side].own != NULL && (remark = tokenizer_remark(sides[side].own, i)) != NULL;
             i++) {
            bool of_both = has_remark(sides[side].other, remark);
            if (of_both && side == 1) continue;
            status = finding_add(findings, SEVERITY_WARNING, "tokenizer", error, "%s%s",
                                 of_both ? "" : sides[side].name, remark);
            if (status != STATUS_OK) return status;
        }
    }
    return status;
}
