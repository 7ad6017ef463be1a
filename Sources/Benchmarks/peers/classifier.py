"""The published architecture with its ImageNet head: a training step with SGD, and inference."""

import torch
from backbone import STAGES, Backbone
from layouts import LAYOUTS
from serve import Variant
from torch import nn


class Classifier(nn.Module):
    def __init__(self, path):
        super().__init__()
        self.path, self.backbone = path, Backbone(path)
        self.head = nn.Sequential(
            nn.Conv2d(STAGES[-1][0], 1024, 1),
            nn.BatchNorm2d(1024),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(1024, 1000),
        )

    def forward(self, x):
        return self.head(self.backbone(x, self.path)[-1])


def variants(case):
    # Compiling takes minutes, so only the faster layout is compiled.
    names = ["channels-last"] if case["compiled"] else LAYOUTS
    return [lambda name=name: variant(case, name) for name in names]


def variant(case, layout):
    network = Classifier(case["path"]).to(memory_format=LAYOUTS[layout])
    images = torch.rand(case["batch"], 3, 224, 224).to(memory_format=LAYOUTS[layout])
    labels = torch.arange(case["batch"]) * 125
    model = torch.compile(network) if case["compiled"] else network
    if case["part"] == "inference":
        network.eval()

        def call():
            with torch.inference_mode():
                model(images)

    else:
        optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, weight_decay=4e-5)

        def call():
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()

    return Variant(layout, call, warmups=2)
