/*
 * json_edit — changing one member of a JSON object as text.
 *
 * Reading a config.json and printing it again would respell its numbers (1e-06, 500000.0, integers beyond
 * 2^53) and its layout. Here every byte stays but those of the members.
 */
#ifndef REJUV_CORE_JSON_EDIT_H
#define REJUV_CORE_JSON_EDIT_H

#include "core/support/status.h"

#include <stdbool.h>

/* A copy of `text`, whose value is an object, in which member `key` of that outermost object has the JSON
 * text `value`: replaced wherever it stands (also if it is there twice), or appended behind the last member.
 * The caller frees *edited. STATUS_FORMAT where the text is no JSON object; `origin` is for messages. */
Status json_edit_member(const char *text, const char *key, const char *value, const char *origin,
                        char **edited, Error *error) STATUS_MUST_CHECK;

/* A copy of `text`, whose value is an object, without the members `key` whose value is an object: those of the outermost
 * object, and, with `at_any_level`, those of the objects within objects too. Otherwise as json_edit_member(). */
Status json_edit_remove(const char *text, const char *key, bool at_any_level, const char *origin,
                        char **edited, Error *error) STATUS_MUST_CHECK;

#endif
