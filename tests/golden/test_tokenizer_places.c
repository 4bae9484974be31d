/*
 * Where in the ids a place of the text falls: at every character boundary of difficult texts, with every golden
 * tokenizer, as many ids before it as the offsets of tokenizers 0.23.3 say (golden/tokenizers/places.jsonl).
 */
#include "core/files/json.h"
#include "core/tokenizer/tokenizer.h"

/* clang-format off: cmocka.h needs the others before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* clang-format on */

#define FOLDER TESTS_DIR "/golden/tokenizers"

enum { MOST_PLACES = 64, CASES = 190 };

typedef struct Case {
    const char *family, *text;
    const cJSON *ids, *places;
    size_t bounds[MOST_PLACES], count; /* byte offsets at which characters begin, and the end */
} Case;

static void open_family(const char *family, Tokenizer **tokenizer) {
    char path[1024];
    Error error;
    (void)snprintf(path, sizeof path, "%s/%s/tokenizer.json", FOLDER, family);
    if (tokenizer_open(path, tokenizer, &error) != STATUS_OK) fail_msg("%s", error.message);
}

static void read_case(const cJSON *line, Case *made) {
    *made = (Case){.family = json_get_text(line, "family", NULL),
                   .text = json_get_text(line, "text", NULL),
                   .ids = json_find(line, "ids"),
                   .places = json_find(line, "places")};
    assert_non_null(made->text);
    size_t bytes = strlen(made->text);
    for (size_t i = 0; i <= bytes; i++) {
        if (((unsigned char)made->text[i] & 0xC0) != 0x80) made->bounds[made->count++] = i;
    }
    assert_int_equal(made->count, cJSON_GetArraySize(made->places));
}

static size_t expected_place(const Case *one, size_t index) {
    return (size_t)cJSON_GetArrayItem(one->places, (int)index)->valuedouble;
}

static void encode(const Case *one, const Tokenizer *tokenizer, size_t *places, size_t count) {
    TokenList list = {0};
    assert_int_equal(tokenizer_encode_places(tokenizer, one->text, strlen(one->text), true, places, count,
                                             NULL, &list, NULL),
                     STATUS_OK);
    assert_int_equal(list.count, cJSON_GetArraySize(one->ids));
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.ids[i], (int)cJSON_GetArrayItem(one->ids, (int)i)->valuedouble);
    token_list_free(&list);
}

static void check(const Case *one, const Tokenizer *tokenizer) {
    size_t places[MOST_PLACES];
    memcpy(places, one->bounds, sizeof places);
    encode(one, tokenizer, places, one->count); /* all of them at once */
    for (size_t i = 0; i < one->count; i++) {
        size_t alone = one->bounds[i];
        encode(one, tokenizer, &alone, 1);
        if (places[i] != expected_place(one, i) || alone != places[i])
            fail_msg("%s, \"%s\", at byte %zu: expected %zu ids before it, found %zu (alone %zu)",
                     one->family, one->text, one->bounds[i], expected_place(one, i), places[i], alone);
    }
}

static void places_fall_where_the_offsets_say(void **state) {
    (void)state;
    char *text, family[64] = "";
    size_t bytes, cases = 0;
    Tokenizer *tokenizer = NULL;
    assert_int_equal(json_read_text(FOLDER "/places.jsonl", 1 << 24, &text, &bytes, NULL), STATUS_OK);
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        cJSON *tree;
        Case one;
        assert_int_equal(json_parse(line, (size_t)(end - line), "a case", &tree, NULL), STATUS_OK);
        read_case(tree, &one);
        if (strcmp(family, one.family) != 0) {
            tokenizer_free(tokenizer);
            open_family(one.family, &tokenizer);
            (void)snprintf(family, sizeof family, "%s", one.family);
        }
        check(&one, tokenizer);
        cJSON_Delete(tree);
        cases++;
    }
    assert_int_equal(cases, CASES);
    tokenizer_free(tokenizer);
    free(text);
}

/* Their order is found class by class: inserted one by one they would take minutes. */
static void a_place_in_a_long_run_of_marks_takes_no_longer_than_the_run(void **state) {
    (void)state;
    enum { MARKS = 200000 };
    Tokenizer *tokenizer;
    TokenList list = {0};
    open_family("qwen3", &tokenizer);
    char *text = malloc(2 * MARKS + 1);
    assert_non_null(text);
    for (size_t i = 0; i < MARKS; i++) memcpy(text + 2 * i, i % 2 == 0 ? "\xcc\x81" : "\xcc\xa3", 2);
    size_t place = MARKS;
    assert_int_equal(tokenizer_encode_places(tokenizer, text, 2 * MARKS, true, &place, 1, NULL, &list, NULL),
                     STATUS_OK);
    assert_true(place > 0 && place < list.count);
    token_list_free(&list);
    free(text);
    tokenizer_free(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_fall_where_the_offsets_say),
        cmocka_unit_test(a_place_in_a_long_run_of_marks_takes_no_longer_than_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
