"""Pickles of every protocol with NumPy data → test/golden/read/pickle: python scripts/golden/numpy_pickle.py"""

import json
import os
import pickle

import numpy as np

folder = os.path.join(os.path.dirname(__file__), "../../test/golden/read/pickle")
os.makedirs(folder, exist_ok=True)
value = {
    "signal": {
        "ECG": np.arange(6, dtype="<f8").reshape(3, 2) / 4,
        "EDA": np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3)),
        "ints": np.array([[-1, 2], [3, -4]], dtype="i2"),
        "cube": np.asfortranarray(np.arange(24, dtype="i4").reshape(2, 3, 4)),
    },
    "label": np.array([0, 1, 2, 255], dtype="u1"),
    "subject": "S2",
    "rate": 700,
    "list": [1, 2.5, None, True, "x'\n", -70000, 2**40],
    "scalar": np.float64(2.25),
    "flags": np.array([True, False]),
}
for protocol in range(6):
    with open(f"{folder}/protocol-{protocol}.pkl", "wb") as file:
        pickle.dump(value, file, protocol=protocol)


def plain(item):
    if isinstance(item, np.ndarray):
        return {"shape": list(item.shape), "values": [float(x) for x in item.reshape(-1)]}
    if isinstance(item, np.floating):
        return float(item)
    if isinstance(item, dict):
        return {key: plain(one) for key, one in item.items()}
    return [plain(one) for one in item] if isinstance(item, list) else item


with open(f"{folder}/values.json", "w") as file:
    json.dump(plain(value), file, indent=1)
