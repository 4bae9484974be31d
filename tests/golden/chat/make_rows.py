"""Writes rows.jsonl: conversations as transformers renders, encodes and masks them (README.md). Run with transformers 5.24.0:
python make_rows.py > rows.jsonl"""
import json
import pathlib

from transformers import AutoTokenizer

FAMILIES = pathlib.Path(__file__).parent.parent / "tokenizers"
NAMES = ["gpt2", "llama2", "llama3", "qwen3", "gemma", "mistral", "phi3", "deepseek"]

TEMPLATES = {
    "blocks": "{% for m in messages %}[{{ m.role }}]{% if m.role == 'assistant' %}{% generation %}{{ m.content }}\n"
    "{% endgeneration %}{% else %}{{ m.content }}\n{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}",
    # tokens that cover what is before a turn and its beginning, or its end and what is behind
    "tight": "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% else %}{{ m.content }}{% endif %}{% endfor %}",
    "plain": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
    "tight plain": "{% for m in messages %}{{ m.content }}{% endfor %}",
}


def talk(*contents, first="user"):
    roles = ["user", "assistant"] if first == "user" else ["system", "user", "assistant"]
    return [{"role": roles[i % 2] if first == "user" else roles[0] if i == 0 else roles[1 + (i - 1) % 2], "content": c}
            for i, c in enumerate(contents)]


CONVERSATIONS = [
    talk("Hello", "Hi there"),
    talk("What is 2+2?", "4", "and 3+3?", "6 of course"),
    talk("un", "believ", "able", "ness", "es", "sing"),
    talk("  spaces ", " around\n\n", "x", " y "),
    talk("Straße", "日本語", "naïve", "🙂 ok", "e", "\u0301combining"),
    talk("You are terse.", "Name a colour", "red", "one more", "blue", first="system"),
    talk("12", "34", "56", "78"),
    talk("x:", "cafe\u0301", " 2 3", "na\u00efve", "e", "\u0301\u0323"),
]


def spans_by_rendering(tokenizer, template, messages):
    def render(part, asks):
        return tokenizer.apply_chat_template(part, chat_template=template, tokenize=False, add_generation_prompt=asks)

    spans, whole = [], render(messages, False)
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before, upto = render(messages[:i], True) if i else "", render(messages[: i + 1], False)
        assert upto.startswith(before) and whole.startswith(upto)
        spans.append((len(before), len(upto)))
    return whole, spans


def mask_of(encoded, count, spans):
    """As return_assistant_tokens_mask has it: every token that overlaps a span."""
    mask = [0] * count
    for token, (start, stop) in enumerate(encoded.encodings[0].offsets):
        if any(start < end and stop > first for first, end in spans if end > first):
            mask[token] = 1
    return mask


def main():
    for name in NAMES:
        tokenizer = AutoTokenizer.from_pretrained(FAMILIES / name)
        for key, template in TEMPLATES.items():
            for messages in CONVERSATIONS:
                if "generation %" in template:
                    made = tokenizer.apply_chat_template(
                        messages, chat_template=template, return_dict=True, return_assistant_tokens_mask=True)
                    ids, mask = made["input_ids"], made["assistant_masks"]
                else:
                    text, spans = spans_by_rendering(tokenizer, template, messages)
                    encoded = tokenizer(text, add_special_tokens=False)
                    ids, mask = encoded["input_ids"], mask_of(encoded, len(encoded["input_ids"]), spans)
                line = {"family": name, "template": template, "row": {"messages": messages}, "ids": ids, "mask": mask}
                print(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


main()
