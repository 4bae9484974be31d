#include "core/checkpoint/adapter.h"
#include "core/export/export_internal.h"
#include "core/files/file_digest.h"
#include "core/files/file_path.h"
#include "core/support/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

RecipeFile *export_input_file(const ExportPlan *plan, const ExportInput *input) {
    return &(input->is_base ? &plan->recipe->base : &plan->recipe->sft)->files.list[input->index];
}

/* The file that is mapped is what is blended and hashed: another one that took its name since, or the same one
 * written over, would leave a recipe of inputs that are nowhere. */
static bool is_opened_file(const ExportInput *input) {
    const FileStamp *opened = &input->file->stamp;
    return input->device == opened->device && input->inode == opened->inode &&
           input->seconds == opened->modified && input->nanoseconds == (int64_t)opened->modified_nanoseconds;
}

static Status stat_input(ExportInput *input, Error *error) {
    const SafetensorsFile *file = input->file;
    struct stat facts;
    if (stat(file->path, &facts) != 0) return status_fail_errno(error, errno, "%s", file->path);
    input->device = (uint64_t)facts.st_dev;
    input->inode = (uint64_t)facts.st_ino;
    input->size = (uint64_t)facts.st_size;
    input->seconds = (int64_t)facts.st_mtim.tv_sec;
    input->nanoseconds = (int64_t)facts.st_mtim.tv_nsec;
    if (input->size != file->size)
        return status_fail(error, STATUS_IO,
                           "%s: expected the %zu bytes it had when it was opened, found %" PRIu64, file->path,
                           file->size, input->size);
    if (is_opened_file(input)) return STATUS_OK;
    return status_fail(error, STATUS_IO,
                       "%s: was changed or replaced since it was opened: open the pair again", file->path);
}

Status export_check_inputs(const ExportPlan *plan, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < plan->input_count && status == STATUS_OK; i++) {
        ExportInput now = {.file = plan->inputs[i].file};
        status = stat_input(&now, error);
    }
    return status;
}

void export_recall_inputs(ExportPlan *plan) {
    for (size_t i = 0; i < plan->input_count; i++) {
        ExportInput *input = &plan->inputs[i];
        if (safetensors_is_unchanged(input->file) &&
            file_digest_find(&input->file->stamp, export_input_file(plan, input)->sha256))
            input->is_resumed = false;
    }
}

void export_remember_inputs(const ExportPlan *plan) {
    for (size_t i = 0; i < plan->input_count; i++) {
        const ExportInput *input = &plan->inputs[i];
        bool is_resumed = input->is_resumed || plan->inputs[input->same].is_resumed;
        if (!is_resumed && safetensors_is_unchanged(input->file))
            file_digest_keep(&input->file->stamp, export_input_file(plan, input)->sha256);
    }
}

Status export_plan_inputs(ExportPlan *plan, Error *error) {
    const Checkpoint *sides[] = {plan->pair->sft, plan->pair->base};
    RecipeInput *lists[] = {&plan->recipe->sft, &plan->recipe->base};
    plan->inputs = memory_allocate(sides[0]->file_count + sides[1]->file_count, sizeof *plan->inputs);
    if (plan->inputs == NULL) return memory_fail(error, "the plan");
    for (int s = 0; s < 2; s++) {
        Status found = file_path_absolute(sides[s]->directory, &lists[s]->directory, error);
        if (found != STATUS_OK) return found;
        if (sides[s]->adapter != NULL) lists[s]->adapter = adapter_describe(sides[s]->adapter);
        if (sides[s]->adapter != NULL && lists[s]->adapter == NULL) return memory_fail(error, "the recipe");
        size_t first = sides[s]->home_files; /* what an adapter has of base is base's input */
        for (size_t i = first; i < sides[s]->file_count; i++) {
            ExportInput *input = &plan->inputs[plan->input_count];
            *input = (ExportInput){.file = sides[s]->files[i], .is_base = s == 1, .index = i - first};
            Status status = stat_input(input, error);
            if (status == STATUS_OK)
                status = recipe_add_file(&lists[s]->files, sides[s]->file_names[i], input->size, "", error);
            if (status != STATUS_OK) return status;
            while (plan->inputs[input->same].device != input->device ||
                   plan->inputs[input->same].inode != input->inode)
                input->same++; /* ends at the input itself */
            plan->input_count++;
        }
    }
    return STATUS_OK;
}
