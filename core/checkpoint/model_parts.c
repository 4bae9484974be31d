#include "core/checkpoint/model_parts.h"

#include "core/checkpoint/model_experts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A "*" in the ending is that number. */
static bool ends_numbered(const char *name, const char *ending, size_t number) {
    char text[96];
    const char *star = strchr(ending, '*');
    if (star == NULL) return tensor_name_ends_with(name, ending);
    (void)snprintf(text, sizeof text, "%.*s%zu%s", (int)(star - ending), ending, number, star + 1);
    return tensor_name_ends_with(name, text);
}

static bool is_part(const PairTensor *tensor, TensorPart part, int layer, size_t number) {
    const char *const *names = architecture_part_names(part);
    bool found = false;
    for (size_t i = 0; names[i] != NULL && !found; i++) found = ends_numbered(tensor->name, names[i], number);
    return found && tensor->layer == layer;
}

/* Of those of one role; NULL where there is none. */
static const PairTensor *find_listed(const Pair *pair, TensorRole role, TensorPart part, int layer,
                                     size_t number) {
    size_t count;
    const RoleEntry *entries = role_index_find(&pair->roles, role, layer, &count);
    for (size_t i = 0; entries != NULL && i < count; i++) {
        const PairTensor *tensor = &pair->tensors[entries[i].tensor];
        if (is_part(tensor, part, layer, number)) return tensor;
    }
    return NULL;
}

static const PairTensor *find_part(const Pair *pair, TensorPart part, int layer, size_t number) {
    const TensorRole role = architecture_part_role(part), other = architecture_part_other_role(part);
    const PairTensor *found = NULL;
    if (role != TENSOR_ROLE_COUNT) found = find_listed(pair, role, part, layer, number);
    if (found == NULL && other != TENSOR_OTHER) found = find_listed(pair, other, part, layer, number);
    for (size_t i = 0; role == TENSOR_ROLE_COUNT && i < pair->count && found == NULL; i++)
        if (is_part(&pair->tensors[i], part, layer, number)) found = &pair->tensors[i];
    return found;
}

/* Of the convolution of all channels: loaders put them one behind the other, and mind only the whole. */
static const TensorPart PIECES[] = {TENSOR_PART_DELTA_QUERY_CONVOLUTION, TENSOR_PART_DELTA_KEY_CONVOLUTION,
                                    TENSOR_PART_DELTA_VALUE_CONVOLUTION};
enum { PIECE_COUNT = sizeof PIECES / sizeof *PIECES };

static bool is_piece(TensorPart part) {
    for (size_t i = 0; i < PIECE_COUNT; i++)
        if (PIECES[i] == part) return true;
    return false;
}

/* Experts that there are. */
static Status check_table(const Checkpoint *checkpoint, const Tensor *tensor, const LayerPlan *plan,
                          Error *error) {
    for (uint64_t i = 0; i < tensor->rows * tensor->columns; i++) {
        int64_t expert = model_experts_listed(tensor, i);
        if (expert < 0 || (uint64_t)expert >= plan->experts.count)
            return status_fail(error, STATUS_FORMAT,
                               "%s: tensor %s: expected numbers of %" PRIu64 " experts, found %" PRId64,
                               checkpoint->directory, tensor->name, plan->experts.count, expert);
    }
    return STATUS_OK;
}

/* A vector may have its elements in any shape. */
static Status check_part(const Checkpoint *checkpoint, const Tensor *tensor, TensorPart part, int layer,
                         Error *error) {
    const ModelConfig *config = &checkpoint->model;
    const LayerPlan *plan = layer >= 0 ? architecture_layer(config, (uint64_t)layer) : NULL;
    uint64_t rows, columns;
    char shape[96];
    if (plan != NULL && !architecture_needs(plan, part)) return STATUS_OK; /* this side runs without */
    architecture_part_shape(config, plan, part, &rows, &columns);
    bool fits = columns > 0 ? tensor->rows == rows && tensor->columns == columns
                            : tensor->rows * tensor->columns == rows;
    bool is_table = part == TENSOR_PART_EXPERT_TABLE;
    if (is_table ? tensor->dtype != DTYPE_I64 : !dtype_is_float(tensor->dtype))
        return status_fail(error, STATUS_UNSUPPORTED, "%s: tensor %s: expected %s, found %s",
                           checkpoint->directory, tensor->name, is_table ? "I64" : "numbers to compute with",
                           tensor->dtype_name);
    if (fits && is_table) return check_table(checkpoint, tensor, plan, error);
    if (fits || is_piece(part)) return STATUS_OK;
    checkpoint_format_shape(tensor, false, shape, sizeof shape);
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected %" PRIu64 " × %" PRIu64
                       " elements from config.json, found %s",
                       checkpoint->directory, tensor->name, rows, columns > 0 ? columns : 1, shape);
}

/* By all the names that it goes by: which of them the type has is not known here. */
static Status refuse_missing(const Checkpoint *checkpoint, TensorPart part, int layer, Error *error) {
    const char *const *names = architecture_part_names(part);
    char list[400];
    size_t used = 0;
    for (size_t i = 0; names[i] != NULL && used < sizeof list; i++) {
        const char *before = i == 0 ? "" : names[i + 1] == NULL ? " or " : ", ";
        used += (size_t)snprintf(list + used, sizeof list - used, "%s…%s", before, names[i]);
    }
    char place[32] = "";
    if (layer >= 0) (void)snprintf(place, sizeof place, " in layer %d", layer);
    return status_fail(error, STATUS_FORMAT, "%s: a tensor %s%s: config.json asks for it, but it is missing",
                       checkpoint->directory, list, place);
}

Status model_parts_find(const Pair *pair, const ModelConfig *config, TensorPart part, int layer,
                        const PairTensor **tensor, Error *error) {
    size_t number;
    const int source = architecture_part_layer(config, part, layer, &number);
    *tensor = find_part(pair, part, source, number);
    if (*tensor == NULL) return refuse_missing(pair->sft, part, layer, error);
    if ((*tensor)->base == NULL) return refuse_missing(pair->base, part, layer, error);
    Status status = check_part(pair->sft, (*tensor)->sft, part, layer, error);
    return status == STATUS_OK ? check_part(pair->base, (*tensor)->base, part, layer, error) : status;
}

/* ---- a tensor in pieces ---- */

static uint64_t rows_of(const Tensor *tensor, uint64_t columns) {
    uint64_t elements = tensor->rows * tensor->columns;
    return elements % columns == 0 ? elements / columns : 0;
}

static Status check_side(const Checkpoint *checkpoint, const Tensor *const pieces[PIECE_COUNT],
                         Error *error) {
    const ModelConfig *config = &checkpoint->model;
    const uint64_t expected = architecture_delta_channels(config), taps = config->recurrent.taps;
    uint64_t found = 0;
    for (size_t i = 0; i < PIECE_COUNT; i++) {
        uint64_t rows = rows_of(pieces[i], taps);
        if (rows == 0 || rows > expected - found)
            return status_fail(error, STATUS_FORMAT,
                               "%s: tensor %s: expected %" PRIu64 " channels of %" PRIu64
                               " in three pieces from config.json, found another size",
                               checkpoint->directory, pieces[i]->name, expected, taps);
        found += rows;
    }
    if (found == expected) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected %" PRIu64
                       " channels in three pieces from config.json, found %" PRIu64,
                       checkpoint->directory, pieces[0]->name, expected, found);
}

Status model_parts_check_pieces(const Pair *pair, const PairTensor *const parts[TENSOR_PART_COUNT],
                                Error *error) {
    const Tensor *base[PIECE_COUNT], *sft[PIECE_COUNT];
    if (parts[PIECES[0]] == NULL) return STATUS_OK;
    for (size_t i = 0; i < PIECE_COUNT; i++) {
        base[i] = parts[PIECES[i]]->base;
        sft[i] = parts[PIECES[i]]->sft;
    }
    Status status = check_side(pair->sft, sft, error);
    return status == STATUS_OK ? check_side(pair->base, base, error) : status;
}
