/*
 * adapter_settings — adapter_config.json: what kind of adapter it is, and by what its product is scaled.
 *
 * PEFT's (0.21.2) and MLX's (mlx_lm 0.28 and later). Read are the kinds whose weights are base's plus a scaled product of
 * two factors: LoRA, rsLoRA, DoRA, and what MLX calls full. All else is refused by name, with what to do: other kinds
 * of PEFT; LoRA that began by changing base (PiSSA, OLoRA, CorDA, LoftQ, LoRA-GA), since the base at hand is then not
 * the one that it was learned on; variants that depend on the input (aLoRA, Arrow); a setting that is not known and is
 * switched on, since nobody can say what it does.
 *
 * What says where an adapter was put (target_modules, layers_to_transform) is not needed: the tensors that were saved say it.
 */
#ifndef REJUV_CORE_ADAPTER_SETTINGS_H
#define REJUV_CORE_ADAPTER_SETTINGS_H

#include "core/checkpoint/finding.h"
#include "core/files/json.h"

#include <stdbool.h>

#define ADAPTER_SETTINGS_FILE "adapter_config.json"

typedef enum AdapterFormat { ADAPTER_PEFT, ADAPTER_MLX } AdapterFormat;

/* Zero-initialise, release with adapter_settings_free(). */
typedef struct AdapterSettings {
    AdapterFormat format;
    cJSON *config;
    bool is_dora, is_full;  /* full: weights as they are, no product (MLX) */
    bool is_fan_in_fan_out; /* square matrices are stored as [in × out] (GPT-2's Conv1D); others show it */
    bool rounds_product;    /* to the tensor's type, before it is added */
    bool scales_left;       /* the scale goes into the left factor, not into the product */
    bool divides_by_root;   /* rsLoRA: α / √r, not α / r */
    double alpha, scale;    /* PEFT's α; MLX's scale */
    const char *base_model; /* what it says it belongs to: a hint, "" where it says nothing */
    FindingList remarks;    /* settings that are not heeded */
} AdapterSettings;

/* Reads the text of the file at `path`; `directory` is for the command that a refusal gives. */
Status adapter_settings_read(const char *text, size_t bytes, const char *path, const char *directory,
                             AdapterFormat format, AdapterSettings *settings, Error *error) STATUS_MUST_CHECK;

void adapter_settings_free(AdapterSettings *settings);

/* What the product of a module (PEFT's name for it, "model.layers.0.self_attn.q_proj") of that rank is scaled by. A
 * pattern of alpha_pattern that is no regular expression both of Python and of POSIX is refused. */
Status adapter_settings_scale(const AdapterSettings *settings, const char *module, uint64_t rank,
                              float *scale, Error *error) STATUS_MUST_CHECK;

/* Whether "target_parameters" names a parameter by its whole name, as PEFT compares them. */
bool adapter_settings_targets_parameter(const AdapterSettings *settings, const char *name);

/* The tokens of a module that were learned alone, or NULL. */
const cJSON *adapter_settings_tokens(const AdapterSettings *settings, const char *module);

/* "LoRA", "DoRA", "rsLoRA", "full" */
const char *adapter_settings_kind(const AdapterSettings *settings);

/* Fails with "DIRECTORY: TEXT; COMMAND", the command the one that merges the adapter. */
Status adapter_settings_refuse(const char *directory, AdapterFormat format, Error *error,
                               const char *text_format, ...) STATUS_PRINTF(4, 5);

#endif
