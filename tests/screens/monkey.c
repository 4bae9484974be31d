/*
 * monkey — presses random keys in a program and watches that it neither dies nor hangs, and leaves the
 * terminal as it was.
 *
 *     monkey [--seed N] [--steps N] [--seconds N] [--round N] PROGRAM [ARGUMENT …]
 *
 * A step is a key, a short text, a paste, a movement or button of the mouse (which a program that has not asked
 * for it takes for strange keys), or another size of the terminal; half of the steps wait until the
 * program has drawn its answer. The same seed presses the same keys. The program runs in an empty directory
 * of its own, which is its HOME too, so that what the keys make it write goes away with it. When it quits
 * (the keys may ask for that), it is started again. With --round nothing quits: after every N steps the program is let
 * come to rest, what it holds is printed (process_growth.h), and the same N steps begin again; that it grows is
 * a failure. Exit status: 0; 1 the program failed; 2 anything else.
 */
#include "core/numerics/random.h"
#include "core/support/memory.h"
#include "tests/screens/process_growth.h"
#include "tests/screens/terminal_host.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double ANSWER_SECONDS = 0.04, QUIET_SECONDS = 0.3;
enum { EXIT_SECONDS = 900, EXIT_INTERRUPTED = 130, OPEN_FILES = 16 };

typedef struct Monkey {
    TerminalHostOptions options;
    TerminalHost *host;
    uint64_t seed, drawn;       /* random numbers taken */
    unsigned long steps, round; /* round 0: there are none */
    double seconds;
    unsigned long starts;
    ProcessGrowth growth; /* of the program that runs now */
} Monkey;

static size_t choose(Monkey *monkey, size_t count) {
    return (size_t)(random_uniform(monkey->seed, monkey->drawn++) * (double)count);
}

static double seconds_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- one step ---- */

static Status press_key(Monkey *monkey, Error *error) {
    static const char *const NAMED[] = {"Up",       "Down", "Left",  "Right",     "Home",   "End",   "PageUp",
                                        "PageDown", "Tab",  "Esc",   "Backspace", "Delete", "C-g",   "C-l",
                                        "C-r",      "C-a",  "S-Tab", "M-b",       "Enter",  "Enter", "y"};
    if (choose(monkey, 2) == 0)
        return terminal_host_send_key(monkey->host, NAMED[choose(monkey, sizeof NAMED / sizeof *NAMED)],
                                      error);
    char name[2] = {(char)('!' + choose(monkey, '~' - '!' + 1)), '\0'};
    if (name[0] == 'q' && (choose(monkey, 8) != 0 || monkey->round > 0))
        name[0] = '5'; /* quitting is only one thing to try */
    return terminal_host_send_text(monkey->host, name, error);
}

static Status send_text(Monkey *monkey, Error *error) {
    static const char *const TEXTS[] = {":tokens 3\r",
                                        ":alpha 0.37\r",
                                        ":alpha -9e99\r",
                                        ":sweep-range 0:1:3\r",
                                        ":\t\t",
                                        "/proj\r",
                                        "999999999\033[B",
                                        "\033[200~a\r\nb\tc\033[201~",
                                        "\033[200~no end",
                                        "\033[<0;3;3M",
                                        "\xff\xfe\xc3\r",
                                        "i 3 + 4 = \xe2\x82\xac \xf0\x9f\x98\x80\r",
                                        ":tensor model.norm.weight\r"};
    return terminal_host_send_text(monkey->host, TEXTS[choose(monkey, sizeof TEXTS / sizeof *TEXTS)], error);
}

/* Press, drag, release or wheel, with or without Ctrl, on or beyond the edge of the usual screen (xterm's
 * SGR reports). */
static Status use_mouse(Monkey *monkey, Error *error) {
    static const int BUTTONS[] = {0, 0, 0, 32, 32, 1, 2, 16, 64, 65};
    enum { ROWS = 26, COLUMNS = 84 };
    char report[32];
    int button = BUTTONS[choose(monkey, sizeof BUTTONS / sizeof *BUTTONS)];
    size_t column = choose(monkey, COLUMNS) + 1, row = choose(monkey, ROWS) + 1;
    (void)snprintf(report, sizeof report, "\033[<%d;%zu;%zu%c", button, column, row,
                   choose(monkey, 2) == 0 ? 'M' : 'm');
    return terminal_host_send_text(monkey->host, report, error);
}

static Status resize(Monkey *monkey, Error *error) {
    static const int SIZES[][2] = {{24, 80}, {50, 200}, {1, 1}, {3, 300}, {100, 12}, {30, 100}, {24, 80}};
    const int *size = SIZES[choose(monkey, sizeof SIZES / sizeof *SIZES)];
    return terminal_host_resize(monkey->host, size[0], size[1], error);
}

static bool never(TerminalHost *host, void *user) {
    (void)host, (void)user;
    return false;
}

/* Reads what the program draws meanwhile. */
static void pass(Monkey *monkey, double seconds) {
    Status ended = terminal_host_wait(monkey->host, never, NULL, EXIT_SECONDS, seconds, NULL);
    (void)ended; /* waiting for nothing always ends in vain */
}

static Status take_step(Monkey *monkey, Error *error) {
    size_t what = choose(monkey, 40);
    Status status = what == 0   ? resize(monkey, error)
                    : what <= 3 ? send_text(monkey, error)
                    : what <= 9 ? use_mouse(monkey, error)
                                : press_key(monkey, error);
    if (status != STATUS_OK || choose(monkey, 2) == 0) return status;
    pass(monkey, ANSWER_SECONDS);
    return STATUS_OK;
}

/* ---- the program ---- */

static Status judge_end(Monkey *monkey, Error *error) {
    int exit_status;
    char why[256];
    Status status = terminal_host_wait_exit(monkey->host, EXIT_SECONDS, &exit_status, error);
    if (status != STATUS_OK) {
        terminal_host_print(monkey->host, stdout);
        return status;
    }
    if (exit_status != 0 && exit_status != EXIT_INTERRUPTED) {
        terminal_host_print(monkey->host, stdout);
        return status_fail(error, STATUS_MISMATCH, "expected status 0 or %d, found %d", EXIT_INTERRUPTED,
                           exit_status);
    }
    if (!terminal_host_is_restored(monkey->host, why, sizeof why))
        return status_fail(error, STATUS_MISMATCH, "the terminal is not as it was: %s", why);
    terminal_host_free(monkey->host);
    monkey->host = NULL;
    return STATUS_OK;
}

static Status start(Monkey *monkey, Error *error) {
    monkey->starts++;
    monkey->growth.count = 0;
    return terminal_host_start(&monkey->options, &monkey->host, error);
}

/* Out of whatever the keys led into: a half-pasted text, a question, a search. */
static Status come_to_rest(Monkey *monkey, Error *error) {
    static const char *const WAY_OUT[] = {"\033[201~", "\033", "\033", "\033"};
    Status status = terminal_host_resize(monkey->host, 24, 80, error);
    for (size_t i = 0; i < sizeof WAY_OUT / sizeof *WAY_OUT && status == STATUS_OK; i++) {
        if (!terminal_host_is_running(monkey->host)) break;
        status = terminal_host_send_text(monkey->host, WAY_OUT[i], error);
        if (status == STATUS_OK) /* taken in, so that it is not one sequence with what comes after */
            status = terminal_host_wait_quiet(monkey->host, QUIET_SECONDS, EXIT_SECONDS, error);
    }
    return status;
}

static Status leave(Monkey *monkey, Error *error) {
    Status status = come_to_rest(monkey, error);
    if (status == STATUS_OK && terminal_host_is_running(monkey->host))
        status = terminal_host_send_text(monkey->host, ":quit\r", error);
    return status == STATUS_OK ? judge_end(monkey, error) : status;
}

static Status end_round(Monkey *monkey, Error *error) {
    monkey->drawn = 0;
    Status status = come_to_rest(monkey, error);
    if (status != STATUS_OK || !terminal_host_is_running(monkey->host)) return status;
    return process_growth_add(&monkey->growth, terminal_host_process(monkey->host), stdout, error);
}

static Status play(Monkey *monkey, Error *error) {
    double end = seconds_now() + monkey->seconds;
    Status status = start(monkey, error);
    unsigned long step = 0;
    for (; status == STATUS_OK && step < monkey->steps && seconds_now() < end; step++) {
        status = take_step(monkey, error);
        if (status == STATUS_OK && monkey->round > 0 && (step + 1) % monkey->round == 0)
            status = end_round(monkey, error);
        if (terminal_host_is_running(monkey->host)) continue;
        status = judge_end(monkey, error); /* also where a key could not be sent any more */
        if (status == STATUS_OK) status = start(monkey, error);
    }
    if (status == STATUS_OK) status = leave(monkey, error);
    if (status == STATUS_OK && monkey->round > 0) status = process_growth_judge(&monkey->growth, error);
    if (status != STATUS_OK)
        (void)status_add_context(error, "seed %zu, step %lu", (size_t)monkey->seed, step);
    (void)printf("%lu steps, %lu starts\n", step, monkey->starts);
    terminal_host_free(monkey->host);
    free(monkey->growth.rounds);
    return status;
}

/* ---- its surroundings ---- */

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts, (void)kind, (void)place;
    return remove(path);
}

static Status play_in(Monkey *monkey, const char *directory, Error *error) {
    const char *leaks = getenv("LSAN_OPTIONS"); /* names leaks.txt */
    char *home = memory_format("HOME=%s", directory);
    char *suppressions = memory_format("LSAN_OPTIONS=%s", leaks != NULL ? leaks : "");
    Status status = home != NULL && suppressions != NULL ? STATUS_OK : memory_fail(error, "surroundings");
    char *environment[] = {home,
                           (char[]){"TERM=xterm-256color"},
                           (char[]){"LANG=C.UTF-8"},
                           (char[]){"PATH=/usr/bin:/bin"},
                           (char[]){"ASAN_OPTIONS=exitcode=99"},
                           (char[]){"TSAN_OPTIONS=exitcode=98"},
                           suppressions,
                           NULL};
    monkey->options.directory = directory;
    monkey->options.environment = environment;
    if (status == STATUS_OK) status = play(monkey, error);
    free(suppressions);
    free(home);
    return status;
}

static bool read_options(Monkey *monkey, char **arguments, int count) {
    int i = 1;
    for (; i + 1 < count && strncmp(arguments[i], "--", 2) == 0; i += 2) {
        if (strcmp(arguments[i], "--seed") == 0)
            monkey->seed = strtoull(arguments[i + 1], NULL, 10);
        else if (strcmp(arguments[i], "--steps") == 0)
            monkey->steps = strtoul(arguments[i + 1], NULL, 10);
        else if (strcmp(arguments[i], "--seconds") == 0)
            monkey->seconds = strtod(arguments[i + 1], NULL);
        else if (strcmp(arguments[i], "--round") == 0)
            monkey->round = strtoul(arguments[i + 1], NULL, 10);
        else
            return false;
    }
    if (i == count) return false;
    char *program = realpath(arguments[i], NULL); /* it starts in another directory; never freed */
    if (program != NULL) arguments[i] = program;
    monkey->options.arguments = arguments + i;
    return true;
}

int main(int count, char **arguments) {
    Monkey monkey = {.options = {.rows = 24, .columns = 80}, .seed = 1, .steps = 1000000, .seconds = 60};
    char directory[] = "/tmp/monkey-XXXXXX";
    Error error = {0};
    if (!read_options(&monkey, arguments, count) || mkdtemp(directory) == NULL) {
        (void)fprintf(
            stderr,
            "usage: monkey [--seed N] [--steps N] [--seconds N] [--round N] PROGRAM [ARGUMENT ...]\n");
        return 2;
    }
    Status status = play_in(&monkey, directory, &error);
    if (nftw(directory, remove_entry, OPEN_FILES, FTW_DEPTH | FTW_PHYS) != 0)
        (void)fprintf(stderr, "monkey: %s is left behind\n", directory);
    if (status == STATUS_OK) return 0;
    (void)printf("FAILED %s\n", error.message);
    return status == STATUS_MISMATCH || status == STATUS_IO ? 1 : 2;
}
