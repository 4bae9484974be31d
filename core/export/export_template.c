#include "core/chat/chat_difference.h"
#include "core/export/export_internal.h"
#include "core/files/file_path.h"

static const char *const NAMES[CHAT_SIDES] = {"base", "SFT"};

/* Those that are copied: all but what the recipe could not name. */
static Status list_templates(ExportPlan *plan, const ChatSource *source, Error *error) {
    ChatSourceEntry entry;
    Status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && source != NULL && chat_source_entry(source, i, &entry); i++) {
        if (file_path_is_text(entry.file) && file_path_is_text(entry.name))
            status = recipe_add_template(plan->recipe, entry.name, entry.file, error);
    }
    return status;
}

static Status warn_of_template(ExportPlan *plan, const ChatTemplateDifference *one, int donor, Error *error) {
    const char *own = one->files[donor], *other = one->files[!donor];
    if (own == NULL)
        return finding_add(&plan->findings, SEVERITY_WARNING, CHAT_DIFFERENCE_SUBJECT, error,
                           "%s has none that is called %s; %s's (%s) does not go along", NAMES[donor],
                           one->name, NAMES[!donor], other);
    if (other == NULL) return STATUS_OK;
    return finding_add(&plan->findings, SEVERITY_WARNING, CHAT_DIFFERENCE_SUBJECT, error,
                       "%s goes along as %s has it (%s); %s's (%s) is another (check shows the difference)",
                       one->name, NAMES[donor], own, NAMES[!donor], other);
}

static Status warn_of_variable(ExportPlan *plan, const ChatVariableDifference *one, int donor, Error *error) {
    const char *own = one->texts[donor], *other = one->texts[!donor];
    return finding_add(&plan->findings, SEVERITY_WARNING, CHAT_DIFFERENCE_SUBJECT, error,
                       "%s, which templates write, is %s in %s, which goes along, and %s in %s", one->name,
                       own != NULL ? own : "nothing", NAMES[donor], other != NULL ? other : "nothing",
                       NAMES[!donor]);
}

static Status tell_differences(ExportPlan *plan, const ChatDifference *difference, int donor, Error *error) {
    const Error *unread = &difference->errors[donor];
    Status status = STATUS_OK;
    if (unread->status != STATUS_OK)
        return finding_add(&plan->findings, SEVERITY_WARNING, CHAT_DIFFERENCE_SUBJECT, error, "%s",
                           unread->message);
    for (size_t i = 0; i < difference->template_count && status == STATUS_OK; i++)
        status = warn_of_template(plan, &difference->templates[i], donor, error);
    for (size_t i = 0; i < difference->variable_count && status == STATUS_OK; i++)
        status = warn_of_variable(plan, &difference->variables[i], donor, error);
    return status;
}

Status export_plan_templates(ExportPlan *plan, Error *error) {
    const char *const directories[CHAT_SIDES] = {checkpoint_text_directory(plan->pair->base),
                                                 checkpoint_text_directory(plan->pair->sft)};
    int donor = plan->options.donor == DONOR_BASE ? CHAT_SIDE_BASE : CHAT_SIDE_SFT;
    ChatDifference *difference;
    Status status = chat_difference_open(directories, &difference, error);
    if (status == STATUS_OK) status = list_templates(plan, difference->sources[donor], error);
    if (status == STATUS_OK) status = tell_differences(plan, difference, donor, error);
    chat_difference_close(difference);
    return status;
}
