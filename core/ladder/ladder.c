#include "core/ladder/ladder.h"

#include <string.h>

const char *ladder_directory(const Ladder *ladder, size_t number) {
    return number == 0 ? ladder->base : ladder->rungs[number - 1];
}

/* Many messages name the directory themselves. */
static void name_rung(size_t number, const char *directory, Error *error) {
    bool is_named = error != NULL && strstr(error->message, directory) != NULL;
    if (is_named)
        (void)status_add_context(error, "rung %zu", number);
    else
        (void)status_add_context(error, "rung %zu, %s", number, directory);
}

Status ladder_open_pair(const Ladder *ladder, size_t from, size_t to, Pair **pair, Error *error) {
    const char *directory = ladder_directory(ladder, to);
    Status status = pair_open_step(ladder->base, ladder_directory(ladder, from), directory, pair, error);
    if (status == STATUS_OK) {
        status = pair_check(*pair, error);
        if (status == STATUS_OK) return STATUS_OK;
        pair_close(*pair);
        *pair = NULL;
    }
    name_rung(to, directory, error);
    return status;
}

Status ladder_check(const Ladder *ladder, Error *error) {
    Status status = STATUS_OK;
    for (size_t rung = 1; rung <= ladder->count && status == STATUS_OK; rung++) {
        Pair *pair;
        status = ladder_open_pair(ladder, 0, rung, &pair, error);
        if (status == STATUS_OK) pair_close(pair);
        if (status != STATUS_OK || rung == 1) continue;
        status = ladder_open_pair(ladder, rung - 1, rung, &pair, error);
        if (status == STATUS_OK) pair_close(pair);
    }
    return status;
}
