"""Two LSL streams for scripts/check-lsl.mjs: `cap` (2 × 250 Hz) and `strap` (130 Hz); each sample is its own number."""

import sys
import time

from pylsl import StreamInfo, StreamOutlet, local_clock


def outlet(name, kind, labels, unit, rate):
    info = StreamInfo(name, kind, len(labels), rate, "float32", f"heartmind-{name}")
    channels = info.desc().append_child("channels")
    for label in labels:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
    return StreamOutlet(info)


cap = outlet("cap", "EEG", ["Fz", "Cz"], "microvolts", 250)
strap = outlet("strap", "ECG", ["ECG"], "mV", 130)
start, sent = local_clock(), [0, 0]
while (elapsed := local_clock() - start) < float(sys.argv[1]):
    while sent[0] / 250 < elapsed:
        cap.push_sample([float(sent[0]), -float(sent[0])], start + sent[0] / 250)
        sent[0] += 1
    while sent[1] / 130 < elapsed:
        strap.push_sample([float(sent[1])], start + sent[1] / 130)
        sent[1] += 1
    time.sleep(0.02)
