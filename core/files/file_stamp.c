#include "core/files/file_stamp.h"

#include <time.h>

FileStamp file_stamp_make(const struct stat *facts) {
    return (FileStamp){.device = (uint64_t)facts->st_dev,
                       .inode = (uint64_t)facts->st_ino,
                       .size = (uint64_t)facts->st_size,
                       .modified = (int64_t)facts->st_mtim.tv_sec,
                       .changed = (int64_t)facts->st_ctim.tv_sec,
                       .modified_nanoseconds = (uint64_t)facts->st_mtim.tv_nsec,
                       .changed_nanoseconds = (uint64_t)facts->st_ctim.tv_nsec,
                       .taken = (int64_t)time(NULL)};
}

bool file_stamp_read(const char *path, FileStamp *stamp) {
    struct stat facts;
    if (stat(path, &facts) != 0) return false;
    *stamp = file_stamp_make(&facts);
    return true;
}

bool file_stamp_equal(const FileStamp *a, const FileStamp *b) {
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified == b->modified && a->modified_nanoseconds == b->modified_nanoseconds &&
           a->changed == b->changed && a->changed_nanoseconds == b->changed_nanoseconds;
}

bool file_stamp_is_settled(const FileStamp *stamp) {
    int64_t latest = stamp->modified > stamp->changed ? stamp->modified : stamp->changed;
    return latest < stamp->taken - FILE_STAMP_REST;
}
