#include "views/overview/overview_view.h"

#include "core/support/memory.h"
#include "tui/session/session.h"
#include "tui/session/session_headline.h"
#include "views/overview/overview_internal.h"
#include "views/shared/tensor_list.h"

#include <stdio.h>
#include <stdlib.h>

enum { WIDE_FROM_COLUMNS = 150, TALL_FROM_ROWS = 40, LIST_LEAST = 3, FINDINGS_ROWS = 2, JOBS_ROWS = 3 };

typedef struct Overview {
    TensorList drifted;
    size_t finding, top; /* the cursor in the findings, and the first shown */
    bool in_findings;    /* the cursor is there, not in the tensors */
} Overview;

static void close_overview(void *state) {
    Overview *overview = state;
    tensor_list_close(&overview->drifted);
    free(overview);
}

static Status open_overview(Session *session, void **state, Error *error) {
    Overview *overview = memory_allocate(1, sizeof *overview);
    if (overview == NULL) return memory_fail(error, "the Overview");
    Status status = tensor_list_open(&overview->drifted, session, error);
    overview->drifted.by_drift = true;
    *state = overview;
    if (status == STATUS_OK) return status;
    close_overview(overview);
    *state = NULL;
    return status;
}

/* ---- drawing ---- */

static void draw_pair(Overview *overview, Session *session, Canvas *canvas, Rect *area, bool tall) {
    size_t count = session_finding_count(session);
    int rows = tall ? 8 : overview->in_findings ? 5 : FINDINGS_ROWS, gap = tall ? 1 : 0;
    if (overview->finding >= count) overview->finding = count > 0 ? count - 1 : 0;
    if (count == 0) overview->in_findings = false;
    (void)rect_cut_top(area, overview_draw_facts(canvas, *area, session, tall) + gap);
    (void)rect_cut_top(area, overview_draw_findings(canvas, *area, session, &overview->top, overview->finding,
                                                    overview->in_findings, rows) +
                                 gap);
    /* what config.json says is among the findings; that a model of it cannot be run is not */
    const char *error =
        session_pair(session)->sft->model_status == STATUS_OK ? session_model_error(session) : NULL;
    if (error == NULL) return;
    (void)canvas_write(canvas, *area, 0, 0, ROLE_TITLE, "No preview");
    canvas_write_field(canvas, *area, 0, OVERVIEW_LABEL_COLUMNS, area->columns - OVERVIEW_LABEL_COLUMNS,
                       false, ROLE_WARNING, error);
    (void)rect_cut_top(area, 1 + gap);
}

static void draw_figures(Overview *overview, Session *session, Canvas *canvas, Rect area, bool tall) {
    int gap = tall ? 1 : 0;
    (void)rect_cut_top(&area, overview_draw_drift(canvas, area, session) + gap);
    (void)rect_cut_top(&area, overview_draw_confidence(canvas, area, session, tall ? 6 : 2));
    (void)rect_cut_top(&area, overview_draw_dormancy(canvas, area, session) + gap);
    int rows = overview_draw_jobs(canvas, rect_make(0, 0, 0, 0), session, tall ? 6 : JOBS_ROWS);
    Rect jobs = rect_cut_bottom(&area, area.rows - rows >= LIST_LEAST ? rows : 0);
    (void)overview_draw_jobs(canvas, jobs, session, jobs.rows);
    tensor_list_draw(&overview->drifted, session, canvas, area, !overview->in_findings);
}

static void draw_overview(void *state, Session *session, Canvas *canvas, Rect area) {
    Overview *overview = state;
    bool tall = area.rows >= TALL_FROM_ROWS;
    if (area.columns >= WIDE_FROM_COLUMNS) {
        Rect left = rect_pane(area, 0, 2, 3), right = rect_pane(area, 1, 2, 3);
        draw_pair(overview, session, canvas, &left, tall);
        draw_figures(overview, session, canvas, right, tall);
        return;
    }
    draw_pair(overview, session, canvas, &area, tall);
    draw_figures(overview, session, canvas, area, tall);
}

/* ---- acting ---- */

/* What a finding is about: a tensor is shown. */
static Reaction open_finding(const Overview *overview, Session *session) {
    const Finding *finding = session_finding(session, overview->finding);
    const Pair *pair = session_pair(session);
    const PairTensor *tensor = finding != NULL ? pair_find_tensor(pair, finding->subject) : NULL;
    if (tensor != NULL)
        tensor_list_show(session, (size_t)(tensor - pair->tensors));
    else
        session_say(session, SESSION_NOTE, "the finding is not about one tensor");
    return REACTION_REDRAW;
}

static Reaction act_on_overview(void *state, Session *session, Action action,
                                const ActionArgument *argument) {
    Overview *overview = state;
    size_t count = session_finding_count(session);
    ListState findings = {.cursor = overview->finding, .page = FINDINGS_ROWS};
    switch (action) {
    case ACTION_OTHER_BLOCK:
        overview->in_findings = !overview->in_findings && count > 0;
        return REACTION_REDRAW;
    case ACTION_MEASURE:
        session_measure_headlines(session);
        session_resume_drift(session);
        return REACTION_REFRESH;
    case ACTION_ENTER:
        if (overview->in_findings) return open_finding(overview, session);
        break;
    default:
        break;
    }
    if (overview->in_findings) {
        Reaction reaction = list_box_act(&findings, count, action, argument);
        overview->finding = findings.cursor;
        if ((reaction & REACTION_IGNORED) == 0) return reaction;
    }
    return tensor_list_act(&overview->drifted, session, action, argument);
}

static bool find_in_overview(void *state, Session *session, const char *text, int direction, bool stay) {
    Overview *overview = state;
    overview->in_findings = false;
    return tensor_list_find(&overview->drifted, session, text, direction, stay);
}

static Status number_overview(void *state, Session *session, Table **table, Error *error) {
    Overview *overview = state;
    return tensor_list_numbers(&overview->drifted, session, table, error);
}

static CommandId twin_overview(void *state, Session *session, CommandLine *line) {
    const Overview *overview = state;
    (void)session;
    return overview->in_findings ? COMMAND_CHECK : tensor_list_twin(&overview->drifted, line);
}

/* A finding's sentence, or a tensor's name. */
static bool copy_value(void *state, Session *session, char *text, size_t size) {
    const Overview *overview = state;
    const Finding *finding = session_finding(session, overview->finding);
    if (!overview->in_findings || finding == NULL)
        return tensor_list_value(&overview->drifted, session, text, size);
    (void)snprintf(text, size, "%s: %s", finding->subject, finding->text);
    return true;
}

static const char *start_argument(void *state, Session *session, Action action) {
    const Overview *overview = state;
    (void)session;
    return action == ACTION_FILTER ? overview->drifted.filter : NULL;
}

static size_t list_places(void *state, ViewPlace *places) {
    Overview *overview = state;
    places[0] = (ViewPlace){"tensor", &overview->drifted.list.cursor};
    return 1;
}

static const Action HINTS[] = {ACTION_MOVE_UP, ACTION_MOVE_DOWN, ACTION_ENTER, ACTION_METRIC_NEXT,
                               ACTION_OTHER_BLOCK};

const View overview_view = {
    .name = "overview",
    .title = "Overview",
    .help =
        "The two models side by side (≠ where they differ), what stands in the way of fusing them, and which "
        "tensors fine-tuning moved most.",
    .parts = SESSION_PART_DRIFT | SESSION_PART_HEADLINE | SESSION_PART_METHOD,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .open = open_overview,
    .draw = draw_overview,
    .act = act_on_overview,
    .find = find_in_overview,
    .numbers = number_overview,
    .initial = start_argument,
    .twin = twin_overview,
    .value = copy_value,
    .places = list_places,
    .close = close_overview,
};
