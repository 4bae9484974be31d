/*
 * Mixtures of experts and latent attention: the logits of base and of its even fusion with SFT, as transformers computes
 * them in float64 (make_experts.py), all positions at once, token by token through the KV cache, in uneven pieces, behind
 * another text in one cache, and in places of their own.
 *
 * Tolerance: 5e-6 of the logits' range. Observed: printed for each pair, at most 9e-7.
 */
#include "core/transformer/forward.h"
#include "golden.h"

#include <dirent.h>
#include <math.h>
#include <string.h>

static const double TOLERANCE = 5e-6;

typedef struct Fixture {
    Pair *pair;
    Model *model;
    cJSON *golden;
    int32_t *ids;
    size_t tokens, vocabulary;
} Fixture;

static void load(Fixture *fixture, const char *name) {
    char *base = golden_path("golden/experts/%s/%s", name, "base"),
         *sft = golden_path("golden/experts/%s/%s", name, "sft");
    Error error = {0};
    if (pair_open(base, sft, &fixture->pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    if (model_open(fixture->pair, &fixture->model, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base);
    free(sft);
    fixture->golden = golden_read_json("golden/experts/%s/%s", name, "golden.json");
    fixture->ids = golden_read_ids(json_find(fixture->golden, "ids"), &fixture->tokens);
    fixture->vocabulary = forward_vocabulary(fixture->model);
}

static void unload(Fixture *fixture) {
    model_close(fixture->model);
    pair_close(fixture->pair);
    cJSON_Delete(fixture->golden);
    free(fixture->ids);
}

typedef enum Way { WAY_WHOLE, WAY_SINGLE, WAY_PIECES, WAY_BEHIND, WAY_PLACES, WAY_COUNT } Way;

/* What a call puts in, of the text from `at` on: behind itself a second time, or at places that leave gaps. */
typedef struct Call {
    int32_t ids[64];
    size_t starts[64], count, read; /* read: the first whose logits count */
    ForwardPlace places[64];
} Call;

static Call make_call(const Fixture *fixture, Way way, size_t at) {
    static const size_t PIECES[WAY_COUNT] = {
        [WAY_WHOLE] = 64, [WAY_SINGLE] = 1, [WAY_PIECES] = 7, [WAY_BEHIND] = 64, [WAY_PLACES] = 64};
    Call call = {.count = fixture->tokens - at < PIECES[way] ? fixture->tokens - at : PIECES[way]};
    memcpy(call.ids, fixture->ids + at, call.count * sizeof *call.ids);
    for (size_t i = 0; i < call.count; i++) call.places[i] = (ForwardPlace){.cell = 5 + i, .first = 5};
    if (way != WAY_BEHIND) return call;
    for (size_t i = 0; i < call.count; i++) {
        call.ids[call.count + i] = call.ids[i];
        call.starts[call.count + i] = call.count;
    }
    call.read = call.count;
    call.count *= 2;
    return call;
}

/* The largest error relative to the range. */
static double run(const Fixture *fixture, const char *name, bool is_base, Way way, unsigned threads) {
    Error error = {0};
    Job *job;
    MatmulScratch *scratch;
    ForwardState *state;
    const Settings settings = {.alpha = is_base ? 0.0 : 0.5, .omega = 1.0};
    size_t bytes, row = fixture->vocabulary;
    char file[32];
    (void)snprintf(file, sizeof file, "%s.f32", is_base ? "base" : "fused");
    float *expected = golden_read_bytes("golden/experts/%s/%s", name, file, &bytes);
    assert_int_equal(bytes, fixture->tokens * row * sizeof *expected);
    assert_int_equal(job_create(threads, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(matmul_create_scratch(threads, &scratch, &error), STATUS_OK);
    assert_int_equal(forward_create_state(fixture->model, &settings, 64, &state, &error), STATUS_OK);
    float *logits = memory_allocate(64 * row, sizeof *logits);
    assert_non_null(logits);
    double worst = 0.0;
    for (size_t at = 0; at < fixture->tokens;) {
        const Call call = make_call(fixture, way, at);
        ForwardInput input = {.ids = call.ids,
                              .starts = way == WAY_BEHIND ? call.starts : NULL,
                              .places = way == WAY_PLACES ? call.places : NULL,
                              .count = call.count};
        if (forward_run(&state, 1, &input, scratch, job, &error) != STATUS_OK) fail_msg("%s", error.message);
        ForwardHead head = {&settings, forward_hidden(state), logits};
        if (forward_logits(fixture->model, &head, 1, call.count, scratch, job, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        for (size_t i = call.read * row; i < call.count * row; i++)
            worst = fmax(worst, fabs((double)logits[i] - (double)expected[at * row + i - call.read * row]));
        at += call.count - call.read;
    }
    free(logits);
    free(expected);
    forward_free_state(state);
    matmul_free_scratch(scratch);
    job_free(job);
    return worst / json_get_number(json_find(fixture->golden, is_base ? "base" : "fused"), "range", NAN);
}

static void check_pair(const char *name) {
    Fixture fixture = {0};
    load(&fixture, name);
    for (int is_base = 0; is_base < 2; is_base++) {
        double errors[WAY_COUNT];
        for (int way = 0; way < WAY_COUNT; way++)
            errors[way] = run(&fixture, name, is_base != 0, (Way)way, way % 2 == 0 ? 2 : 1);
        print_message(
            "%-18s %-5s whole %.1e  token by token %.1e  pieces of 7 %.1e  behind another %.1e  in places %.1e\n",
            name, is_base ? "base" : "fused", errors[0], errors[1], errors[2], errors[3], errors[4]);
        for (int way = 0; way < WAY_COUNT; way++) assert_true(errors[way] < TOLERANCE);
    }
    unload(&fixture);
}

static void logits_equal_transformers_for_every_pair(void **unused) {
    (void)unused;
    char *path = golden_path("golden/%s%s", "experts", "");
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), pairs = 0;
    free(path);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            check_pair(entries[i]->d_name);
            pairs++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(pairs >= 9);
}

/* ---- the router's choice ---- */

typedef struct Seen {
    size_t counts[8], chosen, layer;
    float sums[64];
    size_t tokens;
} Seen;

static void see(void *user, const ForwardMoment *moment) {
    Seen *seen = user;
    if (moment->layer != seen->layer) return;
    if (moment->site == FORWARD_CHOSEN) {
        seen->chosen = moment->width;
        for (size_t i = 0; i < moment->tokens * moment->width; i++) seen->counts[(size_t)moment->values[i]]++;
    }
    for (size_t i = 0; moment->site == FORWARD_WEIGHTS && i < moment->tokens * moment->width; i++) {
        seen->sums[moment->first + i / moment->width] += moment->values[i];
        seen->tokens = moment->first + moment->tokens;
    }
}

static void the_observer_sees_where_tokens_go(void **unused) {
    (void)unused;
    Fixture fixture = {0};
    load(&fixture, "qwen3_moe"); /* layer 0 has no experts */
    Error error = {0};
    MatmulScratch *scratch;
    ForwardState *state;
    const Settings settings = {.alpha = 1.0, .omega = 1.0};
    assert_int_equal(matmul_create_scratch(1, &scratch, &error), STATUS_OK);
    assert_int_equal(forward_create_state(fixture.model, &settings, fixture.tokens, &state, &error),
                     STATUS_OK);
    Seen seen = {.layer = 1}, none = {.layer = 0};
    for (int i = 0; i < 2; i++) {
        ForwardInput input = {
            .ids = fixture.ids, .count = fixture.tokens, .observer = see, .user = i == 0 ? &seen : &none};
        forward_rewind(state, 0);
        assert_int_equal(forward_run(&state, 1, &input, scratch, NULL, &error), STATUS_OK);
    }
    size_t total = 0;
    for (size_t e = 0; e < 8; e++) total += seen.counts[e];
    assert_int_equal(seen.chosen, 2);
    assert_int_equal(total, 2 * fixture.tokens); /* every token to two of six */
    assert_int_equal(seen.counts[6] + seen.counts[7], 0);
    assert_int_equal(seen.tokens, fixture.tokens);
    for (size_t t = 0; t < seen.tokens; t++)
        assert_true(fabsf(seen.sums[t] - 1.0F) < 1e-6F); /* norm_topk_prob */
    assert_int_equal(none.tokens, 0);
    forward_free_state(state);
    matmul_free_scratch(scratch);
    unload(&fixture);
}

/* Several states side by side route each for itself. */
static void states_side_by_side_are_as_each_alone(void **unused) {
    (void)unused;
    Fixture fixture = {0};
    load(&fixture, "deepseek_v3");
    Error error = {0};
    MatmulScratch *scratch;
    ForwardState *states[3], *alone;
    size_t bytes = fixture.tokens * fixture.model->config->hidden_size * sizeof(float);
    assert_int_equal(matmul_create_scratch(1, &scratch, &error), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        const Settings settings = {.alpha = 0.5 * (double)i, .omega = 1.0};
        assert_int_equal(forward_create_state(fixture.model, &settings, fixture.tokens, &states[i], &error),
                         STATUS_OK);
    }
    ForwardInput input = {.ids = fixture.ids, .count = fixture.tokens};
    assert_int_equal(forward_run(states, 3, &input, scratch, NULL, &error), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        const Settings settings = {.alpha = 0.5 * (double)i, .omega = 1.0};
        assert_int_equal(forward_create_state(fixture.model, &settings, fixture.tokens, &alone, &error),
                         STATUS_OK);
        assert_int_equal(forward_run(&alone, 1, &input, scratch, NULL, &error), STATUS_OK);
        assert_memory_equal(forward_hidden(alone), forward_hidden(states[i]), bytes);
        forward_free_state(alone);
        forward_free_state(states[i]);
    }
    matmul_free_scratch(scratch);
    unload(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_equal_transformers_for_every_pair),
        cmocka_unit_test(the_observer_sees_where_tokens_go),
        cmocka_unit_test(states_side_by_side_are_as_each_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
