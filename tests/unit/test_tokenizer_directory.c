/*
 * The tokenizer of a directory: what is said about how it was read, what is refused, and what a pair's two are found
 * to be. That the ids are right is tests/golden/test_tokenizer_classes.c's business.
 */
#include "core/files/stand_in.h"
#include "core/tokenizer/tokenizer_findings.h"
#include "scratch.h"

#include <unistd.h>

#define FLAGS "'single_word':false,'lstrip':false,'rstrip':false,'normalized':false,'special':true"
#define STEP  "{'type':'ByteLevel','add_prefix_space':false,'trim_offsets':true,'use_regex':true}"

/* As GPT2Tokenizer has it, but for what is put between. The JSON is written with ' for " here. */
#define FILE_WITH(members)                                                                                   \
    "{'pre_tokenizer':" STEP ",'decoder':" STEP                                                              \
    ",'model':{'type':'BPE','vocab':{'a':0,'b':1,'<s>':2},"                                                  \
    "'merges':[]}," members "}"
#define PLAIN FILE_WITH("'added_tokens':[{'id':2,'content':'<s>'," FLAGS "}]")

static void write_quoted(const char *name, const char *json) {
    char *text = memory_copy_text(json, strlen(json));
    assert_non_null(text);
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '\'') *at = '"';
    }
    scratch_write_text(name, text);
    free(text);
}

/* An empty directory of that name. */
static char *make_directory(const char *name) {
    static const char *const FILES[] = {"tokenizer.json", "tokenizer_config.json", "config.json"};
    char *folder = memory_format("%s/", name);
    assert_non_null(folder);
    char *path = scratch_path(folder);
    free(folder);
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char *file = memory_format("%s/%s", path, FILES[i]);
        assert_non_null(file);
        (void)unlink(file); /* may not be there */
        free(file);
    }
    return path;
}

/* NULL: the file is not there. */
static Tokenizer *open_with(const char *name, const char *file, const char *settings, const char *config,
                            TokenizerRule rule) {
    char *directory = make_directory(name), at[128];
    const struct {
        const char *name, *json;
    } files[] = {{"tokenizer.json", file}, {"tokenizer_config.json", settings}, {"config.json", config}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)snprintf(at, sizeof at, "%s/%s", name, files[i].name);
        if (files[i].json != NULL) write_quoted(at, files[i].json);
    }
    Tokenizer *tokenizer;
    Error error;
    if (tokenizer_open_directory(directory, rule, &tokenizer, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    free(directory);
    assert_non_null(tokenizer);
    return tokenizer;
}

static const char BY_GPT2[] =
    "{'tokenizer_class':'GPT2Tokenizer','bos_token':'<s>','eos_token':'<s>','unk_token':'<s>'}";
static const char BY_FILE[] = "{'tokenizer_class':'PreTrainedTokenizerFast'}";

static void what_differs_from_the_file_is_said(void **state) {
    (void)state;
    static const struct {
        const char *file, *settings, *config;
        const char *remark, *next; /* NULL: none */
    } CASES[] = {
        {PLAIN, NULL, NULL, NULL, NULL},
        {PLAIN, BY_GPT2, "{'model_type':'llama'}", NULL, NULL}, /* it puts in place what is there */
        {FILE_WITH("'normalizer':{'type':'NFC'}"), BY_GPT2, NULL,
         "class GPT2Tokenizer replaces the normalizer of tokenizer.json (by tokenizer_class of tokenizer_config.json); "
         "--tokenizer-file follows the file",
         "added tokens that tokenizer.json lacks: 1, first \"<s>\" (2), by class GPT2Tokenizer and "
         "the files beside it; --tokenizer-file follows the file"},
        {PLAIN, NULL, "{'model_type':'qwen3'}",
         "class Qwen2Tokenizer replaces the normalizer and pre-tokenizer of tokenizer.json (by model_type of config.json); "
         "--tokenizer-file follows the file",
         "added tokens that tokenizer.json lacks: 1, first \"<|endoftext|>\" (3)"},
        {PLAIN, "{'tokenizer_class':'BertTokenizerFast'}", NULL,
         "class BertTokenizerFast is not known here (by tokenizer_class of tokenizer_config.json): tokenizer.json is "
         "followed, and transformers may give other ids",
         NULL},
        {PLAIN, NULL, "{'model_type':'bert'}",
         "class BertTokenizer is not known here (by model_type of config.json): ", NULL},
        {PLAIN, "{'tokenizer_class':'HYTokenizer'}", NULL, NULL, NULL}, /* one that transformers has not */
        {PLAIN, "{'auto_map':{'AutoTokenizer':['tokenization_x.X',null]}}", NULL,
         "tokenizer_config.json names code of its own (auto_map), which is not run", NULL},
        {PLAIN, "{'fast_tokenizer_files':['tokenizer.4.0.0.json']}", NULL,
         "tokenizer_config.json names other files for other versions of transformers (fast_tokenizer_files)",
         NULL},
        {PLAIN, "{'split_special_tokens':true}", NULL, "tokenizer_config.json says split_special_tokens",
         NULL},
        {PLAIN,
         "{'pad_token':'<p>','added_tokens_decoder':{'2':{'content':'<s>'," FLAGS
         "},'9':{'content':'<x>'," FLAGS "}}}",
         NULL, "added tokens that tokenizer.json lacks: 2, first \"<x>\" (3)",
         "added tokens whose ids are not those written in tokenizer_config.json: 1, first \"<x>\", written 9 and used as 3: "
         "they are counted on from the vocabulary"},
        {PLAIN,
         "{'tokenizer_class':'GPT2Tokenizer','bos_token':null,'eos_token':null,'unk_token':null,'added_tokens_decoder':{}}",
         NULL, "tokens of tokenizer.json that are not added: 1, first \"<s>\" (2)", NULL},
        {PLAIN, "{'added_tokens_decoder':{'2':{'content':'<s>','lstrip':true,'special':true}}}", NULL,
         "added tokens with other flags or ids than in tokenizer.json: 1, first \"<s>\" (2)", NULL},
        {FILE_WITH("'added_tokens':[{'id':77,'content':'<x>'," FLAGS "}]"), BY_FILE, NULL,
         "added tokens whose ids are not those written in tokenizer.json: 1, first \"<x>\", written 77 and used as 3",
         NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Tokenizer *tokenizer =
            open_with("one", CASES[i].file, CASES[i].settings, CASES[i].config, TOKENIZER_BY_CLASS);
        const char *const expected[] = {CASES[i].remark, CASES[i].next, NULL};
        for (size_t at = 0; at < 3 && (at == 0 || expected[at - 1] != NULL); at++) {
            const char *remark = tokenizer_remark(tokenizer, at);
            if ((remark == NULL) != (expected[at] == NULL) ||
                (remark != NULL && strstr(remark, expected[at]) != remark))
                fail_msg("case %zu: expected %s\n  found %s", i,
                         expected[at] == NULL ? "no remark" : expected[at], remark == NULL ? "none" : remark);
        }
        tokenizer_free(tokenizer);
    }
}

static void by_the_file_alone_nothing_beside_it_counts(void **state) {
    (void)state;
    Tokenizer *tokenizer = open_with("one", PLAIN, "no JSON at all", "nor here", TOKENIZER_BY_FILE);
    assert_null(tokenizer_remark(tokenizer, 0));
    assert_null(tokenizer_facts(tokenizer).class_name);
    tokenizer_free(tokenizer);
    tokenizer = open_with("one", FILE_WITH("'added_tokens':[{'id':77,'content':'<x>'," FLAGS "}]"), NULL,
                          NULL, TOKENIZER_BY_FILE);
    assert_non_null(strstr(tokenizer_remark(tokenizer, 0), "written 77 and used as 3"));
    tokenizer_free(tokenizer);
}

static void expect_refusal(const char *directory, Status expected, const char *part) {
    Tokenizer *tokenizer;
    Error error;
    assert_int_equal(tokenizer_open_directory(directory, TOKENIZER_BY_CLASS, &tokenizer, &error), expected);
    assert_null(tokenizer);
    if (strstr(error.message, part) == NULL) fail_msg("expected %s, found %s", part, error.message);
}

static void what_cannot_be_read_beside_the_file_is_refused_with_the_way_out(void **state) {
    (void)state;
    static const struct {
        const char *settings, *part;
    } CASES[] = {
        {"{", "tokenizer_config.json"},
        {"[]", "--tokenizer-file does without"},
        {"{'added_tokens_decoder':[]}", "tokenizer_config.json: expected an object added_tokens_decoder"},
        {"{'added_tokens_decoder':{'x':{'content':'<x>'}}}",
         "expected an id, a whole number, for the token \"<x>\""},
        {"{'added_tokens_decoder':{'1':{}}}", "expected tokens as texts or as objects with a content"},
    };
    char *directory = make_directory("one");
    write_quoted("one/tokenizer.json", PLAIN);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_quoted("one/tokenizer_config.json", CASES[i].settings);
        expect_refusal(directory, STATUS_FORMAT, CASES[i].part);
    }
    free(directory);
}

/* Whatever the class would replace: building says what is wrong with the file. */
static void a_file_without_a_model_is_refused_by_its_name(void **state) {
    (void)state;
    char *directory = make_directory("one");
    write_quoted("one/tokenizer_config.json", BY_GPT2);
    write_quoted("one/tokenizer.json", "{'model':[]}");
    expect_refusal(directory, STATUS_FORMAT, "tokenizer.json: model: expected an object");
    write_quoted("one/tokenizer.json", "[]");
    expect_refusal(directory, STATUS_FORMAT, "tokenizer.json: expected an object");
    free(directory);
}

static void a_file_that_only_stands_for_another_is_named(void **state) {
    (void)state;
    static const char POINTER[] =
        "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 17209920\n";
    char *directory = make_directory("one"), *file = memory_format("%s/tokenizer.json", directory);
    Tokenizer *tokenizer;
    assert_int_equal(tokenizer_open_directory(directory, TOKENIZER_BY_CLASS, &tokenizer, NULL), STATUS_OK);
    assert_null(tokenizer); /* there is none */
    assert_int_equal(stand_in_check(file, NULL), STATUS_OK);
    assert_int_equal(symlink("../../blobs/0123abcd", file), 0);
    expect_refusal(directory, STATUS_IO, "found a link to ../../blobs/0123abcd, which is not there");
    assert_int_equal(unlink(file), 0);
    scratch_write_text("one/tokenizer.json", POINTER);
    expect_refusal(directory, STATUS_IO, "in place of its 17209920 bytes: run git lfs pull");
    write_quoted("one/tokenizer.json", PLAIN);
    assert_int_equal(stand_in_check(file, NULL), STATUS_OK);
    free(directory);
    free(file);
}

/* ---- without a tokenizer.json ---- */

#define TEKKEN                                                                                                       \
    "{'config':{'pattern':'[a-z]+'},'vocab':[{'token_bytes':'YQ=='},{'token_bytes':'Yg=='},{'token_bytes':'YWI='}]," \
    "'special_tokens':[{'rank':0,'token_str':'<s>'}]}"

static void write_sources(const char *const files[3][2]) {
    static const char *const NAMES[] = {"tokenizer.json",  "tokenizer_config.json",
                                        "tokenizer.model", "tekken.json",
                                        "tiktoken.model",  "vocab.json",
                                        "merges.txt",      "vocab.txt"};
    char *folder = scratch_path("bare/");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *old = memory_format("%s/%s", folder, NAMES[i]);
        assert_non_null(old);
        (void)unlink(old); /* may not be there */
        free(old);
    }
    free(folder);
    for (size_t i = 0; i < 3 && files[i][0] != NULL; i++) {
        char *name = memory_format("bare/%s", files[i][0]);
        assert_non_null(name);
        write_quoted(name, files[i][1]);
        free(name);
    }
}

/* A SentencePiece model: pieces <unk>, a, b and ab, and what follows. */
#define MODEL_OF(more)                                                                                       \
    "\n\x09\n\x05<unk>\x18\x02\n\x03\n\x01"                                                                  \
    "a\n\x03\n\x01"                                                                                          \
    "b\n\x04\n\x02"                                                                                          \
    "ab" more

#define GPT2 "{'tokenizer_class':'GPT2Tokenizer'}"
#define BERT "{'tokenizer_class':'BertTokenizer'}"
static const struct {
    const char *files[3][2];
    Status status;
    const char *part;
} REFUSED_SOURCES[] = {
    {{{"vocab.txt", "[UNK]"}}, STATUS_UNSUPPORTED, "a vocabulary of WordPiece, which is not supported"},
    {{{"tiktoken.model", "IQ== 0"}}, STATUS_UNSUPPORTED, "tiktoken's own file is not supported"},
    {{{"tekken.json", TEKKEN}, {"tokenizer.model", MODEL_OF("")}}, STATUS_UNSUPPORTED, "take one away"},
    {{{"tokenizer.model", MODEL_OF("")}, {"tokenizer_config.json", BERT}},
     STATUS_UNSUPPORTED,
     "what class BertTokenizer makes of tokenizer.model is not known here"},
    {{{"vocab.json", "{}"}, {"merges.txt", ""}},
     STATUS_UNSUPPORTED,
     "class TokenizersBackend, which transformers takes, does not read it"},
    {{{"vocab.json", "{}"}, {"tokenizer_config.json", GPT2}},
     STATUS_UNSUPPORTED,
     "has a vocab.json and no merges.txt"},
    {{{"merges.txt", ""}, {"tokenizer_config.json", GPT2}},
     STATUS_UNSUPPORTED,
     "has a merges.txt and no vocab.json"},
    {{{"vocab.json", "{'a':0}"}, {"merges.txt", "a b c"}, {"tokenizer_config.json", GPT2}},
     STATUS_FORMAT,
     "vocab.json: model.merges[0]: expected two pieces"},
    {{{"vocab.json", "{'a':"}, {"merges.txt", ""}, {"tokenizer_config.json", GPT2}},
     STATUS_FORMAT,
     "vocab.json"},
    {{{"vocab.json", "{}"}, {"merges.txt", "\xff"}, {"tokenizer_config.json", GPT2}},
     STATUS_FORMAT,
     "merges.txt: expected lines of UTF-8"},
    {{{"tokenizer.model", "IQ== 0"}},
     STATUS_FORMAT,
     "tokenizer.model: not a SentencePiece model: expected a field"},
    {{{"tokenizer.model", "\x22\x01x"}}, STATUS_FORMAT, "expected pieces, found none"},
    {{{"tokenizer.model", "\n\x7f"}}, STATUS_FORMAT, "expected a field of a protocol buffer"},
    {{{"tokenizer.model", "\x0b\x0c"}}, STATUS_FORMAT, "expected a field of a protocol buffer"}, /* a group */
    {{{"tokenizer.model", "\n\x03\n\x01\xff"}}, STATUS_FORMAT, "expected a text in UTF-8 for field 1"},
    {{{"tokenizer.model", "\n\x02\x18\x01"}}, STATUS_FORMAT, "piece 0 has no text"},
    {{{"tokenizer.model", MODEL_OF("\x12\x02\x18\x03")}},
     STATUS_UNSUPPORTED,
     "the algorithm word is not supported"},
    {{{"tokenizer.model", MODEL_OF("\x12\x02\x18\x04")}},
     STATUS_UNSUPPORTED,
     "the algorithm char is not supported"},
    {{{"tokenizer.model", MODEL_OF("\x1a\x03\x12\x01x")}}, STATUS_FORMAT, "precompiled_charsmap"},
    {{{"tekken.json", "{'config':{},'vocab':[]}"}}, STATUS_FORMAT, "tekken.json: config.pattern: expected"},
    {{{"tekken.json", "{'config':{'pattern':'a'}}"}}, STATUS_FORMAT, "expected an array vocab"},
    {{{"tekken.json", "{'config':{'pattern':'a'},'vocab':[{'token_bytes':'!'}]}"}},
     STATUS_FORMAT,
     "vocab[0].token_bytes: expected base64"},
    {{{"tekken.json", "{'config':{'pattern':'a'},'vocab':[],'special_tokens':[{'rank':1,'token_str':'x'}]}"}},
     STATUS_FORMAT,
     "expected each rank from 0 to 0 once"},
    {{{"tekken.json", "{'config':{'pattern':'a','default_num_special_tokens':3},'vocab':[]}"}},
     STATUS_FORMAT,
     "at least the 20 special tokens that there are"},
};

static void what_lies_in_place_of_the_file_is_refused_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED_SOURCES / sizeof *REFUSED_SOURCES; i++) {
        write_sources(REFUSED_SOURCES[i].files);
        char *folder = scratch_path("bare");
        expect_refusal(folder, REFUSED_SOURCES[i].status, REFUSED_SOURCES[i].part);
        free(folder);
    }
}

static void what_is_read_in_place_of_the_file_is_said(void **state) {
    (void)state;
    static const struct {
        const char *files[3][2], *remarks[4];
        size_t first; /* tokens that are put before a text */
    } CASES[] = {
        {{{"tokenizer.model", MODEL_OF("")}},
         {"there is no tokenizer.json: tokenizer.model is read, as class TokenizersBackend does",
          "<s> is not put before a text: tokenizer_config.json does not say add_bos_token", NULL},
         0},
        {{{"tokenizer.model", MODEL_OF("")},
          {"tokenizer_config.json", "{'tokenizer_class':'LlamaTokenizer','add_bos_token':true}"}},
         {"there is no tokenizer.json: tokenizer.model is read, as class LlamaTokenizer does", NULL},
         1},
        {{{"tekken.json", TEKKEN}, {"tokenizer_config.json", "{'bos_token':'<s>','add_bos_token':false}"}},
         {"there is no tokenizer.json: tekken.json is read, as class TokenizersBackend does",
          "tekken.json is read as transformers does where mistral-common is not installed, which would put <s> before "
          "a text",
          NULL},
         0},
        {{{"tekken.json",
           "{'config':{'pattern':'[a-z]+'},'vocab':[{'token_bytes':'YQ=='},{'token_bytes':'Yg=='}]}"},
          {"tokenizer_config.json", "{'bos_token':'<s>','add_bos_token':true}"}},
         {"there is no tokenizer.json: tekken.json is read, as class TokenizersBackend does",
          "tekken.json is read as transformers does where mistral-common is not installed, which would put <s> before "
          "a text",
          "tekken.json lists no special tokens: they are those of mistral-common, without which transformers does not "
          "read such a file",
          NULL},
         1},
        {{{"vocab.json", "{'a':0,'b':1,'ab':2}"},
          {"merges.txt", "#version: 0.2\na b\n"},
          {"tokenizer_config.json", "{'tokenizer_class':'GPT2Tokenizer','add_bos_token':false}"}},
         {"there is no tokenizer.json: vocab.json with merges.txt is read, as class GPT2Tokenizer does",
          NULL},
         0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        write_sources(CASES[i].files);
        Tokenizer *tokenizer;
        TokenList ids = {0};
        Error error;
        char *folder = scratch_path("bare");
        if (tokenizer_open_directory(folder, TOKENIZER_BY_CLASS, &tokenizer, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        free(folder);
        for (size_t at = 0; at == 0 || CASES[i].remarks[at - 1] != NULL; at++) {
            const char *remark = tokenizer_remark(tokenizer, at), *expected = CASES[i].remarks[at];
            if ((remark == NULL) != (expected == NULL) || (remark != NULL && strcmp(remark, expected) != 0))
                fail_msg("case %zu: expected %s\n  found %s", i, expected == NULL ? "no remark" : expected,
                         remark == NULL ? "none" : remark);
        }
        assert_int_equal(tokenizer_encode(tokenizer, "ab", 2, true, &ids, NULL), STATUS_OK);
        assert_int_equal(ids.ids[0] == tokenizer_find(tokenizer, "<s>", 3), CASES[i].first == 1);
        token_list_free(&ids);
        tokenizer_free(tokenizer);
    }
}

/* By the file alone there is none. */
static void by_the_file_alone_nothing_is_in_its_place(void **state) {
    (void)state;
    static const char *const FILES[3][2] = {{"tekken.json", TEKKEN}};
    Tokenizer *tokenizer;
    write_sources(FILES);
    char *folder = scratch_path("bare");
    assert_int_equal(tokenizer_open_directory(folder, TOKENIZER_BY_FILE, &tokenizer, NULL), STATUS_OK);
    assert_null(tokenizer);
    free(folder);
}

static void a_class_and_a_model_of_another_kind_do_not_go_together(void **state) {
    (void)state;
    static const char *const FILES[2][3][2] = {
        {{"tokenizer.json", "{'model':{'type':'Unigram','vocab':[['a',0]]}}"},
         {"tokenizer_config.json", "{'tokenizer_class':'LlamaTokenizer'}"}},
        {{"tokenizer.json", PLAIN}, {"tokenizer_config.json", "{'tokenizer_class':'T5Tokenizer'}"}}};
    char *folder = scratch_path("bare");
    write_sources(FILES[0]);
    expect_refusal(folder, STATUS_UNSUPPORTED,
                   "class LlamaTokenizer is one of BPE, and the model of tokenizer.json is Unigram");
    write_sources(FILES[1]);
    expect_refusal(folder, STATUS_UNSUPPORTED,
                   "class T5Tokenizer is one of Unigram, and the model of tokenizer.json is BPE");
    free(folder);
}

static void a_pair_is_told_once_and_compared_as_it_is_loaded(void **state) {
    (void)state;
    static const char OTHER[] =
        "{'tokenizer_class':'Qwen2Tokenizer','eos_token':'<s>','unk_token':'<s>','pad_token':'<s>'}";
    Tokenizer *plain = open_with("base", PLAIN, BY_FILE, NULL, TOKENIZER_BY_CLASS);
    Tokenizer *one = open_with("sft", PLAIN, OTHER, NULL, TOKENIZER_BY_CLASS);
    Tokenizer *same = open_with("base", PLAIN, OTHER, NULL, TOKENIZER_BY_CLASS);
    FindingList findings = {0};
    Error error;
    assert_int_equal(tokenizer_findings_add(same, one, 0, &findings, &error), STATUS_OK);
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.items[0].severity, SEVERITY_WARNING);
    assert_string_equal(findings.items[0].subject, "tokenizer");
    assert_true(strstr(findings.items[0].text, "class Qwen2Tokenizer") == findings.items[0].text);
    finding_free(&findings);
    assert_int_equal(tokenizer_findings_add(plain, one, 0, &findings, &error), STATUS_OK);
    assert_int_equal(findings.count, 1);
    assert_true(strstr(findings.items[0].text, "SFT: class Qwen2Tokenizer") == findings.items[0].text);
    finding_free(&findings);
    assert_int_equal(tokenizer_findings_add(one, NULL, 0, &findings, &error), STATUS_OK);
    assert_true(strstr(findings.items[0].text, "base: class Qwen2Tokenizer") == findings.items[0].text);
    finding_free(&findings);
    Tokenizer *splits = open_with("base", PLAIN, "{'split_special_tokens':true}", NULL, TOKENIZER_BY_CLASS);
    assert_int_equal(tokenizer_compare(splits, plain, &error), STATUS_MISMATCH);
    assert_string_equal(error.message,
                        "special tokens in a text are text in base only (split_special_tokens)");
    tokenizer_free(splits);
    assert_int_equal(tokenizer_compare(same, one, &error), STATUS_OK);
    assert_int_equal(tokenizer_compare(plain, one, &error),
                     STATUS_MISMATCH); /* one tokenizer.json, two classes */
    assert_non_null(strstr(error.message, "the normalizer is () in base and (NFC) in SFT"));
    tokenizer_free(plain);
    tokenizer_free(one);
    tokenizer_free(same);
}

static void tokens_without_a_row_are_told(void **state) {
    (void)state;
    static const char FILE[] =
        FILE_WITH("'added_tokens':[{'id':2,'content':'<s>'," FLAGS "},{'id':3,'content':'<pad>'," FLAGS "}]");
    static const struct {
        uint64_t rows;
        const char *text;   /* NULL: nothing to tell */
    } CASES[] = {{0, NULL}, /* not known */
                 {4, NULL},
                 {5, NULL},
                 {3,
                  "the token \"<pad>\" (id 3) is beyond the 3 rows of the SFT model's embeddings: text "
                  "that has it cannot be run"},
                 {2,
                  "2 tokens, first \"<s>\" (id 2), are beyond the 2 rows of the SFT model's embeddings: "
                  "text that has one cannot be run"}};
    Tokenizer *tokenizer = open_with("rows", FILE, NULL, NULL, TOKENIZER_BY_CLASS);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        FindingList findings = {0};
        assert_int_equal(tokenizer_findings_add(NULL, tokenizer, CASES[i].rows, &findings, NULL), STATUS_OK);
        assert_int_equal(findings.count, CASES[i].text != NULL);
        if (CASES[i].text != NULL) {
            assert_int_equal(findings.items[0].severity, SEVERITY_WARNING);
            assert_string_equal(findings.items[0].text, CASES[i].text);
        }
        finding_free(&findings);
    }
    tokenizer_free(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_differs_from_the_file_is_said),
        cmocka_unit_test(by_the_file_alone_nothing_beside_it_counts),
        cmocka_unit_test(what_cannot_be_read_beside_the_file_is_refused_with_the_way_out),
        cmocka_unit_test(a_file_without_a_model_is_refused_by_its_name),
        cmocka_unit_test(a_file_that_only_stands_for_another_is_named),
        cmocka_unit_test(what_lies_in_place_of_the_file_is_refused_by_name),
        cmocka_unit_test(what_is_read_in_place_of_the_file_is_said),
        cmocka_unit_test(by_the_file_alone_nothing_is_in_its_place),
        cmocka_unit_test(a_class_and_a_model_of_another_kind_do_not_go_together),
        cmocka_unit_test(tokens_without_a_row_are_told),
        cmocka_unit_test(a_pair_is_told_once_and_compared_as_it_is_loaded),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
