/*
 * The gradient at hand-over beyond its figures, which golden/test_readiness has: that neither groups, nor threads, nor the form
 * of a sum, nor what is shared or kept matter, what it refuses, and what it leaves out. The limit of memory is the test's own.
 */
#include "core/readiness/gradient.h"
#include "core/readiness/gradient_sums.h"
#include "core/readiness/weight_norm.h"
#include "tiny_model.h"

uint64_t __wrap_forward_memory_limit(void);

static uint64_t limit = UINT64_C(1) << 40;

uint64_t __wrap_forward_memory_limit(void) {
    return limit;
}

/* Every bias there is, and norms of heads. */
static const char WITH_BIASES[] =
    "{\"model_type\":\"llama\",\"attention_bias\":true,\"mlp_bias\":true," TINY_SIZES("2") "}";
static const char TIED[] = "{\"model_type\":\"qwen3\",\"tie_word_embeddings\":true," TINY_SIZES("2") "}";
static const char WINDOWED[] = "{\"model_type\":\"mistral\",\"sliding_window\":3," TINY_SIZES("2") "}";
static const char WINDOWED_LONG[] = "{\"model_type\":\"mistral\",\"sliding_window\":37," TINY_SIZES("2") "}";
static const char BEHIND[] = "{\"model_type\":\"olmo2\"," TINY_SIZES("2") "}";
static const char PLAIN[] = "{\"model_type\":\"arcee\"," TINY_SIZES("2") "}";

enum { ROWS = 6, TOKENS = 9, PROMPT = 4 };

typedef struct Material {
    int32_t ids[ROWS][TOKENS];
    EvaluationRow rows[ROWS];
    SampleRows samples;
    double advantages[ROWS];
} Material;

static void make_material(Material *material) {
    for (size_t i = 0; i < ROWS; i++) {
        tiny_ids(material->ids[i], TOKENS, i + 1);
        material->rows[i] = (EvaluationRow){
            .ids = material->ids[i], .count = TOKENS - i % 3, .first = PROMPT - 1, .end = TOKENS - i % 3 - 1};
        material->advantages[i] = i == 2 ? 0.0 : (double)i - 2.5;
    }
    material->samples = (SampleRows){.rows = material->rows, .count = ROWS};
}

static Status measure(const Model *model, const Material *material, size_t group_tokens, unsigned threads,
                      Gradient *gradient, Error *error) {
    Settings settings = settings_at(0.3);
    Job *job;
    assert_int_equal(job_create(threads, NULL, NULL, &job, NULL), STATUS_OK);
    Status status = gradient_measure(model, &settings, &material->samples, material->advantages, group_tokens,
                                     gradient, job, error);
    job_free(job);
    return status;
}

static Gradient must_measure(const Model *model, const Material *material, size_t group_tokens,
                             unsigned threads) {
    Gradient gradient;
    Error error = {0};
    if (measure(model, material, group_tokens, threads, &gradient, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return gradient;
}

static void compare(const Gradient *a, const Gradient *b, double relative) {
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_ptr_equal(a->tensors[i].tensor, b->tensors[i].tensor);
        assert_true(a->tensors[i].norm > 0.0);
        if (fabs(a->tensors[i].norm - b->tensors[i].norm) > relative * a->tensors[i].norm)
            fail_msg("%s: %.9g and %.9g", a->tensors[i].tensor->name, a->tensors[i].norm, b->tensors[i].norm);
    }
}

static void neither_groups_nor_threads_matter(void **state) {
    (void)state;
    static const char *const CONFIGS[] = {WITH_BIASES, TIED};
    Material material;
    make_material(&material);
    for (size_t c = 0; c < sizeof CONFIGS / sizeof *CONFIGS; c++) {
        TinyModel tiny = tiny_model_make(CONFIGS[c]);
        Gradient whole = must_measure(tiny.model, &material, 0, 1),
                 three = must_measure(tiny.model, &material, 0, 3),
                 grouped = must_measure(tiny.model, &material, 1, 1),
                 grouped_three = must_measure(tiny.model, &material, 2 * TOKENS, 3);
        compare(&whole, &three, 0.0);
        compare(&whole, &grouped, 1e-5);
        compare(&whole, &grouped_three, 1e-5);
        gradient_free(&whole);
        gradient_free(&three);
        gradient_free(&grouped);
        gradient_free(&grouped_three);
        tiny_model_free(&tiny);
    }
}

/* ---- what is shared, and what is kept ---- */

/* Answers to three prompts, one of them of a single token; in the order of the prompts, or each beside answers to others. */
static void make_families(Material *material, bool is_apart) {
    static const size_t ORDER[ROWS] = {0, 2, 4, 1, 3, 5};
    make_material(material);
    for (size_t i = 0; i < ROWS; i++) {
        size_t row = is_apart ? ORDER[i] : i, family = row / 2;
        size_t prompt = PROMPT - family % 2, count = row == 5 ? prompt + 1 : TOKENS - row % 3;
        int32_t answer[TOKENS];
        tiny_ids(material->ids[i], TOKENS, 50 + family);
        tiny_ids(answer, TOKENS, row + 1);
        memcpy(material->ids[i] + prompt, answer + prompt, (TOKENS - prompt) * sizeof *answer);
        material->rows[i] =
            (EvaluationRow){.ids = material->ids[i], .count = count, .first = prompt - 1, .end = count - 1};
        material->advantages[i] = (double)row - 2.7;
    }
}

static void a_prompt_that_samples_share_counts_for_each(void **state) {
    (void)state;
    static const size_t GROUPS[] = {0, 1, 12, TOKENS, 2 * TOKENS};
    static const char *const CONFIGS[] = {WITH_BIASES, TIED, WINDOWED};
    Material families, apart;
    make_families(&families, false);
    make_families(&apart, true);
    for (size_t c = 0; c < sizeof CONFIGS / sizeof *CONFIGS; c++) {
        TinyModel tiny = tiny_model_make(CONFIGS[c]);
        Gradient expected = must_measure(tiny.model, &apart, 0, 1);
        for (size_t g = 0; g < sizeof GROUPS / sizeof *GROUPS; g++) {
            Gradient shared = must_measure(tiny.model, &families, GROUPS[g], 1),
                     three = must_measure(tiny.model, &families, GROUPS[g], 3);
            compare(&expected, &shared, 1e-5);
            compare(&shared, &three, 0.0);
            gradient_free(&shared);
            gradient_free(&three);
        }
        gradient_free(&expected);
        tiny_model_free(&tiny);
    }
}

enum { LONG = 90, LONG_PROMPT = 43 };

/* More than a block of queries, whose window begins in the prompt, at its end, and behind it. */
static void long_answers_to_one_prompt_are_as_each_alone(void **state) {
    (void)state;
    static const char *const CONFIGS[] = {TIED, WINDOWED_LONG};
    int32_t ids[ROWS / 2][LONG];
    for (size_t c = 0; c < sizeof CONFIGS / sizeof *CONFIGS; c++) {
        TinyModel tiny = tiny_model_make(CONFIGS[c]);
        Gradient gradients[2];
        for (int is_apart = 0; is_apart < 2; is_apart++) {
            Material material = {.samples = {.rows = material.rows, .count = ROWS}};
            static const size_t ORDER[ROWS] = {0, 2, 4, 1, 3, 5};
            for (size_t i = 0; i < ROWS; i++) {
                size_t row = is_apart ? ORDER[i] : i;
                tiny_ids(ids[row / 2], LONG, 9 + row / 2);
                material.rows[i] = (EvaluationRow){.ids = ids[row / 2],
                                                   .count = LONG - 7 * row,
                                                   .first = LONG_PROMPT - row / 4 - 1,
                                                   .end = LONG - 7 * row - 1};
                material.advantages[i] = (double)row - 1.3;
            }
            gradients[is_apart] = must_measure(tiny.model, &material, is_apart ? 1 : 0, 2);
        }
        compare(&gradients[0], &gradients[1], 1e-5);
        gradient_free(&gradients[0]);
        gradient_free(&gradients[1]);
        tiny_model_free(&tiny);
    }
}

/* Three samples of one prompt of four tokens, and one of another. */
static void shared_tokens_go_through_once_a_group(void **state) {
    (void)state;
    int32_t ids[2][TOKENS];
    tiny_ids(ids[0], TOKENS, 1);
    tiny_ids(ids[1], TOKENS, 2);
    const BackwardRow rows[] = {{ids[0], 9, 0}, {ids[0], 8, 4}, {ids[0], 6, 4}, {ids[1], 7, 0}};
    static const struct {
        size_t group, tokens, largest;
    } EXPECTED[] = {
        {1000, 4 + 5 + 4 + 2 + 7, 22},   /* one group */
        {13, 4 + 5 + 4 + 4 + 2 + 7, 13}, /* 4 + 5 + 4, then the prompt again */
        {1, 9 + 8 + 6 + 7, 9},
        {6, 9 + 8 + 6 + 7, 9},
    };
    TinyModel tiny = tiny_model_make(TIED);
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++) {
        size_t tokens, largest;
        assert_int_equal(
            backward_count_tokens(tiny.model, rows, 4, EXPECTED[i].group, &tokens, &largest, NULL),
            STATUS_OK);
        assert_int_equal(tokens, EXPECTED[i].tokens);
        assert_int_equal(largest, EXPECTED[i].largest);
    }
    tiny_model_free(&tiny);
}

/* With the least memory nothing is kept, with all of it every layer: the figures are the same to the last bit. */
static void what_is_kept_changes_nothing(void **state) {
    (void)state;
    static const char *const CONFIGS[] = {WITH_BIASES, TIED, BEHIND, PLAIN};
    Material material;
    make_families(&material, false);
    for (size_t c = 0; c < sizeof CONFIGS / sizeof *CONFIGS; c++) {
        TinyModel tiny = tiny_model_make(CONFIGS[c]);
        Gradient kept = must_measure(tiny.model, &material, 0, 1), least;
        Status status = STATUS_UNSUPPORTED;
        Error error = {0};
        for (limit = 1000; status == STATUS_UNSUPPORTED; limit += limit / 256)
            status = measure(tiny.model, &material, 0, 1, &least, &error);
        limit = UINT64_C(1) << 40;
        if (status != STATUS_OK) fail_msg("%s", error.message);
        compare(&kept, &least, 0.0);
        gradient_free(&kept);
        gradient_free(&least);
        tiny_model_free(&tiny);
    }
}

/* Tensors of every kind are there once, and the whole is made of its parts. */
static void every_tensor_is_there_once(void **state) {
    (void)state;
    Material material;
    make_material(&material);
    TinyModel tiny = tiny_model_make(WITH_BIASES);
    Gradient gradient = must_measure(tiny.model, &material, 0, 1);
    assert_int_equal(gradient.count, tiny.pair->count);
    for (size_t i = 0; i < tiny.pair->count; i++) {
        size_t found = 0;
        for (size_t t = 0; t < gradient.count; t++)
            found += gradient.tensors[t].tensor == &tiny.pair->tensors[i];
        assert_int_equal(found, 1);
    }
    double squares = 0.0;
    for (int layer = -1; layer < 2; layer++)
        squares += pow(gradient_add_up(&gradient, layer, TENSOR_ROLE_COUNT).gradient, 2.0);
    double whole = gradient_add_up(&gradient, GRADIENT_ALL, TENSOR_ROLE_COUNT).gradient;
    assert_true(fabs(sqrt(squares) - whole) < 1e-12 * whole);
    assert_int_equal(gradient_add_up(&gradient, GRADIENT_ALL, TENSOR_DOWN_BIAS).tensors, 2);
    gradient_free(&gradient);
    tiny_model_free(&tiny);
    tiny = tiny_model_make(TIED);
    gradient = must_measure(tiny.model, &material, 0, 1);
    for (size_t t = 0; t < gradient.count; t++) assert_int_not_equal(gradient.tensors[t].role, TENSOR_HEAD);
    gradient_free(&gradient);
    tiny_model_free(&tiny);
}

/* N counts tokens of samples that teach nothing; they add nothing else. */
static void samples_without_an_advantage_are_counted_only(void **state) {
    (void)state;
    Material material, fewer;
    make_material(&material);
    make_material(&fewer);
    fewer.rows[2] = fewer.rows[ROWS - 1];
    fewer.advantages[2] = fewer.advantages[ROWS - 1];
    fewer.samples.count = ROWS - 1;
    TinyModel tiny = tiny_model_make(TIED);
    Gradient with = must_measure(tiny.model, &material, 0, 1),
             without = must_measure(tiny.model, &fewer, 0, 1);
    double more = (double)with.tokens / (double)without.tokens;
    assert_int_equal(with.tokens - without.tokens, TOKENS - 2 - PROMPT);
    for (size_t i = 0; i < with.count; i++)
        assert_true(fabs(with.tensors[i].norm * more - without.tensors[i].norm) <
                    1e-5 * without.tensors[i].norm);
    gradient_free(&with);
    gradient_free(&without);
    tiny_model_free(&tiny);
}

/* ---- sums ---- */

static void both_forms_of_a_sum_are_one_figure(void **state) {
    (void)state;
    static const size_t SIZES[][3] = {{1, 1, 1},      {5, 7, 3},     {64, 10, 20},
                                      {65, 130, 520}, {700, 30, 40}, {200, 600, 20}};
    for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
        size_t tokens = SIZES[s][0], rows = SIZES[s][1], columns = SIZES[s][2];
        float *gradients = memory_allocate(tokens * rows, sizeof(float)),
              *inputs = memory_allocate(tokens * columns, sizeof(float));
        assert_true(gradients != NULL && inputs != NULL);
        for (size_t i = 0; i < tokens * rows; i++) gradients[i] = (float)(random_uniform(1, i) - 0.5);
        for (size_t i = 0; i < tokens * columns; i++) inputs[i] = (float)(random_uniform(2, i) - 0.5);
        const BackwardFlow flow = {
            .tokens = tokens, .rows = rows, .columns = columns, .inputs = inputs, .gradients = gradients};
        double plain = 0.0, panels, pairs;
        for (size_t r = 0; r < rows; r++) {
            for (size_t c = 0; c < columns; c++) {
                double sum = 0.0;
                for (size_t t = 0; t < tokens; t++)
                    sum += (double)gradients[t * rows + r] * (double)inputs[t * columns + c];
                plain += sum * sum;
            }
        }
        Job *job;
        GradientSums *sums;
        const Pair none = {0};
        assert_int_equal(job_create(2, NULL, NULL, &job, NULL), STATUS_OK);
        assert_int_equal(gradient_sums_create(&none, job, &sums, NULL), STATUS_OK);
        assert_int_equal(gradient_sums_square(sums, &flow, GRADIENT_PANELS, &panels, NULL), STATUS_OK);
        assert_int_equal(gradient_sums_square(sums, &flow, GRADIENT_PAIRS, &pairs, NULL), STATUS_OK);
        if (fabs(panels - plain) > 1e-5 * plain || fabs(pairs - plain) > 1e-5 * plain)
            fail_msg("%zu tokens, %zu by %zu: %g by panels, %g by pairs, %g", tokens, rows, columns, panels,
                     pairs, plain);
        gradient_sums_free(sums);
        job_free(job);
        free(gradients);
        free(inputs);
    }
    assert_int_equal(gradient_form_choose(10, 1000, 1000), GRADIENT_PAIRS);
    assert_int_equal(gradient_form_choose(100000, 1000, 1000), GRADIENT_PANELS);
}

/* ---- refusals ---- */

/* The last number of the SFT model's file is of one of its tensors. */
static void spoil_sft(void) {
    char *path = scratch_path("sft/model.safetensors");
    FILE *file = fopen(path, "r+");
    const float spoiled = NAN;
    assert_non_null(file);
    assert_int_equal(fseek(file, -(long)sizeof spoiled, SEEK_END), 0);
    assert_int_equal(fwrite(&spoiled, sizeof spoiled, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static void what_is_not_a_number_is_named(void **state) {
    (void)state;
    Material material;
    Gradient gradient;
    Error error = {0};
    make_material(&material);
    TinyModel tiny = tiny_model_make(TIED);
    const char *last = NULL;
    const void *most = NULL;
    spoil_sft();
    for (size_t i = 0; i < tiny.pair->count; i++) {
        if ((const char *)tiny.pair->tensors[i].sft->data < (const char *)most) continue;
        most = tiny.pair->tensors[i].sft->data;
        last = tiny.pair->tensors[i].name;
    }
    assert_int_equal(measure(tiny.model, &material, 0, 1, &gradient, &error), STATUS_FORMAT);
    if (strstr(error.message, "expected weights that are numbers") == NULL ||
        strncmp(error.message, last, strlen(last)) != 0)
        fail_msg("%s: %s", last, error.message);
    assert_null(gradient.tensors);
    tiny_model_free(&tiny);
}

static void what_does_not_fit_is_refused_with_numbers(void **state) {
    (void)state;
    Material material;
    Gradient gradient;
    Error error = {0};
    make_material(&material);
    TinyModel tiny = tiny_model_make(TIED);
    limit = 1000;
    assert_int_equal(measure(tiny.model, &material, 0, 1, &gradient, &error), STATUS_UNSUPPORTED);
    limit = UINT64_C(1) << 40;
    assert_non_null(strstr(error.message, "samples of mixed groups: "));
    assert_non_null(strstr(error.message, " 0 tokens fit"));
    tiny_model_free(&tiny);
}

static void cancel_at_once(void *user, JobProgress progress) {
    (void)progress;
    job_cancel(*(Job **)user);
}

static void a_cancelled_job_leaves_nothing(void **state) {
    (void)state;
    Material material;
    Gradient gradient;
    Job *job;
    Settings settings = settings_at(0.3);
    make_material(&material);
    TinyModel tiny = tiny_model_make(TIED);
    assert_int_equal(job_create(2, cancel_at_once, &job, &job, NULL), STATUS_OK);
    assert_int_equal(gradient_measure(tiny.model, &settings, &material.samples, material.advantages, 0,
                                      &gradient, job, NULL),
                     STATUS_CANCELLED);
    assert_null(gradient.tensors);
    job_free(job);
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_groups_nor_threads_matter),
        cmocka_unit_test(a_prompt_that_samples_share_counts_for_each),
        cmocka_unit_test(long_answers_to_one_prompt_are_as_each_alone),
        cmocka_unit_test(shared_tokens_go_through_once_a_group),
        cmocka_unit_test(what_is_kept_changes_nothing),
        cmocka_unit_test(every_tensor_is_there_once),
        cmocka_unit_test(samples_without_an_advantage_are_counted_only),
        cmocka_unit_test(both_forms_of_a_sum_are_one_figure),
        cmocka_unit_test(what_is_not_a_number_is_named),
        cmocka_unit_test(what_does_not_fit_is_refused_with_numbers),
        cmocka_unit_test(a_cancelled_job_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
