"""Training steps of IVLP, MaPLe and PromptSRC beside a plain PyTorch implementation, in CPU-seconds.

Usage: python benches/prompt_methods.py RPO_BENCH [--rounds 3] [--methods ivlp,maple,promptsrc]

The PyTorch side does what the authors' code does: CLIP ViT-B/16 with random frozen weights (`requires_grad` off),
whole text sequences of 77 positions, `nn.MultiheadAttention`, every class encoded at every step, SGD with momentum; all in
f32. Both sides are run in turns within one process tree, so that what else the machine does meets both. Sizes are the
program's defaults: 50 classes, batch 4. CPU-seconds are those of all threads.
"""

import argparse
import json
import statistics
import subprocess
import time

import torch
from torch import nn
from torch.nn import functional as F

CLASSES, BATCH = 50, 4
VISION, TEXT, JOINT, LAYERS, POSITIONS, TOKENS = 768, 512, 512, 12, 77, 197


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads, mask):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), QuickGelu(), nn.Linear(4 * width, width))
        self.mask = mask

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False, attn_mask=self.mask)[0]
        return x + self.mlp(self.norm2(x))


def causal():
    return torch.full((POSITIONS, POSITIONS), float("-inf")).triu(1)


class Clip(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, VISION, 16, 16, bias=False)
        self.cls = nn.Parameter(0.02 * torch.randn(VISION))
        self.vision_positions = nn.Parameter(0.02 * torch.randn(TOKENS, VISION))
        self.text_positions = nn.Parameter(0.02 * torch.randn(POSITIONS, TEXT))
        self.words = nn.Parameter(0.02 * torch.randn(CLASSES, POSITIONS, TEXT))
        self.norms = nn.ModuleList([nn.LayerNorm(VISION), nn.LayerNorm(VISION), nn.LayerNorm(TEXT)])
        self.vision = nn.ModuleList([Block(VISION, 12, None) for _ in range(LAYERS)])
        self.text = nn.ModuleList([Block(TEXT, 8, causal()) for _ in range(LAYERS)])
        self.project_vision = nn.Linear(VISION, JOINT, bias=False)
        self.project_text = nn.Linear(TEXT, JOINT, bias=False)
        self.requires_grad_(False)

    def images(self, pixels, prompts):
        """Features of images with deep prompts behind the tokens: one tensor a block that has its own."""
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), 1, -1), x], 1) + self.vision_positions
        if prompts:
            x = torch.cat([x, prompts[0].expand(len(x), -1, -1)], 1)
        x = self.norms[0](x)
        for number, block in enumerate(self.vision):
            if 0 < number < len(prompts):
                x = torch.cat([x[:, :TOKENS], prompts[number].expand(len(x), -1, -1)], 1)
            x = block(x)
        return F.normalize(self.project_vision(self.norms[1](x[:, 0])), dim=-1)

    def texts(self, prompts):
        """Features of classes whose words behind SOS are deep prompts; EOS is the tenth token."""
        n = len(prompts[0])
        rows = lambda x, p: torch.cat([x[:, :1], p.expand(len(x), -1, -1), x[:, 1 + n :]], 1)
        x = rows(self.words, prompts[0]) + self.text_positions
        for number, block in enumerate(self.text):
            if 0 < number < len(prompts):
                x = rows(x, prompts[number])
            x = block(x)
        return F.normalize(self.project_text(self.norms[2](x[:, 9])), dim=-1)


def prompts(count, depth, width):
    return [nn.Parameter(0.02 * torch.randn(count, width)) for _ in range(depth)]


class Method:
    """Trained parameters and the loss of one step."""

    def __init__(self, name, clip):
        self.name, self.clip = name, clip
        if name == "maple":
            self.text, self.image = prompts(2, 9, TEXT), []
            self.coupling = [nn.Linear(TEXT, VISION) for _ in range(9)]
            self.parameters = self.text + [p for layer in self.coupling for p in layer.parameters()]
        else:
            self.text, self.image = prompts(4, 9, TEXT), prompts(4, 9, VISION)
            self.parameters = self.text + self.image
        if name == "promptsrc":
            self.frozen_text = F.normalize(torch.randn(CLASSES, JOINT), dim=-1)

    def loss(self, pixels, labels):
        image = self.image or [layer(p) for layer, p in zip(self.coupling, self.text)]
        texts, images = self.clip.texts(self.text), self.clip.images(pixels, image)
        logits = 100 * images @ texts.T
        loss = F.cross_entropy(logits, labels)
        if self.name != "promptsrc":
            return loss
        with torch.no_grad():
            frozen = self.clip.images(pixels, [])
            teacher = 100 * frozen @ self.frozen_text.T
        student, teacher = F.log_softmax(logits, 1), F.log_softmax(teacher, 1)
        distance = F.kl_div(student, teacher, reduction="sum", log_target=True) / logits.numel()
        return loss + 25 * (texts - self.frozen_text).abs().mean() + 10 * (images - frozen).abs().mean() + distance


def torch_steps(method, optimiser, steps):
    seconds = []
    for _ in range(steps):
        pixels, labels = torch.randn(BATCH, 3, 224, 224), torch.randint(CLASSES, (BATCH,))
        start = time.process_time()
        optimiser.zero_grad()
        method.loss(pixels, labels).backward()
        optimiser.step()
        seconds.append(time.process_time() - start)
    return seconds


def our_steps(program, name, steps):
    sizes = ["--batch", str(BATCH), "--classes", str(CLASSES), "--steps", str(steps)]
    out = subprocess.run([program, "bench", "step", "--method", name, *sizes, "--json"], capture_output=True, check=True)
    return json.loads(out.stdout)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--steps", type=int, default=2, help="steps of each side a round")
    arguments.add_argument("--methods", default="ivlp,maple,promptsrc")
    given = arguments.parse_args()
    clip = Clip()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; {CLASSES} classes, batch {BATCH}")
    for name in given.methods.split(","):
        method = Method(name, clip)
        optimiser = torch.optim.SGD(method.parameters, lr=1e-5, momentum=0.9, weight_decay=5e-4)
        torch_steps(method, optimiser, 1)  # The first step pays for fresh memory.
        ours, theirs, reports = [], [], []
        for _ in range(given.rounds):
            reports.append(our_steps(given.program, name, given.steps))
            ours.append(reports[-1]["cpu_seconds_per_step"])
            theirs.extend(torch_steps(method, optimiser, given.steps))
        a, b = statistics.median(ours), statistics.median(theirs)
        share = statistics.median(report["share_of_limit"] for report in reports)
        peak = max(report["peak_rss_mib"] for report in reports)
        print(
            f"{name:10} ours {a:6.2f}  PyTorch {b:6.2f} CPU-seconds a step: {b / a:.2f} times; "
            f"share of the limit {share:.2f}, peak {peak:.0f} MiB",
            flush=True,
        )


if __name__ == "__main__":
    main()
