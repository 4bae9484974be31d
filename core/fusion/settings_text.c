#include "core/fusion/settings_text.h"

#include "core/files/json.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a weight at *at and goes beyond it and `separator`, which has to follow unless the text ends. */
static bool read_alpha(const char **at, char separator, double *alpha) {
    char *end;
    if (**at == '\0' || strchr("+-.0123456789", **at) == NULL) return false;
    *alpha = strtod(*at, &end);
    if (end == *at || !(*alpha >= 0.0 && *alpha <= 1.0)) return false;
    *at = *end == '\0' ? end : end + 1;
    return *end == '\0' || (*end == separator && end[1] != '\0');
}

static Status refuse_layers(const char *text, Error *error) {
    return status_fail(error, STATUS_ARGUMENT,
                       "expected A0:A1 or a list A,A,… of weights from 0 to 1, found \"%s\"", text);
}

/* Fills list[layers]. A list that is too long is read to its end all the same: it may be wrong there. */
static Status read_list(const char *text, size_t layers, double *list, Error *error) {
    size_t count = 0;
    for (const char *at = text; count == 0 || *at != '\0'; count++) {
        double alpha;
        if (!read_alpha(&at, ',', &alpha)) return refuse_layers(text, error);
        if (count < layers) list[count] = alpha;
    }
    if (count == layers) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "expected an α for each of %zu layers, found %zu", layers,
                       count);
}

static Status create_from_list(const char *text, size_t layers, SettingsCurve **curve, Error *error) {
    double *list = memory_allocate(layers, sizeof *list);
    if (list == NULL) return memory_fail(error, "a curve over the layers");
    Status status = read_list(text, layers, list, error);
    if (status == STATUS_OK) status = settings_curve_create(list, layers, curve, error);
    free(list);
    return status;
}

Status settings_text_read_layers(const char *text, size_t layers, SettingsCurve **curve, Error *error) {
    const char *at = text;
    double first, last;
    *curve = NULL;
    if (strchr(text, ':') == NULL) return create_from_list(text, layers, curve, error);
    if (!read_alpha(&at, ':', &first) || !read_alpha(&at, '\0', &last) || layers == 0)
        return refuse_layers(text, error);
    return settings_curve_create_ramp(layers, first, last, curve, error);
}

bool settings_text_is_protectable(SettingsKind kind) {
    return kind == SETTINGS_EMBEDDING || kind == SETTINGS_NORM || kind == SETTINGS_HEAD ||
           kind == SETTINGS_POSITION || kind == SETTINGS_ROUTER || kind == SETTINGS_VISION ||
           kind == SETTINGS_AUDIO;
}

static Status set_kind(SettingsOwn *kinds, const char *name, size_t bytes, double alpha, bool is_protection,
                       Error *error) {
    char copy[24], kinds_known[256];
    SettingsKind kind;
    settings_list_kinds(kinds_known, sizeof kinds_known);
    (void)snprintf(copy, sizeof copy, "%.*s", (int)(bytes < sizeof copy ? bytes : sizeof copy - 1), name);
    if (!settings_find_kind(copy, &kind) || (is_protection && !settings_text_is_protectable(kind)))
        return status_fail(
            error, STATUS_ARGUMENT, "expected %s, found \"%s\"",
            is_protection ? "embed, position, norm, lm_head, router, vision or audio" : kinds_known, copy);
    if (kinds[kind].is_set)
        return status_fail(error, STATUS_ARGUMENT, "%s has got a weight of its own already", copy);
    kinds[kind] = (SettingsOwn){true, alpha};
    return STATUS_OK;
}

Status settings_text_read_kinds(const char *text, SettingsOwn *kinds, Error *error) {
    const char *at = text;
    do {
        const char *name = at;
        size_t bytes = strcspn(name, "=");
        double alpha;
        at = name + bytes + (name[bytes] == '=');
        if (name[bytes] == '\0' || !read_alpha(&at, ',', &alpha))
            return status_fail(error, STATUS_ARGUMENT,
                               "expected KIND=A with A from 0 to 1, such as q=0.3,k=0.5, found \"%s\"", text);
        Status status = set_kind(kinds, name, bytes, alpha, false, error);
        if (status != STATUS_OK) return status;
    } while (*at != '\0');
    return STATUS_OK;
}

Status settings_text_read_protection(const char *text, SettingsOwn *kinds, Error *error) {
    const char *side = strchr(text, '=');
    bool is_sft = side != NULL && strcmp(side, "=sft") == 0;
    if (!is_sft && (side == NULL || strcmp(side, "=base") != 0))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected kinds and =sft or =base, such as embed,norm=sft, found \"%s\"", text);
    for (const char *name = text;;) {
        size_t bytes = strcspn(name, ",=");
        Status status = set_kind(kinds, name, bytes, is_sft ? 1.0 : 0.0, true, error);
        if (status != STATUS_OK || name + bytes == side) return status;
        name += bytes + 1;
    }
}

/* ---- the other way ---- */

static void add_alpha(Buffer *text, const char *separator, double alpha) {
    char number[JSON_NUMBER_SIZE];
    (void)json_format_number(alpha, 1, number);
    buffer_add_format(text, "%s%s", separator, number);
}

char *settings_text_format_layers(const SettingsCurve *curve) {
    Buffer buffer = {0};
    char *text = NULL;
    if (curve != NULL) {
        bool is_line = curve->count > 1 && settings_curve_is_ramp(curve);
        add_alpha(&buffer, "", curve->alpha[0]);
        if (is_line) add_alpha(&buffer, ":", curve->alpha[curve->count - 1]);
        for (size_t i = 1; i < curve->count && !is_line; i++) add_alpha(&buffer, ",", curve->alpha[i]);
    }
    return buffer_take(&buffer, &text, NULL, "weights of layers", NULL) == STATUS_OK ? text : NULL;
}

void settings_text_write_kinds(const Settings *settings, char text[SETTINGS_TEXT_KINDS_SIZE]) {
    text[0] = '\0';
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        char number[JSON_NUMBER_SIZE];
        size_t used = strlen(text);
        if (!settings->kinds[i].is_set) continue;
        (void)json_format_number(settings->kinds[i].alpha, 1, number);
        (void)snprintf(text + used, SETTINGS_TEXT_KINDS_SIZE - used, "%s%s=%s", used > 0 ? "," : "",
                       settings_kind_name((SettingsKind)i), number);
    }
}
