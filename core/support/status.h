/*
 * status — how every fallible function of core/ reports.
 *
 * A function that can fail returns a Status and takes an Error as its last parameter. On STATUS_OK the Error
 * is untouched; otherwise it holds one sentence that says what was expected, what was found, and in which
 * file and tensor. The caller owns the Error (it is a plain struct, usually on the stack); NULL is allowed
 * where the message is not wanted. Messages quote names out of files; control characters and bytes that are
 * no UTF-8 are replaced by '?', so that a message can go to a terminal as it is.
 *
 *     Error error;
 *     Status status = checkpoint_open("dir", &checkpoint, &error);
 *     if (status != STATUS_OK) show(error.message);
 *
 * The room: what every file of this program stands on, statuses with messages, checked memory, bytes that grow,
 * jobs on threads, the limits of memory. Whoever makes a Buffer, a Job or a block owns it; only a Job knows
 * threads, and says which of its functions any thread may call.
 */
#ifndef REJUV_CORE_STATUS_H
#define REJUV_CORE_STATUS_H

typedef enum Status {
    STATUS_OK = 0,
    STATUS_NO_MEMORY,   /* an allocation failed or a size overflowed */
    STATUS_IO,          /* the system refused: open, read, write, map, rename; the message has errno's text */
    STATUS_FORMAT,      /* a file is not what it claims to be */
    STATUS_UNSUPPORTED, /* well-formed, but something this program does not know: named in the message */
    STATUS_MISMATCH,    /* two checkpoints that cannot be fused, or a verification that found a difference */
    STATUS_ARGUMENT,    /* the caller's request makes no sense */
    STATUS_CANCELLED    /* the job was cancelled; nothing is wrong */
} Status;

enum { ERROR_MESSAGE_SIZE = 1024 };

typedef struct Error {
    Status status;
    char message[ERROR_MESSAGE_SIZE];
} Error;

#if defined(__GNUC__)
#define STATUS_PRINTF(format_index, first_argument)                                                          \
    __attribute__((format(printf, format_index, first_argument)))
#define STATUS_MUST_CHECK __attribute__((warn_unused_result))
#else
#define STATUS_PRINTF(format_index, first_argument)
#define STATUS_MUST_CHECK
#endif

/* Fills `error` (may be NULL) and returns `status`, so that `return status_fail(...)` is the whole error
 * path. */
Status status_fail(Error *error, Status status, const char *format, ...) STATUS_PRINTF(3, 4);

/* The same, followed by ": " and the text of `errno_value`. */
Status status_fail_errno(Error *error, int errno_value, const char *format, ...) STATUS_PRINTF(3, 4);

/* Puts "CONTEXT: " before the message already in `error`, truncating its end if need be; returns its status.
 */
Status status_add_context(Error *error, const char *format, ...) STATUS_PRINTF(2, 3);

/* A short lower-case name for messages and JSON: "ok", "no_memory", "io", … */
const char *status_name(Status status);

#endif
