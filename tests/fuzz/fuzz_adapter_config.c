/* Any text as an adapter_config.json, of PEFT and of MLX: what is accepted has a finite scale for any module, or a refusal. */
#include "core/checkpoint/adapter_settings.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void ask(const AdapterSettings *settings) {
    static const char *const MODULES[] = {"", "model.embed_tokens", "model.layers.0.self_attn.q_proj",
                                          "model.layers.11.mlp.experts.gate_up_proj"};
    for (size_t i = 0; i < sizeof MODULES / sizeof *MODULES; i++) {
        Error error = {0};
        float scale;
        Status status = adapter_settings_scale(settings, MODULES[i], 8, &scale, &error);
        if (status != STATUS_OK && error.message[0] == '\0') abort();
        if (status == STATUS_OK && !isfinite(scale)) abort();
        (void)adapter_settings_targets_parameter(settings, MODULES[i]);
        const cJSON *tokens = adapter_settings_tokens(settings, MODULES[i]);
        if (tokens != NULL && !cJSON_IsArray(tokens)) abort();
    }
    if (adapter_settings_kind(settings)[0] == '\0') abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    for (int format = ADAPTER_PEFT; format <= ADAPTER_MLX; format++) {
        Error error = {0};
        AdapterSettings settings;
        Status status = adapter_settings_read((const char *)bytes, count, "input", "adapter",
                                              (AdapterFormat)format, &settings, &error);
        if (status == STATUS_OK)
            ask(&settings);
        else if (error.message[0] == '\0')
            abort();
        adapter_settings_free(&settings);
    }
    return 0;
}
