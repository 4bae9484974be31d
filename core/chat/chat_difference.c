#include "core/chat/chat_difference.h"

#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *const NAMES[CHAT_SIDES] = {"base", "SFT"};

/* Templates are often written on one line: it is cut where a tag ends. */
static const char *const TAG_ENDS[] = {"%}", "}}", NULL};

/* ---- templates ---- */

static bool find_entry(const ChatSource *source, const char *name, ChatSourceEntry *entry) {
    for (size_t i = 0; source != NULL && chat_source_entry(source, i, entry); i++) {
        if (strcmp(entry->name, name) == 0) return true;
    }
    return false;
}

static Status add_template(ChatDifference *difference, const ChatTemplateDifference *one, Error *error) {
    Status status = MEMORY_RESERVE(difference->templates, &difference->template_capacity,
                                   difference->template_count + 1, error);
    if (status == STATUS_OK) difference->templates[difference->template_count++] = *one;
    return status;
}

/* A template of one side, and the other's of that name; what both have is met on base's side. */
static Status compare_template(ChatDifference *difference, int side, const ChatSourceEntry *entry,
                               Error *error) {
    ChatSourceEntry other;
    ChatTemplateDifference one = {.name = entry->name};
    one.files[side] = entry->file;
    if (find_entry(difference->sources[!side], entry->name, &other)) {
        if (side == CHAT_SIDE_SFT) return STATUS_OK;
        one.files[!side] = other.file;
        const TextDiffText texts[2] = {{entry->text, entry->bytes}, {other.text, other.bytes}};
        Status status = text_diff_make(texts, TAG_ENDS, &one.diff, error);
        bool differ = status == STATUS_OK && one.diff.hunk_count > 0;
        if (differ) status = add_template(difference, &one, error);
        if (!differ || status != STATUS_OK) text_diff_free(&one.diff);
        return status;
    }
    return add_template(difference, &one, error);
}

static Status compare_templates(ChatDifference *difference, Error *error) {
    Status status = STATUS_OK;
    for (int side = 0; side < CHAT_SIDES; side++) {
        ChatSourceEntry entry;
        const ChatSource *source = difference->sources[side];
        for (size_t i = 0; status == STATUS_OK && source != NULL && chat_source_entry(source, i, &entry); i++)
            status = compare_template(difference, side, &entry, error);
    }
    return status;
}

/* ---- special tokens ---- */

static const char *find_variable(const ChatSource *source, const char *name) {
    size_t count;
    const ChatVariable *variables = chat_source_variables(source, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(variables[i].name, name) == 0) return variables[i].text;
    }
    return NULL;
}

static bool is_named(const ChatSource *source, const char *variable) {
    ChatSourceEntry entry;
    for (size_t i = 0; chat_source_entry(source, i, &entry); i++) {
        const ChatTemplate *template;
        if (chat_source_choose(source, entry.name, false, &template, NULL) == STATUS_OK &&
            chat_reads(template, variable))
            return true;
    }
    return false;
}

static Status add_variable(ChatDifference *difference, const ChatVariableDifference *one, Error *error) {
    Status status = MEMORY_RESERVE(difference->variables, &difference->variable_capacity,
                                   difference->variable_count + 1, error);
    if (status == STATUS_OK) difference->variables[difference->variable_count++] = *one;
    return status;
}

static Status compare_variables(ChatDifference *difference, Error *error) {
    ChatSource *const *sources = difference->sources;
    if (sources[0] == NULL || sources[1] == NULL) return STATUS_OK;
    for (int side = 0; side < CHAT_SIDES; side++) {
        size_t count;
        const ChatVariable *variables = chat_source_variables(sources[side], &count);
        for (size_t i = 0; i < count; i++) {
            const char *name = variables[i].name, *other = find_variable(sources[!side], name);
            bool is_met = side == CHAT_SIDE_SFT && other != NULL;
            if (is_met || (other != NULL && strcmp(variables[i].text, other) == 0) ||
                !(is_named(sources[0], name) || is_named(sources[1], name)))
                continue;
            ChatVariableDifference one = {.name = name};
            one.texts[side] = variables[i].text;
            one.texts[!side] = other;
            Status status = add_variable(difference, &one, error);
            if (status != STATUS_OK) return status;
        }
    }
    return STATUS_OK;
}

/* ---- all of it ---- */

Status chat_difference_open(const char *const directories[CHAT_SIDES], ChatDifference **difference,
                            Error *error) {
    ChatDifference *made = memory_allocate(1, sizeof *made);
    *difference = NULL;
    if (made == NULL) return memory_fail(error, "chat templates");
    Status status = STATUS_OK;
    for (int side = 0; side < CHAT_SIDES && status == STATUS_OK; side++) {
        status = chat_source_open(directories[side], &made->sources[side], &made->errors[side]);
        if (status == STATUS_OK)
            made->errors[side] = (Error){0};
        else if (status == STATUS_NO_MEMORY)
            (void)status_fail(error, status, "%s", made->errors[side].message);
        else
            status = STATUS_OK;
    }
    if (status == STATUS_OK) status = compare_templates(made, error);
    if (status == STATUS_OK) status = compare_variables(made, error);
    if (status == STATUS_OK)
        *difference = made;
    else
        chat_difference_close(made);
    return status;
}

void chat_difference_close(ChatDifference *difference) {
    if (difference == NULL) return;
    for (size_t i = 0; i < difference->template_count; i++) text_diff_free(&difference->templates[i].diff);
    for (int side = 0; side < CHAT_SIDES; side++) chat_source_close(difference->sources[side]);
    free(difference->templates);
    free(difference->variables);
    free(difference);
}

bool chat_difference_is_any(const ChatDifference *difference) {
    return difference->template_count > 0 || difference->variable_count > 0;
}

/* ---- findings ---- */

/* What cannot be read, and templates that cannot be compiled. */
static Status tell_errors(const ChatDifference *difference, int side, FindingList *findings, Error *error) {
    const ChatSource *source = difference->sources[side];
    const Error *own = &difference->errors[side];
    ChatSourceEntry entry;
    Status status = STATUS_OK;
    if (own->status != STATUS_OK)
        status = finding_add(findings, SEVERITY_WARNING, CHAT_DIFFERENCE_SUBJECT, error, "%s", own->message);
    for (size_t i = 0; status == STATUS_OK && source != NULL && chat_source_entry(source, i, &entry); i++) {
        const ChatTemplate *template;
        Error why;
        if (chat_source_choose(source, entry.name, false, &template, &why) != STATUS_OK)
            status =
                finding_add(findings, SEVERITY_WARNING, CHAT_DIFFERENCE_SUBJECT, error, "%s", why.message);
    }
    return status;
}

/* One side has some, the other none. */
static Status tell_only(const ChatSource *source, const char *side, FindingList *findings, Error *error) {
    Buffer names = {0};
    ChatSourceEntry entry;
    char *text = NULL;
    for (size_t i = 0; chat_source_entry(source, i, &entry); i++)
        buffer_add_format(&names, "%s%s of %s", i > 0 ? ", " : "", entry.name, entry.file);
    Status status = buffer_take(&names, &text, NULL, "chat templates", error);
    if (status == STATUS_OK)
        status = finding_add(findings, SEVERITY_NOTE, CHAT_DIFFERENCE_SUBJECT, error, "only %s has any: %s",
                             side, text);
    free(text);
    return status;
}

static Status tell_template(const ChatTemplateDifference *one, FindingList *findings, Error *error) {
    const char *base = one->files[CHAT_SIDE_BASE], *sft = one->files[CHAT_SIDE_SFT];
    if (base == NULL || sft == NULL)
        return finding_add(findings, SEVERITY_NOTE, CHAT_DIFFERENCE_SUBJECT, error, "only %s has %s (%s)",
                           NAMES[base == NULL ? CHAT_SIDE_SFT : CHAT_SIDE_BASE], one->name,
                           base == NULL ? sft : base);
    return finding_add(findings, SEVERITY_WARNING, CHAT_DIFFERENCE_SUBJECT, error,
                       "%s differs: %zu line%s only in base's (%s), %zu only in SFT's (%s)", one->name,
                       one->diff.removed, one->diff.removed == 1 ? "" : "s", base, one->diff.added, sft);
}

static Status tell_variable(const ChatVariableDifference *one, FindingList *findings, Error *error) {
    const char *base = one->texts[CHAT_SIDE_BASE], *sft = one->texts[CHAT_SIDE_SFT];
    return finding_add(findings, SEVERITY_WARNING, CHAT_DIFFERENCE_SUBJECT, error,
                       "%s, which templates write, is %s in base, %s in SFT", one->name,
                       base != NULL ? base : "nothing", sft != NULL ? sft : "nothing");
}

Status chat_difference_add_findings(const ChatDifference *difference, FindingList *findings, Error *error) {
    const ChatSource *base = difference->sources[CHAT_SIDE_BASE], *sft = difference->sources[CHAT_SIDE_SFT];
    Status status = STATUS_OK;
    bool is_known = true;
    for (int side = 0; side < CHAT_SIDES && status == STATUS_OK; side++) {
        is_known = is_known && difference->errors[side].status == STATUS_OK;
        status = tell_errors(difference, side, findings, error);
    }
    if (status != STATUS_OK || !is_known || (base == NULL && sft == NULL)) return status;
    if (base == NULL || sft == NULL)
        return tell_only(base == NULL ? sft : base, NAMES[base == NULL ? CHAT_SIDE_SFT : CHAT_SIDE_BASE],
                         findings, error);
    for (size_t i = 0; i < difference->template_count && status == STATUS_OK; i++)
        status = tell_template(&difference->templates[i], findings, error);
    for (size_t i = 0; i < difference->variable_count && status == STATUS_OK; i++)
        status = tell_variable(&difference->variables[i], findings, error);
    return status;
}

Status chat_difference_warn(const char *base, const char *sft, FindingList *findings, Error *error) {
    const char *const directories[CHAT_SIDES] = {base, sft};
    ChatDifference *difference;
    FindingList all = {0};
    Status status = chat_difference_open(directories, &difference, error);
    if (status == STATUS_OK) status = chat_difference_add_findings(difference, &all, error);
    for (size_t i = 0; i < all.count && status == STATUS_OK; i++) {
        if (all.items[i].severity >= SEVERITY_WARNING)
            status = finding_add(findings, all.items[i].severity, all.items[i].subject, error, "%s",
                                 all.items[i].text);
    }
    finding_free(&all);
    chat_difference_close(difference);
    return status;
}
