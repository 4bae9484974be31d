/*
 * screen_test — runs screen scripts (screen_script.h).
 *
 *     screen_test [--update] [NAME=VALUE …] SCRIPT …
 *
 * NAME=VALUE are variables for the scripts. --update records the screens in the scripts. Exit status: 0; 1 an
 * expectation failed; 2 a script or the call makes no sense, or the system refused.
 */
#include "tests/screens/screen_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_script(const char *path, const ScreenScriptOptions *options) {
    ScreenResult result = {0};
    Error error = {0};
    Status status = screen_script_run(path, options, &result, &error);
    screen_result_free(&result);
    if (status == STATUS_OK) {
        (void)printf("%s %s\n", options->update ? "recorded" : "passed", path);
        return 0;
    }
    (void)printf("FAILED %s\n", error.message);
    return status == STATUS_MISMATCH ? 1 : 2;
}

/* A NAME=VALUE among the arguments; anything with a / before the = is a path. */
static bool set_variable(ScreenVariables *variables, char *argument, int *result) {
    char *equals = strchr(argument, '=');
    if (equals == NULL || equals == argument || memchr(argument, '/', (size_t)(equals - argument)) != NULL)
        return false;
    Error error = {0};
    *equals = '\0';
    if (screen_variables_set(variables, argument, equals + 1, &error) != STATUS_OK) {
        (void)printf("%s\n", error.message);
        *result = 2;
    }
    return true;
}

int main(int count, char **arguments) {
    ScreenVariables variables = {0};
    ScreenScriptOptions options = {.variables = &variables, .report = stdout};
    int result = 0, scripts = 0;
    for (int i = 1; i < count && result != 2; i++) {
        if (strcmp(arguments[i], "--update") == 0) {
            options.update = true;
        } else if (!set_variable(&variables, arguments[i], &result)) {
            int one = run_script(arguments[i], &options);
            if (one > result) result = one;
            scripts++;
        }
    }
    if (scripts == 0 && result == 0) {
        (void)fprintf(stderr, "usage: screen_test [--update] [NAME=VALUE ...] SCRIPT ...\n");
        result = 2;
    }
    screen_variables_free(&variables);
    return result;
}
