"""Small GDF files written from the specification, and their values as MNE reads them.

Writes test/golden/read/gdf-*.gdf and gdf.json. MNE wants one number type and takes one rate; other files are built and
checked in test/read/gdf.test.ts.
Usage: python scripts/golden/gdf.py
Source: Schlögl, "GDF - A general dataformat for biosignals", arXiv cs/0608052. Versions: MNE 1, NumPy 2.
"""
import datetime, json, os, struct
import mne
import numpy as np

mne.set_log_level("error")
here = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../test/golden/read"))
random = np.random.default_rng(5)
start = datetime.datetime(2024, 2, 29, 23, 59, 58, 250000, tzinfo=datetime.timezone.utc)
names = ["EEG Fz", "EEG Cz", "ECG"]


def column(form, values):
    return b"".join(struct.pack("<" + form, v) for v in values)


def text(width, values):
    return b"".join(v.encode("latin-1").ljust(width) for v in values)


def events(version, mode, rate, rows):
    n = len(rows)
    triple = lambda v: struct.pack("<I", v)[:3]
    head = struct.pack("<B", mode) + (triple(int(rate)) + struct.pack("<I", n) if version < 1.94 else triple(n) + struct.pack("<f", rate))
    body = column("I", [r[0] for r in rows]) + column("H", [r[1] for r in rows])
    if mode == 3:
        body += column("H", [r[2] for r in rows]) + column("I", [r[3] for r in rows])
    return head + body


def gdf(version, kind, code, scale, table, records=6, samples=25, seconds=(1, 4)):
    n = len(names)
    lo, hi, dlo, dhi = scale
    if version < 1.9:
        head = f"GDF {version:.2f}".encode().ljust(8) + b"P7 somebody".ljust(80) + b"recording".ljust(80)
        head += (start.strftime("%Y%m%d%H%M%S") + "25").encode() + struct.pack("<q", 256 * (n + 1)) + bytes(24 + 20)
        head += struct.pack("<qIII", records, *seconds, n)
        head += text(16, names) + text(80, ["AgCl"] * n) + text(8, ["uV", "uV", "mV"])
        head += column("d", [lo] * n) + column("d", [hi] * n) + column("q", [dlo] * n) + column("q", [dhi] * n)
        head += text(80, ["HP:0.1Hz"] * n) + column("I", [samples] * n) + column("I", [code] * n) + bytes(32 * n)
    else:
        days = (start - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds() / 86400 + 719529
        head = f"GDF {version:.2f}".encode().ljust(8) + b"P7 somebody".ljust(66) + bytes(10) + bytes([0, 70, 175, 2])
        head += b"recording".ljust(64) + bytes(16) + struct.pack("<QQ", round(days * 2**32), 0)
        head += struct.pack("<H", n + 1) + bytes(6 + 8 + 6 + 6 + 24) + struct.pack("<qIIHH", records, *seconds, n, 0)
        head += text(16, names) + text(80, ["AgCl"] * n) + text(6, [""] * n) + column("H", [4275, 4275, 4274])
        head += column("d", [lo] * n) + column("d", [hi] * n) + column("d", [dlo] * n) + column("d", [dhi] * n)
        head += bytes(68 * n) + column("f", [40.0] * n) + column("f", [0.5] * n) + column("f", [0.0] * n)
        head += column("I", [samples] * n) + column("I", [code] * n) + bytes(12 * n) + bytes(20 * n)
    assert len(head) == 256 * (n + 1), len(head)
    values = random.normal(0, 300, (records, n, samples)) if kind.startswith("<f") else random.integers(dlo, dhi + 1, (records, n, samples))
    return head + values.astype(kind).tobytes() + table


rows = [(1, 768, 0, 1), (11, 769, 2, 40), (90, 276, 1, 5), (150, 33537, 0, 1)]
files = {
    "gdf-1-int16": gdf(1.25, "<i2", 3, (-3276.8, 3276.7, -32768, 32767), events(1.25, 3, 100, rows)),
    "gdf-1-uint8": gdf(1.25, "<u1", 2, (-10.0, 15.5, 0, 255), events(1.25, 1, 100, rows)),
    "gdf-2-int32": gdf(2.20, "<i4", 5, (-500.0, 500.0, -1000000, 1000000), events(2.20, 1, 100.0, rows)),
    "gdf-2-float32": gdf(2.20, "<f4", 16, (-1000.0, 1000.0, -1000.0, 1000.0), events(2.20, 3, 100.0, rows)),
}
result = {}
for name, content in files.items():
    path = os.path.join(here, name + ".gdf")
    with open(path, "wb") as f:
        f.write(content)
    raw = mne.io.read_raw_gdf(path)
    data = raw.get_data()
    date = raw.info["meas_date"]
    is_old = name.startswith("gdf-1")
    # MNE knows µV in both versions and mV in the second.
    factors = [1e6, 1e6, 1.0 if is_old else 1e3]
    result[name] = {
        "startMicroseconds": int(date.timestamp()) * 10**6 + date.microsecond,
        "rateHz": float(raw.info["sfreq"]),
        "channels": [
            {"name": n, "values": [float(v * factors[i]) for v in data[i]]} for i, n in enumerate(raw.ch_names)
        ],
        # MNE makes instants last a sample.
        "annotations": [
            [float(a["onset"]), float(a["duration"]) * (name.endswith(("int16", "float32"))), str(a["description"])] for a in raw.annotations
        ],
    }
    print(name, len(content), raw.info["sfreq"], date, result[name]["annotations"])
with open(os.path.join(here, "gdf.json"), "w") as f:
    json.dump(result, f, separators=(",", ":"), allow_nan=False)
