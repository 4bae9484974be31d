#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/report/report_write.h"
#include "tui/tables/table_json.h"

#include <string.h>

static const char *const LISTS[] = {
    [REPORT_PARAGRAPH] = "text", [REPORT_ITEM] = "text", [REPORT_COMMAND] = "commands"};

/* Lists and objects are there in every section, empty or not. */
static cJSON *new_section(const ReportSection *section) {
    cJSON *object = cJSON_CreateObject();
    bool complete = object != NULL && json_add_text(object, "title", section->title) &&
                    cJSON_AddNullToObject(object, "lead") != NULL &&
                    cJSON_AddArrayToObject(object, "text") != NULL &&
                    cJSON_AddObjectToObject(object, "tables") != NULL &&
                    cJSON_AddObjectToObject(object, "figures") != NULL &&
                    cJSON_AddArrayToObject(object, "commands") != NULL;
    if (complete) return object;
    cJSON_Delete(object);
    return NULL;
}

static bool add_text(cJSON *section, const char *key, const char *text) {
    cJSON *item = cJSON_CreateString(text);
    bool complete = item != NULL && cJSON_AddItemToArray(cJSON_GetObjectItem(section, key), item);
    if (!complete) cJSON_Delete(item);
    return complete;
}

static bool add_table(cJSON *section, const ReportBlock *block) {
    cJSON *rows = NULL, *object = cJSON_AddObjectToObject(cJSON_GetObjectItem(section, "tables"), block->key);
    return object != NULL && json_add_text(object, "caption", block->text) &&
           table_json_array(block->table, &rows, NULL) == STATUS_OK && json_add(object, "rows", rows);
}

static bool add_figure(cJSON *section, const ReportBlock *block) {
    cJSON *object = cJSON_AddObjectToObject(cJSON_GetObjectItem(section, "figures"), block->key);
    return object != NULL && json_add_text(object, "caption", block->text);
}

static bool set_lead(cJSON *section, const char *text) {
    cJSON *lead = cJSON_CreateString(text);
    bool complete = lead != NULL && cJSON_ReplaceItemInObject(section, "lead", lead);
    if (!complete) cJSON_Delete(lead);
    return complete;
}

static bool add_block(cJSON *section, const ReportBlock *block) {
    switch (block->kind) {
    case REPORT_LEAD:
        return set_lead(section, block->text);
    case REPORT_TABLE:
        return add_table(section, block);
    case REPORT_FIGURE:
        return add_figure(section, block);
    default:
        return add_text(section, LISTS[block->kind], block->text);
    }
}

Status report_write_json(const ReportDocument *document, cJSON *tree, FILE *file, Error *error) {
    cJSON *sections =
        json_add_text(tree, "title", document->title) ? cJSON_AddObjectToObject(tree, "sections") : NULL;
    bool complete = sections != NULL;
    for (size_t i = 0; i < document->count && complete; i++) {
        const ReportSection *section = &document->sections[i];
        cJSON *object = new_section(section);
        complete = json_add(sections, section->key, object);
        for (size_t k = 0; k < section->count && complete; k++)
            complete = add_block(object, &section->blocks[k]);
    }
    return complete ? table_json_write(tree, file, error) : memory_fail(error, "a report");
}
