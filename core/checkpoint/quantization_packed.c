#include "core/checkpoint/quantization_internal.h"
#include "core/checkpoint/quantization_methods.h"
#include "core/checkpoint/tensor_codes.h"
#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 512 };

/* How a method's tensors of such floats are called and laid out. The shapes tell which of its rows it is: a row of codes has
 * as many blocks as its row of scales. */
typedef struct PackedForm {
    const char *method;                 /* a key */
    const char *name;                   /* as people write it */
    const char *codes, *scales, *whole; /* endings of names; `whole` NULL: there is no scale of all */
    const char *becomes;                /* in place of `codes` */
    const char *scale_dtypes;           /* dtype_name()s between spaces */
    unsigned bits, block;
    bool is_turned; /* codes are [matrices, rows, blocks, bytes], and loaded as [matrices, columns, rows] */
    CodesRule rule;
} PackedForm;

#define EXPONENTS "U8 F8_E8M0"

static const PackedForm FORMS[] = {
    {"mxfp4", "MXFP4", "_blocks", "_scales", NULL, "", "U8", 4, 32, true, CODES_LDEXP},
    {"compressed-tensors", "NVFP4", ".weight_packed", ".weight_scale", ".weight_global_scale", ".weight",
     "F8_E4M3", 4, 16, false, CODES_SCALE_DIVIDED},
    {"compressed-tensors", "MXFP4", ".weight_packed", ".weight_scale", NULL, ".weight", EXPONENTS, 4, 32,
     false, CODES_SCALE},
    {"compressed-tensors", "MXFP6", ".weight_packed", ".weight_scale", NULL, ".weight", EXPONENTS, 6, 32,
     false, CODES_SCALE},
    {"modelopt", "NVFP4", ".weight", ".weight_scale", ".weight_scale_2", ".weight", "F8_E4M3", 4, 16, false,
     CODES_SCALE_MULTIPLIED},
};

/* What else a method may keep beside codes, without which they are not the weight. */
static const char *const FURTHER[] = {".weight_zero_point", ".weight_g_idx", ".pre_quant_scale",
                                      ".svdquant_lora_a"};

/* One tensor of codes. */
typedef struct Packed {
    const PackedForm *form;
    size_t codes, scales, whole; /* indexes of tensors; `whole` as `scales` where there is none */
} Packed;

typedef struct Search {
    Checkpoint *checkpoint;
    const char *method; /* that is declared, or NULL */
    Packed *found;      /* [tensors] */
    size_t count, text; /* bytes of the names that they get */
    bool *is_part;      /* [tensors] */
} Search;

/* ---- which are readable ---- */

static const Tensor *find_beside(const Search *search, const char *name, const char *ending,
                                 const char *other) {
    char beside[LONGEST_NAME];
    int stem = (int)(strlen(name) - strlen(ending));
    int length = snprintf(beside, sizeof beside, "%.*s%s", stem, name, other);
    return length >= 0 && length < LONGEST_NAME ? checkpoint_find_tensor(search->checkpoint, beside) : NULL;
}

/* NVFP4 is also what ModelOpt's own file calls its algorithm. */
static bool is_declared(const Search *search, const PackedForm *form) {
    const char *declared = search->method;
    return declared == NULL || strcmp(declared, form->method) == 0 ||
           (strcmp(declared, "nvfp4") == 0 && strcmp(form->method, "modelopt") == 0);
}

static bool same_leading(const Tensor *a, const Tensor *b, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (a->shape[i] != b->shape[i]) return false;
    return true;
}

static bool shapes_fit(const PackedForm *form, const Tensor *codes, const Tensor *scales) {
    uint64_t bytes = form->block * form->bits / 8;
    if (codes->bytes == 0) return false;
    if (form->is_turned)
        return codes->rank == 4 && scales->rank == 3 && same_leading(codes, scales, 3) &&
               codes->shape[3] == bytes;
    return codes->rank == 2 && scales->rank == 2 && same_leading(codes, scales, 1) &&
           codes->shape[1] == scales->shape[1] * bytes;
}

/* Of compressed-tensors' one number in a list: one without would be divided by in the scales' own type. */
static bool is_whole(const PackedForm *form, const Tensor *whole) {
    bool is_list = form->rule == CODES_SCALE_DIVIDED;
    return whole != NULL && whole->dtype == DTYPE_F32 && whole->bytes == sizeof(float) &&
           (!is_list || whole->rank == 1);
}

static bool fits(const Search *search, const PackedForm *form, const Tensor *codes, Packed *packed) {
    const Tensor *scales = find_beside(search, codes->name, form->codes, form->scales), *whole = scales;
    const QuantizationMark scale_mark = {form->scales, form->scale_dtypes, NULL, NULL};
    if (scales == NULL || !is_declared(search, form) ||
        !quantization_has_mark(&scale_mark, scales->name, scales->dtype) || !shapes_fit(form, codes, scales))
        return false;
    if (form->whole != NULL &&
        !is_whole(form, whole = find_beside(search, codes->name, form->codes, form->whole)))
        return false;
    for (size_t i = 0; i < sizeof FURTHER / sizeof *FURTHER; i++)
        if (find_beside(search, codes->name, form->codes, FURTHER[i]) != NULL) return false;
    const Tensor *taken = find_beside(search, codes->name, form->codes, form->becomes);
    if (taken != NULL && taken != codes) return false;
    const Tensor *all = search->checkpoint->tensors;
    *packed = (Packed){form, (size_t)(codes - all), (size_t)(scales - all), (size_t)(whole - all)};
    return true;
}

static void find_packed(Search *search) {
    const Checkpoint *checkpoint = search->checkpoint;
    for (size_t i = 0; i < checkpoint->tensor_count; i++) {
        const Tensor *tensor = &checkpoint->tensors[i];
        if (tensor->dtype != DTYPE_U8) continue;
        for (size_t f = 0; f < sizeof FORMS / sizeof *FORMS; f++) {
            Packed *packed = &search->found[search->count];
            if (!tensor_name_ends_with(tensor->name, FORMS[f].codes) ||
                !fits(search, &FORMS[f], tensor, packed))
                continue;
            search->is_part[packed->scales] = search->is_part[packed->whole] = true;
            search->text += strlen(tensor->name) + strlen(FORMS[f].becomes) + 1;
            search->count++;
            break;
        }
    }
}

/* ---- building ---- */

/* How its values are read. */
static TensorCodes make_codes(const PackedForm *form, const Tensor *tensor, const Tensor *scales,
                              const Tensor *whole) {
    unsigned last = scales->rank - 1;
    TensorCodes codes = {.name = form->name,
                         .codes = tensor->data,
                         .scales = scales->data,
                         .scale_dtype = scales->dtype,
                         .bits = form->bits,
                         .rows = tensor->shape[last - 1],
                         .columns = scales->shape[last] * form->block,
                         .block = form->block,
                         .is_turned = form->is_turned,
                         .rule = form->rule,
                         .product = form->whole != NULL ? DTYPE_BF16 : DTYPE_F32};
    if (form->whole != NULL) memcpy(&codes.whole, whole->data, sizeof codes.whole);
    return codes;
}

/* What its loader makes of it: in BF16, in which transformers' and compressed-tensors' come. */
static void give_shape(Tensor *tensor, const TensorCodes *codes) {
    uint64_t elements = tensor->bytes * 8 / codes->bits;
    unsigned last = codes->is_turned ? 2 : 1;
    tensor->codes = codes;
    tensor->data = NULL;
    tensor->dtype = DTYPE_BF16;
    tensor->dtype_name = dtype_name(DTYPE_BF16);
    tensor->bytes = elements * dtype_size(DTYPE_BF16);
    tensor->rank = last + 1;
    tensor->shape[last - 1] = codes->is_turned ? codes->columns : codes->rows;
    tensor->shape[last] = codes->is_turned ? codes->rows : codes->columns;
    tensor->shape[last + 1] = 0;
    tensor->rows = tensor->shape[0];
    tensor->columns = elements / tensor->rows;
}

static void build(const Search *search, const Packed *packed, const size_t *place_of, TensorCodes *codes,
                  char **next_name) {
    Checkpoint *checkpoint = search->checkpoint;
    const PackedForm *form = packed->form;
    Tensor *tensor = &checkpoint->tensors[place_of[packed->codes]];
    size_t stem = strlen(tensor->name) - strlen(form->codes);
    char *name = *next_name;
    memcpy(name, tensor->name, stem);
    memcpy(name + stem, form->becomes, strlen(form->becomes) + 1); /* search->text is room for all */
    *next_name += stem + strlen(form->becomes) + 1;
    *codes = make_codes(form, tensor, &checkpoint->tensors[place_of[packed->scales]],
                        &checkpoint->tensors[place_of[packed->whole]]);
    checkpoint->parameters -= tensor->bytes;
    give_shape(tensor, codes);
    checkpoint->parameters += tensor->rows * tensor->columns;
    checkpoint_name_tensor(tensor, name);
}

static void say_what_is_read(const Search *search, const char *place) {
    Quantization *found = &search->checkpoint->quantization;
    const PackedForm *form = search->found[0].form;
    found->kind = QUANTIZATION_SCALED;
    found->packed = search->count;
    found->packed_method = quantization_find_method(form->method);
    (void)snprintf(found->text, sizeof found->text,
                   "%zu tensor%s read as code × scale: %s, one scale for %u elements%s (%s)", search->count,
                   search->count == 1 ? " is" : "s are", form->name, form->block,
                   form->whole != NULL ? " and one for all" : "", *place != '\0' ? place : "by their names");
}

static Status build_all(Search *search, const char *place, Error *error) {
    Checkpoint *checkpoint = search->checkpoint;
    size_t *place_of = memory_allocate(checkpoint->tensor_count, sizeof *place_of);
    checkpoint->codes = memory_allocate(search->count, sizeof *checkpoint->codes);
    checkpoint->code_names = memory_allocate(search->text, 1);
    bool has_memory = place_of != NULL && checkpoint->codes != NULL && checkpoint->code_names != NULL;
    quantization_mark_activations(checkpoint, search->is_part);
    Status status = has_memory ? quantization_move_parts(checkpoint, search->is_part, place_of, error)
                               : memory_fail(error, checkpoint->directory);
    char *next_name = checkpoint->code_names;
    for (size_t i = 0; i < search->count && status == STATUS_OK; i++)
        build(search, &search->found[i], place_of, &checkpoint->codes[i], &next_name);
    free(place_of);
    if (status != STATUS_OK) return status;
    checkpoint_sort_names(checkpoint);
    say_what_is_read(search, place);
    return STATUS_OK;
}

Status quantization_read_packed(Checkpoint *checkpoint, const char *method, const char *place, Error *error) {
    size_t count = checkpoint->tensor_count;
    Search search = {.checkpoint = checkpoint,
                     .method = method,
                     .found = memory_allocate(count, sizeof *search.found),
                     .is_part = memory_allocate(count, sizeof *search.is_part)};
    Status status = search.found != NULL && search.is_part != NULL
                        ? STATUS_OK
                        : memory_fail(error, checkpoint->directory);
    if (status == STATUS_OK) find_packed(&search);
    if (status == STATUS_OK && search.count > 0) status = build_all(&search, place, error);
    free(search.found);
    free(search.is_part);
    return status;
}
