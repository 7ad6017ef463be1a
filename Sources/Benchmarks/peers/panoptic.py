"""A training step of the panoptic supernet: forward and backward over the paths of one fair block, then SGD."""

import torch
from layouts import LAYOUTS
from panoptic_losses import losses
from panoptic_network import Supernet
from serve import Variant


def target_of(case):
    """The same scene as in PanopticSuite.swift: ellipses in front of stripes of stuff; the last rows are void."""
    side = case["side"]
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    semantic = y * case["stuff"] // side + 1
    boxes, masks = torch.tensor(case["boxes"]).reshape(-1, 4).float(), []
    for x0, y0, x1, y1 in boxes.tolist():
        u, v = (x - (x0 + x1) / 2) / ((x1 - x0) / 2), (y - (y0 + y1) / 2) / ((y1 - y0) / 2)
        masks.append(u * u + v * v <= 1)
    masks = torch.stack(masks)
    semantic[masks.any(0)] = 0
    semantic[side - 8 :] = 255
    return {
        "size": (side, side),
        "boxes": boxes,
        "labels": torch.tensor(case["labels"]),
        "masks": masks.float(),
        "semantic": semantic[None],
    }


def groups(network, block):
    """Learning rates as in our trainer: the summed gradients become means over the passes that used a parameter."""
    result = {}
    for name, parameter in network.named_parameters():
        part = name.split(".")[0]
        choices = {"backbone": 1 if "stem" in name else 4, "mask": 6, "semantic": 6, "to_stuff": 3, "to_things": 3}
        rate = 0.01 * choices.get(part, 1) / block
        is_bias = name.endswith("bias")
        rate, decay = (2 * rate, 0) if is_bias else (rate, 1e-4)
        result.setdefault((rate, decay), []).append(parameter)
    return [{"params": p, "lr": lr, "weight_decay": decay} for (lr, decay), p in result.items()]


def variants(case):
    return [lambda name=name: variant(case, name) for name in LAYOUTS]


def variant(case, layout):
    network = Supernet(case["things"], case["stuff"]).to(memory_format=LAYOUTS[layout])
    images = torch.rand(1, 3, case["side"], case["side"]).mul_(2).sub_(1).to(memory_format=LAYOUTS[layout])
    target = target_of(case)
    paths = case["paths"]
    optimizer = torch.optim.SGD(groups(network, len(paths)), 0.01, momentum=0.9)

    def step(paths=paths):
        optimizer.zero_grad()
        for path in paths:
            losses(network, images, target, path).backward()
        optimizer.step()

    # The trial has no deformable convolutions, which take most of the time in either layout.
    trial = [[4 + c % 2 if 40 <= i < 47 and c in (2, 3) else c for i, c in enumerate(paths[0])]]
    return Variant(layout, step, lambda: step(trial), value=sum(p.numel() for p in network.parameters()))
