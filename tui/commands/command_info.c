#include "core/checkpoint/config_facts.h"
#include "core/checkpoint/tensor_stored.h"
#include "core/files/json.h"
#include "core/numerics/blas_library.h"
#include "core/numerics/kernels.h"
#include "core/support/memory_limit.h"
#include "tui/commands/command.h"
#include "tui/tables/table_json.h"
#include "tui/tables/table_write.h"
#include "tui/text/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __clang__
#define COMPILER __VERSION__ /* has its name in it */
#else
#define COMPILER "gcc " __VERSION__
#endif

/* Facts are collected once, as the rows of a table and as the members of a JSON object. */
typedef struct Facts {
    Batch *batch;
    Table *table;
    cJSON *object;
    bool complete; /* false: out of memory */
} Facts;

static void add_text(Facts *facts, const char *key, const char *label, const char *text) {
    table_add_row(facts->table);
    table_add_text(facts->table, label);
    table_add_text(facts->table, text);
    facts->complete = facts->complete && json_add_text(facts->object, key, text);
}

static void add_count(Facts *facts, const char *key, const char *label, uint64_t count) {
    char text[FORMAT_SIZE];
    table_add_row(facts->table);
    table_add_text(facts->table, label);
    table_add_text(facts->table, format_count(count, text));
    facts->complete = facts->complete && batch_json_add_count(facts->object, key, count);
}

static void add_bytes(Facts *facts, const char *key, const char *label, uint64_t bytes) {
    char text[FORMAT_SIZE];
    table_add_row(facts->table);
    table_add_text(facts->table, label);
    table_add_text(facts->table, format_bytes((double)bytes, text));
    facts->complete = facts->complete && batch_json_add_count(facts->object, key, bytes);
}

static void add_bool(Facts *facts, const char *key, const char *label, bool value) {
    table_add_row(facts->table);
    table_add_text(facts->table, label);
    table_add_text(facts->table, value ? "yes" : "no");
    facts->complete = facts->complete && json_add_bool(facts->object, key, value);
}

/* Further facts go into a member of their own; returns the object that was filled until now. */
static cJSON *enter(Facts *facts, const char *key) {
    cJSON *outer = facts->object, *inner = cJSON_CreateObject();
    facts->complete = facts->complete && json_add(outer, key, inner);
    if (facts->complete) facts->object = inner;
    return outer;
}

/* ---- the program and the machine ---- */

/* Which OpenBLAS, and whether it chose its kernels well; or why there is none. */
static void add_library(Facts *facts) {
    Error error;
    char healed[128];
    if (blas_library_load(&error) != STATUS_OK) {
        add_text(facts, "openblas_error", "OpenBLAS", error.message);
        return;
    }
    const BlasLibrary *library = blas_library_get();
    const char *before = library->core_before;
    add_text(facts, "openblas", "OpenBLAS", library->configuration());
    add_text(facts, "openblas_core", "OpenBLAS kernels", library->core);
    facts->complete = facts->complete && json_add_text(facts->object, "openblas_core_before", before);
    (void)snprintf(healed, sizeof healed, "yes: OpenBLAS chose %.40s, slower than this processor allows",
                   before != NULL ? before : "");
    facts->complete = facts->complete && json_add_bool(facts->object, "healed", before != NULL);
    table_add_row(facts->table);
    table_add_text(facts->table, "loaded again for them");
    table_add_text(facts->table, before != NULL ? healed : "no");
}

static void add_program(Facts *facts, unsigned threads) {
    cJSON *outer = enter(facts, "program");
    add_text(facts, "version", "rejuv", REJUV_VERSION);
    add_text(facts, "compiler", "compiler", COMPILER);
    add_library(facts);
    add_text(facts, "kernels", "own kernels", kernels_get()->name);
    add_count(facts, "threads", "threads", threads);
    long page = sysconf(_SC_PAGESIZE), free_pages = sysconf(_SC_AVPHYS_PAGES);
    uint64_t memory = memory_limit_machine(), allowed = memory_limit_allowed(""), left = memory_limit_left();
    if (memory != UINT64_MAX) add_bytes(facts, "memory", "memory", memory);
    if (allowed != UINT64_MAX) add_bytes(facts, "memory_allowed", "memory, allowed", allowed);
    if (left != UINT64_MAX) add_bytes(facts, "memory_left", "memory, left by limits", left);
    if (page > 0 && free_pages > 0)
        add_bytes(facts, "memory_free", "memory, free", (uint64_t)page * (uint64_t)free_pages);
    facts->object = outer;
}

/* ---- a checkpoint ---- */

/* Figures of config.json for programs. */
static bool add_config_json(cJSON *object, const ModelConfig *config) {
    cJSON *rope = cJSON_CreateObject();
    bool complete = json_add_text(object, "hidden_act", architecture_activation_name(config->activation)) &&
                    json_add_number(object, "rms_norm_eps", config->norm_epsilon) &&
                    json_add(object, "rope", rope) &&
                    json_add_text(rope, "type", architecture_rope_name(config->ropes[0].kind)) &&
                    json_add_number(rope, "theta", config->ropes[0].theta);
    if (config->ropes[0].kind != ROPE_DEFAULT)
        complete = complete && json_add_number(rope, "factor", config->ropes[0].factor);
    return complete && json_add_bool(object, "tie_word_embeddings", config->tied_head) &&
           batch_json_add_ids(object, "eos_token_id", config->eos, config->eos_count);
}

static void add_config(Facts *facts, const ModelConfig *config) {
    const struct {
        const char *key, *label;
        uint64_t count;
    } COUNTS[] = {
        {"num_hidden_layers", "layers", config->layers},
        {"hidden_size", "hidden size", config->hidden_size},
        {"num_attention_heads", "heads", config->heads},
        {"num_key_value_heads", NULL, config->kv_heads},
        {"head_dim", NULL, config->head_dim},
        {"intermediate_size", "MLP size", config->intermediate_size},
        {"vocab_size", "vocabulary", config->vocabulary},
        {"max_position_embeddings", "positions", config->max_positions},
        {"sliding_window", NULL, architecture_window(config)},
    };
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        if (COUNTS[i].count == 0) continue;
        if (COUNTS[i].label != NULL)
            add_count(facts, COUNTS[i].key, COUNTS[i].label, COUNTS[i].count);
        else /* the table has it with the key it came from */
            facts->complete =
                facts->complete && batch_json_add_count(facts->object, COUNTS[i].key, COUNTS[i].count);
    }
    facts->complete = facts->complete && add_config_json(facts->object, config);
}

static void add_decision(Facts *facts, const char *what, const char *value, const char *from) {
    cJSON *list = facts->complete ? cJSON_GetObjectItemCaseSensitive(facts->object, "decided") : NULL;
    cJSON *item = cJSON_CreateObject();
    facts->complete = item != NULL && list != NULL && cJSON_AddItemToArray(list, item);
    if (!facts->complete) {
        cJSON_Delete(item);
        return;
    }
    facts->complete = json_add_text(item, "what", what) && json_add_text(item, "value", value) &&
                      json_add_text(item, "from", from);
}

/* What was decided, and from which key. */
static void add_decisions(Facts *facts, const Checkpoint *checkpoint) {
    ConfigFacts decided;
    config_facts_list(checkpoint, &decided);
    facts->complete = facts->complete && json_add(facts->object, "decided", cJSON_CreateArray());
    for (size_t i = 0; i < decided.count; i++) {
        const ConfigFact *fact = &decided.items[i];
        table_add_row(facts->table);
        table_add_text(facts->table, fact->label);
        char text[sizeof fact->value + sizeof fact->from + sizeof " ()"];
        (void)snprintf(text, sizeof text, "%s (%s)", fact->value, fact->from);
        table_add_text(facts->table, text);
        add_decision(facts, fact->key, fact->value, fact->from);
    }
}

/* The bytes of the tensors, scales among them, whose dtype has the name of tensor `first`; 0 where an earlier one has it. */
static uint64_t sum_bytes(const Checkpoint *checkpoint, size_t first) {
    size_t count = checkpoint->tensor_count + checkpoint->part_count;
    const char *name = checkpoint->tensors[first].dtype_name;
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (checkpoint->tensors[i].dtype != DTYPE_OTHER ||
            strcmp(checkpoint->tensors[i].dtype_name, name) != 0)
            continue;
        if (i < first) return 0;
        bytes += checkpoint->tensors[i].bytes;
    }
    return bytes;
}

static void add_dtype(Facts *facts, const char *name, uint64_t bytes, char *text, size_t size) {
    char amount[FORMAT_SIZE];
    size_t used = strlen(text);
    if (bytes == 0) return;
    (void)snprintf(text + used, size - used, "%s%s (%s)", used > 0 ? ", " : "", name,
                   format_bytes((double)bytes, amount));
    facts->complete = facts->complete && batch_json_add_count(facts->object, name, bytes);
}

/* "BF16 (1.2 GB)", every type with its share of the bytes. */
static void add_dtypes(Facts *facts, const Checkpoint *checkpoint) {
    size_t count = checkpoint->tensor_count + checkpoint->part_count;
    uint64_t bytes[DTYPE_COUNT] = {0};
    char text[512] = "";
    for (size_t i = 0; i < count; i++) {
        uint64_t stored;
        DType dtype = tensor_stored_dtype(&checkpoint->tensors[i], &stored);
        bytes[dtype] += stored;
    }
    cJSON *outer = enter(facts, "dtypes");
    for (DType dtype = 0; dtype < DTYPE_OTHER; dtype++)
        add_dtype(facts, dtype_name(dtype), bytes[dtype], text, sizeof text);
    for (size_t i = 0; i < count && bytes[DTYPE_OTHER] > 0; i++) {
        if (checkpoint->tensors[i].dtype == DTYPE_OTHER)
            add_dtype(facts, checkpoint->tensors[i].dtype_name, sum_bytes(checkpoint, i), text, sizeof text);
    }
    facts->object = outer;
    table_add_row(facts->table);
    table_add_text(facts->table, "types");
    table_add_text(facts->table, text);
    if (checkpoint->quantization.kind != QUANTIZATION_NONE)
        add_text(facts, "quantization", "quantization", checkpoint->quantization.text);
}

static void add_tokenizer(Facts *facts, const Checkpoint *checkpoint) {
    Tokenizer *tokenizer;
    Error error;
    Status status = batch_read_tokenizer(facts->batch, checkpoint->directory, &tokenizer, &error);
    if (status == STATUS_OK && tokenizer == NULL)
        status = status_fail(&error, STATUS_UNSUPPORTED, "there is no %s",
                             tokenizer_absence(batch_tokenizer_rule(facts->batch->options)));
    if (status != STATUS_OK) {
        add_text(facts, "tokenizer_error", "tokenizer", error.message);
        return;
    }
    TokenizerFacts known = tokenizer_facts(tokenizer);
    if (known.class_name != NULL) add_decision(facts, "tokenizer_class", known.class_name, known.class_key);
    cJSON *outer = enter(facts, "tokenizer");
    add_text(facts, "kind", "tokenizer", known.kind);
    add_text(facts, "file", "read from", known.file);
    if (known.class_name != NULL) add_text(facts, "class", "class", known.class_name);
    if (known.class_key[0] != '\0') add_text(facts, "class_from", "class from", known.class_key);
    add_count(facts, "pieces", "pieces", known.pieces);
    add_count(facts, "merges", "merges", known.merges);
    add_count(facts, "added_tokens", "added tokens", known.added_tokens);
    add_count(facts, "special_tokens", "of them special", known.special_tokens);
    add_count(facts, "size", "rows needed", tokenizer_vocabulary_size(tokenizer));
    facts->object = outer;
    batch_say_remarks(facts->batch, tokenizer);
    tokenizer_free(tokenizer);
}

/* What was opened in place of what was named, and what lies beside it unread. */
static void add_remarks(Facts *facts, const Checkpoint *checkpoint) {
    if (checkpoint->remarks.count == 0) return;
    cJSON *remarks = cJSON_CreateArray();
    facts->complete = facts->complete && json_add(facts->object, "remarks", remarks);
    for (size_t i = 0; i < checkpoint->remarks.count; i++) {
        const Finding *remark = &checkpoint->remarks.items[i];
        table_add_row(facts->table);
        table_add_text(facts->table, finding_severity_name(remark->severity));
        table_add_text(facts->table, remark->text);
        if (facts->complete) {
            cJSON *text = cJSON_CreateString(remark->text);
            facts->complete = text != NULL && cJSON_AddItemToArray(remarks, text);
        }
    }
}

/* What config.json asks for and the tensors are not, "" where they fit: whether a model runs is known of a pair, here of
 * the checkpoint with itself. */
static Status find_misfit(const char *directory, char misfit[ERROR_MESSAGE_SIZE], Error *error) {
    Pair *pair;
    Model *model = NULL;
    Error why;
    Status status = pair_open(directory, directory, &pair, &why);
    if (status == STATUS_OK) status = model_open(pair, &model, &why);
    misfit[0] = '\0';
    if (status == STATUS_NO_MEMORY) (void)status_fail(error, status, "%s", why.message);
    if (status != STATUS_OK) (void)snprintf(misfit, ERROR_MESSAGE_SIZE, "%s", why.message);
    model_close(model);
    pair_close(pair);
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

static void add_checkpoint(Facts *facts, const Checkpoint *checkpoint, const char *misfit) {
    char parameters[FORMAT_SIZE];
    cJSON *outer = enter(facts, "checkpoint");
    add_text(facts, "directory", "directory", checkpoint->directory);
    add_remarks(facts, checkpoint);
    add_text(facts, "model_type", "type", json_get_text(checkpoint->config, "model_type", NULL));
    bool is_known = checkpoint->model_status == STATUS_OK, runs = is_known && misfit[0] == '\0';
    add_bool(facts, "can_run", "can be run", runs);
    if (!runs)
        add_text(facts, "cannot_run_because", "because", is_known ? misfit : checkpoint->model_error.message);
    table_add_row(facts->table);
    table_add_text(facts->table, "parameters");
    table_add_text(facts->table, format_short_count(checkpoint->parameters, parameters));
    facts->complete =
        facts->complete && batch_json_add_count(facts->object, "parameters", checkpoint->parameters);
    add_count(facts, "tensors", "tensors", checkpoint->tensor_count);
    add_bytes(facts, "bytes", "bytes of tensors", checkpoint->bytes);
    add_dtypes(facts, checkpoint);
    add_count(facts, "files", "files of weights", checkpoint->file_count);
    if (is_known)
        add_config(facts, &checkpoint->model);
    else
        add_count(facts, "num_hidden_layers", "layers", checkpoint->layers);
    add_decisions(facts, checkpoint);
    add_tokenizer(facts, checkpoint);
    facts->object = outer;
}

static Status write_facts(Batch *batch, Facts *facts, Error *error) {
    if (!facts->complete) {
        cJSON_Delete(facts->object);
        return batch_write_json(batch, NULL, error);
    }
    if (batch->format == TABLE_AS_JSON) return batch_write_json(batch, facts->object, error);
    cJSON_Delete(facts->object);
    return batch_write_table(batch, facts->table, error);
}

static Status write_architectures(Batch *batch, Error *error) {
    static const TableColumn COLUMNS[] = {{"type", NULL, NULL, TABLE_TEXT, 0},
                                          {"blocks", NULL, NULL, TABLE_TEXT, 0}};
    Table *table = NULL;
    const Architecture *row;
    Status status = table_create(COLUMNS, 2, &table, error);
    for (size_t i = 0; status == STATUS_OK && (row = architecture_at(i)) != NULL; i++) {
        char words[256];
        architecture_describe(row, words, sizeof words);
        table_add_row(table);
        table_add_text(table, architecture_name(row));
        table_add_text(table, words);
    }
    if (status == STATUS_OK) status = batch_write_table(batch, table, error);
    table_free(table);
    return status;
}

static Status run(Batch *batch, Error *error) {
    if (options_value(batch->options, OPTION_ARCHITECTURES)->given) return write_architectures(batch, error);
    static const TableColumn COLUMNS[] = {{"fact", NULL, NULL, TABLE_TEXT, 0},
                                          {"value", NULL, NULL, TABLE_TEXT, 0}};
    Checkpoint *checkpoint = NULL;
    char misfit[ERROR_MESSAGE_SIZE] = "";
    Facts facts = {.batch = batch, .object = cJSON_CreateObject(), .complete = true};
    facts.complete = facts.object != NULL;
    Status status = table_create(COLUMNS, 2, &facts.table, error);
    if (status == STATUS_OK) status = batch_open_job(batch, error); /* for the number of its threads */
    if (status == STATUS_OK && batch->options->operand_count > 0)
        status = checkpoint_open(batch->options->operands[0], &checkpoint, error);
    if (status == STATUS_OK && checkpoint != NULL && checkpoint->model_status == STATUS_OK)
        status = find_misfit(batch->options->operands[0], misfit, error);
    if (status == STATUS_OK) {
        if (checkpoint != NULL) add_checkpoint(&facts, checkpoint, misfit);
        add_program(&facts, job_threads(batch->job));
        status = write_facts(batch, &facts, error);
    } else {
        cJSON_Delete(facts.object);
    }
    table_free(facts.table);
    checkpoint_close(checkpoint);
    return status;
}

const Command command_info = {
    .details =
        "A checkpoint that cannot be run can still be compared and fused; `can be run` says whether "
        "the forward "
        "pass knows its kind, and otherwise why not. In brackets stands the key that decided, where there are several or none: "
        "rope_scaling.rope_theta, generation_config.json: eos_token_id, default of llama.\n"
        "\n"
        "JSON: an object with\n"
        "  checkpoint  directory, remarks [texts], where something else was opened than what was named, model_type, "
        "can_run, cannot_run_because, parameters, tensors, bytes, "
        "dtypes {NAME: bytes}, quantization (where there is any), files, num_hidden_layers, hidden_size, num_attention_heads, "
        "num_key_value_heads, head_dim, intermediate_size, vocab_size, max_position_embeddings, "
        "sliding_window, hidden_act, rms_norm_eps, rope {type, theta, factor}, tie_word_embeddings, "
        "eos_token_id [ids], decided [{what, value, from}]: what was decided from which key, tokenizer {kind, file, class, "
        "class_from, pieces, merges, added_tokens, special_tokens, size} or "
        "tokenizer_error\n"
        "  program     version, compiler, openblas, openblas_core, openblas_core_before, healed (or openblas_error: why "
        "it is not there), kernels, threads, memory, memory_allowed (less where a control group, or the process's own limits, "
        "say so), memory_left (by the process's own limits, where there are any), memory_free (bytes)\n"
        "CSV: the facts",
    .run = run,
};
