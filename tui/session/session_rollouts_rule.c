#include "tui/session/session_rollouts.h"

#include <string.h>

const char *session_rollouts_command(const char *rule) {
    const size_t length = strlen(SESSION_ROLLOUTS_COMMAND);
    return strncmp(rule, SESSION_ROLLOUTS_COMMAND, length) == 0 ? rule + length : NULL;
}
