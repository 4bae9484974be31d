/*
 * One tiny pair for each kind of block (make_blocks.py and its like): logits, attribution, dormancy and the gradient at hand-over against
 * transformers 5.24 and float64 autograd.
 *
 * Tolerances: logits 5e-6 of their range, whole and token by token; scores 3e-5 of each target's largest; dormancy 2e-5 of
 * the layer's mean; gradients, 1e-4 relative for every tensor whose norm is above 1e-3 of the largest, 1e-6 of the largest
 * otherwise. Observed errors are printed.
 */
#include "core/checkpoint/tensor_values.h"
#include "core/evaluation/evaluation_row.h"
#include "core/fusion/neurons.h"
#include "core/fusion/neurons_tensor.h"
#include "core/method/attribution.h"
#include "core/method/dormancy.h"
#include "core/readiness/gradient.h"
#include "golden.h"

#include <math.h>
#include <string.h>

static const double LOGIT_TOLERANCE = 5e-6, SCORE_TOLERANCE = 3e-5, DORMANCY_TOLERANCE = 2e-5;

static const double GRADIENT_TOLERANCE = 1e-4, GRADIENT_SMALL = 1e-3, GRADIENT_FLOOR = 1e-6;

enum { TOKENS = 24, MOST_TARGETS = 8, MOST_VOCABULARY = 512, SAMPLES = 6, MOST_SAMPLE = 32 };

typedef struct Case {
    const char *name;
    Pair *pair;
    Model *model;
    cJSON *golden;
    Job *job;
    int32_t ids[TOKENS];
} Case;

static Case open_case(const char *name) {
    Case made = {.name = name};
    Error error = {0};
    char *base = golden_path("golden/blocks/%s/%s", name, "base"),
         *sft = golden_path("golden/blocks/%s/%s", name, "sft"),
         *json = golden_path("golden/blocks/%s/%s", name, "golden.json");
    if (pair_open(base, sft, &made.pair, &error) != STATUS_OK ||
        model_open(made.pair, &made.model, &error) != STATUS_OK ||
        json_read_file(json, 1 << 22, &made.golden, &error) != STATUS_OK)
        fail_msg("%s: %s", name, error.message);
    assert_int_equal(job_create(1, NULL, NULL, &made.job, NULL), STATUS_OK);
    size_t at = 0;
    const cJSON *id;
    cJSON_ArrayForEach(id, json_find(made.golden, "ids")) if (at < TOKENS) made.ids[at++] =
        (int32_t)id->valuedouble;
    assert_int_equal(at, TOKENS);
    free(base);
    free(sft);
    free(json);
    return made;
}

static void close_case(Case *closed) {
    job_free(closed->job);
    cJSON_Delete(closed->golden);
    model_close(closed->model);
    pair_close(closed->pair);
}

/* All logits of the ids, `step` tokens a call. */
static void run_logits(const Case *own, double alpha, size_t step, float *logits) {
    Settings settings = settings_at(alpha);
    size_t vocabulary = forward_vocabulary(own->model);
    ForwardState *state;
    MatmulScratch *scratch;
    Error error = {0};
    assert_int_equal(matmul_create_scratch(1, &scratch, &error), STATUS_OK);
    assert_int_equal(forward_create_state(own->model, &settings, TOKENS, &state, &error), STATUS_OK);
    for (size_t at = 0; at < TOKENS; at += step) {
        ForwardInput input = {.ids = own->ids + at, .count = step};
        if (forward_run(&state, 1, &input, scratch, own->job, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        ForwardHead head = {&settings, forward_hidden(state), logits + at * vocabulary};
        assert_int_equal(forward_logits(own->model, &head, 1, step, scratch, own->job, &error), STATUS_OK);
    }
    forward_free_state(state);
    matmul_free_scratch(scratch);
}

/* Of the last token's range; the sums, of what they would be if every logit were off by that. */
static double compare_logits(const cJSON *golden, const float *logits, size_t vocabulary) {
    double least = INFINITY, most = -INFINITY, worst = 0.0, sum = 0.0, squares = 0.0;
    size_t v = 0;
    const cJSON *expected;
    cJSON_ArrayForEach(expected, json_find(golden, "last")) {
        double found = (double)logits[(TOKENS - 1) * vocabulary + v++];
        least = fmin(least, expected->valuedouble);
        most = fmax(most, expected->valuedouble);
        worst = fmax(worst, fabs(found - expected->valuedouble));
    }
    assert_int_equal(v, vocabulary);
    for (size_t i = 0; i < TOKENS * vocabulary; i++) {
        sum += (double)logits[i];
        squares += (double)logits[i] * (double)logits[i];
    }
    double count = (double)(TOKENS * vocabulary), range = most - least;
    worst = fmax(worst, fabs(sum - json_get_number(golden, "sum", NAN)) / count);
    worst = fmax(worst, fabs(squares - json_get_number(golden, "squares", NAN)) / count / range);
    return worst / range;
}

static void check_logits(const Case *own) {
    static const struct {
        const char *key;
        double alpha;
        size_t step;
    } RUNS[] = {{"base", 0.0, TOKENS}, {"fused", 0.5, TOKENS}, {"fused", 0.5, 1}};
    float logits[TOKENS * MOST_VOCABULARY];
    size_t vocabulary = forward_vocabulary(own->model);
    assert_true(vocabulary <= MOST_VOCABULARY);
    for (size_t i = 0; i < sizeof RUNS / sizeof *RUNS; i++) {
        run_logits(own, RUNS[i].alpha, RUNS[i].step, logits);
        double error = compare_logits(json_find(own->golden, RUNS[i].key), logits, vocabulary);
        print_message("%-22s %-5s %s: logits %.1e\n", own->name, RUNS[i].key,
                      RUNS[i].step == 1 ? "token by token" : "whole", error);
        if (!(error < LOGIT_TOLERANCE)) fail_msg("%s: %s: %.3g", own->name, RUNS[i].key, error);
    }
}

static double compare_scores(const cJSON *layers, const NeuronTable *table, const float *scores) {
    double worst = 0.0, largest = 0.0;
    uint64_t layer = 0, seen = 0;
    const cJSON *modules, *module, *expected;
    cJSON_ArrayForEach(modules, layers) {
        cJSON_ArrayForEach(module, modules) {
            char name[NEURONS_NAME_SIZE];
            NeuronBlock block;
            (void)snprintf(name, sizeof name, "%d.%s", (int)layer, module->string);
            if (!neurons_read_name(table, name, &block)) fail_msg("module %s", name);
            assert_int_equal(cJSON_GetArraySize(module), block.count);
            uint64_t at = block.first;
            cJSON_ArrayForEach(expected, module) {
                largest = fmax(largest, expected->valuedouble);
                worst = fmax(worst, fabs((double)scores[at++] - expected->valuedouble));
                seen++;
            }
        }
        layer++;
    }
    assert_int_equal(seen, neurons_count(table));
    return worst / largest;
}

static void check_attribution(const Case *own) {
    EvaluationRow row = {.ids = own->ids, .count = TOKENS, .first = 0, .end = TOKENS};
    NeuronTable table = neurons_list(own->model->config);
    AttributionTarget targets[MOST_TARGETS];
    Attribution attribution;
    Error error = {0};
    size_t count = 0;
    const cJSON *target;
    cJSON_ArrayForEach(target, json_find(own->golden, "targets")) targets[count++] =
        (AttributionTarget){.position = (size_t)json_get_number(target, "position", NAN),
                            .token = (int32_t)json_get_number(target, "token", NAN)};
    if (attribution_run(own->model, &row, targets, count, true, 0, &attribution, own->job, &error) !=
        STATUS_OK)
        fail_msg("%s: %s", own->name, error.message);
    double worst = 0.0, logit = 0.0;
    size_t i = 0;
    cJSON_ArrayForEach(target, json_find(own->golden, "targets")) {
        logit = fmax(logit, fabs(attribution.targets[i].logit - json_get_number(target, "logit", NAN)));
        worst = fmax(worst, compare_scores(json_find(target, "scores"), &table,
                                           attribution.scores + i++ * attribution.neurons));
    }
    print_message("%-22s attribution %.1e, logits %.1e\n", own->name, worst, logit);
    if (!(worst < SCORE_TOLERANCE && logit < 1e-4)) fail_msg("%s: scores %.3g", own->name, worst);
    attribution_free(&attribution);
}

/* Layers of as many columns; what a narrower one has beyond its own is not a number. */
static double compare_layers(const cJSON *layers, const double *scores, size_t columns) {
    double worst = 0.0;
    const cJSON *layer, *expected;
    cJSON_ArrayForEach(layer, layers) {
        size_t i = 0;
        cJSON_ArrayForEach(expected, layer) {
            double error = fabs(scores[i++] - expected->valuedouble);
            worst = isnan(error) ? INFINITY : fmax(worst, error);
        }
        for (; i < columns; i++) assert_true(isnan(scores[i]));
        scores += columns;
    }
    return worst;
}

/* How many tokens go to each expert; nothing of layers without any. */
static void check_routing(const Case *own, const Routing *routing) {
    const cJSON *layer, *expected;
    uint64_t at = 0;
    cJSON_ArrayForEach(layer, json_find(own->golden, "routing")) {
        size_t e = 0, unused = 0;
        assert_int_equal(routing->has_experts[at], cJSON_GetArraySize(layer) > 0);
        cJSON_ArrayForEach(expected, layer) {
            assert_true(routing_share(routing, at, e++) * TOKENS == expected->valuedouble);
            unused += expected->valuedouble == 0.0;
        }
        if (e > 0) {
            assert_int_equal(routing_count_unused(routing, at), unused);
            assert_true(routing_overlap(routing, routing, at) == 1.0);
        }
        at++;
    }
    assert_int_equal(routing->layers, at);
}

static void check_dormancy(const Case *own) {
    EvaluationRow row = {.ids = own->ids,
                         .count = TOKENS,
                         .first = (size_t)json_get_number(own->golden, "response", NAN) - 1,
                         .end = TOKENS};
    Settings settings = settings_at(1.0);
    Dormancy dormancy;
    Error error = {0};
    if (dormancy_run(own->model, &settings, &row, 1, true, &dormancy, own->job, &error) != STATUS_OK)
        fail_msg("%s: %s", own->name, error.message);
    const cJSON *golden = json_find(own->golden, "dormancy");
    double mlp = compare_layers(json_find(golden, "mlp"), dormancy.mlp_scores, dormancy.mlp),
           channels =
               compare_layers(json_find(golden, "channels"), dormancy.channel_scores, dormancy.channels),
           gradient =
               compare_layers(json_find(own->golden, "gradient"), dormancy.gradient_scores, dormancy.mlp);
    print_message("%-22s dormancy %.1e, of channels %.1e, of gradients %.1e\n", own->name, mlp, channels,
                  gradient);
    if (!(mlp < DORMANCY_TOLERANCE && channels < DORMANCY_TOLERANCE && gradient < DORMANCY_TOLERANCE))
        fail_msg("%s: dormancy %.3g %.3g %.3g", own->name, mlp, channels, gradient);
    check_routing(own, &dormancy.routing);
    dormancy_free(&dormancy);
}

/* Where base sends a token to all experts and SFT to one: each is counted by its own choice, and no overlap is told. */
static void check_choices_apart(const Case *own) {
    const EvaluationRow row = {.ids = own->ids, .count = TOKENS, .first = TOKENS - 2, .end = TOKENS - 1};
    const ModelConfig *was = own->model->base.config;
    ModelConfig *changed = memory_allocate(1, sizeof *changed);
    Dormancy dormancy[2];
    Error error = {0};
    assert_non_null(changed);
    *changed = *was;
    for (size_t i = 0; i < changed->plan_count; i++)
        changed->plans[i].experts.chosen = changed->plans[i].experts.count;
    own->model->base.config = changed;
    for (int i = 0; i < 2; i++) {
        Settings settings = settings_at(i == 0 ? 0.0 : 1.0);
        if (dormancy_run(own->model, &settings, &row, 1, false, &dormancy[i], own->job, &error) != STATUS_OK)
            fail_msg("%s: %s", own->name, error.message);
    }
    const Routing *base = &dormancy[0].routing, *sft = &dormancy[1].routing;
    for (uint64_t layer = 0; layer < base->layers; layer++) {
        if (!base->has_experts[layer]) continue;
        assert_true(routing_count_unused(base, layer) == 0 && routing_largest_share(base, layer) == 1.0);
        assert_true(routing_overlap(base, base, layer) == 1.0);
        assert_true(isnan(routing_overlap(base, sft, layer)));
    }
    own->model->base.config = was;
    dormancy_free(&dormancy[0]);
    dormancy_free(&dormancy[1]);
    free(changed);
}

/* ---- the gradient at hand-over ---- */

typedef struct HandOver {
    int32_t ids[SAMPLES][MOST_SAMPLE];
    EvaluationRow rows[SAMPLES];
    double advantages[SAMPLES];
} HandOver;

static void read_samples(const cJSON *golden, HandOver *made) {
    const cJSON *sample, *id;
    size_t s = 0;
    cJSON_ArrayForEach(sample, json_find(golden, "samples")) {
        size_t count = 0, response = (size_t)json_get_number(sample, "response", NAN);
        assert_true(s < SAMPLES);
        cJSON_ArrayForEach(id, json_find(sample, "ids")) {
            assert_true(count < MOST_SAMPLE);
            made->ids[s][count++] = (int32_t)id->valuedouble;
        }
        made->rows[s] =
            (EvaluationRow){.ids = made->ids[s], .count = count, .first = response - 1, .end = count - 1};
        made->advantages[s++] = json_get_number(sample, "advantage", NAN);
    }
    assert_int_equal(s, SAMPLES);
}

/* In parts of what the tolerance is of: a tensor's own norm, or the largest of all. */
typedef struct GradientError {
    double large, small;
} GradientError;

/* Every tensor that autograd knows is there once, and no other. */
static GradientError compare_gradient(const Case *own, const cJSON *norms, const Gradient *gradient) {
    GradientError worst = {0};
    double largest = 0.0;
    const cJSON *norm;
    cJSON_ArrayForEach(norm, norms) largest = fmax(largest, norm->valuedouble);
    for (size_t i = 0; i < gradient->count; i++) {
        double known = json_get_number(norms, gradient->tensors[i].tensor->name, NAN);
        double off = fabs(gradient->tensors[i].norm - known);
        if (isnan(known)) fail_msg("%s: %s is not learned", own->name, gradient->tensors[i].tensor->name);
        if (known > GRADIENT_SMALL * largest)
            worst.large = fmax(worst.large, off / known);
        else
            worst.small = fmax(worst.small, off / largest);
    }
    assert_int_equal(cJSON_GetArraySize(norms), gradient->count);
    return worst;
}

/* Of each expert of each layer, in parts of the largest; 0 is 0 to the last bit. */
static double compare_experts(const Case *own, const cJSON *layers, const Gradient *gradient) {
    double largest = 0.0, worst = 0.0;
    size_t at = 0;
    int layer = 0;
    const cJSON *norms, *norm;
    cJSON_ArrayForEach(norms, layers) cJSON_ArrayForEach(norm, norms) largest =
        fmax(largest, norm->valuedouble);
    cJSON_ArrayForEach(norms, layers) {
        size_t expert = 0;
        cJSON_ArrayForEach(norm, norms) {
            assert_true(at < gradient->expert_count);
            const GradientExpert *found = &gradient->experts[at++];
            assert_int_equal(found->layer, layer);
            assert_int_equal(found->expert, expert++);
            assert_true(isfinite(found->norm) && found->weight > 0.0);
            if ((norm->valuedouble == 0.0) != (found->norm == 0.0))
                fail_msg("%s: layer %d, expert %zu: %g, not %g", own->name, layer, expert - 1, found->norm,
                         norm->valuedouble);
            worst = fmax(worst, fabs(found->norm - norm->valuedouble) / largest);
        }
        layer++;
    }
    assert_int_equal(at, gradient->expert_count);
    return worst;
}

static void check_gradient(const Case *own) {
    static const struct {
        const char *state;
        double alpha;
        size_t group_tokens;
    } RUNS[] = {{"base", 0.0, 0}, {"sft", 1.0, 0}, {"fused", 0.5, 0}, {"fused", 0.5, 30}};
    cJSON *golden = golden_read_json("golden/blocks/%s/%s", own->name, "gradient.json");
    HandOver samples;
    read_samples(golden, &samples);
    const SampleRows rows = {.rows = samples.rows, .count = SAMPLES};
    for (size_t i = 0; i < sizeof RUNS / sizeof *RUNS; i++) {
        const cJSON *expected = json_find(golden, RUNS[i].state);
        Settings settings = settings_at(RUNS[i].alpha);
        Gradient gradient;
        Error error = {0};
        if (gradient_measure(own->model, &settings, &rows, samples.advantages, RUNS[i].group_tokens,
                             &gradient, own->job, &error) != STATUS_OK)
            fail_msg("%s: %s", own->name, error.message);
        GradientError worst = compare_gradient(own, json_find(expected, "norms"), &gradient);
        double loss = json_get_number(expected, "loss", NAN), off = fabs(gradient.loss - loss) / fabs(loss);
        double experts = compare_experts(own, json_find(expected, "experts"), &gradient);
        print_message("%-22s %-5s in %s: gradient %.1e, small %.1e, experts %.1e, loss %.1e\n", own->name,
                      RUNS[i].state, RUNS[i].group_tokens == 0 ? "one group " : "groups", worst.large,
                      worst.small, experts, off);
        if (!(worst.large < GRADIENT_TOLERANCE && worst.small < GRADIENT_FLOOR &&
              experts < GRADIENT_TOLERANCE && off < GRADIENT_TOLERANCE))
            fail_msg("%s: %s: gradient %.3g %.3g %.3g %.3g", own->name, RUNS[i].state, worst.large,
                     worst.small, experts, off);
        gradient_free(&gradient);
    }
    cJSON_Delete(golden);
}

/* Whoever works at a head or a channel adds up what others share by itself: to the last bit, however many there are. */
static void check_threads(const Case *own) {
    cJSON *golden = golden_read_json("golden/blocks/%s/%s", own->name, "gradient.json");
    HandOver samples;
    read_samples(golden, &samples);
    const SampleRows rows = {.rows = samples.rows, .count = SAMPLES};
    Settings settings = settings_at(0.3);
    Gradient gradients[2];
    for (unsigned i = 0; i < 2; i++) {
        Job *job;
        Error error = {0};
        assert_int_equal(job_create(1 + 2 * i, NULL, NULL, &job, NULL), STATUS_OK);
        if (gradient_measure(own->model, &settings, &rows, samples.advantages, 0, &gradients[i], job,
                             &error) != STATUS_OK)
            fail_msg("%s: %s", own->name, error.message);
        job_free(job);
    }
    assert_int_equal(gradients[0].count, gradients[1].count);
    for (size_t i = 0; i < gradients[0].count; i++)
        if (gradients[0].tensors[i].norm != gradients[1].tensors[i].norm)
            fail_msg("%s: %s: %.9g and %.9g", own->name, gradients[0].tensors[i].tensor->name,
                     gradients[0].tensors[i].norm, gradients[1].tensors[i].norm);
    gradient_free(&gradients[0]);
    gradient_free(&gradients[1]);
    cJSON_Delete(golden);
}

/* A reset of every neuron at α = 1 is base in every matrix that has neurons, with the biases of its outputs, and SFT in all
 * else; a reset of one in ten fits every tensor. */
static void check_reset(const Case *own) {
    NeuronTable table = neurons_list(own->model->config);
    Ranking *ranking;
    Error error = {0};
    assert_int_equal(ranking_create_random(&table, 7, &ranking, &error), STATUS_OK);
    for (size_t i = 0; i < own->pair->count; i++) {
        const PairTensor *tensor = &own->pair->tensors[i];
        NeuronTensor found;
        bool is_reset = neurons_tensor_find(&table, tensor, &found) == NEURONS_FIT;
        Settings settings = settings_at(1.0);
        settings.ranking = ranking;
        settings.rho = 1.0;
        if (settings_check(&settings, own->pair, &error) != STATUS_OK)
            fail_msg("%s: %s", own->name, error.message);
        Blend blend = settings_blend(&settings, tensor);
        size_t elements = tensor->sft->rows * tensor->sft->columns;
        float *made = memory_allocate(elements, sizeof *made),
              *expected = memory_allocate(elements, sizeof *expected);
        assert_true(made != NULL && expected != NULL);
        blend_rows(&blend, 0, tensor->sft->rows, made);
        tensor_values_read(is_reset ? tensor->base : tensor->sft, 0, elements, expected);
        if (memcmp(made, expected, elements * sizeof *made) != 0)
            fail_msg("%s: %s is not what %s has", own->name, tensor->name, is_reset ? "base" : "SFT");
        free(made);
        free(expected);
    }
    ranking_free(ranking);
}

static const char *const CASES[] = {
    "around-capped",
    "behind-whole-norm",
    "parallel-one-norm",
    "fused-partial",
    "fused-window",
    "scaled-stream",
    "layer-norm-plain-mlp",
    "layer-norm-plus-one",
    "bare-norm-clipped",
    "norm-after-rope",
    "rope-by-type",
    "rope-where-sliding",
    "transposed-learned",
    "by-head-two-norms",
    "learned-offset",
    "bare-norms-everywhere",
    "sinusoids",
    "alibi-normed-embedding",
    "norms-apart",
    "sinks",
    "head-norms-with-biases",
    "activation-that-learns",
    "norms-within",
    "scaled-behind",
    "normed-residual",
    "falling-scale",
    "rounded-alibi",
    "inputs-of-layers",
    "keys-as-values",
    "layers-of-two-widths",
    "experts-softmax",
    "experts-switch",
    "experts-fused",
    "experts-clamped",
    "experts-corrected",
    "experts-mixer",
    "experts-least-sum",
    "experts-behind",
    "experts-weighed-input",
    "experts-latent",
    "experts-latent-query",
    "experts-heated",
    "experts-gated",
    "experts-mean",
    "experts-sizes",
    "experts-plain",
    "convolutions",
    "delta",
    "delta-fused",
    "delta-cut",
    "delta-channels",
    "delta-bounded",
    "gated-queries",
    "states-beside",
    "states-bare",
    "states-mixed",
    "states-single",
    "states-channels-normed",
    "states-gated",
    "states-shared",
    "experts-capped",
    "experts-all-clamped",
    "experts-lightning",
    "experts-heads",
    "experts-connections",
    "differential",
    "masks",
    "streams",
    "streams-bare",
};

/* Layers are state spaces alone, or have blocks in common: no neuron has a number. */
static const char *const WITHOUT_NEURONS[] = {"states-heads", "states-channels", "states-channels-bare",
                                              "common", "common-bare"};

static void for_all(void (*check)(const Case *own)) {
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Case own = open_case(CASES[i]);
        check(&own);
        close_case(&own);
    }
}

static void for_those_without_neurons(void (*check)(const Case *own)) {
    for (size_t i = 0; i < sizeof WITHOUT_NEURONS / sizeof *WITHOUT_NEURONS; i++) {
        Case own = open_case(WITHOUT_NEURONS[i]);
        check(&own);
        close_case(&own);
    }
}

static void logits_are_those_of_transformers(void **state) {
    (void)state;
    for_all(check_logits);
    for_those_without_neurons(check_logits);
}

static void attribution_is_what_autograd_gives(void **state) {
    (void)state;
    for_all(check_attribution);
}

static void dormancy_is_what_autograd_gives(void **state) {
    (void)state;
    for_all(check_dormancy);
}

static void the_gradient_at_hand_over_is_what_autograd_gives(void **state) {
    (void)state;
    for_all(check_gradient);
    for_those_without_neurons(check_gradient);
}

static void check_refusal(const Case *own) {
    EvaluationRow row = {.ids = own->ids, .count = TOKENS, .first = 0, .end = TOKENS};
    AttributionTarget target = {.position = TOKENS - 1};
    Attribution attribution;
    Error error = {0};
    assert_int_equal(attribution_run(own->model, &row, &target, 1, true, 0, &attribution, own->job, &error),
                     STATUS_UNSUPPORTED);
    if (strstr(error.message, "no layer has attention or an MLP") == NULL &&
        strstr(error.message, "blocks that layers share") == NULL)
        fail_msg("%s: %s", own->name, error.message);
}

static void gradients_do_not_depend_on_threads(void **state) {
    (void)state;
    for_those_without_neurons(check_threads);
    for_all(check_threads);
}

static void attribution_is_refused_where_no_neuron_has_a_number(void **state) {
    (void)state;
    for_those_without_neurons(check_refusal);
}

static void a_whole_reset_is_base_where_neurons_are(void **state) {
    (void)state;
    for_all(check_reset);
}

static void each_side_routes_by_its_own_number_of_experts(void **state) {
    (void)state;
    Case own = open_case("experts-softmax");
    check_choices_apart(&own);
    close_case(&own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_those_of_transformers),
        cmocka_unit_test(attribution_is_what_autograd_gives),
        cmocka_unit_test(dormancy_is_what_autograd_gives),
        cmocka_unit_test(each_side_routes_by_its_own_number_of_experts),
        cmocka_unit_test(the_gradient_at_hand_over_is_what_autograd_gives),
        cmocka_unit_test(gradients_do_not_depend_on_threads),
        cmocka_unit_test(attribution_is_refused_where_no_neuron_has_a_number),
        cmocka_unit_test(a_whole_reset_is_base_where_neurons_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
