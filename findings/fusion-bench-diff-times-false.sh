#!/bin/sh
# fusion-bench 0.2.33 gives the base model back where magnitude_diff_pruning is not to rescale, as its own configuration has it: what is
# left of the fine-tuned model's difference is multiplied by False. Where it is to (true, or the factor 1.0, which Python takes for true), it
# is multiplied by 1 / prune_ratio: pruning a tenth makes the rest ten times as large. Only null leaves it alone.
#     sh findings/fusion-bench-diff-times-false.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  fusion-bench 0.2.33, transformers 5.24.0, torch 2.15.0 (PyPI)"
echo "expected: with prune_ratio 0.5 and rescale false the larger half of the difference is added to the pretrained model, as it is;"
echo "          rescale of its DARE, true, is 1 / (1 - ratio), \"to maintain the original sum\""

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q fusion-bench==0.2.33 transformers==5.24.0 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import contextlib
import io
import os
import sys

import fusion_bench
import torch
from fusion_bench import BaseModelPool
from hydra.utils import instantiate
from omegaconf import OmegaConf

own = os.path.join(os.path.dirname(os.path.dirname(fusion_bench.__file__)), "fusion_bench_config", "method", "pruning", "magnitude_diff_pruning.yaml")
seen = {}
for name, changes in (("its own configuration", {}), ("rescale: null", {"rescale": None}), ("rescale: 1.0", {"rescale": 1.0}),
                      ("prune_ratio: 0.1, rescale: true", {"prune_ratio": 0.1, "rescale": True}),
                      ("prune_ratio: 0.9, rescale: true", {"prune_ratio": 0.9, "rescale": True})):
    torch.manual_seed(0)
    base, tuned = (torch.nn.Sequential(torch.nn.Linear(64, 64)) for _ in range(2))
    before, difference = base[0].weight.detach().clone(), (tuned[0].weight - base[0].weight).detach()
    config = OmegaConf.merge(OmegaConf.load(own), changes)
    with contextlib.redirect_stdout(io.StringIO()):
        pruned = instantiate(config).run(BaseModelPool({"_pretrained_": base, "tuned": tuned}))
    added = (pruned[0].weight - before).detach()
    kept = added != 0
    factor = float((added[kept] / difference[kept]).median()) if kept.any() else 0.0
    seen[name] = (float(kept.float().mean()), factor)
    setting = f" (prune_ratio: {config.prune_ratio}, rescale: {str(config.rescale).lower()})" if not changes else ""
    print(f"{'seen:     ' if not changes else '          '}{name + setting}: {seen[name][0]:.0%} of the difference is there, times {factor:.2f}")
expected = {"its own configuration": (0, 0), "rescale: null": (0.5, 1), "rescale: 1.0": (0.5, 2),
            "prune_ratio: 0.1, rescale: true": (0.9, 10), "prune_ratio: 0.9, rescale: true": (0.1, 1 / 0.9)}
sys.exit(0 if all(abs(seen[k][0] - share) < 0.02 and abs(seen[k][1] - factor) < 0.01 for k, (share, factor) in expected.items()) else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
