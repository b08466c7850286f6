"""Reads a store of `heartmind prepare` with Python's zarr and prints what it finds as JSON: the test compares it.

    python scripts/check-zarr.py STORE [WINDOW ...]

needs zarr >= 3 and numpy. For each named window: the sum, the first and the last value of int16 x scale_factor in microvolt.
"""

import json
import sys
import warnings

import numpy as np
import zarr

warnings.simplefilter("ignore")  # zarr calls its own strings unstable

store = zarr.open_group(sys.argv[1], mode="r")
windows = [int(argument) for argument in sys.argv[2:]]
found = {"zarr": zarr.__version__, "arrays": sorted(name for name, _ in store.arrays()), "signals": {}}
for name in ("eeg", "ecg"):
    if name not in store:
        continue
    array = store[name]
    scale = array.attrs["scale_factor"]
    values = {w: array[w].astype(np.float64) * scale for w in windows}
    found["signals"][name] = {
        "shape": list(array.shape),
        "shards": list(array.shards),
        "chunks": list(array.chunks),
        "dtype": str(array.dtype),
        "scale_factor": scale,
        "channels": list(array.attrs["channels"]),
        "windows": {w: [float(v.sum()), float(v[0, 0]), float(v[-1, -1])] for w, v in values.items()},
        "sum": float(np.sum(array[:].astype(np.float64))),
    }
trial = store["window_trial"][:]
subject = store["trial_subject"][:][trial]
found["start"] = store["window_start"][:].tolist()
found["trial"] = [str(store["trial_name"][:][t]) for t in trial]
found["subject"] = [str(store["subject_name"][:][s]) for s in subject]
found["targets"] = {
    name[len("target_") :]: [None if value != value else value for value in store[name][:].tolist()]
    for name in found["arrays"]
    if name.startswith("target_")
}
found["hash"] = store.attrs["heartmind"]["hash"]
json.dump(found, sys.stdout)
