"""What the figures rest on, checked before every run: it takes seconds."""
import torch

import grpo
from statistics_of_pairs import paired_t, pass_at, sign_flip, student


def near(name, seen, expected, within):
    if abs(seen - expected) > within:
        raise SystemExit(f"check failed: {name} is {seen}, not {expected}")


def check_figures():
    # (1 - 1/4) / (1/2 + 1e-6): the std of 1 0 0 0 with n - 1 is 1/2
    near("the advantage of one right answer of four", grpo.advantages([1.0, 0.0, 0.0, 0.0])[0], 0.75 / (0.5 + 1e-6), 1e-12)
    near("the advantage in an equal group", max(map(abs, grpo.advantages([1.0, 1.0, 1.0]))), 0, 0)
    near("pass@2 with 1 right of 4", pass_at(2, 1, 4), 0.5, 1e-12)
    near("p of t = 2.7764 with 4 degrees", student(2.7764451, 4), 0.05, 1e-6)
    near("p of t = 12.7062 with 1 degree", student(12.7062047, 1), 0.05, 1e-6)
    near("sign flips of five positive differences", sign_flip([1, 2, 3, 4, 5]), 2 / 32, 0)
    near("sign flips of 1 and -1", sign_flip([1, -1]), 1, 0)
    near("paired t of 1 2 3 4 5", paired_t([1, 2, 3, 4, 5]), 0.013236, 1e-5)


def check_sampling(model, world):
    """Batches, shared caches and rows that leave change nothing; log-probabilities are those of a forward pass without a cache."""
    problems = world.problems("check", 0, 6, set())
    greedy = grpo.sample(model, [p.ids for p in problems], 1, world.most, world.end, greedy=True)
    for problem, (answer,) in zip(problems, greedy):
        logs, here = grpo.token_logs(model, [answer], world.end)
        near("a greedy answer's log-probability", sum(answer.log_probabilities), float(logs[here].sum()), 1e-2)
    generator = torch.Generator(device=model.device).manual_seed(1)
    groups = grpo.sample(model, [p.ids for p in problems], 4, world.most, world.end, generator)
    answers = [a for group in groups for a in group]
    logs, here = grpo.token_logs(model, answers, world.end)
    for i, answer in enumerate(answers):
        row = logs[i][here[i]].tolist()
        if answer.prompt != problems[i // 4].ids or len(row) != len(answer.response):
            raise SystemExit("check failed: an answer is not of its prompt, or of another length")
        for seen, expected in zip(answer.log_probabilities, row):
            near("a sampled token's log-probability", seen, expected, 1e-2)


def check_step(model, world):
    """At ratio 1 the loss is -mean of A, and its gradient lowers what it should: a step along it raises a right answer."""
    problem = world.problems("check", 1, 1, set())[0]
    generator = torch.Generator(device=model.device).manual_seed(2)
    group = grpo.sample(model, [problem.ids], 4, world.most, world.end, generator)[0]
    rewards = [1.0, 0.0, 0.0, 0.0]
    gains = grpo.advantages(rewards)
    tokens = sum(len(a.response) for a in group)
    expected = -sum(g * len(a.response) for a, g in zip(group, gains)) / tokens
    near("the loss at hand-over", float(grpo.surrogate(model, group, gains, tokens, world.end)), expected, 1e-3)
    before = sum(group[0].log_probabilities)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    grpo.update(model, optimizer, [group], [rewards], world.end)
    logs, here = grpo.token_logs(model, group[:1], world.end)
    if float(logs[here].sum()) <= before and any(a.response != group[0].response for a in group):
        raise SystemExit("check failed: an update made the right answer no more likely")


def check(model, world):
    """The model is changed by it."""
    check_figures()
    with torch.no_grad():
        check_sampling(model, world)
    check_step(model, world)
