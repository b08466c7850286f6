"""Small Neuroscan CNT files written from the structures SETUP, ELECTLOC, TEEG and EVENT, and their values as MNE reads them.

Writes test/golden/read/cnt-*.cnt and cnt.json. Usage: python scripts/golden/cnt.py
Source: http://paulbourke.net/dataformats/eeg/. Versions: MNE 1, NumPy 2.
"""
import datetime, json, os, struct
import mne
import numpy as np

mne.set_log_level("error")
here = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../test/golden/read"))
random = np.random.default_rng(3)
names = ["FP1", "FPZ", "EKG"]
baselines, sensitivities, calibrations = [0, -12, 100], [204.8, 100.5, 12.25], [1.0, 0.98765, 1.5]
rows = [(3, 0, 0, 4), (0, 0, 5, 20), (0, 2, 0, 33), (7, 0, 0xC0, 50), (8, 0, 0xD0, 70), (65535, 0, 0, 119)]


def cnt(width, kind, block=1, samples=120, rate=250):
    n = len(names)
    data_start = 900 + 75 * n
    values = random.integers(-30000, 30000, (n, samples)) * (1 if width == 2 else 37)
    table = data_start + n * samples * width
    head = bytearray(900)
    struct.pack_into("<12s", head, 0, b"Version 3.0")
    struct.pack_into("<20s", head, 21, b"1234")
    struct.pack_into("<20s", head, 121, b"somebody")
    struct.pack_into("<h2s", head, 141, 29, b"FR")
    struct.pack_into("<10s12s", head, 225, b"05/26/14", b"10:20:30")
    struct.pack_into("<H", head, 370, n)
    struct.pack_into("<H", head, 376, rate)
    struct.pack_into("<I", head, 864, samples)
    struct.pack_into("<I", head, 886, table)
    struct.pack_into("<i", head, 894, block * width if block > 1 else 0)
    for name, baseline, sensitivity, calibration in zip(names, baselines, sensitivities, calibrations):
        e = bytearray(75)
        struct.pack_into("<10s", e, 0, name.encode())
        struct.pack_into("<h", e, 47, baseline)
        struct.pack_into("<f", e, 59, sensitivity)
        struct.pack_into("<f", e, 71, calibration)
        head += e
    stored = values.T if block == 1 else values.reshape(n, samples // block, block).transpose(1, 0, 2)
    body = np.ascontiguousarray(stored).astype("<i2" if width == 2 else "<i4").tobytes()
    events = b""
    for stim, keyboard, keypad, sample in rows:
        place = sample + 1 + data_start // (n * width) + 1 if kind == 3 else data_start + (sample + 1) * n * width
        events += struct.pack("<HBBI", stim, keyboard, keypad, place)
        if kind > 1:
            events += struct.pack("<hhf3s", 0, 0, 0.0, bytes(3))
    return bytes(head) + body + struct.pack("<Bii", kind, len(events), 0) + events


files = {
    "cnt-16-1": cnt(2, 1),
    "cnt-32-2": cnt(4, 2),
    "cnt-32-3": cnt(4, 3),
    "cnt-16-blocks": cnt(2, 2, block=40),
}
result = {}
for name, content in files.items():
    path = os.path.join(here, name + ".cnt")
    with open(path, "wb") as f:
        f.write(content)
    raw = mne.io.read_raw_cnt(path, data_format="int16" if "-16-" in name else "int32")
    data = raw.get_data()
    result[name] = {
        "start": "2014-05-26T10:20:30.000Z",
        "rateHz": float(raw.info["sfreq"]),
        "channels": [{"name": n, "values": [float(v * 1e6) for v in data[i]]} for i, n in enumerate(raw.ch_names)],
        "annotations": sorted([float(a["onset"]), float(a["duration"]), str(a["description"])] for a in raw.annotations),
    }
    assert raw.info["meas_date"].strftime("%Y-%m-%dT%H:%M:%S") == "2014-05-26T10:20:30", raw.info["meas_date"]
    print(name, len(content), result[name]["annotations"])
with open(os.path.join(here, "cnt.json"), "w") as f:
    json.dump(result, f, separators=(",", ":"), allow_nan=False)
