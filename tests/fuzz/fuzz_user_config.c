/* Any bytes as the user's settings: what is taken is valid, what is not has its line. */
#include "tui/app/config.h"
#include "tui/canvas/theme.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Config config = {0};
    ThemeKind kind;
    bool monochrome;
    config_read(&config, (const char *)bytes, count);
    if (config.theme[0] != '\0' && !theme_read_name(config.theme, NULL, &kind, &monochrome)) abort();
    if (memchr(config.keys, '\0', sizeof config.keys) == NULL || config.problem_count > CONFIG_PROBLEMS)
        abort();
    for (size_t i = 0; i < config.problem_count; i++)
        if (config.problems[i].text[0] == '\0' || config.problems[i].line < 0) abort();
    config_free(&config);
    return 0;
}
