/** What papers report on the benchmarks that `heartmind reproduce` runs: figures as printed, as fractions, with their sources. */

export interface PublishedFigure {
  readonly benchmark: string;
  readonly target: string;
  readonly model: string;
  /** The kind of protocol in evaluate/protocol.ts, or null where the source available here does not tell. */
  readonly protocol: string | null;
  /** As a fraction. */
  readonly scores: Readonly<Partial<Record<'balancedAccuracy' | 'f1' | 'auroc' | 'auprc', number>>>;
  readonly source: string;
}

const paper = 'arXiv 2512.15250, abstract; in per cent there, its protocol is not told';
const cbramod =
  'arXiv 2412.07236, MentalArithmetic: EEG alone, people 00–27 train, 28–31 validate, 32–35 test';

export const publishedFigures: readonly PublishedFigure[] = [
  ...(
    [
      ['arousal', { auroc: 0.8479 }],
      ['dominance', { auroc: 0.8669 }],
      ['valence', { f1: 0.8114 }],
    ] as const
  ).map(([target, scores]) => ({
    ...{ benchmark: 'dreamer', target, model: 'CBraMod encoders of EEG and ECG, concatenated' },
    ...{ protocol: null, scores, source: paper },
  })),
  {
    ...{ benchmark: 'eegmat', target: 'task', model: 'CBraMod', protocol: 'published' },
    scores: { balancedAccuracy: 0.726, auroc: 0.791, auprc: 0.627 },
    source: cbramod,
  },
  {
    ...{ benchmark: 'eegmat', target: 'task', model: 'LaBraM', protocol: 'published' },
    scores: { balancedAccuracy: 0.691, auroc: 0.772, auprc: 0.6 },
    source: `${cbramod} (as compared there)`,
  },
  {
    ...{ benchmark: 'eegmat', target: 'task', model: 'REVE', protocol: 'published' },
    scores: { balancedAccuracy: 0.766 },
    source: 'arXiv 2510.21585, the same split',
  },
  ...(
    [
      ['S4, supervised', 0.932, 'arXiv 2211.07579'],
      ['ECGFounder, linear probe', 0.924, 'arXiv 2410.04133'],
      ['ECGFounder, fine-tuned', 0.935, 'arXiv 2410.04133'],
      ['ECG-JEPA, linear probe', 0.911, 'arXiv 2410.08559'],
      ['ECG-JEPA, fine-tuned', 0.921, 'arXiv 2410.08559'],
      ['ST-MEM, linear probe', 0.896, 'arXiv 2402.09450'],
      ['ST-MEM, fine-tuned', 0.901, 'arXiv 2402.09450'],
    ] as const
  ).map(([model, auroc, paper]) => ({
    ...{ benchmark: 'ptbxl', target: 'superclasses', model, protocol: 'published' },
    ...{
      scores: { auroc },
      source: `on all 21,799 recordings, 12 leads, as this project found it quoted; the model: ${paper}`,
    },
  })),
];

/** Those of one benchmark and, where given, target. */
export function figuresOf(benchmark: string, target?: string): PublishedFigure[] {
  return publishedFigures.filter(
    (figure) => figure.benchmark === benchmark && (target === undefined || figure.target === target),
  );
}
