#include "core/export/export_internal.h"
#include "core/files/file_path.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number that YAML 1.1 takes for one: an exponent needs a point before it. */
static void add_yaml_number(Buffer *yaml, double value) {
    char text[40];
    (void)snprintf(text, sizeof text, "%.17g", value);
    char *exponent = strchr(text, 'e');
    if (exponent != NULL && strchr(text, '.') == NULL)
        buffer_add_format(yaml, "%.*s.0%s", (int)(exponent - text), text, exponent);
    else
        buffer_add_text(yaml, text);
}

/* YAML is UTF-8. */
static void add_yaml_text(Buffer *yaml, const char *path) {
    char *text;
    if (file_path_text(path, &text, NULL) != STATUS_OK) {
        yaml->failed = true; /* memory was short */
        return;
    }
    buffer_add_quoted(yaml, text);
    free(text);
}

/* mergekit takes what follows a plus sign for a LoRA and what follows an at sign for a revision, unless the parts of a
 * reference are spelled out. */
static void add_yaml_reference(Buffer *yaml, const Recipe *recipe, const RecipeInput *model) {
    bool is_adapter = model->adapter != NULL;
    const char *path = is_adapter ? recipe->base.directory : model->directory;
    bool is_plain = !is_adapter && strpbrk(path, "+@") == NULL;
    buffer_add_text(yaml, is_plain ? "" : "{model: {path: ");
    add_yaml_text(yaml, path);
    buffer_add_text(yaml, is_adapter ? "}, lora: {path: " : "");
    if (is_adapter) add_yaml_text(yaml, model->directory);
    buffer_add_text(yaml, is_plain ? "" : "}}");
}

static void add_yaml_model(Buffer *yaml, const Recipe *recipe, const RecipeInput *model, double weight) {
    buffer_add_text(yaml, "  - model: ");
    add_yaml_reference(yaml, recipe, model);
    buffer_add_text(yaml, "\n    parameters:\n      weight: ");
    add_yaml_number(yaml, weight);
    buffer_add_text(yaml, "\n");
}

static void add_yaml_dials(Buffer *yaml, const Settings *settings) {
    bool has_own = settings->curve != NULL;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) has_own |= settings->kinds[i].is_set;
    if (has_own) buffer_add_text(yaml, "# Not in it: what has a weight of its own, by module or layer.\n");
    uint32_t cut = settings_cut(settings);
    if (cut > 0)
        buffer_add_format(yaml, "# Not in it: the reset of %" PRIu64 " neurons.\n",
                          ranking_count(settings->ranking, cut));
}

static void add_yaml_limits(Buffer *yaml, const ExportPlan *plan) {
    size_t other = 0, copied = 0, enlarged = 0;
    for (size_t i = 0; i < plan->tensor_count; i++) {
        const PairTensor *source = plan->tensors[i].source;
        other += plan->tensors[i].dtype != plan->main_dtype;
        copied += !source->is_fused;
        enlarged += source->is_fused && source->base->rows < source->sft->rows;
    }
    buffer_add_text(yaml, "# It stands for the blend of every tensor that both models have.\n");
    if (plan->pair->pieces.count > 0)
        buffer_add_text(yaml, "# Not in it: convolutions that base stores in other pieces than SFT.\n");
    if (copied > 0) buffer_add_format(yaml, "# Not in it: %zu tensors that are copied from SFT.\n", copied);
    if (plan->pair->names.rename_count > 0 || plan->pair->names.by_role > 0 || plan->pair->experts.met > 0)
        buffer_add_text(yaml,
                        "# Not in it: that names of base and SFT differ: mergekit expects equal ones.\n");
    if (enlarged > 0)
        buffer_add_format(yaml,
                          "# Not in it: the rows that base lacks, of %zu tensors; they stay SFT's here, and "
                          "mergekit drops them.\n",
                          enlarged);
    if (other > 0)
        buffer_add_format(yaml, "# Not in it: %zu tensors are written in another type than out_dtype.\n",
                          other);
    if (plan->pair->sft->adapter != NULL)
        buffer_add_text(
            yaml, "# SFT is an adapter, which mergekit adds by its own arithmetic: last digits differ.\n");
    if (plan->pair->base->quantization.scaled + plan->pair->sft->quantization.scaled > 0)
        buffer_add_text(
            yaml,
            "# Not in it: scales. Here codes are blended as code times scale; mergekit blends codes.\n");
    add_yaml_dials(yaml, &plan->options.settings);
    if (plan->pair->unties_head)
        buffer_add_text(yaml,
                        "# Not in it: tie_word_embeddings, which the written head needs to be false.\n");
}

Status export_add_mergekit(ExportPlan *plan, Error *error) {
    const Recipe *recipe = plan->recipe;
    const RecipeInput *donor = recipe->donor == DONOR_BASE ? &recipe->base : &recipe->sft;
    double alpha = plan->options.settings.alpha;
    const char *dtype = dtype_torch_name(plan->main_dtype);
    Buffer yaml = {0};
    buffer_add_text(&yaml, "# The fusion of " RECIPE_FILE_NAME
                           " for mergekit 0.1.5 (linear):\n"
                           "#     mergekit-yaml mergekit.yaml OUT\n");
    add_yaml_limits(&yaml, plan);
    if (!file_path_is_text(recipe->sft.directory) || !file_path_is_text(recipe->base.directory))
        buffer_add_text(
            &yaml,
            "# A path below is no UTF-8, which mergekit cannot be told: make a link to that directory under "
            "another name (ln -s) and write that name here.\n");
    buffer_add_text(&yaml,
                    "# Files are laid out differently: compare tensor by tensor.\n"
                    "merge_method: linear\nbase_model: ");
    add_yaml_reference(&yaml, recipe, donor);
    buffer_add_text(&yaml, " # config.json and tokenizer come from here\nmodels:\n");
    add_yaml_model(&yaml, recipe, &recipe->sft, alpha);
    add_yaml_model(&yaml, recipe, &recipe->base, 1.0 - alpha);
    buffer_add_text(&yaml, "parameters:\n  normalize: false\ndtype: float32\n");
    if (dtype != NULL) buffer_add_format(&yaml, "out_dtype: %s\n", dtype);
    return export_add_text(plan, "mergekit.yaml", &yaml, error);
}
