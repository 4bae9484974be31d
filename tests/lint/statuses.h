/*
 * statuses — what analysers, which see one source at a time, are told of functions elsewhere: those that report failure never
 * return STATUS_OK, and NULL is of no kind of JSON. lint.sh includes it in front of every source but those that define
 * these functions. Without it each `status = pointer != NULL ? … : memory_fail(error, …)` is a way on with a NULL.
 */
#ifndef REJUV_TESTS_LINT_STATUSES_H
#define REJUV_TESTS_LINT_STATUSES_H

#include "core/chat/chat_run.h"
#include "core/support/job.h"
#include "core/support/memory.h"
#include "core/support/status.h"

#include <cjson/cJSON.h>

#define status_fail(error, status, ...) ((void)(status_fail)(error, status, __VA_ARGS__), (Status)(status))
#define status_fail_errno(...)          ((void)(status_fail_errno)(__VA_ARGS__), (Status)STATUS_IO)
#define status_add_context(...)         ((void)(status_add_context)(__VA_ARGS__), (Status)STATUS_FORMAT)
#define memory_fail(error, what)        ((void)(memory_fail)(error, what), (Status)STATUS_NO_MEMORY)
#define chat_run_fail(run, status, ...) ((void)(chat_run_fail)(run, status, __VA_ARGS__), (Status)(status))
#define job_cancelled(error)            ((void)(job_cancelled)(error), (Status)STATUS_CANCELLED)

#define cJSON_IsArray(item)             ((item) != NULL && (cJSON_IsArray)(item))
#define cJSON_IsBool(item)              ((item) != NULL && (cJSON_IsBool)(item))
#define cJSON_IsNumber(item)            ((item) != NULL && (cJSON_IsNumber)(item))
#define cJSON_IsObject(item)            ((item) != NULL && (cJSON_IsObject)(item))
#define cJSON_IsString(item)            ((item) != NULL && (cJSON_IsString)(item))

#endif
