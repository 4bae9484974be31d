#include "tui/commands/batch_log.h"

#include "tui/text/format.h"
#include "tui/text/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, TIME_SIZE = 32 };

void batch_log_write(FILE *log, const char *text) {
    char line[LINE_SIZE], when[TIME_SIZE];
    time_t now = time(NULL);
    struct tm parts;
    if (log == NULL) return;
    if (gmtime_r(&now, &parts) == NULL || strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        (void)snprintf(when, sizeof when, "?");
    (void)text_escape(text, strlen(text), TEXT_PLAIN, line, sizeof line);
    (void)fprintf(log, "%s %ld %s\n", when, (long)getpid(), line); /* ferror() tells at the end */
    (void)fflush(log);
}

Status batch_log_begin(const char *path, int argc, char *const *argv, FILE **log, Error *error) {
    char command[LINE_SIZE];
    size_t used = (size_t)snprintf(command, sizeof command, "began: rejuv");
    *log = fopen(path, "ae");
    if (*log == NULL) return status_fail_errno(error, errno, "--log-file %s", path);
    for (int i = 1; i < argc && used < sizeof command; i++) {
        int more = snprintf(command + used, sizeof command - used, " %s", argv[i]);
        if (more > 0) used += (size_t)more;
    }
    batch_log_write(*log, command);
    return STATUS_OK;
}

Status batch_log_end(FILE *log, const char *path, int exit_status, double seconds, Error *error) {
    char text[128], took[FORMAT_SIZE];
    if (log == NULL) return STATUS_OK;
    (void)snprintf(text, sizeof text, "ended: status %d, after %s", exit_status,
                   format_duration(seconds, took));
    batch_log_write(log, text);
    bool lost = ferror(log) != 0;
    if (fclose(log) != 0) lost = true;
    return lost ? status_fail(error, STATUS_IO, "--log-file %s: not all of it could be written", path)
                : STATUS_OK;
}
