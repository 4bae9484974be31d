#!/bin/sh
# powerlaw 2.0.0 fits no exponent above 3 unless told: of data whose exponent is 5 it says 3, with a standard error made of that.
#     sh findings/powerlaw-exponent-stops-at-3.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  powerlaw 2.0.0 (PyPI)"
echo "expected: the maximum-likelihood exponent, 1 + n / sum(ln(x / xmin)), which its paper (Alstott et al. 2014) has for continuous data"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q powerlaw==2.0.0
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/fit.py" <<'PYTHON'
import sys

import numpy
import powerlaw

# the quantiles of a power law of exponent 5 from 1 on
x = (1.0 - (numpy.arange(1000) + 0.5) / 1000) ** (-1.0 / 4.0)
exact = 1.0 + len(x) / numpy.log(x).sum()
plain = powerlaw.Fit(x, xmin=1.0, verbose=False).power_law.alpha
ranged = powerlaw.Fit(x, xmin=1.0, verbose=False, parameter_ranges={"alpha": [1.0, numpy.inf]}).power_law.alpha
print(f"seen:     by the formula {exact:.4f}, by Fit {plain:.4f}, by Fit with a range of [1, inf) {ranged:.4f}")
sys.exit(0 if abs(plain - 3.0) < 1e-3 and abs(ranged - exact) < 1e-3 else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/fit.py"; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
