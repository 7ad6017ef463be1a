"""The backbone of the network: stem and ShuffleNetV2 choice blocks, with one operator per block or all of them."""

import torch
from torch import nn

STEM = 48
STAGES = [(96, 8), (240, 8), (480, 16), (960, 8)]


def point(inputs, outputs, relu=True):
    layers = [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
    return layers + ([nn.ReLU(inplace=True)] if relu else [])


def depthwise(channels, kernel, stride):
    return [
        nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
    ]


class Choice(nn.Module):
    """One operator of a block: shuffle 3×3, 5×5, 7×7, or xception."""

    def __init__(self, operator, inputs, outputs, stride):
        super().__init__()
        self.stride = stride
        middle = outputs // 2
        kernel = [3, 5, 7, 3][operator]
        main_in = inputs // 2 if stride == 1 else inputs
        main_out = outputs // 2 if stride == 1 else outputs - inputs
        if operator < 3:
            main = point(main_in, middle) + depthwise(middle, kernel, stride) + point(middle, main_out)
        else:
            main = depthwise(main_in, 3, stride) + point(main_in, middle)
            main += depthwise(middle, 3, 1) + point(middle, middle)
            main += depthwise(middle, 3, 1) + point(middle, main_out)
        self.main = nn.Sequential(*main)
        if stride == 2:
            self.projection = nn.Sequential(*(depthwise(inputs, kernel, 2) + point(inputs, inputs)))

    def forward(self, x):
        if self.stride == 2:
            return torch.cat([self.projection(x), self.main(x)], 1)
        n, c, h, w = x.shape
        x = x.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return torch.cat([x[:, : c // 2], self.main(x[:, c // 2 :])], 1)


class Backbone(nn.Module):
    """`path` has one operator per block; with None every block has all four."""

    def __init__(self, path=None):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, STEM, 3, 2, 1), nn.BatchNorm2d(STEM), nn.ReLU(inplace=True))
        self.blocks, self.ends, inputs = nn.ModuleList(), [], STEM
        for channels, count in STAGES:
            for i in range(count):
                choices = range(4) if path is None else [path[len(self.blocks)]]
                block = {str(c): Choice(c, inputs, channels, 2 if i == 0 else 1) for c in choices}
                self.blocks.append(nn.ModuleDict(block))
                inputs = channels
            self.ends.append(len(self.blocks) - 1)

    def forward(self, x, path):
        """The feature maps C2 to C5."""
        x, levels = self.stem(x), []
        for i, (block, choice) in enumerate(zip(self.blocks, path)):
            x = block[str(choice)](x)
            if i in self.ends:
                levels.append(x)
        return levels
