"""method/without-gradients.json: dormancy of pairs of make_dense.py through which gradients have no way back, in float64 (DESIGN: s_j).

    python make_dense_dormancy.py        transformers 5.24.0, torch; no network; after make_dense.py

For each pair its SFT model's scores of the inputs of each MLP's last matrix and of attention's, {"down"|"o": {LAYER: [score]}}, over
the ids in the file; experts are left out.
"""
import json, os, torch, transformers
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dense")
IDS = [1, 7, 3, 9, 4, 11]
PAIRS = ["opt"]
MODULES = {"fc2": "down", "out_proj": "o"}


def measure(name):
    model = AutoModelForCausalLM.from_pretrained(f"{HERE}/{name}/sft", attn_implementation="eager",
                                                 experts_implementation="eager", dtype=torch.float64).eval()
    scores = {"down": {}, "o": {}}

    def listen(module, kind, layer):
        def hook(_, inputs):
            mean = inputs[0].reshape(-1, inputs[0].shape[-1]).abs().mean(0)
            scores[kind][layer] = (mean / (mean.mean() + 1e-9)).tolist()
        module.register_forward_pre_hook(hook)

    for path, module in model.named_modules():
        *above, leaf = path.split(".")
        numbers = [part for part in above if part.isdigit()]
        kind = MODULES.get(leaf)
        is_attention = any(part in ("self_attn", "attention", "temporal_block") for part in above)
        if len(numbers) == 1 and kind is not None and isinstance(module, torch.nn.Linear) and (kind == "down" or is_attention):
            listen(module, kind, numbers[0])
    with torch.no_grad():
        model(input_ids=torch.tensor([IDS]), use_cache=False)
    return scores


json.dump({"ids": IDS, "pairs": {name: measure(name) for name in PAIRS}}, open(os.path.join(HERE, "..", "method", "without-gradients.json"), "w"))
