/*
 * What an open adapter is and holds: apart from its opening, since whoever closes a checkpoint needs this.
 */
#include "core/checkpoint/adapter_internal.h"
#include "core/support/buffer.h"

#include <stdlib.h>

static void add_range(Buffer *text, const char *what, double least, double most) {
    buffer_add_format(text, least < most ? ", %s %.6g to %.6g" : ", %s %.6g", what, least, most);
}

char *adapter_describe(const Adapter *adapter) {
    Buffer text = {0};
    char *taken;
    buffer_add_format(&text, "%s of %s", adapter_settings_kind(&adapter->settings),
                      adapter->settings.format == ADAPTER_MLX ? "MLX" : "PEFT");
    if (adapter->products > 0) {
        add_range(&text, "rank", (double)adapter->rank_least, (double)adapter->rank_most);
        add_range(&text, "scale", (double)adapter->scale_least, (double)adapter->scale_most);
        buffer_add_format(&text, ", %zu module%s", adapter->products, adapter->products == 1 ? "" : "s");
    }
    if (adapter->replaced > 0)
        buffer_add_format(&text, ", %zu tensor%s learned whole or by rows", adapter->replaced,
                          adapter->replaced == 1 ? "" : "s");
    return buffer_take(&text, &taken, NULL, "an adapter", NULL) == STATUS_OK ? taken : NULL;
}

static void free_change(AdapterChange *change) {
    free(change->change.factors);
    free(change->change.token_rows);
    free(change->magnitude.norms);
    free(change->magnitude.squares);
    if (change->has_mutex) (void)pthread_mutex_destroy(&change->magnitude.measuring); /* nobody holds it */
    free(change);
}

void adapter_free(Adapter *adapter) {
    if (adapter == NULL) return;
    for (size_t i = 0; i < adapter->change_count; i++) free_change(adapter->changes[i]);
    for (size_t i = 0; i < adapter->float_count; i++) free(adapter->floats[i]);
    free(adapter->changes);
    free(adapter->floats);
    adapter_names_free(&adapter->names);
    adapter_settings_free(&adapter->settings);
    free(adapter);
}
