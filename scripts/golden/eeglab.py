"""Small EEGLAB datasets in every form, written by eeglabio, SciPy and NumPy, and what MNE reads from them.

Run: python scripts/golden/eeglab.py   (mne 1.13.2, eeglabio 0.1.4, scipy 1.17.1, h5py 3.16)
Writes test/golden/read/eeglab/*.set, *.fdt and test/golden/read/eeglab.json. MNE's values are volts.
"""

import hashlib
import json
import warnings
from pathlib import Path

import eeglabio.epochs
import eeglabio.raw
import mne
import numpy as np
import scipy.io

folder = Path(__file__).parents[2] / "test/golden/read/eeglab"
rng = np.random.default_rng(1)
names = ["Fp1", "Cz", "EOG µ"]
rate = 250.0


def signals(samples, epochs=None):
    shape = (3, samples) if epochs is None else (epochs, 3, samples)
    return np.round(rng.normal(0, 20e-6, shape), 8)


def eeg(data, **fields):
    """A dataset as EEGLAB keeps it; `data` is an array or the name of a file."""
    chanlocs = np.rec.fromarrays([names, ["EEG", "EEG", "EOG"]], names=["labels", "type"])
    return {
        "setname": "made by a test",
        "subject": "S01",
        "comments": "two words",
        "nbchan": 3.0,
        "trials": 1.0,
        "srate": rate,
        "xmin": 0.0,
        "ref": "common",
        "chanlocs": chanlocs,
        "data": data,
        "icaact": [],
        **fields,
    }


def events(rows):
    """[type, latency, duration]"""
    types = np.empty(len(rows), dtype=object)
    types[:] = [row[0] for row in rows]
    return np.rec.fromarrays(
        [types, [float(r[1]) for r in rows], [float(r[2]) for r in rows]], names=["type", "latency", "duration"]
    )


def write():
    folder.mkdir(exist_ok=True)
    marks = [np.array(["stim", "resp", "S  1"]), np.array([0.5, 0.9, 1.1]), np.array([0.0, 0.1, 0.0])]
    for fmt, name in [("v5", "raw-v5"), ("v7.3", "raw-v73")]:
        eeglabio.raw.export_set(
            str(folder / f"{name}.set"), signals(400), rate, names, annotations=marks, ch_types=["eeg", "eeg", "eog"], fmt=fmt
        )
    cut = [["boundary", 100.5, 50], [7.0, 120, 0], ["boundary", 200.5, 0], ["late", 301.25, 10]]
    np.asfortranarray(signals(350) * 1e6).astype("<f4").ravel(order="F").tofile(folder / "apart.fdt")
    scipy.io.savemat(
        folder / "apart.set", {"EEG": eeg("apart.fdt", pnts=350.0, event=events(cut))}, do_compression=True
    )
    scipy.io.savemat(
        folder / "fields.set",
        eeg(np.round(signals(300) * 1e6, 1).astype(np.float64), pnts=300.0, event=events([["a", 1, 0]])),
        do_compression=True,
    )
    eeglabio.epochs.export_set(
        str(folder / "epochs.set"),
        signals(50, epochs=4),
        rate,
        np.array([[10, 0, 1], [110, 0, 2], [210, 0, 1], [310, 0, 2]]),
        -0.04,
        0.156,
        names,
        event_id={"left": 1, "right": 2},
    )


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array, dtype="<f8").tobytes()).hexdigest()


def expected(path):
    try:
        raw = mne.io.read_raw_eeglab(path, preload=True)
    except TypeError:
        epochs = mne.read_epochs_eeglab(path)
        data = epochs.get_data()
        return {
            "rateHz": epochs.info["sfreq"],
            "names": epochs.ch_names,
            "epochs": list(data.shape),
            "sha256": [digest(data[:, c].ravel()) for c in range(data.shape[1])],
            "head": data[0, :, :3].tolist(),
        }
    data = raw.get_data()
    return {
        "rateHz": raw.info["sfreq"],
        "names": raw.ch_names,
        "samples": int(data.shape[1]),
        "sha256": [digest(row) for row in data],
        "head": data[:, :3].tolist(),
        "annotations": [
            [float(a["onset"]), float(a["duration"]), str(a["description"])] for a in raw.annotations
        ],
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    mne.set_log_level("error")
    write()
    golden = {path.name: expected(path) for path in sorted(folder.glob("*.set"))}
    (folder.parent / "eeglab.json").write_text(json.dumps({"mne": mne.__version__, "files": golden}, indent=1) + "\n")
