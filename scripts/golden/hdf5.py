"""Small HDF5 files as corpora publish them, MAT-files of version 7.3 as MATLAB writes them, and what h5py reads.

Run: python scripts/golden/hdf5.py   (h5py 3.16, numpy 2)
Writes test/golden/read/hdf5/* and test/golden/read/hdf5.json. No MATLAB is needed: its attributes are set by hand.
"""

import json
from pathlib import Path

import h5py
import numpy as np

folder = Path(__file__).parents[2] / "test/golden/read/hdf5"
rng = np.random.default_rng(1)


def code15():
    """CODE-15%: rows of tracings, zero-padded at both ends."""
    with h5py.File(folder / "exams_part0.hdf5", "w") as f:
        tracings = np.zeros((3, 64, 12), dtype="f4")
        tracings[:, 5:-7] = np.round(rng.normal(0, 1, (3, 52, 12)), 2)
        f["exam_id"] = np.array([1169160, 2873686, 168405])
        f.create_dataset("tracings", data=tracings)


def sph():
    with h5py.File(folder / "A00001.h5", "w") as f:
        f["ecg"] = np.round(rng.normal(0, 300, (12, 40))).astype("f2")


def types():
    with h5py.File(folder / "types.h5", "w") as f:
        for dtype in ["<i1", "<u2", ">i4", "<i8", ">f4", "<f8", "<f2", ">f2"]:
            f.create_dataset(f"numbers/{dtype[1:]}{'be' if dtype[0] == '>' else ''}", data=np.array([[1, 2, 3], [4, 5, 120]], dtype=dtype))
        f["half"] = np.array([0, -0.0, 6e-8, 65504, np.inf, -np.inf, np.nan, 1 / 3], dtype="f2")
        f["complex"] = np.array([1 + 2j, 3 - 4j])
        f["texts/fixed"] = np.array([b"ab", b"cde"])
        f["texts/free"] = np.array(["hé", "", "x" * 50], dtype=h5py.string_dtype())
        f["flags"] = np.array([True, False])
        f["one"] = 7.5
        f.create_dataset("chunked", data=np.arange(600, dtype="i4").reshape(20, 30), chunks=(7, 8), compression="gzip", shuffle=True)
        f["signal"] = rng.normal(0, 1, (2, 100)).astype("f4")
        f["signal"].attrs["fs"] = 250.0
        f["signal"].attrs["units"] = "mV"


def mat73():
    with h5py.File(folder / "v73.mat", "w", userblock_size=512) as f:
        refs = f.create_group("#refs#")
        count = 0

        def attribute(item, name, value="double", **attributes):
            item.attrs["MATLAB_class"] = np.bytes_(name)
            for key, content in attributes.items():
                item.attrs[f"MATLAB_{key}"] = content
            return item

        def numbers(parent, name, data, matlab="double", **attributes):
            return attribute(parent.create_dataset(name, data=np.asarray(data).T), matlab, **attributes)

        def text(parent, name, string):
            codes = np.frombuffer(string.encode("utf-16-le"), dtype="u2").reshape(1, -1)
            return numbers(parent, name, codes, "char", int_decode=np.int32(2))

        def empty(parent, name, shape, matlab):
            return attribute(parent.create_dataset(name, data=np.array(shape, dtype="u8")), matlab, empty=np.uint8(1))

        def fields(group, names):
            dtype = h5py.vlen_dtype(np.dtype("S1"))
            value = np.empty(len(names), dtype=object)
            for i, name in enumerate(names):
                value[i] = np.array([c.encode() for c in name], dtype="S1")
            group.attrs.create("MATLAB_fields", value, dtype=dtype)

        def reference(make):
            nonlocal count
            count += 1
            return make(refs, f"r{count}").ref

        def cell(parent, name, references, shape):
            data = np.array(references, dtype=h5py.ref_dtype).reshape(shape, order="F").T
            return attribute(parent.create_dataset(name, data=data, dtype=h5py.ref_dtype), "cell")

        numbers(f, "m", [[1.5, 2, 3], [4, 5, 6]])
        numbers(f, "i", np.array([[1, -2]], dtype="i2"), "int16")
        numbers(f, "b", np.array([[1, 0]], dtype="u1"), "logical", int_decode=np.int32(1))
        numbers(f, "t", np.arange(24, dtype="f4").reshape(2, 3, 4), "single")
        pairs = np.zeros((2, 1), dtype=[("real", "f8"), ("imag", "f8")])
        pairs["real"], pairs["imag"] = [[1], [2]], [[3], [-4]]
        attribute(f.create_dataset("z", data=pairs), "double")
        text(f, "greeting", "héllo 日本")
        empty(f, "none", [0, 3], "double")
        empty(f, "nothing", [0, 0], "char")
        cell(f, "c", [reference(lambda g, n: numbers(g, n, [[7.0]])), reference(lambda g, n: text(g, n, "two"))], (1, 2))
        s = f.create_group("s")
        attribute(s, "struct")
        fields(s, ["zeta", "alpha"])
        numbers(s, "zeta", [[1.0]])
        cell(s, "alpha", [reference(lambda g, n: text(g, n, "in"))], (1, 1))
        a = f.create_group("a")
        attribute(a, "struct")
        fields(a, ["x"])
        data = np.array([[reference(lambda g, n: numbers(g, n, [[1.0]]))], [reference(lambda g, n: text(g, n, "b"))]], dtype=h5py.ref_dtype)
        a.create_dataset("x", data=data, dtype=h5py.ref_dtype)
        sparse = f.create_group("sp")
        attribute(sparse, "double", sparse=np.uint64(3))
        sparse["ir"], sparse["jc"], sparse["data"] = np.array([0, 2], "u8"), np.array([0, 1, 2], "u8"), np.array([1.5, -2])
    with open(folder / "v73.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: made by a test".ljust(116) + bytes(8) + b"\0\2IM")


def golden():
    found = {}
    with h5py.File(folder / "exams_part0.hdf5") as f:
        found["code15"] = {"exam_id": f["exam_id"][:].tolist(), "lead2": f["tracings"][1, :, 2].tolist()}
    with h5py.File(folder / "A00001.h5") as f:
        found["sph"] = {"last": f["ecg"][11].astype("f8").tolist()}
    with h5py.File(folder / "types.h5") as f:
        found["half"] = [str(float(x)) for x in f["half"][:]]
        found["chunked"] = f["chunked"][5:9, 3:20].ravel().tolist()
        found["signal"] = f["signal"][:].astype("f8").tolist()
    return found


if __name__ == "__main__":
    folder.mkdir(exist_ok=True)
    code15()
    sph()
    types()
    mat73()
    text = json.dumps({"h5py": h5py.__version__, **golden()}, indent=1)
    (folder.parent / "hdf5.json").write_text(text + "\n")
