#include "core/export/export.h"
#include "core/files/json.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/command.h"
#include "tui/commands/dial_options.h"
#include "tui/commands/verify_report.h"
#include "tui/tables/table_write.h"
#include "tui/text/format.h"

#include <stdint.h>
#include <stdlib.h>

typedef struct Export {
    Recipe *recipe; /* with --recipe; otherwise the dials */
    BatchMethod method;
    ExportOptions options;
    ExportPlan *plan;
    VerifyResult *verified; /* NULL: not verified */
} Export;

/* ---- what to do ---- */

static Status discard(Batch *batch, Error *error) {
    uint64_t bytes;
    char text[FORMAT_SIZE];
    Status status = export_discard(options_text(batch->options, OPTION_OUT), &bytes, error);
    if (status != STATUS_OK) return status;
    if (batch->format == TABLE_AS_JSON) {
        cJSON *tree = cJSON_CreateObject();
        if (tree != NULL && batch_json_add_count(tree, "discarded_bytes", bytes))
            return batch_write_json(batch, tree, error);
        cJSON_Delete(tree);
        return batch_write_json(batch, NULL, error);
    }
    if (bytes > 0)
        batch_print("Removed %s.", format_bytes((double)bytes, text));
    else
        batch_print("There was nothing to remove.");
    return STATUS_OK;
}

static Status read_options(const Batch *batch, Export *export, Error *error) {
    /* in the order of --dtype's and --donor's choices */
    static const DType DTYPES[] = {DTYPE_UNKNOWN, DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    static const Donor DONORS[] = {DONOR_SFT, DONOR_BASE};
    const Options *options = batch->options;
    const char *recipe = options_text(options, OPTION_RECIPE);
    if (recipe != NULL) {
        Status status = recipe_read(recipe, &export->recipe, error);
        if (status != STATUS_OK) return status;
        export->options = export_options_from_recipe(export->recipe);
    } else {
        export->options = (ExportOptions){.dtype = DTYPES[options_value(options, OPTION_DTYPE)->count],
                                          .shard_bytes = options_value(options, OPTION_SHARD_SIZE)->count,
                                          .donor = DONORS[options_value(options, OPTION_DONOR)->count]};
    }
    export->options.directory = options_text(options, OPTION_OUT);
    export->options.ranks = batch->ranks;
    export->options.allow_unmatched |= options_has(options, OPTION_ALLOW_UNMATCHED);
    return STATUS_OK;
}

/* Where the recipe says: as its export was given them, so that elsewhere they may be in other places. */
static Status open_recorded_pair(Batch *batch, const Recipe *recipe, Error *error) {
    Status status = batch_open_pair_of(batch, recipe->base.directory, recipe->sft.directory, error);
    return status == STATUS_OK
               ? status
               : status_add_context(error, "the recipe's inputs (BASE SFT says where they are now)");
}

/* By recipe: the pair and a job, no model. */
static Status open_for_recipe(Batch *batch, const Export *export, Error *error) {
    Status status = batch->options->operand_count > 0 ? batch_open_pair(batch, error)
                                                      : open_recorded_pair(batch, export->recipe, error);
    return status == STATUS_OK ? batch_open_job(batch, error) : status;
}

/* By dials: a model too, where neurons are chosen. Weights alone can be fused without knowing the model. */
static Status open_for_dials(Batch *batch, Export *export, Error *error) {
    bool wants_reset = dial_options_want_reset(batch->options);
    if (batch->options->operand_count == 0)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected BASE SFT (only --recipe and --discard do without)");
    Status status = dial_options_check(batch->options, error);
    if (status == STATUS_OK)
        status = wants_reset ? batch_open_model(batch, error) : batch_open_pair(batch, error);
    if (status == STATUS_OK && !wants_reset) status = batch_open_job(batch, error);
    if (status == STATUS_OK) status = batch_method_read(batch, &export->method, error);
    if (status == STATUS_OK && wants_reset) status = batch_method_rank(batch, &export->method, error);
    export->options.settings = export->method.settings;
    return status;
}

static void tell_findings(Batch *batch, const ExportPlan *plan, size_t first) {
    for (size_t i = first; i < plan->findings.count; i++) {
        const Finding *finding = &plan->findings.items[i];
        if (finding->severity != SEVERITY_ERROR) /* errors are told once, as such */
            batch_say(batch, "%s: %s: %s", finding_severity_name(finding->severity), finding->subject,
                      finding->text);
    }
}

/* ---- output ---- */

static Status make_files(const ExportPlan *plan, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"file", NULL, NULL, TABLE_TEXT, 0},
                                          {"bytes", NULL, NULL, TABLE_INTEGER, 0},
                                          {"tensors", NULL, NULL, TABLE_INTEGER, 0}};
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < plan->shard_count; i++) {
        table_add_row(*table);
        table_add_text(*table, plan->shards[i].name);
        table_add_integer(*table, (int64_t)plan->shards[i].file_bytes);
        table_add_integer(*table, (int64_t)plan->shards[i].count);
    }
    for (size_t i = 0; i < plan->sidecar_count; i++) {
        table_add_row(*table);
        table_add_text(*table, plan->sidecars[i].name);
        table_add_integer(*table, (int64_t)plan->sidecars[i].bytes);
        table_add_empty(*table);
    }
    return STATUS_OK;
}

static bool add_verification(cJSON *tree, const VerifyResult *verified) {
    if (verified == NULL) return true;
    cJSON *object = cJSON_CreateObject();
    return json_add(tree, "verification", object) && verify_report_add_json(object, verified);
}

static bool add_templates(cJSON *tree, const ExportPlan *plan) {
    cJSON *array = cJSON_CreateArray();
    bool complete = json_add(tree, "chat_templates", array);
    for (size_t i = 0; i < plan->recipe->template_count && complete; i++) {
        const RecipeTemplate *one = &plan->recipe->templates[i];
        cJSON *item = cJSON_CreateObject();
        complete = item != NULL && cJSON_AddItemToArray(array, item);
        if (!complete) cJSON_Delete(item);
        complete = complete && json_add_text(item, "name", one->name) &&
                   json_add_text(item, "file", one->file) &&
                   json_add_text(item, "from", recipe_donor_name(plan->options.donor));
    }
    return complete;
}

/* Which go along, and from whom. */
static void print_templates(const ExportPlan *plan) {
    const char *side = plan->options.donor == DONOR_BASE ? "base" : "SFT";
    const Recipe *recipe = plan->recipe;
    if (recipe->template_count == 0) batch_print("No chat template goes along: %s has none.", side);
    for (size_t i = 0; i < recipe->template_count; i++)
        batch_print("Chat template: %s of %s, from %s.", recipe->templates[i].name, recipe->templates[i].file,
                    side);
}

static Status write_json(Batch *batch, const Export *export, const Table *files, Error *error) {
    const ExportPlan *plan = export->plan;
    DType dtype = plan->options.dtype;
    Table *findings = NULL;
    size_t severities[3];
    cJSON *tree = cJSON_CreateObject();
    Status status = batch_make_findings(&plan->findings, &findings, severities, error);
    bool complete =
        status == STATUS_OK && tree != NULL && json_add_text(tree, "directory", plan->directory) &&
        json_add_text(tree, "base", batch->pair->base->directory) &&
        json_add_text(tree, "sft", batch->pair->sft->directory) &&
        json_add_bool(tree, "dry_run", options_has(batch->options, OPTION_DRY_RUN)) &&
        json_add_number(tree, "alpha", plan->options.settings.alpha) &&
        batch_method_add_json(tree, &plan->options.settings, false) &&
        json_add_text(tree, "dtype", dtype == DTYPE_UNKNOWN ? "keep" : dtype_name(dtype)) &&
        json_add_text(tree, "donor", recipe_donor_name(plan->options.donor)) && add_templates(tree, plan) &&
        batch_json_add_count(tree, "shard_bytes", plan->options.shard_bytes) &&
        batch_json_add_count(tree, "weight_bytes", plan->weight_bytes) &&
        batch_json_add_count(tree, "total_bytes", plan->total_bytes) &&
        batch_json_add_count(tree, "kept_bytes", plan->kept_bytes) &&
        (plan->free_bytes == UINT64_MAX || batch_json_add_count(tree, "free_bytes", plan->free_bytes)) &&
        batch_json_add_table(tree, "files", files) && batch_json_add_table(tree, "findings", findings) &&
        add_verification(tree, export->verified);
    table_free(findings);
    if (complete) return batch_write_json(batch, tree, error);
    cJSON_Delete(tree);
    return batch_write_json(batch, NULL, error);
}

static Status write_text(Batch *batch, const Export *export, const Table *files, Error *error) {
    const ExportPlan *plan = export->plan;
    char total[FORMAT_SIZE], left[FORMAT_SIZE], reset[256];
    bool dry = options_has(batch->options, OPTION_DRY_RUN);
    Status status = batch_write_table(batch, files, error);
    if (status != STATUS_OK) return status;
    batch_print("%s", "");
    batch_print("%s %zu files, %s, to %s (alpha %g, donor %s).", dry ? "Would write" : "Wrote",
                plan->shard_count + plan->sidecar_count, format_bytes((double)plan->total_bytes, total),
                plan->directory, plan->options.settings.alpha, recipe_donor_name(plan->options.donor));
    print_templates(plan);
    batch_method_describe_reset(&plan->options.settings, reset, sizeof reset);
    if (reset[0] != '\0') batch_print("%s", reset);
    const PairShare *share = &plan->pair->share;
    if (!pair_share_is_whole(share))
        batch_print(
            "Blended: %.4g %% of SFT's elements. Tensors that are not: %zu of SFT's copied, %zu of base's left out.",
            pair_share_percent(share), share->copied_tensors, share->missing_tensors);
    if (dry && plan->free_bytes != UINT64_MAX)
        batch_print("%s are free there.", format_bytes((double)plan->free_bytes, left));
    if (dry && plan->kept_bytes > 0)
        batch_print("An interrupted export left %s of it, which need not be written again.",
                    format_bytes((double)plan->kept_bytes, left));
    return export->verified != NULL ? verify_report_print(batch, export->verified, error) : STATUS_OK;
}

static Status write_report(Batch *batch, const Export *export, Error *error) {
    Table *files = NULL;
    Status status = make_files(export->plan, &files, error);
    if (status == STATUS_OK && batch->format == TABLE_AS_JSON)
        status = write_json(batch, export, files, error);
    else if (status == STATUS_OK && batch->format == TABLE_AS_CSV)
        status = batch_write_table(batch, files, error);
    else if (status == STATUS_OK)
        status = write_text(batch, export, files, error);
    table_free(files);
    return status;
}

/* ---- doing it ---- */

/* STATUS_MISMATCH with a result is no reason to say nothing about the export. */
static Status verify(Batch *batch, Export *export, Error *error) {
    VerifyOptions options = {.base_directory = batch->pair->base->directory,
                             .sft_directory = batch->pair->sft->directory,
                             .made = ranks_count(batch->ranks) > 1 ? NULL : export->plan,
                             .written = ranks_is_lead(batch->ranks) ? export->plan->recipe : NULL,
                             .ranks = batch->ranks};
    return verify_export(export->plan->directory, &options, batch->job, &export->verified, error);
}

static Status write_export(Batch *batch, Export *export, Error *error) {
    Error output;
    bool dry = options_has(batch->options, OPTION_DRY_RUN);
    bool verifies = !options_has(batch->options, OPTION_NO_VERIFY);
    size_t planned = export->plan->findings.count;
    tell_findings(batch, export->plan, 0);
    Status status = export_check(export->plan, error);
    if (status != STATUS_OK && !dry) return status;
    if (status == STATUS_OK && !dry) status = export_run(export->plan, batch->job, error);
    if (status != STATUS_OK && !dry) return status;
    if (!dry && !verifies) tell_findings(batch, export->plan, planned); /* what verifying tells, too */
    if (!dry && verifies) status = verify(batch, export, error);
    Status written = write_report(batch, export, &output);
    if (written != STATUS_OK && status == STATUS_OK) {
        status = written;
        *error = output;
    }
    return status;
}

static Status run(Batch *batch, Error *error) {
    Export export = {0};
    if (!options_has(batch->options, OPTION_OUT))
        return status_fail(error, STATUS_ARGUMENT, "expected --out DIR, the directory to make");
    if (options_has(batch->options, OPTION_DISCARD)) /* one rank is enough */
        return ranks_is_lead(batch->ranks) ? discard(batch, error) : STATUS_OK;
    Status status = read_options(batch, &export, error);
    if (status == STATUS_OK)
        status = export.recipe != NULL ? open_for_recipe(batch, &export, error)
                                       : open_for_dials(batch, &export, error);
    if (status == STATUS_OK) status = export_plan(batch->pair, &export.options, &export.plan, error);
    if (status == STATUS_OK) status = write_export(batch, &export, error);
    verify_result_free(export.verified);
    export_plan_free(export.plan);
    batch_method_free(&export.method);
    recipe_free(export.recipe);
    return status;
}

const Command command_export = {
    .details =
        "Safetensors with the SFT model's names and order, configuration and tokenizer of the donor, "
        "the recipe "
        "(rejuvenation.json) and the same fusion for mergekit. With --rho the neurons that --calibration chooses are "
        "reset; the recipe lists them, so that --recipe needs no calibration. The directory appears when it is whole; an "
        "interrupted export goes on where it was when the same command is given again. Afterwards "
        "everything is "
        "read again and compared with the recipe and with what was blended; verify blends the inputs again.\n"
        "\n"
        "JSON: an object with\n"
        "  directory, base, sft, dry_run, alpha, dials (see preview --help), dtype, donor, shard_bytes, weight_bytes, total_bytes, "
        "kept_bytes, free_bytes\n"
        "  chat_templates  [{name, file, from: sft|base}]: which go along\n"
        "  files         [{file, bytes, tensors}]\n"
        "  findings      [{severity: error|warning|note, subject, text}]\n"
        "  verification  see verify --help; not with --no-verify\n"
        "  discarded_bytes  alone, with --discard\n"
        "CSV: the files",
    .is_dealt = true,
    .run = run,
};
