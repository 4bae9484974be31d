/*
 * adapter_internal — what the files of an Adapter share while it is opened. Not for others.
 */
#ifndef REJUV_CORE_ADAPTER_INTERNAL_H
#define REJUV_CORE_ADAPTER_INTERNAL_H

#include "core/checkpoint/adapter.h"

/* A tensor's change, and what it points to. */
struct AdapterChange {
    TensorChange change;
    Tensor start, tokens;
    TensorMagnitude magnitude;
    bool has_mutex;
};

/* Of an adapter that is being put on `sft`, which is base as it was opened. */
typedef struct AdapterBuild {
    Checkpoint *sft;
    Adapter *adapter;
    const char *directory;
} AdapterBuild;

/* A factor as floats, row-major. */
typedef struct AdapterFactor {
    const float *values;
    unsigned rank;
    uint64_t shape[SAFETENSORS_MAX_RANK];
} AdapterFactor;

/* ---- adapter_change.c ---- */

/* Fails with "DIRECTORY: TEXT; COMMAND". */
#define adapter_build_refuse(build, error, ...)                                                              \
    adapter_settings_refuse((build)->directory, (build)->adapter->settings.format, (error), __VA_ARGS__)

/* The floats of an entry: as they are mapped, or widened, the adapter's. */
Status adapter_build_factor(AdapterBuild *build, const SafetensorsEntry *entry, AdapterFactor *factor,
                            Error *error) STATUS_MUST_CHECK;

/* A block of so many floats, the adapter's. */
Status adapter_build_floats(AdapterBuild *build, size_t count, float **block, Error *error) STATUS_MUST_CHECK;

/* The change of a tensor whose matrices have `rows` rows: what it has, or a new one that is none yet. Refused where its
 * values are not plain numbers, or it was taken as other matrices before. */
Status adapter_build_change(AdapterBuild *build, Tensor *target, uint64_t rows, AdapterChange **change,
                            Error *error) STATUS_MUST_CHECK;

/* Gives a matrix of it its factors; refused where it has some. */
Status adapter_build_product(AdapterBuild *build, const Tensor *target, AdapterChange *change, size_t matrix,
                             const KernelFactors *product, float scale, Error *error) STATUS_MUST_CHECK;

/* Puts an entry in the place of a tensor, which keeps its type, and its number of rows unless it is of a vocabulary. */
Status adapter_build_whole(AdapterBuild *build, Tensor *target, const SafetensorsEntry *entry,
                           Error *error) STATUS_MUST_CHECK;

/* A tensor that base has not: a head that it ties. */
Status adapter_build_head(AdapterBuild *build, const char *name, const SafetensorsEntry *entry,
                          Error *error) STATUS_MUST_CHECK;

Status adapter_build_magnitude(AdapterBuild *build, const Tensor *target, AdapterChange *change,
                               const SafetensorsEntry *entry, bool is_by_columns,
                               Error *error) STATUS_MUST_CHECK;

Status adapter_build_tokens(AdapterBuild *build, Tensor *target, const char *module,
                            const SafetensorsEntry *entry, Error *error) STATUS_MUST_CHECK;

/* Notes what a product has, for adapter_describe(). */
void adapter_build_count(AdapterBuild *build, uint64_t rank, float scale);

/* ---- adapter_product.c ---- */

/* All that a module's parts make of base's tensors. */
Status adapter_build_module(AdapterBuild *build, const AdapterModule *module, Error *error) STATUS_MUST_CHECK;

/* ---- adapter_experts.c ---- */

/* Factors of all experts of a parameter (target_parameters): STATUS_OK and false where none of the module's parameters is
 * meant. */
Status adapter_build_parameter(AdapterBuild *build, const AdapterModule *module, const AdapterFactor *a,
                               const AdapterFactor *b, bool *built, Error *error) STATUS_MUST_CHECK;

/* Factors of one expert where base has all in one tensor, or of all (rank 3) where it has them one by one or so. */
Status adapter_build_expert(AdapterBuild *build, const char *name, const AdapterFactor *a,
                            const AdapterFactor *b, float scale, bool *built, Error *error) STATUS_MUST_CHECK;

#endif
