// Heart rate, its variability, EEG rhythms and artefacts of one recording. Run: node examples/09-heart-rate-and-bands.mjs [file]
import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  averageReference,
  bandPowers,
  beatIntervals,
  butterworth,
  detectBeats,
  electrodePosition,
  findArtefacts,
  findBadChannels,
  hrvFrequency,
  hrvTime,
  interpolateChannels,
  openRecordingFile,
  sampleDataFolder,
  sosFiltFilt,
} from 'heartmind/node';

const path = process.argv[2] ?? join(sampleDataFolder('eegmat'), 'Subject00_1.edf.gz');
const recording = await openRecordingFile(path);
const read = (i) => recording.read(i, 0, recording.channels[i].lengthSamples);
const { rateHz } = recording.channels[0];

// The heart: beats → intervals, ectopic ones bridged and counted → variability.
const ecg = recording.channels.findIndex(({ name }) => /ECG|EKG/i.test(name));
const beats = detectBeats(await read(ecg), recording.channels[ecg].rateHz);
const intervals = beatIntervals(beats, { correction: 'interpolate' });
const { meanNN, rmssd, pnn50 } = hrvTime(intervals);
const { lf, hf, lfHf, reasons } = hrvFrequency(intervals);
console.log(`${beats.length} beats, ${intervals.marked} intervals bridged`);
console.log(
  `${(60_000 / meanNN).toFixed(1)} per minute, RMSSD ${rmssd.toFixed(0)} ms, pNN50 ${pnn50.toFixed(0)} %`,
);
console.log(`LF ${lf.toFixed(0)} ms², HF ${hf.toFixed(0)} ms², LF/HF ${lfHf.toFixed(2)}`);
for (const reason of reasons) console.log(`  ${reason}`); // what so short a recording does not say
assert(meanNN > 400 && meanNN < 1500 && hf > 0);

// The scalp: bad channels from their neighbours, a common average, then rhythms and artefacts of one channel.
const scalp = [...recording.channels.keys()].filter((i) => electrodePosition(recording.channels[i].name));
const names = scalp.map((i) => recording.channels[i].name);
const highPass = butterworth(2, { lowHz: 1 }, rateHz);
const rows = [];
for (const i of scalp) rows.push(sosFiltFilt(highPass, await read(i)));
const bad = findBadChannels(rows, rateHz).flatMap(({ reasons }, i) => (reasons.length > 0 ? [i] : []));
console.log(`${scalp.length} electrodes, bad: ${bad.map((i) => names[i]).join(', ') || 'none'}`);
const whole = interpolateChannels(rows, names.map(electrodePosition), bad);
const { rows: eeg } = averageReference(whole);
const o1 = names.findIndex((name) => /O1/.test(name));
const { relative, peakAlphaHz } = bandPowers(eeg[o1], rateHz);
const marked = findArtefacts(eeg[o1], rateHz).filter(({ flags }) => flags.length > 0);
console.log(
  `${names[o1]}: alpha ${(100 * relative.alpha).toFixed(0)} % at ${peakAlphaHz.toFixed(1)} Hz, ${marked.length} windows with artefacts`,
);
assert(relative.alpha > 0 && relative.alpha < 1);
await recording.close();
