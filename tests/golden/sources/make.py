#!/usr/bin/env python3
"""Directories with a tokenizer that is not a tokenizer.json of BPE, and what AutoTokenizer makes of them: a line of directories.jsonl each.
    python3 make.py          trains and writes everything here (transformers 5.24.0, tokenizers 0.23.3, sentencepiece 0.2.3, protobuf)
"""
import base64, importlib.util, io, json, os, random, shutil, tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
import sentencepiece, tokenizers, transformers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = ["", " ", "hello", "  hello  world ", "the theory of the other", "ﬁne ™ ½a", "½ half", "e\u0301a\u0301 \u0301", "\u200bzero\u200b", "\u001e a", "a\tb\nc\n\nd", "\u3000wide\u3000",
         "▁", "▁▁x", " ▁a▁ b", "<unk>", "a<unk>日b", "<s>hi</s>", "x <user>y<user>", "[INST] of [/INST]", "日本語", "é日é", "🙂ok🙂", "aaaaaaaaa", "!!!!!!!", "the\u00a0the", "12 345", "``q'' 1,0",
         "İß ǅ", "<pad><mask> <mask>", "<extra_id_1>x <extra_id_0>", "<|im_start|>the <|im_end|> a", "<x> the<x>the", "the [CLS] [SEP]", "ofof the  the   the    ", "\r\nthe", "Hello World's I'LL",
         "\ue000\U0010ffff", "<norm>t<REN>"]
PATTERN = r"[^\r\n\p{L}\p{N}]?[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
RULES = "FB01\t66 69\n2122\t54 4D\n65 301\tE9\n200B\t\n3000\t20\nA\t20\n9\t20\n1E\t\nBD\t31 2044 32\nDF\t73 73\n"


def sentences():
    words = "the of a to and in is it that other theory there then hello world half fine wide zero with for not this are on be at one two three user off often".split()
    chance = random.Random(7)
    for i in range(3000):
        yield " ".join(chance.choice(words) if chance.random() < 0.9 else chance.choice(["12", "345", "é", "日本", "x,", "y.", "q'", "!!", "Hello", "World"]) for _ in range(chance.randint(3, 9)))


def train(name, **options):
    model = io.BytesIO()
    settings = dict(sentence_iterator=sentences(), model_writer=model, vocab_size=330, character_coverage=1.0, hard_vocab_limit=False, minloglevel=2, num_threads=1)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as rules:
        rules.write(RULES)
        rules.flush()
        if options.pop("rules", False):
            settings["normalization_rule_tsv"] = rules.name
        else:
            settings["normalization_rule_name"] = "identity"
        sentencepiece.SentencePieceTrainer.train(**{**settings, **options})
    write(name, model.getvalue())


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())


def train_bytes():
    """vocab.json, merges.txt, and a tekken.json of the same pieces."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.train_from_iterator(sentences(), trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    model = json.loads(made.to_str())["model"]
    write("vocab.json", {**model["vocab"], "<|endoftext|>": len(model["vocab"])})
    write("merges.txt", ("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in model["merges"]) + "\n").encode())
    back = {character: byte for byte, character in bytes_to_unicode().items()}
    pieces = [bytes([b]) for b in range(256)] + [bytes(back[c] for c in piece) for piece in sorted(model["vocab"], key=model["vocab"].get) if len(piece) > 1]
    specials = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "<pad>", "the"]
    write("tekken.json", {"config": {"pattern": PATTERN, "num_vocab_tokens": len(pieces), "default_vocab_size": len(pieces) + 6, "default_num_special_tokens": 20, "version": "v11"},
                          "vocab": [{"rank": i, "token_bytes": base64.b64encode(piece).decode(), "token_str": None} for i, piece in enumerate(pieces)],
                          "special_tokens": [{"rank": i, "token_str": text, "is_control": True} for i, text in enumerate(specials)]})


def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


def read_model(name):
    from sentencepiece import sentencepiece_model_pb2
    model = sentencepiece_model_pb2.ModelProto()
    with open(os.path.join(HERE, name), "rb") as file:
        model.ParseFromString(file.read())
    return model


def make_file():
    """A tokenizer.json as conversions of T5 had it."""
    model = read_model("unigram.model")
    vocab = [[piece.piece, piece.score] for piece in model.pieces]
    table = base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()
    mark = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    template = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
                "special_tokens": {"</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}
    write("unigram.json", {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [{"id": 0, **token("<unk>")}, {"id": 1, **token("<s>")}, {"id": 2, **token("</s>")}, {"id": len(vocab), **token("<mask>", lstrip=True, normalized=True, special=False)}],
                           "normalizer": {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap": table}, {"type": "Strip", "strip_left": False, "strip_right": True},
                                                                              {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}]},
                           "pre_tokenizer": mark, "post_processor": template, "decoder": mark, "model": {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": False}})
    return table


def directories(table):
    """(name, files by what they are called there, changes to tokenizer.json, config.json, tokenizer_config.json, special_tokens_map.json, added_tokens.json)"""
    def row(name, files, config=None, settings=None, map=None, added=None, **changes):
        return name, files, changes, config, settings, map, added

    def metaspace(scheme, **more):
        return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True, **more}

    def sequence(key, *steps):
        return {"type": "Sequence", key: list(steps)}

    # Unigram, by tokenizer.json
    file, precompiled, two = {"tokenizer.json": "unigram.json"}, {"type": "Precompiled", "precompiled_charsmap": table}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    words, llama = {"type": "WhitespaceSplit"}, {"model_type": "llama"}
    quotes = [{"type": "Replace", "pattern": {"String": "``"}, "content": '"'}, {"type": "Replace", "pattern": {"String": "''"}, "content": '"'}]
    model = json.load(open(os.path.join(HERE, "unigram.json"), encoding="utf-8"))["model"]
    yield row("Unigram", file, llama)
    for scheme in ("first", "never"):
        yield row(f"Unigram, a prefix {scheme}", file, llama, pre_tokenizer=metaspace(scheme), decoder=metaspace(scheme))
    yield row("Unigram, a prefix first after what moves text", file, llama, normalizer=sequence("normalizers", {"type": "Strip", "strip_left": True, "strip_right": True}, precompiled, two),
              pre_tokenizer=sequence("pretokenizers", {"type": "Punctuation", "behavior": "Isolated"}, metaspace("first")))
    yield row("Unigram as ALBERT's", file, llama, normalizer=sequence("normalizers", *quotes, {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, precompiled, two),
              pre_tokenizer=sequence("pretokenizers", words, metaspace("always")), post_processor={"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]})
    yield row("Unigram as XLM-R's", file, llama, normalizer=precompiled, pre_tokenizer=sequence("pretokenizers", words, metaspace("always")),
              post_processor={"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": False, "add_prefix_space": True})
    spelled = [[f"<0x{b:02X}>", 0.0] for b in range(256)]
    yield row("Unigram with bytes", file, llama, model={**model, "vocab": model["vocab"] + spelled, "byte_fallback": True}, normalizer=None,
              decoder=sequence("decoders", {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}))
    yield row("Unigram with equally good ways", file, llama, normalizer=None, pre_tokenizer=None,
              model={"unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -2.5123456789], ["aa", -4.0246913578], ["aaa", -6.3], ["h", -1.1], ["e", -1.3], ["he", -2.4000000000000004], ["l", -3.3], ["ll", -6.6], ["hell", -11.0], ["t", -15.774467468261719], ["th", -18.728811264038086], ["the", -18.8]]})
    for name, config, settings in (("T5Tokenizer", {"model_type": "t5"}, {}), ("T5Tokenizer", {"model_type": "t5"}, {"extra_ids": 3, "extra_special_tokens": None}), ("T5Tokenizer", {"model_type": "mt5"}, {"additional_special_tokens": ["<x>"]}),
                                   ("XLMRobertaTokenizer", {"model_type": "xlm-roberta"}, {}), ("XLMRobertaTokenizer", {"model_type": "xlm-roberta"}, {"add_prefix_space": False}),
                                   ("XGLMTokenizer", {"model_type": "xglm"}, {}), ("AlbertTokenizer", {"model_type": "albert"}, {"cls_token": "<s>", "sep_token": "</s>"}),
                                   ("AlbertTokenizer", {"model_type": "albert"}, {"cls_token": "<s>", "sep_token": "</s>", "keep_accents": True, "do_lower_case": False})):
        yield row(f"{name} {json.dumps(settings)}", file, config, settings)
    yield row("AlbertTokenizer without a post-processor", file, {"model_type": "albert"}, {"cls_token": "<s>", "sep_token": "</s>"}, post_processor=None)
    # SentencePiece
    decoder = {str(id): token(content, **flags) for id, content, flags in [(0, "<unk>", {}), (5, "<REN>", {"normalized": True, "special": False}), (6, "the", {"special": False}), (700, "<|im_start|>", {}), (650, "<norm>", {"normalized": True, "special": False})]}
    for stored in ("unigram.model", "merging.model", "plain.model"):
        model = {"tokenizer.model": stored}
        yield row(f"{stored} LlamaTokenizer", model, llama, {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True})
        yield row(f"{stored} LlamaTokenizer, legacy, no prefix", model, llama, {"tokenizer_class": "LlamaTokenizerFast", "legacy": True, "add_prefix_space": False, "additional_special_tokens": ["<x>"]})
        yield row(f"{stored} CodeLlamaTokenizer", model, llama, {"tokenizer_class": "CodeLlamaTokenizer"})
        yield row(f"{stored} GemmaTokenizer", model, {"model_type": "gemma2"}, {"add_bos_token": True, "add_eos_token": True})
        yield row(f"{stored} TokenizersBackend", model, llama)
        yield row(f"{stored} TokenizersBackend, not legacy", model, {"model_type": "internlm2"}, {"tokenizer_class": "LlamaTokenizer", "legacy": False, "add_bos_token": True})
        yield row(f"{stored} TokenizersBackend, tokens with ids", model, {"model_type": "phi3"}, {"tokenizer_class": "LlamaTokenizer", "added_tokens_decoder": decoder, "add_eos_token": True, "eos_token": "<|im_start|>", "bos_token": None})
        yield row(f"{stored} TokenizersBackend, older files", model, {"model_type": "minicpm3"}, {"tokenizer_class": "LlamaTokenizer"}, {"eos_token": "<|im_end|>", "additional_special_tokens": ["<y>"]}, {"<|im_end|>": 800, "<x>": 601})
        yield row(f"{stored} T5Tokenizer", {"spiece.model": stored}, {"model_type": "t5"}, {"extra_ids": 4})
        yield row(f"{stored} XLMRobertaTokenizer", {"sentencepiece.bpe.model": stored}, {"model_type": "xlm-roberta"}, {"mask_token": "<M>"})
        yield row(f"{stored} XGLMTokenizer", model, {"model_type": "xglm"})
    # tekken.json; vocab.json and merges.txt
    tekken, merges = {"tekken.json": "tekken.json"}, {"vocab.json": "vocab.json", "merges.txt": "merges.txt"}
    yield row("tekken.json", tekken, {"model_type": "ministral3"}, {"tokenizer_class": "TokenizersBackend", "bos_token": "<s>", "eos_token": "</s>", "add_bos_token": True})
    yield row("tekken.json alone", tekken, {"model_type": "mistral"})
    yield row("tekken.json LlamaTokenizer", tekken, llama, {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": True, "additional_special_tokens": ["<x>"]})
    for name, settings in (("GPT2Tokenizer", {"add_bos_token": True, "add_prefix_space": True}), ("GPT2Tokenizer", {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>"}), ("Qwen2Tokenizer", {"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]}),
                           ("GPTNeoXTokenizer", {"add_bos_token": True}), ("CodeGenTokenizer", {}), ("CohereTokenizer", {})):
        yield row(f"vocab.json {name} {json.dumps(settings)}", merges, {"model_type": "foo"}, {"tokenizer_class": name, **settings})


def find_places(made, text, ids):
    """How many ids end at or before each boundary of characters; None where only special tokens are."""
    encoding = made.backend_tokenizer.encode(text)
    special, count = encoding.special_tokens_mask, len(encoding.ids)
    first = next((i for i in range(count) if not special[i]), count)
    last = next((i for i in range(count, 0, -1) if not special[i - 1]), 0)
    assert encoding.ids == ids
    return None if first == count else [first + sum(end <= at for _, end in encoding.offsets[first:last]) for at in range(len(text) + 1)]


def main():
    assert transformers.__version__ == "5.24.0" and tokenizers.__version__ == "0.23.3", "recorded with other versions"
    assert sentencepiece.__version__ == "0.2.3" and importlib.util.find_spec("mistral_common") is None, "recorded with other libraries"
    train("unigram.model", rules=True)
    train("merging.model", rules=True, model_type="bpe", byte_fallback=True, user_defined_symbols=["<user>", "日本", "a b", "\n"], control_symbols=["[INST]"], vocab_size=600)
    train("plain.model", model_type="bpe", byte_fallback=True, vocab_size=600, remove_extra_whitespaces=False, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>",
          user_defined_symbols=["<mask>", "\n\n", "▁▁▁"])
    train_bytes()
    table = make_file()
    with open(os.path.join(HERE, "directories.jsonl"), "w", encoding="utf-8") as out, tempfile.TemporaryDirectory() as place:
        out.write(json.dumps({"texts": TEXTS}, ensure_ascii=False) + "\n")
        for name, files, changes, config, settings, map, added in directories(table):
            beside = {"config.json": config, "tokenizer_config.json": settings, "special_tokens_map.json": map, "added_tokens.json": added}
            beside = {key: value for key, value in beside.items() if value is not None}
            for other in os.listdir(place):
                os.remove(os.path.join(place, other))
            for target, stored in files.items():
                shutil.copy(os.path.join(HERE, stored), os.path.join(place, target))
            if changes:
                with open(place + "/tokenizer.json", encoding="utf-8") as file:
                    tree = json.load(file)
                with open(place + "/tokenizer.json", "w", encoding="utf-8") as file:
                    json.dump({**tree, **changes}, file, ensure_ascii=False)
            for target, value in beside.items():
                with open(os.path.join(place, target), "w", encoding="utf-8") as file:
                    json.dump(value, file, ensure_ascii=False)
            made = AutoTokenizer.from_pretrained(place)
            ids = [made(text)["input_ids"] for text in TEXTS]
            line = {"name": name, "class": type(made).__name__, "files": files, "changes": changes, "beside": beside, "ids": ids,
                    "plain": [made(text, add_special_tokens=False)["input_ids"] for text in TEXTS],
                    "decoded": [made.backend_tokenizer.decode(one, skip_special_tokens=True) for one in ids],
                    "places": [find_places(made, text, one) for text, one in zip(TEXTS, ids)]}
            if line["plain"] == ids:
                del line["plain"]
            out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
