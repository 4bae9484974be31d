#include "core/files/stand_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char POINTER[] = STAND_IN_POINTER;

enum { POINTER_MAX = 1024 /* bytes, as git-lfs has it */, TARGET_MAX = 256 };

static Status check_link(const char *path, Error *error) {
    char target[TARGET_MAX];
    struct stat facts;
    if (lstat(path, &facts) != 0) return STATUS_OK;
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    return status_fail(
        error, STATUS_IO,
        "%s: expected a file, found a link to %s, which is not there: download the checkpoint again "
        "(hf download NAME --local-dir DIR)",
        path, target);
}

static Status check_pointer(const char *path, Error *error) {
    char text[POINTER_MAX + 1];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return STATUS_OK; /* whoever reads it says why not */
    ssize_t length = read(file, text, POINTER_MAX);
    (void)close(file); /* opened for reading: nothing can be lost */
    if (length < (ssize_t)sizeof POINTER - 1 || memcmp(text, POINTER, sizeof POINTER - 1) != 0)
        return STATUS_OK;
    text[length] = '\0';
    const char *size = strstr(text, "\nsize ");
    return status_fail(
        error, STATUS_IO,
        "%s: expected the file, found the pointer that git-lfs leaves in place of its %llu bytes: run "
        "git lfs pull in that directory",
        path, size == NULL ? 0 : strtoull(size + strlen("\nsize "), NULL, 10));
}

Status stand_in_check(const char *path, Error *error) {
    struct stat facts;
    if (stat(path, &facts) != 0) return errno == ENOENT ? check_link(path, error) : STATUS_OK;
    return S_ISREG(facts.st_mode) && facts.st_size <= POINTER_MAX ? check_pointer(path, error) : STATUS_OK;
}
