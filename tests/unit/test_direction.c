/*
 * Random directions and the losses along them, on tiny models: what moves and what does not, what a step of nothing
 * changes, weights that are not numbers, and what a cancellation leaves. Figures are compared with golden ones in
 * golden/test_landscape.c.
 */
#include "core/evaluation/evaluation_loss.h"
#include "core/readiness/landscape.h"
#include "tiny_model.h"

static const char PLAIN[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";
static const char TIED[] = "{\"model_type\":\"qwen3\",\"tie_word_embeddings\":true," TINY_SIZES("2") "}";

enum { ROWS = 5, ROW_TOKENS = 9, HIDDEN = 24, VOCABULARY = 61 };

typedef struct Ground {
    TinyModel tiny;
    Evaluation *evaluation;
    int32_t ids[ROWS][ROW_TOKENS];
} Ground;

/* The rows' second halves are responses; of the last row nothing is. */
static void open_evaluation(Ground *ground) {
    EvaluationRow rows[ROWS];
    Error error = {0};
    for (size_t i = 0; i < ROWS; i++) {
        tiny_ids(ground->ids[i], ROW_TOKENS, 40 + i);
        rows[i] =
            (EvaluationRow){.ids = ground->ids[i], .count = ROW_TOKENS, .first = 3, .end = ROW_TOKENS - 1};
    }
    rows[ROWS - 1].first = rows[ROWS - 1].end = ROW_TOKENS - 1;
    if (evaluation_create(ground->tiny.model, rows, ROWS, 0, &ground->evaluation, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void open_ground(Ground *ground, const char *config) {
    ground->tiny = tiny_model_make(config);
    open_evaluation(ground);
}

static void close_ground(Ground *ground) {
    evaluation_free(ground->evaluation);
    tiny_model_free(&ground->tiny);
}

static Directions *directions_at(const Ground *ground, const Settings *settings) {
    Directions *directions;
    Error error = {0};
    if (direction_measure(ground->tiny.model, settings, &directions, NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return directions;
}

/* ---- what moves ---- */

static void a_matrix_moves_by_its_rows_norms_and_a_vector_does_not(void **state) {
    (void)state;
    Ground ground;
    open_ground(&ground, PLAIN);
    const Pair *pair = ground.tiny.pair;
    Settings settings = settings_at(0.3);
    Directions *directions = directions_at(&ground, &settings);
    const Shift shift = direction_shift(directions, 5, &(DirectionStep){2, 0.1}, 1);
    size_t matrices = 0;
    settings.shift = &shift;
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        const Settings still = settings_at(0.3);
        size_t columns = tensor->sft->columns;
        Blend before = settings_blend(&still, tensor), after = settings_blend(&settings, tensor);
        assert_true((after.steps.sizes != NULL) == (tensor->sft->rank == 2));
        matrices += tensor->sft->rank == 2;
        for (size_t r = 0; r < tensor->sft->rows && tensor->sft->rank == 2; r++) {
            float a[64], b[64];
            double squares = 0.0, moved = 0.0;
            blend_rows(&before, r, 1, a);
            blend_rows(&after, r, 1, b);
            for (size_t c = 0; c < columns; c++) {
                squares += (double)a[c] * (double)a[c];
                moved += ((double)b[c] - (double)a[c]) * ((double)b[c] - (double)a[c]);
            }
            /* a row of the direction is as long as its row of W; the step is a tenth of that */
            assert_true(fabs(sqrt(moved) / (0.1 * sqrt(squares)) - 1.0) < 1e-4);
        }
    }
    assert_int_equal(matrices, 2 + 2 * 7);
    direction_free(directions);
    close_ground(&ground);
}

static void a_tied_head_is_its_embedding_when_it_moves(void **state) {
    (void)state;
    Ground ground;
    open_ground(&ground, TIED);
    const Model *model = ground.tiny.model;
    assert_ptr_equal(model->whole.tensors[TENSOR_HEAD], model->whole.tensors[TENSOR_EMBEDDING]);
    Settings settings = settings_at(0.3);
    Directions *directions = directions_at(&ground, &settings);
    const Shift shift = direction_shift(directions, 5, &(DirectionStep){0, 0.1}, 1);
    settings.shift = &shift;
    Blend blend = settings_blend(&settings, model->whole.tensors[TENSOR_HEAD]);
    assert_int_equal(blend.steps.keys[0], direction_key(5, 0, "model.embed_tokens.weight"));
    direction_free(directions);
    close_ground(&ground);
}

static void directions_and_seeds_differ_and_a_seed_gives_the_same_again(void **state) {
    (void)state;
    assert_int_equal(direction_key(1, 2, "a"), direction_key(1, 2, "a"));
    assert_true(direction_key(1, 2, "a") != direction_key(2, 1, "a"));
    assert_true(direction_key(1, 2, "a") != direction_key(1, 3, "a"));
    assert_true(direction_key(1, 2, "a") != direction_key(1, 2, "b"));
}

static void a_shift_of_another_pair_is_refused(void **state) {
    (void)state;
    Ground ground;
    open_ground(&ground, PLAIN);
    const Pair other = {0};
    const Shift shift = {.pair = &other};
    Settings settings = settings_at(0.5);
    settings.shift = &shift;
    Error error = {0};
    double loss;
    assert_int_equal(evaluation_loss_measure(ground.evaluation, &settings, 1, &loss, "line", NULL, &error),
                     STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "another pair"));
    close_ground(&ground);
}

/* ---- losses ---- */

static void losses_alone_are_those_of_the_whole_evaluation(void **state) {
    (void)state;
    enum { MANY = 37 }; /* more than share a pass */
    Ground ground;
    open_ground(&ground, PLAIN);
    Settings settings[MANY];
    double losses[MANY];
    EvaluationResult base, sft, results[MANY];
    Job *job;
    Error error = {0};
    for (size_t i = 0; i < MANY; i++) settings[i] = settings_at(-0.25 + 1.5 * (double)i / (MANY - 1));
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    if (evaluation_loss_measure(ground.evaluation, settings, MANY, losses, "line", job, &error) !=
            STATUS_OK ||
        evaluation_prepare(ground.evaluation, &base, &sft, job, &error) != STATUS_OK ||
        evaluation_measure(ground.evaluation, settings, MANY, results, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(evaluation_loss_tokens(ground.evaluation), base.averages.response_tokens);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(fabs(losses[i] - results[i].averages.loss) < 1e-6);
        evaluation_free_result(&results[i]);
    }
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    job_free(job);
    close_ground(&ground);
}

static void a_step_of_nothing_leaves_the_loss_to_the_bit(void **state) {
    (void)state;
    Ground ground;
    open_ground(&ground, PLAIN);
    Settings settings[2] = {settings_at(0.4), settings_at(0.4)};
    double losses[2];
    Directions *directions = directions_at(&ground, &settings[0]);
    const Shift shift = direction_shift(directions, 1, (DirectionStep[]){{0, 0.0}, {1, -0.0}}, 2);
    settings[1].shift = &shift;
    assert_int_equal(shift.count, 0);
    assert_int_equal(evaluation_loss_measure(ground.evaluation, settings, 2, losses, "line", NULL, NULL),
                     STATUS_OK);
    assert_true(losses[0] == losses[1]);
    direction_free(directions);
    close_ground(&ground);
}

static void a_plane_has_direction_0_across_and_1_down(void **state) {
    (void)state;
    enum { POINTS = 3 };
    Ground ground;
    open_ground(&ground, PLAIN);
    const Settings settings = settings_at(0.5);
    Directions *directions = directions_at(&ground, &settings);
    const LandscapePlace place = {ground.evaluation, &settings, directions, 3};
    const double steps[POINTS] = {-0.2, 0.0, 0.2};
    double losses[POINTS * POINTS];
    LandscapeSharpness sharpness;
    assert_int_equal(landscape_measure_plane(&place, steps, POINTS, losses, NULL, NULL), STATUS_OK);
    assert_int_equal(landscape_measure_sharpness(&place, 0.2, 2, &sharpness, NULL, NULL), STATUS_OK);
    assert_true(fabs(losses[4] - sharpness.loss) < 1e-6);
    assert_true(fabs(losses[3] - sharpness.minus[0]) < 1e-6 && fabs(losses[5] - sharpness.plus[0]) < 1e-6);
    assert_true(fabs(losses[1] - sharpness.minus[1]) < 1e-6 && fabs(losses[7] - sharpness.plus[1]) < 1e-6);
    assert_true(fabs(losses[3] - losses[1]) > 1e-4); /* they are not one direction */
    double rise = fmax(fmax(losses[1], losses[3]), fmax(losses[5], losses[7])) - losses[4];
    assert_true(fabs(sharpness.worst_rise - rise) < 2e-6);
    /* of two, the standard error is half their distance */
    assert_true(
        fabs(sharpness.curvature_error - fabs(sharpness.curvature[0] - sharpness.curvature[1]) / 2.0) < 1e-9);
    landscape_free_sharpness(&sharpness);
    direction_free(directions);
    close_ground(&ground);
}

/* ---- what is not a number ---- */

/* A ground whose SFT side has `value` as the last weight: of the head's last row. */
static void open_broken(Ground *ground, float value) {
    tiny_write_side("base", PLAIN, 1);
    tiny_write_side("sft", PLAIN, 2);
    char *path = scratch_path("sft/model.safetensors"), *base = scratch_path("base"),
         *sft = scratch_path("sft");
    FILE *file = fopen(path, "r+b");
    Error error = {0};
    assert_non_null(file);
    assert_int_equal(fseek(file, -(long)sizeof value, SEEK_END), 0);
    assert_int_equal(fwrite(&value, sizeof value, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    if (pair_open(base, sft, &ground->tiny.pair, &error) != STATUS_OK ||
        model_open(ground->tiny.pair, &ground->tiny.model, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(path);
    free(base);
    free(sft);
    open_evaluation(ground);
}

static void a_weight_that_is_no_number_shows_in_every_figure_it_is_part_of(void **state) {
    (void)state;
    Ground ground;
    open_broken(&ground, NAN);
    const double alphas[] = {0.0, 0.5, 1.0};
    double losses[3];
    assert_int_equal(landscape_measure_line(ground.evaluation, alphas, 3, losses, NULL, NULL), STATUS_OK);
    assert_true(isfinite(losses[0]) && isnan(losses[1]) && isnan(losses[2]));
    const Settings settings = settings_at(1.0);
    Directions *directions = directions_at(&ground, &settings);
    const LandscapePlace place = {ground.evaluation, &settings, directions, 3};
    LandscapeSharpness sharpness;
    assert_int_equal(landscape_measure_sharpness(&place, 0.1, 2, &sharpness, NULL, NULL), STATUS_OK);
    assert_true(isnan(sharpness.loss) && isnan(sharpness.plus[1]) && isnan(sharpness.mean_rise) &&
                isnan(sharpness.worst_rise) && isnan(sharpness.curvature[0]) &&
                isnan(sharpness.mean_curvature));
    landscape_free_sharpness(&sharpness);
    direction_free(directions);
    close_ground(&ground);
}

static void one_direction_has_no_standard_error(void **state) {
    (void)state;
    Ground ground;
    open_ground(&ground, PLAIN);
    const Settings settings = settings_at(1.0);
    Directions *directions = directions_at(&ground, &settings);
    const LandscapePlace place = {ground.evaluation, &settings, directions, 3};
    LandscapeSharpness sharpness;
    assert_int_equal(landscape_measure_sharpness(&place, 0.1, 1, &sharpness, NULL, NULL), STATUS_OK);
    assert_true(isfinite(sharpness.mean_curvature) && isnan(sharpness.curvature_error));
    landscape_free_sharpness(&sharpness);
    direction_free(directions);
    close_ground(&ground);
}

static void rows_without_a_response_have_no_loss(void **state) {
    (void)state;
    Ground ground = {.tiny = tiny_model_make(PLAIN)};
    int32_t ids[ROW_TOKENS];
    tiny_ids(ids, ROW_TOKENS, 1);
    const EvaluationRow rows[] = {
        {.ids = ids, .count = ROW_TOKENS, .first = ROW_TOKENS - 1, .end = ROW_TOKENS},
        {.ids = ids, .count = ROW_TOKENS, .first = 2, .end = 2}};
    const double alpha = 0.5;
    double loss;
    assert_int_equal(evaluation_create(ground.tiny.model, rows, 2, 0, &ground.evaluation, NULL), STATUS_OK);
    assert_int_equal(evaluation_loss_tokens(ground.evaluation), 0);
    assert_int_equal(landscape_measure_line(ground.evaluation, &alpha, 1, &loss, NULL, NULL), STATUS_OK);
    assert_true(isnan(loss));
    close_ground(&ground);
}

/* ---- stopping ---- */

typedef struct Canceller {
    Job *job;
    const char *stage;
} Canceller;

static void cancel_at(void *user, JobProgress progress) {
    const Canceller *canceller = user;
    if (strcmp(progress.stage, canceller->stage) == 0) job_cancel(canceller->job);
}

static void a_cancelled_landscape_leaves_nothing(void **state) {
    (void)state;
    Ground ground;
    open_ground(&ground, PLAIN);
    const Settings settings = settings_at(0.5);
    Directions *directions = directions_at(&ground, &settings), *none;
    const LandscapePlace place = {ground.evaluation, &settings, directions, 3};
    static const char *const STAGES[] = {"row norms", "sharpness"};
    for (size_t i = 0; i < 2; i++) {
        Canceller canceller = {.stage = STAGES[i]};
        LandscapeSharpness sharpness;
        assert_int_equal(job_create(2, cancel_at, &canceller, &canceller.job, NULL), STATUS_OK);
        if (i == 0) {
            assert_int_equal(direction_measure(ground.tiny.model, &settings, &none, canceller.job, NULL),
                             STATUS_CANCELLED);
            assert_null(none);
        } else {
            assert_int_equal(landscape_measure_sharpness(&place, 0.1, 4, &sharpness, canceller.job, NULL),
                             STATUS_CANCELLED);
            assert_true(sharpness.plus == NULL && sharpness.directions == 0);
        }
        job_free(canceller.job);
    }
    direction_free(directions);
    close_ground(&ground);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_matrix_moves_by_its_rows_norms_and_a_vector_does_not),
        cmocka_unit_test(a_tied_head_is_its_embedding_when_it_moves),
        cmocka_unit_test(directions_and_seeds_differ_and_a_seed_gives_the_same_again),
        cmocka_unit_test(a_shift_of_another_pair_is_refused),
        cmocka_unit_test(losses_alone_are_those_of_the_whole_evaluation),
        cmocka_unit_test(a_step_of_nothing_leaves_the_loss_to_the_bit),
        cmocka_unit_test(a_plane_has_direction_0_across_and_1_down),
        cmocka_unit_test(a_weight_that_is_no_number_shows_in_every_figure_it_is_part_of),
        cmocka_unit_test(one_direction_has_no_standard_error),
        cmocka_unit_test(rows_without_a_response_have_no_loss),
        cmocka_unit_test(a_cancelled_landscape_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
