#include "tui/session/session_alpha.h"

#include "core/fusion/settings_text.h"
#include "core/support/memory.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_message.h"

#include <math.h>
#include <stdlib.h>

size_t session_layers(const Session *session) {
    return settings_layers(session->pair);
}

/* ---- kinds ---- */

bool session_has_kind(const Session *session, SettingsKind kind) {
    return settings_count_kind(session->pair, kind) > 0;
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
    Settings asked = {.alpha = 0.0};
    Status status = read(text, asked.kinds, error);
    if (status == STATUS_OK) status = settings_check_kinds(&asked, session->pair, error);
    for (int i = 0; i < SETTINGS_KIND_COUNT && status == STATUS_OK; i++) {
        if (asked.kinds[i].is_set) session->settings.kinds[i] = asked.kinds[i];
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
    const SettingsCurve *curve = session->settings.curve;
    return curve != NULL && layer < curve->count ? curve->alpha[layer] : session->settings.alpha;
}

Status session_keep_curve(Session *session, const SettingsCurve *curve, const SettingsCurve **kept,
                          Error *error) {
    SettingsCurve *made;
    *kept = NULL;
    for (size_t i = 0; i < session->curve_count && curve != NULL && *kept == NULL; i++)
        if (settings_curve_equal(session->curves[i], curve)) *kept = session->curves[i];
    if (curve == NULL || *kept != NULL) return STATUS_OK;
    Status status =
        MEMORY_RESERVE(session->curves, &session->curve_capacity, session->curve_count + 1, error);
    if (status == STATUS_OK) status = settings_curve_create(curve->alpha, curve->count, &made, error);
    if (status == STATUS_OK) *kept = session->curves[session->curve_count++] = made;
    return status;
}

/* The dials take a curve just made, which is freed. */
static Status take_curve(Session *session, SettingsCurve *made, Error *error) {
    const SettingsCurve *kept;
    Status status = session_keep_curve(session, made, &kept, error);
    if (status == STATUS_OK) session->settings.curve = kept;
    settings_curve_free(made);
    return status;
}

void session_alpha_free(Session *session) {
    for (size_t i = 0; i < session->curve_count; i++) settings_curve_free(session->curves[i]);
    free(session->curves);
}

void session_set_layer_alpha(Session *session, size_t layer, double alpha) {
    size_t layers = session_layers(session);
    SettingsCurve *turned;
    Error error;
    if (isnan(alpha) || layer >= layers) return;
    alpha = session_round_dial(alpha);
    Status status = settings_curve_create_ramp(layers, alpha, alpha, &turned, &error);
    for (size_t i = 0; i < layers && status == STATUS_OK; i++)
        if (i != layer) turned->alpha[i] = session_layer_alpha(session, i);
    if (status == STATUS_OK) status = take_curve(session, turned, &error);
    if (status != STATUS_OK) session_say(session, SESSION_WARNING, "%s", error.message);
}

void session_clear_layers(Session *session) {
    session->settings.curve = NULL;
}

Status session_read_layers(Session *session, const char *text, Error *error) {
    SettingsCurve *read;
    Status status = settings_text_read_layers(text, session_layers(session), &read, error);
    return status == STATUS_OK ? take_curve(session, read, error) : status;
}

/* ---- all ---- */

bool session_alpha_is_common(const Session *session) {
    bool common = session->settings.curve == NULL;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) common = common && !session->settings.kinds[i].is_set;
    return common;
}

void session_clear_alphas(Session *session) {
    session_clear_layers(session);
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) session_clear_kind_alpha(session, (SettingsKind)i);
}
