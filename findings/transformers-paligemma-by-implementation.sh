#!/bin/sh
# transformers 5.24.0 generates other tokens with a PaliGemma under attn_implementation="eager" than under "sdpa": where there are no
# token_type_ids, as the processor leaves them out for a prompt, eager hides later tokens of image and prompt from earlier ones, and
# sdpa shows them. One padded row in the batch, and sdpa hides them too.
#     sh findings/transformers-paligemma-by-implementation.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: full attention over image and prompt, causal behind them (Beyer et al. 2024), the same whichever implementation computes it"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import sys

import torch
from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

IMAGE = 60
torch.set_grad_enabled(False)


def build(implementation):
    torch.manual_seed(1)
    config = PaliGemmaConfig(
        vision_config=dict(hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2, image_size=28,
                           patch_size=14, projection_dim=32),
        text_config=dict(model_type="gemma", vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
                         num_attention_heads=2, num_key_value_heads=1, head_dim=16, initializer_range=0.3, pad_token_id=0),
        image_token_id=IMAGE, projection_dim=32, hidden_size=32)
    return PaliGemmaForConditionalGeneration._from_config(config, attn_implementation=implementation).eval()


ids = torch.tensor([[IMAGE] * 4 + [2, 17, 31, 22, 9, 40]])
pixels = torch.randn(1, 3, 28, 28, generator=torch.Generator().manual_seed(2))
padded = torch.cat([torch.zeros(1, 2, dtype=torch.long), ids], 1)
logits, written = {}, {}
for name in ("eager", "sdpa"):
    model = build(name)
    ones = torch.ones_like(ids)
    logits[name] = model(input_ids=ids, pixel_values=pixels, attention_mask=ones).logits
    logits[name, "prefix"] = model(input_ids=ids, pixel_values=pixels, attention_mask=ones, token_type_ids=0 * ones).logits
    logits[name, "padded"] = model(input_ids=padded, pixel_values=pixels, attention_mask=(padded != 0).long()).logits[:, 2:]
    out = model.generate(input_ids=ids, pixel_values=pixels, attention_mask=ones, max_new_tokens=4, do_sample=False)
    written[name] = out[0, ids.shape[1]:].tolist()
far = lambda a, b: float((a - b).abs().max() / logits["sdpa"].abs().max())
print(f"seen:     image and prompt, greedy: eager writes {written['eager']}, sdpa {written['sdpa']}; the logits are {far(logits['eager'], logits['sdpa']):.2f} "
      "of the largest apart,")
print(f"          with token_type_ids 0 {far(logits['eager', 'prefix'], logits['sdpa', 'prefix']):.0e}; two pads before the same row move sdpa's by "
      f"{far(logits['sdpa', 'padded'], logits['sdpa']):.2f}, eager's by {far(logits['eager', 'padded'], logits['eager']):.0e}")
fits = far(logits["eager"], logits["sdpa"]) > 0.1 and written["eager"] != written["sdpa"] and far(logits["sdpa", "prefix"], logits["sdpa"]) < 1e-4
fits &= far(logits["eager", "prefix"], logits["sdpa", "prefix"]) < 1e-4 and far(logits["sdpa", "padded"], logits["sdpa"]) > 0.1
sys.exit(0 if fits and far(logits["eager", "padded"], logits["eager"]) < 1e-4 else 1)
PYTHON
if HF_HUB_OFFLINE=1 "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
