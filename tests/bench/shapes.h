/*
 * shapes — the sizes of well-known models, as a table. A generated checkpoint of a shape has the tensors,
 * shapes and config.json of the original, and random weights.
 */
#ifndef REJUV_TESTS_BENCH_SHAPES_H
#define REJUV_TESTS_BENCH_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Shape {
    const char *name;       /* "qwen2.5-0.5b" */
    const char *model_type; /* of config.json: "qwen2" */
    const char *class_name; /* "Qwen2ForCausalLM" */
    uint64_t hidden, layers, heads, kv_heads, head_dim, intermediate, vocabulary, positions;
    double theta, epsilon;
    bool is_tied, has_qkv_bias, has_qk_norm;
    double llama3_factor;     /* of rope_scaling; 0: none */
    uint64_t window;          /* 0: none */
    uint64_t experts, chosen; /* of each layer, each as wide as `intermediate`; 0: none */
} Shape;

extern const Shape SHAPES[];
extern const size_t SHAPE_COUNT;

/* The shape of that name, or NULL. */
const Shape *shape_find(const char *name);

#endif
