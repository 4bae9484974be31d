"""GRPO, small: sampling in batches from a cache of keys and values, and the update.

The definitions are verl's (algorithm.adv_estimator=grpo, loss_agg_mode=token-mean). Of a group of K answers to one prompt with
rewards r, each token of answer i has the advantage A = (r_i - mean) / (std + 1e-6), std with n - 1. The loss of one update is
-(1/N) sum min(q A, clip(q, 1 - CLIP, 1 + CLIP) A) over the N response tokens of its groups, q the probability of the token now over
that at sampling. There is no KL term. Groups whose rewards are all equal have A = 0: they count in N, and are not computed.
"""
from dataclasses import dataclass

import torch

CLIP = 0.2
LARGEST_GRADIENT = 1.0
BETAS = (0.9, 0.99)
WARM_UP = 5  # updates in which the learning rate rises to what it then stays at
ROWS_AT_ONCE = {"cpu": 256, "cuda": 2048}  # sequences that are decoded together
ROWS_TO_LEARN = {"cpu": 32, "cuda": 128}  # sequences of one backward pass; gradients of an update add up


@dataclass
class Answer:
    prompt: list  # ids
    response: list  # ids, with the end-of-text token where the model came to it
    log_probabilities: list  # of the response's tokens, when they were sampled


def padded(rows, side, fill):
    """Rows of ids as one matrix with its mask; side is where the filling goes."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), fill)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for i, row in enumerate(rows):
        place = slice(longest - len(row), longest) if side == "left" else slice(0, len(row))
        ids[i, place] = torch.tensor(row)
        mask[i, place] = 1
    return ids, mask


def choose(logits, greedy, generator):
    """Tokens by the logits at temperature 1, and their log-probabilities."""
    logs = torch.log_softmax(logits.float(), -1)
    if greedy:
        tokens = logs.argmax(-1)
    else:
        tokens = torch.multinomial(logs.exp(), 1, generator=generator)[:, 0]
    return tokens, logs.gather(1, tokens[:, None])[:, 0]


def decode(model, prompts, count, most, end, generator, greedy):
    """Answers to prompts, count to each, in their order. A prompt's cache is computed once; finished sequences leave the batch."""
    device = model.device
    ids, mask = (x.to(device) for x in padded(prompts, "left", end))
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    out = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1)
    cache = out.past_key_values
    if count > 1:
        cache.batch_repeat_interleave(count)
    logits = out.logits[:, -1].repeat_interleave(count, 0)
    mask = mask.repeat_interleave(count, 0)
    following = positions[:, -1].repeat_interleave(count, 0) + 1
    answers = [Answer(prompt, [], []) for prompt in prompts for _ in range(count)]
    living = torch.arange(len(answers), device=device)  # rows of the batch as indices of answers
    done = torch.zeros(len(answers), dtype=torch.bool, device=device)
    taken = []  # (rows, tokens, log-probabilities, which of them were not yet done)
    for step in range(most):
        tokens, logs = choose(logits, greedy, generator)
        taken.append((living, tokens, logs, ~done))
        done = done | (tokens == end)
        left = int((~done).sum())
        if left == 0 or step + 1 == most:
            break
        if left <= 0.75 * len(done):
            keep = (~done).nonzero()[:, 0]
            cache.batch_select_indices(keep)
            living, tokens, mask, following, done = living[keep], tokens[keep], mask[keep], following[keep], done[keep]
        mask = torch.cat((mask, mask.new_ones(len(mask), 1)), 1)
        out = model(input_ids=tokens[:, None], attention_mask=mask, position_ids=following[:, None], cache=cache,
                    use_cache=True)
        logits, cache, following = out.logits[:, -1], out.past_key_values, following + 1
    for step in taken:
        for row, token, log, alive in zip(*(x.tolist() for x in step)):
            if alive:
                answers[row].response.append(token)
                answers[row].log_probabilities.append(log)
    return answers


@torch.no_grad()
def sample(model, prompts, count, most, end, generator=None, greedy=False):
    """decode() in batches that fit. Prompts of like length go together, so that little is filled up."""
    model.eval()
    together = max(1, ROWS_AT_ONCE[model.device.type] // count)
    order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
    answers = [None] * len(prompts)
    for start in range(0, len(order), together):
        part = order[start:start + together]
        made = decode(model, [prompts[i] for i in part], count, most, end, generator, greedy)
        for k, i in enumerate(part):
            answers[i] = made[k * count:(k + 1) * count]
    return answers


def advantages(rewards):
    """Of one group: (r - mean) / (std + 1e-6), std with n - 1. A group of one has none."""
    if len(rewards) < 2:
        return [0.0] * len(rewards)
    r = torch.tensor(rewards, dtype=torch.float64)
    return ((r - r.mean()) / (r.std() + 1e-6)).tolist()


def token_logs(model, answers, end):
    """Log-probabilities of the responses' tokens, [rows, longest response], and which of those are tokens."""
    device = model.device
    ids, mask = padded([a.prompt + a.response for a in answers], "right", end)
    logits_from = min(len(a.prompt) for a in answers) - 1
    out = model(input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False,
                logits_to_keep=ids.shape[1] - logits_from)
    logs = torch.log_softmax(out.logits[:, :-1].float(), -1)
    logs = logs.gather(2, ids[:, logits_from + 1:, None].to(device))[:, :, 0]
    here = torch.zeros(logs.shape, dtype=torch.bool)
    for i, a in enumerate(answers):
        start = len(a.prompt) - 1 - logits_from
        here[i, start:start + len(a.response)] = True
    return logs, here.to(device)


def surrogate(model, answers, gains, tokens, end):
    """The loss of these answers with these advantages, of an update over that many tokens in all."""
    logs, here = token_logs(model, answers, end)
    old = torch.zeros(logs.shape, device=logs.device)
    gain = torch.zeros(logs.shape, device=logs.device)
    old[here] = torch.tensor([x for a in answers for x in a.log_probabilities], device=logs.device)
    gain[here] = torch.tensor([g for a, g in zip(answers, gains) for _ in a.response], dtype=torch.float32,
                              device=logs.device)
    ratio = (logs - old).exp()
    value = torch.minimum(ratio * gain, ratio.clamp(1 - CLIP, 1 + CLIP) * gain)
    return -value[here].sum() / tokens


def update(model, optimizer, groups, rewards, end):
    """One update over groups of answers. False where no group is mixed: there is nothing to learn, and nothing moves."""
    tokens = sum(len(a.response) for group in groups for a in group)
    learned = [(a, g) for group, r in zip(groups, rewards) if max(r) > min(r) for a, g in zip(group, advantages(r))]
    if not learned:
        return False
    learned.sort(key=lambda pair: len(pair[0].prompt) + len(pair[0].response))
    model.train()
    optimizer.zero_grad(set_to_none=True)
    together = ROWS_TO_LEARN[model.device.type]
    for start in range(0, len(learned), together):
        part = learned[start:start + together]
        surrogate(model, [a for a, _ in part], [g for _, g in part], tokens, end).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
    optimizer.step()
    return True


def train(model, world, problems, rate, settings, generator):
    """GRPO over problems, settings.prompts of them a step. Returns the mean reward of every step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=BETAS, weight_decay=0.0)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: min(1.0, (done + 1) / WARM_UP))
    curve = []
    for start in range(0, len(problems), settings.prompts):
        part = problems[start:start + settings.prompts]
        groups = sample(model, [p.ids for p in part], settings.samples, world.most, world.end, generator)
        rewards = [[world.reward(a.response, p) for a in group] for p, group in zip(part, groups)]
        curve.append(sum(map(sum, rewards)) / (len(part) * settings.samples))
        share = -(-len(part) // settings.updates)
        for i in range(0, len(part), share):  # the prompts of a step were drawn in no order, so its parts need no shuffling
            if update(model, optimizer, groups[i:i + share], rewards[i:i + share], world.end):
                warm_up.step()
    return curve
