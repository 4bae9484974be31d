#!/bin/sh
# verl 0.9.1 draws the answers of best@N from a prompt's N answers with replacement, all N of N too: with one right answer of eight, best@8 is
# not 1 but 1 - (7/8)^8 = 0.66 (as 1000 draws find it), where pass@8 is 1; best@2 of two answers, one of them right, is 0.75. And each such
# figure seeds numpy's generator of the whole process with 42: what is random after one validation is random in the same way after the next.
#     sh findings/verl-best-of-n-with-replacement.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  verl 0.9.1, torch 2.15.0 (PyPI)"
echo "expected: best@N of N answers is the best of the N (\"mean of the best values in bootstrap samples of size N\"), and best@k"
echo "          what pass@k is, 1 - C(n - c, k) / C(n, k) for c right ones of n"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q verl==0.9.1 torch==2.15.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import math
import sys

import numpy
from verl.trainer.ppo.metric_utils import process_validation_metrics


def metrics(right, answers):
    accuracies = [1.0] * right + [0.0] * (answers - right)
    return process_validation_metrics(["data"] * answers, ["prompt"] * answers, {"acc": accuracies})["data"]["acc"]


as_described = True
for right, answers in ((1, 2), (1, 8), (2, 8), (1, 16)):
    found, k, parts = metrics(right, answers), 2, []
    while k <= answers:
        exact, drawn = 1 - math.comb(answers - right, k) / math.comb(answers, k), 1 - (1 - right / answers) ** k
        best = float(found[f"best@{k}/mean"])
        parts.append(f"best@{k} {best:.3f} (pass@{k} {exact:.3f})")
        as_described = as_described and abs(best - drawn) < 0.06
        k *= 2
    as_described = as_described and exact == 1 and best < 0.95
    print(f"{'seen:     ' if answers == 2 else '          '}{right} of {answers} right: " + ", ".join(parts))
after = []
for seed in (1, 2):
    numpy.random.seed(seed)
    metrics(1, 8)
    after.append(numpy.random.random())
print(f"          numpy.random.random() after it, of a generator seeded with 1 and 2: {after[0]:.6f}, {after[1]:.6f}")
sys.exit(0 if as_described and after[0] == after[1] else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
