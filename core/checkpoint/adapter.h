/*
 * adapter — a LoRA as the SFT side: a checkpoint that is base with what an adapter makes of some of its tensors.
 *
 *     ADAPTER/adapter_config.json + adapter_model.safetensors     PEFT; adapter_model.bin
 *     ADAPTER/adapter_config.json + adapters.safetensors          MLX
 *
 * The SFT checkpoint has base's files, names, types and order, and where the adapter changes a tensor, a TensorChange
 * (tensor_change.h), so that whoever reads values reads SFT's. config.json is base's; the tokenizer and its kin are the
 * adapter's where that has some, else base's (checkpoint_path). Both files of the adapter are among the checkpoint's
 * files, so that they are hashed, watched and recorded as weights are.
 *
 * Understood are LoRA, rsLoRA and DoRA of linear layers (stored [out × in] or [in × out]), of embeddings and of parameters
 * of all experts, on a base that stores these as one tensor or one by one; biases; whole tensors in base's place
 * (modules_to_save), a vocabulary that they enlarge; tokens learned alone. A tensor of the adapter that none of this
 * takes is refused by name, and so is one whose tensor base has not, or has in another shape: nothing of an adapter is
 * passed over.
 *
 * Opening reads of the adapter what is to be widened or turned round, so that products read floats in rows.
 */
#ifndef REJUV_CORE_ADAPTER_H
#define REJUV_CORE_ADAPTER_H

#include "core/checkpoint/adapter_names.h"
#include "core/checkpoint/adapter_settings.h"
#include "core/checkpoint/tensor_change.h"

typedef struct AdapterChange AdapterChange;

struct Adapter {
    AdapterSettings settings;
    AdapterNames names;
    AdapterChange **changes;
    size_t change_count, change_capacity;
    float **floats; /* blocks of factors that are not used as they are stored */
    size_t float_count, float_capacity;
    size_t products, replaced; /* modules with factors; tensors in base's place, and tokens */
    uint64_t rank_least, rank_most;
    float scale_least, scale_most;
};

/* Whether a directory holds an adapter's two files, and no model beside them; false where it cannot be looked into. Fails
 * for want of memory only. */
Status adapter_is_directory(const char *path, bool *is_adapter, Error *error) STATUS_MUST_CHECK;

/* Opens base once more, as the SFT model that the adapter makes of it. Refused as the header says. The caller closes
 * the result with checkpoint_close(). */
Status adapter_open(const char *base_directory, const char *directory, Checkpoint **checkpoint,
                    Error *error) STATUS_MUST_CHECK;

/* Lets tensors as they are stored, and what S begins from, be read where `base` has them mapped, as far as that is the same
 * files: through two addresses the processor's caches do not see that it is one. From then on `sft` is not to be read
 * without base. */
void adapter_share_base(Checkpoint *sft, const Checkpoint *base);

/* For checkpoint_close(); takes NULL. */
void adapter_free(Adapter *adapter);

/* "LoRA of PEFT, rank 8, scale 2, 8 modules" in a block that the caller frees; NULL when out of memory. */
char *adapter_describe(const Adapter *adapter);

#endif
