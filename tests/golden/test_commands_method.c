/*
 * What reset, neurons and sweep print of the method, against the golden data of the demo pair: the real
 * program is run and its JSON read back.
 *
 * Tolerances are those of the engine's tests: dormancy 2e-5 of the layer's mean, averages 1e-4, entropies and
 * logits of targets 1e-4. Sets are equal but for the golden near ties. Observed errors are printed.
 */
#include "core/fusion/neurons.h"
#include "tests/file_opens.h"
#include "tests/golden/commands.h"

static const double DORMANCY_TOLERANCE = 2e-5, TOLERANCE = 1e-4;

/* The demo pair's neurons in each layer, in the order of NeuronModule. */
static const NeuronTable TABLE = {.layers = 6, .counts = {128, 64, 64, 0, 352, 352, 0, 128, 352}};

static const cJSON *find_set(const cJSON *attribution, const char *rho) {
    const cJSON *reset = json_find(json_find(attribution, "resets"), rho);
    assert_non_null(reset);
    return reset;
}

/* ---- reset ---- */

static size_t mark(const cJSON *set, unsigned char *marks) {
    size_t marked = 0;
    const cJSON *list, *index;
    cJSON_ArrayForEach(list, set) {
        NeuronBlock block;
        assert_true(neurons_read_name(&TABLE, list->string, &block));
        cJSON_ArrayForEach(index, list) {
            assert_int_equal(marks[block.first + (size_t)index->valuedouble]++, 0);
            marked++;
        }
    }
    return marked;
}

static void check_set(const cJSON *golden, const char *rho, const char *written) {
    unsigned char expected[8640] = {0}, excused[8640] = {0}, found[8640] = {0};
    const cJSON *reset = find_set(golden, rho);
    cJSON *tree = RUN_JSON("reset", base, sft, "--calibration", calibration, "--rho", written);
    size_t selected = mark(json_find(tree, "set"), found), differ = 0;
    (void)mark(json_find(reset, "set"), expected); /* both are only marked */
    (void)mark(json_find(reset, "near_ties"), excused);
    for (size_t i = 0; i < sizeof found; i++) differ += found[i] != expected[i] && !excused[i];
    print_message("reset --rho %s: %zu selected (golden %g), %zu differ\n", written, selected,
                  read_number(reset, "neurons"), differ);
    assert_int_equal(differ, 0);
    assert_int_equal(cJSON_GetArraySize(tree), 4);
    assert_true(read_number(tree, "neurons") == 8640);
    assert_true(read_number(tree, "per_target") == read_number(reset, "per_target"));
    assert_true(read_number(tree, "selected") == (double)selected);
    cJSON_Delete(tree);
}

static void the_reset_set_is_the_golden_one_at_every_rho(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "attribution.json");
    check_set(golden, "0.005", "0.5%");
    check_set(golden, "0.01", "0.01");
    check_set(golden, "0.02", "2%");
    check_set(golden, "0.04", "0.04");
    cJSON_Delete(golden);
}

static void the_text_of_a_reset_counts_its_neurons(void **unused) {
    (void)unused;
    ProgramResult result = PROGRAM_RUN("reset", base, sft, "-c", calibration); /* 1 % is the default */
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.output, "384 of 8640 neurons, the union of 86 (rho 0.01) for each of 32"));
    program_free(&result);
    result = PROGRAM_RUN("reset", base, sft, "-c", calibration, "--csv");
    assert_non_null(strstr(result.output, "layer,q,k,v,gate,up,o,down,all\r\n0,17,48,55,13,4,0,0,137\r\n"));
    assert_non_null(strstr(result.output, "all,52,163,102,44,18,0,5,384\r\n"));
    program_free(&result);
}

/* Opened twice, for its rows and for their sum, it might be another file the second time. */
static void rows_and_their_sum_come_from_one_opening(void **unused) {
    (void)unused;
    char *rows = few_rows();
    int watch = file_opens_watch(rows);
    cJSON *tree = RUN_JSON("reset", base, sft, "--calibration", rows, "--select", "dormancy");
    assert_int_equal(file_opens_count(watch), 1);
    cJSON_Delete(tree);
    free(rows);
}

static void other_selectors_select_as_many_as_rho_says(void **unused) {
    (void)unused;
    char *few = few_rows();
    cJSON *dormant = RUN_JSON("reset", base, sft, "-c", few, "--select", "dormancy");
    cJSON *gradient = RUN_JSON("reset", base, sft, "-c", few, "--select", "gradient");
    cJSON *drift = RUN_JSON("reset", base, sft, "--select", "drift");
    cJSON *one = RUN_JSON("reset", base, sft, "--select", "random", "--seed", "7");
    cJSON *same = RUN_JSON("reset", base, sft, "--select", "random", "--seed", "7");
    cJSON *other = RUN_JSON("reset", base, sft, "--select", "random", "--seed", "8");
    cJSON *const trees[] = {dormant, gradient, drift, one, same, other};
    for (size_t i = 0; i < 6; i++) {
        assert_true(read_number(trees[i], "per_target") == 86);
        assert_true(read_number(trees[i], "selected") == 86);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(cJSON_Compare(trees[i], trees[j], true), trees[i] == same && trees[j] == one);
    }
    const cJSON *block;
    for (size_t i = 0; i < 2; i++) { /* what dormancy is defined for */
        cJSON_ArrayForEach(block, json_find(trees[i], "set")) assert_non_null(strstr(block->string, ".down"));
    }
    for (size_t i = 0; i < 6; i++) cJSON_Delete(trees[i]);
    free(few);
}

/* ---- neurons ---- */

static const cJSON *cell(const cJSON *row, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(row, key);
}

/* The rows stand in the model's order. */
static double compare_dormancy(const cJSON *rows, const cJSON *model, const char *key, const char *figure,
                               NeuronModule module) {
    double worst = 0.0;
    size_t compared = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        if (strcmp(json_get_text(row, "module", ""), neurons_module_name(module)) != 0) continue;
        const cJSON *layer = cJSON_GetArrayItem(json_find(model, key), (int)read_number(row, "layer"));
        const cJSON *wanted = cJSON_GetArrayItem(layer, (int)read_number(row, "index"));
        worst = fmax(worst, fabs(wanted->valuedouble - read_number(row, figure)));
        compared++;
    }
    assert_int_equal(compared, TABLE.layers * TABLE.counts[module]);
    print_message("%-17s of %s: %.1e of the layer's mean\n", figure, neurons_module_name(module), worst);
    return worst;
}

static void check_all_dormancy(const cJSON *rows) {
    static const struct {
        const char *model, *figure;
    } FIGURES[] = {{"base", "dormancy_base"}, {"sft", "dormancy_sft"}, {"rejuvenated", "dormancy_fused"}};
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "dormancy.json");
    double worst =
        compare_dormancy(rows, json_find(golden, "sft"), "mlp_gradient", "gradient_dormancy", NEURON_DOWN);
    for (size_t i = 0; i < 3; i++) {
        const cJSON *model = json_find(golden, FIGURES[i].model);
        worst = fmax(worst, compare_dormancy(rows, model, "mlp", FIGURES[i].figure, NEURON_DOWN));
        worst = fmax(worst, compare_dormancy(rows, model, "attention_channel", FIGURES[i].figure, NEURON_O));
    }
    assert_true(worst < DORMANCY_TOLERANCE);
    cJSON_Delete(golden);
}

static void check_targets(const cJSON *targets, const cJSON *golden) {
    static const char *const EXACT[] = {"row", "position", "token"}, *const NEAR[] = {"gap", "entropy_base",
                                                                                      "entropy_sft", "logit",
                                                                                      "logit_linear"};
    double worst = 0.0;
    assert_int_equal(cJSON_GetArraySize(targets), 32);
    for (int i = 0; i < 32; i++) {
        const cJSON *found = cJSON_GetArrayItem(targets, i), *wanted = cJSON_GetArrayItem(golden, i);
        for (size_t k = 0; k < 3; k++)
            assert_true(read_number(found, EXACT[k]) == read_number(wanted, EXACT[k]));
        for (size_t k = 0; k < 5; k++)
            worst = fmax(worst, fabs(read_number(found, NEAR[k]) - read_number(wanted, NEAR[k])));
    }
    print_message("targets: largest error %.1e\n", worst);
    assert_true(worst < TOLERANCE);
}

/* Ranks in float32 and in float64 part where scores almost tie, the more so the deeper: the front, which a
 * reset at 4 % takes, is within 2 places. */
static void check_ranks(const cJSON *rows) {
    size_t bytes, neuron = 0, equal = 0, front = 0;
    int32_t *golden = golden_read_bytes("golden/method/%s/%s", "demo", "best_rank.i32", &bytes);
    double worst = 0.0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        double difference = fabs(read_number(row, "attribution_rank") - golden[neuron]);
        assert_true(read_number(row, "rank") == read_number(row, "attribution_rank"));
        assert_int_equal(json_get_bool(row, "reset", false), read_number(row, "rank") < 86);
        equal += difference == 0.0;
        if (golden[neuron++] >= 346) continue;
        worst = fmax(worst, difference);
        front++;
    }
    assert_int_equal(neuron * sizeof *golden, bytes);
    print_message("ranks: %zu of %zu equal; of the first %zu at most %g apart\n", equal, neuron, front,
                  worst);
    assert_true(worst <= 2.0);
    assert_true(equal > neuron / 2);
    free(golden);
}

static void every_neuron_has_its_golden_figures(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "attribution.json");
    cJSON *tree = RUN_JSON("neurons", base, sft, "-c", calibration, "--rho", "1%", "--sort", "layer");
    const cJSON *rows = json_find(tree, "neurons"), *dials = json_find(tree, "dials");
    assert_int_equal(cJSON_GetArraySize(rows), 8640);
    assert_true(read_number(tree, "rows") == 64);
    assert_true(read_number(tree, "tokens") == 4786);
    assert_true(read_number(tree, "response_tokens") == 2686);
    assert_true(read_number(dials, "alpha") == 0.5);
    assert_true(read_number(dials, "selected") == 384);
    check_targets(json_find(tree, "targets"), json_find(golden, "targets"));
    check_ranks(rows);
    check_all_dormancy(rows);
    assert_true(cJSON_IsNull(cell(rows->child, "dormancy_sft"))); /* of a q there is none */
    cJSON_Delete(tree);
    cJSON_Delete(golden);
}

static double golden_share(const cJSON *golden, const char *model, const char *key, int layer, double tau) {
    const cJSON *scores = cJSON_GetArrayItem(json_find(json_find(golden, model), key), layer), *score;
    size_t dormant = 0;
    cJSON_ArrayForEach(score, scores) dormant += score->valuedouble <= tau;
    return (double)dormant / cJSON_GetArraySize(scores);
}

/* The same shares module by module; what is not defined there is null. */
static void check_blocks(const cJSON *blocks, const cJSON *golden) {
    double mass = 0.0, reset = 0.0, compared = 0.0;
    int i = 0;
    const cJSON *block;
    assert_int_equal(cJSON_GetArraySize(blocks), (int)neurons_block_count(&TABLE));
    cJSON_ArrayForEach(block, blocks) {
        NeuronBlock at = neurons_block(&TABLE, (size_t)i++);
        int layer = (int)at.layer;
        bool down = at.module == NEURON_DOWN, out = at.module == NEURON_O;
        assert_string_equal(json_get_text(block, "module", ""), neurons_module_name(at.module));
        assert_int_equal((int)read_number(block, "layer"), layer);
        assert_true(read_number(block, "neurons") == (double)at.count);
        assert_true(read_number(block, "reset_share") == read_number(block, "reset") / (double)at.count);
        assert_int_equal(cJSON_IsNull(cell(block, "dormant_sft")), !down && !out);
        assert_int_equal(cJSON_IsNull(cell(block, "gradient_dormant")), !down);
        mass += read_number(block, "attribution_mass");
        reset += read_number(block, "reset");
        if (!down && !out) continue;
        const char *key = down ? "mlp" : "attention_channel";
        double before = golden_share(golden, "base", key, layer, 0.5),
               after = golden_share(golden, "sft", key, layer, 0.5);
        assert_true(read_number(block, "dormant_base") == before);
        assert_true(read_number(block, "dormant_sft") == after);
        assert_true(read_number(block, "dormant_change") == after - before);
        compared += after;
        if (down)
            assert_true(read_number(block, "gradient_dormant") ==
                        golden_share(golden, "sft", "mlp_gradient", layer, 0.25));
    }
    assert_true(compared > 0.0);
    assert_true(fabs(mass - 1.0) < 1e-12);
    assert_true(reset == 384);
}

/* No score of the golden data lies within 2e-5 of these thresholds, so shares are equal. */
static void dormant_shares_are_told_layer_by_layer(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "dormancy.json");
    cJSON *tree = RUN_JSON("neurons", base, sft, "-c", calibration, "--tau", "0.5", "--gradient-tau", "0.25",
                           "--top", "1");
    const cJSON *layers = json_find(tree, "dormant");
    double sum = 0.0, reset = 0.0;
    assert_int_equal(cJSON_GetArraySize(layers), 6);
    for (int i = 0; i < 6; i++) {
        const cJSON *layer = cJSON_GetArrayItem(layers, i);
        assert_true(read_number(layer, "mlp_base") == golden_share(golden, "base", "mlp", i, 0.5));
        assert_true(read_number(layer, "channel_sft") ==
                    golden_share(golden, "sft", "attention_channel", i, 0.5));
        assert_true(read_number(layer, "head_sft") == golden_share(golden, "sft", "attention_head", i, 0.5));
        assert_true(read_number(layer, "mlp_fused") == golden_share(golden, "rejuvenated", "mlp", i, 0.5));
        assert_true(read_number(layer, "mlp_gradient") ==
                    golden_share(golden, "sft", "mlp_gradient", i, 0.25));
        sum += read_number(layer, "mlp_base") + read_number(layer, "mlp_gradient");
        reset += read_number(layer, "reset");
    }
    check_blocks(json_find(tree, "blocks"), golden);
    assert_true(sum > 0.0); /* something was compared */
    assert_true(reset == 384);
    assert_int_equal(cJSON_GetArraySize(json_find(tree, "neurons")), 1);
    cJSON_Delete(tree);
    cJSON_Delete(golden);
}

static void neurons_are_sorted_and_picked_as_asked(void **unused) {
    (void)unused;
    static const struct {
        const char *key;
        double direction;
    } SORTS[] = {
        {"drift", -1}, {"attribution", -1}, {"rank", 1}, {"dormancy_sft", 1}, {"gradient_dormancy", 1}};
    char *few = few_rows();
    for (size_t i = 0; i < sizeof SORTS / sizeof *SORTS; i++) {
        cJSON *tree = RUN_JSON("neurons", base, sft, "-c", few, "--targets", "2", "--module", "down",
                               "--layer", "3", "--sort", SORTS[i].key, "--top", "40");
        double last = -INFINITY;
        const cJSON *rows = json_find(tree, "neurons"), *row;
        assert_int_equal(cJSON_GetArraySize(rows), 40);
        assert_int_equal(cJSON_GetArraySize(json_find(tree, "targets")), 2);
        cJSON_ArrayForEach(row, rows) {
            assert_string_equal(json_get_text(row, "module", ""), "down");
            assert_true(read_number(row, "layer") == 3);
            assert_true(SORTS[i].direction * read_number(row, SORTS[i].key) >= last);
            last = SORTS[i].direction * read_number(row, SORTS[i].key);
        }
        cJSON_Delete(tree);
    }
    free(few);
}

/* The set is the front of the list. */
static void a_selector_takes_the_neurons_that_its_column_puts_first(void **unused) {
    (void)unused;
    char *few = few_rows();
    cJSON *neurons = RUN_JSON("neurons", base, sft, "-c", few, "--select", "drift", "--targets", "1",
                              "--sort", "drift", "--top", "86");
    cJSON *reset = RUN_JSON("reset", base, sft, "--select", "drift");
    unsigned char marks[8640] = {0};
    assert_int_equal(mark(json_find(reset, "set"), marks), 86);
    const cJSON *row;
    cJSON_ArrayForEach(row, json_find(neurons, "neurons")) {
        NeuronModule module;
        assert_true(neurons_find_module(json_get_text(row, "module", ""), &module));
        NeuronBlock block = neurons_find_block(&TABLE, (uint64_t)read_number(row, "layer"), module);
        assert_int_equal(marks[block.first + (size_t)read_number(row, "index")], 1);
        assert_true(json_get_bool(row, "reset", false));
    }
    cJSON_Delete(neurons);
    cJSON_Delete(reset);
    free(few);
}

/* ---- sweep ---- */

static void compare_averages(const cJSON *averages, const char *model, const cJSON *point, double *worst) {
    const cJSON *figure;
    cJSON_ArrayForEach(figure, json_find(averages, model)) {
        if (strcmp(figure->string, "response_tokens") == 0) continue;
        *worst = fmax(*worst, fabs(figure->valuedouble - read_number(point, figure->string)));
    }
}

static void a_sweep_over_rho_has_the_golden_averages(void **unused) {
    (void)unused;
    cJSON *golden = golden_read_json("golden/method/%s/%s", "demo", "distributions.json");
    const cJSON *averages = json_find(golden, "averages");
    cJSON *tree = RUN_JSON("sweep", base, sft, "-c", calibration, "--rho", "0:2%:3");
    const cJSON *points = json_find(tree, "points");
    double worst = 0.0;
    assert_int_equal(cJSON_GetArraySize(points), 5); /* base, three, sft */
    compare_averages(averages, "base", cJSON_GetArrayItem(points, 0), &worst);
    compare_averages(averages, "fused", cJSON_GetArrayItem(points, 1), &worst);
    compare_averages(averages, "rejuvenated", cJSON_GetArrayItem(points, 2), &worst);
    compare_averages(averages, "sft", cJSON_GetArrayItem(points, 4), &worst);
    print_message("sweep over rho: largest error %.1e\n", worst);
    assert_true(worst < TOLERANCE);
    assert_true(read_number(cJSON_GetArrayItem(points, 2), "alpha") == 0.5);
    assert_true(read_number(cJSON_GetArrayItem(points, 2), "rho") == 0.01);
    assert_true(read_number(cJSON_GetArrayItem(points, 2), "selected") == 384);
    cJSON_Delete(tree);
    cJSON_Delete(golden);
}

static void two_ranges_are_a_plane(void **unused) {
    (void)unused;
    cJSON *tree = RUN_JSON("sweep", base, sft, "--prompt", "Question: Jack", "--rho", "0:0.5:3", "--alpha",
                           "0.4:0.6:2", "--select", "random", "--seed", "5");
    const cJSON *points = json_find(tree, "points");
    assert_int_equal(cJSON_GetArraySize(points), 8);
    for (int i = 0; i < 6; i++) {
        const cJSON *point = cJSON_GetArrayItem(points, 1 + i);
        assert_true(read_number(point, "alpha") == (i % 2 == 0 ? 0.4 : 0.6));
        assert_true(read_number(point, "rho") == 0.25 * (i / 2));
        assert_true(read_number(point, "selected") == 2160 * (i / 2));
    }
    assert_true(read_number(cJSON_GetArrayItem(points, 1), "kl_base") !=
                read_number(cJSON_GetArrayItem(points, 3), "kl_base"));
    cJSON_Delete(tree);
    PROGRAM_EXPECT(2, "at most 10000 points", "sweep", base, sft, "-p", "x", "--rho", "0:1:1000", "--alpha",
                   "0:1:1000", "--select", "drift");
}

/* What needs no gradient is told without one, unless attribution is asked for. */
static void neurons_without_a_way_back_have_their_dormancy(void **unused) {
    (void)unused;
    char *plain = golden_path("golden/dense/%s/%s", "opt", "base"),
         *tuned = golden_path("golden/dense/%s/%s", "opt", "sft"), *rows = scratch_path("ids.jsonl");
    scratch_write_text("ids.jsonl", "{\"prompt_ids\": [1, 7, 3], \"response_ids\": [9, 4, 11]}\n");
    cJSON *tree = RUN_JSON("neurons", plain, tuned, "--calibration", rows, "--quiet");
    size_t known = 0;
    const cJSON *neuron;
    cJSON_ArrayForEach(neuron, json_find(tree, "neurons")) {
        bool is_down = strcmp(json_get_text(neuron, "module", ""), "down") == 0;
        known += cJSON_IsNumber(json_find(neuron, "dormancy_fused")) ? 1 : 0;
        if (is_down) assert_true(cJSON_IsNumber(json_find(neuron, "dormancy_sft")));
        assert_true(cJSON_IsNumber(json_find(neuron, "drift")));
        assert_false(cJSON_IsNumber(json_find(neuron, "gradient_dormancy")));
        assert_false(cJSON_IsNumber(json_find(neuron, "attribution")));
        assert_false(cJSON_IsNumber(json_find(neuron, "rank")));
    }
    assert_int_equal(known, 2 * (24 + 16));
    const cJSON *not_known = json_find(tree, "not_known");
    assert_non_null(strstr(json_get_text(not_known, "attribution", ""), "norms on the stream"));
    assert_null(json_find(not_known, "dormancy")); /* null */
    assert_non_null(strstr(json_get_text(not_known, "gradient_dormancy", ""), "norms on the stream"));
    cJSON_Delete(tree);
    tree = RUN_JSON("neurons", plain, tuned, "--calibration", rows, "--select", "dormancy", "--quiet");
    assert_true(read_number(json_find(tree, "neurons")->child, "rank") == 0);
    cJSON_Delete(tree);
    static const char *const ASKED[][2] = {
        {"--select", "attribution"}, {"--select", "gradient"}, {"--rho", "1%"}};
    for (size_t i = 0; i < sizeof ASKED / sizeof *ASKED; i++) {
        ProgramResult result =
            PROGRAM_RUN("neurons", plain, tuned, "--calibration", rows, ASKED[i][0], ASKED[i][1]);
        assert_int_equal(result.status, 2);
        assert_non_null(strstr(result.errors, "no attribution, gradient dormancy or gradient at hand-over"));
        program_free(&result);
    }
    free(plain);
    free(tuned);
    free(rows);
}

/* Of rows that are refused no figure is known: that is an error, and no figure's reason. */
static void rows_that_are_refused_are_an_error_of_neurons(void **unused) {
    (void)unused;
    char *rows = scratch_path("refused.jsonl");
    scratch_write_text("refused.jsonl",
                       "{\"prompt\": \"a\", \"completions\": [\"b\"], \"labels\": [true]}\n");
    PROGRAM_EXPECT(2, "completions", "neurons", base, sft, "--calibration", rows);
    PROGRAM_EXPECT(2, "completions", "neurons", base, sft, "--calibration", rows, "--json");
    free(rows);
}

/* States are none of the method's modules: there is nothing to list, and that is no failure. */
static void a_model_of_states_alone_has_no_neurons_and_says_why(void **unused) {
    (void)unused;
    static const char *const WHAT[] = {"attribution", "dormancy", "gradient_dormancy"};
    char *plain = golden_path("golden/blocks/%s/%s", "states-channels-bare", "base"),
         *tuned = golden_path("golden/blocks/%s/%s", "states-channels-bare", "sft"),
         *rows = scratch_path("ids.jsonl");
    scratch_write_text("ids.jsonl", "{\"prompt_ids\": [1, 7, 3], \"response_ids\": [9, 4, 11]}\n");
    cJSON *tree = RUN_JSON("neurons", plain, tuned, "--calibration", rows, "--quiet");
    assert_int_equal(cJSON_GetArraySize(json_find(tree, "neurons")), 0);
    for (size_t i = 0; i < sizeof WHAT / sizeof *WHAT; i++)
        assert_non_null(strstr(json_get_text(json_find(tree, "not_known"), WHAT[i], ""), "no neurons"));
    cJSON_Delete(tree);
    PROGRAM_EXPECT(2, "no neurons", "neurons", plain, tuned, "--calibration", rows, "--rho", "1%");
    free(plain);
    free(tuned);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reset_set_is_the_golden_one_at_every_rho),
        cmocka_unit_test(the_text_of_a_reset_counts_its_neurons),
        cmocka_unit_test(rows_and_their_sum_come_from_one_opening),
        cmocka_unit_test(other_selectors_select_as_many_as_rho_says),
        cmocka_unit_test(every_neuron_has_its_golden_figures),
        cmocka_unit_test(dormant_shares_are_told_layer_by_layer),
        cmocka_unit_test(neurons_are_sorted_and_picked_as_asked),
        cmocka_unit_test(neurons_without_a_way_back_have_their_dormancy),
        cmocka_unit_test(a_model_of_states_alone_has_no_neurons_and_says_why),
        cmocka_unit_test(rows_that_are_refused_are_an_error_of_neurons),
        cmocka_unit_test(a_selector_takes_the_neurons_that_its_column_puts_first),
        cmocka_unit_test(a_sweep_over_rho_has_the_golden_averages),
        cmocka_unit_test(two_ranges_are_a_plane),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
