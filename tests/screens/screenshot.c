/*
 * screenshot — runs a screen script (screen_script.h) and draws the screen at its end.
 *
 *     screenshot SCRIPT OUT.svg [TITLE] [NAME=VALUE …]
 *
 * Exit status: 0; 1 an expectation of the script failed; 2 anything else.
 */
#include "tests/screens/screen_script.h"
#include "tests/screens/screen_svg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Status write_drawing(const ScreenResult *result, const char *title, const char *path, Error *error) {
    if (result->host == NULL) return status_fail(error, STATUS_FORMAT, "the script has run no program");
    FILE *file = fopen(path, "we");
    if (file == NULL) return status_fail_errno(error, errno, "%s cannot be made", path);
    Status status = screen_svg_write(result->host, title, file, error);
    if (fclose(file) != 0 && status == STATUS_OK)
        status = status_fail_errno(error, errno, "%s cannot be written", path);
    return status;
}

static Status draw(char **arguments, int count, Error *error) {
    ScreenVariables variables = {0};
    const char *title = "rejuv";
    Status status = STATUS_OK;
    for (int i = 3; i < count && status == STATUS_OK; i++) {
        char *equals = strchr(arguments[i], '=');
        if (equals == NULL) {
            title = arguments[i];
            continue;
        }
        *equals = '\0';
        status = screen_variables_set(&variables, arguments[i], equals + 1, error);
    }
    ScreenResult result = {0};
    ScreenScriptOptions options = {.variables = &variables, .report = stderr};
    if (status == STATUS_OK) status = screen_script_run(arguments[1], &options, &result, error);
    if (status == STATUS_OK) status = write_drawing(&result, title, arguments[2], error);
    screen_result_free(&result);
    screen_variables_free(&variables);
    return status;
}

int main(int count, char **arguments) {
    if (count < 3) {
        (void)fprintf(stderr, "usage: screenshot SCRIPT OUT.svg [TITLE] [NAME=VALUE ...]\n");
        return 2;
    }
    Error error = {0};
    Status status = draw(arguments, count, &error);
    if (status == STATUS_OK) return 0;
    (void)fprintf(stderr, "screenshot: %s\n", error.message);
    return status == STATUS_MISMATCH ? 1 : 2;
}
