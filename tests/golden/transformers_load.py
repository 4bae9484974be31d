"""Compares an export with the blend that torch computes: transformers_load.py BASE SFT ALPHA EXPORT

Every parameter must be equal to the bit, and so must the logits of a few tokens: the same program runs the same
weights. The tokenizer must load and come back to the text it was given.
"""
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def load(directory):
    return AutoModelForCausalLM.from_pretrained(directory, dtype=torch.bfloat16).eval()


def blend(sft, base, alpha):
    """fma(1 - a, b, fma(a, s, 0)) in float32, each rounded once, through float64, which holds the products exactly."""
    a = torch.tensor(alpha, dtype=torch.float32).double()
    rest = torch.tensor(1.0 - alpha, dtype=torch.float32).double()
    product = (a * sft.double()).float()
    return (rest * base.double() + product.double()).float().to(torch.bfloat16)


def main():
    base_directory, sft_directory, alpha, export_directory = sys.argv[1:]
    base, sft, export = load(base_directory), load(sft_directory), load(export_directory)
    wanted = {n: blend(p, base.state_dict()[n], float(alpha)) for n, p in sft.state_dict().items()}
    found = export.state_dict()
    assert sorted(wanted) == sorted(found), "the parameters have other names"
    for name in wanted:
        assert found[name].dtype == torch.bfloat16, f"{name}: {found[name].dtype}"
        assert torch.equal(wanted[name].view(torch.int16), found[name].view(torch.int16)), f"{name} differs"

    sft.load_state_dict(wanted)
    ids = torch.tensor([[1, 17, 42, 300, 7, 256, 99, 3]])
    with torch.no_grad():
        expected, logits = sft(ids).logits, export(ids).logits
    assert torch.equal(expected, logits), f"logits differ by {(expected - logits).abs().max()}"
    assert torch.isfinite(logits).all()

    tokenizer = AutoTokenizer.from_pretrained(export_directory)
    text = "What is 12 + 7?"
    assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True).strip() == text
    print(f"{export_directory}: {len(wanted)} parameters and {logits.numel()} logits are equal")


main()
