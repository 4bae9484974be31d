#!/usr/bin/env python3
"""Directories with a tokenizer, and the ids that AutoTokenizer gives for them: a line of directories.jsonl each.
    python3 make.py          writes pieces.json, bytes.json and directories.jsonl here (transformers 5.24.0, tokenizers 0.23.3)
"""
import json, os, tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
import tokenizers, transformers
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = ["1234", " hello", "hello</s>hello", "a  b", "x\n\ny 12345", "it's I'LL", "<s>hi", "é漢字 ▁z", "", "  lead", "tail  ", "A1b2 C33",
         "(hello!\n hé", "he\u0301llo", "<|im_start|>hello <|im_end|> a", "a <x> b<|endoftext|>", "<unk> <extra>hello", "<pad><mask>12"]


def token(content, id=None, **flags):
    made = {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    made.update(flags)
    return made if id is None else {"id": id, **made}


def alphabet():
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    return {b: chr(b) if b in keep else chr(256 + sum(c not in keep for c in range(b))) for b in range(256)}


def make_bytes():
    """Byte-level; merges that only some regular expressions let happen."""
    byte = alphabet()
    vocab = {byte[b]: b for b in range(256)}
    merges = []
    for left, right in ["he", "ll", ("he", "ll"), ("hell", "o"), (" ", "hello"), "12", ("e", "\xcc"), "\n\n", "!\n", ("(", "hello"), "'L", ("'L", "L"), "  "]:
        pair = [left if len(left) > 1 and left in vocab else "".join(byte[b] for b in left.encode("latin-1")),
                right if right in vocab and len(right) > 1 else "".join(byte[b] for b in right.encode("latin-1"))]
        merges.append(pair)
        vocab["".join(pair)] = len(vocab)
    vocab["<unk>"] = len(vocab)
    step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    first = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [len(vocab)], "tokens": ["<s>"]}}}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [token("<s>", len(vocab)), token("</s>", len(vocab) + 1), token("<|im_start|>", len(vocab) + 2)],
            "normalizer": None, "pre_tokenizer": step, "post_processor": first, "decoder": step,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab, "merges": merges}}


def make_pieces():
    """As Llama 2 was published: a normalizer puts a mark in place of spaces and before every stretch."""
    vocab = {piece: i for i, piece in enumerate(["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), "▁", "h", "e", "l", "o", "None"])}
    merges = [["h", "e"], ["l", "l"], ["he", "ll"], ["hell", "o"], ["▁", "hello"], ["▁", "▁"]]
    for left, right in merges:
        vocab[left + right] = len(vocab)
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [token("<unk>", 0), token("<s>", 1), token("</s>", 2)],
            "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                               {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
            "pre_tokenizer": None, "post_processor": None,
            "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                                                         {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      "fuse_unk": True, "byte_fallback": True, "ignore_merges": False, "vocab": vocab, "merges": merges}}


FILES = {"bytes": make_bytes(), "pieces": make_pieces()}
COUNT = {name: len(file["model"]["vocab"]) for name, file in FILES.items()}


def directories():
    """(name, which file, changes to it, config.json, tokenizer_config.json, special_tokens_map.json, added_tokens.json)"""
    def row(name, file, settings=None, config=None, map=None, added=None, **changes):
        return name, file, changes, config, settings, map, added

    # every class with every type, as ../shared/golden/classes has them
    for type in (None, "llama", "qwen3", "mistral", "phi3", "qwen2", "olmo", "gemma2", "cohere2", "foo"):
        for name in (None, "LlamaTokenizer", "LlamaTokenizerFast", "GPT2TokenizerFast", "Qwen2Tokenizer", "TokenizersBackend", "PreTrainedTokenizerFast"):
            file = "pieces" if name is not None and name.startswith("Llama") else "bytes"
            yield row(f"{type} {name}", file, {} if name is None else {"tokenizer_class": name}, type and {"model_type": type})
    yield row("a byte-level file is not LlamaTokenizer's", "bytes", {"tokenizer_class": "LlamaTokenizer"}, {"model_type": "llama"})
    yield row("the class of config.json", "bytes", None, {"model_type": "llama", "tokenizer_class": "Qwen2Tokenizer"})
    yield row("a class that transformers has not", "bytes", {"tokenizer_class": "HYTokenizer"}, {"model_type": "hunyuan"})
    yield row("code of its own beside a mistaken class", "bytes",
              {"tokenizer_class": "XTokenizer", "auto_map": {"AutoTokenizer": ["tokenization_x.XTokenizer", None]}}, {"model_type": "qwen2"})
    # every class that is known, and what its settings do
    for name in ("GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer", "CohereTokenizer", "Qwen2Tokenizer", "Qwen3_5Tokenizer"):
        yield row(f"{name} by default", "bytes", {"tokenizer_class": name})
        yield row(f"{name} with a prefix", "bytes", {"tokenizer_class": name, "add_prefix_space": True, "bos_token": "<s>", "eos_token": "</s>"})
    for name in ("LlamaTokenizer", "CodeLlamaTokenizer", "GemmaTokenizer"):
        for changes in ({}, {"legacy": True}, {"legacy": False}, {"add_prefix_space": False}, {"add_prefix_space": True, "legacy": True}, {"unk_token": None}):
            yield row(f"{name} {json.dumps(changes)}", "pieces", {"tokenizer_class": name, **changes})
    yield row("special tokens in a text are text", "bytes", {"tokenizer_class": "Qwen2Tokenizer", "split_special_tokens": True})
    # added tokens
    n = COUNT["bytes"]
    extra = {str(n + 3): token("<|im_end|>", lstrip=True), str(n + 9): token("<x>", rstrip=True, special=False), str(n + 5): token("<extra>", normalized=True, special=False)}
    file = {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in FILES["bytes"]["added_tokens"]}
    for name in ("TokenizersBackend", "Qwen2Tokenizer", "CohereTokenizer"):
        yield row(f"{name} and added_tokens_decoder", "bytes", {"tokenizer_class": name, "added_tokens_decoder": {**file, **extra}})
        yield row(f"{name} and one that lacks the file's", "bytes", {"tokenizer_class": name, "added_tokens_decoder": extra})
        yield row(f"{name} and an empty one", "bytes", {"tokenizer_class": name, "added_tokens_decoder": {}, "eos_token": "<|im_end|>"})
        yield row(f"{name} and names", "bytes", {"tokenizer_class": name, "bos_token": {"__type": "AddedToken", **token("<x>", lstrip=True, special=False)},
                                                 "eos_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>", "image_token": "<extra>"})
        yield row(f"{name} and more of them", "bytes", {"tokenizer_class": name, "additional_special_tokens": ["<extra>", "<x>"], "pad_token": None})
        yield row(f"{name} and named ones", "bytes", {"tokenizer_class": name, "extra_special_tokens": {"image_token": "<x>", "sound": "<extra>"}})
        yield row(f"{name} and special_tokens_map.json", "bytes", {"tokenizer_class": name, "eos_token": "<extra>"},
                  map={"eos_token": {k: v for k, v in token("<|im_end|>", rstrip=True).items() if k != "special"}, "unk_token": "<unk>",
                       "additional_special_tokens": ["<x>"]})
        yield row(f"{name} and added_tokens.json", "bytes", {"tokenizer_class": name, "eos_token": "<|im_end|>"}, added={"<|im_end|>": n + 4, "<x>": n + 3, "<pad>": n + 8})
    yield row("ids that are not those that are written", "bytes", {"tokenizer_class": "TokenizersBackend"},
              added_tokens=[token("<|im_end|>", 900), token("<x>", 300), token("<s>", n)])
    yield row("the same by a class, in the order of what is written", "bytes", {"tokenizer_class": "GPT2Tokenizer"},
              added_tokens=[token("<|im_end|>", 900), token("<x>", 300), token("<s>", n)])
    yield row("a token twice, with other flags", "bytes", {"tokenizer_class": "TokenizersBackend"},
              added_tokens=[token("<s>", n), token("<x>", n + 1), token("<x>", n + 2, lstrip=True, special=False)])
    yield row("the name in padding", "pieces", {"tokenizer_class": "LlamaTokenizer"},
              padding={"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"})


def main():
    assert transformers.__version__ == "5.24.0" and tokenizers.__version__ == "0.23.3", "recorded with other versions"
    for name, file in FILES.items():
        with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as out:
            json.dump(file, out, ensure_ascii=False, separators=(",", ":"))
    with open(os.path.join(HERE, "directories.jsonl"), "w", encoding="utf-8") as out, tempfile.TemporaryDirectory() as place:
        json.dump({"texts": TEXTS}, out, ensure_ascii=False)
        out.write("\n")
        for name, file, changes, config, settings, map, added in directories():
            beside = {"config.json": config, "tokenizer_config.json": settings, "special_tokens_map.json": map, "added_tokens.json": added}
            beside = {key: value for key, value in beside.items() if value is not None}
            for other in os.listdir(place):
                os.remove(os.path.join(place, other))
            for key, value in {"tokenizer.json": {**FILES[file], **changes}, **beside}.items():
                with open(os.path.join(place, key), "w", encoding="utf-8") as written:
                    json.dump(value, written, ensure_ascii=False)
            made = AutoTokenizer.from_pretrained(place)
            alone = tokenizers.Tokenizer.from_file(place + "/tokenizer.json")
            alone.no_padding()
            texts = [text for text in TEXTS]
            ids = [made(text)["input_ids"] for text in texts]
            line = {"name": name, "class": type(made).__name__, "file": file, "changes": changes, "beside": beside, "ids": ids,
                    "plain": [made(text, add_special_tokens=False)["input_ids"] for text in texts],
                    "decoded": [made.backend_tokenizer.decode(one, skip_special_tokens=True) for one in ids],
                    "by_file": [alone.encode(text).ids for text in texts]}
            for key in ("plain", "by_file"):
                if line[key] == ids:
                    del line[key]
            json.dump(line, out, ensure_ascii=False, separators=(",", ":"))
            out.write("\n")


main()
