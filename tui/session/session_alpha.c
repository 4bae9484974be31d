#include "tui/session/session_alpha.h"

#include "core/fusion/settings_text.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_state.h"

#include <math.h>

size_t session_layers(const Session *session) {
    return settings_layers(session->pair);
}

/* ---- kinds ---- */

bool session_has_kind(const Session *session, SettingsKind kind) {
    for (size_t i = 0; i < session->pair->count; i++) {
        SettingsKind own;
        if (settings_find_role(session->pair->tensors[i].role, &own) && own == kind) return true;
    }
    return false;
}

double session_kind_alpha(const Session *session, SettingsKind kind) {
    const SettingsOwn *own = &session->settings.kinds[kind];
    return own->is_set ? own->alpha : session->settings.alpha;
}

void session_set_kind_alpha(Session *session, SettingsKind kind, double alpha) {
    if (isnan(alpha)) return;
    session->settings.kinds[kind] = (SettingsOwn){true, session_round_dial(alpha)};
}

void session_clear_kind_alpha(Session *session, SettingsKind kind) {
    session->settings.kinds[kind] = (SettingsOwn){0};
}

bool session_turn_protection(Session *session, SettingsKind kind) {
    const SettingsOwn *own = &session->settings.kinds[kind];
    if (!settings_text_is_protectable(kind)) return false;
    if (own->is_set && own->alpha == 0.0)
        session_clear_kind_alpha(session, kind);
    else
        session_set_kind_alpha(session, kind, own->is_set && own->alpha == 1.0 ? 0.0 : 1.0);
    return true;
}

typedef Status (*ReadKinds)(const char *text, SettingsOwn *kinds, Error *error);

static Status read_kinds(Session *session, const char *text, ReadKinds read, Error *error) {
    SettingsOwn kinds[SETTINGS_KIND_COUNT] = {0};
    Status status = read(text, kinds, error);
    for (int i = 0; i < SETTINGS_KIND_COUNT && status == STATUS_OK; i++) {
        if (kinds[i].is_set) session->settings.kinds[i] = kinds[i];
    }
    return status;
}

Status session_read_kinds(Session *session, const char *text, Error *error) {
    return read_kinds(session, text, settings_text_read_kinds, error);
}

Status session_read_protection(Session *session, const char *text, Error *error) {
    return read_kinds(session, text, settings_text_read_protection, error);
}

/* ---- layers ---- */

double session_layer_alpha(const Session *session, size_t layer) {
    const Settings *settings = &session->settings;
    return layer < settings->layer_count ? settings->layer_alpha[layer] : settings->alpha;
}

void session_set_layer_alpha(Session *session, size_t layer, double alpha) {
    Settings *settings = &session->settings;
    size_t layers = session_layers(session);
    if (isnan(alpha) || layer >= layers || layers > SETTINGS_LAYERS) return;
    if (settings->layer_count == 0) settings_set_ramp(settings, layers, settings->alpha, settings->alpha);
    settings->layer_alpha[layer] = session_round_dial(alpha);
}

void session_clear_layers(Session *session) {
    session->settings.layer_count = 0;
}

Status session_read_layers(Session *session, const char *text, Error *error) {
    return settings_text_read_layers(text, session_layers(session), &session->settings, error);
}

/* ---- all ---- */

bool session_alpha_is_common(const Session *session) {
    bool common = session->settings.layer_count == 0;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) common = common && !session->settings.kinds[i].is_set;
    return common;
}

void session_clear_alphas(Session *session) {
    session_clear_layers(session);
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) session_clear_kind_alpha(session, (SettingsKind)i);
}
