#!/bin/sh
# transformers 5.24.0 marks other characters as the assistant's where a chat template has its generation block in a macro:
# the text is the same, and the mask that training is restricted to is moved to where the macro's text begins.
#     sh findings/transformers-generation-in-macro.sh
set -u
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
echo "package:  transformers 5.24.0, jinja2 3.1.6 (PyPI)"
echo "expected: {% generation %} marks what stands between it and {% endgeneration %}, in a macro as elsewhere"

{
    python3 -m venv "$folder/python" &&
        "$folder/python/bin/pip" install -q transformers==5.24.0 jinja2==3.1.6
} >"$folder/log" 2>&1 || {
    tail -n 3 "$folder/log"
    echo "cannot be installed here"
    exit 77
}

cat >"$folder/render.py" <<'PYTHON'
import sys

from transformers.utils.chat_template_utils import render_jinja_template

TURN = "<assistant> {%% generation %%}{{ %s }}{%% endgeneration %%}"
LOOP = "{%% for m in messages %%}{%% if m.role == 'assistant' %%}%s{%% else %%}<user> {{ m.content }} {%% endif %%}{%% endfor %%}"
PLAIN = LOOP % (TURN % "m.content")
MACRO = "{% macro turn(text) %}" + TURN % "text" + "{% endmacro %}" + LOOP % "{{ turn(m.content) }}"
TALK = [[{"role": "user", "content": "two and two?"}, {"role": "assistant", "content": "four"}]]

seen = []
for template in (PLAIN, MACRO):
    texts, spans = render_jinja_template(conversations=TALK, chat_template=template, return_assistant_tokens_mask=True)
    seen.append((texts[0], [texts[0][first:end] for first, end in spans[0]]))
print(f"seen:     one text, {seen[0][0]!r}; marked {seen[0][1]} by the block itself, {seen[1][1]} by the block in a macro")
sys.exit(0 if seen[0][0] == seen[1][0] and (seen[0][1], seen[1][1]) == (["four"], ["<ass"]) else 1)
PYTHON
if HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=critical "$folder/python/bin/python" "$folder/render.py" 2>"$folder/log"; then
    echo "as described"
else
    tail -n 3 "$folder/log"
    echo "CHANGED"
    exit 1
fi
