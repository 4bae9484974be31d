#!/bin/sh
# math-verify 0.9.0 takes i for an unknown and a degree for nothing: (1+i)^2 is not 2i to it, and the cosine of 60 degrees is that of 60
# radians. What it calls equal are complex numbers written alike.
#     sh findings/math-verify-i-is-a-letter.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  math-verify 0.9.0, latex2sympy2-extended 1.11.0, sympy 1.14.0 (PyPI)"
echo "expected: answers of one value are equal, as \\frac{1}{2} and 0.5 are"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q --no-deps math-verify==0.9.0 latex2sympy2_extended==1.11.0 \
            antlr4-python3-runtime==4.13.2 sympy==1.14.0 mpmath==1.3.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/run.py" <<'PYTHON'
import logging
import sys

logging.disable(logging.CRITICAL)
from math_verify import parse, verify

parse(r"$\sqrt{2}$", parsing_timeout=None)  # the first takes long, and later ones are given five seconds

equal = lambda gold, answer: verify(parse(f"${gold}$"), parse(f"${answer}$"))
same = [(r"\frac{1}{2}", "0.5"), ("2+3i", "3i+2"), (r"\sin \frac{\pi}{6}", r"\frac{1}{2}")]
lost = [("2i", "(1+i)^2"), ("-1", "i^2"), ("-i", r"\frac{1}{i}"), ("5", "|3+4i|"), ("2i", r"\sqrt{-4}"), (r"\frac{1}{2}", r"\cos 60^\circ")]
print("seen:     equal:     " + ", ".join(f"{a} and {b}" for a, b in same + lost if equal(a, b)))
print("          not equal: " + ", ".join(f"{a} and {b}" for a, b in same + lost if not equal(a, b)))
sys.exit(0 if all(equal(a, b) for a, b in same) and not any(equal(a, b) for a, b in lost) else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/run.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
