/*
 * Directories: which files are taken for a model's weights, what is said where something else was taken than what was
 * named, and what a file may hold in place of weights.
 */
#include "core/checkpoint/pair.h"
#include "directory_maker.h"

/* What is opened: where the weights were found, which tensors, and the remark. */
static const struct {
    Case made;
    const char *directory; /* in the one that was given */
    const char *first_file;
    size_t file_count;
    Severity severity;
} OPENED[] = {
    {{"plain",
      {"model.safetensors*", ".DS_Store", "._model.safetensors", "optimizer.pt", "training_args.bin"},
      NULL},
     "",
     "model.safetensors",
     1,
     SEVERITY_NOTE},
    {{"one-in-index", {"model.safetensors*", "model.safetensors.index.json={}"}, NULL},
     "",
     "model.safetensors",
     1,
     SEVERITY_NOTE},
    {{"beside-mistral", {"model.safetensors*", "consolidated.safetensors*", "params.json"}, NULL},
     "",
     "model.safetensors",
     1,
     SEVERITY_NOTE},
    {{"lone",
      {"final.safetensors*", "optimizer.safetensors*", "optimizer.pt", "trainer_state.json"},
      "{dir}: final.safetensors was opened, the one file of weights in it; transformers takes model.safetensors alone"},
     "",
     "final.safetensors",
     1,
     SEVERITY_NOTE},
    {{"variant",
      {"model.fp16.safetensors*", "config.json={}"},
      "{dir}: model.fp16.safetensors was opened, the one file of weights in it; transformers takes model.safetensors "
      "alone"},
     "",
     "model.fp16.safetensors",
     1,
     SEVERITY_NOTE},
    {{"one-shard",
      {"model-00001-of-00001.safetensors*"},
      "{dir}: 1 shard was opened without model.safetensors.index.json: by their names none is missing"},
     "",
     "model-00001-of-00001.safetensors",
     1,
     SEVERITY_NOTE},
    {{"two-kinds",
      {"model-00001-of-00001.fp16.safetensors*", "model-00001-of-00001.safetensors*",
       "model.bf16-00001-of-00001.safetensors*"},
      "{dir}: 1 shard was opened without model.safetensors.index.json: by their names none is missing"},
     "",
     "model-00001-of-00001.safetensors",
     1,
     SEVERITY_NOTE},
    {{"old-variant",
      {"model-00001-of-00001.fp16.safetensors*"},
      "{dir}: 1 shard was opened without model.safetensors.index.json: by their names none is missing"},
     "",
     "model-00001-of-00001.fp16.safetensors",
     1,
     SEVERITY_NOTE},
    {{"stale",
      {"model.safetensors*", "model.safetensors.index.json={}", "model-00001-of-00002.safetensors*",
       "model-00002-of-00002.safetensors*"},
      "{dir}: model.safetensors was opened, as transformers does; model.safetensors.index.json and 2 shards beside it "
      "were not"},
     "",
     "model.safetensors",
     1,
     SEVERITY_WARNING},
    {{"named",
      {"config.json={\"transformers_weights\":\"ema.safetensors\"}", "ema.safetensors*",
       "model.safetensors*"},
      "{dir}: ema.safetensors was opened, which \"transformers_weights\" of config.json names"},
     "",
     "ema.safetensors",
     1,
     SEVERITY_NOTE},
    {{"lost-adapter",
      {"model.safetensors*", "adapter_model.safetensors*"},
      "{dir}: adapter_model.safetensors was not opened: without adapter_config.json transformers does not apply it"},
     "",
     "model.safetensors",
     1,
     SEVERITY_WARNING},
    {{"run-of-one",
      {"checkpoint-500/", "checkpoint-500/model.safetensors*", "runs/", "trainer_state.json", "metrics.pt"},
      "{dir}: {dir}/checkpoint-500 was opened, the one model in it"},
     "/checkpoint-500",
     "model.safetensors",
     1,
     SEVERITY_NOTE},
    {{"models--own--name",
      {"blobs/", "refs/", "refs/main=abc", "snapshots/", "snapshots/abc/", "snapshots/def/",
       "snapshots/abc/model.safetensors*"},
      "{dir}: {dir}/snapshots/abc was opened, the one snapshot in this part of the Hub's cache"},
     "/snapshots/abc",
     "model.safetensors",
     1,
     SEVERITY_NOTE},
};

static void what_can_only_be_meant_is_opened_and_said(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof OPENED / sizeof *OPENED; i++) {
        char *path = make_directory(OPENED[i].made.name, OPENED[i].made.files);
        char *with_slashes = memory_format("%s//", path),
             *inside = memory_format("%s%s", path, OPENED[i].directory);
        Error error = {0};
        Checkpoint *checkpoint;
        if (checkpoint_open(with_slashes, &checkpoint, &error) != STATUS_OK) fail_msg("%s", error.message);
        assert_string_equal(checkpoint->directory, inside);
        assert_int_equal(checkpoint->file_count, OPENED[i].file_count);
        assert_string_equal(checkpoint->file_names[0], OPENED[i].first_file);
        assert_int_equal(checkpoint->remarks.count, OPENED[i].made.message != NULL);
        if (OPENED[i].made.message != NULL) {
            char *expected = with_directory(OPENED[i].made.message, path);
            assert_string_equal(checkpoint->remarks.items[0].text, expected);
            assert_string_equal(checkpoint->remarks.items[0].subject, "directory");
            assert_int_equal(checkpoint->remarks.items[0].severity, OPENED[i].severity);
            free(expected);
        }
        checkpoint_close(checkpoint);
        free(with_slashes);
        free(inside);
        free(path);
    }
}

static void shards_that_count_themselves_are_one_model(void **state) {
    (void)state;
    static const char *const NONE[MOST_FILES] = {NULL};
    char *path = make_directory("counted", NONE);
    scratch_write_safetensors("counted/model-00001-of-00002.safetensors",
                              "{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    scratch_write_safetensors("counted/model-00002-of-00002.safetensors",
                              "{\"y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
    scratch_write_text("counted/pytorch_model-00001-of-00002.bin", "x");
    Error error = {0};
    Pair *pair;
    if (pair_open(path, path, &pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_true(pair->sft->is_sharded);
    assert_int_equal(pair->sft->tensor_count, 2);
    char *expected = with_directory(
        "{dir}: 2 shards were opened without model.safetensors.index.json: by their names "
        "none is missing",
        path);
    assert_string_equal(pair->findings.items[0].text, expected); /* once, though both sides have it */
    for (size_t i = 1; i < pair->findings.count; i++)
        assert_string_not_equal(pair->findings.items[i].subject, "directory");
    pair_close(pair);
    free(expected);
    free(path);
}

/* Where huggingface_hub 2.4.0 keeps it: constants.py, HF_HUB_CACHE. */
static void a_name_of_the_hub_is_told_from_a_path(void **state) {
    (void)state;
    static const char *const FILES[MOST_FILES] = {
        "models--own--name/", "models--own--name/refs/", "models--own--name/refs/main=abc",
        "models--own--name/snapshots/", "models--own--name/snapshots/abc/"};
    char *hub = make_directory("hub-cache", FILES), *home = scratch_path("home/"),
         *cache = scratch_path("home/hub");
    assert_int_equal(setenv("HF_HUB_CACHE", hub, 1), 0);
    char *expected = with_directory(
        "own/name: expected a directory, found none of this name; the Hub's model of this "
        "name is in the cache: {dir}/models--own--name/snapshots/abc",
        hub);
    must_say("own/name", expected);
    assert_int_equal(unsetenv("HF_HUB_CACHE"), 0);
    assert_int_equal(unsetenv("HUGGINGFACE_HUB_CACHE"), 0);
    assert_int_equal(setenv("HF_HOME", home, 1), 0);
    must_say(
        "own/name",
        "own/name: expected a directory, found none of this name; where it is a model on the Hub, hf download "
        "own/name --local-dir name makes one");
    assert_int_equal(rename(hub, cache), 0);
    free(expected);
    expected = with_directory(
        "own/name: expected a directory, found none of this name; the Hub's model of this name is "
        "in the cache: {dir}/models--own--name/snapshots/abc",
        cache);
    must_say("own/name", expected);
    must_say("./own/name", "./own/name: No such file or directory");
    must_say("own--x/name", "own--x/name: No such file or directory");
    must_say("own/name/x", "own/name/x: No such file or directory");
    must_say("/own/name", "/own/name: No such file or directory");
    must_say("nothing-of-this-name", "nothing-of-this-name: No such file or directory");
    free(expected);
    free(hub);
    free(home);
    free(cache);
}

static void a_directory_that_may_not_be_entered_is_not_empty(void **state) {
    (void)state;
    static const char *const FILES[MOST_FILES] = {"model.safetensors*"};
    char *path = make_directory("locked", FILES), *expected;
    expected = with_directory("{dir}/model.safetensors: Permission denied", path);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(scratch_root, 0711), 0);
    bool is_root = geteuid() == 0; /* who may enter everything: as nobody */
    if (is_root) {
        assert_int_equal(chmod(path, 0744), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    Error error = {0};
    Checkpoint *checkpoint;
    Status status = checkpoint_open(path, &checkpoint, &error);
    if (is_root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(status, STATUS_IO);
    assert_string_equal(error.message, expected);
    free(expected);
    free(path);
}

/* ---- what a file holds instead ---- */

static void weights_of_another_kind_are_named(void **state) {
    (void)state;
    static const struct {
        const char *name, *start, *what;
    } CASES[] = {
        {"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 988097824\n",
         "a git-lfs pointer: git lfs pull, in its directory, fetches the file"},
        {"page", "<!DOCTYPE html><html>",
         "a page of HTML: what was downloaded is the site's answer, not the file"},
        {"zip", "PK\3\4 and more than ten",
         "a pickle of PyTorch: torch.load() and safetensors.torch.save_file() make one of it"},
        {"gguf-inside", "GGUF and more than ten",
         "GGUF: transformers loads it as gguf_file, or take the model that it was made from"},
    };
    static const char *const NONE[MOST_FILES] = {NULL};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *path = make_directory(CASES[i].name, NONE),
             *file = memory_format("%s/model.safetensors", CASES[i].name);
        scratch_write_text(file, CASES[i].start);
        char *expected =
            memory_format("%s/model.safetensors: expected a safetensors file, found %s", path, CASES[i].what);
        must_say(path, expected);
        free(expected);
        free(file);
        free(path);
    }
}

static void a_pointer_in_place_of_json_is_named(void **state) {
    (void)state;
    static const char *const NAMES[] = {"config.json", "model.safetensors.index.json"};
    for (size_t i = 0; i < 2; i++) {
        const char *const FILES[MOST_FILES] = {i == 0 ? "model.safetensors*" : "config.json={}"};
        char *name = memory_format("pointer-%zu", i), *path = make_directory(name, FILES);
        char *file = memory_format("%s/%s", name, NAMES[i]);
        scratch_write_text(file,
                           "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 17209920\n");
        char *expected = memory_format(
            "%s/%s: expected JSON, found a git-lfs pointer: git lfs pull, in its directory, "
            "fetches the file",
            path, NAMES[i]);
        must_say(path, expected);
        free(expected);
        free(file);
        free(path);
        free(name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_only_be_meant_is_opened_and_said),
        cmocka_unit_test(shards_that_count_themselves_are_one_model),
        cmocka_unit_test(a_name_of_the_hub_is_told_from_a_path),
        cmocka_unit_test(a_directory_that_may_not_be_entered_is_not_empty),
        cmocka_unit_test(weights_of_another_kind_are_named),
        cmocka_unit_test(a_pointer_in_place_of_json_is_named),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
