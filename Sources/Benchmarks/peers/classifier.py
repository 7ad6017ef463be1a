"""The published architecture with its ImageNet head: a training step with SGD, and inference."""

import torch
from body import STAGES, Body
from layouts import LAYOUTS
from serve import Way
from torch import nn


class Classifier(nn.Module):
    def __init__(self, path):
        super().__init__()
        self.path, self.body = path, Body(path)
        self.head = nn.Sequential(
            nn.Conv2d(STAGES[-1][0], 1024, 1),
            nn.BatchNorm2d(1024),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(1024, 1000),
        )

    def forward(self, x):
        return self.head(self.body(x, self.path)[-1])


def ways(case):
    # Compiling takes minutes: in the layout that suits it, alone.
    names = ["channels-last"] if case["compiled"] else LAYOUTS
    return [lambda name=name: way(case, name) for name in names]


def way(case, layout):
    network = Classifier(case["path"]).to(memory_format=LAYOUTS[layout])
    pictures = torch.rand(case["batch"], 3, 224, 224).to(memory_format=LAYOUTS[layout])
    labels = torch.arange(case["batch"]) * 125
    model = torch.compile(network) if case["compiled"] else network
    if case["part"] == "inference":
        network.eval()

        def call():
            with torch.inference_mode():
                model(pictures)

    else:
        optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=4e-5)

        def call():
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(pictures), labels).backward()
            optimizer.step()

    return Way(layout, call, warmups=2)
