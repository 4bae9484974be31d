#include "tui/app.h"
#include "tui/session_pair.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_ERROR = 2 };

static int refuse(const char *what) {
    (void)fprintf(stderr,
                  "rejuv: %s\nusage: rejuv [--ascii] [--mono] [--keys FILE] [--view NAME] [--frames N]\n",
                  what);
    return EXIT_ERROR;
}

int main(int argc, char **argv) {
    AppOptions options = {0};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--ascii") == 0) {
            options.ascii = true;
        } else if (strcmp(argv[i], "--mono") == 0) {
            options.monochrome = true;
        } else if (value != NULL && strcmp(argv[i], "--keys") == 0) {
            options.keys = argv[++i];
        } else if (value != NULL && strcmp(argv[i], "--view") == 0) {
            options.view = argv[++i];
        } else if (value != NULL && strcmp(argv[i], "--frames") == 0) {
            options.frames = strtoul(argv[++i], NULL, 10);
        } else {
            return refuse("unknown option");
        }
    }
    (void)setlocale(LC_CTYPE, ""); /* figures keep their decimal point */
    Session *session;
    Error error;
    int exit_status = 0;
    SessionOptions open = {.base = REJUV_DEMO "/base",
                           .sft = REJUV_DEMO "/sft",
                           .calibration = REJUV_DEMO "/calibration.jsonl",
                           .alpha = 0.5};
    Status status = session_create(&open, &session, &error);
    if (status == STATUS_OK) {
        status = app_run(session, &options, &exit_status, &error);
        session_free(session);
    }
    if (status == STATUS_OK) return exit_status;
    (void)fprintf(stderr, "rejuv: %s\n", error.message);
    return EXIT_ERROR;
}
