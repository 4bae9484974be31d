/*
 * Any bytes as the index of a sharded checkpoint: it opens, or is refused with a message, and never reaches
 * for a file outside its directory, which holds two shards of one tensor each.
 */
#include "core/checkpoint/checkpoint.h"
#include "tests/fuzz/memory_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const char *const NAMES[] = {"a.safetensors", "b.safetensors"};

static void write_shards(void) {
    for (int i = 0; i < 2; i++) {
        char shard[128] = {0};
        int length =
            snprintf(shard + 8, sizeof shard - 8,
                     "{\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", i == 0 ? "x" : "y");
        shard[0] = (char)length;
        memory_directory_put(NAMES[i], shard, 8 + (size_t)length + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static int is_made;
    if (!is_made++) write_shards();
    memory_directory_put("model.safetensors.index.json", bytes, count);
    Error error = {0};
    Checkpoint *checkpoint;
    Status status = checkpoint_open(memory_directory(), &checkpoint, &error);
    if (status == STATUS_OK ? checkpoint == NULL : checkpoint != NULL || error.message[0] == '\0') abort();
    for (size_t i = 0; status == STATUS_OK && i < checkpoint->file_count; i++) {
        if (strcmp(checkpoint->file_names[i], NAMES[0]) != 0 &&
            strcmp(checkpoint->file_names[i], NAMES[1]) != 0)
            abort();
    }
    checkpoint_close(checkpoint);
    return 0;
}
