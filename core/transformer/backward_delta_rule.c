#include "core/transformer/backward_delta.h"
#include "core/transformer/backward_delta_internal.h"
#include "core/transformer/recurrence.h"

#include <string.h>

enum { LANES = 8 };

/* One value head of one sequence. */
typedef struct Rule {
    const Descent *descent;
    const ModelConfig *config;
    const RecurrentSizes *sizes;
    size_t sequence, head;
    size_t query, key, value; /* where its own begin in a row of channels */
    size_t decays, kept;      /* γ of a token; of the head, and how far those of its rows are apart */
    size_t stride;
    size_t window;
    float *begins, *states;          /* [window] states each: where windows begin, before the tokens of one */
    float *slope;                    /* dS */
    float *read, *to_written, *lost; /* [value_dim]: r, du, dr */
} Rule;

/* A token's row of channels as the block left it: query, key, u. */
static const float *row_of(const Rule *rule, size_t token) {
    const Backward *backward = rule->descent->backward;
    return backward->state->buffers[BUFFER_SCRATCH] +
           (rule->descent->spans[rule->sequence].row + token) * architecture_delta_channels(rule->config);
}

static const float *kept_of(const Rule *rule, size_t token) {
    const Backward *backward = rule->descent->backward;
    return backward->state->buffers[BUFFER_DECAY] +
           (rule->descent->spans[rule->sequence].row + token) * rule->decays + rule->kept;
}

/* Eight sums at once, which a vector holds. */
static float dot(const float *a, const float *b, size_t count) {
    float sums[LANES] = {0}, sum = 0.0F;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t l = 0; l < LANES; l++) sums[l] += a[i + l] * b[i + l];
    for (; i < count; i++) sum += a[i] * b[i];
    for (size_t l = 0; l < LANES; l++) sum += sums[l];
    return sum;
}

/* S behind a token: γ S + k uᵀ. `to` may be `from`. */
static void advance(const Rule *rule, size_t token, const float *from, float *to) {
    const size_t columns = rule->sizes->value_dim;
    const float *row = row_of(rule, token), *key = row + rule->key, *written = row + rule->value,
                *kept = kept_of(rule, token);
    for (size_t i = 0; i < rule->sizes->key_dim; i++) {
        const float own = kept[i * rule->stride];
        for (size_t j = 0; j < columns; j++)
            to[i * columns + j] = own * from[i * columns + j] + key[i] * written[j];
    }
}

/* dS takes what is read; r and du of it. */
static void descend_read(const Rule *rule, size_t token, const float *before) {
    const size_t columns = rule->sizes->value_dim;
    const float *row = row_of(rule, token), *query = row + rule->query, *key = row + rule->key,
                *written = row + rule->value, *kept = kept_of(rule, token);
    const float *from =
        descent_slope(rule->descent, SLOPE_MIXED, rule->sequence, token) + rule->head * columns;
    float *to = descent_slope(rule->descent, SLOPE_PROJECTED, rule->sequence, token);
    const float along = dot(written, from, columns);
    memset(rule->read, 0, columns * sizeof *rule->read);
    memset(rule->to_written, 0, columns * sizeof *rule->to_written);
    for (size_t i = 0; i < rule->sizes->key_dim; i++) {
        const float *state = before + i * columns, own = kept[i * rule->stride], at = key[i] * own;
        float *slope = rule->slope + i * columns;
        for (size_t j = 0; j < columns; j++) {
            slope[j] += query[i] * from[j];
            rule->read[j] += at * state[j];
            rule->to_written[j] += key[i] * slope[j];
        }
        to[rule->query + i] += own * dot(state, from, columns) + key[i] * along;
        to[rule->key + i] += dot(slope, written, columns);
    }
}

/* From u to v and β, and to what was held. */
static void descend_write(const Rule *rule, size_t token) {
    const Backward *backward = rule->descent->backward;
    const size_t columns = rule->sizes->value_dim, at = rule->descent->spans[rule->sequence].row + token;
    const float *value =
        backward->copies[COPY_CONVOLVED] + at * architecture_delta_channels(rule->config) + rule->value;
    const float write = backward->state->buffers[BUFFER_WRITE][at * rule->sizes->value_heads + rule->head];
    float *to = descent_slope(rule->descent, SLOPE_PROJECTED, rule->sequence, token) + rule->value;
    double sum = 0.0;
    for (size_t j = 0; j < columns; j++) {
        sum += (double)rule->to_written[j] * ((double)value[j] - (double)rule->read[j]);
        to[j] = write * rule->to_written[j];
        rule->lost[j] = -to[j];
    }
    descent_slope(rule->descent, SLOPE_WRITE, rule->sequence, token)[rule->head] = (float)sum;
}

/* dS of the token before, and γ's. */
static void descend_kept(const Rule *rule, size_t token, const float *before) {
    const size_t columns = rule->sizes->value_dim;
    const float *key = row_of(rule, token) + rule->key, *kept = kept_of(rule, token);
    float *to = descent_slope(rule->descent, SLOPE_PROJECTED, rule->sequence, token) + rule->key,
          *to_kept = descent_slope(rule->descent, SLOPE_DECAY, rule->sequence, token) + rule->kept;
    double sum = 0.0;
    for (size_t i = 0; i < rule->sizes->key_dim; i++) {
        const float *state = before + i * columns, own = kept[i * rule->stride];
        float *slope = rule->slope + i * columns;
        to[i] += own * dot(state, rule->lost, columns);
        for (size_t j = 0; j < columns; j++) slope[j] += key[i] * rule->lost[j];
        const float of_kept = dot(slope, state, columns);
        for (size_t j = 0; j < columns; j++) slope[j] *= own;
        sum += (double)of_kept;
        if (rule->stride > 0) to_kept[i] = of_kept;
    }
    if (rule->stride == 0) *to_kept = (float)sum;
}

static void descend_head(const Rule *rule) {
    const size_t tokens = rule->descent->spans[rule->sequence].tokens, window = rule->window,
                 size = rule->sizes->key_dim * rule->sizes->value_dim;
    float *state = rule->states;
    memset(state, 0, size * sizeof *state);
    for (size_t t = 0; t < tokens; t++) {
        if (t % window == 0) memcpy(rule->begins + t / window * size, state, size * sizeof *state);
        advance(rule, t, state, state);
    }
    memset(rule->slope, 0, size * sizeof *rule->slope);
    for (size_t first = (tokens - 1) / window * window + window;
         first > 0 && !job_is_cancelled(rule->descent->job);) {
        first -= window;
        size_t end = first + window < tokens ? first + window : tokens;
        memcpy(state, rule->begins + first / window * size, size * sizeof *state);
        for (size_t t = first; t + 1 < end; t++)
            advance(rule, t, state + (t - first) * size, state + (t - first + 1) * size);
        for (size_t t = end; t-- > first;) {
            const float *before = state + (t - first) * size;
            descend_read(rule, t, before);
            descend_write(rule, t);
            descend_kept(rule, t, before);
        }
    }
}

size_t backward_delta_rule_scratch(const ModelConfig *config, size_t tokens) {
    const RecurrentSizes *sizes = &config->recurrent;
    return (2 * recurrence_window(tokens) + 1) * sizes->key_dim * sizes->value_dim + 3 * sizes->value_dim;
}

/* The value heads of a key head, one after another: they share its query and key. */
static void descend_key_head(void *argument, size_t task, unsigned worker) {
    const Descent *descent = argument;
    const ModelConfig *config = descent_config(descent);
    const RecurrentSizes *sizes = &config->recurrent;
    const size_t sequence = task / sizes->key_heads, key_head = task % sizes->key_heads,
                 group = sizes->value_heads / sizes->key_heads, keys = architecture_delta_keys(config),
                 size = sizes->key_dim * sizes->value_dim, decays = architecture_delta_decays(config),
                 each = decays / sizes->value_heads;
    Rule rule = {.descent = descent,
                 .config = config,
                 .sizes = sizes,
                 .sequence = sequence,
                 .query = key_head * sizes->key_dim,
                 .key = keys + key_head * sizes->key_dim,
                 .decays = decays,
                 .stride = each > 1 ? 1 : 0,
                 .window = recurrence_window(descent->spans[sequence].tokens)};
    rule.begins = descent->scratch + (size_t)worker * descent->scratch_stride;
    rule.states = rule.begins + rule.window * size;
    rule.slope = rule.states + rule.window * size;
    rule.read = rule.slope + size;
    rule.to_written = rule.read + sizes->value_dim;
    rule.lost = rule.to_written + sizes->value_dim;
    for (size_t t = 0; t < descent->spans[sequence].tokens; t++) {
        float *to = descent_slope(descent, SLOPE_PROJECTED, sequence, t);
        memset(to + rule.query, 0, sizes->key_dim * sizeof *to);
        memset(to + rule.key, 0, sizes->key_dim * sizeof *to);
    }
    for (rule.head = key_head * group; rule.head < (key_head + 1) * group; rule.head++) {
        rule.value = 2 * keys + rule.head * sizes->value_dim;
        rule.kept = rule.head * each;
        if (descent->spans[sequence].tokens > 0) descend_head(&rule);
    }
}

Status backward_delta_rule(const Descent *descent, Error *error) {
    Descent own = *descent;
    return job_run(descent->job, descent->count * (size_t)descent_config(descent)->recurrent.key_heads,
                   descend_key_head, &own, error);
}
