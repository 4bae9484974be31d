/* The JSON reader on any bytes: it reads or refuses with a message, and what it read can be freed. */
#include "core/files/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    Error error = {0};
    cJSON *tree = NULL;
    uint64_t number;
    Status status = json_parse((const char *)bytes, count, "input", &tree, &error);
    if (status == STATUS_OK ? tree == NULL : error.message[0] == '\0') abort();
    (void)json_read_count(json_find(tree, "a"), &number); /* either answer is right */
    cJSON_Delete(tree);
    return 0;
}
