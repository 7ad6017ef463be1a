"""Deformable convolution, norms and RoIAlign, each forward or backward."""

import torch
import torchvision
from layouts import LAYOUTS
from serve import Variant
from torch.nn import functional


def random(*shape):
    return torch.rand(*shape).mul_(2).sub_(1)


def variant(name, forward, inputs, part):
    """Times `forward`, or the gradients of `inputs`."""
    if part == "forward":

        def call():
            with torch.no_grad():
                forward()

    else:
        for tensor in inputs:
            tensor.requires_grad_()
        y = forward()
        dy = torch.rand_like(y)

        def call():
            torch.autograd.grad(y, inputs, dy, retain_graph=True)

    return Variant(name, call)


def deformable(case):
    def make():
        n, _, h, w = case["input"]
        kernel = case["weight"][2]
        x, weight = random(*case["input"]), random(*case["weight"])
        offset, mask = random(n, 2 * kernel**2, h, w), random(n, kernel**2, h, w).sigmoid()

        def forward():
            return torchvision.ops.deform_conv2d(x, offset, weight, padding=case["padding"], mask=mask)

        return variant("default layout", forward, [x, offset, mask, weight], case["part"])

    return [make]


def batch_norm(case):
    def make(layout):
        x = random(*case["input"]).to(memory_format=LAYOUTS[layout])
        channels = x.shape[1]
        weight, bias, mean, variance = random(channels), random(channels), torch.zeros(channels), torch.ones(channels)

        def forward():
            y = functional.batch_norm(x, mean, variance, weight, bias, training=True)
            return functional.relu(y, inplace=True)

        return variant(layout, forward, [x, weight, bias], case["part"])

    return [lambda layout=layout: make(layout) for layout in LAYOUTS]


def group_norm(case):
    def make(layout):
        x = random(*case["input"]).to(memory_format=LAYOUTS[layout])
        weight, bias = random(x.shape[1]), random(x.shape[1])

        def forward():
            return functional.group_norm(x, case["groups"], weight, bias)

        return variant(layout, forward, [x, weight, bias], case["part"])

    return [lambda layout=layout: make(layout) for layout in LAYOUTS]


def roi_align(case):
    def make():
        x, regions = random(*case["input"]), torch.tensor(case["regions"], dtype=torch.float32).reshape(-1, 5)

        def forward():
            return torchvision.ops.roi_align(x, regions, case["size"], case["scale"], sampling_ratio=2)

        return variant("default layout", forward, [x], case["part"])

    return [make]
