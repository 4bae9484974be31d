/*
 * finding — what a person should know about something: a growing list of remarks, each about one subject.
 *
 * A Pair, an ExportPlan, a VerifyResult and a session each own one and say what an error among its findings means. One
 * thread at a time; a Pair's does not change while a job may check it.
 */
#ifndef REJUV_CORE_FINDING_H
#define REJUV_CORE_FINDING_H

#include "core/support/status.h"

#include <stddef.h>

typedef enum Severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR } Severity;

typedef struct Finding {
    Severity severity;
    char *subject; /* a tensor's name, a key of config.json, "tokenizer": what it is about */
    char *text;
} Finding;

/* Zero-initialise, release with finding_free(). */
typedef struct FindingList {
    Finding *items; /* in the order they were added */
    size_t count, capacity;
} FindingList;

/* Copies `subject` and the formatted text, which is cut at ERROR_MESSAGE_SIZE. */
Status finding_add(FindingList *list, Severity severity, const char *subject, Error *error,
                   const char *format, ...) STATUS_PRINTF(5, 6) STATUS_MUST_CHECK;

/* Adds those of another list that this one does not have yet. */
Status finding_add_all(FindingList *list, const FindingList *other, Error *error) STATUS_MUST_CHECK;

/* Takes back all findings about a subject, where they no longer hold. */
void finding_remove(FindingList *list, const char *subject);

/* The first error, or NULL. */
const Finding *finding_first_error(const FindingList *list);

size_t finding_count(const FindingList *list, Severity severity);

/* Frees the findings and empties the list. */
void finding_free(FindingList *list);

/* "note", "warning", "error" */
const char *finding_severity_name(Severity severity);

#endif
