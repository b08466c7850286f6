"""Golden records of train/tensorboard.ts from TensorBoard's own protocol buffers and record writer.

Run: python scripts/golden/event_records.py   (tensorboard 2.21.0) → test/golden/train/event-records.json
Each record as hexadecimal: length, its CRC, the Event message, its CRC.
"""
import io
import json
from pathlib import Path

import tensorboard
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

events = [
    {"wallTime": 1700000000.25, "step": 1, "values": {"train/loss": 0.5}},
    {"wallTime": 1700000001.5, "step": 300, "values": {"train/loss": 0.1, "train/gradientNorm": 0.0, "é": -3e-7}},
    {"wallTime": 1700000002.0, "step": 5_000_000_000, "values": {"validation/loss.dual.intra": 1e30}},
    {"wallTime": 0.001, "step": 7, "values": {f"learningRate/group-{i}": i / 7 for i in range(12)}},
]


def record(event: event_pb2.Event) -> str:
    target = io.BytesIO()
    RecordWriter(target).write(event.SerializeToString())
    return target.getvalue().hex()


def scalars(event: dict) -> event_pb2.Event:
    message = event_pb2.Event(wall_time=event["wallTime"], step=event["step"])
    for tag, value in event["values"].items():
        message.summary.value.add(tag=tag, simple_value=value)
    return message


header = event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2")
golden = {
    "made": f"scripts/golden/event_records.py, tensorboard {tensorboard.__version__}",
    "header": {"wallTime": header.wall_time, "record": record(header)},
    "events": [{**event, "record": record(scalars(event))} for event in events],
}
target = Path(__file__).resolve().parents[2] / "test" / "golden" / "train" / "event-records.json"
target.parent.mkdir(parents=True, exist_ok=True)
target.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
