#include "tui/commands/progress.h"

#include "tui/text/format.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 256, USUAL_COLUMNS = 80, BAR_COLUMNS = 30, LABEL_COLUMNS = 12 };

static const double PATIENCE = 0.3, INTERVAL = 0.1; /* seconds before the first drawing, and between two */

static double now(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

Progress progress_begin(bool quiet) {
    return (Progress){.enabled = !quiet && isatty(STDERR_FILENO) == 1, .began = now()};
}

/* Stages that count bytes, whose rate is worth showing. */
static bool counts_bytes(const char *stage) {
    static const char *const STAGES[] = {"drift", "export", "verify"};
    for (size_t i = 0; i < sizeof STAGES / sizeof *STAGES; i++)
        if (strcmp(stage, STAGES[i]) == 0) return true;
    return false;
}

static void write_line(const Progress *state, JobProgress progress, char line[LINE_SIZE]) {
    char bar[BAR_COLUMNS + 1], rate[FORMAT_SIZE], left[FORMAT_SIZE];
    double share = progress.total > 0 ? (double)progress.done / (double)progress.total : 0.0;
    if (share > 1.0) share = 1.0;
    if (state->parts > 0) share = ((double)state->part + share) / (double)state->parts;
    int filled = (int)(share * (double)BAR_COLUMNS);
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, ' ', (size_t)(BAR_COLUMNS - filled));
    bar[BAR_COLUMNS] = '\0';
    int used =
        snprintf(line, LINE_SIZE, "%-*s [%s] %3.0f %%", LABEL_COLUMNS, progress.stage, bar, share * 100);
    if (progress.seconds < 1.0 || progress.done == 0 || used < 0) return;
    if (counts_bytes(progress.stage))
        used += snprintf(line + used, (size_t)(LINE_SIZE - used), "  %s/s",
                         format_bytes((double)progress.done / progress.seconds, rate));
    if (share > 0.0)
        (void)snprintf(line + used, (size_t)(LINE_SIZE - used), "  %s left",
                       format_duration(progress.seconds * (1.0 - share) / share, left));
}

static int terminal_columns(void) {
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    int columns = known ? size.ws_col : USUAL_COLUMNS;
    return columns < LINE_SIZE ? columns : LINE_SIZE;
}

void progress_observe(void *user, JobProgress progress) {
    Progress *state = user;
    double time = now();
    if (!state->enabled || time - state->began < PATIENCE || time - state->drawn < INTERVAL) return;
    char line[LINE_SIZE];
    write_line(state, progress, line);
    state->drawn = time;
    state->columns = terminal_columns();
    /* one column less than there are: a cursor that waits at the edge wraps on some terminals */
    (void)fprintf(stderr, "\r%-*.*s", state->columns - 1, state->columns - 1, line);
    (void)fflush(stderr);
}

void progress_clear(Progress *progress) {
    if (progress->columns == 0) return;
    (void)fprintf(stderr, "\r%*s\r", progress->columns - 1, "");
    (void)fflush(stderr);
    progress->columns = 0;
}
