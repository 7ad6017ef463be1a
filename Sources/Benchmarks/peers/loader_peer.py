"""A torch DataLoader with Pillow and worker processes: one call is one epoch."""

import torch
from serve import Way, serve
from torchvision import datasets, transforms


def ways(case):
    transform = transforms.Compose([
        transforms.RandomResizedCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])  # fmt: skip

    def make():
        pictures = datasets.ImageFolder(case["folder"] + "/train", transform)
        loader = torch.utils.data.DataLoader(
            pictures, case["batch"], shuffle=True, num_workers=case["workers"], persistent_workers=True
        )

        def epoch():
            for _ in loader:
                pass

        return Way(f"{case['workers']} workers", epoch)

    return [make]


if __name__ == "__main__":
    serve(ways, torch.set_num_threads)
