#include "core/fusion/settings_text.h"

#include "core/files/json.h"

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
                       "expected A0:A1 or a list A,A,… of weights from 0 to 1, at most %d, found \"%s\"",
                       SETTINGS_LAYERS, text);
}

static Status read_list(const char *text, size_t layers, Settings *settings, Error *error) {
    double list[SETTINGS_LAYERS];
    size_t count = 0;
    for (const char *at = text; count == 0 || *at != '\0'; count++) {
        if (count == SETTINGS_LAYERS || !read_alpha(&at, ',', &list[count]))
            return refuse_layers(text, error);
    }
    if (count != layers)
        return status_fail(error, STATUS_ARGUMENT, "expected an α for each of %zu layers, found %zu", layers,
                           count);
    settings->layer_count = count;
    memcpy(settings->layer_alpha, list, count * sizeof *list);
    return STATUS_OK;
}

Status settings_text_read_layers(const char *text, size_t layers, Settings *settings, Error *error) {
    const char *at = text;
    double first, last;
    if (strchr(text, ':') == NULL) return read_list(text, layers, settings, error);
    if (!read_alpha(&at, ':', &first) || !read_alpha(&at, '\0', &last) || layers == 0 ||
        layers > SETTINGS_LAYERS)
        return refuse_layers(text, error);
    settings_set_ramp(settings, layers, first, last);
    return STATUS_OK;
}

bool settings_text_is_protectable(SettingsKind kind) {
    return kind == SETTINGS_EMBEDDING || kind == SETTINGS_NORM || kind == SETTINGS_HEAD;
}

static Status set_kind(SettingsOwn *kinds, const char *name, size_t bytes, double alpha, bool is_protection,
                       Error *error) {
    char copy[16];
    SettingsKind kind;
    (void)snprintf(copy, sizeof copy, "%.*s", (int)(bytes < sizeof copy ? bytes : sizeof copy - 1), name);
    if (!settings_find_kind(copy, &kind) || (is_protection && !settings_text_is_protectable(kind)))
        return status_fail(error, STATUS_ARGUMENT, "expected %s, found \"%s\"",
                           is_protection ? "embed, norm or lm_head"
                                         : "q, k, v, o, gate, up, down, embed, norm or lm_head",
                           copy);
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

static void append(char *text, size_t size, const char *name, double alpha) {
    char number[JSON_NUMBER_SIZE];
    size_t used = strlen(text);
    (void)json_format_number(alpha, 1, number);
    (void)snprintf(text + used, size - used, "%s%s", name, number);
}

void settings_text_write_layers(const Settings *settings, char text[SETTINGS_TEXT_LAYERS_SIZE]) {
    size_t count = settings->layer_count;
    Settings line = {0};
    text[0] = '\0';
    if (count == 0) return;
    settings_set_ramp(&line, count, settings->layer_alpha[0], settings->layer_alpha[count - 1]);
    append(text, SETTINGS_TEXT_LAYERS_SIZE, "", settings->layer_alpha[0]);
    if (count > 1 && memcmp(line.layer_alpha, settings->layer_alpha, count * sizeof(double)) == 0) {
        append(text, SETTINGS_TEXT_LAYERS_SIZE, ":", settings->layer_alpha[count - 1]);
        return;
    }
    for (size_t i = 1; i < count; i++) append(text, SETTINGS_TEXT_LAYERS_SIZE, ",", settings->layer_alpha[i]);
}

void settings_text_write_kinds(const Settings *settings, char text[SETTINGS_TEXT_KINDS_SIZE]) {
    text[0] = '\0';
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        char name[16];
        if (!settings->kinds[i].is_set) continue;
        (void)snprintf(name, sizeof name, "%s%s=", text[0] != '\0' ? "," : "",
                       settings_kind_name((SettingsKind)i));
        append(text, SETTINGS_TEXT_KINDS_SIZE, name, settings->kinds[i].alpha);
    }
}
