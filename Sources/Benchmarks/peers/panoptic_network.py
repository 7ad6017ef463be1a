"""The panoptic supernet at 1.3G width: backbone, pyramid, RPN, box, mask and semantic heads, attention.

It has the same layers as the network that `Sources/Models` builds; the numbers of parameters agree exactly.
"""

import torch
import torchvision
from backbone import STAGES, Backbone
from torch import nn
from torch.nn import functional

CHANNELS, GROUPS, ANCHORS = 256, 32, 3
SEMANTIC = 128
RATIOS = [4, 8, 6]
STRIDES = [4, 8, 16, 32, 64]


def resize(x, size):
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)


class Deformable(nn.Module):
    """Modulated deformable convolution: a zero-initialised convolution with the same kernel gives offsets and mask."""

    def __init__(self, inputs, outputs, kernel):
        super().__init__()
        self.kernel = kernel
        self.offsets = nn.Conv2d(inputs, 3 * kernel**2, kernel, padding=kernel // 2)
        nn.init.zeros_(self.offsets.weight)
        nn.init.zeros_(self.offsets.bias)
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)

    def forward(self, x):
        raw = self.offsets(x)
        taps = self.kernel**2
        offset, mask = raw[:, : 2 * taps], raw[:, 2 * taps :].sigmoid()
        return torchvision.ops.deform_conv2d(
            x, offset, self.conv.weight, self.conv.bias, padding=self.kernel // 2, mask=mask
        )


def operator(index, inputs, outputs):
    """DW 3×3, DW 5×5, DF 3×3, DF 5×5, AT 3×3, AT 5×5."""
    kernel = [3, 5][index % 2]
    if index < 2:
        spatial = nn.Conv2d(inputs, inputs, kernel, padding=kernel // 2, groups=inputs)
        return nn.Sequential(spatial, nn.Conv2d(inputs, outputs, 1))
    if index < 4:
        return Deformable(inputs, outputs, kernel)
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel - 1, dilation=2)


class HeadLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.choices = nn.ModuleList(
            nn.Sequential(operator(i, inputs, outputs), nn.GroupNorm(GROUPS, outputs), nn.ReLU(inplace=True))
            for i in range(6)
        )

    def forward(self, x, choice):
        return self.choices[choice](x)


class Attention(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.choices = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, outputs // r), nn.ReLU(), nn.Linear(outputs // r, outputs)) for r in RATIOS
        )

    def forward(self, z, choice):
        return 2 - self.choices[choice](z).sigmoid()


class Pyramid(nn.Module):
    def __init__(self):
        super().__init__()

        def layer(inputs, kernel):
            conv = nn.Conv2d(inputs, CHANNELS, kernel, padding=kernel // 2, bias=False)
            return nn.Sequential(conv, nn.GroupNorm(GROUPS, CHANNELS))

        self.laterals = nn.ModuleList(layer(channels, 1) for channels, _ in STAGES)
        self.outputs = nn.ModuleList(layer(CHANNELS, 3) for _ in STAGES)

    def forward(self, features):
        levels, above = [], None
        for lateral, output, feature in reversed(list(zip(self.laterals, self.outputs, features))):
            inner = lateral(feature)
            if above is not None:
                inner = inner + functional.interpolate(above, scale_factor=2, mode="nearest")
            above = inner
            levels.insert(0, output(inner))
        return levels + [levels[-1][:, :, ::2, ::2]]


class Supernet(nn.Module):
    """`path` is a genome: 40 choices of the backbone, 4 of the mask head, 3 of the semantic head, 9 of attention."""

    def __init__(self, things, stuff):
        super().__init__()
        self.backbone, self.pyramid = Backbone(), Pyramid()
        self.rpn = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.objectness = nn.Conv2d(CHANNELS, ANCHORS, 1)
        self.deltas = nn.Conv2d(CHANNELS, 4 * ANCHORS, 1)
        self.box_hidden = nn.Sequential(
            nn.Linear(CHANNELS * 49, 1024, bias=False), nn.GroupNorm(GROUPS, 1024), nn.ReLU(inplace=True),
            nn.Linear(1024, 1024, bias=False), nn.GroupNorm(GROUPS, 1024), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.box_scores = nn.Linear(1024, things + 1)
        self.box_deltas = nn.Linear(1024, 4 * (things + 1))
        self.mask = nn.ModuleList(HeadLayer(CHANNELS, CHANNELS) for _ in range(4))
        self.mask_maps = nn.Sequential(
            nn.ConvTranspose2d(CHANNELS, CHANNELS, 2, 2), nn.ReLU(inplace=True), nn.Conv2d(CHANNELS, things + 1, 1)
        )
        self.semantic = nn.ModuleList(HeadLayer(CHANNELS if i == 0 else SEMANTIC, SEMANTIC) for i in range(3))
        self.semantic_scores = nn.Conv2d(4 * SEMANTIC, stuff + 1, 1)
        self.to_stuff = nn.ModuleList(Attention(4 * CHANNELS, SEMANTIC) for _ in range(4))
        self.to_things = nn.ModuleList(Attention(4 * SEMANTIC, CHANNELS) for _ in range(5))
        for layer in (self.rpn, self.objectness, self.deltas, self.box_scores, self.box_deltas):
            nn.init.normal_(layer.weight, std=0.001 if layer is self.box_deltas else 0.01)
            nn.init.zeros_(layer.bias)

    def features(self, images, path):
        """The re-weighted levels P2 to P6, and semantic scores at the size of the images."""
        levels = self.pyramid(self.backbone(images, path[:40]))
        size = levels[0].shape[2:]
        semantic = []
        for i, level in enumerate(levels[:4]):
            for layer, choice in zip(self.semantic, path[44:47]):
                level = layer(level, choice)
            semantic.append(level if i == 0 else resize(level, size))
        # Pooling before concatenation gives the same as after it.
        things = torch.cat([resize(level, size).mean((2, 3)) for level in levels[1:]], 1)
        stuff = torch.cat([s.mean((2, 3)) for s in semantic], 1)
        levels = [x * a(stuff, c)[:, :, None, None] for x, a, c in zip(levels, self.to_things, path[51:])]
        semantic = [x * a(things, c)[:, :, None, None] for x, a, c in zip(semantic, self.to_stuff, path[47:51])]
        return levels, resize(self.semantic_scores(torch.cat(semantic, 1)), images.shape[2:])

    def masks(self, regions, path):
        for layer, choice in zip(self.mask, path[40:44]):
            regions = layer(regions, choice)
        return self.mask_maps(regions)
