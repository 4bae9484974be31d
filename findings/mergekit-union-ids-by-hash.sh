#!/bin/sh
# mergekit 0.1.5 numbers the tokens of a union of tokenizers by the hash of the models' paths, which Python salts anew in every process: the
# same merge, run again, gives added tokens other ids, and embeddings whose rows lie in another order. Without base_model it also chooses by
# that hash whose tokenizer the union begins with. It goes through the models as a set. (Before Python 3.12 PYTHONHASHSEED does not hold it
# still either: the hash of None is an address.)
#     sh findings/mergekit-union-ids-by-hash.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mergekit 0.1.5, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: a merge without random parts, run twice on the same files, gives the same model; without base_model the first one listed leads"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q mergekit==0.1.5 transformers==5.24.0 torch==2.15.0 tokenizers==0.23.3 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/make.py" <<'PYTHON'
import torch
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

for seed, name in enumerate(("one", "two", "three", "four", "five", "six")):
    special = [f"<{name}>", f"<end of {name}>"]
    words = Tokenizer(models.WordLevel({token: i for i, token in enumerate([f"w{i}" for i in range(20)] + special)}, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="w0", additional_special_tokens=special).save_pretrained(name)
    torch.manual_seed(seed)
    LlamaForCausalLM(LlamaConfig(vocab_size=22, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                                 num_attention_heads=2)).save_pretrained(name)
PYTHON
cat >"$folder/merge.py" <<'PYTHON'
import hashlib
import pathlib
import sys

from mergekit.config import MergeConfiguration
from mergekit.merge import MergeOptions, run_merge
from transformers import AutoTokenizer

names = ["one", "two", "three", "four", "five", "six"]
for base in ({}, {"base_model": "one"}):
    config = {"models": [{"model": name, "parameters": {"weight": 1}} for name in names], "merge_method": "linear", "dtype": "float32",
              "tokenizer": {"source": "union"}, **base}
    out = f"{'with' if base else 'without'}.{sys.argv[1]}"
    run_merge(MergeConfiguration.model_validate(config), out, MergeOptions(write_model_card=False))
    ids = AutoTokenizer.from_pretrained(out).get_vocab()
    weights = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(pathlib.Path(out).glob("*.safetensors")))).hexdigest()
    added = " ".join(f"{token} {i}" for token, i in sorted(ids.items(), key=lambda item: item[1]) if token[1:-1] in names)
    pathlib.Path(out + ".ids").write_text(f"{added} {weights[:8]}\n")
PYTHON
cd "$folder" || exit 2
export HF_HUB_OFFLINE=1
unset PYTHONHASHSEED
"$folder/python/bin/python" -W ignore make.py 2>"$folder/log" || {
    tail -n 3 "$folder/log"
    exit 2
}
for run in 1 2 3 4; do
    "$folder/python/bin/python" -W ignore merge.py $run >log.$run 2>&1 &
done
wait
for base in without with; do
    echo "seen:     4 runs $base base_model: $(cat $base.?.ids | sort -u | wc -l) models; ids of the models' own tokens, and SHA-256 of the weights:"
    cat $base.?.ids | sed 's/^/          /'
done
led=$(cat without.?.ids | awk '{ print $1 }' | sort -u | wc -l)
echo "          without base_model the union began with the tokens of $led different ones of the six"
if [ "$(cat with.?.ids | wc -l)" = 4 ] && [ "$(cat with.?.ids | sort -u | wc -l)" -gt 1 ] && [ "$led" -gt 1 ]; then
    echo "as described"
else
    tail -n 1 log.?
    echo "CHANGED"
    exit 1
fi
