"""XDF reference values. pyxdf's robust fit of clock offsets loses digits where the clocks are far apart (9e-9 s in one of the
conformance files), so the reference is pyxdf with that one function in extended precision; `roundingSeconds` is how far
pyxdf itself is from it.
This: writes small files with defects that recorders have, and what pyxdf 1.17 reads from them and
from the conformance files. Run: python scripts/golden/xdf.py [folder with the conformance .xdf files]
-> test/golden/read/xdf/*.xdf, test/golden/read/xdf.json"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import pyxdf

here = Path(__file__).resolve().parents[2]
out = here / "test/golden/read/xdf"
out.mkdir(parents=True, exist_ok=True)
formats = {"int8": "<i1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "float32": "<f4", "double64": "<f8"}


def variable(n):
    return bytes([1, n]) if n < 256 else b"\x04" + struct.pack("<I", n)


def chunk(tag, content):
    return variable(len(content) + 2) + struct.pack("<H", tag) + content


def header(stream, name, kind, count, rate, fmt, desc=""):
    xml = (f"<?xml version='1.0'?><info><name>{name}</name><type>{kind}</type><channel_count>{count}</channel_count>"
           f"<nominal_srate>{rate}</nominal_srate><channel_format>{fmt}</channel_format><desc>{desc}</desc></info>")
    return chunk(2, struct.pack("<I", stream) + xml.encode())


def samples(stream, fmt, values, stamps):
    """stamps: a number, or None for a deduced one."""
    body = struct.pack("<I", stream) + variable(len(values))
    for row, stamp in zip(values, stamps):
        body += b"\x00" if stamp is None else b"\x08" + struct.pack("<d", stamp)
        if fmt == "string":
            for text in row:
                body += variable(len(text.encode())) + text.encode()
        else:
            body += np.asarray(row, formats[fmt]).tobytes()
    return chunk(3, body)


def offset(stream, time, value):
    return chunk(4, struct.pack("<Idd", stream, time, value))


def footer(stream, count):
    return chunk(6, struct.pack("<I", stream) + f"<info><sample_count>{count}</sample_count></info>".encode())


start = b"XDF:" + chunk(1, b"<?xml version='1.0'?><info><version>1.0</version><datetime>2026-03-01T10:20:30+0100</datetime></info>")
boundary = chunk(5, bytes([67, 165, 70, 220, 203, 245, 65, 15, 179, 14, 213, 70, 115, 131, 203, 228]))


def labels(names, unit):
    return "<channels>" + "".join(f"<channel><label>{n}</label><unit>{unit}</unit><type>EEG</type></channel>" for n in names) + "</channels>"


def write(name, parts):
    (out / name).write_bytes(b"".join([start, *parts]))


random = np.random.default_rng(1)

# Every format of values; stamps given, deduced and mixed.
parts = []
for i, fmt in enumerate(formats, 1):
    parts.append(header(i, f"all {fmt}", "EEG", 2, 100, fmt, labels(["Fp1", "C&amp;3"], "microvolts")))
for part in range(4):
    for i, fmt in enumerate(formats, 1):
        info = np.iinfo(formats[fmt]) if fmt.startswith("int") else None
        values = (random.integers(info.min, info.max, (25, 2), dtype=info.dtype, endpoint=True) if info
                  else random.normal(0, 50, (25, 2)))
        at = 1000 + part * 0.25
        stamps = [at + k / 100 if part == 1 or (part == 2 and k % 3 == 0) or (part != 1 and k == 0) else None for k in range(25)]
        parts.append(samples(i, fmt, values, stamps))
    parts.append(boundary)
write("formats.xdf", parts)

# A drifting clock with outliers among its offsets, jitter, a break of two seconds; a marker stream on another clock.
rate, n = 250, 2000
true = 5000 + np.arange(n) / (rate * 1.002)
true[1200:] += 2.75
jittered = true + random.normal(0, 0.002, n)
parts = [header(7, "Belt", "ECG", 1, rate, "int16", labels(["ECG"], "mV")), header(9, "Keys", "Markers", 1, 0, "string")]
for k in range(0, n, 200):
    parts.append(samples(7, "int16", random.integers(-2000, 2000, (200, 1)), jittered[k:k + 200]))
    measured = jittered[k] + 0.5
    parts.append(offset(7, measured, -4000 + 2e-5 * (measured - 5000) + (0.4 if k == 1000 else random.normal(0, 1e-5))))
    parts.append(offset(9, 300 + k / rate, 700 + random.normal(0, 1e-6)))
    parts.append(samples(9, "string", [[f"press {k} ü"]], [300 + k / rate + 0.1]))
parts += [footer(7, n), footer(9, 10)]
write("drift.xdf", parts)

# The clock restarts in the middle: times jump back.
parts = [header(1, "Amp", "EEG", 1, 50, "float32")]
for part, (clock, value) in enumerate([(9000, -8900), (20, 130)]):
    for k in range(10):
        at = clock + k
        parts.append(offset(1, at, value + random.normal(0, 1e-5)))
        parts.append(samples(1, "float32", random.normal(0, 1, (50, 1)), [at + j / 50 for j in range(50)]))
write("restart.xdf", parts)


def exact_fit(A, y, rho=1, iters=1000):
    """pyxdf.pyxdf._robust_fit with rho = 1 in long doubles."""
    t = A[:, 1].astype(np.longdouble)
    y = y.astype(np.longdouble)
    low = t.min()
    t = t - low
    n, s, q = np.longdouble(len(y)), t.sum(), (t * t).sum()
    if not n * q > s * s:
        raise np.linalg.LinAlgError
    z = u = np.zeros_like(y)
    for _ in range(iters):
        w = y + z - u
        a, b = (q * w.sum() - s * (t * w).sum()) / (n * q - s * s), (n * (t * w).sum() - s * w.sum()) / (n * q - s * s)
        d = a + b * t - y + u
        shrink = np.maximum(0, 1 - 2 * np.abs(np.divide(1, d, out=np.zeros_like(d), where=d != 0)))
        z = d / 2 + shrink * d / 2
        u = d - z
    return np.array([a - b * low, b])


def reference(path):
    plain, _ = pyxdf.load_xdf(str(path))
    rounded, pyxdf.pyxdf._robust_fit = pyxdf.pyxdf._robust_fit, exact_fit
    streams, _ = pyxdf.load_xdf(str(path))
    pyxdf.pyxdf._robust_fit = rounded
    result = []
    for s, p in zip(streams, plain):
        info = s["info"]
        stamps = np.asarray(s["time_stamps"])
        n = len(stamps)
        picks = sorted({*range(0, n, max(1, n // 40)), *([n - 1] if n else [])})
        is_text = info["channel_format"][0] == "string"
        values = s["time_series"]
        result.append({
            "id": info["stream_id"], "name": info["name"][0], "format": info["channel_format"][0], "length": n,
            "effectiveRateHz": float(info["effective_srate"]), "segments": info["segments"], "clockSegments": info["clock_segments"],
            "picks": picks, "stamps": [float(stamps[i]) for i in picks],
            "roundingSeconds": float(np.max(np.abs(stamps - p["time_stamps"]), initial=0)),
            "stampSum": float(np.sum(stamps - stamps[0])) if n else 0,
            "values": [values[i] if is_text else [str(int(v)) if info["channel_format"][0].startswith("int") else float(v) for v in values[i]] for i in picks],
            **({} if is_text else {"sums": np.asarray(values, float).sum(axis=0).tolist() if n else []}),
        })
    return result


files = sorted(out.glob("*.xdf"))
shared = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "../shared/data/conformance/xdf"
golden = {"pyxdf": pyxdf.__version__, "fixtures": {f.name: reference(f) for f in files},
          "conformance": {f.name: reference(f) for f in sorted(shared.glob("*.xdf"))}}
(here / "test/golden/read/xdf.json").write_text(json.dumps(golden))
