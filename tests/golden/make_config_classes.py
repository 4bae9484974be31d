"""Writes core/checkpoint/config_class_table.c: what transformers' configuration classes declare.

    python tests/golden/make_config_classes.py TYPE ... > core/checkpoint/config_class_table.c

Run with the version of transformers that the program follows (5.24.0). Without TYPE, for those that the table has.
"""
import dataclasses
import json
import os
import re
import sys
import types
import typing

import transformers
from transformers import CONFIG_MAPPING
from transformers.configuration_utils import PreTrainedConfig

TABLE = os.path.join(os.path.dirname(__file__), "../../core/checkpoint/config_class_table.c")
LETTERS = {type(None): "n", bool: "b", int: "i", float: "f", str: "t", dict: "o"}
COMMON = {field.name for field in dataclasses.fields(PreTrainedConfig)}

# names that __post_init__ takes out of what is left over, and puts in place of a field
LEFT_OVER = {"lfm2": {"block_ff_dim": "intermediate_size", "tie_embedding": "tie_word_embeddings"},
             "lfm2_moe": {"tie_embedding": "tie_word_embeddings"},
             "nemotron_h": {"mamba_n_groups": "n_groups", "mamba_d_conv": "conv_kernel", "mamba_expand": "expand",
                            "mamba_dt_min": "time_step_min", "mamba_dt_max": "time_step_max",
                            "mamba_dt_limit": "time_step_limit", "mamba_dt_init_floor": "time_step_floor",
                            "mamba_conv_bias": "use_conv_bias", "mamba_chunk_size": "chunk_size"}}

HEAD = """#include "core/checkpoint/config_class.h"

/* Written by tests/golden/make_config_classes.py with transformers %s: change that, not this. */
"""


def letters(annotation):
    """Types that a field may have, a letter each; "*" where it may have any."""
    if annotation is typing.Any:
        return "*"
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        found = {letters(part) for part in typing.get_args(annotation)}
        return "*" if "*" in found else "".join(sorted("".join(found)))
    if origin is typing.Literal:
        return "".join(sorted({LETTERS[type(value)] for value in typing.get_args(annotation)}))
    if origin is list:
        inner = typing.get_args(annotation)
        return {(int,): "I", (str,): "T"}.get(inner, "L")
    if annotation in LETTERS:
        return LETTERS[annotation]
    if annotation is list:
        return "L"
    if getattr(annotation, "__name__", "") == "RopeParameters" or origin is dict:
        return "o"
    return "*"


def default_of(field):
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        value = None
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        return "null"


def describe(kind):
    cls = CONFIG_MAPPING[kind]
    parts = []
    for field in dataclasses.fields(cls):
        if field.name in COMMON or field.name.startswith("_"):
            continue
        # a default that is an object of another class is a part of the model of its own
        text = default_of(field)
        parts.append(f"{field.name}:{letters(field.type)}={text}")
    parts += [f"@{name}={key}" for name, key in sorted(((cls.attribute_map or {}) | LEFT_OVER.get(kind, {})).items())]
    theta = getattr(cls, "default_theta", None)
    if isinstance(theta, dict):
        parts += [f"#theta={float(theta['global'])}", f"#local_theta={float(theta['local'])}"]
    elif isinstance(theta, (int, float)):
        parts += [f"#theta={float(theta)}", f"#local_theta={float(theta)}"]
    return parts


def wrap(parts, width=104):
    lines, line = [], ""
    for part in parts:
        text = part.replace("\\", "\\\\").replace('"', '\\"') + " "
        if line and len(line) + len(text) > width:
            lines.append(line)
            line = ""
        line += text
    return lines + [line.rstrip()]


def main():
    kinds = sys.argv[1:]
    if not kinds:
        kinds = re.findall(r'^    \{"([a-z0-9_]+)",$', open(TABLE).read(), re.M)
    print(HEAD % transformers.__version__)
    print("const ConfigClass CONFIG_CLASSES[] = {")
    for kind in sorted(set(kinds)):
        lines = "\n".join(f'     "{line}"' for line in wrap(describe(kind)))
        print(f'    {{"{kind}",\n{lines}}},')
    print("};\n")
    print("const size_t CONFIG_CLASS_COUNT = sizeof CONFIG_CLASSES / sizeof *CONFIG_CLASSES;")


main()
