/** The training step of the 12-layer model, masked reconstruction as in pre-training, against PyTorch's. */
import { availableParallelism } from 'node:os';
import { modelFlops } from './model-flops.ts';
import { race } from './race.ts';
import type { Case } from './report.ts';
import { keepPages, type Rivals } from './rivals.ts';

const layers = 12;
const sizes = { eeg: { channels: 19, patches: 10 }, ecg: { channels: 12, patches: 10 } } as const;
/** PyTorch computes larger batches whole, and also in parts of so many windows: whichever is faster counts. */
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
    const job = (more: object) => ({
      ...{ task: 'pretrainingStep', modality, ...sizes[modality], batch, layers },
      ...more,
    });
    const parts = batch > partWindows ? batch / partWindows : 1;
    const inParts = parts > 1 ? [parts] : [];
    const cut = (count: number) => (count > 1 ? `, in ${count} parts` : '');
    const eager = (count: number, more: object = {}) => job({ accumulate: count, compile: false, ...more });
    const compiled = job({ accumulate: 1, compile: true });
    const entries = [
      rivals.ours(job({})),
      ...(full && batch > 1 ? [rivals.ours(job({ accumulate: 1 }), 'heartmind, whole')] : []),
      ...(rivals.peers
        ? [
            ...[1, ...inParts].map((count) =>
              rivals.python('torch', `PyTorch eager${cut(count)}`, eager(count)),
            ),
            rivals.python('torch', 'PyTorch eager, pages kept', eager(1), keepPages),
            ...(full && availableParallelism() > 1
              ? [rivals.python('torch', 'PyTorch eager, 1 thread', eager(1, { threads: 1 }))]
              : []),
            ...(compile ? [rivals.python('torch', 'PyTorch compile', compiled)] : []),
            ...(compile && full
              ? [rivals.python('torch', 'PyTorch compile, pages kept', compiled, keepPages)]
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
