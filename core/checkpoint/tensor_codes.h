/*
 * tensor_codes — the values of tensors that are stored as floats of 4 or 6 bits, back to back, with a scale for each few
 * of a row (MXFP4, MXFP6, NVFP4).
 *
 *     value = ldexp(code, scale − 127), or code × factor, where the factor is the scale, scale ÷ whole or scale × whole: each
 *             step in float32, rounded once; then it is rounded to `product`
 *
 *     4 bits: 1-2-1 (E2M1), the first code in a byte's lower half        0 0.5 1 1.5 2 3 4 6
 *     6 bits: 1-2-3 (E2M3), four codes in three bytes, the first lowest  m ÷ 8, (1 + m ÷ 8) · 2^(e − 1)
 *
 * The same bits as transformers 5.24.0 (`convert_moe_packed_tensors`), compressed-tensors 0.20.1 (`decompress`) and
 * ModelOpt 0.47.0 (`NVFP4QTensor.dequantize`) give.
 */
#ifndef REJUV_CORE_TENSOR_CODES_H
#define REJUV_CORE_TENSOR_CODES_H

#include "core/checkpoint/checkpoint.h"

typedef enum CodesRule { CODES_LDEXP, CODES_SCALE, CODES_SCALE_DIVIDED, CODES_SCALE_MULTIPLIED } CodesRule;

struct TensorCodes {
    const char *name; /* "MXFP4" */
    const unsigned char *codes, *scales;
    DType scale_dtype;      /* F8_E4M3; F8_E8M0 or U8: an exponent */
    unsigned bits;          /* of a code: 4 or 6 */
    uint64_t rows, columns; /* of a matrix as it is stored; columns are whole blocks */
    uint64_t block;         /* elements of a row that share a scale */
    bool is_turned;         /* each matrix is stored transposed */
    CodesRule rule;
    float whole;   /* for the last two */
    DType product; /* F32 or BF16 or F16 */
};

/* out[i] = the value of element first + i of a tensor with codes. */
void tensor_codes_read(const Tensor *tensor, uint64_t first, size_t count, float *out);

#endif
