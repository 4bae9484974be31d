/*
 * tokenizer.json as an untrusted file: what is refused and in which words; texts that are refused; one
 * tokenizer in several threads; texts that would take a careless merge or search for ever. That the numbers
 * are right is tests/golden/test_tokenizer.c's business.
 */
#include "tests/unit/tokenizer_json.h"

#include <pthread.h>

#define VOCABULARY "'vocab':{'a':0,'b':1,'ab':2,'abab':3,' ':4,'<unk>':5}"
#define MODEL      "'model':{'type':'BPE'," VOCABULARY ",'merges':['a b','ab ab']}"
#define FLAGS      "'single_word':false,'lstrip':false,'rstrip':false,'normalized':false,'special':true"

#define BYTES      "{'type':'ByteLevel','add_prefix_space':false}"

static void expect_text(const Tokenizer *tokenizer, const int32_t *ids, size_t count, bool skip,
                        const char *expected) {
    char *text;
    size_t bytes;
    assert_int_equal(tokenizer_decode(tokenizer, ids, count, skip, &text, &bytes, NULL), STATUS_OK);
    assert_string_equal(text, expected);
    assert_int_equal(bytes, strlen(expected));
    free(text);
}

/* ---- files ---- */

static void unsupported_components_are_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *json, *part;
    } REFUSALS[] = {
        {"{'model':{'type':'WordPiece','vocab':{}}}",
         "model type \"WordPiece\" is not supported: of models, BPE and Unigram are read"},
        {"{'model':{'type':'WordLevel','vocab':{}}}", "model type \"WordLevel\" is not supported"},
        {"{'model':{'vocab':{},'max_input_chars_per_word':100}}",
         "model type \"WordPiece\" is not supported"},
        {"{'model':{'vocab':{}}}", "model type \"WordLevel\" is not supported"},
        {"{'version':'2.0'," MODEL "}", "version"},
        {"{'model':{" VOCABULARY ",'merges':[],'dropout':0.1}}", "model option \"dropout\""},
        {"{'model':{" VOCABULARY ",'merges':[],'continuing_subword_prefix':'##'}}",
         "\"continuing_subword_prefix\""},
        {"{'model':{" VOCABULARY ",'merges':[],'end_of_word_suffix':'</w>'}}", "\"end_of_word_suffix\""},
        {"{" MODEL ",'normalizer':{'type':'BertNormalizer'}}",
         "normalizer type \"BertNormalizer\" is not supported"},
        {"{" MODEL ",'normalizer':{'type':'Sequence','normalizers':[{'type':'Nmt'}]}}",
         "normalizer type \"Nmt\""},
        {"{" MODEL ",'normalizer':{'type':'Replace','pattern':{'Regex':'a*'},'content':''}}",
         "can match nothing"},
        {"{" MODEL ",'normalizer':{'type':'Replace','pattern':{'Regex':'(a)'},'content':'$1'}}",
         "groups ($)"},
        {"{" MODEL ",'normalizer':{'type':'Replace','pattern':{'String':''},'content':'x'}}",
         "an empty pattern"},
        {"{" MODEL ",'pre_tokenizer':{'type':'Whitespace'}}", "pre_tokenizer type \"Whitespace\""},
        {"{" MODEL
         ",'pre_tokenizer':{'type':'Split','pattern':{'Regex':'\\\\Ga'},'behavior':'Removed','invert':false}}",
         "this escape"},
        {"{" MODEL
         ",'pre_tokenizer':{'type':'Split','pattern':{'String':'a'},'behavior':'Odd','invert':false}}",
         "behavior \"Odd\""},
        {"{" MODEL ",'pre_tokenizer':{'type':'Metaspace','replacement':'_','prepend_scheme':'odd'}}",
         "prepend_scheme \"odd\""},
        {"{" MODEL ",'pre_tokenizer':{'type':'Sequence','pretokenizers':[" BYTES
         ",{'type':'Metaspace','replacement':'_','prepend_scheme':'first'}]}}",
         "prepend_scheme \"first\" after a pre-tokenizer"},
        {"{" MODEL ",'post_processor':{'type':'Odd'}}", "post_processor type \"Odd\""},
        {"{" MODEL ",'post_processor':{'type':'TemplateProcessing','single':[{'Sequence':{'id':'B'}}]}}",
         "the sequence A"},
        {"{" MODEL ",'decoder':{'type':'WordPiece'}}", "decoder type \"WordPiece\""},
        {"{" MODEL ",'decoder':{'type':'Replace','pattern':{'Regex':'a'},'content':''}}", "with a Regex"},
        {"{'model':{'type':'BPE','vocab':{'a\\u0000':0},'merges':[]}}", "U+0000 (byte "},
        {"{" MODEL ",'normalizer':{'type':'Replace','pattern':{'String':'x'},'content':'y'},'added_tokens':["
         "{'content':'x','single_word':false,'lstrip':false,'rstrip':false,'normalized':true,'special':true},"
         "{'content':'y','single_word':false,'lstrip':false,'rstrip':false,'normalized':true,'special':true}]}",
         "two with the same normalized form, \"y\""}};
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++)
        expect_refusal(REFUSALS[i].json, STATUS_UNSUPPORTED, REFUSALS[i].part);
}

static void malformed_files_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *json, *part;
    } REFUSALS[] = {
        {"", "expected JSON"},
        {"{", "expected JSON"},
        {"[]", "expected an object"},
        {"{}", "model: expected an object"},
        {"{'model':3}", "model: expected an object"},
        {"{'model':{'merges':[]}}", "model.vocab"},
        {"{'model':{'vocab':[],'merges':[]}}", "model.vocab"},
        {"{'model':{'vocab':{'a':-1},'merges':[]}}", "id below 4194304 for the piece \"a\""},
        {"{'model':{'vocab':{'a':1.5},'merges':[]}}", "for the piece \"a\""},
        {"{'model':{'vocab':{'a':'1'},'merges':[]}}", "for the piece \"a\""},
        {"{'model':{'vocab':{'a':99999999999},'merges':[]}}", "for the piece \"a\""},
        {"{'model':{'vocab':{'a':0,'b':0},'merges':[]}}", "one piece for the id 0, found \"b\""},
        {"{'model':{'vocab':{'a':0,'a':1},'merges':[]}}", "one id for the piece \"a\""},
        {"{'model':{'type':'BPE','vocab':{}}}", "model.merges"},
        {"{'model':{" VOCABULARY ",'merges':['ab']}}", "model.merges[0]"},
        {"{'model':{" VOCABULARY ",'merges':['a b c']}}", "model.merges[0]"},
        {"{'model':{" VOCABULARY ",'merges':[['a','b','c']]}}", "model.merges[0]"},
        {"{'model':{" VOCABULARY ",'merges':[['a',1]]}}", "model.merges[0]"},
        {"{'model':{" VOCABULARY ",'merges':['a b',['ab','ab']]}}", "all strings or all pairs"},
        {"{'model':{" VOCABULARY ",'merges':['b a']}}", "expected \"ba\" and its halves"},
        {"{'model':{" VOCABULARY ",'merges':[],'byte_fallback':1}}", "model.byte_fallback"},
        {"{" MODEL ",'post_processor':{'type':'BertProcessing','cls':['a',0]}}",
         "expected a token and its id for sep"},
        {"{" MODEL ",'normalizer':{'type':'Strip','strip_left':true}}", "strip_right"},
        {"{" MODEL ",'normalizer':[]}", "normalizer: expected an object with a type"},
        {"{" MODEL ",'normalizer':{'type':'Sequence'}}", "expected an array normalizers"},
        {"{" MODEL ",'pre_tokenizer':{'type':'Digits'}}", "individual_digits"},
        {"{" MODEL ",'pre_tokenizer':{'type':'ByteLevel'}}", "add_prefix_space"},
        {"{" MODEL ",'pre_tokenizer':{'type':'Metaspace','replacement':'__'}}", "one character"},
        {"{" MODEL ",'pre_tokenizer':{'type':'Split','pattern':'a','behavior':'Removed','invert':false}}",
         "a String or a Regex"},
        {"{" MODEL ",'decoder':{'type':'Strip','content':' ','start':-1,'stop':0}}", "counts start and stop"},
        {"{" MODEL ",'post_processor':{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'x'}}]}}",
         "expected ids for the special token \"x\""},
        {"{" MODEL ",'added_tokens':{}}", "added_tokens: expected an array"},
        {"{" MODEL ",'added_tokens':[{'content':'x'}]}", "single_word"},
        {"{" MODEL ",'added_tokens':[1]}", "content"},
        {"{'a':'\n'}", "no control character"},
        {"{'a':'\xff'}", "expected UTF-8"}};
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++)
        expect_refusal(REFUSALS[i].json, STATUS_FORMAT, REFUSALS[i].part);
}

static void messages_carry_no_control_characters_of_the_file(void **state) {
    (void)state;
    Tokenizer *tokenizer;
    Error error;
    assert_int_equal(parse("{'model':{'type':'\\u001b[2J\xc2\x9b'}}", &tokenizer, &error),
                     STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.message, "\"\\u001b[2J\\u009b\""));
    assert_null(strchr(error.message, '\x1b'));
}

/* '[' or '{"a":' again and again; and a number of values that would take gigabytes as a tree. */
static void nesting_and_size_are_bounded(void **state) {
    (void)state;
    enum { COUNT = 20 * 1000 * 1000 };
    Tokenizer *tokenizer;
    Error error;
    char *json = malloc(COUNT);
    assert_non_null(json);
    memset(json, '[', COUNT);
    assert_int_equal(tokenizer_parse(json, COUNT, "t.json", &tokenizer, &error), STATUS_FORMAT);
    for (size_t i = 1; i + 1 < COUNT; i++) json[i] = i % 2 == 1 ? '0' : ',';
    json[COUNT - 1] = ']';
    assert_int_equal(tokenizer_parse(json, COUNT, "t.json", &tokenizer, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "at most 8000000 values"));
    free(json);
}

static void sequences_may_not_nest_for_ever(void **state) {
    (void)state;
    char json[4096] = "{" MODEL ",'pre_tokenizer':";
    for (int i = 0; i < 40; i++) strcat(json, "{'type':'Sequence','pretokenizers':[");
    for (int i = 0; i < 40; i++) strcat(json, "]}");
    strcat(json, "}");
    expect_refusal(json, STATUS_UNSUPPORTED, "Sequences nested deeper than 16");
}

static void a_missing_file_is_an_io_error(void **state) {
    (void)state;
    Tokenizer *tokenizer;
    Error error;
    assert_int_equal(tokenizer_open(TESTS_DIR "/no-such-file", &tokenizer, &error), STATUS_IO);
    assert_null(tokenizer);
    assert_int_equal(tokenizer_open(TESTS_DIR, &tokenizer, NULL), STATUS_FORMAT);
}

/* Every prefix of a good file is refused or read, and never crashes. */
static void every_prefix_of_a_file_is_refused(void **state) {
    (void)state;
    static const char JSON[] =
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"\\u00e9\":1},\"merges\":[]},"
        "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[a-z]+|\\\\s\"},"
        "\"behavior\":\"Isolated\",\"invert\":false}}";
    for (size_t bytes = 0; bytes <= strlen(JSON); bytes++) {
        Tokenizer *tokenizer;
        char *exact = malloc(bytes + 1); /* so that reading beyond is seen by the sanitizer */
        assert_non_null(exact);
        memcpy(exact, JSON, bytes);
        Status status = tokenizer_parse(exact, bytes, "t.json", &tokenizer, NULL);
        assert_int_equal(status, bytes == strlen(JSON) ? STATUS_OK : STATUS_FORMAT);
        tokenizer_free(tokenizer);
        free(exact);
    }
}

/* ---- what the file means ---- */

static void added_tokens_are_numbered_behind_the_vocabulary(void **state) {
    (void)state;
    Tokenizer *tokenizer =
        open_json("{" MODEL ",'added_tokens':[{'id':77,'content':'<x>'," FLAGS "},{'content':'<unk>'," FLAGS
                  "},{'content':''," FLAGS "},{'content':'<y>'," FLAGS "}]}");
    assert_int_equal(tokenizer_vocabulary_size(tokenizer), 8);
    assert_int_equal(tokenizer_find(tokenizer, "<x>", 3), 6);
    assert_int_equal(tokenizer_find(tokenizer, "<unk>", 5), 5);
    assert_int_equal(tokenizer_find(tokenizer, "<y>", 3), 7);
    assert_int_equal(tokenizer_find(tokenizer, "<z>", 3), -1);
    assert_true(tokenizer_is_special(tokenizer, 5));
    assert_false(tokenizer_is_special(tokenizer, 0));
    assert_false(tokenizer_is_special(tokenizer, -1));
    expect_ids(tokenizer, "ab<x>abab<y>", "2 6 3 7");
    tokenizer_free(tokenizer);
}

/* tokenizers 0.23.3: [2, 2, 0], and the piece of the id 2 is "x" from then on. */
static void where_the_vocabulary_has_gaps_an_id_may_stand_for_two(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json(
        "{'model':{'vocab':{'a':0,'b':2},'merges':[]},'added_tokens':[{'id':1,'content':'x'," FLAGS "}]}");
    size_t bytes;
    expect_ids(tokenizer, "bxa", "2 2 0");
    assert_memory_equal(tokenizer_piece(tokenizer, 2, &bytes), "x", 1);
    assert_int_equal(tokenizer_vocabulary_size(tokenizer), 3);
    tokenizer_free(tokenizer);
}

/* tokenizers 0.23.3: "ab <x>a" is [2, 6, 0], so that the flags are the later ones; but [6] is still left out. */
static void a_token_that_comes_again_takes_the_later_flags(void **state) {
    (void)state;
    Tokenizer *tokenizer =
        open_json("{" MODEL ",'added_tokens':[{'id':6,'content':'<x>'," FLAGS
                  "},{'id':7,'content':'<x>',"
                  "'single_word':false,'lstrip':true,'rstrip':false,'normalized':false,'special':false}]}");
    const int32_t id = 6;
    expect_ids(tokenizer, "ab <x>a", "2 6 0");
    assert_int_equal(tokenizer_facts(tokenizer).added_tokens, 1);
    assert_int_equal(tokenizer_facts(tokenizer).special_tokens, 0);
    expect_text(tokenizer, &id, 1, true, "");
    expect_text(tokenizer, &id, 1, false, "<x>");
    tokenizer_free(tokenizer);
}

static void ids_that_do_not_exist_are_passed_over(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json("{" MODEL ",'decoder':{'type':'Fuse'}}");
    const int32_t ids[] = {2, -1, INT32_MIN, 6, INT32_MAX, 0};
    expect_text(tokenizer, ids, sizeof ids / sizeof *ids, false, "aba");
    expect_text(tokenizer, NULL, 0, true, "");
    char *bytes;
    size_t count;
    Error error;
    assert_null(tokenizer_piece(tokenizer, -1, &count));
    assert_int_equal(tokenizer_token_bytes(tokenizer, 6, &bytes, &count, &error), STATUS_ARGUMENT);
    tokenizer_free(tokenizer);
}

static void without_a_decoder_pieces_are_joined_by_spaces(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json("{" MODEL "}");
    const int32_t ids[] = {0, 1, 2};
    expect_text(tokenizer, ids, 3, false, "a b ab");
    tokenizer_free(tokenizer);
}

static void an_unknown_character_without_a_piece_for_it_is_dropped_or_refused(void **state) {
    (void)state;
    Tokenizer *drops = open_json("{" MODEL "}");
    Tokenizer *refuses = open_json("{'model':{" VOCABULARY ",'merges':[],'unk_token':'nowhere'}}");
    TokenList list = {0};
    Error error;
    expect_ids(drops, "axb", "2"); /* what is left stands side by side */
    expect_ids(refuses, "ab", "0 1");
    assert_int_equal(tokenizer_encode(refuses, "axb", 3, true, &list, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "unk_token \"nowhere\""));
    token_list_free(&list);
    tokenizer_free(drops);
    tokenizer_free(refuses);
}

/* As pieces of users come; the longest is found where the first is it. */
static void alternatives_of_plain_text_are_found_as_by_an_expression(void **state) {
    (void)state;
    static const struct {
        const char *regex, *ids; /* of "abab a" */
    } CASES[] = {{"ab|a", "2 2 4 0"},
                 {"a|ab", "0 1 0 1 4 0"},
                 {"abab|a", "3 4 0"},
                 {"b\\\\ |x", "2 0 1 4 0"},
                 {"abab\\\\ |\\\\ ", "3 4 0"},
                 {"b|\\\\ ", "0 1 0 1 4 0"},
                 {"b|", NULL},
                 {"[b]|a", "0 1 0 1 4 0"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char json[512];
        (void)snprintf(json, sizeof json,
                       "{" MODEL
                       ",'pre_tokenizer':{'type':'Split','pattern':{'Regex':'%s'},'behavior':'Isolated',"
                       "'invert':false}}",
                       CASES[i].regex);
        Tokenizer *tokenizer = open_json(json);
        if (CASES[i].ids != NULL) expect_ids(tokenizer, "abab a", CASES[i].ids);
        tokenizer_free(tokenizer);
    }
}

static void pieces_of_users_may_be_many(void **state) {
    (void)state;
    enum { COUNT = 20000, PIECE = 16 };
    char *json = malloc(COUNT * PIECE + 512);
    assert_non_null(json);
    strcpy(json, "{" MODEL ",'pre_tokenizer':{'type':'Split','pattern':{'Regex':'");
    size_t at = strlen(json);
    for (int i = 0; i < COUNT; i++) at += (size_t)sprintf(json + at, "<unused%05d>|", i);
    strcpy(json + at, "ab'},'behavior':'Isolated','invert':false}}");
    Tokenizer *tokenizer = open_json(json);
    expect_ids(tokenizer, "abab", "2 2");
    tokenizer_free(tokenizer);
    free(json);
}

static void truncation_and_padding_are_reported_and_not_applied(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json("{" MODEL ",'truncation':{'max_length':1},'padding':null}");
    expect_ids(tokenizer, "a b", "0 4 1");
    assert_true(tokenizer_facts(tokenizer).has_truncation);
    assert_false(tokenizer_facts(tokenizer).has_padding);
    assert_string_equal(tokenizer_facts(tokenizer).kind, "BPE");
    assert_int_equal(tokenizer_facts(tokenizer).merges, 2);
    tokenizer_free(tokenizer);
}

static void a_text_that_is_not_utf8_is_refused_with_the_offset(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json("{" MODEL "}");
    static const char *const TEXTS[] = {"ab\xff", "ab\xc3", "ab\xed\xa0\x80", "ab\xc0\x80",
                                        "ab\xf4\x90\x80\x80"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        TokenList list = {0};
        Error error;
        assert_int_equal(tokenizer_encode(tokenizer, TEXTS[i], strlen(TEXTS[i]), true, &list, &error),
                         STATUS_ARGUMENT);
        assert_non_null(strstr(error.message, "offset 2"));
        assert_int_equal(list.count, 0);
        token_list_free(&list);
    }
    tokenizer_free(tokenizer);
}

/* ---- comparing ---- */

static void tokenizers_are_compared_by_what_they_do(void **state) {
    (void)state;
    static const char PLAIN[] = "{" MODEL "}";
    expect_difference(PLAIN,
                      "{'model':{" VOCABULARY
                      ",'merges':[['a','b'],['ab','ab']]},'added_tokens':[],"
                      "'normalizer':{'type':'Sequence','normalizers':[]}}",
                      NULL);
    expect_difference(PLAIN,
                      "{'model':{'vocab':{'a':0,'b':1,'ab':2,'abab':3,' ':4},'merges':['a b','ab ab']}}",
                      "base has ids below 6, SFT below 5; the first beyond is \"<unk>\"");
    expect_difference(
        PLAIN, "{'model':{'vocab':{'b':0,'a':1,'ab':2,'abab':3,' ':4,'<unk>':5},'merges':['a b','ab ab']}}",
        "the id 0 is \"a\" in base and \"b\" in SFT");
    expect_difference(PLAIN, "{'model':{" VOCABULARY ",'merges':['ab ab','a b']}}", "the merge number 0");
    expect_difference(PLAIN, "{'model':{" VOCABULARY ",'merges':['a b']}}", "base has 2 merges, SFT 1");
    expect_difference(PLAIN, "{'model':{" VOCABULARY ",'merges':['a b','ab ab'],'ignore_merges':true}}",
                      "ignore_merges is false in base and true in SFT");
    expect_difference(PLAIN, "{" MODEL ",'added_tokens':[{'content':'<unk>'," FLAGS "}]}",
                      "\"<unk>\" is an added token in SFT only");
    expect_difference(PLAIN, "{" MODEL ",'normalizer':{'type':'NFC'}}",
                      "the normalizer is () in base and (NFC) in SFT");
    expect_difference(PLAIN, "{" MODEL ",'pre_tokenizer':{'type':'Digits','individual_digits':true}}",
                      "the pre-tokenizer is () in base");
}

/* ---- threads and time ---- */

enum { THREADS = 4, ROUNDS = 200 };

static void *encode_repeatedly(void *argument) {
    static const char TEXT[] = "ab abab<x>  ab a, 12 naïve 日本";
    size_t first = 0;
    for (int i = 0; i < ROUNDS; i++) {
        TokenList list = {0};
        if (tokenizer_encode(argument, TEXT, strlen(TEXT), true, &list, NULL) != STATUS_OK) return NULL;
        if (i == 0) first = list.count;
        if (list.count == 0 || list.count != first) return NULL;
        char *text;
        size_t bytes;
        if (tokenizer_decode(argument, list.ids, list.count, false, &text, &bytes, NULL) != STATUS_OK)
            return NULL;
        free(text);
        token_list_free(&list);
    }
    return argument;
}

static void several_threads_may_use_one_tokenizer(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_json(
        "{" MODEL
        ",'normalizer':{'type':'NFC'},'pre_tokenizer':{'type':'Split','pattern':{'Regex':'\\\\s+|\\\\w+'},"
        "'behavior':'Isolated','invert':false},'added_tokens':[{'content':'<x>','single_word':true,'lstrip':true,"
        "'rstrip':true,'normalized':false,'special':false}]}");
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, encode_repeatedly, tokenizer), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, tokenizer);
    }
    tokenizer_free(tokenizer);
}

/* One word of a megabyte, all of whose neighbours merge: quadratic work would outlast the test's time limit.
 */
static void a_megabyte_in_one_word_is_merged_in_time(void **state) {
    (void)state;
    enum { COUNT = 1 << 20 };
    Tokenizer *tokenizer = open_json("{" MODEL "}");
    char *text = malloc(COUNT);
    TokenList list = {0};
    assert_non_null(text);
    for (size_t i = 0; i < COUNT; i++) text[i] = i % 2 == 0 ? 'a' : 'b';
    assert_int_equal(tokenizer_encode(tokenizer, text, COUNT, true, &list, NULL), STATUS_OK);
    assert_int_equal(list.count, COUNT / 4);
    assert_int_equal(list.ids[COUNT / 4 - 1], 3);
    token_list_free(&list);
    free(text);
    tokenizer_free(tokenizer);
}

/* A million combining marks in the wrong order. */
static void a_megabyte_of_marks_is_normalized_in_time(void **state) {
    (void)state;
    enum { COUNT = 1 << 20 };
    Tokenizer *tokenizer = open_json("{" MODEL ",'normalizer':{'type':'NFC'}}");
    char *text = malloc(COUNT);
    TokenList list = {0};
    assert_non_null(text);
    for (size_t i = 0; i < COUNT; i += 4) memcpy(text + i, "\u0301\u0323", 4);
    assert_int_equal(tokenizer_encode(tokenizer, text, COUNT, true, &list, NULL), STATUS_OK);
    token_list_free(&list);
    free(text);
    tokenizer_free(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsupported_components_are_refused_by_name),
        cmocka_unit_test(malformed_files_are_refused),
        cmocka_unit_test(messages_carry_no_control_characters_of_the_file),
        cmocka_unit_test(nesting_and_size_are_bounded),
        cmocka_unit_test(sequences_may_not_nest_for_ever),
        cmocka_unit_test(a_missing_file_is_an_io_error),
        cmocka_unit_test(every_prefix_of_a_file_is_refused),
        cmocka_unit_test(added_tokens_are_numbered_behind_the_vocabulary),
        cmocka_unit_test(where_the_vocabulary_has_gaps_an_id_may_stand_for_two),
        cmocka_unit_test(a_token_that_comes_again_takes_the_later_flags),
        cmocka_unit_test(ids_that_do_not_exist_are_passed_over),
        cmocka_unit_test(without_a_decoder_pieces_are_joined_by_spaces),
        cmocka_unit_test(an_unknown_character_without_a_piece_for_it_is_dropped_or_refused),
        cmocka_unit_test(alternatives_of_plain_text_are_found_as_by_an_expression),
        cmocka_unit_test(pieces_of_users_may_be_many),
        cmocka_unit_test(truncation_and_padding_are_reported_and_not_applied),
        cmocka_unit_test(a_text_that_is_not_utf8_is_refused_with_the_offset),
        cmocka_unit_test(tokenizers_are_compared_by_what_they_do),
        cmocka_unit_test(several_threads_may_use_one_tokenizer),
        cmocka_unit_test(a_megabyte_in_one_word_is_merged_in_time),
        cmocka_unit_test(a_megabyte_of_marks_is_normalized_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
