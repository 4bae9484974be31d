#include "core/chat/chat_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const ChatLimits CHAT_LIMITS_DEFAULT = {
    .memory = (size_t)1 << 29, .output = (size_t)1 << 28, .steps = 200000000, .depth = 1000};

Status chat_run_fail(ChatRun *run, Status status, const char *format, ...) {
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut where it is too long */
    va_end(arguments);
    if (run->name == NULL) return status_fail(run->error, status, "conversation: %s", text);
    if (run->line == 0) return status_fail(run->error, status, "chat template %s: %s", run->name, text);
    return status_fail(run->error, status, "chat template %s, line %u: %s", run->name, run->line, text);
}

Status chat_run_step(ChatRun *run, size_t steps) {
    run->steps += steps;
    if (run->steps <= run->limits.steps) return STATUS_OK;
    return chat_run_fail(run, STATUS_UNSUPPORTED, "it takes more than %llu steps",
                         (unsigned long long)run->limits.steps);
}

Status chat_run_enter(ChatRun *run) {
    if (run->depth >= run->limits.depth)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "it is nested more than %u levels deep",
                             run->limits.depth);
    run->depth++;
    return STATUS_OK;
}

void chat_run_leave(ChatRun *run) {
    run->depth--;
}

Status chat_run_take(ChatRun *run, size_t count, size_t size, void **block) {
    *block = chat_arena_take(&run->arena, count, size);
    if (*block != NULL) return STATUS_OK;
    if (!run->arena.is_full) return chat_run_fail(run, STATUS_NO_MEMORY, "out of memory");
    return chat_run_fail(run, STATUS_UNSUPPORTED, "it takes more than %zu bytes of memory",
                         run->limits.memory);
}

Status chat_run_grow(ChatRun *run, void **array, size_t count, size_t *capacity, size_t needed, size_t size) {
    if (needed <= *capacity) return STATUS_OK;
    size_t room = *capacity < 4 ? 4 : *capacity;
    while (room < needed) room = room > SIZE_MAX / 2 ? needed : room * 2;
    void *larger;
    Status status = chat_run_take(run, room, size, &larger);
    if (status != STATUS_OK) return status;
    if (count > 0) memcpy(larger, *array, count * size);
    *array = larger;
    *capacity = room;
    return STATUS_OK;
}
