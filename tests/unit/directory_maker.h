/*
 * directory_maker — directories of a few small files, from a list of their names, and what is said of them.
 */
#ifndef REJUV_TESTS_DIRECTORY_MAKER_H
#define REJUV_TESTS_DIRECTORY_MAKER_H

#include "core/checkpoint/checkpoint.h"
#include "scratch.h"

#include <unistd.h>

#define ONE_TENSOR "{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"

enum { MOST_FILES = 8 };

/* One file, folder ("NAME/"), link ("NAME->TARGET"), text ("NAME=TEXT") or safetensors ("NAME*") of a directory. */
static inline void make_entry(const char *directory, const char *entry) {
    const char *link = strstr(entry, "->"), *text = strchr(entry, '=');
    size_t length = link != NULL   ? (size_t)(link - entry)
                    : text != NULL ? (size_t)(text - entry)
                                   : strcspn(entry, "*");
    char *name = memory_format("%s/%.*s", directory, (int)length, entry), *path = scratch_path(name);
    if (link != NULL)
        assert_int_equal(symlink(link + 2, path), 0);
    else if (entry[length] == '*')
        scratch_write_safetensors(name, ONE_TENSOR, 8);
    else if (name[strlen(name) - 1] != '/')
        scratch_write_text(name, text != NULL ? text + 1 : "x");
    free(path);
    free(name);
}

static inline char *make_directory(const char *name, const char *const files[MOST_FILES]) {
    char *with_slash = memory_format("%s/", name), *path = scratch_path(with_slash);
    for (int i = 0; i < MOST_FILES && files[i] != NULL; i++) make_entry(name, files[i]);
    free(with_slash);
    return path;
}

/* "{dir}" in a text that is expected stands for the directory. */
static inline char *with_directory(const char *text, const char *directory) {
    char *made = memory_copy_text("", 0);
    for (const char *found; (found = strstr(text, "{dir}")) != NULL; text = found + 5) {
        char *longer = memory_format("%s%.*s%s", made, (int)(found - text), text, directory);
        free(made);
        made = longer;
    }
    char *whole = memory_format("%s%s", made, text);
    free(made);
    return whole;
}

typedef struct Case {
    const char *name, *files[MOST_FILES], *message;
} Case;

static inline void must_say(const char *path, const char *message) {
    Error error = {0};
    Checkpoint *checkpoint;
    assert_int_not_equal(checkpoint_open(path, &checkpoint, &error), STATUS_OK);
    assert_string_equal(error.message, message);
}

#endif
