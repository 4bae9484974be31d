#include "tui/commands/rollout_tables.h"

#include "core/checkpoint/tensor_name.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define COLUMNS_OF(columns) columns, sizeof(columns) / sizeof *(columns)

const RolloutFigure ROLLOUT_FIGURES[ROLLOUT_FIGURE_COUNT] = {
    {"avg_at_k", "avg@K", offsetof(SampleFigures, average)},
    {"gap", "gap", offsetof(SampleFigures, gap)},
    {"mean_reward", "mean reward", offsetof(SampleFigures, mean_reward)},
    {"mixed_share", "mixed prompts", offsetof(SampleFigures, mixed)},
    {"response_length", "response tokens", offsetof(SampleFigures, tokens)},
    {"repeated_share", "repeated answers", offsetof(SampleFigures, repeated)},
};

const SampleEstimate *rollout_tables_figure(const SampleFigures *figures, size_t index) {
    return (const SampleEstimate *)(const void *)((const char *)figures + ROLLOUT_FIGURES[index].offset);
}

/* ---- samples ---- */

Status rollout_tables_prompts(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"prompt", NULL, NULL, TABLE_INTEGER, 0},
        {"samples", NULL, NULL, TABLE_INTEGER, 0},
        {"right", NULL, NULL, TABLE_INTEGER, 0},
        {"avg", NULL, NULL, TABLE_NUMBER, 3},
        {"pass_at_k", "pass@K", NULL, TABLE_NUMBER, 3},
        {"mean_reward", "reward", NULL, TABLE_NUMBER, 3},
        {"mixed", NULL, NULL, TABLE_BOOL, 0},
        {"response_length", "tokens", NULL, TABLE_NUMBER, 4},
        {"repeated_share", "repeated", NULL, TABLE_NUMBER, 3},
    };
    const SampleFigures *figures = &rollout->figures;
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    for (size_t i = 0; i < figures->prompt_count && status == STATUS_OK; i++) {
        const PromptFigures *prompt = &figures->prompts[i];
        table_add_row(*table);
        table_add_integer(*table, (int64_t)i);
        table_add_integer(*table, (int64_t)prompt->samples);
        table_add_integer(*table, (int64_t)prompt->right);
        table_add_number(*table, prompt->average);
        table_add_number(*table, sample_figures_pass(prompt->samples, prompt->right, figures->fewest));
        table_add_number(*table, prompt->mean_reward);
        table_add_bool(*table, prompt->is_mixed);
        table_add_number(*table, prompt->tokens);
        table_add_number(*table, prompt->repeated);
    }
    return status;
}

/* One prompt has no standard error. */
static void add_estimate(Table *table, const SampleFigures *figures, const SampleEstimate *figure) {
    table_add_number(table, figure->value);
    table_add_figure(table, figure->error, figures->prompt_count < 2);
}

static void add_figure(Table *table, const char *label, const SampleFigures *figures,
                       const SampleEstimate *figure) {
    table_add_row(table);
    table_add_text(table, label);
    add_estimate(table, figures, figure);
}

Status rollout_tables_figures(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"figure", NULL, NULL, TABLE_TEXT, 0},
                                          {"value", NULL, NULL, TABLE_NUMBER, 4},
                                          {"error", "± its error", NULL, TABLE_NUMBER, 2}};
    const SampleFigures *figures = &rollout->figures;
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < ROLLOUT_FIGURE_COUNT; i++)
        add_figure(*table, ROLLOUT_FIGURES[i].label, figures, rollout_tables_figure(figures, i));
    for (size_t k = 1; k <= figures->fewest; k++) {
        char label[32];
        (void)snprintf(label, sizeof label, "pass@%zu", k);
        add_figure(*table, label, figures, &figures->pass[k - 1]);
    }
    return STATUS_OK;
}

static void add_sample(const BatchRollout *rollout, Table *table, size_t g, size_t i, size_t row) {
    const Sample *sample = &rollout->file.set.groups[g].samples[i];
    table_add_row(table);
    table_add_integer(table, (int64_t)g);
    table_add_integer(table, (int64_t)i);
    table_add_number(table, sample->reward);
    table_add_number(table, rollout->advantages[row]);
    table_add_integer(table, (int64_t)sample->count);
    for (size_t side = 0; side < SIDE_COUNT; side++)
        table_add_number(table, rollout->states[side].scores[row].log_probability);
    for (size_t side = 0; side < SIDE_COUNT; side++)
        table_add_number(table, rollout->states[side].scores[row].entropy);
}

Status rollout_tables_samples(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"prompt", NULL, NULL, TABLE_INTEGER, 0},
        {"sample", NULL, NULL, TABLE_INTEGER, 0},
        {"reward", NULL, NULL, TABLE_NUMBER, 0},
        {"advantage", NULL, NULL, TABLE_NUMBER, 0},
        {"response_tokens", NULL, NULL, TABLE_INTEGER, 0},
        {"log_probability_base", NULL, NULL, TABLE_NUMBER, 0},
        {"log_probability_sft", NULL, NULL, TABLE_NUMBER, 0},
        {"log_probability_fused", NULL, NULL, TABLE_NUMBER, 0},
        {"entropy_base", NULL, NULL, TABLE_NUMBER, 0},
        {"entropy_sft", NULL, NULL, TABLE_NUMBER, 0},
        {"entropy_fused", NULL, NULL, TABLE_NUMBER, 0},
    };
    const SampleSet *set = &rollout->file.set;
    size_t row = 0;
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++) {
        for (size_t i = 0; i < set->groups[g].sample_count; i++) add_sample(rollout, *table, g, i, row++);
    }
    return status;
}

/* ---- states ---- */

Status rollout_tables_drawn(const Batch *batch, const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"state", NULL, NULL, TABLE_TEXT, 0},
        {"avg_at_k", "avg@K", NULL, TABLE_NUMBER, 3},
        {"avg_at_k_error", "±", NULL, TABLE_NUMBER, 2},
        {"pass_at_k", "pass@K", NULL, TABLE_NUMBER, 3},
        {"pass_at_k_error", "±", NULL, TABLE_NUMBER, 2},
        {"gap", NULL, NULL, TABLE_NUMBER, 3},
        {"mixed_share", "mixed", NULL, TABLE_NUMBER, 3},
        {"mean_reward", "reward", NULL, TABLE_NUMBER, 3},
        {"response_length", "tokens", NULL, TABLE_NUMBER, 4},
        {"repeated_share", "repeated", NULL, TABLE_NUMBER, 3},
    };
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    for (Side side = SIDE_BASE; side < SIDE_COUNT && status == STATUS_OK; side++) {
        const SampleFigures *figures = batch_rollout_drawn(batch, rollout, side);
        if (figures == NULL) continue;
        const SampleEstimate *pass = &figures->pass[figures->fewest - 1];
        table_add_row(*table);
        table_add_text(*table, BATCH_ROLLOUT_STATES[side]);
        add_estimate(*table, figures, &figures->average);
        add_estimate(*table, figures, pass);
        table_add_number(*table, figures->gap.value);
        table_add_number(*table, figures->mixed.value);
        table_add_number(*table, figures->mean_reward.value);
        table_add_number(*table, figures->tokens.value);
        table_add_number(*table, figures->repeated.value);
    }
    return status;
}

/* A gradient beside its weights, where there are any. */
static void add_relative(Table *table, const GradientNorms *norms) {
    table_add_figure(table, norms->gradient / norms->weight, norms->weight <= 0.0);
}

Status rollout_tables_states(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"state", NULL, NULL, TABLE_TEXT, 0},
        {"entropy", NULL, "nat", TABLE_NUMBER, 4},
        {"mean_log_probability", "ln p a token", "nat", TABLE_NUMBER, 4},
        {"surrogate_loss", "L", NULL, TABLE_NUMBER, 4},
        {"gradient_norm", "gradient", NULL, TABLE_NUMBER, 4},
        {"weight_norm", "weights", NULL, TABLE_NUMBER, 4},
        {"relative", "gradient / weights", NULL, TABLE_NUMBER, 4},
    };
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    for (size_t side = 0; side < SIDE_COUNT && status == STATUS_OK; side++) {
        const RolloutState *state = &rollout->states[side];
        table_add_row(*table);
        table_add_text(*table, BATCH_ROLLOUT_STATES[side]);
        table_add_number(*table, state->means.entropy);
        table_add_number(*table, state->means.log_probability);
        table_add_number(*table, state->loss);
        GradientNorms whole = gradient_add_up(&state->gradient, GRADIENT_ALL, TENSOR_ROLE_COUNT);
        if (rollout->has_gradient) {
            table_add_number(*table, whole.gradient);
            table_add_number(*table, whole.weight);
            add_relative(*table, &whole);
        } else {
            for (int i = 0; i < 3; i++) table_add_empty(*table);
        }
    }
    return status;
}

/* ---- the gradient ---- */

static void add_sums(const BatchRollout *rollout, Table *table, int layer, TensorRole role) {
    GradientNorms norms[SIDE_COUNT];
    for (size_t side = 0; side < SIDE_COUNT; side++)
        norms[side] = gradient_add_up(&rollout->states[side].gradient, layer, role);
    table_add_integer(table, (int64_t)norms[SIDE_FUSED].tensors);
    for (size_t side = 0; side < SIDE_COUNT; side++) table_add_number(table, norms[side].gradient);
    for (size_t side = 0; side < SIDE_COUNT; side++) add_relative(table, &norms[side]);
}

#define SUM_COLUMNS                                                                                          \
    {"tensors", NULL, NULL, TABLE_INTEGER, 0}, {"gradient_base", "base", NULL, TABLE_NUMBER, 4},             \
        {"gradient_sft", "sft", NULL, TABLE_NUMBER, 4}, {"gradient_fused", "W", NULL, TABLE_NUMBER, 4},      \
        {"relative_base", "base / weights", NULL, TABLE_NUMBER, 3},                                          \
        {"relative_sft", "sft / weights", NULL, TABLE_NUMBER, 3}, {                                          \
        "relative_fused", "W / weights", NULL, TABLE_NUMBER, 3                                               \
    }

Status rollout_tables_modules(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"module", NULL, NULL, TABLE_TEXT, 0}, SUM_COLUMNS};
    const Gradient *gradient = &rollout->states[SIDE_FUSED].gradient;
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    for (int role = 0; role < TENSOR_ROLE_COUNT && status == STATUS_OK; role++) {
        if (gradient_add_up(gradient, GRADIENT_ALL, (TensorRole)role).tensors == 0) continue;
        table_add_row(*table);
        table_add_text(*table, tensor_role_name((TensorRole)role));
        add_sums(rollout, *table, GRADIENT_ALL, (TensorRole)role);
    }
    return status;
}

Status rollout_tables_layers(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"layer", NULL, NULL, TABLE_INTEGER, 0}, SUM_COLUMNS};
    const Gradient *gradient = &rollout->states[SIDE_FUSED].gradient;
    int layers = 0;
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    for (size_t i = 0; i < gradient->count; i++)
        if (gradient->tensors[i].layer >= layers) layers = gradient->tensors[i].layer + 1;
    for (int layer = 0; layer < layers && status == STATUS_OK; layer++) {
        table_add_row(*table);
        table_add_integer(*table, layer);
        add_sums(rollout, *table, layer, TENSOR_ROLE_COUNT);
    }
    return status;
}

/* A state that runs without a tensor (base may lack a bias) has no gradient of it. */
static const GradientTensor *find_tensor(const Gradient *gradient, const PairTensor *tensor, size_t near) {
    for (size_t i = near < gradient->count ? near : 0; i < gradient->count; i++)
        if (gradient->tensors[i].tensor == tensor) return &gradient->tensors[i];
    for (size_t i = 0; i < near && i < gradient->count; i++)
        if (gradient->tensors[i].tensor == tensor) return &gradient->tensors[i];
    return NULL;
}

static void add_tensor(const BatchRollout *rollout, Table *table, size_t index) {
    const GradientTensor *own = &rollout->states[SIDE_FUSED].gradient.tensors[index], *of[SIDE_COUNT];
    for (size_t side = 0; side < SIDE_COUNT; side++)
        of[side] = find_tensor(&rollout->states[side].gradient, own->tensor, index);
    table_add_row(table);
    table_add_text(table, own->tensor->name);
    if (own->layer >= 0)
        table_add_integer(table, own->layer);
    else
        table_add_empty(table);
    table_add_text(table, tensor_role_name(own->role));
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        if (of[side] != NULL)
            table_add_number(table, of[side]->norm);
        else
            table_add_empty(table);
    }
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        if (of[side] != NULL)
            table_add_number(table, of[side]->weight);
        else
            table_add_empty(table);
    }
}

Status rollout_tables_tensors(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"tensor", NULL, NULL, TABLE_TEXT, 0},         {"layer", NULL, NULL, TABLE_INTEGER, 0},
        {"module", NULL, NULL, TABLE_TEXT, 0},         {"gradient_base", NULL, NULL, TABLE_NUMBER, 0},
        {"gradient_sft", NULL, NULL, TABLE_NUMBER, 0}, {"gradient_fused", NULL, NULL, TABLE_NUMBER, 0},
        {"weight_base", NULL, NULL, TABLE_NUMBER, 0},  {"weight_sft", NULL, NULL, TABLE_NUMBER, 0},
        {"weight_fused", NULL, NULL, TABLE_NUMBER, 0},
    };
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    for (size_t i = 0; i < rollout->states[SIDE_FUSED].gradient.count && status == STATUS_OK; i++)
        add_tensor(rollout, *table, i);
    return status;
}

/* ---- experts ---- */

/* The same of another state; NULL where it has none. */
static const GradientExpert *find_expert(const Gradient *gradient, const GradientExpert *own, size_t near) {
    const GradientExpert *found = near < gradient->expert_count ? &gradient->experts[near] : NULL;
    return found != NULL && found->layer == own->layer && found->expert == own->expert ? found : NULL;
}

Status rollout_tables_experts(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"layer", NULL, NULL, TABLE_INTEGER, 0},         {"expert", NULL, NULL, TABLE_INTEGER, 0},
        {"gradient_base", NULL, NULL, TABLE_NUMBER, 0},  {"gradient_sft", NULL, NULL, TABLE_NUMBER, 0},
        {"gradient_fused", NULL, NULL, TABLE_NUMBER, 0}, {"weight_base", NULL, NULL, TABLE_NUMBER, 0},
        {"weight_sft", NULL, NULL, TABLE_NUMBER, 0},     {"weight_fused", NULL, NULL, TABLE_NUMBER, 0},
    };
    const Gradient *gradient = &rollout->states[SIDE_FUSED].gradient;
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    for (size_t i = 0; i < gradient->expert_count && status == STATUS_OK; i++) {
        const GradientExpert *own = &gradient->experts[i];
        table_add_row(*table);
        table_add_integer(*table, own->layer);
        table_add_integer(*table, (int64_t)own->expert);
        for (size_t column = 0; column < 2 * SIDE_COUNT; column++) {
            const Gradient *of = &rollout->states[column % SIDE_COUNT].gradient;
            const GradientExpert *found = find_expert(of, own, i);
            if (found != NULL)
                table_add_number(*table, column < SIDE_COUNT ? found->norm : found->weight);
            else
                table_add_empty(*table);
        }
    }
    return status;
}

/* Of a layer's experts, which stand side by side from `first` on. */
typedef struct ExpertSums {
    size_t count, untouched;
    double largest, sum; /* of squares */
} ExpertSums;

static ExpertSums sum_experts(const Gradient *gradient, size_t first, int layer) {
    ExpertSums sums = {0};
    for (size_t i = first; i < gradient->expert_count && gradient->experts[i].layer == layer; i++) {
        double square = gradient->experts[i].norm * gradient->experts[i].norm;
        sums.count++;
        sums.untouched += square == 0.0;
        sums.sum += square;
        sums.largest = fmax(sums.largest, square);
    }
    return sums;
}

Status rollout_tables_expert_layers(const BatchRollout *rollout, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"layer", NULL, NULL, TABLE_INTEGER, 0},
        {"experts", NULL, NULL, TABLE_INTEGER, 0},
        {"untouched_base", "untouched, base", NULL, TABLE_INTEGER, 0},
        {"untouched_sft", "sft", NULL, TABLE_INTEGER, 0},
        {"untouched_fused", "W", NULL, TABLE_INTEGER, 0},
        {"largest_share_base", "largest share, base", NULL, TABLE_NUMBER, 3},
        {"largest_share_sft", "sft", NULL, TABLE_NUMBER, 3},
        {"largest_share_fused", "W", NULL, TABLE_NUMBER, 3},
    };
    const Gradient *gradient = &rollout->states[SIDE_FUSED].gradient;
    Status status = table_create(COLUMNS_OF(COLUMNS), table, error);
    size_t step;
    for (size_t i = 0; i < gradient->expert_count && status == STATUS_OK; i += step) {
        ExpertSums sums[SIDE_COUNT];
        for (size_t side = 0; side < SIDE_COUNT; side++)
            sums[side] = sum_experts(&rollout->states[side].gradient, i, gradient->experts[i].layer);
        step = sums[SIDE_FUSED].count;
        table_add_row(*table);
        table_add_integer(*table, gradient->experts[i].layer);
        table_add_integer(*table, (int64_t)step);
        for (size_t side = 0; side < SIDE_COUNT; side++)
            table_add_integer(*table, (int64_t)sums[side].untouched);
        for (size_t side = 0; side < SIDE_COUNT; side++)
            table_add_figure(*table, sums[side].largest / sums[side].sum, sums[side].sum == 0.0);
    }
    return status;
}
