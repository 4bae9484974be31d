"""Makes spectra.json: what others' programs say of the noise in, and of the tail of, singular values.

The values are numpy's, of matrices of seeds. Marchenko and Pastur's law is scikit-rmt's; powerlaw fits the exponent of each
tail that there could be, scipy has Kolmogorov's distance, by which the tail is chosen. The limit is Johnstone's (2001), written out.

    pip install numpy scipy scikit-rmt powerlaw && python3 make.py
"""
import json
import pathlib

import numpy
import powerlaw
from scipy import stats
from skrmt.ensemble.spectral_law import MarchenkoPasturDistribution

TAIL_LEAST, TRACY_WIDOM_99 = 10, 2.0234
RANGES = {"alpha": [1.0, numpy.inf]}  # otherwise powerlaw 2.0 stops at 3


def matrices():
    random = numpy.random.default_rng(20260609)
    spiked = random.normal(size=(64, 64)) * 0.1
    for size in (4.0, 3.0, 1.8):
        left, right = random.normal(size=(2, 64))
        spiked += size * numpy.outer(left / numpy.linalg.norm(left), right / numpy.linalg.norm(right))
    return {
        "noise": random.normal(size=(60, 90)) * 0.02,
        "spiked": spiked,
        "heavy": random.standard_t(1.5, size=(400, 51)),
        "rows": random.normal(size=(80, 100)) * (numpy.arange(80)[:, None] + 1.0) ** -0.8,
        "low": random.normal(size=(70, 20)) @ random.normal(size=(20, 90)),
    }


def fit_tail(squares):
    """The exponent, by the least of Kolmogorov's distances."""
    best = None
    for count in range(TAIL_LEAST, len(squares) + 1):
        tail = squares[:count]
        fit = powerlaw.Fit(tail, xmin=tail[-1], parameter_ranges=RANGES, verbose=False).power_law
        distance = stats.kstest(tail, stats.pareto(fit.alpha - 1.0, scale=tail[-1]).cdf).statistic
        if best is None or distance < best["distance"]:
            best = {"exponent": fit.alpha, "error": fit.sigma, "distance": distance, "count": count}
    return best


def describe(matrix):
    values = numpy.linalg.svd(matrix, compute_uv=False)
    shorter, longer = sorted(matrix.shape)
    values[values < longer * 2.0**-52 * values[0]] = 0.0
    law = MarchenkoPasturDistribution(ratio=shorter / longer, beta=1, sigma=1.0)
    quantiles = numpy.array([quantile(law, (i + 0.5) / shorter) for i in range(shorter)])[::-1]
    found = {"rows": matrix.shape[0], "columns": matrix.shape[1], "values": values.tolist()}
    found["tail"] = fit_tail(values[values > 0.0] ** 2)
    found["tail"]["of_noise"] = fit_tail(quantiles)["exponent"]
    if numpy.median(values) == 0.0:
        return found
    variance = numpy.median(values) ** 2 / (longer * quantile(law, 0.5))
    centre, scale = numpy.sqrt(longer - 1) + numpy.sqrt(shorter), 1 / numpy.sqrt(longer - 1) + 1 / numpy.sqrt(shorter)
    limit = numpy.sqrt(variance * (centre**2 + TRACY_WIDOM_99 * centre * numpy.cbrt(scale)))
    found["noise"] = {
        "variance": variance,
        "edge": numpy.sqrt(variance) * (numpy.sqrt(longer) + numpy.sqrt(shorter)),
        "limit": limit,
        "above": int((values > limit).sum()),
        "distance": stats.kstest(values**2 / (variance * longer), law.cdf).statistic,
    }
    return found


def quantile(law, share):
    """By halving scikit-rmt's distribution function: its own ppf stops at 1e-8."""
    low, high = 0.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if law.cdf(numpy.array([middle]))[0] < share else (low, middle)
    return (low + high) / 2


def main():
    path = pathlib.Path(__file__).with_name("spectra.json")
    found = {name: describe(matrix) for name, matrix in matrices().items()}
    path.write_text(json.dumps(found, indent=1) + "\n")
    for name, facts in found.items():
        print(name, facts.get("noise"), facts["tail"])


if __name__ == "__main__":
    main()
