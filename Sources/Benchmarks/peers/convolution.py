"""Convolutions, forward and backward (gradients of input and weight together)."""

import torch
from layouts import LAYOUTS
from serve import Variant


def variants(case):
    return [lambda name=name: variant(case, name) for name in LAYOUTS]


def variant(case, layout):
    def tensor(shape):
        return torch.rand(shape).mul(2).sub(1).to(memory_format=LAYOUTS[layout]).requires_grad_()

    x, weight = tensor(case["input"]), tensor(case["weight"])
    options = {name: case[name] for name in ("stride", "padding", "dilation", "groups")}

    def forward():
        return torch.nn.functional.conv2d(x, weight, **options)

    if case["part"] == "forward":

        def call():
            with torch.no_grad():
                forward()

    else:
        y = forward()
        dy = torch.rand_like(y)

        def call():
            torch.autograd.grad(y, [x, weight], dy, retain_graph=True)

    return Variant(layout, call)
