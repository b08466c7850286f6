/** The training step of the 12-layer model, masked reconstruction as in pre-training, against PyTorch's. */
import { availableParallelism } from 'node:os';
import { modelFlops } from './model-flops.ts';
import { race } from './race.ts';
import type { Case } from './report.ts';
import { keepPages, type Rivals } from './rivals.ts';

const layers = 12;
const sizes = { eeg: { channels: 19, patches: 10 }, ecg: { channels: 12, patches: 10 } } as const;
/** So many windows at once is what a batch is cut into where that is smaller. */
const partWindows = 16;

interface StepCase {
  readonly modality: 'eeg' | 'ecg';
  readonly batch: number;
  /** torch.compile takes minutes the first time. */
  readonly compile: boolean;
}

const few: readonly StepCase[] = [
  { modality: 'ecg', batch: 16, compile: true },
  { modality: 'ecg', batch: 64, compile: false },
  { modality: 'eeg', batch: 16, compile: false },
];
const all: readonly StepCase[] = (['ecg', 'eeg'] as const).flatMap((modality) =>
  [4, 16, 32, 64].map((batch) => ({ modality, batch, compile: true })),
);

export async function measureSteps(
  rivals: Rivals,
  full: boolean,
  say: (line: string) => void,
): Promise<Case[]> {
  const cases: Case[] = [];
  for (const { modality, batch, compile } of full ? all : few) {
    const name = `${modality.toUpperCase()}, batch ${batch}`;
    say(`training step, ${name}`);
    const job = (parts: number, more: object = {}) => ({
      ...{ task: 'pretrainingStep', modality, ...sizes[modality], batch, layers, accumulate: parts },
      ...more,
    });
    const parts = batch > partWindows ? batch / partWindows : 1;
    const inParts = parts > 1 ? [parts] : [];
    const cut = (count: number) => (count > 1 ? `, in ${count} parts` : '');
    const entries = [
      ...[...inParts, 1].map((count) => rivals.ours(job(count), `heartmind${cut(count)}`)),
      ...(rivals.peers
        ? [
            ...[1, ...inParts].map((count) =>
              rivals.python('torch', `PyTorch eager${cut(count)}`, job(count, { compile: false })),
            ),
            rivals.python('torch', 'PyTorch eager, pages kept', job(1, { compile: false }), keepPages),
            ...(full && availableParallelism() > 1
              ? [rivals.python('torch', 'PyTorch eager, 1 thread', job(1, { compile: false, threads: 1 }))]
              : []),
            ...(compile ? [rivals.python('torch', 'PyTorch compile', job(1, { compile: true }))] : []),
            ...(compile && full
              ? [rivals.python('torch', 'PyTorch compile, pages kept', job(1, { compile: true }), keepPages)]
              : []),
          ]
        : []),
    ];
    const outcomes = await race(entries, { seconds: full ? 20 : 6, rounds: 5, say });
    const tokens = batch * sizes[modality].channels * sizes[modality].patches;
    const settings = {
      ...{ modality, ...sizes[modality], batch, layers, tokens },
      modelFlops: modelFlops({ ...sizes[modality], batch, layers }),
    };
    cases.push({ name, settings, outcomes });
  }
  return cases;
}
