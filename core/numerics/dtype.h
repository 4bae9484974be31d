/*
 * dtype — the element types of safetensors files.
 *
 * Floating types can be read (widened to float32); F32, F16 and BF16 can also be written, each value rounded
 * once, to nearest even. The remaining types are known by name and size only, so that a checkpoint that
 * carries an integer buffer still opens and its bytes can be copied. DTYPE_OTHER is any name beyond those: whoever
 * has such a tensor keeps the name.
 */
#ifndef REJUV_CORE_DTYPE_H
#define REJUV_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum DType {
    DTYPE_UNKNOWN = 0,
    DTYPE_F64,
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_F8_E4M3, /* 1-4-3, bias 7, no infinities, one NaN ("fn") */
    DTYPE_F8_E5M2, /* 1-5-2: the upper byte of an F16 */
    DTYPE_I64,
    DTYPE_I32,
    DTYPE_I16,
    DTYPE_I8,
    DTYPE_U64,
    DTYPE_U32,
    DTYPE_U16,
    DTYPE_U8,
    DTYPE_BOOL,
    DTYPE_C64,
    DTYPE_F8_E8M0, /* a power of two, 2^(byte − 127) */
    DTYPE_F8_E4M3FNUZ,
    DTYPE_F8_E5M2FNUZ,
    DTYPE_F6_E2M3,
    DTYPE_F6_E3M2,
    DTYPE_F4,
    DTYPE_OTHER,
    DTYPE_COUNT
} DType;

/* The name safetensors uses, "BF16"; "?" for DTYPE_UNKNOWN, "other" for DTYPE_OTHER. */
const char *dtype_name(DType dtype);

/* From a safetensors name ("BF16") or a torch name ("bfloat16"), ignoring case; DTYPE_UNKNOWN if neither. Never
 * DTYPE_OTHER. */
DType dtype_find(const char *name);

/* The name torch uses in config.json, "bfloat16"; NULL where it has none. */
const char *dtype_torch_name(DType dtype);

/* Bits an element; 0 for DTYPE_UNKNOWN and DTYPE_OTHER. */
unsigned dtype_bits(DType dtype);

/* What a tensor's bytes are counted and copied in: bytes an element; 1 where an element is no whole number of bytes
 * (F4, F6) or its size is not known (DTYPE_OTHER); 0 for DTYPE_UNKNOWN. */
size_t dtype_size(DType dtype);
bool dtype_is_packed(DType dtype); /* F4, F6, DTYPE_OTHER: such units are no elements */
bool dtype_is_float(DType dtype);
bool dtype_is_writable(DType dtype); /* F32, F16, BF16 */

/* One element, widened; any floating type. For single figures: the kernels do whole rows. */
float dtype_widen_one(DType dtype, const void *element);

/* How many of `count` elements, which may be unaligned, are NaN or infinite; 0 where the type is not floating. */
uint64_t dtype_count_nonfinite(DType dtype, const void *elements, size_t count);

#endif
