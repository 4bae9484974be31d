"""One step of TRL's GRPOTrainer from an export, as anyone would begin one.

    handover.py EXPORT ROWS OUT

ROWS: lines of JSON with "prompt" and "answer", the demo pair's calibration rows. OUT: where the checkpoint after the step is
saved. The rewards are what `rejuv rollout --reward number` gives. Says what vLLM makes of the configuration where that is
installed. Exit status 1 where the step is not one: nothing was learnt, or something is not finite.
"""

import json
import re
import sys

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer

PROMPTS, GENERATIONS, TOKENS = 8, 8, 48


def last_number(text):
    numbers = re.findall(r"-?\d+(?:\.\d+)?", text)
    return numbers[-1] if numbers else None


def reward(completions, answer, **_):
    return [float(last_number(text) == wanted) for text, wanted in zip(completions, answer)]


def check_vllm(export):
    try:
        from vllm.config import ModelConfig
    except ImportError:
        print("vLLM: not installed, not asked")
        return
    config = ModelConfig(model=export, tokenizer=export, dtype="float32")
    print("vLLM:", config.hf_config.architectures, "of at most", config.max_model_len, "tokens")


def main(export, rows, out):
    check_vllm(export)
    with open(rows, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][:PROMPTS]
    data = Dataset.from_list([{"prompt": row["prompt"], "answer": row["answer"]} for row in rows])
    tokenizer = AutoTokenizer.from_pretrained(export)
    model = AutoModelForCausalLM.from_pretrained(export, dtype=torch.float32)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    arguments = GRPOConfig(
        output_dir=out + ".trainer", max_steps=1, seed=0, use_cpu=True, bf16=False,
        per_device_train_batch_size=PROMPTS * GENERATIONS, num_generations=GENERATIONS, max_completion_length=TOKENS,
        learning_rate=1e-4, lr_scheduler_type="constant", beta=0.0, logging_steps=1, save_strategy="no", report_to=[],
    )
    trainer = GRPOTrainer(
        model=model, processing_class=tokenizer, reward_funcs=reward, args=arguments, train_dataset=data
    )
    trainer.train()
    log = trainer.state.log_history[0]
    print(f"reward {log['reward']:.3f}, deviation {log['reward_std']:.3f}, "
          f"gradient {log['grad_norm']:.4g}")
    moved = [name for name, value in trainer.model.named_parameters() if not torch.equal(value, before[name])]
    finite = all(torch.isfinite(value).all() for value in trainer.model.parameters())
    print(f"{len(moved)} of {len(before)} tensors moved")
    trainer.save_model(out)
    return 0 if finite and moved and log["grad_norm"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
