#include "tui/commands/template_report.h"

#include "core/files/json.h"
#include "core/support/buffer.h"

#include <stdlib.h>

enum { LONGEST_LINE = 1000 }; /* bytes of a line that are shown */

/* In the order of CHAT_SIDE_…; as JSON has them, and as people do. */
static const char *const KEYS[CHAT_SIDES] = {"base", "sft"}, *const FILE_KEYS[] = {"base_file", "sft_file"};
static const char *const NAMES[CHAT_SIDES] = {"base", "SFT"};

/* ---- text ---- */

/* Lines are counted from 1; where a text has none of a hunk, the one before it is named, as diff does. */
static size_t line_of(const TextDiffHunk *hunk, int side) {
    return hunk->first[side] + (hunk->count[side] > 0);
}

/* Made printable, wherever it goes: it is out of a file. */
static void print_line(const TextDiffLine *line) {
    size_t shown = line->bytes;
    if (shown > LONGEST_LINE) {
        shown = LONGEST_LINE;
        while (shown > 0 && ((unsigned char)line->text[shown] & 0xC0) == 0x80) shown--;
    }
    const char sign = text_diff_sign(line->kind);
    if (shown < line->bytes)
        batch_print("%c%.*s … %zu bytes more (--json has them)", sign, (int)shown, line->text,
                    line->bytes - shown);
    else
        batch_print("%c%.*s", sign, (int)shown, line->text);
}

static void print_hunk(const TextDiff *diff, const TextDiffHunk *hunk) {
    batch_print("@@ -%zu,%zu +%zu,%zu @@", line_of(hunk, CHAT_SIDE_BASE), hunk->count[CHAT_SIDE_BASE],
                line_of(hunk, CHAT_SIDE_SFT), hunk->count[CHAT_SIDE_SFT]);
    for (size_t i = 0; i < hunk->line_count; i++) print_line(&diff->lines[hunk->first_line + i]);
}

void template_report_print(const ChatDifference *difference) {
    for (size_t i = 0; i < difference->template_count; i++) {
        const ChatTemplateDifference *one = &difference->templates[i];
        if (one->files[0] == NULL || one->files[1] == NULL) continue; /* a finding says it */
        batch_print("%s", "");
        batch_print("--- %s: %s of %s", NAMES[0], one->name, one->files[0]);
        batch_print("+++ %s: %s of %s", NAMES[1], one->name, one->files[1]);
        for (size_t h = 0; h < one->diff.hunk_count; h++) print_hunk(&one->diff, &one->diff.hunks[h]);
    }
}

/* ---- JSON: each returns false when out of memory ---- */

static bool add_item(cJSON *array, cJSON *item) {
    if (item != NULL && cJSON_AddItemToArray(array, item)) return true;
    cJSON_Delete(item);
    return false;
}

static bool add_source(cJSON *object, const char *key, const ChatSource *source) {
    cJSON *array = cJSON_CreateArray();
    bool complete = json_add(object, key, array);
    ChatSourceEntry entry;
    for (size_t i = 0; complete && source != NULL && chat_source_entry(source, i, &entry); i++) {
        cJSON *item = cJSON_CreateObject();
        complete = add_item(array, item) && json_add_text(item, "name", entry.name) &&
                   json_add_text(item, "file", entry.file);
    }
    return complete;
}

static bool add_lines(cJSON *object, const TextDiff *diff, const TextDiffHunk *hunk) {
    cJSON *array = cJSON_CreateArray();
    bool complete = json_add(object, "lines", array);
    for (size_t i = 0; i < hunk->line_count && complete; i++) {
        const TextDiffLine *line = &diff->lines[hunk->first_line + i];
        const char sign = text_diff_sign(line->kind);
        Buffer buffer = {0};
        char *text;
        size_t bytes;
        buffer_add(&buffer, &sign, 1);
        buffer_add(&buffer, line->text, line->bytes);
        complete = buffer_take(&buffer, &text, &bytes, "a line", NULL) == STATUS_OK;
        if (!complete) break;
        complete = add_item(array, batch_json_new_bytes(text, bytes));
        free(text);
    }
    return complete;
}

static bool add_hunks(cJSON *object, const TextDiff *diff) {
    cJSON *array = cJSON_CreateArray();
    bool complete = json_add(object, "hunks", array);
    for (size_t h = 0; h < diff->hunk_count && complete; h++) {
        const TextDiffHunk *hunk = &diff->hunks[h];
        cJSON *item = cJSON_CreateObject();
        complete = add_item(array, item) &&
                   batch_json_add_count(item, "base_line", line_of(hunk, CHAT_SIDE_BASE)) &&
                   batch_json_add_count(item, "base_lines", hunk->count[CHAT_SIDE_BASE]) &&
                   batch_json_add_count(item, "sft_line", line_of(hunk, CHAT_SIDE_SFT)) &&
                   batch_json_add_count(item, "sft_lines", hunk->count[CHAT_SIDE_SFT]) &&
                   add_lines(item, diff, hunk);
    }
    return complete;
}

static bool add_difference(cJSON *array, const ChatTemplateDifference *one) {
    cJSON *item = cJSON_CreateObject();
    bool complete = add_item(array, item) && json_add_text(item, "name", one->name);
    for (int side = 0; side < CHAT_SIDES; side++)
        complete = complete && json_add_text(item, FILE_KEYS[side], one->files[side]);
    if (!complete || one->files[0] == NULL || one->files[1] == NULL) return complete;
    return batch_json_add_count(item, "removed", one->diff.removed) &&
           batch_json_add_count(item, "added", one->diff.added) &&
           json_add_bool(item, "is_fewest", one->diff.is_fewest) && add_hunks(item, &one->diff);
}

static bool add_variable(cJSON *array, const ChatVariableDifference *one) {
    cJSON *item = cJSON_CreateObject();
    bool complete = add_item(array, item) && json_add_text(item, "name", one->name);
    for (int side = 0; side < CHAT_SIDES; side++)
        complete = complete && json_add_text(item, KEYS[side], one->texts[side]);
    return complete;
}

bool template_report_add_json(cJSON *tree, const ChatDifference *difference) {
    cJSON *object = cJSON_CreateObject();
    bool complete = json_add(tree, "chat_templates", object);
    for (int side = 0; side < CHAT_SIDES; side++)
        complete = complete && add_source(object, KEYS[side], difference->sources[side]);
    cJSON *array = complete ? cJSON_CreateArray() : NULL;
    complete = json_add(object, "differences", array);
    for (size_t i = 0; i < difference->template_count && complete; i++)
        complete = add_difference(array, &difference->templates[i]);
    array = complete ? cJSON_CreateArray() : NULL;
    complete = json_add(object, "variables", array);
    for (size_t i = 0; i < difference->variable_count && complete; i++)
        complete = add_variable(array, &difference->variables[i]);
    return complete;
}
