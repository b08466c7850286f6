"""
PyTorch's training step on CUDA for bench/gpu.mjs: our own rendering of the model (peers/cbramod_torch.py), a mask drawn for
every update, clip, fused AdamW. Takes the job as JSON, prints its figures as JSON.

    python bench/gpu-torch.py '{"layers": 12, "channels": 19, "patches": 10, "batch": 64, "accumulate": 1, "warmup": 5, "updates": 30}'
"""

import json
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from cbramod_torch import CBraMod, masked_mse  # noqa: E402


def measure(job, device, half, compile_it):
    """Seconds of each update after the warm-up, and the peak of the GPU's memory."""
    torch.manual_seed(0)
    parts, batch = job["accumulate"], job["batch"] // job["accumulate"]
    shape = (batch, job["channels"], job["patches"])
    model = CBraMod(job["layers"], dropout=0.1).to(device).train()
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=5e-4, weight_decay=0.05, fused=device == "cuda")
    scaler = torch.amp.GradScaler(device, enabled=half)
    windows = 0.3 * torch.randn(parts, *shape, 200)

    def loss_of(patches, mask):
        with torch.autocast(device, dtype=torch.float16, enabled=half):
            return masked_mse(model(patches, mask).float(), patches, mask)

    step = torch.compile(loss_of, dynamic=False) if compile_it else loss_of
    seconds = []
    for _ in range(job["warmup"] + job["updates"]):
        begun = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for part in windows:
            # Windows and masks come from the host, as ours do.
            loss = step(part.to(device), (torch.rand(shape) < 0.5).to(device)) / parts
            scaler.scale(loss).backward()
            total += loss.item()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(learning, 1.0).item()
        scaler.step(optimizer)
        scaler.update()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    return seconds[job["warmup"] :]


def main():
    job = json.loads(sys.argv[1])
    if not torch.cuda.is_available() and job.get("device") != "cpu":
        sys.exit(f"PyTorch {torch.__version__} finds no CUDA device")
    device = job.get("device", "cuda")
    gpu = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    result = {"engine": f"PyTorch {torch.__version__}", "gpu": gpu}
    tokens = job["batch"] * job["channels"] * job["patches"]
    for name, half, compile_it in (
        ("eager float32", False, False),
        ("eager float16 (autocast)", True, False),
        ("compiled float32", False, True),
        ("compiled float16 (autocast)", True, True),
    ):
        if compile_it and not job.get("compile", True):
            continue
        try:
            median = statistics.median(measure(job, device, half, compile_it))
            result[name] = {"medianSeconds": median, "tokensPerSecond": tokens / median}
        except Exception as error:  # a missing compiler must not hide the other figures
            result[name] = {"absent": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
