"""Reference values for BrainVision files: one of the shared folder, and small ones written here from the specification.

Writes test/golden/read/brainvision.json and test/golden/read/brainvision-*.{vhdr,eeg,vmrk}, read by MNE (which reads
INT_16, INT_32 and IEEE_FLOAT_32 multiplexed and vectorized, and multiplexed text).
Usage: python scripts/golden/brainvision.py SHARED_DATA
Versions: MNE 1, NumPy 2.
"""
import json, os, sys
import mne
import numpy as np

mne.set_log_level("error")
shared = sys.argv[1]
here = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../test/golden/read"))


def describe(path):
    raw = mne.io.read_raw_brainvision(path)
    data = raw.get_data()
    date = raw.info["meas_date"]
    channels = []
    for i, name in enumerate(raw.ch_names):
        unit = raw._orig_units[name]
        # MNE scales to units without a prefix.
        x = data[i] / raw.info["chs"][i]["range"]
        channels.append(
            {
                "name": name,
                "unit": unit,
                "length": len(x),
                "first": [float(v) for v in x[:4]],
                "last": [float(v) for v in x[-4:]],
                "sum": float(x.sum()),
                "weighted": float((x * (np.arange(len(x)) % 1009)).sum()),
                "scale": float(np.abs(x).max()),
            }
        )
    return {
        "rateHz": float(raw.info["sfreq"]),
        "startMicroseconds": None if date is None else str(int(date.timestamp()) * 10**6 + date.microsecond),
        "channels": channels,
        "annotations": [[float(a["onset"]), float(a["duration"]), str(a["description"])] for a in raw.annotations],
    }


header = """Brain Vision Data Exchange Header File Version {version}
; written for tests

[Common Infos]
Codepage={codepage}
DataFile={stem}.eeg
MarkerFile={stem}.vmrk
DataFormat={format}
DataOrientation={orientation}
NumberOfChannels=3
{points}SamplingInterval=2000

{infos}

[Channel Infos]
Ch1=Fz,,0.1,µV
Ch2=A\\1B,REF,{second},nV
Ch3=Temp,,0.25,C

[Comment]
Amplifier: none
"""
markers = """Brain Vision Data Exchange Marker File, Version {version}

[Common Infos]
Codepage={codepage}
DataFile={stem}.eeg

[Marker Infos]
Mk1=New Segment,,1,1,0,20240229235959123456
Mk2=Stimulus,S  1,11,1,0
Mk3=Comment,pause\\1 long,21,50,2
Mk4=Response,R  7,120,0,0
"""
random = np.random.default_rng(11)
result = {}
for name, binary, kind, orientation, version, codepage in [
    ("int16", "INT_16", "<i2", "MULTIPLEXED", "1.0", "UTF-8"),
    ("int32", "INT_32", "<i4", "VECTORIZED", "2.0", "UTF-8"),
    ("float32", "IEEE_FLOAT_32", "<f4", "MULTIPLEXED", "2.0", "ANSI"),
    ("text", None, None, "MULTIPLEXED", "1.0", "UTF-8"),
]:
    stem = os.path.join(here, f"brainvision-{name}")
    values = random.integers(-30000, 30000, (3, 130))
    encoding = "utf-8" if codepage == "UTF-8" else "latin-1"
    infos = f"[Binary Infos]\nBinaryFormat={binary}" if binary else "[ASCII Infos]\nDecimalSymbol=.\nSkipLines=1\nSkipColumns=0"
    text = header.format(
        stem=os.path.basename(stem), version=version, codepage=codepage, format="BINARY" if binary else "ASCII", orientation=orientation,
        points="DataPoints=130\n" if orientation == "VECTORIZED" else "", infos=infos, second="-2.5" if binary else "1",
    )
    with open(stem + ".vhdr", "w", encoding=encoding, newline="") as f:
        f.write(text.replace("\n", "\r\n"))
    with open(stem + ".vmrk", "w", encoding=encoding, newline="") as f:
        f.write(markers.format(version=version, codepage=codepage, stem=os.path.basename(stem)).replace("\n", "\r\n"))
    with open(stem + ".eeg", "wb") as f:
        if not binary:
            rows = ["Fz A,B Temp"] + [" ".join(f"{v / 8:.3f}" for v in row) for row in values.T]
            f.write("\r\n".join(rows).encode() + b"\r\n")
        else:
            stored = values * 1.5 if binary.startswith("IEEE") else values
            f.write((stored.T if orientation == "MULTIPLEXED" else stored).astype(kind).tobytes())
    result[f"brainvision-{name}.vhdr"] = describe(stem + ".vhdr")
    print(name, result[f"brainvision-{name}.vhdr"]["annotations"])
result["conformance/brainvision/test.vhdr"] = describe(os.path.join(shared, "conformance/brainvision/test.vhdr"))
with open(os.path.join(here, "brainvision.json"), "w") as f:
    json.dump(result, f, separators=(",", ":"), allow_nan=False)
