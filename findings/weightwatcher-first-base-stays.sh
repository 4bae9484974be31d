#!/bin/sh
# weightwatcher 0.7.7 subtracts the base of the first call in all later ones: analyze(model, base_model) keeps a base_model where the object
# has none yet, and then neither takes another one nor leaves it out. The deltas of a second pair are of that pair's model and the first
# pair's base, and a model analysed alone afterwards is a delta too.
#     sh findings/weightwatcher-first-base-stays.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  weightwatcher 0.7.7, torch 2.15.0, transformers 5.24.0 (PyPI)"
echo "expected: base_model, \"None | same model with different weights and biases\": \"if specified, the base model weights [...] are subtracted\""

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q weightwatcher==0.7.7 torch==2.15.0 transformers==5.24.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import contextlib
import io
import logging
import sys

import torch

with contextlib.redirect_stdout(io.StringIO()):
    import weightwatcher

logging.disable(logging.CRITICAL)


def model(seed, base=None):
    torch.manual_seed(seed)
    new = torch.nn.Sequential(torch.nn.Linear(128, 96), torch.nn.Linear(96, 128))
    if base:
        for parameter, old in zip(new.parameters(), base.parameters()):
            parameter.data = old.data + 0.01 * parameter.data
    return new


def largest(watcher, **models):
    with contextlib.redirect_stdout(io.StringIO()):
        details = watcher.analyze(min_evals=10, **models)
    return [float(x) for x in details.sv_max]


def exact(model, base=None):
    return [float(torch.linalg.matrix_norm(a.weight - (base[i].weight if base else 0), 2)) for i, a in enumerate(model)]


bases = model(1), model(2)
tuned = [model(3 + i, base) for i, base in enumerate(bases)]
watcher = weightwatcher.WeightWatcher()
rows = [("first pair", largest(watcher, model=tuned[0], base_model=bases[0]), exact(tuned[0], bases[0])),
        ("second pair", largest(watcher, model=tuned[1], base_model=bases[1]), exact(tuned[1], bases[1])),
        ("second model alone", largest(watcher, model=tuned[1]), exact(tuned[1])),
        ("second pair, new object", largest(weightwatcher.WeightWatcher(), model=tuned[1], base_model=bases[1]), exact(tuned[1], bases[1]))]
for name, seen, right in rows:
    print(f"{'seen:     ' if name == 'first pair' else '          '}{name + ':':25} largest singular values of the two layers "
          + ", ".join(f"{x:.4f}" for x in seen) + "; they are " + ", ".join(f"{x:.4f}" for x in right))
crossed = exact(tuned[1], bases[0])


def same(a, b):
    return all(abs(x - y) < 1e-4 for x, y in zip(a, b))


print("          those of the second model less the first base:                   " + ", ".join(f"{x:.4f}" for x in crossed))
as_described = same(rows[0][1], rows[0][2]) and same(rows[1][1], crossed) and same(rows[2][1], crossed) and same(rows[3][1], rows[3][2])
sys.exit(0 if as_described and not same(crossed, rows[1][2]) and not same(crossed, rows[2][2]) else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
