/*
 * Adapters against the programs that merge them: PEFT 0.21.2 (torch 2.15.0, transformers 5.24.0) and mlx_lm 0.32.2.
 *
 * golden/adapters/NAME is an adapter on golden/adapters/bases/BASE; golden.json has every tensor of the merged model. The SFT
 * side that pair_open() makes of both must have the same names, types, shapes and bytes. Where the other program's sums
 * are its processor's own (norms of DoRA, ranks that MKL cuts, MLX), each element is within 4e-7 of the tensor's
 * largest; what was seen is beside the name.
 */
#include "core/checkpoint/adapter_settings.h"
#include "core/checkpoint/pair.h"
#include "core/checkpoint/tensor_change.h"
#include "core/checkpoint/tensor_values.h"
#include "core/drift/drift.h"
#include "core/drift/drift_table.h"
#include "core/export/export.h"
#include "core/export/verify.h"
#include "core/files/hash.h"
#include "core/fusion/blend.h"
#include "core/support/job.h"
#include "tests/golden/golden.h"
#include "tests/scratch.h"

#include <math.h>
#include <string.h>

static const double BOUND = 4e-7;

static const struct {
    const char *name;
    bool is_near; /* what was seen */
} ADAPTERS[] = {
    {"lora", false},
    {"lora-pickle", false}, /* as PEFT wrote it before safetensors */
    {"lora-bf16", false},
    {"lora-f16", false},
    {"rslora-patterns", false},
    {"embedding", false},
    {"embedding-bf16", false},
    {"embedding-tied", false}, /* as PEFT computes before it merges, which adds twice (make.py) */
    {"whole", false},
    {"whole-embedding-tied", false},
    {"whole-head-tied", false},
    {"tokens", false},
    {"tokens-bf16", false},
    {"bias", false},
    {"vocabulary", false},
    {"conv1d", false},
    {"experts", false},
    {"experts-bf16", false},
    {"experts-renamed", false},
    {"experts-transposed", false},
    {"mlx-full", false},
    {"dora", true},           /* 1.3e-7 */
    {"dora-conv1d", true},    /* 9.2e-8 */
    {"dora-embedding", true}, /* 7.6e-8 */
    {"rank-200", true},       /* 4.1e-8 */
    {"mlx", true},            /* 9.5e-8 */
    {"mlx-dora", true},       /* 1.7e-7 */
    {"mlx-embedding", true},  /* 1.0e-7 */
    {"mlx-experts", true},    /* 1.1e-7 */
};

enum { ADAPTER_COUNT = sizeof ADAPTERS / sizeof *ADAPTERS };

static Pair *open_adapter(const char *name) {
    cJSON *golden = golden_read_json("golden/adapters/%s/%s", name, "golden.json");
    char *base = golden_path("golden/adapters/bases/%s%s", json_get_text(golden, "base", ""), "");
    char *sft = golden_path("golden/adapters/%s%s", name, "");
    Pair *pair;
    Error error = {0};
    if (pair_open(base, sft, &pair, &error) != STATUS_OK) fail_msg("%s: %s", name, error.message);
    if (pair_check(pair, &error) != STATUS_OK) fail_msg("%s: %s", name, error.message);
    free(base);
    free(sft);
    cJSON_Delete(golden);
    return pair;
}

static DType dtype_of(const char *torch) {
    for (int d = 0; d < DTYPE_COUNT; d++) {
        const char *name = dtype_torch_name((DType)d);
        if (name != NULL && strcmp(name, torch) == 0) return (DType)d;
    }
    return DTYPE_UNKNOWN;
}

/* ---- each tensor ---- */

static unsigned char *write_tensor(const Tensor *tensor) {
    const Blend blend = {.sft = tensor, .a = 1.0};
    unsigned char *bytes = memory_allocate(tensor->bytes, 1);
    float *room = memory_allocate(blend_scratch(&blend, tensor->rows), sizeof *room);
    assert_true(bytes != NULL && room != NULL);
    blend_rows_as(&blend, 0, tensor->rows, tensor->dtype, bytes, room);
    free(room);
    return bytes;
}

static void must_equal(const char *name, const Tensor *tensor, const char *expected) {
    char sum[HASH_HEX_SIZE];
    unsigned char *bytes = write_tensor(tensor);
    assert_int_equal(hash_bytes(bytes, tensor->bytes, sum, NULL), STATUS_OK);
    if (strcmp(sum, expected) != 0) fail_msg("%s: %s is not what was merged", name, tensor->name);
    free(bytes);
}

static double must_be_near(const char *name, const Tensor *tensor, const Checkpoint *merged) {
    const Tensor *wanted = checkpoint_find_tensor(merged, tensor->name);
    if (wanted == NULL) { /* what the adapter does not change */
        assert_null(tensor->change);
        return 0.0;
    }
    double most = 0.0, worst = 0.0;
    for (uint64_t i = 0; i < tensor->rows * tensor->columns; i++) {
        double value = (double)tensor_values_at(wanted, i);
        most = fmax(most, fabs(value));
        worst = fmax(worst, fabs((double)tensor_values_at(tensor, i) - value));
    }
    if (!(worst <= BOUND * most)) fail_msg("%s: %s is %g of %g away", name, tensor->name, worst, most);
    return worst / most;
}

static double compare(const char *name, const cJSON *golden, const Pair *pair, const Checkpoint *merged) {
    const cJSON *tensors = json_find(golden, "tensors"), *item;
    double worst = 0.0;
    assert_int_equal(pair->sft->tensor_count, cJSON_GetArraySize(tensors));
    cJSON_ArrayForEach(item, tensors) {
        const Tensor *tensor = checkpoint_find_tensor(pair->sft, item->string);
        const cJSON *shape = json_find(item, "shape");
        if (tensor == NULL) fail_msg("%s: %s is not there", name, item->string);
        assert_int_equal(tensor->dtype, dtype_of(json_get_text(item, "dtype", "")));
        assert_int_equal(tensor->rank, cJSON_GetArraySize(shape));
        for (unsigned d = 0; d < tensor->rank; d++)
            assert_int_equal(tensor->shape[d], cJSON_GetArrayItem(shape, (int)d)->valueint);
        if (merged == NULL)
            must_equal(name, tensor, json_get_text(item, "sha256", ""));
        else
            worst = fmax(worst, must_be_near(name, tensor, merged));
    }
    return worst;
}

/* merged.safetensors, as a model of its own. */
static Checkpoint *open_merged(const char *name) {
    char *path = golden_path("golden/adapters/%s/merged%s", name, "");
    Checkpoint *merged;
    Error error = {0};
    if (checkpoint_open(path, &merged, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    return merged;
}

static void an_adapter_is_what_its_program_merges(void **state) {
    (void)state;
    for (size_t i = 0; i < ADAPTER_COUNT; i++) {
        const char *name = ADAPTERS[i].name;
        cJSON *golden = golden_read_json("golden/adapters/%s/%s", name, "golden.json");
        Pair *pair = open_adapter(name);
        Checkpoint *merged = ADAPTERS[i].is_near ? open_merged(name) : NULL;
        double worst = compare(name, golden, pair, merged);
        if (merged != NULL) print_message("%-16s %.2g of the largest\n", name, worst);
        checkpoint_close(merged);
        pair_close(pair);
        cJSON_Delete(golden);
    }
}

/* ---- however it is read ---- */

static void must_be_the_same_in_pieces(const Tensor *tensor) {
    uint64_t elements = tensor->rows * tensor->columns;
    float *whole = memory_allocate(elements, sizeof *whole),
          *piece = memory_allocate(elements, sizeof *piece);
    assert_true(whole != NULL && piece != NULL);
    for (uint64_t i = 0; i < elements; i++) whole[i] = tensor_values_at(tensor, i);
    for (size_t step = 1; step <= elements; step = step * 2 + 1) {
        for (uint64_t at = 0; at < elements; at += step) {
            size_t count = elements - at < step ? (size_t)(elements - at) : step;
            DType dtype;
            const void *lent = tensor_values_lend(tensor, at, count, piece, &dtype);
            for (size_t k = 0; k < count; k++)
                assert_true(dtype_widen_one(dtype, (const unsigned char *)lent + k * dtype_size(dtype)) ==
                            whole[at + k]);
        }
    }
    free(whole);
    free(piece);
}

/* Where base has it mapped, not where the adapter's own side has. */
static void must_begin_from_base(const Pair *pair, const PairTensor *tensor) {
    const Tensor *start = tensor->sft->change->start, *base = tensor->base;
    bool is_base = start->file < pair->sft->home_files && base->rows == tensor->sft->rows &&
                   tensor_values_are_stored(base);
    uint64_t bytes = start->rows * start->columns * dtype_size(start->dtype);
    if (is_base && memcmp(start->data, base->data, bytes) == 0) assert_ptr_equal(start->data, base->data);
}

enum { CUT = 2 };

/* W = a·S + (1 − a)·B of an element, as the header says. */
static float expect(const Blend *blend, size_t row, size_t column) {
    bool is_reset = (blend->row_ranks != NULL && blend->row_ranks[row] < CUT) ||
                    (blend->column_ranks != NULL && blend->column_ranks[column] < CUT);
    double a = is_reset ? blend->reset_a : blend->a;
    uint64_t at = row * blend->sft->columns + column;
    float s = tensor_values_at(blend->sft, at), b = tensor_values_at(blend->base, at);
    if (a == 0.0 || a == 1.0) return a == 1.0 ? s : b;
    return fmaf((float)(1.0 - a), b, fmaf((float)a, s, 0.0F));
}

static void must_be_blended(const Blend *blend) {
    size_t rows = blend->sft->rows, columns = blend->sft->columns;
    float *window = memory_allocate(rows * columns, sizeof *window), *x = memory_allocate(columns, sizeof *x);
    float *y = memory_allocate(rows, sizeof *y);
    assert_true(window != NULL && x != NULL && y != NULL);
    for (size_t c = 0; c < columns; c++) x[c] = (float)(c % 5) - 1.5F;
    for (size_t first = 0; first < columns; first += 7) {
        size_t count = columns - first < 7 ? columns - first : 7;
        blend_window(blend, 1, rows - 1, first, count, window, count);
        for (size_t r = 1; r < rows; r++)
            for (size_t c = 0; c < count; c++)
                assert_true(window[(r - 1) * count + c] == expect(blend, r, first + c));
    }
    blend_multiply_vector(blend, 0, rows, x, y);
    for (size_t r = 0; r < rows; r++) {
        double sum = 0.0;
        for (size_t c = 0; c < columns; c++) sum += (double)expect(blend, r, c) * (double)x[c];
        assert_true(fabs((double)y[r] - sum) < 1e-5);
    }
    free(window);
    free(x);
    free(y);
}

static void must_be_blended_at_each_dial(const PairTensor *tensor) {
    static const double ALPHAS[] = {0.0, 0.3, 1.0};
    uint32_t ranks[4096];
    for (uint32_t i = 0; i < 4096; i++) ranks[i] = i % 3 + 1;
    assert_true(tensor->sft->rows <= 4096 && tensor->sft->columns <= 4096);
    for (size_t i = 0; i < 3; i++) {
        Blend blend = {.sft = tensor->sft, .base = tensor->base, .a = ALPHAS[i], .cut = CUT};
        must_be_blended(&blend);
        blend.row_ranks = ranks;
        must_be_blended(&blend);
        blend.reset_a = 0.1;
        must_be_blended(&blend);
        blend.row_ranks = NULL;
        blend.column_ranks = ranks;
        must_be_blended(&blend);
        blend.reset_a = 0.0;
        must_be_blended(&blend);
    }
}

static void a_value_is_the_same_however_it_is_read(void **state) {
    (void)state;
    for (size_t i = 0; i < ADAPTER_COUNT; i++) {
        Pair *pair = open_adapter(ADAPTERS[i].name);
        size_t changed = 0;
        for (size_t t = 0; t < pair->count; t++) {
            const PairTensor *tensor = &pair->tensors[t];
            if (tensor->sft->change == NULL) continue;
            changed++;
            must_begin_from_base(pair, tensor);
            must_be_the_same_in_pieces(tensor->sft);
            if (tensor->base->rows == tensor->sft->rows) must_be_blended_at_each_dial(tensor);
        }
        assert_true(changed > 0 || strcmp(ADAPTERS[i].name, "mlx-full") == 0);
        pair_close(pair);
    }
}

/* ---- measured ---- */

static void profile_must_be_its_elements(const PairTensor *tensor, Job *job) {
    DriftProfile profile;
    Error error = {0};
    if (drift_profile(tensor, &profile, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    double *columns = memory_allocate(profile.columns, sizeof *columns);
    assert_non_null(columns);
    for (uint64_t r = 0; r < profile.rows; r++) {
        double row = 0.0;
        for (uint64_t c = 0; c < profile.columns; c++) {
            uint64_t at = r * profile.columns + c;
            double difference =
                (double)tensor_values_at(tensor->sft, at) - (double)tensor_values_at(tensor->base, at);
            row += difference * difference;
            columns[c] += difference * difference;
        }
        assert_true(fabs(profile.row_difference[r] - sqrt(row)) <= 1e-12 * sqrt(row));
    }
    for (uint64_t c = 0; c < profile.columns; c++)
        assert_true(fabs(profile.column_difference[c] - sqrt(columns[c])) <= 1e-12 * sqrt(columns[c]));
    free(columns);
    drift_profile_free(&profile);
}

/* What analyses are lent may lie in their own scratch, in the adapter's base's type. */
static void drift_of_an_adapter_is_that_of_its_values(void **state) {
    (void)state;
    Job *job;
    assert_int_equal(job_create(1, NULL, NULL, &job, NULL), STATUS_OK);
    for (size_t i = 0; i < ADAPTER_COUNT; i++) {
        Pair *pair = open_adapter(ADAPTERS[i].name);
        DriftTable *table = NULL;
        assert_int_equal(drift_table_create(pair, &table, NULL), STATUS_OK);
        assert_int_equal(drift_scan(pair, table, job, NULL), STATUS_OK);
        for (size_t t = 0; t < pair->count; t++) {
            const PairTensor *tensor = &pair->tensors[t];
            DriftRow row;
            double squares = 0.0;
            if (tensor->sft->change == NULL || tensor->base->rows != tensor->sft->rows) continue;
            profile_must_be_its_elements(tensor, job);
            for (uint64_t e = 0; e < tensor->sft->rows * tensor->sft->columns; e++) {
                double difference =
                    (double)tensor_values_at(tensor->sft, e) - (double)tensor_values_at(tensor->base, e);
                squares += difference * difference;
            }
            assert_true(drift_table_row(table, t, &row));
            assert_true(fabs(row.difference_squares - squares) <= 1e-12 * squares);
        }
        drift_table_free(table);
        pair_close(pair);
    }
    job_free(job);
}

/* ---- written ---- */

static void copy_golden(const char *from, const char *to) {
    char *command = memory_format("cp -R '%s/golden/adapters/%s' '%s'", TESTS_DIR, from, scratch_path(to));
    assert_non_null(command);
    assert_int_equal(system(command), 0);
    free(command);
}

static void write_export(void) {
    Pair *pair;
    ExportPlan *plan = NULL;
    Error error = {0};
    const ExportOptions options = {.settings = {.alpha = 0.5}, .directory = scratch_path("out")};
    if (pair_open(scratch_path("base"), scratch_path("adapter"), &pair, &error) != STATUS_OK ||
        export_plan(pair, &options, &plan, &error) != STATUS_OK ||
        export_run(plan, NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    export_plan_free(plan);
    pair_close(pair);
}

static bool has_file(const char *name) {
    return access(scratch_path(name), F_OK) == 0;
}

/* A whole model, whose recipe knows the adapter by both of its files; of two tokenizers nothing is mixed. */
static void an_export_of_an_adapter_is_a_model_that_its_recipe_makes_again(void **state) {
    (void)state;
    VerifyResult *result;
    Error error = {0};
    copy_golden("bases/llama-bf16", "base");
    copy_golden("lora-bf16", "adapter");
    scratch_write_text("base/tokenizer.json", "{\"of\": \"base\"}");
    scratch_write_text("base/vocab.json", "{\"of\": \"base\"}");
    scratch_write_text("base/generation_config.json", "{}");
    scratch_write_text("adapter/tokenizer.json", "{\"of\": \"the adapter\"}");
    write_export();
    size_t size;
    char *tokenizer = scratch_read("out/tokenizer.json", &size);
    assert_string_equal(tokenizer, "{\"of\": \"the adapter\"}");
    free(tokenizer);
    assert_true(has_file("out/generation_config.json") && has_file("out/config.json"));
    assert_false(has_file("out/vocab.json") || has_file("out/adapter_config.json"));
    if (verify_export(scratch_path("out"), &(VerifyOptions){0}, NULL, &result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_true(result->has_inputs);
    assert_int_equal(result->input_files_equal, 3);
    assert_int_equal(result->tensors_blended, result->tensors);
    assert_string_equal(result->recipe->sft.files.list[0].name, ADAPTER_SETTINGS_FILE);
    verify_result_free(result);
    /* another α of the adapter's is another input */
    char *settings = scratch_read("adapter/adapter_config.json", &size),
         *alpha = strstr(settings, "\"lora_alpha\": 3");
    assert_non_null(alpha);
    alpha[strlen("\"lora_alpha\": ")] = '4';
    scratch_write_text("adapter/adapter_config.json", settings);
    free(settings);
    if (verify_export(scratch_path("out"), &(VerifyOptions){0}, NULL, &result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_false(result->has_inputs);
    verify_result_free(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_adapter_is_what_its_program_merges),
        cmocka_unit_test(a_value_is_the_same_however_it_is_read),
        cmocka_unit_test(drift_of_an_adapter_is_that_of_its_values),
        cmocka_unit_test(an_export_of_an_adapter_is_a_model_that_its_recipe_makes_again),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
