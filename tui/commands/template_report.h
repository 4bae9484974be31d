/*
 * template_report — how the chat templates of a pair differ, as text and as JSON.
 */
#ifndef REJUV_TUI_TEMPLATE_REPORT_H
#define REJUV_TUI_TEMPLATE_REPORT_H

#include "core/chat/chat_difference.h"
#include "tui/commands/batch.h"

/* A unified diff of each template that differs, behind an empty line; nothing where none does. */
void template_report_print(const ChatDifference *difference);

/* Member "chat_templates": {base: [{name, file}], sft, differences: [{name, base_file, sft_file, removed, added, is_fewest,
 * hunks: [{base_line, base_lines, sft_line, sft_lines, lines}]}], variables: [{name, base, sft}]}; false when out of
 * memory. */
bool template_report_add_json(cJSON *tree, const ChatDifference *difference);

#endif
