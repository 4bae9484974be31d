/*
 * settings_text — fusion weights of layers and kinds as people write them: one form for --alpha-layers,
 * --alpha-kind and --protect, and for the same three in the terminal program.
 *
 *     layers       0.4:0.6            a line from the first layer's α to the last's
 *                  0.4,0.5,…          a list, one for each layer
 *     kinds        q=0.3,embed=1      names as settings_kind_name() has them
 *     protection   embed,norm=sft     kinds that belong to no neuron, kept as one of the models has them
 *
 * Weights are from 0 to 1. Messages say what was expected and what was found; who calls puts in front what
 * it was for.
 */
#ifndef REJUV_CORE_SETTINGS_TEXT_H
#define REJUV_CORE_SETTINGS_TEXT_H

#include "core/fusion/settings.h"

enum { SETTINGS_TEXT_KINDS_SIZE = SETTINGS_KIND_COUNT * 32 };

/* The curve of a model of `layers` layers, the caller's to free; on failure *curve is NULL. STATUS_ARGUMENT also where
 * a list has another number of weights. */
Status settings_text_read_layers(const char *text, size_t layers, SettingsCurve **curve,
                                 Error *error) STATUS_MUST_CHECK;

/* Adds to kinds[SETTINGS_KIND_COUNT]; a kind that is set there already is refused. On failure some may have
 * been added. */
Status settings_text_read_kinds(const char *text, SettingsOwn *kinds, Error *error) STATUS_MUST_CHECK;
Status settings_text_read_protection(const char *text, SettingsOwn *kinds, Error *error) STATUS_MUST_CHECK;

/* The other way: the two ends where the curve is a line between them, else a list; and "q=0.3,k=0.5" of the
 * kinds that have their own. "" where there is none. Reading that gives the same numbers again. A curve's text is the
 * caller's to free; NULL when out of memory. */
char *settings_text_format_layers(const SettingsCurve *curve);
void settings_text_write_kinds(const Settings *settings, char text[SETTINGS_TEXT_KINDS_SIZE]);

/* A kind that belongs to no neuron: embeddings, norms, the head. */
bool settings_text_is_protectable(SettingsKind kind);

#endif
