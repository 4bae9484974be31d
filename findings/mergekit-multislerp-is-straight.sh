#!/bin/sh
# mergekit 0.1.5's `multislerp` does not interpolate on the sphere: it takes tangents at the weighted mean's direction, and their weighted
# sum is zero whatever the inputs. What comes back is always that direction, a straight average made as long as its inputs. Between two
# models that is not what `slerp` and `nuslerp` give for the same weights, and of three equal weights not what `karcher` does.
#     sh findings/mergekit-multislerp-is-straight.sh
# The wheel of torch is large: give it some minutes and 8 GB.
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  mergekit 0.1.5, torch 2.15.0 (PyPI)"
echo "expected: \"barycentric interpolation on a hypersphere\": between two vectors the arc, of which a weight of 0.1 goes a tenth"

{
    python3 -m venv "$folder/python" && "$folder/python/bin/pip" install -q mergekit==0.1.5 transformers==5.24.0 torch==2.15.0 numpy
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/merge.py" <<'PYTHON'
import math
import sys

import torch
from mergekit.merge_methods.api import merge_tensors

first, second = torch.tensor([1.0, 0.0, 0.0, 0.0]).double(), torch.tensor([0.0, 1.0, 0.0, 0.0]).double()
angle = lambda v: math.degrees(math.atan2(v[1], v[0]))
fits = True
for weight in (0.1, 0.25):
    weights = {"weight": [1 - weight, weight]}
    multi = merge_tensors([first, second], "multislerp", parameters=weights)
    nu = merge_tensors([first, second], "nuslerp", parameters=weights)
    plain = merge_tensors([first, second], "slerp", base_index=0, parameters={"t": weight})
    print(f"{'seen:' if weight == 0.1 else '':9} {weight} from 0 to 90 degrees: slerp {angle(plain):.2f}, nuslerp {angle(nu):.2f}, multislerp {angle(multi):.2f}")
    fits &= abs(angle(plain) - 90 * weight) < 1e-3 and abs(angle(nu) - 90 * weight) < 1e-3
    fits &= abs(angle(multi) - math.degrees(math.atan2(weight, 1 - weight))) < 1e-3

# three directions on one arc, at 0, 10 and 90 degrees: their mean on it is at a third of 100
three = [torch.tensor([math.cos(math.radians(a)), math.sin(math.radians(a)), 0.0, 0.0]).double() for a in (0, 10, 90)]
multi = merge_tensors(three, "multislerp", parameters={"weight": [1.0, 1.0, 1.0]})
karcher = merge_tensors(three, "karcher")
print(f"          the mean of 0, 10 and 90 degrees: karcher {angle(karcher):.2f}, multislerp {angle(multi):.2f}, of the straight average {angle(sum(three)):.2f}")
fits &= abs(angle(karcher) - 100 / 3) < 1e-2 and abs(angle(multi) - angle(sum(three))) < 1e-3 and abs(angle(multi) - 100 / 3) > 1
sys.exit(0 if fits else 1)
PYTHON
if "$folder/python/bin/python" -W ignore "$folder/merge.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
