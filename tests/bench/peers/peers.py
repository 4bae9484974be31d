"""The other side of peer.c: has another project's software do its work, and says what that took.

    peers.py versions        what is installed, for people
    peers.py                 reads one order a line from standard input, its words separated by tabs, and answers each with
                             one line: "ok" and numbers, "missing", or "failed" and why

Times are of this process, or of the program that an order names: seconds of processor, seconds that passed, and the most memory
it held in bytes (of a program only). Models are loaded in float32, by transformers, or as bfloat16 GGUF, by llama.cpp.
"""

import importlib.metadata
import os
import sys
import time

PACKAGES = ("modeldelta", "mergelens", "mergekit", "torch", "transformers", "llama-cpp-py-sync")


class Missing(Exception):
    pass


def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise Missing from None


# ---- programs ----


def program(out, log, *words):
    """Its standard output goes to the file `out`; what it says to `log`, whose last line tells why it failed."""
    began = time.perf_counter()
    how = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    child = os.fork()  # and not vfork: the kernel would count what this process holds as the program's
    if child == 0:
        try:
            os.dup2(os.open(out, how, 0o644), 1)
            os.dup2(os.open(log, how, 0o644), 2)
            os.execv(words[0], words)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - began
    if status != 0:
        with open(log, errors="replace") as file:
            said = [line.strip() for line in file if line.strip()]
        raise RuntimeError(f"exit status {os.waitstatus_to_exitcode(status)}: {said[-1] if said else words[0]}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024.0


def timed(work):
    began, processor = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - processor, time.perf_counter() - began, 0.0


# ---- transformers and torch ----


class Transformers:
    def __init__(self, directory, threads):
        version("transformers")
        import torch
        from transformers import AutoModelForCausalLM

        self.torch, self.directory = torch, directory
        torch.set_num_threads(int(threads))
        self.model = self.load(torch.float32)
        self.exact = None  # logits in float64

    def load(self, dtype):
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(self.directory, dtype=dtype)
        model.eval().requires_grad_(False)
        return model

    def ids(self, *ids):
        self.prompt_ids = self.torch.tensor([[int(i) for i in ids]])

    def prompt(self):
        with self.torch.inference_mode():
            self.logits = self.model(self.prompt_ids, use_cache=True).logits[0]

    def error(self, path):
        """‖x − y‖ / ‖y‖ of logits in a file ("-": the last prompt's), y being the same model's in float64."""
        torch = self.torch
        if self.exact is None:
            with torch.inference_mode():
                self.exact = self.load(torch.float64)(self.prompt_ids).logits[0]
        if path == "-":
            seen = self.logits
        else:
            with open(path, "rb") as file:
                seen = torch.frombuffer(bytearray(file.read()), dtype=torch.float32).reshape(self.exact.shape)
        return (float((seen.double() - self.exact).norm() / self.exact.norm()),)

    def sample(self, count, tokens):
        """`count` answers to the prompt at temperature 1, all of so many tokens."""
        with self.torch.inference_mode():
            self.model.generate(
                self.prompt_ids.repeat(int(count), 1),
                attention_mask=self.torch.ones(int(count), self.prompt_ids.shape[1], dtype=self.torch.long),
                do_sample=True, temperature=1.0, top_k=0, top_p=1.0, eos_token_id=None, pad_token_id=0,
                max_new_tokens=int(tokens), min_new_tokens=int(tokens),
            )

    # Attribution as core/method/attribution.h has it: the rows' ids, then a target in three words each: row, position, token.

    def rows(self, tokens, *ids):
        self.row_ids = self.torch.tensor([int(i) for i in ids]).reshape(-1, int(tokens))
        self.targets = [[] for _ in self.row_ids]

    def target(self, row, position, token):
        self.targets[int(row)].append((int(position), int(token)))

    def attribution(self):
        torch = self.torch
        scores = torch.cat([self.score_row(ids, targets) for ids, targets in zip(self.row_ids, self.targets)])
        ranks = torch.empty(scores.shape, dtype=torch.int32)
        order = torch.argsort(scores, dim=1, descending=True, stable=True)
        ranks.scatter_(1, order, torch.arange(scores.shape[1], dtype=torch.int32).expand(scores.shape))
        self.best = ranks.amin(0)

    def score_row(self, ids, targets):
        """[targets × neurons]: one pass forward, and for each target one back to every output of q, k, v, gate and up."""
        torch, layers = self.torch, self.model.model.layers
        kept, hooks = {}, []
        for layer in layers:
            for part in self.parts(layer):
                hooks.append(part.register_forward_hook(lambda part, x, y: kept.__setitem__(part, (x[0], y))))
        hooks.append(self.model.model.norm.register_forward_hook(lambda part, x, y: kept.__setitem__(part, (x[0], y))))
        embedded = self.model.get_input_embeddings()(ids[None]).requires_grad_()
        self.model(inputs_embeds=embedded, use_cache=False, logits_to_keep=1)
        for hook in hooks:
            hook.remove()
        outputs = [kept[part][1] for layer in layers for part in self.parts(layer)[:5]]
        norm = self.model.model.norm
        hidden, scores = kept[norm][0][0], []
        for position, token in targets:
            h = hidden[position]
            with torch.no_grad():
                scale = torch.rsqrt(h.square().mean() + norm.variance_epsilon)
                direction = norm.weight * self.model.lm_head.weight[token] * scale
            gradients = torch.autograd.grad(h @ direction, outputs, retain_graph=True)
            with torch.no_grad():
                blocks = []
                for n, layer in enumerate(layers):
                    for i in range(5):
                        x, g = outputs[5 * n + i][0], gradients[5 * n + i][0]
                        blocks.append((x * g).abs().sum(0))
                    for part in self.parts(layer)[5:]:
                        blocks.append((kept[part][0][0, position] * (direction @ part.weight)).abs())
                scores.append(torch.cat(blocks))
        return torch.stack(scores)

    @staticmethod
    def parts(layer):
        a, m = layer.self_attn, layer.mlp
        return a.q_proj, a.k_proj, a.v_proj, m.gate_proj, m.up_proj, a.o_proj, m.down_proj

    def best_ranks(self, path):
        with open(path, "wb") as file:
            file.write(self.best.numpy().tobytes())


# ---- llama.cpp ----


def convert(directory, path):
    """A Qwen 2 or Llama whose q and k need no reordering, as GGUF: matrices in bfloat16 as they are, vectors in float32, and
    no tokenizer, for tokens come as numbers."""
    import json

    import gguf
    import numpy
    from safetensors import safe_open

    with open(directory + "/config.json") as file:
        config = json.load(file)
    if config["model_type"] != "qwen2" or config.get("rope_scaling"):
        raise RuntimeError(f"no conversion of a {config['model_type']} to GGUF here")
    heads = config["num_attention_heads"]
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config.get("rope_theta", 1e4))
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("none")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config["num_hidden_layers"])
    with safe_open(directory + "/model.safetensors", framework="pt") as file:
        for name in file.keys():
            tensor = file.get_tensor(name)
            where = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if tensor.ndim == 2:
                import torch

                bits = tensor.to(torch.bfloat16).view(torch.int16).numpy().view(numpy.uint8)
                writer.add_tensor(where, bits, raw_dtype=gguf.GGMLQuantizationType.BF16)
            else:
                writer.add_tensor(where, tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Llama:
    def __init__(self, directory, threads, path):
        version("llama-cpp-py-sync")
        version("gguf")
        if not os.path.exists(path):
            convert(directory, path)
        from llama_cpp_py_sync._cffi_bindings import get_ffi, get_lib

        self.ffi, self.lib = get_ffi(), get_lib()
        self.silent = self.ffi.callback("void(enum ggml_log_level, const char *, void *)", lambda *said: None)
        self.lib.llama_log_set(self.silent, self.ffi.NULL)
        self.lib.llama_backend_init()
        model = self.lib.llama_model_load_from_file(path.encode(), self.lib.llama_model_default_params())
        if model == self.ffi.NULL:
            raise RuntimeError(f"llama.cpp does not load {path}")
        self.vocabulary = self.lib.llama_vocab_n_tokens(self.lib.llama_model_get_vocab(model))
        params = self.lib.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = 256, 256, 256
        params.n_threads = params.n_threads_batch = int(threads)
        self.context = self.lib.llama_init_from_model(model, params)
        if self.context == self.ffi.NULL:
            raise RuntimeError("llama.cpp makes no context")
        self.memory = self.lib.llama_get_memory(self.context)
        self.batch = self.lib.llama_batch_init(256, 0, 1)

    def ids(self, *ids):
        self.prompt_ids = [int(i) for i in ids]

    def decode(self, first):
        """The ids from `first` on, and the logits of all of them; those before are kept from the last time."""
        self.lib.llama_memory_seq_rm(self.memory, 0, first, -1)
        for i, token in enumerate(self.prompt_ids[first:]):
            self.batch.token[i], self.batch.pos[i] = token, first + i
            self.batch.n_seq_id[i], self.batch.seq_id[i][0], self.batch.logits[i] = 1, 0, 1
        self.batch.n_tokens = len(self.prompt_ids) - first
        if self.lib.llama_decode(self.context, self.batch) != 0:
            raise RuntimeError("llama_decode failed")
        self.lib.llama_get_logits(self.context)  # waits for them

    def prompt(self):
        self.decode(0)

    def token(self):
        self.decode(len(self.prompt_ids) - 1)

    def save(self, path):
        count = len(self.prompt_ids) * self.vocabulary
        with open(path, "wb") as file:
            file.write(self.ffi.buffer(self.lib.llama_get_logits(self.context), 4 * count))

    def kernels(self):
        said = self.ffi.string(self.lib.llama_print_system_info()).decode()
        return [word.split(" = ")[0].strip() for word in said.replace("CPU :", "").split("|") if word.strip().endswith("= 1")]


# ---- singular values ----


def spectra(base, sft, layer, own, theirs):
    """How far the effective rank and the largest singular value of Δ = S − B are off, of the worst matrix of a layer: `own`
    (drift --spectrum --json) and `theirs` (modeldelta's), beside numpy's in float64."""
    import json

    import numpy
    from safetensors import safe_open

    with open(own) as file:
        ours = {t["tensor"]: (t.get("effective_rank"), t.get("spectral_norm")) for t in json.load(file)["tensors"]}
    with open(theirs) as file:
        modules = [m for m in json.load(file)["modules"] if m["has_svd"]]
    other = {m["name"]: (m["effective_rank"], m["top_singular_values"][0]) for m in modules}
    worst = [0.0] * 4
    with safe_open(base + "/model.safetensors", "pt") as b, safe_open(sft + "/model.safetensors", "pt") as s:
        for name in b.keys():
            if f".layers.{layer}." not in name or name not in other:
                continue
            values = numpy.linalg.svd((s.get_tensor(name).double() - b.get_tensor(name).double()).numpy(), compute_uv=False)
            shares = values[values > 0] / values.sum()
            exact = float(numpy.exp(-(shares * numpy.log(shares)).sum())), float(values[0])
            for side, seen in enumerate((ours[name], other[name])):
                for i in range(2):
                    worst[2 * i + side] = max(worst[2 * i + side], abs(seen[i] - exact[i]) / exact[i])
    return worst


# ---- orders ----

KINDS = {"transformers": Transformers, "llama": Llama}
TIMED = ("prompt", "token", "sample", "attribution")


def obey(state, order, words):
    if order == "version":
        return (version(*words),)
    if order == "program":
        return program(*words)
    if order == "spectra":
        return spectra(*words)
    if order in KINDS:
        state.clear()  # its memory, before the next model's is needed
        return timed(lambda: state.append(KINDS[order](*words)))
    work = getattr(state[0], order)
    return timed(lambda: work(*words)) if order in TIMED else work(*words)


def main():
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", HF_HUB_DISABLE_PROGRESS_BARS="1")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    state = []
    for line in sys.stdin:
        order, *words = line.rstrip("\n").split("\t")
        try:
            answer = ["ok", *(f"{x:.17g}" if isinstance(x, float) else str(x) for x in obey(state, order, words) or ())]
        except Missing:
            answer = ["missing"]
        except Exception as problem:
            answer = ["failed", " ".join(f"{type(problem).__name__}: {problem}".split())[:400]]
        print("\t".join(answer), file=answers, flush=True)


def show_versions():
    for name in PACKAGES:
        try:
            print(name, version(name))
        except Missing:
            print(name, "is not installed")


if __name__ == "__main__":
    show_versions() if sys.argv[1:] == ["versions"] else main()
