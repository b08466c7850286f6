/** `heartmind explain [MODEL] RECORDING`: what moved a prediction, as a page and as JSON. */
import { resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { ConfigError } from '../core/errors.ts';
import { noteInputPath } from '../core/input-files-node.ts';
import { checkOutput, writeFileAtomically } from '../core/output-node.ts';
import { type Baseline, baselines, explainRecording } from '../evaluate/explain.ts';
import { type Hiding, hidings } from '../evaluate/explain-occlusion.ts';
import { renderExplanation } from '../evaluate/explain-page.ts';
import { encodeExplanation } from '../evaluate/explain-result.ts';
import { checks, findings } from '../evaluate/explain-words.ts';
import {
  type Context,
  createBackend,
  createWorkProgress,
  modelNameFlag,
  optionalText,
  parseText,
  type WorkFlags,
  workFlags,
} from './command.ts';
import { readModelAndNote, splitModel } from './model-argument.ts';
import { inputOptionsOf, openInput, type ReadFlags, readFlags } from './read-flags.ts';

interface Flags extends WorkFlags, ReadFlags {
  readonly out?: string;
  readonly json?: string;
  readonly start: number;
  readonly seconds: number;
  readonly class?: string;
  readonly model?: string;
  readonly baseline: Baseline;
  readonly hide: Hiding;
  readonly sanity: boolean;
}

export const explainCommand = buildCommand<Flags, [string, string?], Context>({
  docs: {
    brief: 'Show which channels, seconds and frequency bands moved a prediction, and whether to trust it',
    customUsage: [
      { input: 'my.edf --out why.html', brief: "The released model's first 30 seconds, as a page" },
      {
        input: 'runs/demo my.edf --out why.html --start 60 --seconds 10 --class arithmetic',
        brief: 'Two windows and a class of your choice',
      },
      { input: 'runs/demo my.edf --json why.json --model ecg', brief: "The run's ECG model, as data" },
    ],
  },
  parameters: {
    flags: {
      out: optionalText('Page to write (HTML)', 'file'),
      json: optionalText('File for the figures (JSON)', 'file'),
      start: {
        kind: 'parsed',
        parse: parseSeconds('--start', 0),
        brief: 'Explain windows from this second of the recording on (default: 0)',
        default: '0',
        placeholder: 'seconds',
      },
      seconds: {
        kind: 'parsed',
        parse: parseSeconds('--seconds', Number.MIN_VALUE),
        brief: 'Windows that begin within so many seconds (default: 30)',
        default: '30',
        placeholder: 'seconds',
      },
      class: optionalText('Class to explain (default: the likeliest of these windows)', 'name'),
      ...modelNameFlag,
      baseline: {
        kind: 'enum',
        values: baselines,
        brief: "Compare with a silent signal, or with the mean of the recording's windows (default: zero)",
        default: 'zero',
      },
      hide: {
        kind: 'enum',
        values: hidings,
        brief: 'How occlusion hides channels and seconds: leave them out, or make them zero (default: drop)',
        default: 'drop',
      },
      sanity: {
        kind: 'boolean',
        brief: 'Compare with models of random weights, which takes most of the time',
        default: true,
      },
      ...readFlags,
      ...workFlags,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'A model (file, run, released name; default: workload)',
          parse: parseText,
          placeholder: 'model',
        },
        { brief: 'A recording', parse: parseText, placeholder: 'recording', optional: true },
      ],
    },
  },
  async func(flags, ...given) {
    const { out, json } = flags;
    if (out === undefined && json === undefined)
      throw new ConfigError(
        'explain: nothing to write. Give --out why.html, --json why.json, or both.',
        '--out',
      );
    if (out !== undefined && json !== undefined && resolve(out) === resolve(json))
      throw new ConfigError(
        `explain: the page and the figures are to be one file, ${out}. Name two.`,
        '--json',
      );
    const named = given.filter((one) => one !== undefined);
    const { files, ...chosen } = await splitModel('explain', named);
    if (files.length !== 1)
      throw new ConfigError(
        `explain: ${files.length} recordings were named. Explain one at a time.`,
        'recording',
      );
    const progress = createWorkProgress(flags);
    const model = await readModelAndNote('explain', chosen, flags.model, progress);
    noteInputPath(files[0]!);
    await checkOutput(out);
    await checkOutput(json);
    const recording = await openInput(files[0]!, inputOptionsOf(flags, this.signal));
    try {
      const explanation = await explainRecording({
        ...{ model, recording, backend: await createBackend(flags), progress },
        ...{ start: flags.start, seconds: flags.seconds, className: flags.class },
        ...{ baseline: flags.baseline, hiding: flags.hide, signal: this.signal },
        ...(!flags.sanity && { draws: 0 }),
      });
      const write = (to: string, text: string) => writeFileAtomically(to, new TextEncoder().encode(text));
      if (out !== undefined) await write(out, renderExplanation(explanation));
      if (json !== undefined) await write(json, encodeExplanation(explanation));
      const lines = [...findings(explanation), ...checks(explanation)].map(
        ({ text, isWarning }) => `${isWarning ? 'Warning: ' : ''}${text}`,
      );
      const written = [out, json].filter((name) => name !== undefined);
      this.process.stdout.write(`${lines.join('\n')}\n\nWritten: ${written.join(', ')}\n`);
    } finally {
      await recording.close();
    }
  },
});

function parseSeconds(flag: string, minimum: number): (input: string) => number {
  return (input) => {
    const value = input.trim() === '' ? Number.NaN : Number(input);
    if (Number.isFinite(value) && value >= minimum) return value;
    const allowed = minimum === 0 ? '≥ 0' : '> 0';
    throw new ConfigError(`${flag}: '${input}' is no time. Give seconds ${allowed}.`, flag, allowed);
  };
}
