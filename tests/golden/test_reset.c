/*
 * The numbering of neurons and the sets that ρ selects, against golden/method/PAIR/attribution.json: block by
 * block, and neuron for neuron. Tolerance: none, for the ranks are golden's own.
 */
#include "core/fusion/reset_set.h"
#include "tests/golden/golden_ranking.h"

#include <string.h>

static Pair *open_pair(const char *root) {
    char *base = golden_path("%s/%s", root, "base"), *sft = golden_path("%s/%s", root, "sft");
    Pair *pair;
    Error error = {0};
    if (pair_open(base, sft, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(base);
    free(sft);
    return pair;
}

static void check_table(const cJSON *golden, const NeuronTable *table) {
    const cJSON *expected;
    size_t blocks = 0;
    assert_int_equal(neurons_count(table), (uint64_t)json_get_number(golden, "neurons", -1.0));
    cJSON_ArrayForEach(expected, json_find(golden, "table")) {
        NeuronBlock block = neurons_block(table, blocks++);
        assert_int_equal(block.layer, (uint64_t)json_get_number(expected, "layer", -1.0));
        assert_string_equal(neurons_module_name(block.module), json_get_text(expected, "module", ""));
        bool by_rows = !neurons_facts(block.module)->are_inputs;
        assert_string_equal(by_rows ? "row" : "column", json_get_text(expected, "axis", ""));
        assert_int_equal(block.first, (uint64_t)json_get_number(expected, "first", -1.0));
        assert_int_equal(block.count, (uint64_t)json_get_number(expected, "count", -1.0));
    }
    assert_int_equal(blocks, neurons_block_count(table));
}

/* Golden names empty blocks or leaves them out; what is compared is the members. */
static void check_set(const cJSON *expected, const cJSON *found, const Ranking *ranking) {
    size_t members = 0;
    for (size_t i = 0; i < neurons_block_count(&ranking->table); i++) {
        NeuronBlock block = neurons_block(&ranking->table, i);
        char name[NEURONS_NAME_SIZE];
        neurons_name_block(&block, name);
        const cJSON *wanted = json_find(json_find(expected, "set"), name);
        const cJSON *list = json_find(json_find(found, "set"), name);
        assert_int_equal(cJSON_GetArraySize(list), cJSON_GetArraySize(wanted));
        if (cJSON_GetArraySize(list) > 0) assert_true(cJSON_Compare(list, wanted, true));
        members += (size_t)cJSON_GetArraySize(list);
    }
    assert_int_equal(members, (size_t)json_get_number(expected, "neurons", -1.0));
    assert_int_equal(members, (size_t)json_get_number(found, "selected", -1.0));
    assert_int_equal((int)json_get_number(expected, "per_target", -1.0),
                     (int)json_get_number(found, "per_target", -2.0));
}

static void check_pair(const char *name, const char *root) {
    Pair *pair = open_pair(root);
    cJSON *golden = golden_read_json("golden/method/%s/%s", name, "attribution.json");
    Ranking *ranking = golden_read_ranking(name, &pair->sft->model), *again;
    check_table(golden, &ranking->table);
    const cJSON *expected;
    int sets = 0;
    cJSON_ArrayForEach(expected, json_find(golden, "resets")) {
        double rho = strtod(expected->string, NULL);
        uint32_t cut = ranking_cut(ranking, rho);
        cJSON *found = cJSON_CreateObject();
        assert_true(reset_set_add(found, ranking, cut));
        check_set(expected, found, ranking);
        /* and the list alone selects the same neurons again */
        Error error = {0};
        const RankingOrigin origin = {.selector = SELECTOR_LIST};
        if (reset_set_read(found, "golden", &ranking->table, &origin, &again, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        for (uint64_t i = 0; i < neurons_count(&ranking->table); i++)
            assert_int_equal(again->ranks[i] < cut, ranking->ranks[i] < cut);
        ranking_free(again);
        cJSON_Delete(found);
        sets++;
    }
    assert_int_equal(sets, 4);
    ranking_free(ranking);
    cJSON_Delete(golden);
    pair_close(pair);
}

static void neurons_are_numbered_and_selected_as_golden_has_them(void **state) {
    (void)state;
    check_pair("demo", "demo");
    check_pair("qwen2-bias", "golden/pairs/qwen2-bias");
    check_pair("qwen3-tied", "golden/pairs/qwen3-tied");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neurons_are_numbered_and_selected_as_golden_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
