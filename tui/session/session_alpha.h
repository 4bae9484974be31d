/*
 * session_alpha — α of single kinds of tensors and of single layers, in place of the common one:
 *
 *     α of the tensor's kind, where that has its own; else of its layer, where there is a curve; else α
 *
 * The same three dials as --alpha-kind, --protect and --alpha-layers, and read from the same text
 * (settings_text.h). Weights are clamped to 0 … 1, in steps of a thousandth, when they are turned; text is taken
 * as it is.
 *
 * A curve is immutable: turning a layer makes another. The session owns all it ever had until it is freed, for
 * settings anywhere may borrow any (the dials, undo, bookmarks, jobs); equal ones are one.
 */
#ifndef REJUV_TUI_SESSION_ALPHA_H
#define REJUV_TUI_SESSION_ALPHA_H

#include "core/fusion/settings.h"
#include "tui/session/session_message.h"

/* Layers of the model on screen: the length of a curve. */
size_t session_layers(const Session *session);

/* False where the pair has no tensor of that kind. A tied head has none: it is the embedding. */
bool session_has_kind(const Session *session, SettingsKind kind);

/* What the kind's tensors have where no layer tells otherwise: its own, or the common α. */
double session_kind_alpha(const Session *session, SettingsKind kind);

void session_set_kind_alpha(Session *session, SettingsKind kind, double alpha);
void session_clear_kind_alpha(Session *session, SettingsKind kind);

/* Embeddings, norms, the head: from following α to SFT (1), to base (0), and back to following. False for
 * kinds of neurons, and nothing happens. */
bool session_turn_protection(Session *session, SettingsKind kind);

/* The layer's α, of its curve or the common one. */
double session_layer_alpha(const Session *session, size_t layer);

/* Makes the curve where there is none, level at the common α. Nothing where there is no such layer; when memory is
 * short it says so. */
void session_set_layer_alpha(Session *session, size_t layer, double alpha);
void session_clear_layers(Session *session);

/* The session's own of a curve (NULL: none), a copy where it has no equal one yet; on failure *kept is NULL. */
Status session_keep_curve(Session *session, const SettingsCurve *curve, const SettingsCurve **kept,
                          Error *error) STATUS_MUST_CHECK;
void session_alpha_free(Session *session); /* the curves: after all that may borrow one */

/* As the options of the same names take them; kinds that are not named stay as they are. STATUS_ARGUMENT:
 * nothing has changed. */
Status session_read_layers(Session *session, const char *text, Error *error) STATUS_MUST_CHECK;
Status session_read_kinds(Session *session, const char *text, Error *error) STATUS_MUST_CHECK;
Status session_read_protection(Session *session, const char *text, Error *error) STATUS_MUST_CHECK;

/* Every tensor has the common α. */
bool session_alpha_is_common(const Session *session);
void session_clear_alphas(Session *session);

#endif
