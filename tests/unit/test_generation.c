/* Choosing tokens, and continuing a text: greedy, sampled, stopped. */
#include "core/evaluation/generation.h"
#include "tiny_model.h"

static const char CONFIG[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";
static const Settings HALF = {.alpha = 0.5};

/* ---- one token ---- */

static int32_t choose(const float *logits, size_t vocabulary, const GenerationOptions *options,
                      uint64_t step) {
    SamplingScratch *scratch;
    assert_int_equal(sampling_create_scratch(vocabulary, &scratch, NULL), STATUS_OK);
    int32_t token =
        sampling_choose(logits, vocabulary, &options->sampling, random_uniform(options->seed, step), scratch);
    sampling_free_scratch(scratch);
    return token;
}

static void greedy_takes_the_largest_and_of_equals_the_lower_id(void **state) {
    (void)state;
    const GenerationOptions greedy = {.sampling = {.temperature = 0.0}, .seed = 7};
    const float one[] = {0.5F, -1.0F, 3.0F, 2.9F}, ties[] = {1.0F, 4.0F, 4.0F, 4.0F}, flat[] = {0, 0, 0, 0};
    for (uint64_t step = 0; step < 10; step++) {
        assert_int_equal(choose(one, 4, &greedy, step), 2);
        assert_int_equal(choose(ties, 4, &greedy, step), 1);
        assert_int_equal(choose(flat, 4, &greedy, step), 0);
    }
    assert_int_equal(choose(one, 1, &greedy, 0), 0);
}

static void the_same_seed_and_step_give_the_same_token(void **state) {
    (void)state;
    const float logits[] = {0, 0, 0, 0, 0, 0, 0, 0};
    size_t differs = 0;
    for (uint64_t step = 0; step < 200; step++) {
        const GenerationOptions one = {.sampling = {.temperature = 1.0}, .seed = 1},
                                two = {.sampling = {.temperature = 1.0}, .seed = 2};
        int32_t token = choose(logits, 8, &one, step);
        assert_int_equal(choose(logits, 8, &one, step), token);
        differs += choose(logits, 8, &two, step) != token;
    }
    assert_in_range(differs, 140, 199); /* 7 of 8 of them, about: the seed does matter */
}

/* χ² of 20,000 draws with a fixed seed. With 5 degrees of freedom 20.5 is exceeded once in a thousand seeds.
 */
static void samples_are_distributed_as_softmax_says(void **state) {
    (void)state;
    enum { TOKENS = 6, DRAWS = 20000 };
    const float logits[TOKENS] = {2.0F, 0.0F, -1.0F, 1.0F, 2.0F, -3.0F};
    static const double TEMPERATURES[] = {0.5, 1.0, 2.5};
    for (size_t k = 0; k < 3; k++) {
        const GenerationOptions options = {.sampling = {.temperature = TEMPERATURES[k]}, .seed = 11 + k};
        double sum = 0.0, chi = 0.0;
        size_t seen[TOKENS] = {0};
        for (uint64_t step = 0; step < DRAWS; step++) seen[choose(logits, TOKENS, &options, step)]++;
        for (int i = 0; i < TOKENS; i++) sum += exp((double)logits[i] / TEMPERATURES[k]);
        for (int i = 0; i < TOKENS; i++) {
            double expected = (double)DRAWS * exp((double)logits[i] / TEMPERATURES[k]) / sum;
            chi += ((double)seen[i] - expected) * ((double)seen[i] - expected) / expected;
        }
        print_message("temperature %.1f: chi-squared %.2f\n", TEMPERATURES[k], chi);
        assert_true(chi < 20.5);
    }
}

static void an_impossible_token_is_never_drawn(void **state) {
    (void)state;
    const float logits[] = {-INFINITY, 0.0F, -INFINITY, 0.0F, -INFINITY};
    const GenerationOptions options = {.sampling = {.temperature = 100.0}, .seed = 3};
    for (uint64_t step = 0; step < 2000; step++) {
        int32_t token = choose(logits, 5, &options, step);
        assert_true(token == 1 || token == 3);
    }
}

static void a_temperature_near_nought_is_greedy(void **state) {
    (void)state;
    const float logits[] = {0.0F, 1.0F, 1.0001F, -5.0F};
    static const double TEMPERATURES[] = {1e-6, 1e-300};
    for (size_t k = 0; k < 2; k++) {
        const GenerationOptions options = {.sampling = {.temperature = TEMPERATURES[k]}, .seed = 5};
        for (uint64_t step = 0; step < 100; step++) assert_int_equal(choose(logits, 4, &options, step), 2);
    }
}

/* Which tokens are ever drawn, as bits. */
static unsigned draw_often(const float *logits, size_t vocabulary, Sampling sampling) {
    unsigned drawn = 0;
    for (uint64_t step = 0; step < 3000; step++) {
        const GenerationOptions options = {.sampling = sampling, .seed = 9};
        drawn |= 1U << choose(logits, vocabulary, &options, step);
    }
    return drawn;
}

/* Probabilities 0.4, 0.3, 0.2, 0.1 of tokens 2, 0, 3, 1. */
static void top_k_and_top_p_cut_what_is_drawn_from(void **state) {
    (void)state;
    const float logits[] = {logf(0.3F), logf(0.1F), logf(0.4F), logf(0.2F)};
    const float equal[] = {1.0F, 1.0F, 1.0F, 1.0F};
    assert_int_equal(draw_often(logits, 4, (Sampling){1.0, 1.0, 0}), 0xF);
    assert_int_equal(draw_often(logits, 4, (Sampling){1.0, 0.0, 4}), 0xF);
    assert_int_equal(draw_often(logits, 4, (Sampling){1.0, 0.0, 1}), 1U << 2);
    assert_int_equal(draw_often(logits, 4, (Sampling){1.0, 0.0, 3}), 1U << 2 | 1U << 0 | 1U << 3);
    assert_int_equal(draw_often(logits, 4, (Sampling){1.0, 0.35, 0}), 1U << 2);
    assert_int_equal(draw_often(logits, 4, (Sampling){1.0, 0.65, 0}), 1U << 2 | 1U << 0);
    assert_int_equal(draw_often(logits, 4, (Sampling){1.0, 0.75, 0}), 1U << 2 | 1U << 0 | 1U << 3);
    assert_int_equal(draw_often(logits, 4, (Sampling){1.0, 0.56, 2}), 1U << 2); /* 4 of 7 of what is left */
    assert_int_equal(draw_often(equal, 4, (Sampling){1.0, 0.0, 2}), 1U << 0 | 1U << 1); /* the lower ids */
}

/* More tokens than are looked at first, and a nucleus that needs most of them. */
static void a_nucleus_may_be_large(void **state) {
    (void)state;
    enum { TOKENS = 5000, DRAWS = 4000 };
    float logits[TOKENS];
    size_t beyond = 0, seen = 0;
    for (size_t i = 0; i < TOKENS; i++) logits[i] = -(float)i * 1e-4F;
    for (uint64_t step = 0; step < DRAWS; step++) {
        const GenerationOptions options = {.sampling = {1.0, 0.5, 0}, .seed = 4};
        int32_t token = choose(logits, TOKENS, &options, step);
        beyond += token > 2200; /* e^(-0.22): half of the mass lies before 2,191 */
        seen += token > 1000;
    }
    assert_int_equal(beyond, 0);
    assert_true(seen > DRAWS / 4);
}

/* ---- a text ---- */

enum { PROMPT = 6, TOKENS = 12 };

typedef struct Heard {
    int32_t tokens[TOKENS];
    size_t count;
} Heard;

static void hear(void *user, int32_t token) {
    Heard *heard = user;
    assert_true(heard->count < TOKENS);
    heard->tokens[heard->count++] = token;
}

static size_t generate(const Model *model, GenerationOptions options, int32_t *out) {
    int32_t ids[PROMPT];
    tiny_ids(ids, PROMPT, 21);
    Heard heard = {0};
    size_t generated;
    Error error = {0};
    if (generation_run(model, &HALF, ids, PROMPT, &options, hear, &heard, out, &generated, NULL, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(heard.count, generated);
    assert_memory_equal(heard.tokens, out, generated * sizeof *out);
    return generated;
}

/* Greedy: every token is the most likely after the whole text before it, computed without a cache. */
static void a_continuation_is_what_the_whole_text_predicts_at_each_step(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    int32_t text[PROMPT + TOKENS];
    float logits[61];
    MatmulScratch *scratch;
    tiny_ids(text, PROMPT, 21);
    assert_int_equal(generate(tiny.model, (GenerationOptions){.tokens = TOKENS}, text + PROMPT), TOKENS);
    assert_int_equal(matmul_create_scratch(1, &scratch, NULL), STATUS_OK);
    for (size_t count = PROMPT; count < PROMPT + TOKENS; count++) {
        ForwardState *fresh;
        ForwardInput input = {.ids = text, .count = count};
        assert_int_equal(forward_create_state(tiny.model, &HALF, count, &fresh, NULL), STATUS_OK);
        assert_int_equal(forward_run(&fresh, 1, &input, scratch, NULL, NULL), STATUS_OK);
        ForwardHead head = {&HALF, forward_hidden(fresh) + (count - 1) * 24, logits};
        assert_int_equal(forward_logits(tiny.model, &head, 1, 1, scratch, NULL, NULL), STATUS_OK);
        for (int i = 0; i < 61; i++) assert_true(logits[i] <= logits[text[count]] + 1e-4F);
        forward_free_state(fresh);
    }
    matmul_free_scratch(scratch);
    tiny_model_free(&tiny);
}

static void the_same_seed_gives_the_same_text_and_another_another(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    int32_t one[TOKENS], again[TOKENS], other[TOKENS];
    GenerationOptions options = {.tokens = TOKENS, .sampling = {.temperature = 1.0}, .seed = 5};
    assert_int_equal(generate(tiny.model, options, one), TOKENS);
    assert_int_equal(generate(tiny.model, options, again), TOKENS);
    assert_memory_equal(one, again, sizeof one);
    options.seed = 6;
    assert_int_equal(generate(tiny.model, options, other), TOKENS);
    assert_memory_not_equal(one, other, sizeof one);
    tiny_model_free(&tiny);
}

static void a_text_ends_with_any_of_the_models_end_tokens(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    int32_t full[TOKENS], out[TOKENS];
    assert_int_equal(generate(tiny.model, (GenerationOptions){.tokens = TOKENS}, full), TOKENS);
    size_t at = 0;
    while (full[at] != full[3]) at++; /* where that token comes first */
    ModelConfig *config = &tiny.pair->sft->model;
    config->eos[0] = -1;
    config->eos[1] = full[3];
    config->eos_count = 2;
    assert_int_equal(generate(tiny.model, (GenerationOptions){.tokens = TOKENS}, out), at + 1);
    assert_memory_equal(out, full, (at + 1) * sizeof *out); /* the end of text included */
    config->eos_count = 0;
    assert_int_equal(generate(tiny.model, (GenerationOptions){.tokens = TOKENS}, out), TOKENS);
    const int32_t ends[] = {-1, full[3]}; /* of a chat */
    const GenerationOptions chat = {.tokens = TOKENS, .ends = ends, .end_count = 2};
    assert_int_equal(generate(tiny.model, chat, out), at + 1);
    tiny_model_free(&tiny);
}

static void a_text_has_a_beginning(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    const GenerationOptions some = {.tokens = 3}, none = {.tokens = 0};
    const int32_t prompt[] = {1}, strange[] = {61};
    int32_t out[3];
    size_t generated = 9;
    Error error;
    assert_int_equal(
        generation_run(tiny.model, &HALF, prompt, 0, &some, NULL, NULL, out, &generated, NULL, &error),
        STATUS_ARGUMENT);
    assert_int_equal(generated, 0);
    assert_int_equal(
        generation_run(tiny.model, &HALF, strange, 1, &some, NULL, NULL, out, &generated, NULL, &error),
        STATUS_ARGUMENT);
    assert_int_equal(generated, 0);
    assert_int_equal(
        generation_run(tiny.model, &HALF, prompt, 1, &none, NULL, NULL, out, &generated, NULL, &error),
        STATUS_OK);
    assert_int_equal(generated, 0);
    tiny_model_free(&tiny);
}

typedef struct Stopper {
    Job *job;
    size_t heard;
} Stopper;

static void stop_after_two(void *user, int32_t token) {
    (void)token;
    Stopper *stopper = user;
    if (++stopper->heard == 2) job_cancel(stopper->job);
}

static void what_came_before_a_cancellation_is_kept(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    int32_t full[TOKENS], out[TOKENS], ids[PROMPT];
    assert_int_equal(generate(tiny.model, (GenerationOptions){.tokens = TOKENS}, full), TOKENS);
    tiny_ids(ids, PROMPT, 21);
    Stopper stopper = {0};
    size_t generated;
    const GenerationOptions options = {.tokens = TOKENS};
    assert_int_equal(job_create(2, NULL, NULL, &stopper.job, NULL), STATUS_OK);
    assert_int_equal(generation_run(tiny.model, &HALF, ids, PROMPT, &options, stop_after_two, &stopper, out,
                                    &generated, stopper.job, NULL),
                     STATUS_CANCELLED);
    assert_int_equal(generated, 2);
    assert_memory_equal(out, full, 2 * sizeof *out);
    job_free(stopper.job);
    tiny_model_free(&tiny);
}

/* Writes a value over the last weight of the SFT model's file, and opens the pair again. */
static void spoil_last_weight(TinyModel *tiny, float value) {
    char *base = scratch_path("base"), *sft = scratch_path("sft"),
         *path = scratch_path("sft/model.safetensors");
    tiny_model_free(tiny);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -(long)sizeof value, SEEK_END), 0);
    assert_int_equal(fwrite(&value, sizeof value, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(pair_open(base, sft, &tiny->pair, NULL), STATUS_OK);
    assert_int_equal(model_open(tiny->pair, &tiny->model, NULL), STATUS_OK);
    free(base);
    free(sft);
    free(path);
}

static void logits_that_are_no_numbers_end_in_an_error_and_no_token(void **state) {
    (void)state;
    static const struct {
        float value;
        const char *says;
    } SPOILT[] = {{NAN, "not a number in the logits of position 5"},
                  {INFINITY, "in the logits of position 5"}};
    for (size_t i = 0; i < 2; i++) {
        TinyModel tiny = tiny_model_make(CONFIG);
        spoil_last_weight(&tiny, SPOILT[i].value);
        int32_t ids[PROMPT], out[TOKENS];
        size_t generated = 9;
        Error error = {0};
        const GenerationOptions options = {.tokens = TOKENS};
        tiny_ids(ids, PROMPT, 21);
        assert_int_equal(generation_run(tiny.model, &HALF, ids, PROMPT, &options, NULL, NULL, out, &generated,
                                        NULL, &error),
                         STATUS_FORMAT);
        assert_int_equal(generated, 0);
        assert_non_null(strstr(error.message, SPOILT[i].says));
        tiny_model_free(&tiny);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_takes_the_largest_and_of_equals_the_lower_id),
        cmocka_unit_test(the_same_seed_and_step_give_the_same_token),
        cmocka_unit_test(samples_are_distributed_as_softmax_says),
        cmocka_unit_test(an_impossible_token_is_never_drawn),
        cmocka_unit_test(a_temperature_near_nought_is_greedy),
        cmocka_unit_test(top_k_and_top_p_cut_what_is_drawn_from),
        cmocka_unit_test(a_nucleus_may_be_large),
        cmocka_unit_test(a_continuation_is_what_the_whole_text_predicts_at_each_step),
        cmocka_unit_test(the_same_seed_gives_the_same_text_and_another_another),
        cmocka_unit_test(a_text_ends_with_any_of_the_models_end_tokens),
        cmocka_unit_test(a_text_has_a_beginning),
        cmocka_unit_test(what_came_before_a_cancellation_is_kept),
        cmocka_unit_test(logits_that_are_no_numbers_end_in_an_error_and_no_token),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
