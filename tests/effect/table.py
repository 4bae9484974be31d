"""The table: every start before and after, and rejuv against each other one in pairs of a seed."""
from statistics_of_pairs import mean, paired_t, sign_flip, standard_error

FIGURES = (("reward", "training reward"), ("avg", "avg@{k}"), ("pass", "pass@{k}"), ("accuracy", "accuracy"), ("held_out", "held-out kinds"))


def add_training(given, run):
    """The mean reward of the first and the last pass over the pool, as figures before and after."""
    steps = max(1, min(given.pool // given.prompts, len(run["curve"]) // 2))
    run["before"]["reward"], run["after"]["reward"] = mean(run["curve"][:steps]), mean(run["curve"][-steps:])


def percent(values, sign=""):
    error = standard_error(values)
    text = f"{100 * mean(values):{sign}.1f}"
    return text if error is None else f"{text} ± {100 * error:.1f}"


def probability(p):
    return "–" if p is None else "< 0.001" if p < 0.0005 else f"{p:.3f}"


def row(cells):
    return "| " + " | ".join(cells) + " |\n"


def write_starts(given, rates, done):
    names = [name.format(k=given.k) for _, name in FIGURES]
    text = row(["start", "rate"] + [f"{name} {when}" for name in names for when in ("before", "after")])
    text += row(["---"] * (2 + 2 * len(names)))
    for start, runs in done.items():
        cells = [start, f"{rates[start]['rate']:g}"]
        for key, _ in FIGURES:
            cells += [percent([run[when][key] for run in runs]) for when in ("before", "after")]
        text += row(cells)
    return text


def write_pairs(given, done):
    text = row(["rejuv less", "figure", "after", "sign flip p", "paired t p", "gain", "sign flip p", "paired t p"])
    text += row(["---"] * 8)
    for start, runs in done.items():
        if start == "rejuv":
            continue
        for key, name in FIGURES:
            pairs = list(zip(done["rejuv"], runs))
            after = [a["after"][key] - b["after"][key] for a, b in pairs]
            gain = [x - (a["before"][key] - b["before"][key]) for x, (a, b) in zip(after, pairs)]
            cells = [start, name.format(k=given.k)]
            for values in (after, gain):
                cells += [percent(values, "+"), probability(sign_flip(values)), probability(paired_t(values))]
            text += row(cells)
    return text


def write(given, rates, done):
    for runs in done.values():
        for run in runs:
            add_training(given, run)
    about = (f"{given.world}: {given.seeds} seeds, {given.steps} steps of {given.prompts} × {given.samples} samples; percent, mean over "
             f"seeds ± standard error; the smallest p that {given.seeds} sign flips can give is {2 / 2 ** given.seeds:.3f}.\n\n")
    return about + write_starts(given, rates, done) + "\n" + write_pairs(given, done)
