/*
 * chat_case — upper and lower case of whole texts as Python's str has them: one code point may become three, a final
 * sigma is one.
 */
#ifndef REJUV_CORE_CHAT_CASE_H
#define REJUV_CORE_CHAT_CASE_H

#include "core/chat/chat_value.h"

typedef enum ChatCase {
    CHAT_CASE_UPPER,
    CHAT_CASE_LOWER,
    CHAT_CASE_TITLE,      /* str.title(): each run of letters */
    CHAT_CASE_CAPITALIZE, /* the first code point */
    CHAT_CASE_SWAP
} ChatCase;

Status chat_case_change(ChatRun *run, const ChatText *text, ChatCase to, ChatValue *value) STATUS_MUST_CHECK;

/* str.isupper() (`upper`) or str.islower(): there are letters with a case, and all have this one. */
bool chat_case_is(const ChatText *text, bool upper);
bool chat_case_is_title(const ChatText *text);

/* ---- the table of what is not one to one ---- */

typedef struct ChatCaseRow {
    uint16_t point, upper[3], title[3];
} ChatCaseRow;

extern const ChatCaseRow CHAT_CASE_ROWS[]; /* by code point */
extern const size_t CHAT_CASE_ROW_COUNT;

/* ---- classes that no general category tells ---- */

typedef struct ChatClassRange {
    int32_t first, last;
} ChatClassRange;

extern const ChatClassRange CHAT_CLASS_DIGITS[], CHAT_CLASS_NUMERIC[], CHAT_CLASS_LOWER[], CHAT_CLASS_UPPER[];

bool chat_case_in_class(const ChatClassRange *ranges, int32_t point);

#endif
