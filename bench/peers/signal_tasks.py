"""Reading and preprocessing by SciPy, MNE, wfdb and pyEDFlib: the same files, the same operations, the same results."""

import glob
import os
import time

import numpy


def find(job):
    name = job["task"]
    if job["peer"] in ("mne", "pyedflib", "wfdb"):
        __import__(job["peer"])
    else:
        __import__("scipy.signal")
    return {
        "readFile": read_file,
        "readFolder": read_folder,
        "filter": samples_task(sosfiltfilt),
        "causalFilter": samples_task(sosfilt),
        "resampling": samples_task(resample_poly),
        "spectrum": samples_task(welch),
        "transform": samples_task(rfft),
        "prepareEdf": prepare_edf,
    }[name]


def versions(*names):
    found = {}
    for name in names:
        module = __import__(name)
        found[name] = module.__version__
    return found


def prepared(run, *names):
    """`run` gives a list of rows; the digest is that of bench/ours/signals.ts."""
    begun = time.perf_counter()
    rows = run()
    first = time.perf_counter() - begun
    count = int(sum(row.size for row in rows))
    squares = sum(float(numpy.square(row, dtype=numpy.float64).sum()) for row in rows)
    digest = [float(numpy.sqrt(squares / count))]
    for i in (0, len(rows) // 2, len(rows) - 1):
        row = rows[i].reshape(-1)
        digest += [float(row[row.size // 2]), float(row[row.size // 3])]
    return {"first": first, "digest": digest, "count": count, "engine": versions("numpy", *names)}, run


def read_edf_mne(path):
    import mne

    raw = mne.io.read_raw_edf(path, preload=True, verbose="error")
    return raw.get_data()  # volt


def read_edf_pyedflib(path):
    import pyedflib

    with pyedflib.EdfReader(path) as reader:
        return [reader.readSignal(i) for i in range(reader.signals_in_file)]


def read_wfdb(path):
    import wfdb

    return wfdb.rdrecord(path[: -len(".hea")]).p_signal  # [T, C]


def read_file(job):
    path, peer = job["path"], job["peer"]
    if peer == "mne":
        ready, run = prepared(lambda: list(read_edf_mne(path)), "mne")
        ready["digest"] = [1e6 * value for value in ready["digest"]]  # MNE gives volt, the file holds microvolt
        return ready, run
    if peer == "pyedflib":
        return prepared(lambda: read_edf_pyedflib(path), "pyedflib")
    return prepared(lambda: list(read_wfdb(path).T), "wfdb")


def read_folder(job):
    headers = sorted(glob.glob(os.path.join(job["path"], "*.hea")))
    return prepared(lambda: [row for header in headers for row in read_wfdb(header).T], "wfdb")


def band_pass():
    from scipy import signal

    return signal.butter(4, (0.3, 75), "bandpass", fs=200, output="sos")


def sosfiltfilt(x, job):
    from scipy import signal

    return signal.sosfiltfilt(band_pass(), x, axis=-1)


def sosfilt(x, job):
    from scipy import signal

    return signal.sosfilt(band_pass(), x, axis=-1)


def resample_poly(x, job):
    from scipy import signal

    return signal.resample_poly(x, job["up"], job["down"], axis=-1)


def welch(x, job):
    from scipy import signal

    return signal.welch(x, 200, nperseg=400, detrend="constant", axis=-1)[1]


def rfft(x, job):
    from scipy import fft

    return fft.rfft(x, axis=-1).real


def samples_task(compute):
    """All channels in one call, or one call each: whichever SciPy is faster with."""

    def task(job):
        x = numpy.fromfile(job["path"], "<f8").reshape(job["channels"], -1)

        def together():
            return list(compute(x, job))

        def apart():
            return [compute(row, job) for row in x]

        run = min((together, apart), key=least_seconds)
        ready, run = prepared(run, "scipy")
        ready["engine"]["calls"] = "all channels at once" if run is together else "channel by channel"
        return ready, run

    return task


def least_seconds(run):
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return min(times)


def prepare_edf(job):
    """Microvolt → 200 Hz → band-pass, notch, both zero-phase → windows: what heartmind's recipe says, with SciPy."""
    from scipy import signal

    recipe = job["recipe"]["signals"]["eeg"]
    seconds = job["recipe"]["window"]["lengthSeconds"]
    path, peer = job["path"], job["peer"]
    band = signal.butter(4, (recipe["lowHz"], recipe["highHz"]), "bandpass", fs=200, output="sos")
    notch = signal.tf2sos(*signal.iirnotch(recipe["notchHz"], 30, fs=200))

    def run():
        x = 1e6 * read_edf_mne(path) if peer == "mne" else numpy.asarray(read_edf_pyedflib(path))
        x = signal.resample_poly(x, job["up"], job["down"], axis=-1)
        x = signal.sosfiltfilt(notch, signal.sosfiltfilt(band, x, axis=-1), axis=-1)
        count = x.shape[1] // (200 * seconds)
        x = x[:, : count * 200 * seconds].reshape(len(x), count, seconds, 200)
        return [numpy.ascontiguousarray(x.transpose(1, 0, 2, 3), dtype=numpy.float32) / recipe["scaleMicrovolts"]]

    return prepared(run, peer, "scipy")
