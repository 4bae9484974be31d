/* What the method says of one module of one layer, by hand. */
#include "core/method/attribution_rank.h"
#include "tui/tables/block_metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Two layers of 2 q, 1 k, 1 v, 3 gate, 3 up, 2 o and 4 down: 32 neurons. */
static const NeuronTable TABLE = {.layers = 2, .counts = {2, 1, 1, 0, 3, 3, 0, 2, 4}};
enum { NEURONS = 32, PER_LAYER = 16, BLOCKS = 14 };

static NeuronBlock block_at(uint64_t layer, NeuronModule module) {
    return neurons_find_block(&TABLE, layer, module);
}

/* ---- attribution mass ---- */

static void each_target_counts_once_however_large_its_scores(void **state) {
    (void)state;
    float first[NEURONS] = {0}, second[NEURONS] = {0};
    double shares[BLOCKS] = {0};
    AttributionMass mass = {.shares = shares};
    first[0] = 1;                                /* 0.q */
    first[1] = 2;                                /* 0.q */
    first[PER_LAYER + 12] = 5;                   /* 1.down */
    second[PER_LAYER + 15] = 4000;               /* 1.down */
    second[2] = 1000;                            /* 0.k */
    attribution_mass_add(&mass, &TABLE, first);  /* of 8: 3/8 in 0.q, 5/8 in 1.down */
    attribution_mass_add(&mass, &TABLE, second); /* of 5000: 1/5 in 0.k, 4/5 in 1.down */
    attribution_mass_finish(&mass, &TABLE);
    assert_int_equal(mass.targets, 2);
    double sum = 0;
    for (size_t b = 0; b < BLOCKS; b++) {
        NeuronBlock block = neurons_block(&TABLE, b);
        double expected = 0;
        if (block.layer == 0 && block.module == NEURON_Q) expected = 0.1875;    /* (3/8 + 0) / 2 */
        if (block.layer == 0 && block.module == NEURON_K) expected = 0.1;       /* (0 + 1/5) / 2 */
        if (block.layer == 1 && block.module == NEURON_DOWN) expected = 0.7125; /* (5/8 + 4/5) / 2 */
        assert_true(fabs(shares[b] - expected) < 1e-15);
        sum += shares[b];
    }
    assert_true(fabs(sum - 1) < 1e-15);
}

static void a_target_without_scores_has_no_shares(void **state) {
    (void)state;
    float none[NEURONS] = {0}, one[NEURONS] = {0};
    double shares[BLOCKS] = {0};
    AttributionMass mass = {.shares = shares};
    attribution_mass_add(&mass, &TABLE, none);
    one[3] = 7; /* 0.v */
    attribution_mass_add(&mass, &TABLE, one);
    attribution_mass_finish(&mass, &TABLE);
    assert_int_equal(mass.targets, 1);
    assert_true(shares[NEURON_V] == 1);
    assert_true(shares[NEURON_Q] == 0);
}

static void without_any_target_there_is_no_mass(void **state) {
    (void)state;
    double shares[BLOCKS] = {0};
    AttributionMass mass = {.shares = shares};
    attribution_mass_finish(&mass, &TABLE);
    for (size_t b = 0; b < BLOCKS; b++) assert_true(isnan(shares[b]));
}

static void a_score_that_is_no_number_shows(void **state) {
    (void)state;
    float scores[NEURONS] = {1, 2, NAN};
    double shares[BLOCKS] = {0};
    AttributionMass mass = {.shares = shares};
    attribution_mass_add(&mass, &TABLE, scores);
    attribution_mass_finish(&mass, &TABLE);
    for (size_t b = 0; b < BLOCKS; b++) assert_true(isnan(shares[b]));
}

/* ---- the figures of a block ---- */

/* [layers × mlp] and [layers × channels] */
static double base_mlp[] = {0.0, 0.02, 1.0, 2.98, 0.03, 0.04, 1.0, 2.93};
static double sft_mlp[] = {0.025, 0.02, 0.0, 3.955, 1.0, 1.0, 1.0, 1.0};
static double base_channels[] = {0.0, 2.0, 1.0, 1.0}, sft_channels[] = {0.0, 0.0, 1.0, 1.0};
static double gradients[] = {0.005, 0.01, 0.011, 3.974, 1.0, 1.0, 1.0, 1.0};

static const Dormancy BASE = {
    .layers = 2, .mlp = 4, .channels = 2, .mlp_scores = base_mlp, .channel_scores = base_channels};
static const Dormancy SFT = {.layers = 2,
                             .mlp = 4,
                             .channels = 2,
                             .mlp_scores = sft_mlp,
                             .channel_scores = sft_channels,
                             .gradient_scores = gradients};

static double value_of(BlockMetric metric, const BlockSources *sources, uint64_t layer, NeuronModule module) {
    NeuronBlock block = block_at(layer, module);
    return block_metric_value(metric, sources, &block);
}

static void dormant_shares_are_of_the_inputs_of_down_and_of_o(void **state) {
    (void)state;
    const BlockSources sources = {.base = &BASE, .sft = &SFT, .tau = 0.025, .gradient_tau = 0.01};
    assert_true(value_of(BLOCK_DORMANT_BASE, &sources, 0, NEURON_DOWN) == 0.5);
    assert_true(value_of(BLOCK_DORMANT_SFT, &sources, 0, NEURON_DOWN) == 0.75); /* τ itself is dormant */
    assert_true(value_of(BLOCK_DORMANT_CHANGE, &sources, 0, NEURON_DOWN) == 0.25);
    assert_true(value_of(BLOCK_DORMANT_BASE, &sources, 1, NEURON_DOWN) == 0);
    assert_true(value_of(BLOCK_DORMANT_BASE, &sources, 0, NEURON_O) == 0.5);
    assert_true(value_of(BLOCK_DORMANT_SFT, &sources, 0, NEURON_O) == 1);
    assert_true(value_of(BLOCK_DORMANT_CHANGE, &sources, 1, NEURON_O) == 0);
    assert_true(value_of(BLOCK_GRADIENT_DORMANT, &sources, 0, NEURON_DOWN) == 0.5);
}

static void another_threshold_gives_other_shares(void **state) {
    (void)state;
    BlockSources sources = {.base = &BASE, .sft = &SFT, .tau = 0.04, .gradient_tau = 0.02};
    assert_true(value_of(BLOCK_DORMANT_BASE, &sources, 1, NEURON_DOWN) == 0.5);
    assert_true(value_of(BLOCK_DORMANT_CHANGE, &sources, 1, NEURON_DOWN) == -0.5);
    assert_true(value_of(BLOCK_GRADIENT_DORMANT, &sources, 0, NEURON_DOWN) == 0.75);
    assert_true(block_metric_has_tau(BLOCK_DORMANT_CHANGE) && block_metric_has_tau(BLOCK_GRADIENT_DORMANT));
    assert_false(block_metric_has_tau(BLOCK_ATTRIBUTION_MASS) || block_metric_has_tau(BLOCK_RESET_SHARE));
}

static void the_share_in_the_reset_set_follows_the_cut(void **state) {
    (void)state;
    uint32_t ranks[NEURONS];
    for (uint32_t i = 0; i < NEURONS; i++) ranks[i] = i;
    Ranking *ranking;
    const RankingOrigin origin = {.selector = SELECTOR_DRIFT};
    assert_int_equal(ranking_create(&TABLE, &origin, ranks, &ranking, NULL), STATUS_OK);
    BlockSources sources = {.ranking = ranking, .cut = 0};
    assert_true(value_of(BLOCK_RESET_SHARE, &sources, 0, NEURON_Q) == 0);
    sources.cut = 1;
    assert_true(value_of(BLOCK_RESET_SHARE, &sources, 0, NEURON_Q) == 0.5);
    sources.cut = 13;
    assert_true(value_of(BLOCK_RESET_SHARE, &sources, 0, NEURON_UP) == 1);
    assert_true(value_of(BLOCK_RESET_SHARE, &sources, 0, NEURON_DOWN) == 0.25);
    assert_true(value_of(BLOCK_RESET_SHARE, &sources, 1, NEURON_Q) == 0);
    ranking_free(ranking);
}

static void what_does_not_apply_is_no_zero(void **state) {
    (void)state;
    double masses[BLOCKS] = {0.5};
    const Attribution attribution = {.masses = masses};
    const BlockSources sources = {.base = &BASE, .sft = &SFT, .attribution = &attribution, .tau = 0.025};
    for (int module = 0; module < NEURON_MODULE_COUNT; module++) {
        NeuronModule m = (NeuronModule)module;
        if (TABLE.counts[m] == 0) continue;
        bool dormancy = m == NEURON_O || m == NEURON_DOWN;
        assert_int_equal(block_metric_applies(BLOCK_DORMANT_SFT, m), dormancy);
        assert_int_equal(isnan(value_of(BLOCK_DORMANT_SFT, &sources, 0, m)) != 0, !dormancy);
        assert_int_equal(block_metric_applies(BLOCK_GRADIENT_DORMANT, m), m == NEURON_DOWN);
        assert_int_equal(isnan(value_of(BLOCK_GRADIENT_DORMANT, &sources, 0, m)) != 0, m != NEURON_DOWN);
        assert_true(block_metric_applies(BLOCK_ATTRIBUTION_MASS, m));
        assert_true(value_of(BLOCK_ATTRIBUTION_MASS, &sources, 0, m) == (m == NEURON_Q ? 0.5 : 0));
    }
}

static void what_is_not_measured_is_not_known(void **state) {
    (void)state;
    const BlockSources none = {.tau = 0.025}, base = {.base = &BASE, .tau = 0.025};
    for (int i = 0; i < BLOCK_METRIC_COUNT; i++) {
        BlockMetric metric = (BlockMetric)i;
        assert_false(block_metric_is_known(metric, &none));
        assert_true(isnan(value_of(metric, &none, 0, NEURON_DOWN)));
        assert_int_equal(block_metric_is_known(metric, &base), metric == BLOCK_DORMANT_BASE);
    }
    const BlockSources no_gradient = {.sft = &BASE};
    assert_false(block_metric_is_known(BLOCK_GRADIENT_DORMANT, &no_gradient));
}

/* ---- experts ---- */

/* One layer: of two experts, two inputs of down each, and a shared one of three; gate and up as many. */
static const NeuronTable MIXTURE = {
    .layers = 1,
    .experts = {.count = 2,
                .counts = {[NEURON_GATE] = 2, [NEURON_UP] = 2, [NEURON_DOWN] = 2},
                .shared = {[NEURON_GATE] = 3, [NEURON_UP] = 3, [NEURON_DOWN] = 3},
                .layers = {1}}};

static BlockCell cell_of(TensorRole role) {
    const Tensor sft = {.rows = 2, .columns = 2};
    const PairTensor tensor = {.name = "any", .sft = &sft, .role = role, .layer = 0};
    BlockCell cell;
    assert_true(block_of_tensor(&MIXTURE, &tensor, true, &cell));
    return cell;
}

static void a_cell_of_experts_has_the_figures_of_all_of_them(void **state) {
    (void)state;
    double scores[] = {0, 1, 0, 0, 5, 5, 0}; /* routed: three of four are dormant; shared: one of three */
    const Dormancy dormancy = {.layers = 1, .mlp = 7, .mlp_scores = scores, .gradient_scores = scores};
    float one[21] = {0};
    double masses[3] = {0}, shared[3] = {0};
    AttributionMass mass = {.shares = masses, .shared = shared};
    for (size_t b = 0; b < 3; b++) { /* each block: 2 routed, 1 shared, of 10 in all */
        one[7 * b + 1] = 2;
        one[7 * b + 6] = 1;
    }
    one[0] = 1;
    attribution_mass_add(&mass, &MIXTURE, one);
    attribution_mass_finish(&mass, &MIXTURE);
    const Attribution attribution = {.masses = masses, .shared_masses = shared};
    uint32_t ranks[21];
    for (uint32_t i = 0; i < 21; i++) ranks[i] = i;
    Ranking *ranking;
    const RankingOrigin origin = {.selector = SELECTOR_DRIFT};
    assert_int_equal(ranking_create(&MIXTURE, &origin, ranks, &ranking, NULL), STATUS_OK);
    const BlockSources sources = {.base = &dormancy,
                                  .sft = &dormancy,
                                  .attribution = &attribution,
                                  .ranking = ranking,
                                  .cut = 6,
                                  .tau = 0.025,
                                  .gradient_tau = 0.01};
    const BlockCell routed = cell_of(TENSOR_EXPERT), common = cell_of(TENSOR_SHARED_EXPERT);
    assert_int_equal(block_cell_neurons(&routed), 12);
    assert_int_equal(block_cell_neurons(&common), 9);
    assert_true(block_metric_cell(BLOCK_DORMANT_SFT, &sources, &routed) == 0.75);
    assert_true(fabs(block_metric_cell(BLOCK_GRADIENT_DORMANT, &sources, &common) - 1.0 / 3.0) < 1e-15);
    assert_true(fabs(block_metric_cell(BLOCK_ATTRIBUTION_MASS, &sources, &routed) - 0.7) < 1e-15);
    assert_true(fabs(block_metric_cell(BLOCK_ATTRIBUTION_MASS, &sources, &common) - 0.3) < 1e-15);
    assert_true(fabs(block_metric_cell(BLOCK_RESET_SHARE, &sources, &routed) - 4.0 / 12.0) < 1e-15);
    assert_true(fabs(block_metric_cell(BLOCK_RESET_SHARE, &sources, &common) - 2.0 / 9.0) < 1e-15);
    ranking_free(ranking);
}

/* Of one routed expert its dormancy and its reset are known; what it carries of attribution is not. */
static void one_expert_has_no_mass_of_its_own(void **state) {
    (void)state;
    NeuronBlock whole = neurons_find_block(&MIXTURE, 0, NEURON_DOWN);
    const BlockCell cell = {.parts = {neurons_of_expert(&MIXTURE, &whole, 1)}, .count = 1};
    double scores[] = {1, 1, 0, 1, 1, 1, 1}, masses[3] = {0.5, 0.25, 0.25};
    const Dormancy dormancy = {.layers = 1, .mlp = 7, .mlp_scores = scores};
    const Attribution attribution = {.masses = masses};
    const BlockSources sources = {.sft = &dormancy, .attribution = &attribution, .tau = 0.025};
    assert_true(block_metric_cell(BLOCK_DORMANT_SFT, &sources, &cell) == 0.5);
    assert_false(block_metric_applies_to(BLOCK_ATTRIBUTION_MASS, &cell));
    assert_true(isnan(block_metric_cell(BLOCK_ATTRIBUTION_MASS, &sources, &cell)) != 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_target_counts_once_however_large_its_scores),
        cmocka_unit_test(a_target_without_scores_has_no_shares),
        cmocka_unit_test(without_any_target_there_is_no_mass),
        cmocka_unit_test(a_score_that_is_no_number_shows),
        cmocka_unit_test(dormant_shares_are_of_the_inputs_of_down_and_of_o),
        cmocka_unit_test(another_threshold_gives_other_shares),
        cmocka_unit_test(the_share_in_the_reset_set_follows_the_cut),
        cmocka_unit_test(what_does_not_apply_is_no_zero),
        cmocka_unit_test(a_cell_of_experts_has_the_figures_of_all_of_them),
        cmocka_unit_test(one_expert_has_no_mass_of_its_own),
        cmocka_unit_test(what_is_not_measured_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
