#!/bin/sh
# TRL 1.16.0's accuracy_reward takes "raw-text solutions", and math-verify 0.9.0 reads LaTeX only between dollars or in a box: outside of
# them it knows a fraction, and of all else it takes a number that it finds. A solution 2\sqrt{2} is then 2, and 3\pi is 3. The right
# answer earns 0, and a wrong one 1. The example in the documentation has a fraction.
#     sh findings/trl-reward-of-raw-solution.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  trl 1.16.0, math-verify 0.9.0, latex2sympy2-extended 1.11.0, sympy 1.14.0 (PyPI)"
echo "expected: \"solution: List of the raw-text solutions\": 1 for the solution's value; None where the solution cannot be parsed"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q --no-deps trl==1.16.0 math-verify==0.9.0 latex2sympy2_extended==1.11.0 \
            antlr4-python3-runtime==4.13.2 sympy==1.14.0 mpmath==1.3.0 packaging==26.4
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import logging
import sys

logging.disable(logging.CRITICAL)
from math_verify import parse
from trl.rewards import accuracy_reward

parse(r"$\sqrt{2}$", parsing_timeout=None)  # the first takes long, and later ones are given ten seconds


def reward(solution, answer):
    return accuracy_reward([[{"role": "assistant", "content": f"The answer is $\\boxed{{{answer}}}$."}]], [solution])[0]


cases = [(r"\frac{1}{3}", r"\frac{2}{3}"), (r"2\sqrt{2}", "2"), (r"3\pi", "3"), (r"2^{10}-1", "2"), (r"1+\sqrt{5}", "1")]
rows = []
for solution, wrong in cases:
    row = [reward(solution, solution), reward(solution, wrong), reward(f"${solution}$", solution), reward(f"${solution}$", wrong)]
    print(f"{'' if rows else 'seen:':9} solution {solution:12} the same answered {row[0]:.0f}, {wrong:12} answered {row[1]:.0f}; between dollars {row[2]:.0f} and {row[3]:.0f}")
    rows.append(row)
sys.exit(0 if rows[0] == [1, 0, 1, 0] and all(row == [0, 1, 1, 0] for row in rows[1:]) else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
