#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/commands/batch_rollout.h"
#include "tui/commands/batch_sampling.h"
#include "tui/commands/command.h"
#include "tui/commands/rollout_tables.h"
#include "tui/tables/table_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- JSON ---- */

/* Members of one name in both: the figures, and their standard errors. */
static bool add_figures(cJSON *values, cJSON *errors, const SampleFigures *figures) {
    bool complete = true;
    for (size_t i = 0; i < ROLLOUT_FIGURE_COUNT && complete; i++) {
        const SampleEstimate *own = rollout_tables_figure(figures, i);
        complete = json_add_number(values, ROLLOUT_FIGURES[i].key, own->value) &&
                   json_add_number(errors, ROLLOUT_FIGURES[i].key, own->error);
    }
    cJSON *pass = cJSON_AddObjectToObject(values, "pass_at"),
          *pass_errors = cJSON_AddObjectToObject(errors, "pass_at");
    for (size_t k = 1; k <= figures->fewest && complete; k++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%zu", k);
        complete = json_add_number(pass, key, figures->pass[k - 1].value) &&
                   json_add_number(pass_errors, key, figures->pass[k - 1].error);
    }
    return complete && pass != NULL && pass_errors != NULL;
}

static bool add_advantages(cJSON *tree, const BatchRollout *rollout) {
    cJSON *groups = cJSON_AddArrayToObject(tree, "advantages");
    const double *own = rollout->advantages;
    bool complete = groups != NULL;
    for (size_t g = 0; g < rollout->file.set.count && complete; g++) {
        size_t count = rollout->file.set.groups[g].sample_count;
        complete = cJSON_AddItemToArray(groups, json_new_numbers(own, count)); /* refuses NULL */
        own += count;
    }
    return complete;
}

static bool add_scores(cJSON *state, const BatchRollout *rollout, const SampleScore *scores) {
    cJSON *list = cJSON_AddArrayToObject(state, "per_sample");
    bool complete = list != NULL;
    for (size_t i = 0; i < rollout->rows.count && complete; i++) {
        cJSON *one = cJSON_CreateObject();
        complete = one != NULL && json_add_number(one, "log_probability", scores[i].log_probability) &&
                   json_add_number(one, "entropy", scores[i].entropy);
        complete = cJSON_AddItemToArray(list, one) && complete;
    }
    return complete;
}

static bool add_gradient(cJSON *state, const Gradient *gradient) {
    GradientNorms whole = gradient_add_up(gradient, GRADIENT_ALL, TENSOR_ROLE_COUNT);
    bool complete = json_add_number(state, "gradient_norm", whole.gradient);
    cJSON *norms = cJSON_AddObjectToObject(state, "gradient"),
          *weights = cJSON_AddObjectToObject(state, "weight_norm");
    for (size_t i = 0; i < gradient->count && complete; i++)
        complete = json_add_number(norms, gradient->tensors[i].tensor->name, gradient->tensors[i].norm) &&
                   json_add_number(weights, gradient->tensors[i].tensor->name, gradient->tensors[i].weight);
    return complete && norms != NULL && weights != NULL;
}

static bool add_states(cJSON *tree, const BatchRollout *rollout) {
    cJSON *states = cJSON_AddObjectToObject(tree, "states");
    bool complete = states != NULL;
    for (size_t side = 0; side < SIDE_COUNT && complete; side++) {
        const RolloutState *own = &rollout->states[side];
        cJSON *state = cJSON_AddObjectToObject(states, BATCH_ROLLOUT_STATES[side]);
        complete = state != NULL &&
                   batch_json_add_count(state, "response_tokens", own->means.response_tokens) &&
                   json_add_number(state, "entropy", own->means.entropy) &&
                   json_add_number(state, "mean_log_probability", own->means.log_probability) &&
                   json_add_number(state, "surrogate_loss", own->loss) &&
                   (!rollout->has_gradient || add_gradient(state, &own->gradient)) &&
                   add_scores(state, rollout, own->scores);
    }
    return complete;
}

typedef Status (*MakeTable)(const BatchRollout *rollout, Table **table, Error *error);

static bool add_table(cJSON *tree, const BatchRollout *rollout, const char *key, MakeTable make) {
    Table *table = NULL;
    bool complete = make(rollout, &table, NULL) == STATUS_OK && batch_json_add_table(tree, key, table);
    table_free(table);
    return complete;
}

static bool has_experts(const BatchRollout *rollout) {
    return rollout->states[SIDE_FUSED].gradient.expert_count > 0;
}

/* Modules, layers and experts, as the text form has them. */
static bool add_sums(cJSON *tree, const BatchRollout *rollout) {
    bool complete = !rollout->has_gradient || (add_table(tree, rollout, "modules", rollout_tables_modules) &&
                                               add_table(tree, rollout, "layers", rollout_tables_layers));
    if (!has_experts(rollout)) return complete;
    return complete && add_table(tree, rollout, "expert_layers", rollout_tables_expert_layers) &&
           add_table(tree, rollout, "experts", rollout_tables_experts);
}

/* How samples were made, and what each state's own are worth. */
static bool add_sampling(cJSON *tree, const Batch *batch, const BatchRollout *rollout) {
    if (!rollout->is_sampled) return true;
    RolloutOptions options = batch_sampling_options(batch->options, rollout->file.facts);
    cJSON *how = cJSON_AddObjectToObject(tree, "sampling"), *drawn = cJSON_AddObjectToObject(tree, "sampled");
    bool complete = how != NULL && drawn != NULL &&
                    json_add_text(how, "from", BATCH_ROLLOUT_STATES[batch_sampling_side(batch->options)]) &&
                    batch_json_add_count(how, "samples_per_prompt", options.samples) &&
                    batch_json_add_count(how, "max_tokens", options.most_tokens) &&
                    json_add_number(how, "temperature", options.sampling.temperature) &&
                    json_add_number(how, "top_p", options.sampling.top_p) &&
                    batch_json_add_count(how, "top_k", options.sampling.top_k);
    for (Side side = SIDE_BASE; side < SIDE_COUNT && complete; side++) {
        const SampleFigures *figures = batch_rollout_drawn(batch, rollout, side);
        if (figures == NULL) continue;
        cJSON *values = cJSON_AddObjectToObject(drawn, BATCH_ROLLOUT_STATES[side]);
        cJSON *errors = values == NULL ? NULL : cJSON_AddObjectToObject(values, "standard_error");
        complete = errors != NULL && add_figures(values, errors, figures);
    }
    return complete;
}

static bool fill_tree(cJSON *tree, const Batch *batch, const BatchRollout *rollout) {
    const SampleFigures *figures = &rollout->figures;
    cJSON *errors = cJSON_CreateObject();
    bool complete = errors != NULL && json_add_text(tree, "base", batch->pair->base->directory) &&
                    json_add_text(tree, "sft", batch->pair->sft->directory) &&
                    json_add_text(tree, "source", rollout->file.facts->source) &&
                    batch_json_add_end(tree, batch, rollout->file.facts) &&
                    batch_method_add_json(tree, &rollout->dials.settings, false) &&
                    json_add_number(tree, "alpha", rollout->dials.settings.alpha) &&
                    batch_json_add_count(tree, "seed", rollout->seed) &&
                    batch_json_add_count(tree, "prompts", figures->prompt_count) &&
                    batch_json_add_count(tree, "samples", figures->fewest) &&
                    add_figures(tree, errors, figures);
    complete = json_add(tree, "standard_error", errors) && complete; /* takes it over */
    complete = complete && add_sampling(tree, batch, rollout) && add_advantages(tree, rollout) &&
               add_states(tree, rollout) && add_sums(tree, rollout) &&
               add_table(tree, rollout, "per_prompt", rollout_tables_prompts);
    return complete;
}

static Status write_json(Batch *batch, const BatchRollout *rollout, Error *error) {
    cJSON *tree = cJSON_CreateObject();
    if (tree != NULL && fill_tree(tree, batch, rollout)) return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

/* ---- text and CSV ---- */

static Status write_table(Batch *batch, const BatchRollout *rollout, MakeTable make, const char *head,
                          Error *error) {
    Table *table = NULL;
    Status status = make(rollout, &table, error);
    if (status == STATUS_OK && head != NULL) batch_print("%s", head);
    if (status == STATUS_OK) status = batch_write_table(batch, table, error);
    if (status == STATUS_OK && head != NULL) batch_print("%s", "");
    table_free(table);
    return status;
}

static Status write_text(Batch *batch, const BatchRollout *rollout, Error *error) {
    const struct {
        MakeTable make;
        const char *head;
        bool is_there;
    } TABLES[] = {
        {rollout_tables_prompts, "Prompts", true},
        {rollout_tables_figures, "Over all prompts, with standard errors of the bootstrap", true},
        {rollout_tables_states, "The samples under base, SFT and W; the gradient at hand-over", true},
        {rollout_tables_modules, "The gradient by module, and beside the weights", rollout->has_gradient},
        {rollout_tables_layers, "The gradient by layer, and beside the weights", rollout->has_gradient},
        {rollout_tables_expert_layers,
         "Experts: how many learn nothing from these samples, and the largest one's share of all that they learn",
         has_experts(rollout)},
    };
    Table *drawn = NULL;
    Status status = rollout->is_sampled ? rollout_tables_drawn(batch, rollout, &drawn, error) : STATUS_OK;
    if (status == STATUS_OK && drawn != NULL) {
        batch_print("What each state's own samples are worth");
        status = batch_write_table(batch, drawn, error);
        batch_print("%s", "");
    }
    table_free(drawn);
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES && status == STATUS_OK; i++) {
        if (TABLES[i].is_there) status = write_table(batch, rollout, TABLES[i].make, TABLES[i].head, error);
    }
    if (status != STATUS_OK) return status;
    char reset[256];
    batch_method_describe_reset(&rollout->dials.settings, reset, sizeof reset);
    if (reset[0] != '\0') batch_print("%s", reset);
    batch_print("%zu samples of %zu prompt%s, %zu response tokens; W at alpha %.4g.", rollout->rows.count,
                rollout->figures.prompt_count, rollout->figures.prompt_count == 1 ? "" : "s",
                rollout->rows.response_tokens, rollout->dials.settings.alpha);
    return STATUS_OK;
}

static Status write_report(Batch *batch, const BatchRollout *rollout, Error *error) {
    switch (batch->format) {
    case TABLE_AS_JSON:
        return write_json(batch, rollout, error);
    case TABLE_AS_CSV:
        return write_table(batch, rollout,
                           rollout->has_gradient ? rollout_tables_tensors : rollout_tables_samples, NULL,
                           error);
    default:
        return write_text(batch, rollout, error);
    }
}

static Status run(Batch *batch, Error *error) {
    BatchRollout rollout = {0};
    Status status = batch_rollout_measure(batch, &rollout, error);
    if (status == STATUS_OK && ranks_is_lead(batch->ranks)) /* others have no scores */
        status = write_report(batch, &rollout, error);
    batch_rollout_free(&rollout);
    return status;
}

const Command command_rollout = {
    .details =
        "Answers are sampled to --prompts, or samples are read from --samples, one a line of JSON:\n"
        "  prompt        the number of its group, a text, or chat messages (rendered by the SFT model's template, --template); "
        "prompt_ids beside a number or instead of a text\n"
        "  response      a text, or response_ids\n"
        "  reward        a number, or true and false; a sample is right from 1 on\n"
        "  answer        what --reward compares with\n"
        "and under the names that verl (input, output, gts, score) and vLLM (prompt_token_ids, outputs, text, token_ids) "
        "have for them. Texts are tokenized as rows of --calibration are (rejuv help calibration).\n"
        "\n"
        "avg@K is the share of right samples, pass@k the chance that one of k is right, 1 - C(n-c,k)/C(n,k), for each k up "
        "to the fewest samples that a prompt has; gap is pass@K - avg@K. A mixed prompt has rewards that are not all "
        "equal: a group-relative step learns from no other. Figures over all prompts are means over prompts, their "
        "standard errors from drawing the prompts anew 1000 times.\n"
        "\n"
        "The gradient at hand-over is that of L = -1/N sum A ln p(token) over all N response tokens, A the sample's "
        "advantage, (reward - mean) / (std + 1e-6) within its prompt, std with n - 1. Norms are Frobenius; a tied "
        "lm_head is one matrix with its embedding. Each expert of an MLP has its own, also where one tensor holds all; which experts a "
        "token goes to is taken as it is. A gradient beside its weights is the step relative to them that a fixed "
        "learning rate takes.\n"
        "\n"
        "--reward-command is run once. It gets a line {\"prompt\": ..., \"response\": ..., \"answer\": ...} for each sample "
        "and prints a number a line; it may wait for the end of its input. One that ends badly, prints something else, or "
        "neither reads nor answers for --reward-timeout seconds is an error with the number of its line.\n"
        "\n"
        "JSON: an object with\n"
        "  base, sft, source, end_token, dials  as in sweep --help; alpha, seed\n"
        "  sampling        with --prompts: {from, samples_per_prompt, max_tokens, temperature, top_p, top_k}\n"
        "  sampled         with --prompts: {base|sft|fused: the figures below of its own samples}, of the states that --from "
        "names\n"
        "  prompts, samples  how many, and of each (the fewest that one has)\n"
        "  avg_at_k, mean_reward, mixed_share, gap, response_length, repeated_share, pass_at {\"1\": ...}\n"
        "  standard_error  {the same names}; \"NaN\" for a single prompt\n"
        "  advantages      [[...]]: of each prompt's samples\n"
        "  states          {base|sft|fused: {response_tokens, entropy, mean_log_probability, surrogate_loss, "
        "per_sample: [{log_probability, entropy}]}}; with --gradient also gradient_norm, gradient and weight_norm, both "
        "{tensor: norm}\n"
        "  modules, layers  with --gradient: [{module | layer, tensors, gradient_base, gradient_sft, gradient_fused, "
        "relative_base, relative_sft, relative_fused}]\n"
        "  expert_layers   with --gradient, only of a mixture of experts: [{layer, experts, untouched_base, ..._sft, ..._fused "
        "(experts with a gradient of 0, as where no token goes to them), largest_share_... (of the squared gradient over all "
        "of the layer's experts)}]\n"
        "  experts         the same: [{layer, expert, gradient_base, ..._sft, ..._fused, weight_...}]: norms over all weights "
        "and biases of an expert\n"
        "  per_prompt      [{prompt, samples, right, avg, pass_at_k, mean_reward, mixed, response_length, "
        "repeated_share}]\n"
        "CSV: the samples; with --gradient the tensors",
    .is_dealt = true,
    .run = run,
};
