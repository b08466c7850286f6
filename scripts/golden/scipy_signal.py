"""Golden values of signal/ from SciPy: test/golden/signal/values.json (cases) and values.f64 (little-endian numbers).

Run: python scripts/golden/scipy_signal.py   (numpy 2.4.6, scipy 1.17.1)
Not named signal.py, which would hide the standard module of that name from every script beside it.
Every case says what was asked and where its numbers lie in values.f64 as [start, length].
"""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy import signal

folder = Path(__file__).resolve().parents[2] / "test" / "golden" / "signal"
numbers: list[np.ndarray] = []
cursor = 0


def keep(values) -> list[int]:
    """Append to values.f64; return [start, length]."""
    global cursor
    flat = np.asarray(values, dtype="<f8").ravel()
    numbers.append(flat)
    cursor += flat.size
    return [cursor - flat.size, flat.size]


random = np.random.default_rng(20251215)
n = 1203
t = np.arange(n) / 250
# Like EEG: a slow drift, two rhythms, noise, and an offset.
x = 40 * np.sin(2 * np.pi * 0.2 * t) + 20 * np.sin(2 * np.pi * 10 * t + 1) + 5 * np.sin(2 * np.pi * 50 * t)
x = x + 8 * random.standard_normal(n) + 17

butter = []
for order, low, high, stop, rate in [
    (1, None, 30, False, 200), (2, None, 30, False, 200), (3, None, 40, False, 250), (4, None, 75, False, 200),
    (5, None, 35, False, 500), (8, None, 60, False, 500), (1, 0.3, None, False, 200), (2, 0.5, None, False, 250),
    (3, 1, None, False, 128), (4, 0.5, None, False, 500), (5, 0.7, None, False, 360), (1, 0.3, 75, False, 200),
    (2, 0.3, 75, False, 200), (3, 0.5, 40, False, 500), (4, 0.3, 75, False, 200), (4, 0.3, 75, False, 500),
    (4, 0.5, 45, False, 250), (5, 8, 13, False, 128), (6, 8, 30, False, 250), (8, 4, 40, False, 200),
    (2, 8, 20, False, 360), (1, 48, 52, True, 200), (2, 48, 52, True, 250), (3, 49, 51, True, 500),
    (4, 55, 65, True, 200), (5, 1, 30, True, 128),
]:
    kind = "lowpass" if low is None else "highpass" if high is None else "bandstop" if stop else "bandpass"
    edges = high if low is None else low if high is None else [low, high]
    sos = signal.butter(order, edges, kind, fs=rate, output="sos")
    band = {k: v for k, v in {"lowHz": low, "highHz": high}.items() if v is not None} | ({"stop": True} if stop else {})
    butter.append({
        "order": order, "band": band, "rateHz": rate, "sos": keep(sos), "steady": keep(signal.sosfilt_zi(sos)),
        "causal": keep(signal.sosfilt(sos, x[:400])), "zeroPhase": keep(signal.sosfiltfilt(sos, x[:400])),
    })

notch = []
for frequency, quality, rate in [(50, 30, 200), (60, 30, 200), (50, 35, 250), (60, 10, 500), (50, 1, 360)]:
    sos = signal.tf2sos(*signal.iirnotch(frequency, quality, rate))
    notch.append({
        "frequencyHz": frequency, "quality": quality, "rateHz": rate, "sos": keep(sos),
        "causal": keep(signal.sosfilt(sos, x[:300])), "zeroPhase": keep(signal.sosfiltfilt(sos, x[:300])),
    })

polyphase = [
    {"up": up, "down": down, "length": length, "y": keep(signal.resample_poly(x[:length], up, down))}
    for up, down, length in [
        (2, 5, 1203), (4, 5, 1000), (5, 9, 721), (25, 16, 301), (1, 5, 1001), (4, 2, 250), (1, 2, 500), (3, 1, 111),
        (25, 32, 640), (7, 13, 97), (13, 7, 97), (200, 173, 173), (2, 5, 7), (5, 2, 1), (1, 1, 9), (400, 1000, 333),
        (20000, 17361, 100),
    ]
]
fourier = [
    {"length": length, "to": to, "y": keep(signal.resample(x[:length], to))}
    for length, to in [
        (500, 200), (200, 500), (500, 201), (501, 200), (501, 201), (97, 211), (211, 97), (64, 64), (10, 1), (1, 10),
        (300, 299), (2, 5), (128, 64), (64, 128), (7, 2),
    ]
]
fft = []
for length in [1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16, 30, 31, 37, 49, 64, 97, 121, 200, 211, 360, 400, 509, 1009]:
    z = np.fft.fft(x[:length] + 1j * x[::-1][:length])
    fft.append({"length": length, "re": keep(z.real), "im": keep(z.imag)})
welch = []
for rate, segment, overlap in [(200, 400, None), (250, 500, None), (250, 255, None), (250, 256, 0), (128, 100, 75)]:
    frequency, density = signal.welch(x, rate, nperseg=segment, noverlap=overlap)
    welch.append({
        "rateHz": rate, "segmentSamples": segment, "frequencyHz": keep(frequency), "density": keep(density),
    } | ({} if overlap is None else {"overlapSamples": overlap}))

cases = {
    "made": f"scripts/golden/scipy_signal.py, numpy {np.__version__}, scipy {scipy.__version__}",
    "x": keep(x), "butter": butter, "notch": notch, "polyphase": polyphase, "fourier": fourier, "fft": fft, "welch": welch,
}
folder.mkdir(parents=True, exist_ok=True)
(folder / "values.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
np.concatenate(numbers).tofile(folder / "values.f64")
