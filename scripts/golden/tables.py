"""Reference files of NumPy and pyarrow, and what they hold; checks files that heartmind wrote.
Run: python scripts/golden/tables.py -> test/golden/read/tables/*, tables.json
     python scripts/golden/tables.py check FILE.npz|FILE.parquet ... prints what NumPy or pyarrow reads."""
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

here = Path(__file__).resolve().parents[2]
out = here / "test/golden/read/tables"


def check(path):
    if path.endswith(".npz"):
        with np.load(path) as arrays:
            return {name: {"shape": a.shape, "dtype": a.dtype.str, "sum": float(np.nansum(a)) if a.dtype.kind in "fiu" else a.tolist()[:4]}
                    for name, a in arrays.items()}
    table = pq.read_table(path)
    return {"rows": table.num_rows, "metadata": {k.decode(): v.decode()[:200] for k, v in (table.schema.metadata or {}).items()},
            "columns": {f.name: {"type": str(f.type), "sum": float(np.nansum(table[f.name].to_numpy()))} for f in table.schema}}


if sys.argv[1:2] == ["check"]:
    for file in sys.argv[2:]:
        print(file, json.dumps(check(file)))
    sys.exit()

out.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(3)
golden = {"numpy": np.__version__, "pyarrow": pa.__version__, "npy": {}, "parquet": {}}
base = random.normal(0, 100, (3, 40))
types = ["<f4", ">f4", "<f8", ">f8", "<f2", ">f2", "|i1", "|u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", "|b1"]
for dtype in types:
    for order in "CF":
        name = f"{dtype.replace('<', 'le').replace('>', 'be').replace('|', '')}-{order}.npy"
        a = np.asarray(np.abs(base) if "u" in dtype else base).astype(dtype)
        np.save(out / name, np.asfortranarray(a) if order == "F" else np.ascontiguousarray(a))
        golden["npy"][name] = a.astype(float).tolist()
texts = np.array([["é", "a😀", ""], ["Fp1", "Cz", "mV"]])
for name, a in {"text.npy": texts, "text-be.npy": texts.astype(">U3"), "bytes.npy": np.array([b"ab", b"c"]), "scalar.npy": np.array(2.5)}.items():
    np.save(out / name, a)
    golden["npy"][name] = (np.char.decode(a, "utf8") if a.dtype.kind == "S" else a).tolist()
with open(out / "version3.npy", "wb") as f:
    np.lib.format.write_array(f, base[:, :4], version=(3, 0))
golden["npy"]["version3.npy"] = base[:, :4].tolist()
np.save(out / "objects.npy", np.array([{}, 1], dtype=object))
for name, save in {"stored.npz": np.savez, "deflated.npz": np.savez_compressed}.items():
    save(out / name, eeg=base.T.astype("f4"), names=np.array(["Fp1", "Fp2", "Cz"]), fs=np.array(128.0), units=np.array(["uV"]))
golden["npz"] = base.astype("f4").astype(float).tolist()

n = 300
columns = {"timestamp": pa.array((np.arange(n) * 4_000_000 + 1_700_000_000_000_000_000), pa.timestamp("ns")),
           "ECG (mV)": pa.array(random.normal(0, 1, n)), "f32": pa.array(random.normal(0, 50, n).astype("f4")),
           "i16": pa.array(random.integers(-3000, 3000, n).astype("i2")), "i64": pa.array(random.integers(-3000, 3000, n)),
           "holes": pa.array([None if k % 7 == 0 else float(k) for k in range(n)]), "phase": pa.array(["rest" if k < 100 else "task" for k in range(n)])}
for codec in ["snappy", "none", "gzip", "zstd"]:
    for dictionary in (True, False) if codec == "snappy" else (True,):
        name = f"{codec}{'' if dictionary else '-plain'}.parquet"
        pq.write_table(pa.table(columns), out / name, compression=codec, use_dictionary=dictionary, row_group_size=130)
golden["parquet"] = {name: [None if v is None else float(v) for v in columns[name].to_pylist()] for name in ["ECG (mV)", "f32", "i16", "i64", "holes"]}
(here / "test/golden/read/tables.json").write_text(json.dumps(golden))
