#include "core/files/disk.h"

#include "core/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 1 << 30, DEEPEST = 8 };

static Status fail_write(int descriptor, int reason, size_t wanted, const char *path, Error *error) {
    struct statvfs facts;
    if ((reason != ENOSPC && reason != EDQUOT) || fstatvfs(descriptor, &facts) != 0)
        return status_fail_errno(error, reason, "%s: writing %zu bytes", path, wanted);
    return status_fail_errno(error, reason, "%s: writing %zu bytes where %" PRIu64 " are free", path, wanted,
                             (uint64_t)facts.f_bavail * facts.f_frsize);
}

Status disk_write(int descriptor, const void *bytes, size_t size, uint64_t offset, const char *path,
                  Error *error) {
    const unsigned char *next = bytes;
    while (size > 0) {
        ssize_t count = pwrite(descriptor, next, size < MOST_AT_ONCE ? size : MOST_AT_ONCE, (off_t)offset);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail_write(descriptor, errno, size, path, error);
        if (count == 0) return fail_write(descriptor, ENOSPC, size, path, error);
        next += count;
        size -= (size_t)count;
        offset += (uint64_t)count;
    }
    return STATUS_OK;
}

Status disk_sync(int descriptor, const char *path, Error *error) {
    while (fsync(descriptor) != 0) {
        if (errno != EINTR) return status_fail_errno(error, errno, "%s: making it durable", path);
    }
    return STATUS_OK;
}

static Status open_for_writing(int directory, const char *name, mode_t mode, const char *path,
                               int *descriptor, Error *error) {
    *descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
    if (*descriptor < 0) return status_fail_errno(error, errno, "%s", path);
    return STATUS_OK;
}

Status disk_open(int directory, const char *name, const char *path, int *descriptor, Error *error) {
    return open_for_writing(directory, name, 0666, path, descriptor, error);
}

Status disk_close(int descriptor, const char *path, Error *error) {
    if (close(descriptor) == 0 || errno == EINTR) return STATUS_OK;
    return status_fail_errno(error, errno, "%s: closing", path);
}

static Status write_file(int directory, const char *name, bool is_private, const void *bytes, size_t size,
                         const char *path, Error *error) {
    int descriptor;
    Status status = open_for_writing(directory, name, is_private ? 0600 : 0666, path, &descriptor, error);
    if (status != STATUS_OK) return status;
    if (is_private && fchmod(descriptor, 0600) != 0) /* one may have been left there that others can read */
        status = status_fail_errno(error, errno, "%s: making it private", path);
    if (status == STATUS_OK && ftruncate(descriptor, 0) != 0)
        status = status_fail_errno(error, errno, "%s", path);
    if (status == STATUS_OK) status = disk_write(descriptor, bytes, size, 0, path, error);
    if (status == STATUS_OK) status = disk_sync(descriptor, path, error);
    Status closed = disk_close(descriptor, path, status == STATUS_OK ? error : NULL);
    return status != STATUS_OK ? status : closed;
}

Status disk_write_file(int directory, const char *name, const void *bytes, size_t size, const char *path,
                       Error *error) {
    return write_file(directory, name, false, bytes, size, path, error);
}

Status disk_replace_file(int directory, const char *name, bool is_private, const void *bytes, size_t size,
                         const char *path, Error *error) {
    char *new_name = memory_format("%s.new", name);
    if (new_name == NULL) return memory_fail(error, path);
    Status status = write_file(directory, new_name, is_private, bytes, size, path, error);
    if (status == STATUS_OK && renameat(directory, new_name, directory, name) != 0)
        status = status_fail_errno(error, errno, "%s: renaming %s", path, new_name);
    if (status == STATUS_OK) status = disk_sync(directory, path, error);
    free(new_name);
    return status;
}

Status disk_open_directory(int directory, const char *name, const char *path, int *descriptor, Error *error) {
    *descriptor = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*descriptor >= 0 || errno == ENOENT) return STATUS_OK;
    return status_fail_errno(error, errno, "%s: expected a directory", path);
}

static Status empty_to_depth(int directory, DiskKeep keep, void *user, const char *path, int depth,
                             uint64_t *bytes, Error *error);

static Status remove_entry(int directory, const char *name, const char *path, int depth, uint64_t *bytes,
                           Error *error) {
    struct stat facts;
    if (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return status_fail_errno(error, errno, "%s/%s", path, name);
    if (!S_ISDIR(facts.st_mode)) {
        if (unlinkat(directory, name, 0) != 0)
            return status_fail_errno(error, errno, "%s/%s: removing", path, name);
        if (bytes != NULL && S_ISREG(facts.st_mode)) *bytes += (uint64_t)facts.st_size;
        return STATUS_OK;
    }
    int inner;
    Status status = disk_open_directory(directory, name, path, &inner, error);
    if (status != STATUS_OK) return status;
    if (inner >= 0) {
        status = empty_to_depth(inner, NULL, NULL, path, depth - 1, bytes, error);
        (void)close(inner); /* opened for reading */
    }
    if (status == STATUS_OK && unlinkat(directory, name, AT_REMOVEDIR) != 0)
        status = status_fail_errno(error, errno, "%s/%s: removing", path, name);
    return status;
}

static Status empty_to_depth(int directory, DiskKeep keep, void *user, const char *path, int depth,
                             uint64_t *bytes, Error *error) {
    if (depth == 0)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: more than %d directories deep", path, DEEPEST);
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (stream == NULL) {
        Status status = status_fail_errno(error, errno, "%s", path);
        if (own >= 0) (void)close(own); /* opened for reading */
        return status;
    }
    Status status = STATUS_OK;
    struct dirent *entry;
    while (status == STATUS_OK && (errno = 0, entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (keep != NULL && keep(user, entry->d_name)) continue;
        status = remove_entry(directory, entry->d_name, path, depth, bytes, error);
    }
    if (status == STATUS_OK && errno != 0) status = status_fail_errno(error, errno, "%s: listing", path);
    (void)closedir(stream); /* opened for reading */
    return status;
}

Status disk_empty_directory(int directory, DiskKeep keep, void *user, const char *path, uint64_t *bytes,
                            Error *error) {
    return empty_to_depth(directory, keep, user, path, DEEPEST, bytes, error);
}

uint64_t disk_used_bytes(const char *path) {
    enum { BLOCK = 512 }; /* of st_blocks, on any file system */
    uint64_t bytes = 0;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = directory < 0 ? NULL : fdopendir(directory);
    if (stream == NULL) {
        if (directory >= 0) (void)close(directory); /* opened for reading */
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        struct stat facts;
        if (fstatat(directory, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(facts.st_mode))
            bytes += (uint64_t)facts.st_blocks * BLOCK;
    }
    (void)closedir(stream); /* opened for reading */
    return bytes;
}

Status disk_free_bytes(const char *path, uint64_t *bytes, Error *error) {
    struct statvfs facts;
    if (statvfs(path, &facts) != 0) return status_fail_errno(error, errno, "%s", path);
    *bytes = facts.f_blocks == 0 ? UINT64_MAX : (uint64_t)facts.f_bavail * facts.f_frsize;
    return STATUS_OK;
}
