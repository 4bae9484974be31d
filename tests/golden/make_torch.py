"""Files of torch.save(), and the same tensors by safetensors: what core/checkpoint/torch_file.h reads, and what it refuses.

    python make_torch.py OUT        (torch 2.15.0, safetensors 0.8.0)

Writes OUT/NAME.bin, and for what is read OUT/NAME.safetensors with the values that torch.load() gives, in order. Values are counted,
not drawn: the same script writes the same numbers.
"""
import collections, io, os, sys, zipfile

import torch
from safetensors.torch import save_file


def count(shape, dtype=torch.float32):
    n = 1
    for d in shape: n *= d
    return (torch.arange(n, dtype=torch.float32) * 0.37 - 3).to(dtype).reshape(shape)


def views():
    w = count((6, 5), torch.bfloat16)
    return {"whole": w, "rows": w[2:5], "one": w[3, 2], "tied": w, "columns": w[:, 1:3], "turned": w.t(),
            "every_second": w[::2], "spread": count((4,)).expand(1, 4), "repeated": count((1,)).expand(2), "empty": torch.zeros(0, 3),
            "permuted": count((2, 3, 4), torch.float16).permute(2, 0, 1)}


def types():
    made = {}
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
                  torch.uint8):
        made[str(dtype)[6:]] = count((3, 2)).abs().to(dtype)
    made["bool"] = torch.tensor([True, False, True])
    made["complex64"] = torch.tensor([1 + 2j, 3 - 4j], dtype=torch.complex64)
    return made


def state_dict():
    """What a module gives, with its own notes beside it; and parameters instead of tensors."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Embedding(5, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 5))
    model[2].weight = model[0].weight
    made = model.state_dict()
    made["parameter"] = torch.nn.Parameter(count((2, 2)))
    return made


READ = {"views": views, "types": types, "state_dict": state_dict}


class Called:
    def __reduce__(self): return (os.getcwd, ())


def rewrite(data, compression=zipfile.ZIP_STORED, replaced={}):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, replaced.get(name.split("/", 1)[1], old.read(name)))
    return out.getvalue()


def save(what, **options):
    data = io.BytesIO()
    torch.save(what, data, **options)
    return data.getvalue()


def refused():
    plain = save({"a": count((2, 2))})
    return {
        "legacy": save({"a": count((2, 2))}, _use_new_zipfile_serialization=False),
        "compressed": rewrite(plain, zipfile.ZIP_DEFLATED),
        "big_endian": rewrite(plain, replaced={"byteorder": b"big"}),
        "protocol_4": save({"a": count((2, 2))}, pickle_protocol=4),
        "called": save({"a": count((2, 2)), "b": Called()}),
        "nested": save({"state_dict": {"a": count((2, 2))}, "epoch": 3}),
        "number": save({"a": count((2, 2)), "step": 3}),
        "list": save([count((2, 2))]),
        "tensor": save(count((2, 2))),
        "typed": save({"a": count((2, 2)).to(torch.float8_e4m3fn)}),
        "sparse": save({"a": count((2, 2)).to_sparse()}),
        "quantized": save({"a": torch.quantize_per_tensor(count((2, 2)), 0.1, 0, torch.qint8)}),
        "conjugated": save({"a": torch.tensor([1 + 2j], dtype=torch.complex64).conj()}),
        "meta": save({"a": torch.empty(2, device="meta")}),
        "bombs": save({"a": count((1,)).expand(1 << 20)}),
    }


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    for name, make in READ.items():
        made = make()
        torch.save(made, f"{out}/{name}.bin")
        loaded = torch.load(f"{out}/{name}.bin", weights_only=True)
        save_file(collections.OrderedDict((k, v.detach().clone().contiguous()) for k, v in loaded.items()), f"{out}/{name}.safetensors")
    # a zip of another writer, without the fields of zip64 at its end
    with open(f"{out}/views.bin", "rb") as file: data = rewrite(file.read())
    with open(f"{out}/rewritten.bin", "wb") as file: file.write(data)
    for name, data in refused().items():
        with open(f"{out}/refused-{name}.bin", "wb") as file: file.write(data)


main()
