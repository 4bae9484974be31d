/*
 * Unigram models of a tokenizer.json: what is refused, unknown characters, ties, comparing, time. That the ids are
 * right is the golden tests' business.
 */
#include "tests/unit/tokenizer_json.h"

#define PIECES        "'model':{'type':'Unigram','unk_id':0,'vocab':[['<unk>',0],['a',-1],['b',-1.5]]}"
#define TABLE(base64) "{" PIECES ",'normalizer':{'type':'Precompiled','precompiled_charsmap':'" base64 "'}}"

static void malformed_models_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *json, *part;
    } REFUSALS[] = {
        {"{'model':{'type':'Unigram','vocab':{}}}", "model.vocab: expected an array of pieces and scores"},
        {"{'model':{'type':'Unigram','vocab':[]}}", "model.vocab: expected pieces, found none"},
        {"{'model':{'type':'Unigram','vocab':[['a',0],['b']]}}",
         "model.vocab[1]: expected a piece and its score"},
        {"{'model':{'type':'Unigram','vocab':[['a','0']]}}",
         "model.vocab[0]: expected a piece and its score"},
        {"{'model':{'type':'Unigram','vocab':[['a',1e999]]}}",
         "model.vocab[0]: expected a piece and its score"},
        {"{'model':{'type':'Unigram','unk_id':1,'vocab':[['a',0]]}}", "model.unk_id: expected an id below 1"},
        {"{'model':{'type':'Unigram','unk_id':-1,'vocab':[['a',0]]}}",
         "model.unk_id: expected an id below 1"},
        {"{'model':{'type':'Unigram','vocab':[['a',0]],'byte_fallback':0}}", "model.byte_fallback"},
        {TABLE("AAAA!AAA"), "precompiled_charsmap: expected base64"},
        {TABLE("AAA"), "precompiled_charsmap: expected base64"},
        {TABLE(""), "the table is shorter than it says"},
        {TABLE("AAAAAA=="), "the table is shorter than it says"}, /* no units */
        {TABLE("CAAAAAAAAAA="), "the table is shorter than it says"},
        {TABLE("BAAAAAAAAAD/"), "what characters become is not UTF-8"}};
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++)
        expect_refusal(REFUSALS[i].json, STATUS_FORMAT, REFUSALS[i].part);
}

static void unknown_characters_side_by_side_are_one_piece_or_bytes(void **state) {
    (void)state;
    Tokenizer *one = open_json("{" PIECES "}");
    Tokenizer *bytes = open_json(
        "{'model':{'type':'Unigram','unk_id':0,'byte_fallback':true,"
        "'vocab':[['<unk>',0],['a',-1],['<0x78>',-9],['<0x79>',-9]]},'decoder':{'type':'ByteFallback'}}");
    expect_ids(one, "axyza", "1 0 1");
    expect_ids(one, "<unk>xa", "0 1"); /* written out, it is one with them */
    expect_ids(bytes, "axya", "1 2 3 1");
    expect_ids(bytes, "axza", "1 0 1"); /* not every byte has a piece */
    assert_string_equal(tokenizer_facts(one).kind, "Unigram");
    tokenizer_free(one);
    tokenizer_free(bytes);
}

static void a_character_that_nothing_stands_for_is_refused(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json("{'model':{'type':'Unigram','vocab':[['a',-1],['xy',-1]]}}");
    TokenList list = {0};
    Error error;
    expect_ids(tokenizer, "aa", "0 0");
    assert_int_equal(tokenizer_encode(tokenizer, "axa", 3, true, &list, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "the model has no unk_id"));
    token_list_free(&list);
    tokenizer_free(tokenizer);
}

/* a│aa and aa│a are equally good: the one that is found first stays. Of equal pieces the last has the id. */
static void of_equally_good_ways_the_first_found_stays(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json(
        "{'model':{'type':'Unigram','unk_id':0,'vocab':[['<unk>',0],['a',-2],['aa',-2.5],['aa',-2.5]]}}");
    expect_ids(tokenizer, "aaa", "1 3");
    assert_int_equal(tokenizer_find(tokenizer, "aa", 2), 3);
    tokenizer_free(tokenizer);
}

static void a_piece_may_not_be_endless(void **state) {
    (void)state;
    char json[4096] = "{'model':{'type':'Unigram','vocab':[['";
    for (int i = 0; i < 1024; i++) strcat(json, "a");
    strcat(json, "',0]]}}");
    expect_refusal(json, STATUS_UNSUPPORTED, "of 1024 bytes is not supported, at most 1023 are");
}

/* A table whose only unit leads out of it, which no one sees before a text comes. */
static void a_table_that_leads_out_of_itself_is_refused_with_the_text(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json(TABLE("BAAAAAAA8P8="));
    TokenList list = {0};
    Error error;
    assert_int_equal(tokenizer_encode(tokenizer, "ab", 2, true, &list, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "the table leads out of itself"));
    token_list_free(&list);
    tokenizer_free(tokenizer);
}

static void models_are_compared_by_kind_and_score(void **state) {
    (void)state;
    expect_difference("{" PIECES "}", "{" PIECES "}", NULL);
    expect_difference("{" PIECES "}",
                      "{'model':{'type':'Unigram','unk_id':0,'vocab':[['<unk>',0],['a',-1],['b',-1.25]]}}",
                      "the piece 2 has the score -1.5 in base and -1.25 in SFT");
    expect_difference("{" PIECES "}",
                      "{'model':{'type':'Unigram','unk_id':1,'vocab':[['<unk>',0],['a',-1],['b',-1.5]]}}",
                      "unk_token has the id 0 in base and 1 in SFT");
    expect_difference("{" PIECES "}", "{'model':{'vocab':{'<unk>':0,'a':1,'b':2},'merges':[]}}",
                      "the model is Unigram in base and BPE in SFT");
}

/* One word of a megabyte, where every place begins many pieces. */
static void a_megabyte_in_one_word_is_cut_in_time(void **state) {
    (void)state;
    enum { COUNT = 1 << 20, LONGEST = 64 };
    char json[8192] = "{'model':{'type':'Unigram','unk_id':0,'vocab':[['<unk>',0]", piece[LONGEST + 1] = "";
    for (int i = 1; i <= LONGEST; i++) {
        strcat(piece, "a");
        size_t at = strlen(json);
        (void)snprintf(json + at, sizeof json - at, ",['%s',-%d]", piece, i < LONGEST ? 2 * i : LONGEST);
    }
    strcat(json, "]}}");
    Tokenizer *tokenizer = open_json(json);
    char *text = malloc(COUNT);
    TokenList list = {0};
    assert_non_null(text);
    memset(text, 'a', COUNT);
    assert_int_equal(tokenizer_encode(tokenizer, text, COUNT, true, &list, NULL), STATUS_OK);
    assert_int_equal(list.count, COUNT / LONGEST);
    assert_int_equal(list.ids[0], LONGEST);
    token_list_free(&list);
    free(text);
    tokenizer_free(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_models_are_refused),
        cmocka_unit_test(unknown_characters_side_by_side_are_one_piece_or_bytes),
        cmocka_unit_test(a_character_that_nothing_stands_for_is_refused),
        cmocka_unit_test(of_equally_good_ways_the_first_found_stays),
        cmocka_unit_test(a_piece_may_not_be_endless),
        cmocka_unit_test(a_table_that_leads_out_of_itself_is_refused_with_the_text),
        cmocka_unit_test(models_are_compared_by_kind_and_score),
        cmocka_unit_test(a_megabyte_in_one_word_is_cut_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
