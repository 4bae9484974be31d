#include "tui/figures/picture_file.h"

#include "core/support/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

Status picture_file_write(const char *path, Status (*draw)(const void *user, FILE *file, Error *error),
                          const void *user, Error *error) {
    if (path == NULL) return draw(user, stdout, error);
    char *partial = memory_format("%s.%ld.partial", path, (long)getpid());
    if (partial == NULL) return memory_fail(error, "a path");
    FILE *file = fopen(partial, "wxe");
    Status status = file != NULL ? draw(user, file, error) : status_fail_errno(error, errno, "%s", path);
    if (file != NULL && fclose(file) != 0 && status == STATUS_OK)
        status = status_fail_errno(error, errno, "%s", path);
    if (status == STATUS_OK && rename(partial, path) != 0)
        status = status_fail_errno(error, errno, "%s", path);
    if (status != STATUS_OK && file != NULL) (void)unlink(partial); /* what failed before is what is told */
    free(partial);
    return status;
}
