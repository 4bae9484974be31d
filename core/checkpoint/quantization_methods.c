#include "core/checkpoint/quantization_methods.h"

#include <string.h>
#include <strings.h>

/* What is loaded so is saved plain, and its config.json without the configuration (transformers 5.24.0). */
#define PYTHON_LOAD(CONFIG)                                                                                  \
    "python3 -c \"from transformers import AutoModelForCausalLM as M, " CONFIG                               \
    " as Q; M.from_pretrained('DIR', quantization_config=Q(dequantize=True), dtype='bfloat16')" PYTHON_SAVE
#define PYTHON_DEQUANTIZE(PLACE)                                                                             \
    "python3 -c \"from transformers import AutoModelForCausalLM as M; M.from_pretrained('DIR'" PLACE         \
    ").dequantize()" PYTHON_SAVE
#define PYTHON_SAVE ".save_pretrained('DIR-plain')\""
#define GPTQMODEL                                                                                            \
    "python3 -c \"from gptqmodel.utils.model_dequant import dequantize_model as d; d('DIR', 'DIR-plain')\""
#define WITH_MLX "mlx_lm.convert --dequantize --hf-path 'DIR' --mlx-path 'DIR-plain'"

static const QuantizationMethod METHODS[] = {
    {"fp8", "FP8", "transformers", PYTHON_LOAD("FineGrainedFP8Config")},
    {"gptq", "GPTQ", "GPTQModel", GPTQMODEL},
    {"awq", "AWQ", "GPTQModel", GPTQMODEL},
    {"gptq or awq", "GPTQ or AWQ", "GPTQModel", GPTQMODEL},
    {"auto-round", "AutoRound", "GPTQModel", GPTQMODEL},
    /* on a processor with AVX-512 bitsandbytes 0.50.2 takes scales of other blocks (findings/bitsandbytes-scales-of-other-blocks.sh) */
    {"bitsandbytes", "bitsandbytes", "transformers and bitsandbytes, on a GPU",
     PYTHON_DEQUANTIZE(", device_map='cuda'")},
    {"compressed-tensors", "compressed-tensors", "transformers and compressed-tensors",
     PYTHON_LOAD("CompressedTensorsConfig")},
    {"mxfp4", "MXFP4", "transformers", PYTHON_LOAD("Mxfp4Config")},
    {"fp4", "FP4 in blocks", "GPTQModel", GPTQMODEL},
    {"nvfp4", "NVFP4", "GPTQModel", GPTQMODEL},
    {"modelopt", "ModelOpt", "GPTQModel", GPTQMODEL},
    {"higgs", "HIGGS", "transformers", PYTHON_DEQUANTIZE("")},
    {"metal", "Metal", "transformers", PYTHON_LOAD("MetalConfig")},
    {"mlx", "MLX", "mlx-lm", WITH_MLX},
    {"mxfp8", "MXFP8", NULL, NULL},
    {"hqq", "HQQ", NULL, NULL},
    {"eetq", "EETQ", NULL, NULL},
    {"aqlm", "AQLM", NULL, NULL},
    {"vptq", "VPTQ", NULL, NULL},
    {"spqr", "SpQR", NULL, NULL},
    {"quip", "QuIP#", NULL, NULL},
    {"quanto", "Quanto", NULL, NULL},
    {"torchao", "torchao", NULL, NULL},
    {"exl2", "EXL2", NULL, NULL},
    {"exl3", "EXL3", NULL, NULL},
    {"bitnet", "BitNet", NULL, NULL},
    {"quark", "Quark", NULL, NULL},
    {"sinq", "SINQ", NULL, NULL},
    {"fbgemm_fp8", "FBGEMM FP8", NULL, NULL},
    {"fp_quant", "FP-Quant", NULL, NULL},
    {"fouroversix", "Four Over Six", NULL, NULL},
    {"", "a method that is not known", NULL, NULL},
};

#define CODES "I8 U8 I16 U16 I32 U32 I64"

const QuantizationMark QUANTIZATION_MARKS[] = {
    {".g_idx", "I32 I64", ".qweight", "gptq"},
    {".qweight", CODES, ".qzeros", "awq"},
    {".qweight", CODES, NULL, "gptq or awq"},
    {".weight_packed", NULL, NULL, "compressed-tensors"},
    {".bitmask", "U8", ".compressed", "compressed-tensors"},
    {".weight_zero_point", NULL, ".weight", "compressed-tensors"},
    {".quant_map", NULL, ".absmax", "bitsandbytes"},
    {".nested_absmax", NULL, NULL, "bitsandbytes"},
    {".quant_state.bitsandbytes__nf4", NULL, NULL, "bitsandbytes"},
    {".quant_state.bitsandbytes__fp4", NULL, NULL, "bitsandbytes"},
    {".SCB", NULL, ".weight", "bitsandbytes"},
    {".weight_format", NULL, ".weight", "bitsandbytes"},
    {"_blocks", "U8", "_scales", "mxfp4"},
    {".weight", "U32", ".scales", "mlx"},
    {".W_q", CODES, NULL, "hqq"},
    {".weight", "I8", ".weight_scales", "eetq"},
    {".codes", CODES, ".codebooks", "aqlm"},
    {".Qidxs", NULL, NULL, "quip"},
    {".indices", CODES, ".centroids.weight", "vptq"},
    {".dense_weights", CODES, NULL, "spqr"},
    {".weight._data", NULL, NULL, "quanto"},
    {"weight_qdata", NULL, NULL, "torchao"},
    {"weight:qdata", NULL, NULL, "torchao"},
    {".trellis", CODES, NULL, "exl3"},
    {".q_weight", CODES, ".q_scale", "exl2"},
    {".weight", "U8 F4", ".weight_scale_2", "nvfp4"},
    {".weight", "I8 F4", ".scale", "fp4"},
    {".weight", "I8 F4", ".weight_scale_inv", "fp4"},
    {".weight", "I8", ".weight_scale", "compressed-tensors"},
    {".weight", "U8", ".weight_scale", "bitnet"},
    {".weight", "F4", ".weight_scale", "nvfp4"},
    {".weight", "F6_E2M3 F6_E3M2 F8_E4M3FNUZ F8_E5M2FNUZ other", ".weight_scale", ""},
    {".weight", "F6_E2M3 F6_E3M2 F8_E4M3FNUZ F8_E5M2FNUZ other", ".weight_scale_inv", ""},
};
const size_t QUANTIZATION_MARK_COUNT = sizeof QUANTIZATION_MARKS / sizeof *QUANTIZATION_MARKS;

const QuantizationMethod *quantization_find_method(const char *key) {
    size_t last = sizeof METHODS / sizeof *METHODS - 1;
    for (size_t i = 0; i < last; i++) {
        if (strcasecmp(METHODS[i].key, key) == 0) return &METHODS[i];
    }
    return &METHODS[last];
}

static bool has_word(const char *words, const char *word) {
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length) {
        bool begins = at == words || at[-1] == ' ', ends = at[length] == ' ' || at[length] == '\0';
        if (begins && ends) return true;
    }
    return false;
}

bool quantization_has_mark(const QuantizationMark *mark, const char *name, DType dtype) {
    size_t length = strlen(name), suffix = strlen(mark->suffix);
    return length > suffix && strcmp(name + length - suffix, mark->suffix) == 0 &&
           (mark->dtypes == NULL || has_word(mark->dtypes, dtype_name(dtype)));
}
