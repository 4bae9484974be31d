#include "tui/report/report_verdict.h"

#include "core/method/dormancy.h"

#include <math.h>
#include <stdio.h>

const char *report_verdict_outcome_name(ReportOutcome outcome) {
    static const char *const NAMES[REPORT_OUTCOME_COUNT] = {[REPORT_LOWER] = "lower",
                                                            [REPORT_EQUAL] = "none",
                                                            [REPORT_HIGHER] = "higher",
                                                            [REPORT_UNKNOWN] = "unknown"};
    return NAMES[outcome];
}

ReportOutcome report_verdict_judge(const ReportDifference *difference) {
    double value = difference->value, error = difference->error;
    if (isnan(value) || isnan(error)) return REPORT_UNKNOWN;
    if (error > 0.0 && difference->rows < REPORT_VERDICT_LEAST) return REPORT_UNKNOWN;
    if (!(fabs(value) > REPORT_VERDICT_ERRORS * error)) return REPORT_EQUAL;
    return value < 0.0 ? REPORT_LOWER : REPORT_HIGHER;
}

/* ---- the figures ---- */

static ReportDifference entropy_of_sft(const ReportData *data) {
    return report_data_compare(data, SIDE_SFT, SIDE_BASE, REPORT_ENTROPY);
}

static ReportDifference confidence_of_sft(const ReportData *data) {
    return report_data_compare(data, SIDE_SFT, SIDE_BASE, REPORT_CONFIDENT);
}

static ReportDifference entropy_of_fused(const ReportData *data) {
    return report_data_compare(data, SIDE_FUSED, SIDE_SFT, REPORT_ENTROPY);
}

static ReportDifference confidence_of_fused(const ReportData *data) {
    return report_data_compare(data, SIDE_FUSED, SIDE_SFT, REPORT_CONFIDENT);
}

static ReportDifference loss_of_fused(const ReportData *data) {
    return report_data_compare(data, SIDE_FUSED, SIDE_SFT, REPORT_LOSS);
}

/* Counted, not estimated: it has no error. */
static ReportDifference dormant_difference(const ReportData *data, Side x, Side y) {
    const Dormancy *of_x = &report_data_dials(data)->dormancy[x],
                   *of_y = &report_data_dials(data)->dormancy[y];
    double tau = options_value(data->batch->options, OPTION_TAU)->number;
    if (!report_data_has(data, REPORT_PART_DORMANCY)) return (ReportDifference){.value = NAN};
    return (ReportDifference){.value =
                                  dormancy_share(of_x->mlp_scores, (size_t)of_x->layers * of_x->mlp, tau) -
                                  dormancy_share(of_y->mlp_scores, (size_t)of_y->layers * of_y->mlp, tau)};
}

static ReportDifference dormancy_of_sft(const ReportData *data) {
    return dormant_difference(data, SIDE_SFT, SIDE_BASE);
}

static ReportDifference dormancy_of_fused(const ReportData *data) {
    return dormant_difference(data, SIDE_FUSED, SIDE_SFT);
}

/* The same directions of the same seed around both, taken as independent: the error is rather too large. */
static ReportDifference curvature_of_fused(const ReportData *data) {
    const LandscapeSharpness *sft = &data->landscape.sharpness[SIDE_SFT],
                             *fused = &data->landscape.sharpness[SIDE_FUSED];
    if (!report_data_has(data, REPORT_PART_LANDSCAPE)) return (ReportDifference){.value = NAN};
    return (ReportDifference){.value = fused->mean_curvature - sft->mean_curvature,
                              .error = hypot(fused->curvature_error, sft->curvature_error),
                              .rows = fused->directions};
}

static ReportDifference gap_of_samples(const ReportData *data) {
    const SampleFigures *figures = &data->rollout.figures;
    if (!report_data_has(data, REPORT_PART_READINESS)) return (ReportDifference){.value = NAN};
    return (ReportDifference){
        .value = figures->gap.value, .error = figures->gap.error, .rows = figures->prompt_count};
}

static ReportDifference mixed_samples(const ReportData *data) {
    const SampleFigures *figures = &data->rollout.figures;
    if (!report_data_has(data, REPORT_PART_READINESS)) return (ReportDifference){.value = NAN};
    return (ReportDifference){
        .value = figures->mixed.value, .error = figures->mixed.error, .rows = figures->prompt_count};
}

/* ---- the rules ---- */

enum { RULE_ENTROPY, RULE_CONFIDENCE, RULE_FUSED_ENTROPY, RULE_FUSED_CONFIDENCE, RULE_FUSED_LOSS };

typedef struct Rule {
    const char *key, *figure, *unit;
    ReportDifference (*measure)(const ReportData *data);
    const char *says[REPORT_UNKNOWN]; /* by outcome */
    const char *source;               /* who reads so much into the figure; NULL: no one in particular */
} Rule;

#define FROM_PAPER   "arXiv 2606.09932"
#define FROM_SAMPLES "arXiv 2606.09932, Table 1"
#define FROM_REDO    "Sokar et al. 2023"
#define FROM_LI      "Li et al. 2018"

static const Rule RULES[] = {
    [RULE_ENTROPY] = {"sft_entropy",
                      "entropy, SFT less base",
                      "nat",
                      entropy_of_sft,
                      {"SFT's next-token distributions are narrower than base's.",
                       "SFT's and base's entropies cannot be told apart.",
                       "SFT's next-token distributions are wider than base's."},
                      FROM_PAPER},
    [RULE_CONFIDENCE] = {"sft_confident",
                         "share of positions with top-1 above 0.99, SFT less base",
                         "",
                         confidence_of_sft,
                         {"SFT is nearly certain at fewer positions than base.",
                          "How often SFT and base are nearly certain cannot be told apart.",
                          "SFT is nearly certain at more positions than base."},
                         FROM_PAPER},
    [RULE_FUSED_ENTROPY] = {"fused_entropy",
                            "entropy, W less SFT",
                            "nat",
                            entropy_of_fused,
                            {"The chosen setting narrows distributions further.",
                             "W's and SFT's entropies cannot be told apart.",
                             "The chosen setting gives entropy back."},
                            NULL},
    [RULE_FUSED_CONFIDENCE] = {"fused_confident",
                               "share of positions with top-1 above 0.99, W less SFT",
                               "",
                               confidence_of_fused,
                               {"W is nearly certain at fewer positions than SFT.",
                                "How often W and SFT are nearly certain cannot be told apart.",
                                "W is nearly certain at more positions than SFT."},
                               NULL},
    [RULE_FUSED_LOSS] = {"fused_loss",
                         "loss of responses, W less SFT",
                         "nat",
                         loss_of_fused,
                         {"W predicts these responses better than SFT.",
                          "How well W and SFT predict these responses cannot be told apart.",
                          "W predicts these responses worse than SFT: what the setting costs."},
                         NULL},
    {"sft_dormant",
     "share of dormant MLP neurons, SFT less base",
     "",
     dormancy_of_sft,
     {"Fewer MLP neurons are dormant in SFT than in base.",
      "As many MLP neurons are dormant in SFT as in base.",
      "More MLP neurons are dormant in SFT than in base."},
     FROM_REDO},
    {"fused_dormant",
     "share of dormant MLP neurons, W less SFT",
     "",
     dormancy_of_fused,
     {"Fewer MLP neurons are dormant in W than in SFT.", "As many MLP neurons are dormant in W as in SFT.",
      "More MLP neurons are dormant in W than in SFT."},
     FROM_REDO},
    {"fused_curvature",
     "mean curvature of the loss, W less SFT",
     "nat",
     curvature_of_fused,
     {"The loss is flatter around W than around SFT.",
      "How sharply the loss rises around W and around SFT cannot be told apart.",
      "The loss is sharper around W than around SFT."},
     FROM_LI},
    {"samples_gap",
     "pass@K less avg@K of the samples",
     "",
     gap_of_samples,
     {"The best of K samples is worse than their average.",
      "That the best of K samples is right more often than their average cannot be told on these prompts.",
      "The best of K samples is right more often than their average: there are right answers that a later step could learn to "
      "prefer."},
     FROM_SAMPLES},
    {"samples_mixed",
     "share of prompts with mixed rewards",
     "",
     mixed_samples,
     {"Prompts with mixed rewards are fewer than none.",
      "Mixed rewards, which a group-relative step learns from, cannot be counted on: there are none, or too few prompts to tell.",
      "Some prompts have mixed rewards: a group-relative step would learn from those."},
     FROM_SAMPLES},
};
enum { RULE_COUNT = sizeof RULES / sizeof *RULES };

/* ---- the lead ---- */

/* The first row that fits counts; REPORT_OUTCOME_COUNT fits any. */
typedef struct Lead {
    ReportOutcome first, second;
    const char *says;
} Lead;

#define ANY REPORT_OUTCOME_COUNT

static const Lead OF_SFT[] = {
    {REPORT_UNKNOWN, ANY, "These rows are too few to say whether SFT is over-confident."},
    {ANY, REPORT_UNKNOWN, "These rows are too few to say whether SFT is over-confident."},
    {REPORT_LOWER, REPORT_HIGHER,
     "On these rows SFT shows both signs of over-confidence: less entropy than base, and more positions at which it is "
     "nearly certain."},
    {REPORT_LOWER, ANY,
     "On these rows SFT shows one sign of over-confidence of two: less entropy than base, but no more positions at which "
     "it is nearly certain."},
    {ANY, REPORT_HIGHER,
     "On these rows SFT shows one sign of over-confidence of two: more positions at which it is nearly certain, but no "
     "less entropy than base."},
    {ANY, ANY, "On these rows SFT shows neither sign of over-confidence."},
};

static const Lead OF_FUSED[] = {
    {REPORT_UNKNOWN, ANY, "What the chosen setting changes cannot be told on them."},
    {REPORT_HIGHER, REPORT_HIGHER,
     "The chosen setting has more entropy than SFT, and a higher loss on the responses: a trade."},
    {REPORT_HIGHER, REPORT_UNKNOWN, "The chosen setting has more entropy than SFT."},
    {REPORT_HIGHER, ANY,
     "The chosen setting has more entropy than SFT, and no higher loss on the responses."},
    {REPORT_LOWER, ANY, "The chosen setting has less entropy than SFT."},
    {ANY, REPORT_HIGHER,
     "The chosen setting has no more entropy than SFT, and a higher loss on the responses."},
    {ANY, ANY, "The chosen setting has the entropy of SFT, as far as these rows tell."},
};

static const char *find_lead(const Lead *leads, ReportOutcome first, ReportOutcome second) {
    while ((leads->first != ANY && leads->first != first) ||
           (leads->second != ANY && leads->second != second))
        leads++; /* the last fits */
    return leads->says;
}

/* ---- the section ---- */

static void add_sentence(ReportDocument *document, const Rule *rule, const ReportDifference *figure,
                         ReportOutcome outcome) {
    const char *space = rule->unit[0] != '\0' ? " " : "";
    if (outcome == REPORT_UNKNOWN) return;
    if (figure->error > 0.0)
        report_document_add(document, REPORT_ITEM, "%s (%s: %+.4g%s%s, standard error %.2g)",
                            rule->says[outcome], rule->figure, figure->value, space, rule->unit,
                            figure->error);
    else
        report_document_add(document, REPORT_ITEM, "%s (%s: %+.4g%s%s)", rule->says[outcome], rule->figure,
                            figure->value, space, rule->unit);
}

static void add_row(Table *table, const Rule *rule, const ReportDifference *figure, ReportOutcome outcome) {
    table_add_row(table);
    table_add_text(table, rule->key);
    table_add_text(table, rule->figure);
    bool is_lone = figure->rows < 2 && isnan(figure->error); /* or has no error at all, being counted */
    table_add_figure(table, figure->value, is_lone && figure->rows == 0);
    table_add_figure(table, figure->error, is_lone);
    table_add_figure(table, REPORT_VERDICT_ERRORS * figure->error, is_lone);
    table_add_text(table, report_verdict_outcome_name(outcome));
    table_add_text(table, rule->source);
}

void report_verdict_add(ReportDocument *document, const ReportData *data) {
    static const TableColumn COLUMNS[] = {
        {"rule", NULL, NULL, TABLE_TEXT, 0},        {"figure", NULL, NULL, TABLE_TEXT, 0},
        {"value", NULL, NULL, TABLE_NUMBER, 4},     {"error", "standard error", NULL, TABLE_NUMBER, 2},
        {"threshold", NULL, NULL, TABLE_NUMBER, 2}, {"outcome", NULL, NULL, TABLE_TEXT, 0},
        {"source", "after", NULL, TABLE_TEXT, 0}};
    Table *table = NULL;
    Error error;
    ReportDifference figures[RULE_COUNT];
    ReportOutcome outcomes[RULE_COUNT];
    report_document_note(document, table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, &table, &error),
                         &error);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        figures[i] = RULES[i].measure(data);
        outcomes[i] = report_verdict_judge(&figures[i]);
        if (table != NULL && !isnan(figures[i].value)) add_row(table, &RULES[i], &figures[i], outcomes[i]);
    }
    report_document_add(document, REPORT_LEAD, "%s %s",
                        find_lead(OF_SFT, outcomes[RULE_ENTROPY], outcomes[RULE_CONFIDENCE]),
                        find_lead(OF_FUSED, outcomes[RULE_FUSED_ENTROPY], outcomes[RULE_FUSED_LOSS]));
    for (size_t i = 0; i < RULE_COUNT; i++) add_sentence(document, &RULES[i], &figures[i], outcomes[i]);
    report_document_add(
        document, REPORT_PARAGRAPH,
        "A difference counts where it exceeds its threshold, %g standard errors; what is counted and not estimated "
        "(dormant neurons) has none. Errors take rows as clusters, for positions of one text are not independent; of samples "
        "they are those of a bootstrap over prompts, of curvature those over directions. On fewer than %d rows, prompts or "
        "directions nothing estimated is judged.",
        REPORT_VERDICT_ERRORS, REPORT_VERDICT_LEAST);
    report_document_add_table(document, "verdict", table, "The figures that these sentences rest on");
}
