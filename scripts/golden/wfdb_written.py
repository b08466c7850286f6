"""What wfdb-python finds in the files that heartmind's writer gave (test/golden/read/wfdb-written/).

Writes test/golden/read/wfdb-written.json. Usage: python scripts/golden/wfdb_written.py
The files themselves: HEARTMIND_UPDATE=1 npx vitest run test/read/wfdb-written.test.ts
Versions: wfdb 4.3, numpy.
"""
import datetime, glob, json, os
import numpy as np
import wfdb

here = os.path.join(os.path.dirname(__file__), "../../test/golden/read")
result = {}
for path in sorted(glob.glob(os.path.join(here, "wfdb-written/*.hea"))):
    stem = path[:-4]
    p = wfdb.rdrecord(stem, smooth_frames=False, physical=True)
    d = wfdb.rdrecord(stem, smooth_frames=False, physical=False)
    a = wfdb.rdann(stem, "atr")
    sums = d.calc_checksum(expanded=True)
    result[os.path.basename(stem)] = {
        "fs": float(p.fs),
        "start": datetime.datetime.combine(p.base_date, p.base_time).isoformat(),
        "comments": p.comments,
        "signals": [
            {
                "name": p.sig_name[i],
                "unit": p.units[i],
                "samplesPerFrame": p.samps_per_frame[i],
                "format": p.fmt[i],
                "isChecksumRight": bool((int(sums[i]) - p.checksum[i]) % 65536 == 0),
                "isInitialValueRight": bool(int(d.e_d_signal[i][0]) == p.init_value[i]),
                "physical": [None if np.isnan(v) else float(v) for v in p.e_p_signal[i]],
            }
            for i in range(p.n_sig)
        ],
        "annotations": [
            [int(s), y, (n or "").rstrip("\x00"), int(sub), int(chan), int(num)]
            for s, y, n, sub, chan, num in zip(a.sample, a.symbol, a.aux_note, a.subtype, a.chan, a.num)
        ],
        "annotationRateHz": a.fs,
    }
with open(os.path.join(here, "wfdb-written.json"), "w") as f:
    json.dump(result, f, separators=(",", ":"), allow_nan=False)
for name, found in result.items():
    print(name, [(s["format"], s["isChecksumRight"]) for s in found["signals"]], found["annotations"], found["annotationRateHz"])
