// A recording, lazily: channels, quality, heart beats, band power. Run: node examples/01-look-at-a-recording.mjs [file]
import { join } from 'node:path';
import { bandPower, checkQuality, detectBeats, variability, welch } from 'heartmind';
import { openRecordingFile, sampleDataFolder } from 'heartmind/node';

const path = process.argv[2] ?? join(sampleDataFolder('eegmat'), 'Subject00_1.edf.gz');
const recording = await openRecordingFile(path);
console.log(`${recording.format}, ${recording.duration} s, ${recording.channels.length} channels`);

for (const [index, { name, unit, rateHz, lengthSamples }] of recording.channels.entries()) {
  const seconds = Math.min(60, Math.floor(lengthSamples / rateHz)); // only these bytes are read
  const samples = await recording.read(index, 0, seconds * rateHz);
  const { flat, clipped } = checkQuality(samples, rateHz);
  const line = [
    name.padEnd(12),
    unit.padEnd(4),
    `${rateHz} Hz`,
    flat ? 'flat' : 'ok',
    `${(100 * clipped).toFixed(1)} % clipped`,
  ];
  if (/ECG|EKG/i.test(name)) {
    const { medianRatePerMinute, rmssd } = variability(detectBeats(samples, rateHz));
    line.push(`${medianRatePerMinute.toFixed(0)} beats/min, RMSSD ${(1000 * rmssd).toFixed(0)} ms`);
  } else {
    line.push(
      `alpha ${bandPower(welch(samples, rateHz, { segmentSamples: 2 * rateHz }), 8, 13).toFixed(2)} ${unit}²/Hz`,
    );
  }
  console.log(line.join('  '));
}
await recording.close();
