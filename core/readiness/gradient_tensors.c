#include "core/readiness/gradient_tensors.h"

#include "core/readiness/weight_norm.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

/* ---- which there are ---- */

typedef struct Listing {
    const Model *model;
    const ModelConfig *config;
    Gradient *gradient;
    bool *is_listed; /* [pair->count]: a tensor that all experts are in is one */
} Listing;

static void list_tensor(const Listing *listing, const PairTensor *tensor, TensorRole role, int layer) {
    const ModelLayer *whole = &listing->model->whole;
    if (tensor == NULL || (role == TENSOR_HEAD && tensor == whole->tensors[TENSOR_EMBEDDING])) return;
    if (tensor->whole != NULL) tensor = tensor->whole;
    bool *is_listed = &listing->is_listed[tensor - listing->model->pair->tensors];
    if (*is_listed) return;
    *is_listed = true;
    Gradient *gradient = listing->gradient;
    gradient->tensors[gradient->count++] = (GradientTensor){.tensor = tensor, .role = role, .layer = layer};
}

/* Norms of heads that are apart. */
static void list_apart(const Listing *listing, uint64_t layer) {
    const ModelLayer *own = &listing->model->layers[layer];
    for (uint64_t h = 0; h < listing->config->heads; h++)
        list_tensor(listing, own->q_norms[h], TENSOR_Q_NORM, (int)layer);
    for (uint64_t h = 0; h < listing->config->kv_heads; h++)
        list_tensor(listing, own->k_norms[h], TENSOR_K_NORM, (int)layer);
}

static void list_experts(const Listing *listing, uint64_t layer) {
    const ModelExperts *experts = &listing->model->layers[layer].experts;
    Gradient *gradient = listing->gradient;
    for (uint64_t e = 0; e < architecture_layer(listing->config, layer)->experts.count; e++) {
        for (int i = 0; i < EXPERT_MATRIX_COUNT; i++)
            list_tensor(listing, experts->list[e].matrices[i], TENSOR_EXPERT, (int)layer);
        gradient->experts[gradient->expert_count++] =
            (GradientExpert){.layer = (int)layer, .expert = (size_t)e};
    }
    list_tensor(listing, experts->gate_up_bias, TENSOR_EXPERT_BIAS, (int)layer);
    list_tensor(listing, experts->down_bias, TENSOR_EXPERT_BIAS, (int)layer);
}

static void list_layer(const Listing *listing, uint64_t layer) {
    const ModelLayer *own = &listing->model->layers[layer];
    const LayerPlan *plan = architecture_layer(listing->config, layer);
    bool is_apart = own->q_norms != NULL;
    for (int i = 0; i < TENSOR_ROLE_COUNT; i++) {
        TensorRole role = (TensorRole)i;
        if (!architecture_has(plan, role)) continue;
        if (is_apart && role == TENSOR_Q_NORM) list_apart(listing, layer);
        if (is_apart && (role == TENSOR_Q_NORM || role == TENSOR_K_NORM)) continue;
        list_tensor(listing, own->tensors[role], role, (int)layer);
        list_tensor(listing, own->biases[role], role, (int)layer);
    }
    for (int part = 0; part < TENSOR_PART_COUNT; part++)
        if (architecture_part_learns((TensorPart)part) && architecture_needs(plan, (TensorPart)part))
            list_tensor(listing, own->parts[part], own->parts[part]->role, (int)layer);
    if (plan->mlp == MLP_EXPERTS) list_experts(listing, layer);
}

static void list_all(const Listing *listing) {
    const ModelLayer *whole = &listing->model->whole;
    list_tensor(listing, whole->tensors[TENSOR_EMBEDDING], TENSOR_EMBEDDING, -1);
    if (listing->config->positions == POSITIONS_LEARNED)
        list_tensor(listing, whole->tensors[TENSOR_POSITION], TENSOR_POSITION, -1);
    for (int part = 0; part < TENSOR_PART_COUNT; part++)
        if (part_set_has(&listing->config->parts, (TensorPart)part))
            list_tensor(listing, whole->parts[part], whole->parts[part]->role, -1);
    for (uint64_t layer = 0; layer < listing->model->config->layers; layer++) list_layer(listing, layer);
    list_tensor(listing, whole->tensors[TENSOR_FINAL_NORM], TENSOR_FINAL_NORM, -1);
    list_tensor(listing, whole->biases[TENSOR_FINAL_NORM], TENSOR_FINAL_NORM, -1);
    list_tensor(listing, whole->tensors[TENSOR_HEAD], TENSOR_HEAD, -1);
    list_tensor(listing, whole->tensors[TENSOR_HEAD_BIAS], TENSOR_HEAD_BIAS, -1);
}

Status gradient_tensors_list(const Model *model, const ModelConfig *config, Gradient *gradient,
                             Error *error) {
    size_t count = model->pair->count, experts = 0;
    for (uint64_t layer = 0; layer < config->layers;
         layer++) /* their matrices have been found: no sum is too large */
        experts += (size_t)architecture_layer(config, layer)->experts.count;
    Listing listing = {.model = model, .config = config, .gradient = gradient};
    listing.is_listed = memory_allocate(count, sizeof *listing.is_listed);
    gradient->tensors = memory_allocate(count, sizeof *gradient->tensors);
    gradient->experts = memory_allocate(experts, sizeof *gradient->experts);
    bool complete = listing.is_listed != NULL && gradient->tensors != NULL && gradient->experts != NULL;
    if (complete) list_all(&listing);
    free(listing.is_listed);
    return complete ? STATUS_OK : memory_fail(error, "a gradient");
}

/* ---- how large they are ---- */

typedef struct Weighing {
    const Model *model;
    const Settings *settings;
    double *squares; /* [pair->count]: of tensors of experts */
    float *row;      /* of a bias */
    size_t row_capacity;
    Job *job;
} Weighing;

static Status check_norm(const PairTensor *tensor, double norm, Error *error) {
    if (isfinite(norm)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected weights that are numbers, found a norm of %g",
                       tensor->name, norm);
}

static Status weigh_tensor(const Weighing *weighing, const PairTensor *tensor, double *norm, Error *error) {
    Blend blend = settings_blend(weighing->settings, tensor);
    Status status = weight_norm_measure(&blend, norm, weighing->job, error);
    return status == STATUS_OK ? check_norm(tensor, *norm, error) : status;
}

static void add_square(const Weighing *weighing, const PairTensor *tensor, double square, double *expert) {
    const PairTensor *whole = tensor->whole != NULL ? tensor->whole : tensor;
    weighing->squares[whole - weighing->model->pair->tensors] += square;
    *expert += square;
}

static Status weigh_bias(Weighing *weighing, const PairTensor *bias, size_t expert, double *square,
                         Error *error) {
    if (bias == NULL) return STATUS_OK;
    size_t columns = (size_t)bias->sft->columns;
    Status status = MEMORY_RESERVE(weighing->row, &weighing->row_capacity, columns, error);
    if (status != STATUS_OK) return status;
    Blend blend = settings_blend(weighing->settings, bias);
    double sum = 0.0;
    blend_rows(&blend, expert, 1, weighing->row);
    for (size_t i = 0; i < columns; i++) sum += (double)weighing->row[i] * (double)weighing->row[i];
    add_square(weighing, bias, sum, square);
    return check_norm(bias, sum, error);
}

static Status weigh_expert(Weighing *weighing, GradientExpert *own, Error *error) {
    const ModelExperts *experts = &weighing->model->layers[own->layer].experts;
    double square = 0.0, norm;
    Status status = STATUS_OK;
    for (int i = 0; i < EXPERT_MATRIX_COUNT && status == STATUS_OK; i++) {
        const PairTensor *matrix = experts->list[own->expert].matrices[i];
        if (matrix == NULL) continue;
        status = weigh_tensor(weighing, matrix, &norm, error);
        if (status == STATUS_OK) add_square(weighing, matrix, norm * norm, &square);
    }
    if (status == STATUS_OK)
        status = weigh_bias(weighing, experts->gate_up_bias, own->expert, &square, error);
    if (status == STATUS_OK) status = weigh_bias(weighing, experts->down_bias, own->expert, &square, error);
    own->weight = sqrt(square);
    return status;
}

/* Experts first, which say how large their tensors are. */
static Status weigh_all(Weighing *weighing, Gradient *gradient, Error *error) {
    size_t all = gradient->expert_count + gradient->count;
    Status status = STATUS_OK;
    for (size_t i = 0; i < all && status == STATUS_OK; i++) {
        if (!job_report(weighing->job, "gradient, weights", i, all)) return job_cancelled(error);
        if (i < gradient->expert_count) {
            status = weigh_expert(weighing, &gradient->experts[i], error);
            continue;
        }
        GradientTensor *own = &gradient->tensors[i - gradient->expert_count];
        double square = weighing->squares[own->tensor - weighing->model->pair->tensors];
        if (square > 0.0) /* of experts of attention none is known */
            own->weight = sqrt(square);
        else
            status = weigh_tensor(weighing, own->tensor, &own->weight, error);
    }
    return status;
}

Status gradient_tensors_weigh(const Model *model, const Settings *settings, Gradient *gradient, Job *job,
                              Error *error) {
    Weighing weighing = {.model = model, .settings = settings, .job = job};
    weighing.squares = memory_allocate(model->pair->count, sizeof *weighing.squares);
    Status status = weighing.squares == NULL ? memory_fail(error, "norms") : STATUS_OK;
    if (status == STATUS_OK) status = weigh_all(&weighing, gradient, error);
    free(weighing.squares);
    free(weighing.row);
    return status;
}
