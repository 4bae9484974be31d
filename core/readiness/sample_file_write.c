#include "core/files/disk.h"
#include "core/files/json.h"
#include "core/readiness/sample_file.h"
#include "core/support/buffer.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void add_ids(Buffer *line, const char *key, const int32_t *ids, size_t count) {
    buffer_add_format(line, ", \"%s\": [", key);
    for (size_t i = 0; i < count; i++) buffer_add_format(line, i == 0 ? "%" PRId32 : ", %" PRId32, ids[i]);
    buffer_add_text(line, "]");
}

static void add_text(Buffer *line, const char *key, const char *text) {
    if (text == NULL) return;
    buffer_add_format(line, ", \"%s\": ", key);
    buffer_add_quoted(line, text);
}

static void add_sample(Buffer *line, const SampleSet *set, size_t g, size_t i) {
    const SampleGroup *group = &set->groups[g];
    const Sample *sample = &group->samples[i];
    buffer_add_format(line, "{\"prompt\": %zu, \"sample\": %zu", g, i);
    if (sample->prompt_ids != NULL)
        add_ids(line, "prompt_ids", sample->prompt_ids, sample->prompt_count);
    else
        add_ids(line, "prompt_ids", group->ids, group->count);
    add_ids(line, "response_ids", sample->ids, sample->count);
    if (!isnan(sample->reward)) {
        char number[JSON_NUMBER_SIZE];
        (void)json_format_number(sample->reward, 1, number);
        buffer_add_format(line, ", \"reward\": %s", number);
    }
    add_text(line, "prompt_text", group->prompt);
    add_text(line, "response", sample->text);
    add_text(line, "answer", group->answer);
    buffer_add_text(line, "}\n");
}

static Status write_group(const SampleSet *set, size_t g, const DiskFile *file, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < set->groups[g].sample_count && status == STATUS_OK; i++) {
        Buffer line = {0};
        char *text;
        size_t bytes;
        add_sample(&line, set, g, i);
        status = buffer_take(&line, &text, &bytes, "a sample", error);
        if (status != STATUS_OK) return status;
        errno = 0;
        if (fwrite(text, 1, bytes, file->stream) != bytes)
            status = status_fail_errno(error, errno, "%s: cannot be written", file->path);
        free(text);
    }
    return status;
}

Status sample_file_write(const SampleSet *set, const char *path, Error *error) {
    DiskFile file;
    Status status = disk_file_begin_beside(&file, path, error);
    if (status != STATUS_OK) return status;
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++) status = write_group(set, g, &file, error);
    if (status == STATUS_OK) return disk_file_commit(&file, DISK_SYNC_CONTENTS, error);
    disk_file_discard(&file);
    return status;
}
