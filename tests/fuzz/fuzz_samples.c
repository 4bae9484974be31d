/* Any bytes as a file of samples, with a tokenizer and without: groups whose ids are the model's and whose figures are defined,
 * or a message. */
#include "core/readiness/sample_figures.h"
#include "core/readiness/sample_file.h"
#include "tests/fuzz/demo_tokenizer.h"
#include "tests/fuzz/memory_file.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const ModelConfig CONFIG = {.vocabulary = 512, .eos = {509}, .eos_count = 1};

static void check_ids(const int32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < 0 || (uint64_t)ids[i] >= CONFIG.vocabulary) abort();
    }
}

static void check_group(const SampleGroup *group) {
    if (group->count == 0 || group->sample_count == 0) abort();
    check_ids(group->ids, group->count);
    for (size_t i = 0; i < group->sample_count; i++) {
        const Sample *sample = &group->samples[i];
        check_ids(sample->ids, sample->count);
        check_ids(sample->prompt_ids, sample->prompt_ids == NULL ? 0 : sample->prompt_count);
        if (isinf(sample->reward)) abort();
    }
}

static bool is_share(double x) {
    return x >= 0.0 && x <= 1.0;
}

/* Where every sample has its reward. */
static void check_figures(const SampleSet *set) {
    SampleFigures figures = {0};
    Error error = {0};
    if (sample_figures_measure(set, 1, &figures, &error) != STATUS_OK) {
        if (error.message[0] == '\0') abort();
        return;
    }
    if (!is_share(figures.average.value) || !is_share(figures.mixed.value) ||
        !is_share(figures.repeated.value))
        abort();
    for (size_t k = 0; k < figures.fewest; k++)
        if (!is_share(figures.pass[k].value)) abort();
    if (isnan(figures.mean_reward.value)) abort();
    sample_figures_free(&figures);
}

static void read_with(const char *path, const Tokenizer *tokenizer) {
    Error error = {0};
    SampleFile file = {0};
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = &CONFIG};
    if (sample_file_read(path, &reading, NULL, &file, &error) != STATUS_OK) {
        if (file.set.count > 0 || file.facts != NULL || error.message[0] == '\0') abort();
        return;
    }
    if (file.set.count == 0) abort();
    for (size_t i = 0; i < file.set.count; i++) check_group(&file.set.groups[i]);
    check_figures(&file.set);
    sample_file_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    const char *path = memory_file_put(bytes, count);
    read_with(path, demo_tokenizer());
    read_with(path, NULL);
    return 0;
}
