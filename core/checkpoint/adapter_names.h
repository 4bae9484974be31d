/*
 * adapter_names — what the tensors of an adapter's file belong to.
 *
 *     base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight          PEFT: a factor of …q_proj
 *     base_model.model.model.layers.0.mlp.experts.base_layer.lora_B.weight    of a parameter of …experts, nested
 *     base_model.model.model.embed_tokens.lora_embedding_A                    of an embedding
 *     base_model.model.model.embed_tokens.base_layer.weight                   a tensor in base's place
 *     base_model.model.lm_head.weight                                         the same: modules_to_save, biases
 *     model.layers.0.self_attn.q_proj.lora_a                                  MLX
 *
 * The tensors of one module stand together in a list, by its name.
 */
#ifndef REJUV_CORE_ADAPTER_NAMES_H
#define REJUV_CORE_ADAPTER_NAMES_H

#include "core/checkpoint/adapter_settings.h"
#include "core/checkpoint/checkpoint.h"

typedef enum AdapterPart {
    ADAPTER_A,           /* [rank × in]; MLX [in × rank] */
    ADAPTER_B,           /* [out × rank]; MLX [rank × out] */
    ADAPTER_B_BIAS,      /* [out] */
    ADAPTER_EMBEDDING_A, /* [rank × vocabulary] */
    ADAPTER_EMBEDDING_B, /* [width × rank] */
    ADAPTER_MAGNITUDE,   /* [out], of an embedding [width] */
    ADAPTER_TOKENS,      /* [tokens × width] */
    ADAPTER_PART_COUNT,
    ADAPTER_WHOLE = ADAPTER_PART_COUNT, /* in place of base's */
    ADAPTER_STRANGE                     /* none of these */
} AdapterPart;

typedef struct AdapterModule {
    char *name; /* without the prefix that all of PEFT's have; of ADAPTER_WHOLE the tensor's name in base */
    const SafetensorsEntry *parts[ADAPTER_PART_COUNT];
    const SafetensorsEntry *whole; /* then there are no parts */
    bool is_base_layer;            /* the whole of a module that has factors too */
} AdapterModule;

/* Zero-initialise, release with adapter_names_free(). */
typedef struct AdapterNames {
    AdapterModule *modules;
    size_t count;
} AdapterNames;

/* Refused where a name is strange, or a part is there twice; `directory` is for messages. */
Status adapter_names_read(const SafetensorsFile *file, const AdapterSettings *settings, const char *directory,
                          AdapterNames *names, Error *error) STATUS_MUST_CHECK;

void adapter_names_free(AdapterNames *names);

/* Whether any module is a model's head. */
bool adapter_names_has_head(const AdapterNames *names);

/* "mlp.experts" of "mlp.experts.base_layer", in a block that the caller frees; NULL when out of memory. */
char *adapter_names_plain(const char *module);

/* The tensor of a checkpoint that an adapter's program calls by that name: of this name; else the only one of its role,
 * layer and expert; else the only one with the same end. NULL where there is none. */
Tensor *adapter_names_find(const Checkpoint *checkpoint, const char *name, unsigned rank);

#endif
