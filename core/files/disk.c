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

static Status fail_write(int descriptor, int reason, uint64_t wanted, const char *path, Error *error) {
    struct statvfs facts;
    if ((reason != ENOSPC && reason != EDQUOT) || fstatvfs(descriptor, &facts) != 0)
        return status_fail_errno(error, reason, "%s: writing %" PRIu64 " bytes", path, wanted);
    return status_fail_errno(error, reason, "%s: writing %" PRIu64 " bytes where %" PRIu64 " are free", path,
                             wanted, (uint64_t)facts.f_bavail * facts.f_frsize);
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

Status disk_reserve(int descriptor, uint64_t size, const char *path, Error *error) {
    while (size > 0 && fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) != 0) {
        if (errno == EINTR) continue;
        if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO)
            return fail_write(descriptor, errno, size, path, error);
        break; /* it has no such call, or not in this mode */
    }
    return STATUS_OK;
}

void disk_release(int descriptor) {
    struct stat facts;
    if (fstat(descriptor, &facts) != 0) return;
    int ignored = ftruncate(descriptor, facts.st_size);
    (void)ignored; /* advice, like setting it aside */
}

/* SMB and some FUSE file systems know no fsync of a directory: what they keep, they keep without it. */
static bool is_directory_without_sync(int descriptor, int errno_value) {
    struct stat facts;
    return (errno_value == EINVAL || errno_value == ENOTSUP || errno_value == ENOSYS) &&
           fstat(descriptor, &facts) == 0 && S_ISDIR(facts.st_mode);
}

Status disk_sync(int descriptor, const char *path, Error *error) {
    while (fsync(descriptor) != 0) {
        int why = errno;
        if (is_directory_without_sync(descriptor, why)) return STATUS_OK;
        errno = why;
        if (errno != EINTR) return status_fail_errno(error, errno, "%s: making it durable", path);
    }
    return STATUS_OK;
}

bool disk_is_mount_point(const char *path) {
    struct statx facts;
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &facts) == 0 &&
           (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Status disk_open(int directory, const char *name, const char *path, int *descriptor, Error *error) {
    *descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    return *descriptor >= 0 ? STATUS_OK : status_fail_errno(error, errno, "%s", path);
}

Status disk_close(int descriptor, const char *path, Error *error) {
    if (close(descriptor) == 0 || errno == EINTR) return STATUS_OK;
    return status_fail_errno(error, errno, "%s: closing", path);
}

/* ---- a file under way ---- */

/* What a file that is there has, it loses only once it can be read by no one else. */
static Status open_file(DiskFile *file, unsigned how, Error *error) {
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | ((how & DISK_FILE_REUSE) != 0 ? 0 : O_EXCL);
    bool is_private = (how & DISK_FILE_PRIVATE) != 0;
    file->descriptor = openat(file->directory, file->partial != NULL ? file->partial : file->name, flags,
                              is_private ? 0600 : 0666);
    if (file->descriptor < 0) return status_fail_errno(error, errno, "%s", file->path);
    if (is_private && fchmod(file->descriptor, 0600) != 0)
        return status_fail_errno(error, errno, "%s: making it private", file->path);
    if ((how & DISK_FILE_REUSE) != 0 && ftruncate(file->descriptor, 0) != 0)
        return status_fail_errno(error, errno, "%s", file->path);
    return STATUS_OK;
}

Status disk_file_begin(DiskFile *file, int directory, const char *name, const char *partial, unsigned how,
                       const char *path, Error *error) {
    *file = (DiskFile){.directory = directory, .descriptor = -1, .name = name, .path = path};
    if (partial != NULL && (file->partial = memory_copy_text(partial, strlen(partial))) == NULL)
        return memory_fail(error, path);
    Status status = open_file(file, how, error);
    if (status != STATUS_OK) disk_file_discard(file);
    return status;
}

static Status add_stream(DiskFile *file, const char *path, Error *error) {
    Status status;
    file->stream = fdopen(file->descriptor, "w");
    if (file->stream != NULL) return STATUS_OK;
    status = status_fail_errno(error, errno, "%s", path);
    disk_file_discard(file);
    return status;
}

static Status begin_stream(DiskFile *file, const char *path, const char *partial, Error *error) {
    Status status = disk_file_begin(file, AT_FDCWD, path, partial, 0, path, error);
    return status == STATUS_OK ? add_stream(file, path, error) : status;
}

static Status begin_special(DiskFile *file, const char *path, Error *error) {
    *file = (DiskFile){.directory = AT_FDCWD, .name = path, .path = path, .is_special = true};
    file->descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (file->descriptor < 0) return status_fail_errno(error, errno, "%s", path);
    return add_stream(file, path, error);
}

Status disk_file_begin_new(DiskFile *file, const char *path, Error *error) {
    return begin_stream(file, path, NULL, error);
}

Status disk_file_begin_beside(DiskFile *file, const char *path, Error *error) {
    struct stat facts;
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) return begin_special(file, path, error);
    char *partial = memory_format("%s.%ld.partial", path, (long)getpid());
    if (partial == NULL) return memory_fail(error, "a path");
    Status status = begin_stream(file, path, partial, error);
    free(partial);
    return status;
}

/* 0 or an errno. */
static int flush_stream(FILE *stream) {
    errno = 0;
    if (fflush(stream) == 0 && ferror(stream) == 0) return 0;
    return errno != 0 ? errno : EIO;
}

Status disk_check_stream(FILE *stream, const char *what, Error *error) {
    int reason = flush_stream(stream);
    return reason == 0 ? STATUS_OK : status_fail_errno(error, reason, "%s could not be written", what);
}

static Status close_file(DiskFile *file, Error *error) {
    int descriptor = file->descriptor;
    FILE *stream = file->stream;
    file->descriptor = -1;
    file->stream = NULL;
    if (stream == NULL) return disk_close(descriptor, file->path, error);
    return fclose(stream) == 0 ? STATUS_OK : status_fail_errno(error, errno, "%s", file->path);
}

static void forget_file(DiskFile *file) {
    free(file->partial);
    *file = (DiskFile){.descriptor = -1};
}

static void remove_file(DiskFile *file) {
    if (!file->is_special)
        (void)unlinkat(file->directory, file->partial != NULL ? file->partial : file->name, 0);
    forget_file(file);
}

void disk_file_discard(DiskFile *file) {
    if (file->descriptor < 0) { /* it was never there */
        forget_file(file);
        return;
    }
    Status ignored = close_file(file, NULL);
    (void)ignored; /* it goes whatever it held */
    remove_file(file);
}

Status disk_file_commit(DiskFile *file, DiskSync sync, Error *error) {
    int reason = file->stream != NULL ? flush_stream(file->stream) : 0;
    Status status = reason == 0 ? STATUS_OK : status_fail_errno(error, reason, "%s", file->path);
    if (status == STATUS_OK && sync != DISK_SYNC_NONE)
        status = disk_sync(file->descriptor, file->path, error);
    Status closed = close_file(file, status == STATUS_OK ? error : NULL);
    if (status == STATUS_OK) status = closed;
    if (status == STATUS_OK && file->partial != NULL &&
        renameat(file->directory, file->partial, file->directory, file->name) != 0)
        status = status_fail_errno(error, errno, "%s: renaming %s", file->path, file->partial);
    if (status != STATUS_OK) {
        remove_file(file);
        return status;
    }
    if (sync == DISK_SYNC_NAME) status = disk_sync(file->directory, file->path, error);
    forget_file(file);
    return status;
}

/* Writes a file that was begun, and ends it. */
static Status finish_file(DiskFile *file, const void *bytes, size_t size, DiskSync sync, Error *error) {
    Status status = disk_write(file->descriptor, bytes, size, 0, file->path, error);
    if (status == STATUS_OK) return disk_file_commit(file, sync, error);
    disk_file_discard(file);
    return status;
}

Status disk_write_new(const char *path, const void *bytes, size_t size, Error *error) {
    DiskFile file; /* half a file of rows would be read as a whole one */
    Status status = disk_file_begin_new(&file, path, error);
    return status == STATUS_OK ? finish_file(&file, bytes, size, DISK_SYNC_NONE, error) : status;
}

Status disk_write_file(int directory, const char *name, const void *bytes, size_t size, const char *path,
                       Error *error) {
    DiskFile file;
    Status status = disk_file_begin(&file, directory, name, NULL, DISK_FILE_REUSE, path, error);
    return status == STATUS_OK ? finish_file(&file, bytes, size, DISK_SYNC_CONTENTS, error) : status;
}

Status disk_replace_file(int directory, const char *name, const char *partial, bool is_private,
                         const void *bytes, size_t size, const char *path, Error *error) {
    DiskFile file;
    unsigned how = DISK_FILE_REUSE | (is_private ? DISK_FILE_PRIVATE : 0u);
    Status status = disk_file_begin(&file, directory, name, partial, how, path, error);
    return status == STATUS_OK ? finish_file(&file, bytes, size, DISK_SYNC_NAME, error) : status;
}

/* ---- directories ---- */

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
