#include "core/checkpoint/directory_form.h"

#include "core/checkpoint/directory.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* Each of these was run, or read in its source where it cannot be: tests/unit/test_directory_form.c says which. */
#define SAVE                                                                                                 \
    "s.save_file({k: v.clone().contiguous() for k, v in t.items()}, \"{dir}/model.safetensors\", {\"format\": \"pt\"})"
#define LOAD_ONE                                                                                               \
    "python -c 'import torch, safetensors.torch as s; t = torch.load(\"{dir}/{file}\", map_location=\"cpu\", " \
    "weights_only=True); t = t.get(\"state_dict\", t.get(\"model\", t.get(\"module\", t))); " SAVE             \
    "' makes one"
#define LOAD_ALL                                                                                                    \
    "python -c 'import glob, torch, safetensors.torch as s; t = {}; [t.update(torch.load(f, map_location=\"cpu\", " \
    "weights_only=True)) for f in glob.glob(\"{dir}/{all}\")]; " SAVE "' makes one of all of its files"
#define LOAD_SHARDS                                                                                               \
    "python -c 'import glob, torch, safetensors.torch as s; [s.save_file({k: v.clone().contiguous() for k, v in " \
    "torch.load(f, map_location=\"cpu\", weights_only=True).items()}, f.replace(\"pytorch_model\", "              \
    "\"model\")[:-3] + \"safetensors\", {\"format\": \"pt\"}) for f in "                                          \
    "glob.glob(\"{dir}/pytorch_model-*.bin\")]' makes them"
#define MERGE_PEFT                                                                                           \
    "python -c 'from peft import AutoPeftModelForCausalLM as M; M.from_pretrained(\"{dir}\", "               \
    "dtype=\"auto\").merge_and_unload().save_pretrained(\"{dir}-merged\")'"
#define MERGE_MLX  "mlx_lm.fuse --model BASE --adapter-path {dir} --save-path {dir}-merged"
#define BESIDE     "rejuv BASE {dir} opens it beside its base; or "
#define MERGE_VERL "python -m verl.model_merger merge --local_dir {dir} --target_dir {dir}-hf --backend "
#define FROM_MEGATRON                                                                                        \
    "python -c 'from megatron.bridge import AutoBridge as B; B.from_hf_pretrained(\"BASE\").export_ckpt("    \
    "\"{dir}\", \"{dir}-hf\")' makes one of a checkpoint of megatron-core, given the BASE that it began from"
#define FROM_TRANSFORMERS_4(what)                                                                            \
    "python -c 'from transformers import AutoModelForCausalLM as M; M.from_pretrained(\"{dir}\", " what      \
    ").save_pretrained(\"{dir}-hf\")' with transformers 4.44.2 makes one"
#define FROM_ORIGINAL(family)                                                                                \
    "python -m transformers.models." family " --input_dir {dir} --output_dir {dir}-hf"
#define NOT_BACK "no command goes back: take the model that it was made from"

/* The first that fits is taken: what says more stands before what says less. */
static const DirectoryForm FORMS[] = {
    /* adapters */
    {"adapters.safetensors", "adapter_config.json", "{file}, an adapter of MLX",
     BESIDE MERGE_MLX " makes one", false, NULL},
    {"adapter_model.safetensors", "adapter_config.json", "{file}, an adapter of PEFT",
     BESIDE MERGE_PEFT " makes one", false, NULL},
    {"adapter_model.bin", "adapter_config.json", "{file}, an adapter of PEFT as a pickle",
     BESIDE MERGE_PEFT " makes one", false, NULL},
    {"adapter*.safetensors", NULL, "{file}, an adapter without adapter_config.json",
     "copy that file too, which says how it is to be applied", false, NULL},
    {"adapter*.bin", NULL, "{file}, an adapter without adapter_config.json",
     "copy that file too, which says how it is to be applied", false, NULL},
    {"adapter_config.json", NULL, "{file} without the adapter",
     "copy its weights too, adapter_model.safetensors", false, NULL},
    {"adapters.npz", NULL, "adapters.npz, an adapter of MLX before 0.20",
     "train it again, or fuse it with the mlx_lm that made it", false, NULL},
    /* parts of pipelines for pictures and sound */
    {"model_index.json", NULL, "model_index.json, a pipeline of diffusers",
     "this program opens language models; give one part of it, for example {dir}/text_encoder", false, NULL},
    {"diffusion_pytorch_model*", NULL, "{file}, a part of a pipeline of diffusers",
     "this program opens language models", false, NULL},
    /* the layouts of original releases */
    {"consolidated*.safetensors", NULL, "{file}, the layout of Mistral's own releases",
     FROM_ORIGINAL(
         "mistral.convert_mistral_weights_to_hf") " --model_size 7B --is_v3 --safe_serialization True with transformers 4.44.2 makes one; "
                                                  "or take the files model*.safetensors of the same release",
     false, NULL},
    {"consolidated.*.pth", NULL, "{file}, the layout of Meta's own releases",
     FROM_ORIGINAL(
         "llama.convert_llama_weights_to_hf") " --num_shards 1 --llama_version 3.1 with transformers 4.44.2 makes "
                                              "one, of as many files and the version that it is",
     false, NULL},
    /* sharded states of a training */
    {"zero_to_fp32.py", "global_step*", "{file} and global_step*, a checkpoint of DeepSpeed ZeRO",
     "python {dir}/zero_to_fp32.py {dir} {dir}-hf --safe_serialization makes one", false, NULL},
    {"*_optim_states.pt", "*_model_states.pt",
     "*_model_states.pt, one step of a checkpoint of DeepSpeed ZeRO",
     "python -m deepspeed.utils.zero_to_fp32 {dir}/.. {dir}-hf --safe_serialization --tag {base} makes one",
     false, NULL},
    {"global_step*", "latest", "{file}, a checkpoint of DeepSpeed",
     "python -m deepspeed.utils.zero_to_fp32 {dir} {dir}-hf --safe_serialization makes one", false, NULL},
    {"model_world_size_*_rank_*.pt", NULL, "{file}, the shards of a checkpoint of verl",
     MERGE_VERL "fsdp makes one", false, NULL},
    {"dist_ckpt", "huggingface", "dist_ckpt, a checkpoint of verl in Megatron's form",
     MERGE_VERL "megatron makes one", false, NULL},
    {"pytorch_model_fsdp_*", NULL, "{file}, a checkpoint of accelerate in shards of FSDP",
     "accelerate merge-weights {dir}/{file} {dir}-hf makes one", false, NULL},
    {"pytorch_model_fsdp.bin", NULL, "{file}, a checkpoint of accelerate", LOAD_ONE, false, NULL},
    {"latest_checkpointed_iteration.txt", NULL, "{file}, a checkpoint of Megatron", FROM_MEGATRON, false,
     NULL},
    {"mp_rank_*", NULL, "{file}, a checkpoint of Megatron", FROM_MEGATRON, false, NULL},
    {"*.distcp", "common.pt", "{file}, a checkpoint of megatron-core", FROM_MEGATRON, false, NULL},
    /* Not read: its pickle holds objects of PyTorch's own, and a tensor that ranks shared lies in pieces of uneven size, which
     * only a copy of the weights would put together. */
    {".metadata", NULL, "{file} and *.distcp, a distributed checkpoint of PyTorch (DCP)",
     "python -m torch.distributed.checkpoint.format_utils dcp_to_torch {dir} {dir}.pt && python -c 'import torch, "
     "safetensors.torch as s; t = torch.load(\"{dir}.pt\", map_location=\"cpu\", weights_only=True); t = "
     "t.get(\"state_dict\", t.get(\"model\", t)); " SAVE "' makes one",
     false, NULL},
    {"*.distcp", NULL, "{file} without .metadata, a part of a distributed checkpoint of PyTorch (DCP)",
     "copy all of its files, the hidden one too", false, NULL},
    {"manifest.ocdbt", NULL, "{file}, a checkpoint of Orbax (JAX)",
     "the program that wrote it has an export to Hugging Face's form", false, NULL},
    /* pickles and other frameworks, under the names that transformers gives them */
    {DIRECTORY_PICKLE_INDEX, NULL, "{file}, pickles", LOAD_SHARDS, false, NULL},
    {DIRECTORY_PICKLE_SHARD, NULL, "{file}, a pickle without " DIRECTORY_PICKLE_INDEX, LOAD_SHARDS, false,
     NULL},
    {DIRECTORY_PICKLE, NULL, "{file}, a pickle", LOAD_ONE, false, NULL},
    {"flax_model*.msgpack", NULL, "{file}, weights of Flax", FROM_TRANSFORMERS_4("from_flax=True"), false,
     NULL},
    {"tf_model*.h5", NULL, "{file}, weights of TensorFlow", FROM_TRANSFORMERS_4("from_tf=True"), false, NULL},
    {"openvino_model.xml", NULL, "{file}, a model of OpenVINO", NOT_BACK, false, NULL},
    {"rank*.engine", NULL, "{file}, an engine of TensorRT-LLM", NOT_BACK, false, NULL},
    {"models--*", NULL, "the Hub's cache", "give one of the models in it, for example {dir}/{file}", false,
     NULL},
    /* whatever the name, by its ending */
    {"*.gguf", NULL, "{file}, GGUF",
     "python -c 'from transformers import AutoModelForCausalLM as M, GgufConfig as C; M.from_pretrained(\"{dir}\", "
     "gguf_file=\"{file}\", quantization_config=C(dequantize=True)).save_pretrained(\"{dir}-hf\")' makes one, rounded as "
     "the file is: rather take the one that it was made from",
     true, NULL},
    {"*.onnx", NULL, "{file}, ONNX", NOT_BACK, true, NULL},
    {"*.msgpack", NULL, "{file}, weights of Flax", FROM_TRANSFORMERS_4("from_flax=True"), true, NULL},
    {"*.h5", NULL, "{file}, weights of TensorFlow or Keras", FROM_TRANSFORMERS_4("from_tf=True"), true, NULL},
    {"*.nemo", NULL, "{file}, a model of NeMo", "tar -xf {dir}/{file} unpacks a checkpoint of Megatron", true,
     NULL},
    {"*.npz", NULL, "{file}, arrays of NumPy", "the program that wrote it may save safetensors instead", true,
     NULL},
    {"*.bin", NULL, "{file}, a pickle", LOAD_ONE, true, LOAD_ALL},
    {"*.pt", NULL, "{file}, a pickle", LOAD_ONE, true, LOAD_ALL},
    {"*.pth", NULL, "{file}, a pickle", LOAD_ONE, true, LOAD_ALL},
    {"*.ckpt", NULL, "{file}, a pickle", LOAD_ONE, true, LOAD_ALL},
    {"*.pkl", NULL, "{file}, a pickle", LOAD_ONE, true, LOAD_ALL},
    {"*.tar", NULL, "{file}, an archive", "tar -C {dir} -xf {dir}/{file} unpacks it", true, NULL},
    {"*.tar.*", NULL, "{file}, an archive", "tar -C {dir} -xf {dir}/{file} unpacks it", true, NULL},
    {"*.tgz", NULL, "{file}, an archive", "tar -C {dir} -xf {dir}/{file} unpacks it", true, NULL},
    {"*.zip", NULL, "{file}, an archive", "unzip -d {dir} {dir}/{file} unpacks it", true, NULL},
};

enum { FORM_COUNT = sizeof FORMS / sizeof *FORMS };

/* What trainers write beside weights, and what is a part of something else. */
static const char *const NO_MODELS[] = {
    "adapter*",          "*_adapters.safetensors",
    "consolidated*",     "diffusion_pytorch_model*",
    "optimizer*",        "scheduler*",
    "scaler*",           "sampler*",
    "rng_state*",        "random_states*",
    "training_args.bin", "training_*",
    "dataloader*",       "trainer_state*",
    "recipe_state*",     "custom_checkpoint_*",
    "*optim_states*",
};

bool directory_form_is_no_model(const char *name) {
    for (size_t i = 0; i < sizeof NO_MODELS / sizeof *NO_MODELS; i++) {
        if (fnmatch(NO_MODELS[i], name, 0) == 0) return true;
    }
    return false;
}

static size_t count_common(const char *a, const char *b, size_t limit) {
    size_t common = 0;
    while (common < limit && a[common] != '\0' && a[common] == b[common]) common++;
    return common;
}

static bool is_loose_match(const DirectoryEntry *entry, const DirectoryForm *form) {
    return !entry->is_directory && !directory_form_is_no_model(entry->name) &&
           fnmatch(form->entry, entry->name, 0) == 0;
}

/* Whether they differ by numbers: the parts of one state. Others are the states of several. */
static bool are_numbered(const DirectoryListing *listing, const DirectoryMatch *match) {
    for (size_t i = 0; i < listing->count; i++) {
        if (is_loose_match(&listing->entries[i], match->form) &&
            !isdigit((unsigned char)listing->entries[i].name[match->common]))
            return false;
    }
    return match->common > 0;
}

/* Of loose forms only what may be a model counts: an optimizer's state is a pickle too. */
static bool match_loose(const DirectoryListing *listing, const DirectoryForm *form, DirectoryMatch *match) {
    *match = (DirectoryMatch){.form = form};
    for (size_t i = 0; i < listing->count; i++) {
        const DirectoryEntry *entry = &listing->entries[i];
        if (!is_loose_match(entry, form)) continue;
        if (match->count++ == 0) {
            match->file = entry->name;
            match->common = strlen(entry->name);
        }
        match->common = count_common(match->file, entry->name, match->common);
    }
    if (match->count > 1 && !are_numbered(listing, match)) match->count = 1;
    return match->count > 0;
}

static bool match_exactly(const DirectoryListing *listing, const DirectoryForm *form, DirectoryMatch *match) {
    const DirectoryEntry *entry = directory_listing_first(listing, form->entry);
    if (entry == NULL || (form->with != NULL && directory_listing_first(listing, form->with) == NULL))
        return false;
    *match = (DirectoryMatch){.form = form, .file = entry->name, .count = 1};
    return true;
}

bool directory_form_find(const DirectoryListing *listing, bool loose, DirectoryMatch *match) {
    for (size_t i = 0; i < FORM_COUNT; i++) {
        if (FORMS[i].is_loose != loose) continue;
        if (loose ? match_loose(listing, &FORMS[i], match) : match_exactly(listing, &FORMS[i], match))
            return true;
    }
    return false;
}

bool directory_form_of_file(const char *name, DirectoryMatch *match) {
    for (size_t i = 0; i < FORM_COUNT; i++) {
        *match = (DirectoryMatch){.form = &FORMS[i], .file = name, .count = 1};
        if (fnmatch(FORMS[i].entry, name, 0) == 0) return true;
    }
    return false;
}

/* ---- filling in names ---- */

enum { LONGEST_DIRECTORY = 128, LONGEST_COMMAND = 640 };

static bool is_plain_text(const char *text) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@%+=:,-";
    return text[0] != '\0' && text[0] != '-' && text[strspn(text, PLAIN)] == '\0' &&
           strlen(text) <= LONGEST_DIRECTORY;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* "." and ".." and "/" have no place beside them that a name can be made for. */
static bool is_plain_directory(const char *path) {
    const char *part = last_part(path);
    return is_plain_text(path) && part[0] != '\0' && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

typedef struct Value {
    const char *token, *text;
} Value;

enum { VALUE_COUNT = 4 };

static char *fill(const char *text, const Value values[VALUE_COUNT]) {
    Buffer buffer = {0};
    buffer_add_text(&buffer, "");
    while (*text != '\0') {
        size_t plain = strcspn(text, "{"), i = 0;
        buffer_add(&buffer, text, plain);
        text += plain;
        while (i < VALUE_COUNT && strncmp(text, values[i].token, strlen(values[i].token)) != 0) i++;
        if (i < VALUE_COUNT) {
            buffer_add_text(&buffer, values[i].text);
            text += strlen(values[i].token);
        } else if (*text != '\0') {
            buffer_add(&buffer, text++, 1);
        }
    }
    char *filled;
    size_t length;
    return buffer_take(&buffer, &filled, &length, "a message", NULL) == STATUS_OK ? filled : NULL;
}

char *directory_form_fill(const char *command, const char *directory, const char *file, const char *all) {
    bool is_plain = is_plain_directory(directory);
    Value values[VALUE_COUNT] = {{"{dir}", is_plain ? directory : "DIR"},
                                 {"{base}", is_plain ? last_part(directory) : "DIR"},
                                 {"{file}", is_plain_text(file) ? file : "FILE"},
                                 {"{all}", is_plain_text(file) ? all : "FILES"}};
    char *filled = fill(command, values);
    if (filled == NULL || strlen(filled) <= LONGEST_COMMAND) return filled;
    /* a long path that is there many times would push the end out of the message */
    free(filled);
    values[0].text = values[1].text = "DIR";
    return fill(command, values);
}

char *directory_form_merge(const char *directory, bool is_mlx) {
    return directory_form_fill(is_mlx ? MERGE_MLX : MERGE_PEFT, directory, "", "");
}

char *directory_form_convert(const char *directory, const char *name) {
    DirectoryMatch match;
    if (!directory_form_of_file(name, &match)) return NULL;
    bool is_beside = strncmp(match.form->help, BESIDE, sizeof BESIDE - 1) == 0; /* which was tried */
    return directory_form_fill(match.form->help + (is_beside ? sizeof BESIDE - 1 : 0), directory, name, "");
}

/* "hf_model_000*.pt" of hf_model_0001_0.pt, hf_model_0002_0.pt; the star stands for whatever differs. */
static char *make_pattern(const DirectoryMatch *match) {
    const char *ending = strrchr(match->file, '.');
    return memory_format("%.*s[0-9]*%s", (int)match->common, match->file, ending != NULL ? ending : "");
}

Status directory_form_refuse(const DirectoryMatch *match, const char *given, const char *directory,
                             Error *error) {
    const DirectoryForm *form = match->form;
    bool is_many = match->count > 1 && form->help_many != NULL;
    bool is_file = strcmp(last_part(given), match->file) == 0 && strcmp(given, directory) != 0;
    const Value values[VALUE_COUNT] = {{"{dir}", directory},
                                       {"{base}", last_part(directory)},
                                       {"{file}", match->file},
                                       {"{all}", match->file}};
    char *all = make_pattern(match), *what = fill(form->what, values);
    char *help = all == NULL ? NULL
                             : directory_form_fill(is_many ? form->help_many : form->help, directory,
                                                   match->file, all);
    Status status = STATUS_UNSUPPORTED;
    size_t length = strlen(given);
    const char *inside =
        strncmp(directory, given, length) == 0 && directory[length] == '/' ? directory + length + 1 : "";
    if (what == NULL || help == NULL)
        status = memory_fail(error, directory);
    else if (is_file)
        (void)status_fail(error, status,
                          "%s: expected a directory with " DIRECTORY_SINGLE ", found a file: %s; %s", given,
                          what, help);
    else
        (void)status_fail(error, status,
                          "%s: expected " DIRECTORY_SINGLE " or " DIRECTORY_INDEX ", found %s%s%s; %s", given,
                          inside, *inside != '\0' ? "/" : "", what, help);
    free(all);
    free(what);
    free(help);
    return status;
}
