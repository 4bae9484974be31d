/*
 * ladder_fixture — a small ladder for tests: the demo pair's base, two checkpoints between it and SFT, as epochs of one
 * training would lie, and SFT; written by the program's own export. Needs tests/golden/commands.h before it.
 */
#ifndef REJUV_TESTS_LADDER_FIXTURE_H
#define REJUV_TESTS_LADDER_FIXTURE_H

enum { LADDER_RUNGS = 3 };

static const char *const LADDER_ALPHAS[LADDER_RUNGS - 1] = {"0.3", "0.6"};
static char *rungs[LADDER_RUNGS]; /* directories; the last is the demo pair's SFT */

static inline int open_ladder(void **state) {
    if (open_demo(state) != 0) return -1;
    for (size_t i = 0; i + 1 < LADDER_RUNGS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "e%zu", i + 1);
        rungs[i] = scratch_path(name);
        const char *const words[] = {"export", base,     sft,       "--alpha", LADDER_ALPHAS[i],
                                     "--out",  rungs[i], "--quiet", NULL};
        ProgramResult result = program_run_with(words, NULL, 0);
        if (result.status != 0) return -1;
        program_free(&result);
    }
    rungs[LADDER_RUNGS - 1] = memory_copy_text(sft, strlen(sft));
    return rungs[LADDER_RUNGS - 1] != NULL ? 0 : -1;
}

static inline int close_ladder(void **state) {
    for (size_t i = 0; i < LADDER_RUNGS; i++) free(rungs[i]);
    return close_demo(state);
}

#endif
