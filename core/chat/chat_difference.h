/*
 * chat_difference — how the chat templates of two directories differ: for a person who fuses them, and for the donor of
 * an export, which takes one side's along.
 *
 * A template of one name on both sides is compared by its text; a newline at the end, which Jinja drops, counts for
 * nothing. Special tokens (bos_token, eos_token) are compared where a template of either side has the variable.
 */
#ifndef REJUV_CORE_CHAT_DIFFERENCE_H
#define REJUV_CORE_CHAT_DIFFERENCE_H

#include "core/chat/chat_source.h"
#include "core/checkpoint/finding.h"
#include "core/support/text_diff.h"

#include <stdbool.h>

#define CHAT_DIFFERENCE_SUBJECT "chat template"

enum { CHAT_SIDE_BASE, CHAT_SIDE_SFT, CHAT_SIDES };

/* A template that the sides do not have alike. */
typedef struct ChatTemplateDifference {
    const char *name;
    const char *files[CHAT_SIDES]; /* NULL: that side has none of this name */
    TextDiff diff; /* from base's to SFT's, where both have one; lines may be cut behind tags */
} ChatTemplateDifference;

typedef struct ChatVariableDifference {
    const char *name;
    const char *texts[CHAT_SIDES]; /* NULL: that side has none of this name */
} ChatVariableDifference;

/* Texts belong to the sources. */
typedef struct ChatDifference {
    ChatSource *sources[CHAT_SIDES]; /* NULL: no template, or it cannot be read */
    Error errors[CHAT_SIDES];        /* why it cannot; STATUS_OK otherwise */
    ChatTemplateDifference *templates;
    size_t template_count, template_capacity;
    ChatVariableDifference *variables; /* none unless both sides have templates */
    size_t variable_count, variable_capacity;
} ChatDifference;

/* Of base's directory and SFT's. What cannot be read is no failure: `errors` has it. The caller closes it. */
Status chat_difference_open(const char *const directories[CHAT_SIDES], ChatDifference **difference,
                            Error *error) STATUS_MUST_CHECK;
void chat_difference_close(ChatDifference *difference); /* takes NULL */

/* Whether a side has what the other has not, or another: any file, or a special token. */
bool chat_difference_is_any(const ChatDifference *difference);

/* Adds findings about CHAT_DIFFERENCE_SUBJECT: warnings where both sides have a template and not the same, where one cannot
 * be read or compiled; notes where only one side has one. */
Status chat_difference_add_findings(const ChatDifference *difference, FindingList *findings,
                                    Error *error) STATUS_MUST_CHECK;

/* The two in one, and only the warnings: that base has no template, as most have none, is nothing to look at first. */
Status chat_difference_warn(const char *base, const char *sft, FindingList *findings,
                            Error *error) STATUS_MUST_CHECK;

#endif
