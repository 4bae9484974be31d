#include "core/evaluation/distribution.h"

#include "core/numerics/kernels.h"

#include <math.h>

const double DISTRIBUTION_CONFIDENT = 0.99;

enum { PART = 1024 /* logits whose exponentials are taken at once */ };

typedef struct Shape {
    double log_normalizer, negative_entropy, top1;
    int32_t top;
} Shape;

static int32_t find_largest(const float *logits, size_t vocabulary) {
    size_t largest = 0;
    for (size_t i = 1; i < vocabulary; i++) {
        if (logits[i] > logits[largest]) largest = i;
    }
    return (int32_t)largest;
}

/* One pass of exponentials, relative to the largest logit m: Z = Σ e^(l − m), E = Σ e^(l − m) (l − m).
 * ln normalizer = m + ln Z; Σ p ln p = E / Z − ln Z. `exponentials` may be NULL. */
static Shape measure(const float *logits, size_t vocabulary, float *exponentials) {
    Shape shape = {.top = find_largest(logits, vocabulary)};
    float largest = logits[shape.top];
    double sum = 0.0, weighted = 0.0;
    float part[PART];
    for (size_t at = 0; at < vocabulary; at += PART) {
        size_t count = vocabulary - at < PART ? vocabulary - at : PART;
        float *to = exponentials != NULL ? exponentials + at : part;
        sum += kernels_get()->exponentials(logits + at, count, largest, 1.0F, to);
        for (size_t i = 0; i < count; i++) {
            if (to[i] > 0.0F)
                weighted += (double)to[i] * (double)(logits[at + i] - largest); /* 0 · −∞ is 0 here */
        }
    }
    shape.log_normalizer = (double)largest + log(sum);
    shape.negative_entropy = weighted / sum - log(sum);
    shape.top1 = 1.0 / sum;
    return shape;
}

void distribution_make_reference(DistributionReference *reference, size_t vocabulary, int32_t next) {
    Shape shape = measure(reference->logits, vocabulary, reference->probabilities);
    reference->log_normalizer = shape.log_normalizer;
    reference->negative_entropy = shape.negative_entropy;
    reference->top = shape.top;
    for (size_t i = 0; i < vocabulary; i++)
        reference->probabilities[i] = (float)((double)reference->probabilities[i] * shape.top1);
    reference->next_probability =
        next < 0 ? NAN : exp((double)reference->logits[next] - reference->log_normalizer);
}

/* KL(r ‖ x) = Σ p_r ln p_r − Σ p_r l_x + ln normalizer of x. The cross term is taken as a difference of
 * logits, which is small where the two agree, so that no large sums cancel. */
static double divergence(const DistributionReference *reference, const float *logits, double log_normalizer,
                         size_t vocabulary) {
    if (reference->logits == logits) return isnan(log_normalizer) ? NAN : 0.0;
    double sum = 0.0;
    for (size_t i = 0; i < vocabulary; i++) {
        float p = reference->probabilities[i];
        if (p > 0.0F) sum += (double)p * ((double)reference->logits[i] - (double)logits[i]);
    }
    double kl = sum - reference->log_normalizer + log_normalizer;
    return kl < 0.0 ? 0.0 : kl;
}

DistributionPosition distribution_describe(const float *logits, size_t vocabulary, int32_t next,
                                           const DistributionReference *base,
                                           const DistributionReference *sft) {
    Shape shape = measure(logits, vocabulary, NULL);
    DistributionPosition position = {
        .top = shape.top,
        .next = next,
        .same_top_base = shape.top == base->top,
        .same_top_sft = shape.top == sft->top,
        .log_normalizer = shape.log_normalizer,
        .entropy = shape.negative_entropy < 0.0 ? -shape.negative_entropy : 0.0,
        .top1 = shape.top1,
        .next_log_probability = next < 0 ? NAN : (double)logits[next] - shape.log_normalizer,
        .kl_base = divergence(base, logits, shape.log_normalizer, vocabulary),
        .kl_sft = divergence(sft, logits, shape.log_normalizer, vocabulary),
    };
    position.dp_base =
        exp(position.next_log_probability) - base->next_probability; /* NaN without a next token */
    if (isnan(shape.negative_entropy)) position.entropy = NAN;       /* a NaN among the logits must show */
    return position;
}

double distribution_log_probability(const float *logits, size_t vocabulary, int32_t token) {
    return (double)logits[token] - measure(logits, vocabulary, NULL).log_normalizer;
}

bool distribution_has_order(const DistributionPosition *position) {
    return !isnan(position->top1);
}

static bool ranks_before(const float *logits, int32_t a, int32_t b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

void distribution_find_top(const float *logits, size_t vocabulary, double log_normalizer,
                           DistributionToken *top, size_t count) {
    size_t found = 0;
    for (int32_t id = 0; (size_t)id < vocabulary; id++) {
        if (found == count && (count == 0 || !ranks_before(logits, id, top[count - 1].id))) continue;
        size_t at = found < count ? found++ : count - 1;
        for (; at > 0 && ranks_before(logits, id, top[at - 1].id); at--) top[at] = top[at - 1];
        top[at] = (DistributionToken){id, (float)((double)logits[id] - log_normalizer)};
    }
}

/* What a position adds to a share; a comparison with what is not a number holds for none. */
static double share_of(bool holds, double first, double second) {
    return isnan(first) || isnan(second) ? NAN : (double)holds;
}

DistributionAverages distribution_average(const DistributionPosition *positions, size_t count) {
    DistributionAverages sum = {.positions = count};
    for (size_t i = 0; i < count; i++) {
        const DistributionPosition *position = &positions[i];
        sum.entropy += position->entropy;
        sum.kl_base += position->kl_base;
        sum.kl_sft += position->kl_sft;
        sum.top1 += position->top1;
        sum.confident += share_of(position->top1 > DISTRIBUTION_CONFIDENT, position->top1, 0.0);
        sum.same_top1_base += share_of(position->same_top_base, position->entropy, position->kl_base);
        sum.same_top1_sft += share_of(position->same_top_sft, position->entropy, position->kl_sft);
        if (position->next < 0) continue;
        sum.response_tokens++;
        sum.loss -= position->next_log_probability;
        sum.dp_base += position->dp_base;
        sum.dp_base_rms += position->dp_base * position->dp_base;
    }
    double n = (double)count, tokens = (double)sum.response_tokens; /* over none: 0 / 0, NaN */
    sum.entropy /= n;
    sum.kl_base /= n;
    sum.kl_sft /= n;
    sum.top1 /= n;
    sum.confident /= n;
    sum.same_top1_base /= n;
    sum.same_top1_sft /= n;
    sum.loss /= tokens;
    sum.dp_base /= tokens;
    sum.dp_base_rms = sqrt(sum.dp_base_rms / tokens);
    sum.perplexity = exp(sum.loss);
    return sum;
}

#define FIGURE(name) offsetof(DistributionAverages, name)

const DistributionFigure DISTRIBUTION_FIGURES[] = {
    {"entropy", "entropy", "nat", "How undecided the model is: the mean entropy of its distributions.", false,
     FIGURE(entropy)},
    {"top1", "top-1 probability", "", "The mean probability of the most likely token.", true, FIGURE(top1)},
    {"confident", "top-1 > 0.99", "", "The share of positions at which one token has more than 99 %.", true,
     FIGURE(confident)},
    {"kl_base", "KL to base", "nat",
     "KL(base ‖ model): what the base model would lose by being coded as this one.", false, FIGURE(kl_base)},
    {"kl_sft", "KL to SFT", "nat", "KL(SFT ‖ model).", false, FIGURE(kl_sft)},
    {"loss", "loss of responses", "nat", "The mean −ln p of the tokens that really follow.", false,
     FIGURE(loss)},
    {"perplexity", "perplexity", "", "e to the loss.", false, FIGURE(perplexity)},
    {"same_top1_base", "same top-1 as base", "", "The share of positions whose most likely token is base's.",
     true, FIGURE(same_top1_base)},
    {"same_top1_sft", "same top-1 as SFT", "", "The share of positions whose most likely token is SFT's.",
     true, FIGURE(same_top1_sft)},
    {"dp_base", "Δp to base", "",
     "The mean change in probability of the token that really follows, from base.", false, FIGURE(dp_base)},
    {"dp_base_rms", "Δp to base, rms", "", "The root mean square of that change.", false,
     FIGURE(dp_base_rms)},
};
const size_t DISTRIBUTION_FIGURE_COUNT = sizeof DISTRIBUTION_FIGURES / sizeof *DISTRIBUTION_FIGURES;

bool distribution_figure_is_undefined(const DistributionAverages *averages, size_t figure) {
    static const size_t OF_NEXT[] = {FIGURE(loss), FIGURE(perplexity), FIGURE(dp_base), FIGURE(dp_base_rms)};
    for (size_t i = 0; i < sizeof OF_NEXT / sizeof *OF_NEXT && averages->response_tokens == 0; i++)
        if (OF_NEXT[i] == DISTRIBUTION_FIGURES[figure].offset) return true;
    return averages->positions == 0;
}

double distribution_figure(const DistributionAverages *averages, size_t figure) {
    return *(const double *)(const void *)((const char *)averages + DISTRIBUTION_FIGURES[figure].offset);
}

double *distribution_figure_of(DistributionAverages *averages, size_t figure) {
    return (double *)(void *)((char *)averages + DISTRIBUTION_FIGURES[figure].offset);
}
