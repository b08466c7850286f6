"""PyTorch's tasks: training step, inference, matrix product, pass over memory. See worker.py for how they are asked."""

import os
import time

import numpy
import torch
from cbramod_torch import CBraMod, Fused, check, masked_mse

MASK_RATIO = 0.5
GOLDEN = os.path.join(os.path.dirname(__file__), "../../test/golden/model")


def find(job):
    if job.get("threads"):
        torch.set_num_threads(job["threads"])
    return {
        "pretrainingStep": training_step,
        "embedding": embedding,
        "fusedModel": fused_model,
        "matrixProduct": matrix_product,
        "memoryCopy": memory_copy,
    }[job["task"]]


def engine(**more):
    config = torch.__config__.show()
    blas = config.split("BLAS_INFO=")[1].split(",")[0] if "BLAS_INFO=" in config else "unknown"
    capability = torch.backends.cpu.get_cpu_capability() if hasattr(torch.backends, "cpu") else "unknown"
    onednn = config.split("MKL-DNN ")[1].split(" ")[0] if "MKL-DNN " in config else "none"
    return {
        "engine": f"PyTorch {torch.__version__}",
        "blas": blas,
        "oneDNN": onednn,
        "capability": capability,
        "threads": torch.get_num_threads(),
        **({"OPENBLAS_CORETYPE": os.environ["OPENBLAS_CORETYPE"]} if "OPENBLAS_CORETYPE" in os.environ else {}),
        **more,
    }


def compiled(function, mode):
    """torch.compile with fixed shapes, which its compiler does best with."""
    if not hasattr(torch, "compile"):
        raise ImportError(f"PyTorch {torch.__version__} has no torch.compile")
    return torch.compile(function, dynamic=False, mode=mode)


def trust_gradients():
    """Compare with the golden gradients; where oneDNN computes them wrongly, as old builds do, go without it."""
    files = os.path.join(GOLDEN, "weights.safetensors"), os.path.join(GOLDEN, "vectors.safetensors")
    for onednn in (True, False):
        torch.backends.mkldnn.set_flags(onednn)
        found = check(*files)
        if found["ok"]:
            return {"gradientError": found["relative"], "oneDNNUsed": onednn}
    raise RuntimeError(f"{found['worst']} differs from its golden value by {found['relative']:.1e} (relative)")


def training_step(job):
    """Forward, backward, clip, AdamW (fused), dropout on; a mask drawn for every update; whole or in parts."""
    trusted = trust_gradients()
    torch.manual_seed(0)
    parts, batch = job["accumulate"], job["batch"] // job["accumulate"]
    shape = (batch, job["channels"], job["patches"])
    windows = 0.3 * torch.randn(2 * parts, *shape, 200)
    begun = time.perf_counter()
    model = CBraMod(job["layers"], dropout=0.1).train()
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    fused = {"fused": True} if tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 4) else {}
    optimizer = torch.optim.AdamW(learning, lr=5e-4, weight_decay=0.05, **fused)

    def loss_of(patches, mask):
        return masked_mse(model(patches, mask), patches, mask)

    function = compiled(loss_of, job.get("mode")) if job["compile"] else loss_of
    counter = iter(range(1 << 62))

    def step():
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for _ in range(parts):
            mask = torch.rand(shape) < MASK_RATIO
            loss = function(windows[next(counter) % len(windows)], mask) / parts
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        return total

    step()
    ready = {"first": time.perf_counter() - begun, "engine": engine(optimizer="AdamW" + (", fused" if fused else ""), **trusted)}
    if job["compile"]:
        ready["engine"]["cacheFolder"] = os.environ.get("TORCHINDUCTOR_CACHE_DIR", "default")
    step()
    return ready, step


def digest(values):
    values = values.detach().numpy().reshape(-1)
    return [float(numpy.linalg.norm(values)), float(values[0]), float(values[len(values) // 2])]


def inference(job, function, *arguments):
    """Timed under inference_mode; compiled with its weights frozen, which lets the compiler pack them."""
    with torch.inference_mode():
        begun = time.perf_counter()
        if job["compile"]:
            import torch._inductor.config as inductor

            inductor.freezing = True
            function = compiled(function, job.get("mode"))
        result = function(*arguments)
        ready = {"first": time.perf_counter() - begun, "digest": digest(result), "engine": engine()}
        for _ in range(3):
            function(*arguments)

    def run():
        with torch.inference_mode():
            function(*arguments)

    return ready, run


def read_windows(job, shape):
    values = numpy.fromfile(job["data"], "<f4")
    length = int(numpy.prod(shape))
    return torch.from_numpy(values[:length].reshape(shape)), values[length:]


def embedding(job):
    from safetensors.torch import load_file

    model = CBraMod(job["layers"], reconstruct=False).eval()
    weights = load_file(job["weights"])
    model.load_state_dict({key: value for key, value in weights.items() if not key.startswith("proj_out.")})
    patches, _ = read_windows(job, (job["batch"], job["channels"], job["patches"], 200))
    return inference(job, lambda x: model(x).mean((1, 2)), patches)


def fused_model(job):
    from safetensors.torch import load_file

    model = Fused(job["layers"]).eval()
    weights = load_file(job["weights"])
    renamed = {}
    for key, value in weights.items():
        # heartmind numbers the head's linear layers 0 and 1; between them are GELU and dropout here
        renamed[key.replace("head.1.", "head.3.")] = value
    for modality in ("eeg", "ecg"):
        renamed[f"{modality}.patch_embedding.mask_encoding"] = torch.zeros(200)
    model.load_state_dict(renamed, strict=True)
    eeg, rest = read_windows(job, (job["batch"], *job["eeg"], 200))
    ecg = torch.from_numpy(rest[: job["batch"] * job["ecg"][0] * job["ecg"][1] * 200].reshape(job["batch"], *job["ecg"], 200))
    return inference(job, lambda a, b: model(a, b).softmax(-1), eeg, ecg)


def matrix_product(job):
    rows, inner, columns = job["rows"], job["inner"], job["columns"]
    x = torch.randn(rows, inner)
    out = torch.empty(rows, columns)
    if job["operator"] == "Gemm":
        weight, bias = torch.randn(columns, inner), torch.randn(columns)
        call = lambda: torch.addmm(bias, x, weight.t(), out=out)  # noqa: E731
    else:
        weight = torch.randn(inner, columns)
        call = lambda: torch.mm(x, weight, out=out)  # noqa: E731

    def run():
        with torch.inference_mode():
            call()

    run()
    return {"flops": 2 * rows * inner * columns, "engine": engine()}, run


def memory_copy(job):
    x = torch.ones(int(job["megabytes"] * 1e6) // 4)
    y = torch.empty_like(x)

    def run():
        torch.add(x, 1, out=y)

    run()
    return {"engine": engine()}, run
