"""Does reinforcement learning go further from a rejuvenated checkpoint? GRPO on a small world from five starts.

    sh tests/effect/run.sh [OPTION ...]       README.md says what this shows, and what it does not

Everything that is finished is kept in OUT (runs.jsonl); the same command goes on where it was.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import time

import torch

import checks
import grpo
import table
import worlds
from statistics_of_pairs import mean, pass_at

os.environ.setdefault("HF_HUB_OFFLINE", "1")
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
STARTS = ("base", "sft", "rejuv", "fusion", "random")
TUNING = 1000  # the seed of everything that the learning rate is tuned on


def options():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "rejuv"), help="the program that exports")
    parser.add_argument("--world", choices=worlds.WORLDS, default="demo")
    parser.add_argument("--base", help="another pair of this world, with --sft and --calibration")
    parser.add_argument("--sft")
    parser.add_argument("--calibration")
    parser.add_argument("--make-pair", default=os.path.join(ROOT, "..", "shared", "real", "make_pair.py"),
                        help="the program that makes the pair of smollm2")
    parser.add_argument("--out", help="folder of exports, runs and the table (build/effect/WORLD)")
    parser.add_argument("--quick", action="store_true", help="check that it runs: the figures mean nothing")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="of GRPO")
    parser.add_argument("--pool", type=int, default=64, help="problems to learn from, again and again")
    parser.add_argument("--tuning-steps", type=int, default=10)
    parser.add_argument("--prompts", type=int, default=16, help="of a step")
    parser.add_argument("--samples", type=int, default=8, help="of a prompt, in training")
    parser.add_argument("--updates", type=int, default=1, help="of a step")
    parser.add_argument("--k", type=int, default=16, help="samples of a prompt, in measuring avg@K and pass@K")
    parser.add_argument("--measured", type=int, default=48, help="prompts of avg@K and pass@K")
    parser.add_argument("--greedy", type=int, default=128, help="prompts of accuracy, and half as many of the kinds held out")
    parser.add_argument("--rates", type=lambda text: tuple(map(float, text.split(","))), help="learning rates to choose from")
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--rho", type=float, default=0.01)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    given = parser.parse_args()
    if given.quick:
        given.seeds, given.steps, given.tuning_steps, given.prompts, given.samples = 2, 2, 1, 8, 4
        given.pool = 16
        given.k, given.measured, given.greedy = 4, 8, 16
    given.out = given.out or os.path.join(ROOT, "build", "effect", given.world + ("-quick" if given.quick else ""))
    return given


class Runs:
    """What is finished, by name, a line each. A folder holds runs of one setting; only seeds may be added."""

    def __init__(self, given, world):
        self.path = os.path.join(given.out, "runs.jsonl")
        apart = ("out", "program", "make_pair", "seeds", "threads", "device")
        settings = {k: v for k, v in sorted(vars(given).items()) if k not in apart} | {"rates": list(world.rates)}
        lines = []
        if os.path.exists(self.path):
            with open(self.path) as file:
                lines = [json.loads(line) for line in file if line.endswith("\n")]  # one that was cut off is done again
            if lines and lines[0] != settings:
                raise SystemExit(f"{self.path}: of other settings; name another folder with --out, or remove this file")
        if not lines:
            shutil.rmtree(os.path.join(given.out, "exports"), ignore_errors=True)  # they may be of other settings too
        os.makedirs(os.path.join(given.out, "exports"), exist_ok=True)
        lines = lines or [settings]
        with open(self.path, "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        self.known = {line["run"]: line for line in lines[1:]}

    def once(self, name, make):
        if name not in self.known:
            started = time.time()
            self.known[name] = {"run": name} | make()
            with open(self.path, "a") as file:
                file.write(json.dumps(self.known[name]) + "\n")
            print(f"{time.strftime('%H:%M:%S')} {name}, {time.time() - started:.0f} s", flush=True)
        return self.known[name]


def export(given, world, name, *dials):
    """A checkpoint by the program itself; its recipe's reset set."""
    out = os.path.join(given.out, "exports", name)
    if not os.path.exists(out):
        subprocess.run([given.program, "export", world.base, world.sft, "--alpha", str(given.alpha), "--calibration",
                        world.calibration, "--out", out, "--quiet", "--no-cache", "--threads", str(given.threads), *dials],
                       check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(out, "rejuvenation.json")) as file:
        return out, json.load(file)["settings"].get("reset")


def start_of(given, world, start, seed):
    """The directory that a start trains from. The random set is another one for every seed."""
    if start in ("base", "sft"):
        return getattr(world, start)
    if start == "fusion":
        return export(given, world, "fusion", "--rho", "0")[0]
    path, reset = export(given, world, "rejuv", "--rho", str(given.rho))
    if start == "rejuv":
        return path
    share = reset["selected"] / reset["neurons"]
    path, chance = export(given, world, f"random-{seed}", "--rho", repr(share), "--select", "random", "--seed", str(seed))
    if chance["selected"] != reset["selected"]:
        raise SystemExit(f"{path}: resets {chance['selected']} neurons, rejuv {reset['selected']}")
    return path


def load(given, path):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="sdpa").to(given.device)


def rewards_of(model, world, problems, count, generator=None):
    """[prompt][sample]; one greedy answer each without a generator."""
    answers = grpo.sample(model, [p.ids for p in problems], count, world.most, world.end, generator, generator is None)
    return [[world.reward(a.response, p) for a in group] for group, p in zip(answers, problems)]


def measure(given, model, world, sets, seed):
    """All figures of one state, on the problems of one seed."""
    groups = rewards_of(model, world, sets["measured"], given.k, generator_of(given, seed))
    return {
        "avg": mean([mean(g) for g in groups]),
        "pass": mean([pass_at(given.k, int(sum(g)), given.k) for g in groups]),
        "mixed": mean([float(max(g) > min(g)) for g in groups]),
        "accuracy": mean([g[0] for g in rewards_of(model, world, sets["greedy"], 1)]),
        "held_out": mean([g[0] for g in rewards_of(model, world, sets["held out"], 1)]),
    }


def lessons(given, world, stream, seed, steps, taken):
    """The problems of a training in the order of its steps: the pool, shuffled anew in every pass."""
    pool = world.problems(stream, seed, given.pool, taken)
    draw = random.Random(f"order {stream} {seed}")
    order = []
    while len(order) < steps * given.prompts:
        order += draw.sample(pool, len(pool))
    return order[:steps * given.prompts]


def generator_of(given, seed):
    return torch.Generator(device=given.device).manual_seed(seed)


def tune(given, world, start):
    """The learning rate by the mean reward after a short training, on prompts that nothing else uses."""
    taken = set(world.known)
    learned = lessons(given, world, "tuning", TUNING, given.tuning_steps, taken)
    judged = world.problems("judging", TUNING, given.measured, taken)
    found = {}
    for rate in world.rates:
        model = load(given, start_of(given, world, start, TUNING))
        grpo.train(model, world, learned, rate, given, generator_of(given, TUNING))
        groups = rewards_of(model, world, judged, given.k, generator_of(given, TUNING + 1))
        found[rate] = mean([mean(g) for g in groups])
    best = max(found, key=found.get)
    return {"rate": best, "rewards": [[rate, reward] for rate, reward in found.items()]}


def run(given, world, start, seed, rate):
    """One training. Problems depend on the seed alone, so that starts are compared in pairs."""
    taken = set(world.known)
    learned = lessons(given, world, "training", seed, given.steps, taken)
    sets = {"measured": world.problems("measured", seed, given.measured, taken),
            "greedy": world.problems("greedy", seed, given.greedy, taken),
            "held out": world.problems("held out", seed, given.greedy // 2, taken, True)}
    model = load(given, start_of(given, world, start, seed))
    before = measure(given, model, world, sets, seed)
    curve = grpo.train(model, world, learned, rate, given, generator_of(given, seed))
    return {"start": start, "seed": seed, "rate": rate, "before": before, "after": measure(given, model, world, sets, seed),
            "curve": curve}


def main():
    given = options()
    torch.set_num_threads(given.threads)
    os.makedirs(given.out, exist_ok=True)
    world = worlds.WORLDS[given.world](given)
    world.rates = given.rates or world.rates
    checks.check(load(given, world.sft), world)
    runs = Runs(given, world)
    rates = {start: runs.once(f"tune {start}", lambda: tune(given, world, start)) for start in STARTS}
    for seed in range(given.seeds):
        for start in STARTS:
            runs.once(f"{start} {seed}", lambda: run(given, world, start, seed, rates[start]["rate"]))
    done = [[runs.known[f"{start} {seed}"] for seed in range(given.seeds)] for start in STARTS]
    text = table.write(given, rates, dict(zip(STARTS, done)))
    with open(os.path.join(given.out, "table.md"), "w") as file:
        file.write(text)
    print("\n" + text, end="")


if __name__ == "__main__":
    main()
