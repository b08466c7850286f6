"""Golden values of spherical splines and electrode positions: test/golden/signal/interpolation.json, from MNE.

Run: python scripts/golden/interpolation.py   (mne 1.13.2, numpy 2.4.6)
Positions are MNE's standard_1005 about the origin of its fitted sphere, as `interpolate_bads` takes them; ours get the same.
"""
import json
from pathlib import Path

import mne
import numpy as np

mne.set_log_level("ERROR")
folder = Path(__file__).resolve().parents[2] / "test" / "golden" / "signal"
montage = mne.channels.make_standard_montage("standard_1005")
ten20 = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2".split()
ten10 = ten20 + "AF3 AF4 F5 F1 F2 F6 FC5 FC1 FC2 FC6 CP5 CP1 CP2 CP6 PO3 PO4 Fpz Oz FT9 TP10".split()
random = np.random.default_rng(9)
cases = []
for names, bads in [(ten20, ["C3"]), (ten20, ["Fp1", "O2", "Pz"]), (ten10, ["F7", "AF3", "FC1", "TP10", "Cz"])]:
    info = mne.create_info(names, 200, "eeg")
    data = random.standard_normal((len(names), 12)).cumsum(1) * 1e-5
    raw = mne.io.RawArray(data.copy(), info)
    raw.set_montage(montage)
    origin = mne.bem._check_origin("auto", raw.info)
    positions = raw._get_channel_positions() - origin
    raw.info["bads"] = bads
    fixed = raw.interpolate_bads(reset_bads=False, origin=origin).get_data()
    bad = [names.index(name) for name in bads]
    cases.append({
        "names": names, "bad": bad, "positions": np.round(positions, 12).tolist(),
        "data": np.round(data * 1e6, 9).tolist(), "fixed": (fixed[bad] * 1e6).tolist(),
    })
found = montage.get_positions()["ch_pos"]
# Directions from the centre of the sphere through the electrodes.
points = np.array(list(found.values()))
center = mne.bem._fit_sphere(np.array([found[name] for name in ten10]))[1]
directions = {name: ((p - center) / np.linalg.norm(p - center)).round(4).tolist() for name, p in found.items()}
(folder / "interpolation.json").write_text(json.dumps({"mne": mne.__version__, "cases": cases, "directions": directions}) + "\n")
