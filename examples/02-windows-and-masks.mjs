// Recording → windows by a recipe, and what dual masking hides of one. Run: node examples/02-windows-and-masks.mjs
import { join } from 'node:path';
import { drawMask, parseRecipe, Random, recordingWindows, twelveLeadRecipe } from 'heartmind';
import { openFolder, openRecordingFile, sampleDataFolder } from 'heartmind/node';

const folder = sampleDataFolder('ecg12');
const file = (await (await openFolder(folder)).list()).find((name) => /\.(hea|edf|edf\.gz)$/.test(name));
const recording = await openRecordingFile(join(folder, file));

// A recipe is plain data: change it, print it, store it. Unknown keys and values out of range are errors.
const recipe = parseRecipe({
  ...twelveLeadRecipe,
  window: { ...twelveLeadRecipe.window, lengthSeconds: 5, stepSeconds: 5 },
});
const windows = await recordingWindows(recording, recipe);
const { channels, patches, data } = windows.signals.ecg;
console.log(
  `${file}: ${windows.count} windows of ${channels.length} leads × ${patches} patches (${data.length} values)`,
);
for (const { what, reason, count } of windows.dropped) console.log(`left out: ${count} × ${what}: ${reason}`);

const mask = drawMask(
  'dual',
  channels,
  patches,
  { mixture: { dual: 1 }, ratio: 0.5, leadProbability: 0.5, limbGroupProbability: 0.5 },
  new Random(1),
);
const signs = ['·', 'x', '█']; // visible, hidden patch, hidden lead
for (const [c, name] of channels.entries())
  console.log(
    name.padEnd(4),
    Array.from(mask.subarray(c * patches, (c + 1) * patches), (code) => signs[code]).join(' '),
  );
await recording.close();
