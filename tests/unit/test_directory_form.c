/*
 * What every other form of weights is called, with the command that makes a model of it.
 *
 * The commands were taken out of these very messages and run on small checkpoints by the real tools; the weights that
 * came out were the ones that went in, bit for bit, or in float32 where the tool writes that:
 *     torch 2.15.0 (dcp_to_torch, torch.load), safetensors 0.8.0, accelerate 1.15.0 (merge-weights), DeepSpeed 0.19.8
 *     (zero_to_fp32 of ZeRO 2 and 3), verl 0.9.1 (model_merger, FSDP), peft 0.21.2, transformers 5.24.0 (GGUF, adapters),
 *     mlx_lm 0.32.2 (fuse), transformers 4.44.2 (Flax, and the converters of Meta's and Mistral's layouts, which later
 *     wheels do not have)
 * Read in their help or source, not run: TensorFlow (transformers 4.44.2), verl's Megatron backend, megatron-bridge
 * 0.3.1.
 */
#include "directory_maker.h"

#define FOUND "{dir}: expected model.safetensors or model.safetensors.index.json, found "

static const Case REFUSED[] = {
    {"bin",
     {"pytorch_model.bin=\x80\2}.", "config.json"},
     "{dir}/pytorch_model.bin: expected the zip that torch.save() writes, found a bare pickle, its form "
     "before 1.6; python -c 'import torch, safetensors.torch as s; t = "
     "torch.load(\"{dir}/pytorch_model.bin\", map_location=\"cpu\", weights_only=True); t = "
     "t.get(\"state_dict\", t.get(\"model\", t.get(\"module\", t))); s.save_file({k: "
     "v.clone().contiguous() for k, v in t.items()}, \"{dir}/model.safetensors\", {\"format\": \"pt\"})' "
     "makes one"},
    {"bins",
     {"pytorch_model.bin.index.json={\"weight_map\":{\"a\":\"pytorch_model-00001-of-00002.bin\"}}",
      "pytorch_model-00001-of-00002.bin=\x80\2}."},
     "{dir}/pytorch_model-00001-of-00002.bin: expected the zip that torch.save() writes, found a bare pickle, "
     "its form before 1.6; python -c 'import glob, torch, safetensors.torch as s; "
     "[s.save_file({k: v.clone().contiguous() for k, v in torch.load(f, map_location=\"cpu\", "
     "weights_only=True).items()}, f.replace(\"pytorch_model\", \"model\")[:-3] + \"safetensors\", "
     "{\"format\": \"pt\"}) for f in glob.glob(\"{dir}/pytorch_model-*.bin\")]' makes them"},
    {"bins-alone",
     {"pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"},
     FOUND "pytorch_model-00001-of-00002.bin, a pickle without pytorch_model.bin.index.json; "
           "python -c 'import glob, torch, safetensors.torch as s; "
           "[s.save_file({k: v.clone().contiguous() for k, v in torch.load(f, map_location=\"cpu\", "
           "weights_only=True).items()}, f.replace(\"pytorch_model\", \"model\")[:-3] + \"safetensors\", "
           "{\"format\": \"pt\"}) for f in glob.glob(\"{dir}/pytorch_model-*.bin\")]' makes them"},
    {"dcp",
     {".metadata", "__0_0.distcp"},
     FOUND
     ".metadata and *.distcp, a distributed checkpoint of PyTorch (DCP); python -m "
     "torch.distributed.checkpoint.format_utils dcp_to_torch {dir} {dir}.pt && python -c 'import torch, "
     "safetensors.torch as s; t = torch.load(\"{dir}.pt\", map_location=\"cpu\", weights_only=True); t = "
     "t.get(\"state_dict\", t.get(\"model\", t)); s.save_file({k: v.clone().contiguous() for k, v in "
     "t.items()}, \"{dir}/model.safetensors\", {\"format\": \"pt\"})' makes one"},
    {"dcp-part",
     {"__0_0.distcp"},
     FOUND "__0_0.distcp without .metadata, a part of a distributed checkpoint of PyTorch (DCP); copy all of "
           "its files, the hidden one too"},
    {"fsdp",
     {"pytorch_model_fsdp_0/", "pytorch_model_fsdp_0/.metadata", "optimizer_0/", "rng_state_0.pth"},
     FOUND "pytorch_model_fsdp_0, a checkpoint of accelerate in shards of FSDP; accelerate merge-weights "
           "{dir}/pytorch_model_fsdp_0 {dir}-hf makes one"},
    {"zero",
     {"zero_to_fp32.py", "latest", "global_step100/"},
     FOUND "zero_to_fp32.py and global_step*, a checkpoint of DeepSpeed ZeRO; python {dir}/zero_to_fp32.py "
           "{dir} {dir}-hf --safe_serialization makes one"},
    {"zero-script-lost",
     {"latest", "global_step100/"},
     FOUND "global_step100, a checkpoint of DeepSpeed; python -m deepspeed.utils.zero_to_fp32 {dir} {dir}-hf "
           "--safe_serialization makes one"},
    {"zero-step",
     {"mp_rank_00_model_states.pt", "bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt"},
     FOUND "*_model_states.pt, one step of a checkpoint of DeepSpeed ZeRO; python -m "
           "deepspeed.utils.zero_to_fp32 {dir}/.. {dir}-hf --safe_serialization --tag zero-step makes one"},
    {"verl",
     {"model_world_size_2_rank_0.pt", "model_world_size_2_rank_1.pt", "fsdp_config.json", "huggingface/",
      "huggingface/config.json"},
     FOUND
     "model_world_size_2_rank_0.pt, the shards of a checkpoint of verl; python -m verl.model_merger merge "
     "--local_dir {dir} --target_dir {dir}-hf --backend fsdp makes one"},
    {"verl-run",
     {"global_step_10/", "global_step_10/actor/", "global_step_10/actor/model_world_size_1_rank_0.pt"},
     FOUND "global_step_10/actor/model_world_size_1_rank_0.pt, the shards of a checkpoint of verl; python -m "
           "verl.model_merger merge --local_dir {dir}/global_step_10/actor --target_dir "
           "{dir}/global_step_10/actor-hf --backend fsdp makes one"},
    {"verl-megatron",
     {"dist_ckpt/", "huggingface/"},
     FOUND
     "dist_ckpt, a checkpoint of verl in Megatron's form; python -m verl.model_merger merge --local_dir "
     "{dir} --target_dir {dir}-hf --backend megatron makes one"},
    {"megatron",
     {"latest_checkpointed_iteration.txt", "iter_0000100/"},
     FOUND
     "latest_checkpointed_iteration.txt, a checkpoint of Megatron; python -c 'from megatron.bridge import "
     "AutoBridge as B; B.from_hf_pretrained(\"BASE\").export_ckpt(\"{dir}\", \"{dir}-hf\")' makes one of "
     "a checkpoint of megatron-core, given the BASE that it began from"},
    {"megatron-step",
     {"mp_rank_00/"},
     FOUND
     "mp_rank_00, a checkpoint of Megatron; python -c 'from megatron.bridge import AutoBridge as B; "
     "B.from_hf_pretrained(\"BASE\").export_ckpt(\"{dir}\", \"{dir}-hf\")' makes one of a checkpoint of "
     "megatron-core, given the BASE that it began from"},
    {"megatron-core",
     {"common.pt", "metadata.json", ".metadata", "__0_0.distcp"},
     FOUND
     "__0_0.distcp, a checkpoint of megatron-core; python -c 'from megatron.bridge import AutoBridge as "
     "B; B.from_hf_pretrained(\"BASE\").export_ckpt(\"{dir}\", \"{dir}-hf\")' makes one of a checkpoint "
     "of megatron-core, given the BASE that it began from"},
    {"orbax",
     {"manifest.ocdbt"},
     FOUND "manifest.ocdbt, a checkpoint of Orbax (JAX); the program that wrote it has an export to Hugging "
           "Face's form"},
    {"meta",
     {"consolidated.00.pth", "params.json", "tokenizer.model"},
     FOUND "consolidated.00.pth, the layout of Meta's own releases; python -m "
           "transformers.models.llama.convert_llama_weights_to_hf --input_dir {dir} --output_dir {dir}-hf "
           "--num_shards 1 --llama_version 3.1 with transformers 4.44.2 makes one, of as many files and the "
           "version that it is"},
    {"mistral",
     {"consolidated.safetensors", "params.json"},
     FOUND
     "consolidated.safetensors, the layout of Mistral's own releases; python -m "
     "transformers.models.mistral.convert_mistral_weights_to_hf --input_dir {dir} --output_dir {dir}-hf "
     "--model_size 7B --is_v3 --safe_serialization True with transformers 4.44.2 makes one; or take the "
     "files model*.safetensors of the same release"},
    {"flax",
     {"flax_model.msgpack", "config.json"},
     FOUND
     "flax_model.msgpack, weights of Flax; python -c 'from transformers import AutoModelForCausalLM as M; "
     "M.from_pretrained(\"{dir}\", from_flax=True).save_pretrained(\"{dir}-hf\")' with transformers "
     "4.44.2 makes one"},
    {"tf",
     {"tf_model.h5", "config.json"},
     FOUND
     "tf_model.h5, weights of TensorFlow; python -c 'from transformers import AutoModelForCausalLM as M; "
     "M.from_pretrained(\"{dir}\", from_tf=True).save_pretrained(\"{dir}-hf\")' with transformers 4.44.2 "
     "makes one"},
    {"onnx",
     {"model.onnx", "config.json"},
     FOUND "model.onnx, ONNX; no command goes back: take the model that it was made from"},
    {"openvino",
     {"openvino_model.xml", "openvino_model.bin"},
     FOUND
     "openvino_model.xml, a model of OpenVINO; no command goes back: take the model that it was made from"},
    {"trt",
     {"rank0.engine"},
     FOUND
     "rank0.engine, an engine of TensorRT-LLM; no command goes back: take the model that it was made from"},
    {"gguf",
     {"any-name.Q4_K_M.gguf", "config.json"},
     FOUND "any-name.Q4_K_M.gguf, GGUF; python -c 'from transformers import AutoModelForCausalLM as M, "
           "GgufConfig as C; M.from_pretrained(\"{dir}\", gguf_file=\"any-name.Q4_K_M.gguf\", "
           "quantization_config=C(dequantize=True)).save_pretrained(\"{dir}-hf\")' makes one, rounded as the "
           "file is: rather take the one that it was made from"},
    {"tune",
     {"hf_model_0001_0.pt", "hf_model_0002_0.pt", "optimizer.pt"},
     FOUND "hf_model_0001_0.pt, a pickle; python -c 'import glob, torch, safetensors.torch as s; t = {}; "
           "[t.update(torch.load(f, map_location=\"cpu\", weights_only=True)) for f in "
           "glob.glob(\"{dir}/hf_model_000[0-9]*.pt\")]; s.save_file({k: v.clone().contiguous() for k, v in "
           "t.items()}, \"{dir}/model.safetensors\", {\"format\": \"pt\"})' makes one of all of its files"},
    {"lightning",
     {"last.ckpt"},
     FOUND
     "last.ckpt, a pickle; python -c 'import torch, safetensors.torch as s; t = "
     "torch.load(\"{dir}/last.ckpt\", map_location=\"cpu\", weights_only=True); t = t.get(\"state_dict\", "
     "t.get(\"model\", t.get(\"module\", t))); s.save_file({k: v.clone().contiguous() for k, v in "
     "t.items()}, \"{dir}/model.safetensors\", {\"format\": \"pt\"})' makes one"},
    {"nemo",
     {"model.nemo"},
     FOUND "model.nemo, a model of NeMo; tar -xf {dir}/model.nemo unpacks a checkpoint of Megatron"},
    {"tar",
     {"model.tar.gz"},
     FOUND "model.tar.gz, an archive; tar -C {dir} -xf {dir}/model.tar.gz unpacks it"},
    {"zip", {"model.zip"}, FOUND "model.zip, an archive; unzip -d {dir} {dir}/model.zip unpacks it"},
    {"peft",
     {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"},
     FOUND
     "adapter_model.safetensors, an adapter of PEFT; rejuv BASE {dir} opens it beside its base; or python -c "
     "'from peft import AutoPeftModelForCausalLM "
     "as M; M.from_pretrained(\"{dir}\", "
     "dtype=\"auto\").merge_and_unload().save_pretrained(\"{dir}-merged\")' makes one"},
    {"peft-bin",
     {"adapter_config.json", "adapter_model.bin"},
     FOUND
     "adapter_model.bin, an adapter of PEFT as a pickle; rejuv BASE {dir} opens it beside its base; or python -c "
     "'from peft import AutoPeftModelForCausalLM as M; "
     "M.from_pretrained(\"{dir}\", dtype=\"auto\").merge_and_unload().save_pretrained(\"{dir}-merged\")' "
     "makes one"},
    {"peft-config-lost",
     {"adapter_model.safetensors"},
     FOUND
     "adapter_model.safetensors, an adapter without adapter_config.json; copy that file too, which says "
     "how it is to be applied"},
    {"peft-weights-lost",
     {"adapter_config.json"},
     FOUND "adapter_config.json without the adapter; copy its weights too, adapter_model.safetensors"},
    {"peft-run",
     {"checkpoint-500/", "checkpoint-500/adapter_config.json", "checkpoint-500/adapter_model.safetensors",
      "checkpoint-1000/", "checkpoint-1000/adapter_config.json", "checkpoint-1000/adapter_model.safetensors"},
     FOUND
     "checkpoint-1000/adapter_model.safetensors, an adapter of PEFT; rejuv BASE {dir}/checkpoint-1000 opens "
     "it beside its base; or python -c 'from peft import "
     "AutoPeftModelForCausalLM as M; M.from_pretrained(\"{dir}/checkpoint-1000\", "
     "dtype=\"auto\").merge_and_unload().save_pretrained(\"{dir}/checkpoint-1000-merged\")' makes one"},
    {"mlx",
     {"adapter_config.json", "adapters.safetensors", "0000100_adapters.safetensors"},
     FOUND
     "adapters.safetensors, an adapter of MLX; rejuv BASE {dir} opens it beside its base; or mlx_lm.fuse --model BASE --adapter-path {dir} --save-path "
     "{dir}-merged makes one"},
    {"diffusers",
     {"model_index.json", "unet/", "unet/diffusion_pytorch_model.safetensors"},
     FOUND
     "model_index.json, a pipeline of diffusers; this program opens language models; give one part of it, "
     "for example {dir}/text_encoder"},
    {"diffusers-part",
     {"diffusion_pytorch_model.safetensors", "config.json"},
     FOUND
     "diffusion_pytorch_model.safetensors, a part of a pipeline of diffusers; this program opens language "
     "models"},
    {"run",
     {"checkpoint-500/", "checkpoint-500/model.safetensors*", "checkpoint-1000/",
      "checkpoint-1000/model.safetensors*", "trainer_state.json"},
     "{dir}: expected one model, found 2 folders with one each; give one of them: the newest by its name "
     "is {dir}/checkpoint-1000"},
    {"run-under-way",
     {"checkpoint-500/", "checkpoint-500/model.safetensors*", "checkpoint-1000/",
      "checkpoint-1000/config.json"},
     "{dir}: expected one checkpoint, found several, of which one holds a model that can be opened; give that, "
     "if it is meant: {dir}/checkpoint-500"},
    {"hub",
     {"models--own--name/", "models--own--name/snapshots/"},
     FOUND "the Hub's cache; give one of the models in it, for example {dir}/models--own--name"},
    {"models--own--two",
     {"blobs/", "refs/", "refs/main=abc\n", "snapshots/", "snapshots/abc/",
      "snapshots/abc/model.safetensors*", "snapshots/def/", "snapshots/def/model.safetensors*"},
     "{dir}: expected one model, found the Hub's cache of one with 2 snapshots; give the one that "
     "refs/main names: {dir}/snapshots/abc"},
    {"models--own--part",
     {"blobs/", "blobs/0123.incomplete", "snapshots/", "snapshots/abc/", "snapshots/abc/config.json"},
     FOUND "a download that is not finished (*.incomplete); hf download own/part goes on with it"},
    {"download",
     {"config.json", ".cache/", ".cache/huggingface/", ".cache/huggingface/download/",
      ".cache/huggingface/download/x.incomplete"},
     FOUND
     "a download that is not finished (*.incomplete); hf download NAME --local-dir {dir} goes on with it"},
    {"config",
     {"config.json", "tokenizer.json"},
     FOUND
     "config.json without weights; hf download NAME --local-dir {dir} fetches those of a model on the Hub"},
    {"empty", {".DS_Store"}, FOUND "neither: it is empty"},
    {"nothing-known", {"README.md"}, FOUND "neither"},
    {"two-files",
     {"a.safetensors", "b.safetensors"},
     FOUND "2 files of other names; ln -s b.safetensors {dir}/model.safetensors chooses one"},
    {"shards-lost",
     {"model-00001-of-00003.safetensors"},
     "{dir}: expected the 3 files that their names count, found 1 of them, missing: "
     "model-00002-of-00003.safetensors, model-00003-of-00003.safetensors; hf download NAME --local-dir "
     "{dir} fetches what came from the Hub"},
    {"shards-of-two",
     {"model.bf16-00001-of-00001.safetensors*", "model.fp16-00001-of-00001.safetensors*"},
     FOUND "shards of several models, model.bf16-00001-of-00001.safetensors and "
           "model.fp16-00001-of-00001.safetensors; a folder with those of one is taken"},
    {"index-shards-lost",
     {"model-00001-of-00002.safetensors",
      "model.safetensors.index.json={\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\","
      "\"b\":\"model-00002-of-00002.safetensors\"}}"},
     "{dir}: expected the 2 files that its index names, found 1 of them, missing: "
     "model-00002-of-00002.safetensors; hf download NAME --local-dir {dir} fetches what came from the Hub"},
    {"index-folder",
     {"model.safetensors.index.json={\"weight_map\":{\"a\":\"part/model-00001-of-00002.safetensors\"}}"},
     "{dir}/model.safetensors.index.json: tensor a: expected the name of a .safetensors file in this "
     "directory, found \"part/model-00001-of-00002.safetensors\"; mv {dir}/part/*.safetensors {dir} && "
     "sed -i 's|\"part/|\"|g' {dir}/model.safetensors.index.json puts them there"},
    {"dangling",
     {"model.safetensors->../../blobs/abc"},
     "{dir}/model.safetensors: expected a file, found a link to ../../blobs/abc, which is not there; hf "
     "download NAME --local-dir {dir} fetches what came from the Hub"},
    {"beside",
     {"config.json", "model.safetensors*", "adapter_config.json", "adapter_model.safetensors"},
     "{dir}: expected weights alone, found an adapter beside them (adapter_config.json), which "
     "transformers applies when it loads; mkdir {dir}/adapter && mv {dir}/adapter_* {dir}/adapter && "
     "python -c 'from peft import PeftModel as P; from transformers import AutoModelForCausalLM as M; "
     "P.from_pretrained(M.from_pretrained(\"{dir}\", dtype=\"auto\"), "
     "\"{dir}/adapter\").merge_and_unload().save_pretrained(\"{dir}-merged\")' makes one of both"},
    {"beside-mlx",
     {"config.json", "model.safetensors*", "adapter_config.json", "adapters.safetensors"},
     "{dir}: expected weights alone, found an adapter beside them (adapter_config.json), which mlx_lm "
     "applies when it loads; mlx_lm.fuse --model {dir} --adapter-path {dir} --save-path {dir}-merged "
     "makes one of both"},
    {"config-names-bin",
     {"config.json={\"transformers_weights\":\"adapter_model.bin\"}", "model.safetensors*"},
     "{dir}/config.json: transformers_weights: expected the name of a .safetensors file or its index in "
     "this directory, found \"adapter_model.bin\""},
};

static void every_other_form_is_named_with_the_command_that_helps(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        char *path = make_directory(REFUSED[i].name, REFUSED[i].files);
        char *expected = with_directory(REFUSED[i].message, path);
        Error error = {0};
        Checkpoint *checkpoint;
        assert_int_not_equal(checkpoint_open(path, &checkpoint, &error), STATUS_OK);
        assert_null(checkpoint);
        assert_string_equal(error.message, expected);
        free(expected);
        free(path);
    }
}

static void a_file_says_which_directory_to_give(void **state) {
    (void)state;
    static const char *const FILES[MOST_FILES] = {"model.safetensors*", "q4.gguf", "state.pt", "notes"};
    static const struct {
        const char *file, *message;
    } CASES[] = {
        {"model.safetensors",
         "{dir}/model.safetensors: expected a model directory, found a file; give the directory that it is in: {dir}"},
        {"notes", "{dir}/notes: expected a model directory, found a file"},
        {"q4.gguf",
         "{dir}/q4.gguf: expected a directory with model.safetensors, found a file: q4.gguf, GGUF; python -c 'from "
         "transformers import AutoModelForCausalLM as M, GgufConfig as C; M.from_pretrained(\"{dir}\", "
         "gguf_file=\"q4.gguf\", quantization_config=C(dequantize=True)).save_pretrained(\"{dir}-hf\")' makes one, "
         "rounded as the file is: rather take the one that it was made from"},
    };
    char *path = make_directory("files", FILES);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *file = memory_format("%s/%s", path, CASES[i].file),
             *expected = with_directory(CASES[i].message, path);
        must_say(file, expected);
        free(file);
        free(expected);
    }
    free(path);
}

/* A path that a shell would read otherwise, or that would push the command's end out of the message, is not put into a
 * command. */
static void a_command_is_safe_to_copy(void **state) {
    (void)state;
    static const char *const FILES[MOST_FILES] = {"pytorch_model_fsdp_0/"};
    static const char *const NAMES[] = {"a b", "a'b", "$(rm x)", "a;b"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char *path = make_directory(NAMES[i], FILES);
        char *expected = with_directory(
            "{dir}: expected model.safetensors or model.safetensors.index.json, found "
            "pytorch_model_fsdp_0, a checkpoint of accelerate in shards of FSDP; accelerate "
            "merge-weights DIR/pytorch_model_fsdp_0 DIR-hf makes one",
            path);
        must_say(path, expected);
        free(expected);
        free(path);
    }
    static const char *const BESIDE[MOST_FILES] = {"model.safetensors*", "adapter_config.json"};
    char *path =
        make_directory("a-name-that-is-long-enough-to-be-there-eight-times-and-fill-the-message", BESIDE);
    char *expected = with_directory(
        "{dir}: expected weights alone, found an adapter beside them (adapter_config.json), which transformers applies "
        "when it loads; mkdir DIR/adapter && mv DIR/adapter_* DIR/adapter && python -c 'from peft import PeftModel as P; "
        "from transformers import AutoModelForCausalLM as M; P.from_pretrained(M.from_pretrained(\"DIR\", "
        "dtype=\"auto\"), \"DIR/adapter\").merge_and_unload().save_pretrained(\"DIR-merged\")' makes one of both",
        path);
    must_say(path, expected);
    free(expected);
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_other_form_is_named_with_the_command_that_helps),
        cmocka_unit_test(a_file_says_which_directory_to_give),
        cmocka_unit_test(a_command_is_safe_to_copy),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
