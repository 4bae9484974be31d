/*
 * Any bytes as the index of a sharded checkpoint: it opens, or is refused with a message, and never reaches
 * for a file outside its directory, which holds two shards of one tensor each.
 */
#include "core/checkpoint/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static char directory[] = "/tmp/rejuv-fuzz-XXXXXX";
static const char *const NAMES[] = {"a.safetensors", "b.safetensors", "model.safetensors.index.json"};

static void write_file(const char *name, const void *bytes, size_t count) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name); /* fits */
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) abort();
}

static void remove_directory(void) {
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", directory, NAMES[i]);
        (void)unlink(path); /* what is left behind is a few bytes in /tmp */
    }
    (void)rmdir(directory);
}

static void make_directory(void) {
    if (mkdtemp(directory) == NULL || atexit(remove_directory) != 0) abort();
    for (int i = 0; i < 2; i++) {
        char shard[128] = {0};
        int length =
            snprintf(shard + 8, sizeof shard - 8,
                     "{\"%s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", i == 0 ? "x" : "y");
        shard[0] = (char)length;
        write_file(NAMES[i], shard, 8 + (size_t)length + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static int is_made;
    if (!is_made++) make_directory();
    write_file(NAMES[2], bytes, count);
    Error error = {0};
    Checkpoint *checkpoint;
    Status status = checkpoint_open(directory, &checkpoint, &error);
    if (status == STATUS_OK ? checkpoint == NULL : checkpoint != NULL || error.message[0] == '\0') abort();
    for (size_t i = 0; status == STATUS_OK && i < checkpoint->file_count; i++) {
        if (strcmp(checkpoint->file_names[i], NAMES[0]) != 0 &&
            strcmp(checkpoint->file_names[i], NAMES[1]) != 0)
            abort();
    }
    checkpoint_close(checkpoint);
    return 0;
}
