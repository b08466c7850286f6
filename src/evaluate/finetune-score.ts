/** Fine-tuning on labels or numbers, tested on people that it has not seen: what probes tell of frozen encoders, of tuned ones. */
import { type FinetuneOptions, finetune } from '../train/finetune.ts';
import type { Curves } from '../train/loop.ts';
import { type FoldScore, type FoldScoreOptions, FoldScores } from './fold-scores.ts';

export interface FinetuneScoreOptions
  extends Pick<FinetuneOptions, 'backend' | 'windows' | 'recipe' | 'encoders' | 'progress' | 'signal'>,
    Omit<FoldScoreOptions, 'subject' | 'seed'> {
  /** Where a fold's training keeps its checkpoints and figures. */
  readonly keep?: (fold: string) => Pick<FinetuneOptions, 'store' | 'log'>;
}

export interface FinetuneScore extends FoldScore {
  readonly trainings: readonly { readonly curves: Curves; readonly bestEpoch: number }[];
}

/**
 * Fine-tune on every fold and score the test windows, which are predicted once. Several labels at once, or a number; labelled
 * people are drawn by the recipe's seed. DataError as `finetune`.
 */
export async function scoreFinetuned(options: FinetuneScoreOptions): Promise<FinetuneScore> {
  const { windows, recipe, keep } = options;
  const scores = new FoldScores({ ...options, subject: windows.subject, seed: recipe.seed });
  const trainings: FinetuneScore['trainings'][number][] = [];
  for (const [f, fold] of scores.folds.entries()) {
    const { testProbabilities, curves, bestEpoch } = await finetune({
      ...options,
      ...keep?.(options.folds[f]!.name),
      targets: scores.targets,
      training: fold.train,
      validation: fold.validation,
      test: fold.test,
    });
    trainings.push({ curves, bestEpoch });
    scores.put(fold, testProbabilities);
  }
  return { ...scores.score(), trainings };
}
