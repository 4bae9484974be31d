/*
 * Ranks: what is whose, and meetings. Three threads stand for three processes; what carries their bytes is memory.
 */
#include "core/ranks/ranks_internal.h"
#include "core/support/memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RANKS = 3, LONGEST = 4096 };

/* ---- a carrier of memory ---- */

static pthread_barrier_t met;
static unsigned char slots[RANKS][LONGEST];
static atomic_bool alarmed[RANKS];
static _Thread_local size_t self;

static Status exchange(const void *mine, size_t size, void *all, Error *error) {
    (void)error; /* memory does not fail */
    memcpy(slots[self], mine, size);
    (void)pthread_barrier_wait(&met);
    for (size_t r = 0; r < RANKS; r++) memcpy((unsigned char *)all + r * size, slots[r], size);
    (void)pthread_barrier_wait(&met);
    return STATUS_OK;
}

static Status broadcast(size_t from, void *bytes, size_t size, Error *error) {
    (void)error;
    if (self == from) memcpy(slots[from], bytes, size);
    (void)pthread_barrier_wait(&met);
    memcpy(bytes, slots[from], size);
    (void)pthread_barrier_wait(&met);
    return STATUS_OK;
}

static Status is_done(bool *done, Error *error) {
    (void)error;
    *done = true;
    return STATUS_OK;
}

static void alarm_others(void) {
    for (size_t r = 0; r < RANKS; r++)
        if (r != self) atomic_store(&alarmed[r], true);
}

static bool has_heard(void) {
    return atomic_load(&alarmed[self]);
}

static void do_nothing(void) {}

/* ---- three at once ---- */

typedef struct Seen {
    Status status;
    Error error;
} Seen;

typedef Status (*Play)(Ranks *ranks, Error *error);

typedef struct Player {
    size_t rank;
    Play play;
    Seen *seen;
} Player;

static void *run_player(void *argument) {
    const Player *player = argument;
    self = player->rank;
    const RanksCarrier carrier = {.own = self,
                                  .count = RANKS,
                                  .exchange = exchange,
                                  .broadcast = broadcast,
                                  .test = is_done,
                                  .alarm = alarm_others,
                                  .heard = has_heard,
                                  .leave = do_nothing,
                                  .end_all = do_nothing};
    Ranks *ranks;
    Seen *seen = &player->seen[self];
    seen->status = ranks_create(&carrier, &ranks, &seen->error);
    if (seen->status == STATUS_OK) seen->status = player->play(ranks, &seen->error);
    ranks_leave(ranks);
    return NULL;
}

static void play_all(Play play, Seen seen[RANKS]) {
    pthread_t threads[RANKS];
    Player players[RANKS];
    assert_int_equal(pthread_barrier_init(&met, NULL, RANKS), 0);
    for (size_t r = 0; r < RANKS; r++) atomic_store(&alarmed[r], false);
    for (size_t r = 0; r < RANKS; r++) {
        players[r] = (Player){r, play, seen};
        assert_int_equal(pthread_create(&threads[r], NULL, run_player, &players[r]), 0);
    }
    for (size_t r = 0; r < RANKS; r++) assert_int_equal(pthread_join(threads[r], NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&met), 0);
}

static void expect_all(Play play, Status status, const char *message) {
    Seen seen[RANKS] = {0};
    play_all(play, seen);
    for (size_t r = 0; r < RANKS; r++) {
        assert_int_equal(seen[r].status, status);
        if (status != STATUS_OK) assert_non_null(strstr(seen[r].error.message, message));
    }
}

/* ---- meetings ---- */

static Status share_numbers(Ranks *ranks, Error *error) {
    static const uint64_t WEIGHTS[7] = {1, 1, 1, 1, 1, 1, 1};
    size_t *firsts, own = ranks_own(ranks);
    int numbers[7] = {0};
    Status status = ranks_deal(ranks, WEIGHTS, 7, &firsts, error);
    if (status != STATUS_OK) return status;
    for (size_t i = firsts[own]; i < firsts[own + 1]; i++) numbers[i] = 10 * (int)i;
    status = ranks_share(ranks, STATUS_OK, numbers, sizeof *numbers, firsts, error);
    free(firsts);
    for (int i = 0; i < 7 && status == STATUS_OK; i++)
        if (numbers[i] != 10 * i) status = status_fail(error, STATUS_MISMATCH, "number %d is not there", i);
    return status;
}

static void test_every_stretch_reaches_all(void **state) {
    (void)state;
    expect_all(share_numbers, STATUS_OK, "");
}

/* Of other lengths, and of none. */
static Status pass_texts(Ranks *ranks, Error *error) {
    static const char *const TEXTS[RANKS] = {"of rank 0", "", "of the last, which is longer"};
    Status status = STATUS_OK;
    for (size_t r = 0; r < RANKS && status == STATUS_OK; r++) {
        Buffer text = {0};
        buffer_add_text(&text, ranks_own(ranks) == r ? TEXTS[r] : "what was there before");
        status = ranks_pass(ranks, STATUS_OK, r, &text, error);
        if (status == STATUS_OK && (text.length != strlen(TEXTS[r]) || strcmp(text.text, TEXTS[r]) != 0))
            status = status_fail(error, STATUS_MISMATCH, "found \"%s\"", text.text);
        buffer_free(&text);
    }
    return status;
}

static void test_one_ranks_bytes_reach_all(void **state) {
    (void)state;
    expect_all(pass_texts, STATUS_OK, "");
}

static Status fail_in_one(Ranks *ranks, Error *error) {
    Status status = STATUS_OK;
    if (ranks_own(ranks) == 2) status = status_fail(error, STATUS_IO, "the disk is full");
    status = ranks_agree(ranks, status, error);
    /* over: nobody waits for the others any more */
    return ranks_own(ranks) == 1 ? ranks_agree(ranks, status, error) : status;
}

static void test_one_failure_is_everyones_and_names_its_rank(void **state) {
    (void)state;
    expect_all(fail_in_one, STATUS_IO, "rank 2 on ");
    expect_all(fail_in_one, STATUS_IO, "the disk is full");
}

/* A rank returns early; the others are about to share something. */
static Status fail_before_sharing(Ranks *ranks, Error *error) {
    Status status = ranks_own(ranks) == 0 ? status_fail(error, STATUS_FORMAT, "no such thing") : STATUS_OK;
    if (status == STATUS_OK) status = share_numbers(ranks, error);
    return ranks_agree(ranks, status, error);
}

static void test_who_fails_early_comes_to_whatever_meeting_is_next(void **state) {
    (void)state;
    expect_all(fail_before_sharing, STATUS_FORMAT, "no such thing");
}

/* Those that the alarm stopped did not fail. */
static Status fail_and_alarm(Ranks *ranks, Error *error) {
    Job *job;
    Status status = job_create(1, NULL, NULL, &job, error);
    if (status != STATUS_OK) return status;
    ranks_watch(ranks, job);
    if (ranks_own(ranks) == 1) {
        status = status_fail(error, STATUS_IO, "a bad disk");
        alarm_others(); /* as the meeting does */
    }
    (void)pthread_barrier_wait(&met);
    ranks_heed(ranks);
    if (ranks_own(ranks) != 1)
        status =
            job_is_cancelled(job) ? job_cancelled(error) : status_fail(error, STATUS_MISMATCH, "not heard");
    status = ranks_agree(ranks, status, error);
    ranks_watch(ranks, NULL);
    job_free(job);
    return status;
}

static void test_an_alarm_cancels_the_others_and_the_failure_is_told(void **state) {
    (void)state;
    expect_all(fail_and_alarm, STATUS_IO, "a bad disk");
}

static Status cancel_one(Ranks *ranks, Error *error) {
    return ranks_agree(ranks, ranks_own(ranks) == 1 ? job_cancelled(error) : STATUS_OK, error);
}

static void test_where_one_is_cancelled_all_are(void **state) {
    (void)state;
    expect_all(cancel_one, STATUS_CANCELLED, "cancelled");
}

static Status compare_texts(Ranks *ranks, Error *error) {
    Status status = ranks_require_same(ranks, STATUS_OK, "the arguments", "the same", error);
    if (status != STATUS_OK) return status_fail(error, STATUS_FORMAT, "the same was not");
    return ranks_require_same(ranks, STATUS_OK, "the arguments", ranks_own(ranks) == 2 ? "other" : "one",
                              error);
}

static void test_a_rank_with_something_else_in_mind_is_found(void **state) {
    (void)state;
    expect_all(compare_texts, STATUS_ARGUMENT, "expected the arguments as rank 0 has them");
}

/* ---- dealing ---- */

static Status deal_shards(Ranks *ranks, Error *error) {
    /* a large one first; ten equal ones; some that are done already; empty ones at the end; none */
    static const uint64_t LARGE[] = {100, 10, 10, 10}, EQUAL[] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
                          DONE[] = {0, 0, 7, 7, 7}, EMPTY[] = {7, 7, 7, 0, 0};
    static const size_t EXPECTED[][RANKS + 1] = {
        {0, 1, 1, 4}, {0, 4, 7, 10}, {0, 3, 4, 5}, {0, 1, 2, 5}, {0, 0, 0, 0}};
    const uint64_t *const weights[] = {LARGE, EQUAL, DONE, EMPTY, LARGE};
    const size_t counts[] = {4, 10, 5, 5, 0};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t *firsts;
        Status status = ranks_deal(ranks, weights[i], counts[i], &firsts, error);
        if (status != STATUS_OK) return status;
        bool is_expected = memcmp(firsts, EXPECTED[i], sizeof EXPECTED[i]) == 0;
        if (!is_expected)
            status = status_fail(error, STATUS_MISMATCH, "case %zu: %zu %zu %zu", i, firsts[1], firsts[2],
                                 firsts[3]);
        free(firsts);
        if (!is_expected) return status;
    }
    return STATUS_OK;
}

static void test_stretches_have_about_the_same_weight(void **state) {
    Seen seen[RANKS] = {0};
    (void)state;
    play_all(deal_shards, seen);
    assert_string_equal(seen[0].error.message, "");
    assert_int_equal(seen[0].status, STATUS_OK);
}

static void test_alone_all_is_ones_own(void **state) {
    static const uint64_t WEIGHTS[] = {3, 9, 0};
    size_t *firsts;
    int numbers[3] = {1, 2, 3};
    Error error = {0};
    Buffer text = {0};
    (void)state;
    assert_int_equal(ranks_count(NULL), 1);
    assert_true(ranks_is_lead(NULL));
    assert_int_equal(ranks_deal(NULL, WEIGHTS, 3, &firsts, &error), STATUS_OK);
    assert_int_equal(firsts[0], 0);
    assert_int_equal(firsts[1], 3);
    assert_int_equal(ranks_share(NULL, STATUS_OK, numbers, sizeof *numbers, firsts, &error), STATUS_OK);
    assert_int_equal(ranks_share(NULL, STATUS_IO, numbers, sizeof *numbers, firsts, &error), STATUS_IO);
    assert_int_equal(ranks_pass(NULL, STATUS_OK, 0, &text, &error), STATUS_OK);
    assert_int_equal(ranks_require_same(NULL, STATUS_OK, "it", "it", &error), STATUS_OK);
    assert_int_equal(ranks_agree(NULL, STATUS_FORMAT, &error), STATUS_FORMAT);
    ranks_watch(NULL, NULL);
    ranks_heed(NULL);
    ranks_leave(NULL);
    free(firsts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_stretch_reaches_all),
        cmocka_unit_test(test_one_ranks_bytes_reach_all),
        cmocka_unit_test(test_one_failure_is_everyones_and_names_its_rank),
        cmocka_unit_test(test_who_fails_early_comes_to_whatever_meeting_is_next),
        cmocka_unit_test(test_an_alarm_cancels_the_others_and_the_failure_is_told),
        cmocka_unit_test(test_where_one_is_cancelled_all_are),
        cmocka_unit_test(test_a_rank_with_something_else_in_mind_is_found),
        cmocka_unit_test(test_stretches_have_about_the_same_weight),
        cmocka_unit_test(test_alone_all_is_ones_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
