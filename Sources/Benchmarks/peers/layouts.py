"""The two memory layouts that PyTorch's eager mode may use for images."""

import torch

LAYOUTS = {"default layout": torch.contiguous_format, "channels-last": torch.channels_last}
