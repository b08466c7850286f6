"""Checks ONNX files of `heartmind export` where Python has onnx and onnxruntime: python scripts/check-onnx.py FILE…
With FILE.npz beside a file (its inputs by name, and its outputs as `out.NAME`), what Python's onnxruntime computes is
compared: the largest difference is printed, and more than 1e-2 (INT8 may round another way) ends with 1.
"""
import os
import sys

import numpy
import onnx
import onnxruntime

worst = 0.0
for path in sys.argv[1:]:
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    line = f"{path}: valid, {os.path.getsize(path)} bytes"
    if os.path.exists(path + ".npz"):
        arrays = numpy.load(path + ".npz")
        feeds = {one.name: arrays[one.name] for one in session.get_inputs()}
        names = [one.name for one in session.get_outputs()]
        for name, output in zip(names, session.run(names, feeds)):
            difference = float(numpy.abs(output - arrays["out." + name]).max())
            worst = max(worst, difference)
            line += f", {name} differs by {difference:.2e}"
    print(line)
sys.exit(worst > 1e-2)
