#include "core/checkpoint/weights_file.h"

#include "core/checkpoint/directory.h"
#include "core/checkpoint/directory_form.h"
#include "core/checkpoint/torch_file.h"
#include "core/support/memory.h"

#include <stdlib.h>

static Status open_pickle(const char *directory, const char *name, const char *path, SafetensorsFile **file,
                          Error *error) {
    Error why = {0};
    Status status = torch_file_open(path, file, &why);
    if (status == STATUS_UNSUPPORTED) {
        char *command = directory_form_convert(directory, name);
        if (command == NULL) return memory_fail(error, path);
        (void)status_fail(error, status, "%s; %s", why.message, command);
        free(command);
    } else if (status != STATUS_OK && error != NULL) {
        *error = why;
    }
    return status;
}

Status weights_file_open(const char *directory, const char *name, SafetensorsFile **file, Error *error) {
    char *path = memory_format("%s/%s", directory, name);
    if (path == NULL) return memory_fail(error, directory);
    Status status = directory_is_pickle(name) ? open_pickle(directory, name, path, file, error)
                                              : safetensors_open(path, file, error);
    free(path);
    return status;
}
