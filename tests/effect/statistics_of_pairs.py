"""Means with standard errors, and two tests of paired differences."""
from itertools import product
from math import comb, exp, inf, lgamma, pi, sqrt


def mean(values):
    return sum(values) / len(values)


def standard_error(values):
    """Of the mean, from the spread of independent values; none for one value."""
    if len(values) < 2:
        return None
    m = mean(values)
    return sqrt(sum((v - m) ** 2 for v in values) / (len(values) - 1) / len(values))


def sign_flip(differences):
    """Exact two-sided p of the mean: the share of the 2^n ways to give the differences signs that are as far from 0, or farther.
    With n differences it is never below 2 / 2^n."""
    seen = abs(sum(differences)) - 1e-12
    flips = [abs(sum(s * d for s, d in zip(signs, differences))) for signs in product((1, -1), repeat=len(differences))]
    return sum(f >= seen for f in flips) / len(flips)


def student(t, freedom):
    """Two-sided p of Student's t: 1 less the density's integral from -|t| to |t|, by Simpson's rule on x = t/sqrt(freedom)."""
    if t in (inf, -inf):
        return 0.0
    scale = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) / sqrt(pi)
    end, points = abs(t) / sqrt(freedom), 4000
    step = end / points
    weight = [1 if i in (0, points) else 4 if i % 2 else 2 for i in range(points + 1)]
    area = sum(w * (1 + (i * step) ** 2) ** (-(freedom + 1) / 2) for i, w in enumerate(weight)) * step / 3
    return max(0.0, 1 - 2 * scale * area)


def paired_t(differences):
    """Two-sided p of the paired t test; none for one difference."""
    error = standard_error(differences)
    if error is None:
        return None
    m = mean(differences)
    if error == 0:
        return 1.0 if m == 0 else 0.0
    return student(m / error, len(differences) - 1)


def pass_at(k, right, count):
    """The unbiased estimate 1 - C(n - c, k) / C(n, k) from c right ones of n answers to one prompt."""
    return 1 - comb(count - right, k) / comb(count, k)
