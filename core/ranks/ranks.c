#include "core/ranks/ranks_internal.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HOST_SIZE = 64, PIECE = 1 << 28 /* carriers count in int */ };

/* Between two looks at what is under way: from nothing to so much, for a wait may be of hours. */
static const long LONGEST_PAUSE = 2000000; /* ns */

/* What a rank brings to a meeting. */
typedef struct Report {
    Status status;
    char host[HOST_SIZE];
    char message[ERROR_MESSAGE_SIZE];
} Report;

struct Ranks {
    RanksCarrier carrier;
    Job *job;
    Report mine, *reports; /* [count], made early: what fails in one rank alone must not be a meeting */
    bool is_over;          /* a meeting ended with a failure */
    bool is_broken;        /* bytes are no longer carried */
    bool has_alarmed;
};

/* ---- joining and leaving ---- */

Status ranks_create(const RanksCarrier *carrier, Ranks **ranks, Error *error) {
    *ranks = NULL;
    Ranks *made = memory_allocate(1, sizeof *made);
    Report *reports = memory_allocate(carrier->count, sizeof *reports);
    if (made == NULL || reports == NULL) {
        free(made);
        free(reports);
        return memory_fail(error, "ranks");
    }
    made->carrier = *carrier;
    made->reports = reports;
    if (gethostname(made->mine.host, HOST_SIZE - 1) != 0) made->mine.host[0] = '\0';
    *ranks = made;
    return STATUS_OK;
}

Status ranks_join(Ranks **ranks, Error *error) {
    RanksCarrier carrier;
    *ranks = NULL;
    if (getenv("REJUV_ALONE") != NULL) return STATUS_OK;
    Status status = ranks_carrier_open(&carrier, error);
    if (status != STATUS_OK || carrier.count < 2) return status;
    status = ranks_create(&carrier, ranks, error);
    if (status != STATUS_OK) carrier.end_all();
    return status;
}

void ranks_leave(Ranks *ranks) {
    if (ranks == NULL) return;
    if (ranks->is_broken)
        ranks->carrier.end_all();
    else
        ranks->carrier.leave();
    free(ranks->reports);
    free(ranks);
}

size_t ranks_count(const Ranks *ranks) {
    return ranks == NULL ? 1 : ranks->carrier.count;
}

size_t ranks_own(const Ranks *ranks) {
    return ranks == NULL ? 0 : ranks->carrier.own;
}

bool ranks_is_lead(const Ranks *ranks) {
    return ranks_own(ranks) == 0;
}

/* ---- alarms ---- */

static void alarm_others(Ranks *ranks) {
    if (!ranks->has_alarmed) ranks->carrier.alarm();
    ranks->has_alarmed = true;
}

void ranks_watch(Ranks *ranks, Job *job) {
    if (ranks != NULL) ranks->job = job;
}

void ranks_heed(Ranks *ranks) {
    if (ranks != NULL && !ranks->is_broken && ranks->carrier.heard()) job_cancel(ranks->job);
}

/* ---- dealing ---- */

Status ranks_deal(const Ranks *ranks, const uint64_t *weights, size_t count, size_t **firsts, Error *error) {
    size_t parts = ranks_count(ranks);
    double total = 0.0, before = 0.0;
    *firsts = memory_allocate(parts + 1, sizeof **firsts);
    if (*firsts == NULL) return memory_fail(error, "what is dealt out");
    for (size_t i = 0; i < count; i++) total += (double)weights[i];
    for (size_t i = 0, next = 1; i <= count; i++) {
        /* an item is of the rank in whose part of the whole it begins; behind the whole, as empty ones may, of the last */
        size_t rank = i == count ? parts : total > 0.0 ? (size_t)(before / total * (double)parts) : 0;
        if (i < count && rank == parts) rank = parts - 1;
        for (; next <= rank && next <= parts; next++) (*firsts)[next] = i;
        if (i < count) before += (double)weights[i];
    }
    return STATUS_OK;
}

/* ---- meetings ---- */

static Status lose(Ranks *ranks, Status status, Error *error) {
    ranks->is_over = ranks->is_broken = true;
    (void)status_add_context(error, "another rank cannot be reached");
    return status;
}

/* Until what was begun is done; a cancelled job is told to the others meanwhile, who may be at work still. */
static Status wait_for_all(Ranks *ranks, Error *error) {
    struct timespec pause = {0};
    for (;;) {
        bool is_done;
        Status status = ranks->carrier.test(&is_done, error);
        if (status != STATUS_OK) return lose(ranks, status, error);
        if (is_done) return STATUS_OK;
        if (job_is_cancelled(ranks->job)) alarm_others(ranks);
        if (pause.tv_nsec > 0) (void)nanosleep(&pause, NULL); /* shorter where a signal comes */
        if (pause.tv_nsec < LONGEST_PAUSE) pause.tv_nsec += pause.tv_nsec / 2 + 1000;
    }
}

/* Whose failure it is; `count`: nobody's. Those that only stopped did so because another failed, or a person said so. */
static size_t find_failure(const Ranks *ranks) {
    size_t count = ranks->carrier.count, stopped = count;
    for (size_t r = count; r-- > 0;)
        if (ranks->reports[r].status == STATUS_CANCELLED) stopped = r;
    for (size_t r = 0; r < count; r++)
        if (ranks->reports[r].status != STATUS_OK && ranks->reports[r].status != STATUS_CANCELLED) return r;
    return stopped;
}

static Status take_verdict(Ranks *ranks, Error *error) {
    size_t failed = find_failure(ranks);
    if (failed == ranks->carrier.count) return STATUS_OK;
    const Report *report = &ranks->reports[failed];
    ranks->is_over = true;
    if (failed == 0 || report->status == STATUS_CANCELLED)
        return status_fail(error, report->status, "%s", report->message);
    return status_fail(error, report->status, "rank %zu on %s: %s", failed, report->host, report->message);
}

Status ranks_agree(Ranks *ranks, Status own, Error *error) {
    if (ranks == NULL || ranks->is_over) return own;
    Report *mine = &ranks->mine;
    mine->status = own;
    memset(mine->message, 0, sizeof mine->message);
    if (own != STATUS_OK && error != NULL) memcpy(mine->message, error->message, sizeof mine->message);
    mine->message[sizeof mine->message - 1] = '\0';
    if (own != STATUS_OK) alarm_others(ranks);
    Status status = ranks->carrier.exchange(mine, sizeof *mine, ranks->reports, error);
    if (status != STATUS_OK) return lose(ranks, status, error);
    status = wait_for_all(ranks, error);
    return status == STATUS_OK ? take_verdict(ranks, error) : status;
}

static Status broadcast(Ranks *ranks, size_t from, void *bytes, size_t size, Error *error) {
    for (size_t at = 0; at < size; at += PIECE) {
        size_t piece = size - at < PIECE ? size - at : PIECE;
        Status status = ranks->carrier.broadcast(from, (unsigned char *)bytes + at, piece, error);
        status = status == STATUS_OK ? wait_for_all(ranks, error) : lose(ranks, status, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

Status ranks_share(Ranks *ranks, Status own, void *items, size_t item_bytes, const size_t *firsts,
                   Error *error) {
    Status status = ranks_agree(ranks, own, error);
    if (ranks == NULL || ranks->is_over) return status;
    for (size_t r = 0; r < ranks->carrier.count && status == STATUS_OK; r++)
        status = broadcast(ranks, r, (unsigned char *)items + firsts[r] * item_bytes,
                           (firsts[r + 1] - firsts[r]) * item_bytes, error);
    return status;
}

/* Makes a buffer hold so many bytes. */
static Status make_room(Buffer *bytes, uint64_t size, Error *error) {
    buffer_free(bytes);
    bytes->text = size < SIZE_MAX ? memory_allocate((size_t)size + 1, 1) : NULL;
    if (bytes->text == NULL) return memory_fail(error, "what another rank has");
    bytes->length = (size_t)size;
    bytes->capacity = (size_t)size + 1;
    return STATUS_OK;
}

Status ranks_pass(Ranks *ranks, Status own, size_t from, Buffer *bytes, Error *error) {
    if (ranks == NULL || ranks->is_over) return own;
    if (own == STATUS_OK && bytes->failed) own = memory_fail(error, "what another rank has");
    uint64_t size = bytes->length;
    Status status = ranks_agree(ranks, own, error);
    if (status == STATUS_OK) status = broadcast(ranks, from, &size, sizeof size, error);
    if (status != STATUS_OK) return status;
    if (ranks->carrier.own != from) status = make_room(bytes, size, error);
    status = ranks_agree(ranks, status, error);
    return status == STATUS_OK ? broadcast(ranks, from, bytes->text, (size_t)size, error) : status;
}

Status ranks_require_same(Ranks *ranks, Status own, const char *what, const char *text, Error *error) {
    Buffer led = {0};
    if (ranks == NULL || ranks->is_over) return own;
    if (own == STATUS_OK) buffer_add_text(&led, text);
    Status status = ranks_pass(ranks, own, 0, &led, error);
    bool differs = led.length != strlen(text) || (led.length > 0 && memcmp(led.text, text, led.length) != 0);
    if (status == STATUS_OK && differs)
        status = status_fail(error, STATUS_ARGUMENT, "expected %s as rank 0 has them, found others", what);
    buffer_free(&led);
    return ranks_agree(ranks, status, error);
}
