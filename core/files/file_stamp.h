/*
 * file_stamp — what the system says about a file without reading it: enough to tell that it is the one seen
 * before, unless someone went to lengths to hide a change.
 *
 * Clocks of file systems tick: a file that is written again within a tick keeps its times. So a stamp only
 * counts where the file had rested for FILE_STAMP_REST seconds when the stamp was taken.
 */
#ifndef REJUV_CORE_FILE_STAMP_H
#define REJUV_CORE_FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum { FILE_STAMP_REST = 2 }; /* the coarsest clock in use (FAT's) */

typedef struct FileStamp {
    uint64_t device, inode, size;
    int64_t modified, changed; /* contents; contents or anything about it: seconds since 1970 */
    uint64_t modified_nanoseconds, changed_nanoseconds;
    int64_t taken; /* when this was asked for, by this machine's clock */
} FileStamp;

FileStamp file_stamp_make(const struct stat *facts);

/* Of the file at `path`; false where there is none that can be asked about. */
bool file_stamp_read(const char *path, FileStamp *stamp);

/* Whether nothing but `taken` differs. */
bool file_stamp_equal(const FileStamp *a, const FileStamp *b);

/* Whether the file had rested when the stamp was taken. A clock that runs behind the file's says no. */
bool file_stamp_is_settled(const FileStamp *stamp);

#endif
