"""Golden values of EEG band powers: test/golden/signal/band-powers.json, from MNE (`psd_array_welch`).

Run: python scripts/golden/band_powers.py   (mne 1.13.2, numpy 2.4.6)
"""
import json
from pathlib import Path

import mne
import numpy as np

mne.set_log_level("ERROR")
folder = Path(__file__).resolve().parents[2] / "test" / "golden" / "signal"
random = np.random.default_rng(11)
bands = {"delta": (1, 4), "theta": (4, 8), "alpha": (8, 13), "beta": (13, 30), "gamma": (30, 45)}
cases = []
for rate, seconds, peak in [(128, 7.5, 10.2), (200, 5, 9.1), (250, 4, 11.4)]:
    n = int(rate * seconds)
    t = np.arange(n) / rate
    x = np.cumsum(random.standard_normal(n)) + 15 * np.sin(2 * np.pi * peak * t) + 2 * random.standard_normal(n)
    x = np.round(x, 6)
    segment = 2 * rate
    density, frequency = mne.time_frequency.psd_array_welch(
        x, rate, fmin=0, fmax=rate / 2, n_fft=segment, n_per_seg=segment, n_overlap=segment // 2, window="hann")
    step = frequency[1] - frequency[0]
    absolute = {name: float(density[(frequency >= low) & (frequency < high)].sum() * step)
                for name, (low, high) in bands.items()}
    cases.append({"rateHz": rate, "peakHz": peak, "x": x.tolist(), "absolute": absolute})
(folder / "band-powers.json").write_text(json.dumps({"mne": mne.__version__, "cases": cases}) + "\n")
