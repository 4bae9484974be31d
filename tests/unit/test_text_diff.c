/* Where two texts differ: hunks as a person reads them, the fewest changes against a table of all, and its bounds. */
#include "core/support/buffer.h"
#include "core/support/memory.h"
#include "core/support/text_diff.h"

/* clang-format off: cmocka.h needs the others before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* clang-format on */

static TextDiff make(const char *a, size_t a_bytes, const char *b, size_t b_bytes,
                     const char *const *breaks) {
    TextDiff diff;
    Error error;
    const TextDiffText texts[2] = {{a, a_bytes}, {b, b_bytes}};
    if (text_diff_make(texts, breaks, &diff, &error) != STATUS_OK) fail_msg("%s", error.message);
    return diff;
}

/* Hunks as diff -u writes them. */
static void expect(const char *a, const char *b, const char *const *breaks, const char *expected) {
    TextDiff diff = make(a, strlen(a), b, strlen(b), breaks);
    Buffer buffer = {0};
    char *text;
    for (size_t h = 0; h < diff.hunk_count; h++) {
        const TextDiffHunk *hunk = &diff.hunks[h];
        buffer_add_format(&buffer, "@@ -%zu,%zu +%zu,%zu @@\n", hunk->first[0] + 1, hunk->count[0],
                          hunk->first[1] + 1, hunk->count[1]);
        for (size_t i = 0; i < hunk->line_count; i++) {
            const TextDiffLine *line = &diff.lines[hunk->first_line + i];
            buffer_add_format(&buffer, "%c%.*s\n", text_diff_sign(line->kind), (int)line->bytes, line->text);
        }
    }
    assert_int_equal(buffer_take(&buffer, &text, NULL, "a diff", NULL), STATUS_OK);
    assert_string_equal(text, expected);
    assert_true(diff.is_fewest);
    free(text);
    text_diff_free(&diff);
}

static void texts_that_are_alike_have_no_hunks(void **state) {
    (void)state;
    expect("", "", NULL, "");
    expect("a\nb\n", "a\nb\n", NULL, "");
    expect("a\nb", "a\nb\n", NULL, ""); /* but for the end of the last line */
}

static void hunks_are_those_of_diff_u(void **state) {
    (void)state;
    expect("a\n", "b\n", NULL, "@@ -1,1 +1,1 @@\n-a\n+b\n");
    expect("", "b\n\n", NULL, "@@ -1,0 +1,2 @@\n+b\n+\n");
    expect("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n", NULL,
           "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n");
    /* what is at most six lines apart is one hunk */
    expect("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n", NULL,
           "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
    expect("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n", NULL,
           "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

static void a_very_long_line_is_cut_behind_its_breaks(void **state) {
    (void)state;
    static const char *const BREAKS[] = {"%}", "}}", NULL};
    char a[512] = "", b[512];
    while (strlen(a) < 240) (void)strcat(a, "{% if x %}text {{ y }}");
    (void)strcpy(b, a);
    b[strlen(b) - 2] = '!';
    expect(a, b, BREAKS,
           "@@ -19,4 +19,4 @@\n {% if x %}\n text {{ y }}\n {% if x %}\n-text {{ y }}\n+text {{ y !}\n");
}

static size_t count_changes(const TextDiff *diff) {
    return diff->removed + diff->added;
}

/* Against the longest common sequence by its table, over letters that are often equal. */
static void changes_are_the_fewest(void **state) {
    (void)state;
    enum { MOST = 24 };
    uint32_t random = 1;
    for (int round = 0; round < 2000; round++) {
        char texts[2][2 * MOST + 1];
        size_t counts[2], table[MOST + 1][MOST + 1] = {{0}};
        for (int side = 0; side < 2; side++) {
            random = random * 1664525U + 1013904223U;
            counts[side] = (random >> 16) % (MOST + 1);
            for (size_t i = 0; i < counts[side]; i++) {
                random = random * 1664525U + 1013904223U;
                texts[side][2 * i] = (char)('a' + (random >> 16) % 4);
                texts[side][2 * i + 1] = '\n';
            }
        }
        for (size_t i = 1; i <= counts[0]; i++)
            for (size_t j = 1; j <= counts[1]; j++) {
                size_t skipped = table[i - 1][j] > table[i][j - 1] ? table[i - 1][j] : table[i][j - 1];
                bool same = texts[0][2 * i - 2] == texts[1][2 * j - 2];
                table[i][j] = same ? table[i - 1][j - 1] + 1 : skipped;
            }
        TextDiff diff = make(texts[0], 2 * counts[0], texts[1], 2 * counts[1], NULL);
        assert_int_equal(count_changes(&diff), counts[0] + counts[1] - 2 * table[counts[0]][counts[1]]);
        text_diff_free(&diff);
    }
}

/* Hunks say all that differs: the second text can be made of the first and them. */
static void the_second_text_follows_from_the_first_and_the_hunks(void **state) {
    (void)state;
    char a[4000], b[4000];
    uint32_t random = 7;
    for (size_t i = 0; i < sizeof a; i += 2) {
        random = random * 1664525U + 1013904223U;
        a[i] = b[i] = (char)('a' + (random >> 16) % 20);
        a[i + 1] = b[i + 1] = '\n';
        if ((random >> 24) % 16 == 0) b[i] = '!';
        if ((random >> 24) % 16 == 1) b[i] = '\n';
    }
    TextDiff diff = make(a, sizeof a, b, sizeof b, NULL);
    Buffer made = {0};
    size_t line = 0;
    assert_true(diff.hunk_count > 10);
    for (size_t h = 0; h < diff.hunk_count; h++) {
        const TextDiffHunk *hunk = &diff.hunks[h];
        buffer_add(&made, a + 2 * line, 2 * (hunk->first[0] - line));
        for (size_t i = 0; i < hunk->line_count; i++) {
            const TextDiffLine *one = &diff.lines[hunk->first_line + i];
            if (one->kind == TEXT_DIFF_REMOVED) continue;
            buffer_add(&made, one->text, one->bytes);
            buffer_add_text(&made, "\n");
        }
        line = hunk->first[0] + hunk->count[0];
    }
    buffer_add(&made, a + 2 * line, sizeof a - 2 * line);
    assert_int_equal(made.length, sizeof b);
    assert_memory_equal(made.text, b, sizeof b);
    buffer_free(&made);
    text_diff_free(&diff);
}

static void what_differs_too_much_is_one_change(void **state) {
    (void)state;
    enum { LINES = 40000 };
    char *texts[2];
    for (int side = 0; side < 2; side++) {
        texts[side] = memory_allocate(LINES, 4);
        assert_non_null(texts[side]);
        for (size_t i = 0; i < LINES; i++) memcpy(texts[side] + 4 * i, side == 0 ? "abc\n" : "abd\n", 4);
        memcpy(texts[side], "top\n", 4);
    }
    TextDiff diff = make(texts[0], (size_t)LINES * 4, texts[1], (size_t)LINES * 4, NULL);
    assert_false(diff.is_fewest);
    assert_int_equal(diff.hunk_count, 1);
    assert_int_equal(diff.hunks[0].first[0], 0);
    assert_int_equal(diff.removed, LINES - 1);
    assert_int_equal(diff.added, LINES - 1);
    text_diff_free(&diff);
    free(texts[0]);
    free(texts[1]);
}

static void more_lines_than_a_text_may_have_are_the_last_one(void **state) {
    (void)state;
    size_t bytes = (size_t)3 << 20;
    char *text = memory_allocate(bytes, 1);
    assert_non_null(text);
    memset(text, '\n', bytes);
    TextDiff diff = make(text, bytes, text, 0, NULL);
    assert_int_equal(diff.removed, (1 << 20) + 1);
    assert_int_equal(diff.lines[1 << 20].bytes, ((size_t)2 << 20));
    text_diff_free(&diff);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_alike_have_no_hunks),
        cmocka_unit_test(hunks_are_those_of_diff_u),
        cmocka_unit_test(a_very_long_line_is_cut_behind_its_breaks),
        cmocka_unit_test(changes_are_the_fewest),
        cmocka_unit_test(the_second_text_follows_from_the_first_and_the_hunks),
        cmocka_unit_test(what_differs_too_much_is_one_change),
        cmocka_unit_test(more_lines_than_a_text_may_have_are_the_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
