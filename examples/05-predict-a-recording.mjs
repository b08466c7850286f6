// The released model on a recording: both signals, then its EEG alone and its ECG alone. Run: node examples/05-predict-a-recording.mjs [my.edf]
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { decodeModel, selectRecording, TimelinePredictor } from 'heartmind';
import { createNodeBackend, openRecordingFile, readReleased, sampleDataFolder } from 'heartmind/node';

// Weights, recipe of preparation, classes: everything that prediction needs; a file of yours goes the same way.
const model = decodeModel(await readReleased('workload'), 'workload');
const predictor = new TimelinePredictor(await createNodeBackend(), model);
const file = process.argv[2] ?? join(sampleDataFolder('eegmat'), 'Subject35_1.edf.gz'); // a person whom it has not seen
const recording = await openRecordingFile(file);
const { channels } = recording;
const isEcg = ({ name }) => name.toUpperCase().includes('ECG');
const without = (unwanted) => [...channels.keys()].filter((i) => !unwanted(channels[i]));

const timelines = {
  both: await predictor.predict(recording),
  'EEG alone': await predictor.predict(selectRecording(recording, { channels: without(isEcg) })),
  'ECG alone': await predictor.predict(
    selectRecording(recording, { channels: without((channel) => !isEcg(channel)) }),
  ),
};
for (const [signals, { entries, classes, dropped }] of Object.entries(timelines)) {
  console.log(signals, dropped.map(({ what, reason }) => `(${what}: ${reason})`).join(' '));
  for (const { start, duration, predicted, probabilities } of entries.slice(0, 3))
    console.log(
      `${start}–${start + duration} s  ${predicted}  ${classes.map((name, k) => `${name} ${probabilities[k].toFixed(2)}`).join('  ')}`,
    );
  const right = entries.filter(({ predicted }) => predicted === 'rest').length / entries.length;
  console.log(`${Math.round(100 * right)} % of ${entries.length} windows at rest`);
  for (const { probabilities } of entries)
    assert.ok(Math.abs(probabilities[0] + probabilities[1] - 1) < 1e-5);
}
assert.equal(timelines['EEG alone'].entries.length, timelines.both.entries.length);
await recording.close();
await predictor.dispose();
