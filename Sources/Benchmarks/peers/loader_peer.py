"""A torch DataLoader with Pillow and worker processes: one call is one epoch."""

import torch
from serve import Variant, serve
from torchvision import datasets, transforms


def variants(case):
    transform = transforms.Compose([
        transforms.RandomResizedCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])  # fmt: skip

    def make():
        images = datasets.ImageFolder(case["folder"] + "/train", transform)
        loader = torch.utils.data.DataLoader(
            images, case["batch"], shuffle=True, num_workers=case["workers"], persistent_workers=True
        )

        def epoch():
            for _ in loader:
                pass

        return Variant(f"{case['workers']} workers", epoch)

    return [make]


if __name__ == "__main__":
    serve(variants, torch.set_num_threads)
