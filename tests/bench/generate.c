#include "tests/bench/generate.h"

#include "core/files/json.h"
#include "core/numerics/kernels.h"
#include "core/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 32768, SIDES = 2, NAME_SIZE = 80, PATH_SIZE = 4096, MANY_SHARDS = 32 };

static const char *const SIDE_NAMES[SIDES] = {"base", "sft"};
static const Shape MANY = {
    "many-tensors", "llama", "LlamaForCausalLM", 16, 1, 2, 2, 8, 16, 64, 64, 1e4, 1e-5, .is_tied = false};

typedef struct PlannedTensor {
    char name[NAME_SIZE];
    uint64_t rows, columns; /* columns = 0: a vector */
    float mean, deviation;
    bool is_equal; /* the same in both */
    size_t shard;
    uint64_t offset; /* within its shard's data */
} PlannedTensor;

typedef struct Plan {
    const GenerateOptions *options;
    uint64_t layers;
    PlannedTensor *tensors;
    size_t count, capacity;
    size_t shards;
    uint64_t *shard_bytes; /* [shards], data only */
    uint64_t bytes;        /* of one side */
} Plan;

GenerateOptions generate_defaults(const Shape *shape) {
    return (GenerateOptions){.shape = shape, .shards = 1, .dtype = DTYPE_BF16, .drift = 0.01, .seed = 1};
}

GenerateOptions generate_many_tensors(uint64_t tensors) {
    GenerateOptions options = generate_defaults(&MANY);
    options.tensors = tensors;
    options.layers = tensors > 12 ? (tensors - 3) / 9 : 1; /* 9 tensors a layer, 3 beside the layers */
    options.shards = MANY_SHARDS;
    return options;
}

/* ---- what to write ---- */

static uint64_t element_count(const PlannedTensor *tensor) {
    return tensor->columns == 0 ? tensor->rows : tensor->rows * tensor->columns;
}

static Status plan_tensor(Plan *plan, const char *name, uint64_t rows, uint64_t columns, double mean,
                          double deviation, Error *error) {
    Status status = MEMORY_RESERVE(plan->tensors, &plan->capacity, plan->count + 1, error);
    if (status != STATUS_OK) return status;
    PlannedTensor *tensor = &plan->tensors[plan->count++];
    *tensor =
        (PlannedTensor){.rows = rows, .columns = columns, .mean = (float)mean, .deviation = (float)deviation};
    (void)snprintf(tensor->name, sizeof tensor->name, "%s", name); /* names are ours, and short */
    plan->bytes += element_count(tensor) * dtype_size(plan->options->dtype);
    return STATUS_OK;
}

typedef struct LayerTensor {
    const char *name;
    uint64_t rows, columns;
    double mean, deviation;
    bool is_present;
} LayerTensor;

/* Deviations are those of GPT-2's initialisation: 0.02, less where a layer adds to the residual stream. */
static Status plan_layer(Plan *plan, uint64_t layer, Error *error) {
    const Shape *s = plan->options->shape;
    uint64_t queries = s->heads * s->head_dim, keys = s->kv_heads * s->head_dim;
    double residual = 0.02 / sqrt(2.0 * (double)plan->layers);
    const LayerTensor tensors[] = {
        {"input_layernorm.weight", s->hidden, 0, 1.0, 0.05, true},
        {"self_attn.q_proj.weight", queries, s->hidden, 0.0, 0.02, true},
        {"self_attn.q_proj.bias", queries, 0, 0.0, 0.02, s->has_qkv_bias},
        {"self_attn.k_proj.weight", keys, s->hidden, 0.0, 0.02, true},
        {"self_attn.k_proj.bias", keys, 0, 0.0, 0.02, s->has_qkv_bias},
        {"self_attn.v_proj.weight", keys, s->hidden, 0.0, 0.02, true},
        {"self_attn.v_proj.bias", keys, 0, 0.0, 0.02, s->has_qkv_bias},
        {"self_attn.q_norm.weight", s->head_dim, 0, 1.0, 0.05, s->has_qk_norm},
        {"self_attn.k_norm.weight", s->head_dim, 0, 1.0, 0.05, s->has_qk_norm},
        {"self_attn.o_proj.weight", s->hidden, queries, 0.0, residual, true},
        {"post_attention_layernorm.weight", s->hidden, 0, 1.0, 0.05, true},
        {"mlp.gate_proj.weight", s->intermediate, s->hidden, 0.0, 0.02, s->experts == 0},
        {"mlp.up_proj.weight", s->intermediate, s->hidden, 0.0, 0.02, s->experts == 0},
        {"mlp.down_proj.weight", s->hidden, s->intermediate, 0.0, residual, s->experts == 0},
        {"mlp.gate.weight", s->experts, s->hidden, 0.0, 0.02, s->experts > 0},
    };
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && status == STATUS_OK; i++) {
        const LayerTensor *t = &tensors[i];
        if (!t->is_present) continue;
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof name, "model.layers.%llu.%s", (unsigned long long)layer, t->name);
        status = plan_tensor(plan, name, t->rows, t->columns, t->mean, t->deviation, error);
        if (status == STATUS_OK) plan->tensors[plan->count - 1].is_equal = t->columns == 0 && layer % 2 == 0;
    }
    return status;
}

static Status plan_expert(Plan *plan, uint64_t layer, uint64_t expert, Error *error) {
    const Shape *s = plan->options->shape;
    double residual = 0.02 / sqrt(2.0 * (double)plan->layers);
    const LayerTensor tensors[] = {{"gate_proj", s->intermediate, s->hidden, 0.0, 0.02, true},
                                   {"up_proj", s->intermediate, s->hidden, 0.0, 0.02, true},
                                   {"down_proj", s->hidden, s->intermediate, 0.0, residual, true}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && status == STATUS_OK; i++) {
        const LayerTensor *t = &tensors[i];
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof name, "model.layers.%llu.mlp.experts.%llu.%s.weight",
                       (unsigned long long)layer, (unsigned long long)expert, t->name);
        status = plan_tensor(plan, name, t->rows, t->columns, t->mean, t->deviation, error);
    }
    return status;
}

static Status plan_tensors(Plan *plan, Error *error) {
    const Shape *s = plan->options->shape;
    Status status =
        plan_tensor(plan, "model.embed_tokens.weight", s->vocabulary, s->hidden, 0.0, 0.02, error);
    for (uint64_t layer = 0; layer < plan->layers && status == STATUS_OK; layer++) {
        status = plan_layer(plan, layer, error);
        for (uint64_t expert = 0; expert < s->experts && status == STATUS_OK; expert++)
            status = plan_expert(plan, layer, expert, error);
    }
    if (status == STATUS_OK) status = plan_tensor(plan, "model.norm.weight", s->hidden, 0, 1.0, 0.05, error);
    if (status == STATUS_OK && !s->is_tied)
        status = plan_tensor(plan, "lm_head.weight", s->vocabulary, s->hidden, 0.0, 0.02, error);
    for (size_t i = 0; plan->count < plan->options->tensors && status == STATUS_OK; i++) {
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof name, "extra.%zu.weight", i);
        status = plan_tensor(plan, name, 4, 4, 0.0, 0.02, error);
    }
    return status;
}

/* Fills the shards one after another, each up to an equal part of the whole. */
static Status plan_shards(Plan *plan, Error *error) {
    plan->shards = plan->options->shards < 1 ? 1 : plan->options->shards;
    if (plan->shards > plan->count) plan->shards = plan->count;
    plan->shard_bytes = memory_allocate(plan->shards, sizeof *plan->shard_bytes);
    if (plan->shard_bytes == NULL) return memory_fail(error, "the shards");
    uint64_t before = 0;
    size_t shard = 0;
    for (size_t i = 0; i < plan->count; i++) {
        PlannedTensor *tensor = &plan->tensors[i];
        bool is_full = before >= plan->bytes / plan->shards * (shard + 1);
        bool is_needed = plan->count - i <= plan->shards - shard - 1; /* one tensor at least for each */
        if (shard + 1 < plan->shards && plan->shard_bytes[shard] > 0 && (is_full || is_needed)) shard++;
        tensor->shard = shard;
        tensor->offset = plan->shard_bytes[shard];
        uint64_t bytes = element_count(tensor) * dtype_size(plan->options->dtype);
        plan->shard_bytes[shard] += bytes;
        before += bytes;
    }
    return STATUS_OK;
}

/* ---- files that are not weights ---- */

static Status join(char *path, const char *directory, const char *side, const char *name, Error *error) {
    int length = snprintf(path, PATH_SIZE, "%s/%s%s%s", directory, side, name[0] == '\0' ? "" : "/", name);
    if (length >= 0 && length < PATH_SIZE) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "%s: the path is too long", directory);
}

static void name_shard(const Plan *plan, size_t shard, char *name, size_t size) {
    if (plan->shards == 1)
        (void)snprintf(name, size, "model.safetensors");
    else
        (void)snprintf(name, size, "model-%05zu-of-%05zu.safetensors", shard + 1, plan->shards);
}

static Status write_file(const char *path, const void *bytes, size_t count, Error *error) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) return status_fail_errno(error, errno, "%s: cannot be created", path);
    bool is_written = fwrite(bytes, 1, count, file) == count;
    if (fclose(file) == 0 && is_written) return STATUS_OK;
    return status_fail_errno(error, errno, "%s: cannot be written", path);
}

/* Prints and frees the tree. */
static Status write_json(cJSON *tree, bool is_complete, const char *path, Error *error) {
    char *text = is_complete ? cJSON_Print(tree) : NULL;
    cJSON_Delete(tree);
    if (text == NULL) return memory_fail(error, path);
    Status status = write_file(path, text, strlen(text), error);
    free(text);
    return status;
}

static bool add_rope_scaling(cJSON *config, const Shape *shape) {
    if (shape->llama3_factor == 0.0) return json_add(config, "rope_scaling", cJSON_CreateNull());
    cJSON *scaling = cJSON_CreateObject();
    bool ok = json_add_text(scaling, "rope_type", "llama3") &&
              json_add_number(scaling, "factor", shape->llama3_factor) &&
              json_add_number(scaling, "low_freq_factor", 1.0) &&
              json_add_number(scaling, "high_freq_factor", 4.0) &&
              json_add_number(scaling, "original_max_position_embeddings", 8192);
    return json_add(config, "rope_scaling", scaling) && ok;
}

static Status write_config(const Plan *plan, const char *path, Error *error) {
    const Shape *s = plan->options->shape;
    cJSON *config = cJSON_CreateObject(), *classes = cJSON_CreateArray();
    bool ok = cJSON_AddItemToArray(classes, cJSON_CreateString(s->class_name)) &&
              json_add(config, "architectures", classes);
    const struct {
        const char *key;
        double value;
        bool is_present;
    } numbers[] = {
        {"hidden_size", (double)s->hidden, true},
        {"intermediate_size", (double)s->intermediate, true},
        {"num_hidden_layers", (double)plan->layers, true},
        {"num_attention_heads", (double)s->heads, true},
        {"num_key_value_heads", (double)s->kv_heads, true},
        {"head_dim", (double)s->head_dim, true},
        {"vocab_size", (double)s->vocabulary, true},
        {"max_position_embeddings", (double)s->positions, true},
        {"rope_theta", s->theta, true},
        {"rms_norm_eps", s->epsilon, true},
        {"eos_token_id", (double)s->vocabulary - 1.0, true},
        {"initializer_range", 0.02, true},
        {"sliding_window", (double)s->window, s->window > 0},
        {"num_experts", (double)s->experts, s->experts > 0},
        {"num_experts_per_tok", (double)s->chosen, s->experts > 0},
        {"moe_intermediate_size", (double)s->intermediate, s->experts > 0},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].is_present) ok = ok && json_add_number(config, numbers[i].key, numbers[i].value);
    }
    ok = ok && json_add_text(config, "model_type", s->model_type) &&
         json_add_text(config, "hidden_act", "silu") &&
         json_add_bool(config, "tie_word_embeddings", s->is_tied) &&
         json_add_text(config, "torch_dtype", dtype_torch_name(plan->options->dtype)) &&
         add_rope_scaling(config, s);
    return write_json(config, ok, path, error);
}

static Status write_index(const Plan *plan, const char *path, Error *error) {
    cJSON *index = cJSON_CreateObject(), *metadata = cJSON_CreateObject(), *map = cJSON_CreateObject();
    bool ok = json_add_number(metadata, "total_size", (double)plan->bytes);
    for (size_t i = 0; i < plan->count; i++) {
        char name[NAME_SIZE];
        name_shard(plan, plan->tensors[i].shard, name, sizeof name);
        ok = json_add_text(map, plan->tensors[i].name, name) && ok;
    }
    ok = json_add(index, "metadata", metadata) && ok;
    ok = json_add(index, "weight_map", map) && ok;
    return write_json(index, ok, path, error);
}

/* The length, the JSON and spaces up to a multiple of 8; the caller frees. */
static char *make_header(const Plan *plan, size_t shard, size_t *size) {
    cJSON *header = cJSON_CreateObject();
    bool ok = true;
    for (size_t i = 0; i < plan->count; i++) {
        const PlannedTensor *tensor = &plan->tensors[i];
        if (tensor->shard != shard) continue;
        uint64_t bytes = element_count(tensor) * dtype_size(plan->options->dtype);
        double shape[] = {(double)tensor->rows, (double)tensor->columns};
        double offsets[] = {(double)tensor->offset, (double)(tensor->offset + bytes)};
        cJSON *entry = cJSON_CreateObject();
        ok = json_add_text(entry, "dtype", dtype_name(plan->options->dtype)) && ok;
        ok = json_add(entry, "shape", cJSON_CreateDoubleArray(shape, tensor->columns == 0 ? 1 : 2)) && ok;
        ok = json_add(entry, "data_offsets", cJSON_CreateDoubleArray(offsets, 2)) && ok;
        ok = json_add(header, tensor->name, entry) && ok;
    }
    char *text = ok ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    if (text == NULL) return NULL;
    size_t length = strlen(text), padded = (length + 7) / 8 * 8;
    char *block = memory_allocate(1, 8 + padded);
    if (block != NULL) {
        for (unsigned i = 0; i < 8; i++) block[i] = (char)(padded >> 8 * i & 0xff);
        memset(block + 8, ' ', padded);
        memcpy(block + 8, text, length);
        *size = 8 + padded;
    }
    free(text);
    return block;
}

/* ---- weights ---- */

/* splitmix64: a well-mixed number for each counter. */
static inline uint64_t scramble(uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

/* The sum of four uniform 16-bit numbers, centred and scaled to a deviation of 1: normal enough for weights,
 * and cheap. A sum of n uniform numbers on [0, 2^16) has the variance n · 2^32 / 12. */
static inline float make_normal(uint64_t random) {
    int32_t sum = (int32_t)(random & 0xffff) + (int32_t)(random >> 16 & 0xffff) +
                  (int32_t)(random >> 32 & 0xffff) + (int32_t)(random >> 48);
    return (float)(sum - 131070) * (1.7320508F / 65536.0F);
}

typedef struct Weights {
    const Plan *plan;
    size_t tensor;
    int files[SIDES];
    uint64_t at[SIDES];   /* of the tensor within each file */
    float *values;        /* [threads × BLOCK] */
    unsigned char *bytes; /* [threads × BLOCK × 4] */
    atomic_int failed;    /* errno of the first failure */
} Weights;

static void write_block(Weights *weights, int side, const unsigned char *bytes, size_t count, uint64_t at) {
    while (count > 0) {
        ssize_t written = pwrite(weights->files[side], bytes, count, (off_t)(weights->at[side] + at));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            atomic_store(&weights->failed, written < 0 ? errno : EIO);
            return;
        }
        bytes += written;
        count -= (size_t)written;
        at += (uint64_t)written;
    }
}

static void make_block(void *argument, size_t task, unsigned worker) {
    Weights *weights = argument;
    const GenerateOptions *options = weights->plan->options;
    const PlannedTensor *tensor = &weights->plan->tensors[weights->tensor];
    uint64_t first = (uint64_t)task * BLOCK, left = element_count(tensor) - first;
    size_t count = left < BLOCK ? (size_t)left : BLOCK, size = dtype_size(options->dtype);
    float *values = weights->values + (size_t)worker * BLOCK;
    unsigned char *bytes = weights->bytes + (size_t)worker * BLOCK * sizeof(float);
    const Kernels *kernels = kernels_get();
    uint64_t counter = scramble(options->seed ^ (uint64_t)weights->tensor << 32) + first;
    for (size_t i = 0; i < count; i++)
        values[i] = tensor->mean + tensor->deviation * make_normal(scramble(counter + i));
    kernels->narrow(values, count, options->dtype, bytes);
    write_block(weights, 0, bytes, count * size, first * size);
    if (!tensor->is_equal) {
        float drift = (float)options->drift * tensor->deviation;
        kernels->widen(options->dtype, bytes, count, values);
        for (size_t i = 0; i < count; i++) values[i] += drift * make_normal(scramble(~(counter + i)));
        kernels->narrow(values, count, options->dtype, bytes);
    }
    write_block(weights, 1, bytes, count * size, first * size);
}

/* Creates a shard on both sides and writes its header; files are -1 where they could not be opened. */
static Status open_shard(Weights *weights, size_t shard, const char *out, uint64_t *data, Error *error) {
    char name[NAME_SIZE], path[PATH_SIZE];
    name_shard(weights->plan, shard, name, sizeof name);
    size_t size = 0;
    char *header = make_header(weights->plan, shard, &size);
    if (header == NULL) return memory_fail(error, "a header");
    Status status = STATUS_OK;
    for (int side = 0; side < SIDES && status == STATUS_OK; side++) {
        status = join(path, out, SIDE_NAMES[side], name, error);
        if (status != STATUS_OK) break;
        weights->files[side] = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
        if (weights->files[side] < 0) {
            status = status_fail_errno(error, errno, "%s: cannot be created", path);
            break;
        }
        weights->at[side] = 0;
        write_block(weights, side, (const unsigned char *)header, size, 0);
    }
    free(header);
    *data = size;
    return status;
}

static Status close_shard(Weights *weights, Status status, Error *error) {
    int failed = atomic_load(&weights->failed);
    for (int side = 0; side < SIDES; side++) {
        if (weights->files[side] >= 0 && close(weights->files[side]) != 0 && failed == 0) failed = errno;
        weights->files[side] = -1;
    }
    if (status == STATUS_OK && failed != 0) return status_fail_errno(error, failed, "writing weights");
    return status;
}

static Status write_shard(Weights *weights, size_t shard, const char *out, uint64_t *done, Job *job,
                          Error *error) {
    const Plan *plan = weights->plan;
    size_t size = dtype_size(plan->options->dtype);
    uint64_t data = 0;
    Status status = open_shard(weights, shard, out, &data, error);
    for (size_t i = 0; i < plan->count && status == STATUS_OK; i++) {
        const PlannedTensor *tensor = &plan->tensors[i];
        if (tensor->shard != shard) continue;
        weights->tensor = i;
        for (int side = 0; side < SIDES; side++) weights->at[side] = data + tensor->offset;
        uint64_t count = element_count(tensor);
        status = job_run(job, (size_t)((count + BLOCK - 1) / BLOCK), make_block, weights, error);
        *done += count * size;
        (void)job_report(job, "generate", *done * SIDES, plan->bytes * SIDES); /* job_run() tells */
    }
    return close_shard(weights, status, error);
}

static Status write_weights(const Plan *plan, const char *out, Job *job, Error *error) {
    Weights weights = {.plan = plan, .files = {-1, -1}};
    size_t block = BLOCK * sizeof(float);
    weights.values = memory_allocate_aligned(job_threads(job), block);
    weights.bytes = memory_allocate_aligned(job_threads(job), block);
    Status status =
        weights.values == NULL || weights.bytes == NULL ? memory_fail(error, "a block") : STATUS_OK;
    uint64_t done = 0;
    for (size_t shard = 0; shard < plan->shards && status == STATUS_OK; shard++)
        status = write_shard(&weights, shard, out, &done, job, error);
    free(weights.values);
    free(weights.bytes);
    return status;
}

/* ---- the pair ---- */

static Status make_directory(const char *path, Error *error) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return STATUS_OK;
    return status_fail_errno(error, errno, "%s: cannot be created", path);
}

static Status write_side(const Plan *plan, const char *out, const char *side, Error *error) {
    char path[PATH_SIZE];
    Status status = join(path, out, side, "", error);
    if (status == STATUS_OK) status = make_directory(path, error);
    if (status == STATUS_OK) status = join(path, out, side, "config.json", error);
    if (status == STATUS_OK) status = write_config(plan, path, error);
    if (status == STATUS_OK && plan->shards > 1) {
        status = join(path, out, side, "model.safetensors.index.json", error);
        if (status == STATUS_OK) status = write_index(plan, path, error);
    }
    if (status != STATUS_OK || plan->options->tokenizer == NULL) return status;
    char *text = NULL;
    size_t size = 0;
    status = json_read_text(plan->options->tokenizer, 64 << 20, &text, &size, error);
    if (status == STATUS_OK) status = join(path, out, side, "tokenizer.json", error);
    if (status == STATUS_OK) status = write_file(path, text, size, error);
    free(text);
    return status;
}

Status generate_pair(const GenerateOptions *options, const char *out, uint64_t *bytes, Job *job,
                     Error *error) {
    if (!dtype_is_writable(options->dtype))
        return status_fail(error, STATUS_ARGUMENT, "expected F32, F16 or BF16, found %s",
                           dtype_name(options->dtype));
    Plan plan = {.options = options,
                 .layers = options->layers != 0 ? options->layers : options->shape->layers};
    Status status = plan_tensors(&plan, error);
    if (status == STATUS_OK) status = plan_shards(&plan, error);
    if (status == STATUS_OK) status = make_directory(out, error);
    for (int side = 0; side < SIDES && status == STATUS_OK; side++)
        status = write_side(&plan, out, SIDE_NAMES[side], error);
    if (status == STATUS_OK) status = write_weights(&plan, out, job, error);
    if (bytes != NULL) *bytes = plan.bytes * SIDES;
    free(plan.tensors);
    free(plan.shard_bytes);
    return status;
}
