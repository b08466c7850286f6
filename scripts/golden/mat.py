"""SciPy's own MAT-files → test/golden/read/mat.json: every value, or that SciPy refuses the file.

Run: python scripts/golden/mat.py ../shared/data/conformance/mat_scipy   (scipy 1.17.1, numpy 2)
Arrays lie column by column; long ones are given by the SHA-256 of their little-endian bytes.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import scipy
import scipy.io
from scipy.io.matlab import MatlabFunction, MatlabObject, MatlabOpaque, mat_struct

LONG = 60


def numbers(array):
    flat = np.asarray(array).ravel(order="F")
    if flat.size > LONG:
        little = flat.astype(flat.dtype.newbyteorder("<"))
        return {"sha256": hashlib.sha256(little.tobytes()).hexdigest(), "count": int(flat.size)}
    if flat.dtype.kind == "f":
        # float32 prints as the double that it is.
        return [float(x) if np.isfinite(x) else str(float(x)) for x in flat]
    return [str(int(x)) if flat.dtype.itemsize == 8 else int(x) for x in flat]


def parts(array):
    if np.iscomplexobj(array):
        return {"values": numbers(array.real), "imaginary": numbers(array.imag)}
    return {"values": numbers(array)}


def encode(value, exact):
    """`value` has MATLAB's types; `exact` the imaginary parts, too, which SciPy loses when it makes those types."""
    if isinstance(value, MatlabOpaque):
        return {"kind": "opaque", "class": "opaque"}
    if isinstance(value, MatlabFunction):
        return {"kind": "opaque", "class": "function"}
    if isinstance(value, MatlabObject):
        return {"kind": "opaque", "class": "object", "className": value.classname}
    if scipy.sparse.issparse(value):
        value = value.tocsc()
        return {
            "kind": "sparse",
            "shape": list(value.shape),
            "rowIndices": value.indices.tolist(),
            "columnStarts": value.indptr.tolist(),
            **parts(value.data.astype(complex if np.iscomplexobj(value.data) else float)),
        }
    shape = list(value.shape)
    if value.dtype.kind == "U":
        rows = ["".join(row) for row in value.reshape((-1, shape[-1]), order="F")] if value.size else [""]
        return {"kind": "char", "shape": shape, "rows": rows}
    if value.dtype.kind == "b":
        return {"kind": "logical", "shape": shape, "values": numbers(value.astype(np.uint8))}
    if value.dtype.kind == "O":
        cells = list(value.ravel(order="F"))
        structs = [cell for cell in cells if isinstance(cell, mat_struct)]
        if structs and len(structs) == len(cells):
            names = structs[0]._fieldnames
            return {
                "kind": "struct",
                "shape": shape,
                "fields": [
                    [name, [encode(getattr(s, name), getattr(e, name)) for s, e in zip(structs, exact.ravel(order="F"))]]
                    for name in names
                ],
            }
        return {"kind": "cell", "shape": shape, "cells": [encode(*both) for both in zip(cells, exact.ravel(order="F"))]}
    found = {"kind": "numeric", "shape": shape, "type": value.real.dtype.name, **parts(value)}
    if np.iscomplexobj(exact):
        found |= parts(exact.astype(complex))
    return found


def read(path):
    level4 = scipy.io.matlab.matfile_version(str(path))[0] == 0
    options = {"struct_as_record": False, "chars_as_strings": False, "spmatrix": False}
    variables = scipy.io.loadmat(path, mat_dtype=not level4, **options)
    exact = scipy.io.loadmat(path, **options)
    return {name: encode(value, exact[name]) for name, value in variables.items() if not name.startswith("__")}


def main(folder):
    files = {}
    for path in sorted(Path(folder).glob("*.mat")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                files[path.name] = {"variables": read(path)}
            except Exception as error:  # whatever SciPy says of a bad file is the result
                files[path.name] = {"error": f"{type(error).__name__}: {error}"[:200]}
    golden = {"scipy": scipy.__version__, "files": files}
    target = Path(__file__).parents[2] / "test/golden/read/mat.json"
    target.write_text(json.dumps(golden, ensure_ascii=False, indent=0) + "\n")


main(sys.argv[1])
