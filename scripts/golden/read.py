"""Reference values for the readers, made by pyedflib, MNE, wfdb-python and SciPy.

Writes test/golden/read/conformance.json (slices and sums of files that are not in this repository: the folder given as
argument) and small fixture files of its own with their values (test/golden/read/fixtures/).
Usage: python scripts/golden/read.py SHARED_DATA [UNPACKED_DATA]
Versions: pyedflib 0.1, MNE 1, wfdb 4, numpy, scipy.
"""
import glob, json, os, sys
import numpy as np
import pyedflib, wfdb

shared = sys.argv[1]
unpacked = sys.argv[2] if len(sys.argv) > 2 else os.path.expanduser("~/.cache/heartmind/data")
here = os.path.join(os.path.dirname(__file__), "../../test/golden/read")
os.makedirs(os.path.join(here, "fixtures"), exist_ok=True)


def number(x):
    return None if not np.isfinite(x) else float(x)


def digest(x):
    """Length, finite sum, sum of squares, weighted sum, and three short slices (NaN as null)."""
    x = np.asarray(x, dtype=np.float64)
    f = np.nan_to_num(x)
    mid = len(x) // 2
    return {
        "length": len(x),
        "nan": int(np.isnan(x).sum()),
        "sum": float(f.sum()),
        "squares": float((f * f).sum()),
        "weighted": float((f * (np.arange(len(f)) % 1009)).sum()),
        "first": [number(v) for v in x[:4]],
        "middle": [number(v) for v in x[mid : mid + 4]],
        "last": [number(v) for v in x[-4:]],
    }


def edf(path, tolerant=False):
    r = pyedflib.EdfReader(path)
    onsets, durations, texts = r.readAnnotations()
    out = {
        "reader": "pyedflib",
        "start": r.getStartdatetime().isoformat(),
        "channels": [
            {
                "name": r.getLabel(i).strip(),
                "unit": r.getPhysicalDimension(i).strip(),
                "rateHz": float(r.getSampleFrequency(i)),
                "range": [r.getPhysicalMinimum(i), r.getPhysicalMaximum(i)],
                **digest(r.readSignal(i)),
            }
            for i in range(r.signals_in_file)
        ],
        "annotations": [[float(o), max(0.0, float(d)), str(t)] for o, d, t in zip(onsets, durations, texts)],
    }
    r.close()
    return out


def edf_mne(path):
    import mne

    raw = mne.io.read_raw_edf(path, preload=True, verbose="error")
    data = raw.get_data()
    return {
        "reader": "mne",
        "channels": [{"name": n, **digest(data[i])} for i, n in enumerate(raw.ch_names)],
        "annotations": [[float(a["onset"]), float(a["duration"]), str(a["description"])] for a in raw.annotations],
    }


def record(stem):
    """Signals at each channel's own rate; wfdb-python's expanded physical signals."""
    h = wfdb.rdheader(stem)
    r = wfdb.rdrecord(stem, smooth_frames=False, physical=True)
    signals = r.e_p_signal if r.e_p_signal is not None else [r.p_signal[:, i] for i in range(r.n_sig)]
    return {
        "fs": float(r.fs),
        "channels": [
            {"name": r.sig_name[i], "unit": r.units[i], "rateHz": float(r.fs * r.samps_per_frame[i]), **digest(s)}
            for i, s in enumerate(signals)
        ],
        "comments": list(h.comments),
    }


def annotations(stem, extension):
    a = wfdb.rdann(stem, extension)
    labels = [s + (" " + x.rstrip("\x00") if x and x.rstrip("\x00") else "") for s, x in zip(a.symbol, a.aux_note)]
    return {
        "count": len(labels),
        "samples": [int(v) for v in a.sample],
        "labels": labels,
    }


def attempt(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"[:300]}


result = {"edf": {}, "edfMne": {}, "wfdb": {}, "annotations": {}}
for path in sorted(glob.glob(os.path.join(shared, "conformance/edf/*.edf"))):
    name = "conformance/edf/" + os.path.basename(path)
    result["edf"][name] = attempt(edf, path)
    if "error" in result["edf"][name]:
        result["edfMne"][name] = attempt(edf_mne, path)
for stem in ["100_3chan", "test01_00s", "test01_00s_frame", "test01_00s_skew", "test01_00s_skewframe", "a103l", "a103l-no-len", "mixedsignals", "3000003_0003", "100skew", "100-no-len", "1003", "12726"]:
    result["wfdb"]["conformance/wfdb/" + stem] = attempt(record, os.path.join(shared, "conformance/wfdb", stem))
for stem, ext in [("100", "qrs"), ("1003", "atr"), ("12726", "anI"), ("huge", "qrs")]:
    got = attempt(annotations, os.path.join(shared, "conformance/wfdb", stem), ext)
    if "samples" in got:
        got["samples"] = [got["samples"][0], got["samples"][-1], sum(got["samples"])]
        counts = {}
        for l in got["labels"]:
            counts[l] = counts.get(l, 0) + 1
        got["labels"] = counts
    result["annotations"][f"conformance/wfdb/{stem}.{ext}"] = got
for stem in ["100", "208"]:
    result["wfdb"]["mitdb/" + stem] = attempt(record, os.path.join(shared, "mitdb", stem))
    result["annotations"][f"mitdb/{stem}.atr"] = annotations(os.path.join(shared, "mitdb", stem), "atr")
result["unpackedWfdb"] = {}
for stem in ["cinc2021_12lead/A0689", "cinc2021_12lead/E00271"]:
    result["unpackedWfdb"][stem] = attempt(record, os.path.join(unpacked, stem))
result["unpackedEdf"] = {}
for path in sorted(glob.glob(os.path.join(unpacked, "eegmat_original/**/Subject00_*.edf"), recursive=True)):
    result["unpackedEdf"][os.path.relpath(path, unpacked)] = attempt(edf, path)
with open(os.path.join(here, "conformance.json"), "w") as f:
    json.dump(result, f, separators=(",", ":"), allow_nan=False)

# Fixture files of our own.
random = np.random.default_rng(7)
fixtures = {"edf": {}, "wfdb": {}, "annotations": {}}
path = os.path.join(here, "fixtures/mixed-rates.edf")
w = pyedflib.EdfWriter(path, 3, file_type=pyedflib.FILETYPE_EDFPLUS)
w.setSignalHeaders([
    dict(label="EEG Fp1", dimension="uV", sample_frequency=100, physical_max=3276.7, physical_min=-3276.8, digital_max=32767, digital_min=-32768, transducer="AgCl", prefilter="HP:0.1Hz"),
    dict(label="ECG", dimension="mV", sample_frequency=250, physical_max=5, physical_min=-5, digital_max=2047, digital_min=-2048, transducer="", prefilter=""),
    dict(label="Temp", dimension="degC", sample_frequency=1, physical_max=50, physical_min=20, digital_max=30000, digital_min=-30000, transducer="", prefilter=""),
])
import datetime
w.setStartdatetime(datetime.datetime(2021, 3, 4, 5, 6, 7))
w.writeSamples([random.normal(0, 50, 1000), random.normal(0, 1, 2500), random.normal(37, 0.1, 10)])
w.writeAnnotation(0.5, -1, "Recording starts")
w.writeAnnotation(2.25, 1.5, "Ruhe – größer")
w.writeAnnotation(9.9, 0.1, "last")
w.close()
fixtures["edf"]["mixed-rates.edf"] = edf(path)

cwd = os.getcwd()
os.chdir(os.path.join(here, "fixtures"))
for fmt, name in [("16", "sixteen"), ("212", "twelve")]:
    limit = 30000 if fmt == "16" else 2000
    d = random.integers(-limit, limit, (401, 3)).astype(np.int64)
    d[17, 1] = -32768 if fmt == "16" else -2048
    wfdb.wrsamp(name, fs=500, units=["mV", "mV", "uV"], sig_name=["I", "V 1", "EEG Cz"], d_signal=d, fmt=[fmt] * 3, adc_gain=[1000.0, 200.5, 2.0], baseline=[0, -12, 100], comments=["age: 63", "sex: F", "Dx: 426783006"], base_time=datetime.time(10, 11, 12), base_date=datetime.date(2001, 2, 3))
    fixtures["wfdb"][name] = record(name)
wfdb.wrann("sixteen", "atr", np.array([5, 10, 1030, 400000]), symbol=["N", "V", "+", "N"], aux_note=["", "", "(AFIB", ""], chan=np.array([0, 1, 0, 0]), subtype=np.array([0, 1, 0, 0]), num=np.array([0, 0, 2, 0]), fs=500)
fixtures["annotations"]["sixteen.atr"] = annotations("sixteen", "atr")
os.chdir(cwd)
with open(os.path.join(here, "fixtures.json"), "w") as f:
    json.dump(fixtures, f, separators=(",", ":"), allow_nan=False)
for group in result:
    for key, value in result[group].items():
        print(group, key, value.get("error", "ok"))
