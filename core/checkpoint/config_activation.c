#include "core/checkpoint/config_internal.h"

#include <string.h>

/* The first name of an activation is the one that is shown. prelu has weights of its own. */
static const struct {
    const char *name;
    Activation activation;
} ACTIVATIONS[] = {
    {"silu", ACTIVATION_SILU},
    {"swish", ACTIVATION_SILU},
    {"gelu", ACTIVATION_GELU},
    {"gelu_python", ACTIVATION_GELU},
    {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
    {"gelu_python_tanh", ACTIVATION_GELU_TANH},
    {"gelu_new", ACTIVATION_GELU_TANH},
    {"gelu_fast", ACTIVATION_GELU_TANH},
    {"gelu_accurate", ACTIVATION_GELU_TANH},
    {"quick_gelu", ACTIVATION_GELU_QUICK},
    {"gelu_10", ACTIVATION_GELU_CLIPPED},
    {"relu", ACTIVATION_RELU},
    {"relu6", ACTIVATION_RELU6},
    {"relu2", ACTIVATION_RELU_SQUARED},
    {"leaky_relu", ACTIVATION_RELU_LEAKY},
    {"hardswish", ACTIVATION_HARDSWISH},
    {"mish", ACTIVATION_MISH},
    {"sigmoid", ACTIVATION_SIGMOID},
    {"sqrtsoftplus", ACTIVATION_SOFTPLUS_ROOT},
    {"laplace", ACTIVATION_LAPLACE},
    {"linear", ACTIVATION_LINEAR},
    {"tanh", ACTIVATION_TANH},
    {"xielu", ACTIVATION_XIELU},
};

Status config_find_activation(const ConfigReader *reader, const char *name, Activation *activation,
                              Error *error) {
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        if (strcmp(name, ACTIVATIONS[i].name) != 0) continue;
        *activation = ACTIVATIONS[i].activation;
        return STATUS_OK;
    }
    return status_fail(error, STATUS_UNSUPPORTED, "%s: activation \"%.60s\" is not known", reader->origin,
                       name);
}

Status config_read_activation(const ConfigReader *reader, const char *key, Activation *activation,
                              Error *error) {
    const char *name = config_text(reader, key);
    *activation = ACTIVATION_SILU;
    if (name == NULL && cJSON_IsString(json_find(reader->defaults, key)))
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a text", reader->origin, key);
    return name == NULL ? STATUS_OK : config_find_activation(reader, name, activation, error);
}

const char *architecture_activation_name(Activation activation) {
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        if (ACTIVATIONS[i].activation == activation) return ACTIVATIONS[i].name;
    }
    return "?";
}
