/*
 * quantization — weights that are stored as codes: which method made them, whether they can be read, and what gives plain
 * ones.
 *
 * A configuration says so (`quantization_config` and its like at any level of config.json, or a file of its own beside it)
 * or the tensors do, by name and dtype. The tensors decide:
 *
 *     codes that only their method's own code can unpack     refused by name, with the command that gives plain weights
 *     8-bit floats, each weight with its scales              read: code × scale (tensor_values.h); the scales are parts
 *     4- and 6-bit floats with a scale for a few each        read: code × scale (tensor_codes.h), under the name that the
 *       (MXFP4, MXFP6, NVFP4)                                weight has when it is loaded; not written by an export
 *     plain weights, whatever the configuration says         plain; that the configuration is a leftover is said
 *
 * What belongs to activations (`input_scale` and its like) means nothing to weights: it becomes a part too, and is left
 * out.
 */
#ifndef REJUV_CORE_QUANTIZATION_H
#define REJUV_CORE_QUANTIZATION_H

#include "core/checkpoint/finding.h"
#include "core/files/json.h"
#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum QuantizationKind {
    QUANTIZATION_NONE,
    QUANTIZATION_LEFTOVER, /* only the configuration says so */
    QUANTIZATION_SCALED,   /* floats of 8 bits or less, with scales */
    QUANTIZATION_CODES     /* cannot be read: `status` is not STATUS_OK */
} QuantizationKind;

enum { QUANTIZATION_TEXT = 512 };

typedef struct Quantization {
    QuantizationKind kind;
    size_t scaled;                                  /* tensors of 8-bit floats with scales */
    size_t packed;                                  /* tensors of 4- or 6-bit floats */
    const struct QuantizationMethod *packed_method; /* of those; NULL where there are none */
    size_t activations;                             /* tensors that belong to activations */
    const char *activation;                         /* the first of those */
    char text[QUANTIZATION_TEXT]; /* what was found, in a sentence without an end; "" for QUANTIZATION_NONE */
    Status status;                /* why the weights cannot be read, or STATUS_OK */
    Error error;
} Quantization;

typedef struct Checkpoint Checkpoint;

/* Fills checkpoint->quantization, gives tensors their scales and moves what is no tensor of its own to the parts. The
 * checkpoint has its tensors and its config. Fails only where memory or a file does. */
Status quantization_read(Checkpoint *checkpoint, Error *error) STATUS_MUST_CHECK;

/* STATUS_OK, or STATUS_UNSUPPORTED with the one sentence that all commands refuse with: the directory, the method, where it
 * was found, and the command that gives plain weights. STATUS_FORMAT where scales are missing or of another shape. */
Status quantization_check(const Checkpoint *checkpoint, Error *error) STATUS_MUST_CHECK;

/* The same for what is not written: STATUS_UNSUPPORTED where there are floats of less than 8 bits. */
Status quantization_check_export(const Checkpoint *checkpoint, Error *error) STATUS_MUST_CHECK;

/* What a person should know about a side that is read: its scales, its leftovers. `side` is "base" or "SFT". */
Status quantization_add_findings(const Checkpoint *checkpoint, const char *side, FindingList *findings,
                                 Error *error) STATUS_MUST_CHECK;

/* A key of config.json whose object says how weights are quantised; a config.json for plain weights has none of them. */
typedef struct QuantizationKey {
    const char *name;
    bool at_any_level; /* or only in the outermost object, for the word means other things elsewhere */
} QuantizationKey;

enum { QUANTIZATION_KEY_COUNT = 3 };
extern const QuantizationKey QUANTIZATION_KEYS[QUANTIZATION_KEY_COUNT];

/* The object that a level of config.json has under one of the keys, or NULL. */
const cJSON *quantization_find_declared(const cJSON *level, bool is_outermost);

#endif
