"""Golden values of heart rate variability: test/golden/signal/hrv.json, from NeuroKit2, SciPy, and intervals of MIT-BIH.

Run: python scripts/golden/hrv.py MITDB_FOLDER   (neurokit2 0.2.13, scipy 1.17.1, numpy 2.4.6, wfdb 4.3.1)
Series: the first 5 minutes of record 100 (normal rhythm, few ectopic beats), 2 minutes of 208 (many), a drawn rhythm of
20 minutes with breathing and slow waves, and short ones. Times are rounded to 0.1 ms before anything is computed.
"""
import json
import sys
import warnings
from pathlib import Path

import neurokit2 as nk
import numpy as np
import wfdb
from neurokit2.hrv.hrv_nonlinear import _hrv_nonlinear_poincare
from scipy import signal

warnings.filterwarnings("ignore")
folder = Path(__file__).resolve().parents[2] / "test" / "golden" / "signal"


def record(name, seconds):
    annotation = wfdb.rdann(str(Path(sys.argv[1]) / name), "atr")
    beats = [s / 360 for s, symbol in zip(annotation.sample, annotation.symbol) if symbol in "NLRaVFJASEj/Qefnr"]
    return [b for b in beats if b < seconds]


def drawn(seconds):
    random = np.random.default_rng(4)
    beats, t = [], 0.3
    while t < seconds:
        beats.append(t)
        t += 0.85 + 0.05 * np.sin(2 * np.pi * 0.25 * t) + 0.04 * np.sin(2 * np.pi * 0.09 * t) \
            + 0.03 * np.sin(2 * np.pi * 0.01 * t) + 0.008 * random.standard_normal()
    return beats


series = {
    "mitdb-100": record("100", 300), "mitdb-208": record("208", 120), "drawn": drawn(1200),
    "thirty": drawn(30), "six": drawn(6),
}
cases = []
for name, beats in series.items():
    # Beats as whole tenths of milliseconds: NeuroKit2's peaks at 10,000 Hz.
    peaks = np.round(np.asarray(beats) * 1e4).astype(int)
    rri = np.diff(peaks) / 10
    time = nk.hrv_time(peaks, sampling_rate=10_000).iloc[0].to_dict()
    # Its definition on whole numbers: its own floats decide by their rounding whether 50 ms are above 50 ms.
    changes = np.abs(np.diff(peaks, n=2))
    for limit in (20, 50):
        exact = float(np.sum(changes > 10 * limit) / (len(changes) + 1) * 100)
        assert abs(exact - time[f"HRV_pNN{limit}"]) <= 100 * np.sum(changes == 10 * limit) / (len(changes) + 1) + 1e-9
        time[f"HRV_pNN{limit}"] = exact
    kwargs = {"sampling_rate": 10_000, "silent": True}
    frequency = nk.hrv_frequency(peaks, normalize=False, **kwargs).iloc[0].to_dict()
    normalised = nk.hrv_frequency(peaks, normalize=True, **kwargs).iloc[0].to_dict()
    coarse = nk.hrv_frequency(peaks, normalize=False, interpolation_rate=4, **kwargs).iloc[0].to_dict()
    poincare = {}
    _hrv_nonlinear_poincare(rri, out=poincare)
    entropy = float(nk.entropy_sample(rri, delay=1, dimension=2, tolerance="sd")[0])
    entropy = entropy if np.isfinite(entropy) else None
    # Lomb: one-sided density 2 P / mean rate at (k + 1) / (5 T), up to 0.5 Hz.
    t = peaks[1:] / 1e4
    duration = t[-1] - t[0]
    f = np.arange(1, int(np.floor(0.5 * duration * 5)) + 1) / (duration * 5)
    density = 2 * duration / len(t) * signal.lombscargle(t - t[0], rri - rri.mean(), 2 * np.pi * f)
    bands = {"vlf": (0.0033, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.4), "vhf": (0.4, 0.5)}
    lomb = {}
    for band, (low, high) in bands.items():
        inside = (f >= max(low, 1 / duration)) & (f < high)
        lomb[band] = float(np.trapezoid(density[inside], f[inside]))
    clean = lambda values: {k: (None if not np.isfinite(v) else float(v)) for k, v in values.items()}
    cases.append({
        "name": name, "tenthsOfMilliseconds": peaks.tolist(), "time": clean(time), "frequency": clean(frequency),
        "normalised": clean(normalised), "coarse": clean(coarse), "poincare": clean(poincare), "entropy": entropy,
        "lomb": clean(lomb),
    })
(folder / "hrv.json").write_text(json.dumps({"neurokit2": nk.__version__, "cases": cases}) + "\n")
print([(c["name"], len(c["tenthsOfMilliseconds"])) for c in cases])
