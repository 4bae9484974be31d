#include "core/files/user_directory.h"

#include "core/files/disk.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *variable, *otherwise;
} PLACES[USER_DIRECTORY_COUNT] = {
    [USER_DIRECTORY_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
    [USER_DIRECTORY_STATE] = {"XDG_STATE_HOME", ".local/state"},
    [USER_DIRECTORY_CACHE] = {"XDG_CACHE_HOME", ".cache"},
};

char *user_directory_path(UserDirectory place, const char *name) {
    const char *given = getenv(PLACES[place].variable), *home = getenv("HOME");
    const char *slash = name != NULL ? "/" : "";
    if (name == NULL) name = "";
    if (given != NULL && given[0] == '/') return memory_format("%s/rejuv%s%s", given, slash, name);
    if (home == NULL || home[0] != '/') return NULL;
    return memory_format("%s/%s/rejuv%s%s", home, PLACES[place].otherwise, slash, name);
}

bool user_directory_expand_home(const char *name, char *text, size_t size) {
    const char *home = getenv("HOME");
    bool is_home = name[0] == '~' && (name[1] == '/' || name[1] == '\0') && home != NULL && home[0] == '/';
    int length = snprintf(text, size, "%s%s", is_home ? home : "", is_home ? name + 1 : name);
    return length >= 0 && (size_t)length < size;
}

static Status make_directories(char *path, Error *error) {
    for (char *slash = path + 1;; slash++) {
        if (*slash != '/' && *slash != '\0') continue;
        char kept = *slash;
        *slash = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST ? errno : 0;
        if (failed != 0) return status_fail_errno(error, failed, "the directory %s", path);
        *slash = kept;
        if (kept == '\0') return STATUS_OK;
    }
}

bool user_directory_has_file(const char *path) {
    struct stat facts;
    return lstat(path, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

Status user_directory_make_directory(const char *path, Error *error) {
    char *copy = memory_copy_text(path, strlen(path));
    if (copy == NULL) return memory_fail(error, "a directory's name");
    Status status = make_directories(copy, error);
    free(copy);
    return status;
}

Status user_directory_write_file(const char *path, const char *text, size_t bytes, Error *error) {
    const char *slash = strrchr(path, '/');
    char *directory = memory_copy_text(path, slash == NULL ? 0 : (size_t)(slash - path));
    /* sessions end together, as where a connection is lost, and each writes the same file */
    char *partial = slash == NULL ? NULL : memory_format("%s.%ld.new", slash + 1, (long)getpid());
    if (directory == NULL || partial == NULL) {
        free(directory);
        free(partial);
        return memory_fail(error, "a file's name");
    }
    Status status = user_directory_make_directory(directory, error);
    int descriptor = -1;
    if (status == STATUS_OK) status = disk_open_directory(AT_FDCWD, directory, directory, &descriptor, error);
    if (status == STATUS_OK && descriptor < 0)
        status = status_fail(error, STATUS_IO, "%s: expected a directory", directory);
    if (status == STATUS_OK) {
        status = disk_replace_file(descriptor, slash + 1, partial, true, text, bytes, path, error);
        Status closed = disk_close(descriptor, directory, status == STATUS_OK ? error : NULL);
        if (status == STATUS_OK) status = closed;
    }
    free(partial);
    free(directory);
    return status;
}
