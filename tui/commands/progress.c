#include "tui/commands/progress.h"

#include "tui/commands/batch_log.h"
#include "tui/text/format.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 256, USUAL_COLUMNS = 80, BAR_COLUMNS = 30, LABEL_COLUMNS = 12 };

/* Seconds before the first drawing, and between two; between two lines */
static const double PATIENCE = 0.3, INTERVAL = 0.1, LINES_INTERVAL = 10;

static double now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

Progress progress_begin(bool quiet) {
    double began = now();
    return (Progress){
        .enabled = !quiet, .is_terminal = isatty(STDERR_FILENO) == 1, .began = began, .said = began};
}

double progress_seconds(const Progress *progress) {
    return now() - progress->began;
}

/* Stages that count bytes, whose rate is worth showing. */
static bool counts_bytes(const char *stage) {
    static const char *const STAGES[] = {"drift", "export", "verify"};
    for (size_t i = 0; i < sizeof STAGES / sizeof *STAGES; i++)
        if (strcmp(stage, STAGES[i]) == 0) return true;
    return false;
}

static double find_share(const Progress *state, JobProgress progress) {
    double share = progress.total > 0 ? (double)progress.done / (double)progress.total : 0.0;
    if (share > 1.0) share = 1.0;
    return state->parts > 0 ? ((double)state->part + share) / (double)state->parts : share;
}

/* How fast, and how long it takes still, each behind `between`; as far as that is known. */
static void write_rate(JobProgress progress, double share, const char *between, char *text, size_t size) {
    char rate[FORMAT_SIZE], left[FORMAT_SIZE];
    size_t used = 0;
    text[0] = '\0';
    if (progress.seconds < 1.0 || progress.done == 0) return;
    if (counts_bytes(progress.stage))
        used = (size_t)snprintf(text, size, "%s%s/s", between,
                                format_bytes((double)progress.done / progress.seconds, rate));
    if (share > 0.0 && used < size)
        (void)snprintf(text + used, size - used, "%s%s left", between,
                       format_duration(progress.seconds * (1.0 - share) / share, left));
}

static void write_bar(const Progress *state, JobProgress progress, char line[LINE_SIZE]) {
    char bar[BAR_COLUMNS + 1], rate[LINE_SIZE / 2];
    double share = find_share(state, progress);
    int filled = (int)(share * (double)BAR_COLUMNS);
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, ' ', (size_t)(BAR_COLUMNS - filled));
    bar[BAR_COLUMNS] = '\0';
    write_rate(progress, share, "  ", rate, sizeof rate);
    (void)snprintf(line, LINE_SIZE, "%-*s [%s] %3.0f %%%s", LABEL_COLUMNS, progress.stage, bar, share * 100,
                   rate);
}

static int terminal_columns(void) {
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    int columns = known ? size.ws_col : USUAL_COLUMNS;
    return columns < LINE_SIZE ? columns : LINE_SIZE;
}

static void draw_bar(Progress *state, JobProgress progress, double time) {
    if (time - state->began < PATIENCE || time - state->drawn < INTERVAL) return;
    char line[LINE_SIZE];
    write_bar(state, progress, line);
    state->drawn = time;
    state->columns = terminal_columns();
    /* one column less than there are: a cursor that waits at the edge wraps on some terminals */
    (void)fprintf(stderr, "\r%-*.*s", state->columns - 1, state->columns - 1, line);
    (void)fflush(stderr);
}

static void say_line(Progress *state, JobProgress progress, double time) {
    if (time - state->said < LINES_INTERVAL) return;
    char line[LINE_SIZE], rate[LINE_SIZE / 2];
    double share = find_share(state, progress);
    write_rate(progress, share, ", ", rate, sizeof rate);
    (void)snprintf(line, sizeof line, "%s %.0f %%%s", progress.stage, share * 100, rate);
    state->said = time;
    batch_log_write(state->log, line);
    if (state->enabled && !state->is_terminal) (void)fprintf(stderr, "rejuv: %s\n", line);
}

void progress_observe(void *user, JobProgress progress) {
    Progress *state = user;
    double time = now();
    if (state->enabled && state->is_terminal) draw_bar(state, progress, time);
    say_line(state, progress, time);
}

void progress_clear(Progress *progress) {
    if (progress->columns == 0) return;
    (void)fprintf(stderr, "\r%*s\r", progress->columns - 1, "");
    (void)fflush(stderr);
    progress->columns = 0;
}
