#include "views/export/export_view.h"

#include "core/support/memory.h"
#include "tui/canvas/list_box.h"
#include "tui/session/session.h"
#include "tui/session/session_export.h"
#include "tui/text/format.h"
#include "tui/text/text.h"
#include "views/export/export_view_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_COLUMNS = 60, SIDE_BY_SIDE = 120 };

static Status open_export(Session *session, void **state, Error *error) {
    (void)session;
    *state = memory_allocate(1, sizeof(ListState));
    return *state != NULL ? STATUS_OK : memory_fail(error, "the export view");
}

/* ---- the files ---- */

static size_t file_count(const ExportPlan *plan) {
    return plan->shard_count + plan->sidecar_count;
}

static void write_file_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    const ExportPlan *plan = user;
    bool is_shard = row < plan->shard_count;
    const ExportShard *shard = is_shard ? &plan->shards[row] : NULL;
    const ExportSidecar *sidecar = is_shard ? NULL : &plan->sidecars[row - plan->shard_count];
    char size[FORMAT_SIZE];
    if (column == 0) {
        const char *name = is_shard ? shard->name : sidecar->name;
        (void)text_escape(name, strlen(name), TEXT_PLAIN, text, LIST_CELL_SIZE);
    } else if (column == 1) {
        (void)snprintf(text, LIST_CELL_SIZE, "%s",
                       format_bytes((double)(is_shard ? shard->file_bytes : sidecar->bytes), size));
    } else if (is_shard) {
        (void)snprintf(text, LIST_CELL_SIZE, "%zu tensor%s", shard->count, shard->count == 1 ? "" : "s");
    } else {
        *role = ROLE_DIM;
        (void)snprintf(text, LIST_CELL_SIZE, "%s", sidecar->source == NULL ? "made here" : "copied");
    }
}

static void draw_export(void *opaque, Session *session, Canvas *canvas, Rect area) {
    static const ListColumn COLUMNS[] = {
        {"file", 0, false, 0}, {"size", 10, true, 0}, {"what", 16, false, 1}};
    ListState *list = opaque;
    const ExportPlan *plan = session_export_plan(session);
    (void)rect_cut_top(&area, export_draw_form(session, plan, canvas, area) + 1);
    Rect files = area.columns >= SIDE_BY_SIDE ? rect_cut_right(&area, FILES_COLUMNS)
                                              : rect_cut_bottom(&area, area.rows * 3 / 5);
    if (area.columns >= SIDE_BY_SIDE) area.columns -= 2;
    export_draw_outcome(session, plan, canvas, area);
    if (plan != NULL) {
        ExportPlan *shown = (ExportPlan *)(uintptr_t)plan; /* the list's callback only reads */
        list_box_draw(canvas, files, list, file_count(plan), COLUMNS, 3, true, write_file_cell, shown);
    }
}

/* ---- acting ---- */

static Reaction change_form(Session *session, const SessionExportForm *form) {
    if (!session_set_export_form(session, form))
        session_say(session, SESSION_WARNING, "an export is running: cancel it first");
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction set_target(Session *session, const char *text) {
    SessionExportForm form = *session_export_form(session);
    if (session_export_form_name(&form, text)) return change_form(session, &form);
    session_say(session, SESSION_WARNING, "expected the name of a directory");
    return REACTION_REDRAW;
}

static Reaction next_dtype(Session *session) {
    static const DType CHOICES[] = {DTYPE_UNKNOWN, DTYPE_BF16, DTYPE_F16, DTYPE_F32};
    enum { COUNT = sizeof CHOICES / sizeof *CHOICES };
    SessionExportForm form = *session_export_form(session);
    size_t at = 0;
    while (at < COUNT && CHOICES[at] != form.dtype) at++;
    form.dtype = CHOICES[(at + 1) % COUNT];
    return change_form(session, &form);
}

static Reaction set_shard_size(Session *session, double gigabytes) {
    SessionExportForm form = *session_export_form(session);
    if (!(gigabytes > 0.0 && gigabytes <= 1e6)) {
        session_say(session, SESSION_WARNING, "expected a size in GB, more than 0");
        return REACTION_REDRAW;
    }
    form.shard_bytes = (uint64_t)(gigabytes * 1e9);
    return change_form(session, &form);
}

static Reaction start_export(Session *session) {
    Error error;
    if (session_start_export(session, &error) != STATUS_OK)
        session_say(session, SESSION_ERROR, "%s", error.message);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction discard(Session *session) {
    Error error;
    if (session_discard_export(session, &error) != STATUS_OK)
        session_say(session, SESSION_ERROR, "%s", error.message);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction act_on_export(void *opaque, Session *session, Action action, const ActionArgument *argument) {
    SessionExportForm form = *session_export_form(session);
    const ExportPlan *plan = session_export_plan(session);
    switch (action) {
    case ACTION_EXPORT_TARGET:
        return set_target(session, argument->text);
    case ACTION_EXPORT_DONOR:
        form.donor = form.donor == DONOR_SFT ? DONOR_BASE : DONOR_SFT;
        return change_form(session, &form);
    case ACTION_EXPORT_DTYPE:
        return next_dtype(session);
    case ACTION_EXPORT_SHARDS:
        return set_shard_size(session, argument->number);
    case ACTION_EXPORT:
        return start_export(session);
    case ACTION_EXPORT_DISCARD:
        return discard(session);
    default:
        return plan == NULL ? REACTION_IGNORED : list_box_act(opaque, file_count(plan), action, argument);
    }
}

static const char *initial_text(void *opaque, Session *session, Action action) {
    (void)opaque;
    return action == ACTION_EXPORT_TARGET ? session_export_form(session)->directory : NULL;
}

static bool find_file(void *opaque, Session *session, const char *text, int direction, bool stay) {
    ListState *list = opaque;
    const ExportPlan *plan = session_export_plan(session);
    size_t count = plan == NULL ? 0 : file_count(plan);
    for (size_t step = stay ? 0 : 1; step < count + (stay ? 0 : 1); step++) {
        size_t at = (list->cursor + (direction > 0 ? step : count - step % count)) % count;
        const char *name =
            at < plan->shard_count ? plan->shards[at].name : plan->sidecars[at - plan->shard_count].name;
        if (!text_find(name, text)) continue;
        list->cursor = at;
        return true;
    }
    return false;
}

/* The tensors as they would be written. */
static Status list_numbers(void *opaque, Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"tensor", NULL, NULL, TABLE_TEXT, 0},      {"dtype", NULL, NULL, TABLE_TEXT, 0},
        {"elements", NULL, NULL, TABLE_INTEGER, 0}, {"bytes", NULL, NULL, TABLE_INTEGER, 0},
        {"file", NULL, NULL, TABLE_TEXT, 0},        {"offset", NULL, NULL, TABLE_INTEGER, 0}};
    (void)opaque;
    const ExportPlan *plan = session_export_plan(session);
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t i = 0; status == STATUS_OK && plan != NULL && i < plan->tensor_count; i++) {
        const ExportTensor *tensor = &plan->tensors[i];
        table_add_row(*table);
        table_add_text(*table, tensor->source->name);
        table_add_text(*table, tensor->dtype == DTYPE_OTHER ? tensor->source->sft->dtype_name
                                                            : dtype_name(tensor->dtype));
        table_add_integer(*table, (int64_t)tensor->elements);
        table_add_integer(*table, (int64_t)tensor->bytes);
        table_add_text(*table, plan->shards[tensor->shard].name);
        table_add_integer(*table, (int64_t)tensor->offset);
    }
    return status;
}

static CommandId twin_export(void *opaque, Session *session, CommandLine *line) {
    const SessionExportForm *form = session_export_form(session);
    (void)opaque;
    command_line_add_option(line, COMMAND_EXPORT, OPTION_OUT, "%s", form->directory);
    if (form->dtype != DTYPE_UNKNOWN)
        command_line_add_option(line, COMMAND_EXPORT, OPTION_DTYPE, "%s", dtype_name(form->dtype));
    if (form->donor != DONOR_SFT)
        command_line_add_option(line, COMMAND_EXPORT, OPTION_DONOR, "%s", recipe_donor_name(form->donor));
    command_line_add_option(line, COMMAND_EXPORT, OPTION_SHARD_SIZE, "%" PRIu64, form->shard_bytes);
    if (form->allow_unmatched) command_line_add_flag(line, COMMAND_EXPORT, OPTION_ALLOW_UNMATCHED);
    return COMMAND_EXPORT;
}

/* The directory: what a loader is given. */
static bool copy_value(void *opaque, Session *session, char *text, size_t size) {
    (void)opaque;
    (void)snprintf(text, size, "%s", session_export_form(session)->directory);
    return true;
}

static size_t list_places(void *opaque, ViewPlace *places) {
    ListState *files = opaque;
    places[0] = (ViewPlace){"file", &files->cursor};
    return 1;
}

static const Action HINTS[] = {ACTION_EXPORT,       ACTION_EXPORT_TARGET, ACTION_EXPORT_DTYPE,
                               ACTION_EXPORT_DONOR, ACTION_EXPORT_SHARDS, ACTION_EXPORT_DISCARD};

const View export_view = {
    .name = "export",
    .title = "Export",
    .help =
        "Writes the model at the dials as a directory that other programs load. It is written beside the target and "
        "renamed when whole; an interrupted export goes on where it stopped. Afterwards it is re-opened and every "
        "tensor compared with the blend.",
    .parts = SESSION_PART_FILES | SESSION_PART_EXPORT,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .open = open_export,
    .draw = draw_export,
    .act = act_on_export,
    .find = find_file,
    .numbers = list_numbers,
    .twin = twin_export,
    .value = copy_value,
    .places = list_places,
    .initial = initial_text,
    .close = free,
};
