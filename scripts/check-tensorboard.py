"""Does the real TensorBoard read a run's event file, and does it find what metrics.jsonl beside it says?

Run: python scripts/check-tensorboard.py <folder of a run>      (tensorboard 2.21.0)
Prints every tag with its number of values and the largest difference. Exit status 1 where anything differs.
"""
import json
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing import event_accumulator


def read_events(folder: Path) -> dict[str, list[tuple[int, float, float]]]:
    """Step, wall time and value of every scalar, by tag, as TensorBoard's own reader finds them."""
    everything = {event_accumulator.SCALARS: 0}  # 0: no sampling
    accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
    accumulator.Reload()
    tags = accumulator.Tags()[event_accumulator.SCALARS]
    return {tag: [(e.step, e.wall_time, e.value) for e in accumulator.Scalars(tag)] for tag in tags}


def read_metrics(folder: Path) -> dict[str, list[tuple[int, float, float]]]:
    """The same of metrics.jsonl. A figure that is not finite is null there and absent from the event file."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    for text in (folder / "metrics.jsonl").read_text().splitlines():
        line = json.loads(text)
        step, time = line.pop("step"), line.pop("time")
        for tag, value in line.items():
            if value is not None:
                found.setdefault(tag, []).append((step, time, value))
    return found


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    events, metrics = read_events(folder), read_metrics(folder)
    wrong, largest = 0, 0.0
    for tag in sorted(events.keys() | metrics.keys()):
        shown, expected = events.get(tag, []), metrics.get(tag, [])
        # Events hold float32.
        agree = [(s, t, float(np.float32(v))) for s, t, v in expected] == shown
        difference = max((abs(a[2] - b[2]) for a, b in zip(shown, expected)), default=0.0)
        largest = max(largest, difference)
        wrong += not agree
        verdict = "ok" if agree else f"MISMATCH: metrics.jsonl has {len(expected)} values"
        print(f"{tag}: {len(shown)} values, largest difference {difference:.3g}, {verdict}")
    if not events:
        print("no scalars in the event file")
        wrong += 1
    print(f"{len(events)} tags, largest difference {largest:.3g}: {'MISMATCH' if wrong else 'all agree'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
