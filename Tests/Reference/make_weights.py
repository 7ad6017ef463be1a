"""Makes Tests/Golden/ref_weights: small weight files written by PyTorch and safetensors, and their expected content.

    python3 make_weights.py FOLDER        (PyTorch 2.15, safetensors 0.8)
"""

import collections
import json
import pathlib
import struct
import sys

import torch
from safetensors.torch import save_file

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def ramp(*shape):
    return torch.arange(torch.tensor(shape).prod().item(), dtype=torch.float32).reshape(shape) / 8 - 1


def bits(tensor):
    """The elements as binary32 or integers, little-endian, in hexadecimal."""
    tensor = tensor.detach().contiguous()
    if tensor.dtype in (torch.float16, torch.bfloat16):
        tensor = tensor.float()
    codes = {torch.float32: "f", torch.float64: "d", torch.int64: "q", torch.int32: "i", torch.uint8: "B", torch.bool: "?"}
    values = tensor.flatten().tolist()
    return struct.pack(f"<{len(values)}{codes[tensor.dtype]}", *values).hex()


def describe(tensors):
    return {
        name: {"shape": list(t.shape), "type": str(t.dtype).removeprefix("torch."), "bytes": bits(t)}
        for name, t in tensors.items()
    }


base = ramp(4, 6)
plain = {
    "conv.weight": ramp(2, 3, 3, 3),
    "conv.bias": ramp(2),
    "norm.num_batches_tracked": torch.tensor(7),
    "scalar": torch.tensor(0.25),
    "empty": torch.zeros(0, 3),
    "half": torch.tensor([1.5, -2.0, 6e-8, 65504.0]).half(),
    "brain": torch.tensor([1.5, -2.0, 1e30]).bfloat16(),
    "double": torch.tensor([0.1, -1e300], dtype=torch.float64),
    "bytes": torch.tensor([0, 1, 255], dtype=torch.uint8),
    "flags": torch.tensor([True, False, True]),
    "ints": torch.tensor([-1, 2**31 - 1], dtype=torch.int32),
}
views = {"transposed": base.t(), "rows": base[1:3], "columns": base[:, 1:5:2], "whole": base}
nested = {
    "model": collections.OrderedDict((k, torch.nn.Parameter(v) if v.is_floating_point() else v) for k, v in plain.items()),
    "epoch": 12,
    "rate": 0.5,
    "done": False,
    "name": "ä",
    "history": [1, 2.5, None, (3, "x")],
    "big": 2**40,
    "views": views,
}
torch.save(nested, folder / "nested.pt")
expected = {f"model.{k}": v for k, v in plain.items()} | {f"views.{k}": v for k, v in views.items()}
save_file(plain, folder / "plain.safetensors", metadata={"format": "pt"})
# A module's own state dictionary, which has version attributes besides its items.
torch.manual_seed(1)
module = torch.nn.Sequential(torch.nn.Conv2d(2, 2, 1), torch.nn.BatchNorm2d(2))
torch.save(module.state_dict(), folder / "module.pth")
# Files that must be refused: a whole module, a pickle that would run a command, an older format, an expanded tensor.
torch.save(torch.nn.Linear(2, 2), folder / "object.pth")


class Command:
    def __reduce__(self):
        import os

        return os.system, ("echo executed > executed.txt",)


torch.save({"weight": ramp(2), "hook": Command()}, folder / "command.pth")
torch.save(plain | {"ok": ramp(1)}, folder / "old.pth", _use_new_zipfile_serialization=False)
torch.save({"expanded": torch.ones(1).expand(1 << 40)}, folder / "expanded.pth")

json.dump(
    {"nested.pt": describe(expected), "plain.safetensors": describe(plain), "module.pth": describe(module.state_dict())},
    open(folder / "expected.json", "w"), indent=1, sort_keys=True,
)
