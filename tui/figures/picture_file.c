#include "tui/figures/picture_file.h"

#include "core/files/disk.h"
#include "tui/commands/batch.h"

Status picture_file_write(const char *path, Status (*draw)(const void *user, FILE *file, Error *error),
                          const void *user, Error *error) {
    if (path == NULL) {
        batch_begin_output();
        return batch_end_output(draw(user, stdout, error), error);
    }
    DiskFile file;
    Status status = disk_file_begin_beside(&file, path, error);
    if (status != STATUS_OK) return status;
    status = draw(user, file.stream, error);
    if (status == STATUS_OK) return disk_file_commit(&file, DISK_SYNC_NONE, error);
    disk_file_discard(&file);
    return status == STATUS_IO ? status_add_context(error, "%s", path) : status;
}
