"""R peaks by NeuroKit2, for scripts/measure-beats.mjs: python measure_beats_peer.py INDEX.json SIGNALS.f64 > peaks.json

INDEX: {"signals": [{"start": …, "length": …, "rateHz": …}], "methods": […]}; SIGNALS: little-endian float64, one after
another. Written out: {"versions": {…}, "methods": {name: {"peaks": [[sample, …] | null, …], "seconds": …, "errors":
{message: count}}}}; null where the method raised. Cleaning by the method's own filter is part of its time. Each method
sees one signal first that is not counted, so that imports and caches do not count.
"""
import json
import sys
import time
import warnings

import neurokit2 as nk
import numpy as np
import scipy

warnings.filterwarnings("ignore")
with open(sys.argv[1], encoding="utf-8") as file:
    index = json.load(file)
numbers = np.fromfile(sys.argv[2], dtype="<f8")


def detect(method, signal, rate):
    cleaned = nk.ecg_clean(signal, sampling_rate=rate, method=method)
    _, info = nk.ecg_peaks(cleaned, sampling_rate=rate, method=method)
    return [float(peak) for peak in np.asarray(info["ECG_R_Peaks"]).ravel() if np.isfinite(peak)]


methods = {}
for method in index["methods"]:
    peaks, errors, seconds = [], {}, 0.0
    for i, entry in enumerate([index["signals"][0], *index["signals"]]):
        signal = numbers[entry["start"]:entry["start"] + entry["length"]]
        start = time.process_time()
        try:
            found = detect(method, signal, int(entry["rateHz"]))
        except Exception as error:  # what it raises is part of the result
            found = None
            if i > 0:
                name = f"{type(error).__name__}: {error}"[:80]
                errors[name] = errors.get(name, 0) + 1
        if i > 0:
            seconds += time.process_time() - start
            peaks.append(found)
    methods[method] = {"peaks": peaks, "seconds": seconds, "errors": errors}
json.dump({
    "versions": {"neurokit2": nk.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
    "methods": methods,
}, sys.stdout)
