/** A signal as it arrives: samples pushed in packets, prepared windows as soon as they are whole; LivePredictor adds a model. */
import assert from 'node:assert/strict';
import { LiveWindows, parseRecipe, StreamPreparer } from 'heartmind';

const recipe = parseRecipe({
  version: 1,
  signals: {
    // A live stream cannot be filtered backwards.
    ecg: { channels: ['ECG'], lowHz: 0.5, highHz: 40, zeroPhase: false, scaleMicrovolts: 1000 },
  },
  window: { lengthSeconds: 5, stepSeconds: 1 },
});

// A chest strap: 130 Hz, in packets of 73 samples, a beat every 0.8 s.
const channels = [{ name: 'ECG', unit: 'uV', rateHz: 130 }];
const packet = (n) =>
  Float64Array.from({ length: 73 }, (_, i) => {
    const phase = ((73 * n + i) / 130) % 0.8;
    return 1000 * Math.exp(-(((phase - 0.4) / 0.012) ** 2));
  });

const preparer = new StreamPreparer(channels, recipe);
const windows = new LiveWindows(recipe);
const found = [];
for (let n = 0; n < 20; n++) {
  for (const window of await windows.push(preparer.push([packet(n)]))) {
    found.push(window);
    console.log(`after ${((73 * (n + 1)) / 130).toFixed(1)} s: the window from ${window.start} s`);
  }
}

// 11.2 s hold windows from 0 to 6 s; each came within a packet of its end.
assert.deepEqual(
  found.map(({ start }) => start),
  [0, 1, 2, 3, 4, 5, 6],
);
const { signals } = found[0].windows;
assert.deepEqual([signals.ecg.patches, signals.ecg.data.length], [5, 1000]);
