"""Writes samples.jsonl: prompts of messages as apply_chat_template of transformers makes ids of them, with its generation prompt,
and responses beside them (README.md). Run with transformers 5.24.0: python make_samples.py > samples.jsonl"""
import json
import pathlib

from transformers import AutoTokenizer

FAMILIES = pathlib.Path(__file__).parent.parent / "tokenizers"
NAMES = ["gpt2", "llama3", "qwen3", "mistral"]

TEMPLATES = {
    "plain": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
    "begins": "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% if enable_thinking is defined and not enable_thinking %}<none>{% endif %}{% endif %}",
    "tools": "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}",
}

TOOL = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}}}

PROMPTS = [
    {"prompt": [{"role": "user", "content": "What is 2+2?"}]},
    {"prompt": [{"role": "system", "content": "Be terse."}, {"role": "user", "content": " Straße, 日本語 🙂\n"}],
     "chat_template_kwargs": {"enable_thinking": False}},
    {"prompt": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "3+3"}],
     "tools": [TOOL]},
]
RESPONSES = ["4", " It is\n\n6 🙂"]


def main():
    for name in NAMES:
        tokenizer = AutoTokenizer.from_pretrained(FAMILIES / name)
        for template in TEMPLATES.values():
            for prompt in PROMPTS:
                made = tokenizer.apply_chat_template(
                    prompt["prompt"], chat_template=template, tools=prompt.get("tools"), add_generation_prompt=True,
                    return_dict=True, **prompt.get("chat_template_kwargs", {}))
                responses = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in RESPONSES]
                row = {**prompt, "responses": RESPONSES, "data_source": "made", "reward_model": {"ground_truth": "4"}}
                line = {"family": name, "template": template, "row": row, "prompt_ids": made["input_ids"], "responses": responses}
                print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


main()
