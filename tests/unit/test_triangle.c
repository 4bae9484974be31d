/* The plane through three checkpoints, on tiny models: its corners are the three, and what has no plane is refused. */
#include "core/evaluation/evaluation_loss.h"
#include "core/readiness/landscape.h"
#include "tiny_model.h"

static const char CONFIG[] = "{\"model_type\":\"qwen3\"," TINY_SIZES("2") "}";
static const char TIED[] = "{\"model_type\":\"qwen3\",\"tie_word_embeddings\":true," TINY_SIZES("2") "}";
static const char DEEPER[] = "{\"model_type\":\"qwen3\"," TINY_SIZES("3") "}";

enum { ROW_TOKENS = 11 };

/* The loss of some settings of a model, on one row. */
static double loss_of(const Model *model, const Settings *settings) {
    int32_t ids[ROW_TOKENS];
    tiny_ids(ids, ROW_TOKENS, 9);
    const EvaluationRow row = {.ids = ids, .count = ROW_TOKENS, .first = 0, .end = ROW_TOKENS - 1};
    Evaluation *evaluation;
    Error error = {0};
    double loss = NAN;
    if (evaluation_create(model, &row, 1, 0, &evaluation, &error) != STATUS_OK ||
        evaluation_loss_measure(evaluation, settings, 1, &loss, "line", NULL, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    evaluation_free(evaluation);
    return loss;
}

static Status open_third(const TinyModel *tiny, const char *name, Triangle **triangle, Error *error) {
    char *third = scratch_path(name);
    Status status = triangle_open(tiny->model, third, triangle, NULL, error);
    free(third);
    return status;
}

static double loss_at(const Triangle *triangle, double x, double y) {
    Shift shift;
    const Settings settings = triangle_point(triangle, x, y, &shift);
    return loss_of(triangle->model, &settings);
}

static void the_corners_of_the_plane_are_the_three(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    tiny_write_side("third", CONFIG, 3);
    Triangle *triangle;
    Error error = {0};
    if (open_third(&tiny, "third", &triangle, &error) != STATUS_OK) fail_msg("%s", error.message);
    const Settings base = settings_at(0.0), sft = settings_at(1.0);
    char *own_base = scratch_path("base"), *own_third = scratch_path("third");
    TinyModel other;
    assert_int_equal(pair_open(own_base, own_third, &other.pair, &error), STATUS_OK);
    assert_int_equal(model_open(other.pair, &other.model, &error), STATUS_OK);
    double third = loss_of(other.model, &sft);
    assert_true(loss_at(triangle, 0.0, 0.0) == loss_of(tiny.model, &base));
    assert_true(loss_at(triangle, 1.0, 0.0) == loss_of(tiny.model, &sft));
    assert_true(fabs(loss_at(triangle, triangle->x, triangle->y) - third) < 1e-5 * third);
    assert_true(fabs(loss_at(triangle, 0.5, 0.5) - third) > 1e-3); /* and elsewhere it is another */
    /* three models drawn alike: two sides of the same length, at 60 degrees */
    assert_true(fabs(triangle->x - 0.5) < 0.05 && fabs(triangle->y - sqrt(0.75)) < 0.05);
    /* the plane of the landscape is made of these points */
    const double steps[] = {0.0, 1.0};
    double losses[4];
    int32_t ids[ROW_TOKENS];
    tiny_ids(ids, ROW_TOKENS, 9);
    const EvaluationRow row = {.ids = ids, .count = ROW_TOKENS, .first = 0, .end = ROW_TOKENS - 1};
    Evaluation *evaluation;
    assert_int_equal(evaluation_create(tiny.model, &row, 1, 0, &evaluation, &error), STATUS_OK);
    assert_int_equal(landscape_measure_triangle(evaluation, triangle, steps, 2, losses, NULL, &error),
                     STATUS_OK);
    assert_true(fabs(losses[1] - loss_of(tiny.model, &sft)) < 1e-5);
    assert_true(fabs(losses[2] - loss_at(triangle, 0.0, 1.0)) < 1e-5);
    evaluation_free(evaluation);
    triangle_free(triangle);
    tiny_model_free(&other);
    tiny_model_free(&tiny);
    free(own_base);
    free(own_third);
}

static void what_spans_no_plane_is_refused(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    static const char *const ON_THE_LINE[] = {"base", "sft"};
    Triangle *triangle;
    Error error = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(open_third(&tiny, ON_THE_LINE[i], &triangle, &error), STATUS_ARGUMENT);
        assert_null(triangle);
        assert_non_null(strstr(error.message, "on the line"));
    }
    assert_int_not_equal(open_third(&tiny, "nowhere", &triangle, &error), STATUS_OK);
    assert_null(triangle);
    tiny_write_side("third", DEEPER, 3);
    assert_int_equal(open_third(&tiny, "third", &triangle, &error), STATUS_MISMATCH);
    tiny_model_free(&tiny);
}

/* A tied third's head is its embedding; the other way round W has no head to go towards one. */
static void a_third_with_a_head_of_its_own_does_not_fit_a_tied_model(void **state) {
    (void)state;
    TinyModel untied = tiny_model_make(CONFIG);
    tiny_write_side("third", TIED, 3);
    Triangle *with_copy;
    if (open_third(&untied, "third", &with_copy, NULL) != STATUS_OK) fail_msg("a tied third was refused");
    size_t head = (size_t)(untied.model->whole.tensors[TENSOR_HEAD] - untied.pair->tensors);
    size_t embedding = (size_t)(untied.model->whole.tensors[TENSOR_EMBEDDING] - untied.pair->tensors);
    assert_ptr_equal(with_copy->third[head]->data, with_copy->third[embedding]->data);
    triangle_free(with_copy);
    tiny_model_free(&untied);
    TinyModel tiny = tiny_model_make(TIED);
    tiny_write_side("third", CONFIG, 3);
    Triangle *triangle;
    Error error = {0};
    assert_int_equal(open_third(&tiny, "third", &triangle, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "one of its own"));
    tiny_write_side("third", TIED, 3);
    if (open_third(&tiny, "third", &triangle, &error) != STATUS_OK) fail_msg("%s", error.message);
    triangle_free(triangle);
    tiny_model_free(&tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_corners_of_the_plane_are_the_three),
        cmocka_unit_test(what_spans_no_plane_is_refused),
        cmocka_unit_test(a_third_with_a_head_of_its_own_does_not_fit_a_tied_model),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
