#!/usr/bin/env python3
"""Small HDF5 files as CODE-15% and SPH publish them, written by h5py: test/golden/datasets/{code15.hdf5,sph.h5}.

Values are simple formulas, so that tests know them; gzip keeps the files small.
"""
import pathlib

import h5py
import numpy as np

out = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "datasets"
out.mkdir(parents=True, exist_ok=True)

# exam_id [N] int64, tracings [N, 4096, 12] float32 in mV: 7 s (2800) and 10 s (4000 samples) amid zeros; a last row of
# zeros with the identifier 0, as the published files have.
tracings = np.zeros((3, 4096, 12), np.float32)
lead = np.arange(12)
for row, samples in enumerate([2800, 4000]):
    start = (4096 - samples) // 2
    t = np.arange(samples)[:, None]
    tracings[row, start : start + samples] = ((t % 40) + 1 + lead + row) / 64
with h5py.File(out / "code15.hdf5", "w") as file:
    file.create_dataset("exam_id", data=np.array([1169160, 2873686, 0], np.int64))
    file.create_dataset("tracings", data=tracings, compression="gzip", compression_opts=9)

# ecg [12, T] float16 in mV at 500 Hz, 10 s.
t = np.arange(5000)[None, :]
with h5py.File(out / "sph.h5", "w") as file:
    ecg = (((t % 50) + lead[:, None]) / 64).astype(np.float16)
    file.create_dataset("ecg", data=ecg, compression="gzip", compression_opts=9)
