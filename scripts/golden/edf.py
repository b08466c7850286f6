"""Reference values for EDF and BDF files of the shared folder, made by pyEDFlib, MNE, SciPy and NumPy.

Writes test/golden/read/edf.json. Stored integers are taken from the bytes with NumPy and must equal pyEDFlib's digital
reading wherever it opens the file; physical values are MNE's where pyEDFlib refuses. Triggers are the changes of the
lower 16 bits of `Status`, and must contain MNE's events. Starts come from the header and the first annotation list.
Usage: python scripts/golden/edf.py SHARED_DATA
Versions: pyedflib 0.1, MNE 1, SciPy 1, NumPy 2.
"""
import datetime, glob, json, os, re, sys
from fractions import Fraction
import hashlib
import mne
import numpy as np
import pyedflib
import scipy.io

mne.set_log_level("error")
shared = sys.argv[1]
here = os.path.join(os.path.dirname(__file__), "../../test/golden/read")


def columns(path):
    """Header fields and stored integers [signal][sample], from the bytes."""
    raw = open(path, "rb").read()
    width = 3 if raw[0] == 0xFF else 2
    count = int(raw[252:256])
    head = raw[256 : 256 * (count + 1)]
    column = lambda before, size: [head[count * before + i * size :][:size].decode("latin1").strip() for i in range(count)]
    samples = [int(v) for v in column(216, 8)]
    body = raw[256 * (count + 1) :]
    per_record = sum(samples) * width
    records = int(raw[236:244])
    records = len(body) // per_record if records < 0 else records
    body = np.frombuffer(body[: records * per_record], np.uint8).reshape(records, per_record)
    digital, at = [], 0
    for n in samples:
        part = body[:, at : at + n * width]
        at += n * width
        if width == 2:
            values = np.ascontiguousarray(part).view("<i2").ravel().astype(np.int64)
        else:
            b = part.reshape(-1, 3).astype(np.int64)
            values = b[:, 0] | (b[:, 1] << 8) | (b[:, 2] << 16)
            values = np.where(values >= 1 << 23, values - (1 << 24), values)
        digital.append(values)
    labels = column(0, 16)
    first = None
    for i, label in enumerate(labels):
        if label.endswith("Annotations") and first is None and records:
            start = sum(samples[:i]) * width
            first = body[0].tobytes()[start : start + samples[i] * width]
    onset = Fraction(re.match(rb"[+-][0-9.]+", first).group().decode()) if first else Fraction(0)
    date, time = raw[168:176].decode(), raw[176:184].decode()
    plus = re.match(r"Startdate (\d\d-[A-Z]{3}-\d{4})", raw[88:168].decode("latin1"))
    if plus:
        day = datetime.datetime.strptime(plus.group(1).title(), "%d-%b-%Y")
    else:
        d, m, y = (int(v) for v in date.split("."))
        day = datetime.datetime(y + (1900 if y >= 85 else 2000), m, d)
    h, m, s = (int(v) for v in time.split("."))
    seconds = int(day.replace(tzinfo=datetime.timezone.utc).timestamp()) + h * 3600 + m * 60 + s
    return labels, samples, digital, seconds * 10**9 + int(onset * 10**9), float(onset), int(raw[236:244])


def weighted(values):
    """Sums that change when any sample changes or moves: Σ d, Σ d·(i mod 1009)."""
    return [int(values.sum()), int((values * (np.arange(len(values)) % 1009)).sum())]


def triggers(status):
    low = status & 0xFFFF
    at = np.flatnonzero(np.diff(low)) + 1
    return [[int(i), int(low[i])] for i in at if low[i] != 0]


def describe(path):
    labels, samples, digital, start, onset, records = columns(path)
    keep = [i for i, label in enumerate(labels) if not label.endswith("Annotations")]
    out = {"startNanoseconds": str(start), "records": records, "channels": []}
    physical = {}
    try:
        reader = pyedflib.EdfReader(path)
        out["oracle"] = "pyedflib"
        assert [reader.getLabel(i).strip() for i in range(reader.signals_in_file)] == [labels[i] for i in keep]
        for j, i in enumerate(keep):
            assert np.array_equal(reader.readSignal(j, digital=True), digital[i]), (path, labels[i])
            physical[i] = reader.readSignal(j)
        onsets, durations, texts = reader.readAnnotations()
        out["annotations"] = [[float(o), max(0.0, float(d)), str(t)] for o, d, t in zip(onsets, durations, texts)]
        rates = [float(reader.getSampleFrequency(j)) for j in range(len(keep))]
        units = [reader.getPhysicalDimension(j).strip() for j in range(len(keep))]
        reader.close()
    except OSError as error:
        out["oracle"] = "mne"
        out["pyedflib"] = str(error).split(": ", 1)[-1]
        raw = (mne.io.read_raw_bdf if path.endswith("bdf") else mne.io.read_raw_edf)(path)
        assert len(raw.ch_names) == len(keep)
        data = raw.get_data()
        for j, i in enumerate(keep):
            # MNE gives volts; its trigger channel is masked.
            physical[i] = data[j] * (1e6 if labels[i] != "Status" else np.nan)
        out["annotations"] = []
        rates = [float(raw.info["sfreq"])] * len(keep)
        units = ["uV" if labels[i] != "Status" else "Boolean" for i in keep]
    for j, i in enumerate(keep):
        if path.endswith("bdf") and labels[i] == "Status":
            # Bits, whatever the header says.
            units[j], physical[i] = "Boolean", np.full(len(digital[i]), np.nan)
        x, middle = physical[i], len(digital[i]) // 2
        out["channels"].append(
            {
                "name": labels[i],
                "unit": units[j],
                "rateHz": rates[j],
                "length": len(digital[i]),
                "digital": weighted(digital[i]),
                "sha256": hashlib.sha256(digital[i].astype("<i4").tobytes()).hexdigest()[:16],
                "first": [int(v) for v in digital[i][:4]],
                "physical": None if np.isnan(x).any() else [float(x[0]), float(x[middle]), float(x[-1]), float(x.min()), float(x.max())],
            }
        )
        if path.endswith("bdf") and labels[i] == "Status":
            found = triggers(digital[i])
            raw = mne.io.read_raw_bdf(path)
            events = mne.find_events(raw, stim_channel="Status", consecutive=True, shortest_event=1, mask=0xFFFF, mask_type="and")
            assert [[int(a), int(c)] for a, _, c in events] == found, (path, events[:5], found[:5])
            out["triggers"] = found
    return out


result = {}
for path in sorted(glob.glob(os.path.join(shared, "conformance/edf/*.[eb]df")) + [os.path.join(shared, "malformed/eeglab_test_nrecords_minus1.bdf")]):
    name = os.path.relpath(path, shared)
    result[name] = describe(path)
    print(name, result[name]["oracle"], len(result[name]["channels"]), len(result[name].get("triggers", [])))

# The MAT copy of one file, as its authors exported it: both channels held at 1600 Hz, as float32.
mat = scipy.io.loadmat(os.path.join(shared, "conformance/edf/mne_test_uneven_samp.mat"))["data"]
reader = pyedflib.EdfReader(os.path.join(shared, "conformance/edf/mne_test_uneven_samp.edf"))
for i in range(2):
    x = reader.readSignal(i)
    assert np.abs(np.repeat(x, mat.shape[1] // len(x)) - mat[i]).max() < 1e-6
reader.close()
# The published header of the hypnogram's recording.
header = json.load(open(os.path.join(shared, "conformance/edf/edfio_short_psg_header_reference.json")))
for name in ["edf", "bdf"]:
    for want, got in zip(header, result[f"conformance/edf/edfio_short_psg.{name}"]["channels"], strict=True):
        assert (want["label"], want["physical_dimension"], want["sampling_frequency"]) == (got["name"], got["unit"], got["rateHz"])
        got["range"] = [want["physical_min"], want["physical_max"]]
        got["note"] = "; ".join(t for t in [want["prefiltering"], want["transducer_type"]] if t)
with open(os.path.join(here, "edf.json"), "w") as f:
    json.dump(result, f, separators=(",", ":"), allow_nan=False)
