"""One recording in every format, read whole by the library that people use for it: a row a channel, in microvolt."""

import numpy

from signal_tasks import prepared, read_edf_pyedflib, read_wfdb


def find(job):
    __import__(job["peer"])
    return read_format


def read_format(job):
    read = readers[job["format"], job["peer"]]
    return prepared(lambda: list(read(job["path"])), job["peer"])


def mne_reader(name, scale):
    def read(path):
        import mne

        raw = getattr(mne.io, name)(path, preload=True, verbose="error")
        data = raw.get_data()  # volt
        data *= scale
        return data

    return read


def xdf(path):
    import pyxdf

    (stream,), _ = pyxdf.load_xdf(path)
    return stream["time_series"].T


def mat(path):
    import scipy.io

    return scipy.io.loadmat(path)["data"].T


def csv(path):
    import pandas

    return pandas.read_csv(path).to_numpy()[:, 1:].T


def npz(path):
    with numpy.load(path) as arrays:
        rows = arrays["samples"] if "samples" in arrays else [arrays[name] for name in arrays]
        return numpy.asarray(rows, dtype=numpy.float64)


def parquet(path):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    names = [name for name in table.column_names if name.startswith("E")]
    return [table[name].to_numpy().astype(numpy.float64) for name in names]


def hdf5(path):
    import h5py

    with h5py.File(path) as file:
        return file["data"][:].T.astype(numpy.float64)


readers = {
    ("edf", "mne"): mne_reader("read_raw_edf", 1e6),
    ("edf", "pyedflib"): read_edf_pyedflib,
    ("bdf", "mne"): mne_reader("read_raw_bdf", 1e6),
    ("bdf", "pyedflib"): read_edf_pyedflib,
    ("wfdb", "wfdb"): lambda path: read_wfdb(path).T,
    ("brainvision", "mne"): mne_reader("read_raw_brainvision", 1e6),
    ("xdf", "pyxdf"): xdf,
    ("mat", "scipy"): mat,
    ("mat-v7", "scipy"): mat,
    ("csv", "pandas"): csv,
    ("npz", "numpy"): npz,
    ("parquet", "pyarrow"): parquet,
    ("hdf5", "h5py"): hdf5,
}
