"""Times the ViT-Tiny/4 training step of the benchmark (12 blocks of width 192, 65 tokens, batch 128, AdamW) in PyTorch, eager, float32
without TF32, and f32 products of its shapes, on a CUDA device. Prints one line each; says so where there is none."""

import sys
import time

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as error:
    sys.exit(f"no PyTorch here: {error}")

BATCH, DIM, DEPTH, HEADS, PATCH, CLASSES = 128, 192, 12, 3, 4, 10


def attention(q, k, v):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v)
    return (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1) @ v


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(DIM, eps=1e-6), nn.LayerNorm(DIM, eps=1e-6)
        self.qkv, self.proj = nn.Linear(DIM, 3 * DIM), nn.Linear(DIM, DIM)
        self.fc1, self.fc2 = nn.Linear(DIM, 4 * DIM), nn.Linear(4 * DIM, DIM)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, t, 3, HEADS, c // HEADS).permute(2, 0, 3, 1, 4)
        x = x + self.proj(attention(q, k, v).transpose(1, 2).reshape(b, t, c))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, DIM, PATCH, PATCH)
        self.cls = nn.Parameter(torch.zeros(1, 1, DIM))
        self.pos = nn.Parameter(0.02 * torch.randn(1, (32 // PATCH) ** 2 + 1, DIM))
        self.blocks = nn.Sequential(*[Block() for _ in range(DEPTH)])
        self.norm, self.head = nn.LayerNorm(DIM, eps=1e-6), nn.Linear(DIM, CLASSES)

    def forward(self, images):
        x = self.embed(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        return self.head(self.norm(self.blocks(x))[:, 0])


def timed(work, device, warm, rounds):
    """Milliseconds of one call, the best of three means."""
    sync = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    for _ in range(warm):
        work()
    best = float("inf")
    for _ in range(3):
        sync()
        begun = time.perf_counter()
        for _ in range(rounds):
            work()
        sync()
        best = min(best, (time.perf_counter() - begun) / rounds)
    return 1000 * best


def main():
    # A step on the processor, with few images, shows that the script works.
    check = "--check" in sys.argv
    if not check and not torch.cuda.is_available():
        sys.exit(f"PyTorch {torch.__version__} without CUDA: not timed")
    device = "cpu" if check else "cuda"
    batch = 2 if check else BATCH
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(1)
    model = ViT().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    images = torch.randn(batch, 3, 32, 32, device=device)
    labels = torch.randint(CLASSES, (batch,), device=device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()

    name = "processor" if check else torch.cuda.get_device_name()
    print(f"PyTorch {torch.__version__}, {name}, float32, TF32 off, batch {batch}, {sum(p.numel() for p in model.parameters())} parameters")
    print(f"training step {timed(step, device, 1 if check else 20, 1 if check else 50):.3f} ms")
    for m, n, k in [(65 * batch, 3 * DIM, DIM), (65 * batch, DIM, DIM), (65 * batch, 4 * DIM, DIM), (65 * batch, DIM, 4 * DIM)]:
        a, b = torch.randn(m, k, device=device), torch.randn(n, k, device=device)
        ms = timed(lambda: a @ b.T, device, 2, 2 if check else 50)
        print(f"product {m} x {n} x {k}: {2e-9 * m * n * k / (ms / 1000):.0f} GFLOP/s")


main()
