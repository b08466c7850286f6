"""Reference values for WFDB, made by wfdb-python.

Writes test/golden/read/wfdb.json: of every record of the conformance set (not in this repository: the folder given as
argument) and of MIT-BIH, the CRC-32 of all stored integers (int32, little-endian; missing ones as -2^31) and of all
physical values (float64, missing ones as 0), some of them in the open, names, units, rates, start; and annotations.
Usage: python scripts/golden/wfdb_records.py SHARED_DATA [UNPACKED_DATA]
Versions: wfdb 4.3, soundfile 0.13, numpy.
"""
import glob, json, os, shutil, sys, tempfile, zlib
import numpy as np
import wfdb

shared = sys.argv[1]
unpacked = sys.argv[2] if len(sys.argv) > 2 else os.path.expanduser("~/.cache/heartmind/data")
out = os.path.join(os.path.dirname(__file__), "../../test/golden/read/wfdb.json")
missing_integer = -(2**31)


def channel(name, unit, rate, gain, baseline, digital, physical):
    nan = np.isnan(physical)
    d = np.where(nan, missing_integer, digital).astype("<i4")
    p = np.where(nan, 0.0, physical).astype("<f8")
    p[p == 0] = 0.0  # no negative zeros
    mid = len(d) // 2
    return {
        "name": name,
        "unit": unit,
        "rateHz": float(rate),
        "gain": float(gain),
        "baseline": int(baseline),
        "length": len(d),
        "missing": int(nan.sum()),
        "digital": zlib.crc32(d.tobytes()),
        "physical": zlib.crc32(p.tobytes()),
        "slices": [[int(v) for v in d[a : a + 4]] for a in (0, mid, max(0, len(d) - 4))],
    }


def start_of(r):
    if r.base_date is None or r.base_time is None:
        return None
    return f"{r.base_date.isoformat()}T{r.base_time.isoformat()}"


def channels_of(stem):
    p = wfdb.rdrecord(stem, smooth_frames=False, physical=True)
    try:
        d = wfdb.rdrecord(stem, smooth_frames=False, physical=False)
    except ValueError:
        # Its conversion of number types fails for formats of several widths (binformats): one signal at a time.
        ones = [wfdb.rdrecord(stem, channels=[i], physical=False) for i in range(p.n_sig)]
        return p, [
            channel(
                p.sig_name[i], p.units[i], p.fs, p.adc_gain[i], p.baseline[i],
                ones[i].d_signal[:, 0], p.e_p_signal[i],
            )
            for i in range(p.n_sig)
        ]
    return p, [
        channel(
            p.sig_name[i], p.units[i], p.fs * p.samps_per_frame[i], p.adc_gain[i], p.baseline[i],
            d.e_d_signal[i], p.e_p_signal[i],
        )
        for i in range(p.n_sig)
    ]


def record(stem):
    r, channels = channels_of(stem)
    return {"fs": float(r.fs), "start": start_of(r), "comments": list(r.comments), "channels": channels}


def joined(folder, master, names):
    """Segments read one by one and joined: multi_to_single cannot keep samples a frame."""
    header = wfdb.rdheader(os.path.join(folder, master))
    parts = []
    for name in names:
        p = wfdb.rdrecord(os.path.join(folder, name), smooth_frames=False, physical=True)
        d = wfdb.rdrecord(os.path.join(folder, name), smooth_frames=False, physical=False)
        parts.append((p, d))
    layout = [s for s in header.seg_name if s.endswith("_layout")]
    described = wfdb.rdheader(os.path.join(folder, layout[0])) if layout else parts[0][0]
    channels = []
    for name, unit, spf, gain, base in zip(
        described.sig_name, described.units, described.samps_per_frame, described.adc_gain, described.baseline
    ):
        digital, physical = [], []
        for p, d in parts:
            n = p.sig_len * spf
            if name in p.sig_name:
                i = p.sig_name.index(name)
                digital.append(d.e_d_signal[i])
                physical.append(p.e_p_signal[i])
            else:
                digital.append(np.zeros(n))
                physical.append(np.full(n, np.nan))
        channels.append(
            channel(name, unit, header.fs * spf, gain, base, np.concatenate(digital), np.concatenate(physical))
        )
    return {"fs": float(header.fs), "start": start_of(header), "comments": list(header.comments), "channels": channels}


def annotations(path):
    stem, extension = path.rsplit(".", 1)
    a = wfdb.rdann(stem, extension)
    notes = [(x or "").rstrip("\x00") for x in a.aux_note]
    rows = [
        # 255 is WFDB's word for no channel.
        [int(s), y, n, int(sub), 0 if chan == 255 else int(chan), int(num)]
        for s, y, n, sub, chan, num in zip(a.sample, a.symbol, notes, a.subtype, a.chan, a.num)
    ]
    text = "\n".join("\t".join(str(v) for v in row) for row in rows)
    return {
        "count": len(rows),
        "crc": zlib.crc32(text.encode()),
        "first": rows[:5],
        "last": rows[-2:],
        "fs": a.fs,
    }


def attempt(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"[:300]}


result = {"records": {}, "annotations": {}}
with tempfile.TemporaryDirectory() as folder:
    # 100skew and 100-no-len describe record 100 of MIT-BIH.
    for path in glob.glob(os.path.join(shared, "conformance/wfdb/*")) + glob.glob(os.path.join(shared, "mitdb/*")):
        if os.path.isfile(path):
            shutil.copy(path, folder)
    for path in sorted(glob.glob(os.path.join(folder, "*.hea"))):
        name = os.path.basename(path)[:-4]
        if name in ("1003", "12726"):
            continue  # their signals are not there
        result["records"][name] = attempt(record, path[:-4])
multi = os.path.join(shared, "conformance/wfdb/multi-segment")
result["records"]["041s"] = attempt(joined, os.path.join(multi, "041s"), "041s", ["041s01", "041s02"])
result["records"]["p000878-2137-10-26-16-57"] = attempt(
    joined, os.path.join(multi, "p000878"), "p000878-2137-10-26-16-57", ["3269321_0001", "3269321_0002"]
)
for name in ("ptbxl", "ludb", "cinc2021_12lead"):
    found = sorted(glob.glob(os.path.join(unpacked, name, "**/*.hea"), recursive=True))
    for path in found[:1] + found[len(found) // 2 : len(found) // 2 + 1]:
        result["records"][os.path.relpath(path, unpacked)[:-4]] = attempt(record, path[:-4])
for name in ("100.qrs", "1003.atr", "12726.anI", "huge.qrs"):
    result["annotations"]["conformance/wfdb/" + name] = attempt(annotations, os.path.join(shared, "conformance/wfdb", name))
for name in ("100.atr", "208.atr"):
    result["annotations"]["mitdb/" + name] = attempt(annotations, os.path.join(shared, "mitdb", name))
for path in sorted(glob.glob(os.path.join(unpacked, "ludb/data/1.*"))):
    if not path.endswith((".dat", ".hea")):
        result["annotations"]["unpacked/" + os.path.relpath(path, unpacked)] = attempt(annotations, path)
with open(out, "w") as f:
    json.dump(result, f, separators=(",", ":"), allow_nan=False)
for group in result:
    for key, value in result[group].items():
        print(group, key, value.get("error", "ok"))
