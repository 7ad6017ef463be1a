"""Products of two matrices, each possibly stored transposed."""

import torch
from serve import Variant


def variants(case):
    return [lambda: variant(case)]


def variant(case):
    left, right = torch.rand(case["left"]).mul_(2).sub_(1), torch.rand(case["right"]).mul_(2).sub_(1)
    a = left.T if case["transposesLeft"] else left
    b = right.T if case["transposesRight"] else right
    out = torch.empty(a.shape[0], b.shape[1])

    def call():
        torch.mm(a, b, out=out)

    return Variant("mm", call)
