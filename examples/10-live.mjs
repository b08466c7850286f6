// A signal as it arrives, in packets: windows as soon as they are whole, and what the released model says of each from a chest strap alone.
import assert from 'node:assert/strict';
import { decodeModel, LivePredictor } from 'heartmind';
import { createNodeBackend, readReleased } from 'heartmind/node';

// A chest strap: 130 Hz, in packets of 73 samples, a beat every 0.8 s.
const channels = [{ name: 'ECG', unit: 'uV', rateHz: 130 }];
const packet = (n) =>
  Float64Array.from({ length: 73 }, (_, i) => {
    const phase = ((73 * n + i) / 130) % 0.8;
    return 1000 * Math.exp(-(((phase - 0.4) / 0.012) ** 2));
  });

const model = decodeModel(await readReleased('workload'), 'workload');
const backend = await createNodeBackend({ device: 'cpu', threads: 1 });
const predictor = new LivePredictor(backend, model, channels, { stepSeconds: 1 });
console.log(predictor.notes.join('\n')); // no EEG: done without
const found = [];
for (let n = 0; n < 20; n++) {
  for (const { start, entry } of await predictor.push([packet(n)])) {
    found.push(start);
    const [rest, arithmetic] = entry.probabilities.map((p) => p.toFixed(2));
    console.log(
      `after ${((73 * (n + 1)) / 130).toFixed(1)} s: the window from ${start} s: rest ${rest}, arithmetic ${arithmetic}`,
    );
  }
}
await predictor.dispose();
// 11.2 s hold windows from 0 to 6 s; each came within a packet of its end.
assert.deepEqual(found, [0, 1, 2, 3, 4, 5, 6]);
