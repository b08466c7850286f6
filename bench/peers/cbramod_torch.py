"""
CBraMod in PyTorch, written by us from the same description as src/model: the peer that `npm run bench` times.

Patches [B, C, N, 200] → embedding [B, C, N, 200] → reconstruction of the same shape. State-dict keys are the official
ones, so that every weight file of heartmind loads with strict=True.

    python bench/peers/cbramod_torch.py --check [--weights W.safetensors --vectors V.safetensors]

Source: arXiv 2412.07236 and heartmind's src/model (patch-embedding.ts, criss-cross.ts, position-embedding.ts).
"""

import argparse
import json
import sys

import torch
import torch.nn.functional as F
from torch import nn

SAMPLES = 200  # P: samples in a patch
DIM = 200  # D
MAPS, STEPS, GROUPS = 25, 8, 5  # feature maps of the patch branch, values of each, groups of its normalisations
HEADS = 4  # along each of the two axes
WIDTH = 800  # of the feed-forward network


class PatchEmbedding(nn.Module):
    """Two branches, added; then the position convolution of their sum, added."""

    def __init__(self, dropout: float):
        super().__init__()
        self.mask_encoding = nn.Parameter(torch.zeros(SAMPLES), requires_grad=False)
        self.positional_encoding = nn.Sequential(
            nn.Conv2d(DIM, DIM, kernel_size=(19, 7), padding=(9, 3), groups=DIM)
        )
        self.proj_in = nn.Sequential(
            nn.Conv2d(1, MAPS, kernel_size=(1, 49), stride=(1, 25), padding=(0, 24)),
            nn.GroupNorm(GROUPS, MAPS),
            nn.GELU(),
            nn.Conv2d(MAPS, MAPS, kernel_size=(1, 3), padding=(0, 1)),
            nn.GroupNorm(GROUPS, MAPS),
            nn.GELU(),
            nn.Conv2d(MAPS, MAPS, kernel_size=(1, 3), padding=(0, 1)),
            nn.GroupNorm(GROUPS, MAPS),
            nn.GELU(),
        )
        self.spectral_proj = nn.Sequential(nn.Linear(SAMPLES // 2 + 1, DIM), nn.Dropout(dropout))

    def forward(self, patches, mask=None):
        batch, channels, count, samples = patches.shape
        if mask is not None:
            patches = torch.where(mask[..., None], self.mask_encoding, patches)
        maps = self.proj_in(patches.reshape(batch, 1, channels * count, samples))  # (B, 25, CN, 8)
        tokens = maps.permute(0, 2, 1, 3).reshape(batch, channels, count, DIM)
        magnitude = torch.fft.rfft(patches, norm="forward").abs()  # (B, C, N, 101)
        tokens = tokens + self.spectral_proj(magnitude)
        position = self.positional_encoding(tokens.permute(0, 3, 1, 2))  # (B, D, C, N)
        return tokens + position.permute(0, 2, 3, 1)


class Attention(nn.Module):
    """Multi-head self-attention of [rows, length, D/2] along `length`, with the parameter names of PyTorch's own."""

    def __init__(self, dim: int, dropout: float):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)
        self.dropout = dropout
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x):
        rows, length, dim = x.shape
        joint = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        query, key, value = joint.view(rows, length, 3, HEADS, dim // HEADS).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        return self.out_proj(mixed.transpose(1, 2).reshape(rows, length, dim))


class CrissCrossLayer(nn.Module):
    """Pre-norm; half of D attends across the channels of a patch, half across the patches of a channel."""

    def __init__(self, dropout: float):
        super().__init__()
        self.self_attn_s = Attention(DIM // 2, dropout)
        self.self_attn_t = Attention(DIM // 2, dropout)
        self.linear1 = nn.Linear(DIM, WIDTH)
        self.linear2 = nn.Linear(WIDTH, DIM)
        self.norm1 = nn.LayerNorm(DIM)
        self.norm2 = nn.LayerNorm(DIM)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)

    def forward(self, x):
        batch, channels, count, _ = x.shape
        spatial, temporal = self.norm1(x).chunk(2, dim=-1)
        across = spatial.transpose(1, 2).reshape(batch * count, channels, DIM // 2)
        across = self.self_attn_s(across).view(batch, count, channels, DIM // 2).transpose(1, 2)
        along = temporal.reshape(batch * channels, count, DIM // 2)
        along = self.self_attn_t(along).view(batch, channels, count, DIM // 2)
        x = x + self.dropout1(torch.cat((across, along), dim=-1))
        inner = self.dropout(F.gelu(self.linear1(self.norm2(x))))
        return x + self.dropout2(self.linear2(inner))


class Encoder(nn.Module):
    def __init__(self, layers: int, dropout: float):
        super().__init__()
        self.layers = nn.ModuleList(CrissCrossLayer(dropout) for _ in range(layers))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class CBraMod(nn.Module):
    """Encoder and, with `reconstruct`, the head of pre-training."""

    def __init__(self, layers: int = 12, dropout: float = 0.1, reconstruct: bool = True):
        super().__init__()
        self.patch_embedding = PatchEmbedding(dropout)
        self.encoder = Encoder(layers, dropout)
        self.proj_out = nn.Sequential(nn.Linear(DIM, SAMPLES)) if reconstruct else nn.Identity()

    def forward(self, patches, mask=None):
        return self.proj_out(self.encoder(self.patch_embedding(patches, mask)))


class Fused(nn.Module):
    """Mean-pooled embeddings of both modalities, concatenated → MLP head: heartmind's fused model."""

    def __init__(self, layers: int, hidden: int = 200, classes: int = 2):
        super().__init__()
        self.eeg = CBraMod(layers, reconstruct=False)
        self.ecg = CBraMod(layers, reconstruct=False)
        self.head = nn.Sequential(nn.Linear(2 * DIM, hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(hidden, classes))

    def forward(self, eeg, ecg):
        pooled = (self.eeg(eeg).mean((1, 2)), self.ecg(ecg).mean((1, 2)))
        return self.head(torch.cat(pooled, dim=-1))


def masked_mse(prediction, target, mask):
    """Mean squared error over the samples of hidden patches."""
    error = (prediction - target).square().sum(-1)
    return (error * mask).sum() / (mask.sum() * SAMPLES)


def check(weights_path: str, vectors_path: str) -> dict:
    """Outputs, masked loss and every gradient against reference values; the largest relative errors."""
    from safetensors.torch import load_file

    weights, vectors = load_file(weights_path), load_file(vectors_path)
    layers = 1 + max(int(key.split(".")[2]) for key in weights if key.startswith("encoder.layers."))
    model = CBraMod(layers, dropout=0.0)
    model.load_state_dict(weights, strict=True)
    patches, mask = vectors["input"], vectors["mask"].bool()
    found = {}

    def compare(name, actual, expected):
        scale = expected.double().abs().max().item()
        found[name] = (actual.double() - expected.double()).abs().max().item() / scale

    with torch.inference_mode():
        for suffix, hidden in (("", None), ("_masked", mask)):
            output = model.eval()(patches, hidden)
            expected = vectors.get(f"output{suffix}_f64", vectors.get(f"output{suffix}"))
            if expected is not None:
                compare(f"output{suffix}", output, expected)
    loss = masked_mse(model.train()(patches, mask), patches, mask)
    compare("loss", loss.detach().reshape(1), vectors["loss_masked_mse"].reshape(1))
    loss.backward()
    gradients = {name: value for name, value in model.named_parameters() if value.requires_grad}
    for name, value in gradients.items():
        compare(f"grad.{name}", value.grad, vectors[f"grad.{name}"])
    worst = max(found, key=found.get)
    return {"compared": len(found), "worst": worst, "relative": found[worst], "ok": found[worst] < 1e-3}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", required=True)
    parser.add_argument("--weights", default="test/golden/model/weights.safetensors")
    parser.add_argument("--vectors", default="test/golden/model/vectors.safetensors")
    options = parser.parse_args()
    result = check(options.weights, options.vectors)
    print(json.dumps(result))
    sys.exit(0 if result["ok"] else 1)


if __name__ == "__main__":
    main()
