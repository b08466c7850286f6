/** Words that several sentences of the documents share: what is highest, what an interval shows, what a question is called. */
import { digits, hasInterval, scoreNames, scoreTitles } from './table-cells.mjs';

/** As src/evaluate/question-families.ts names them; a test holds that both are the same. */
export const questionTitles = {
  fusion: 'both signals against one alone',
  classical: 'deep against classical',
  hybrid: 'embeddings added to classical features, against those alone',
  pretraining: 'pre-trained against initial values',
  tuning: 'tuned from pre-trained against tuned from initial values',
  masks: 'kinds of mask against dual',
  variants: 'variants of dual masks against dual',
};
export const significanceLevel = 0.05;

/** `Title: balanced accuracy \`x\` (.769), AUROC …`: the highest row in each score, all of them where several are equal. */
export function highest(title, names, scoresOf) {
  const cells = scoreNames.flatMap((score) => {
    const known = names.filter((name) => scoresOf(name)?.[score]?.mean != null);
    if (known.length === 0) return [];
    const text = (name) => digits(scoresOf(name)[score].mean);
    const most = Math.max(...known.map((name) => scoresOf(name)[score].mean));
    // Rows that are written alike are called alike.
    const first = known.filter((name) => text(name) === digits(most));
    return [`${scoreTitles[score]} ${first.map((name) => `\`${name}\``).join(' and ')} (${digits(most)})`];
  });
  return cells.length === 0 ? '' : `- ${title}: ${cells.join(', ')}.`;
}

/** `x` (.875), and whoever is written alike. */
export function highestOf(pairs) {
  const most = Math.max(...pairs.map(([, value]) => value));
  const first = pairs.filter(([, value]) => digits(value) === digits(most));
  return `${first.map(([name]) => `\`${name}\``).join(' and ')} (${digits(most)})`;
}

/** Those whose interval is above zero, and below; none where too few people are tested for one. */
export function besides(list, of, people) {
  if (!hasInterval(people)) return [[], []];
  return [list.filter((one) => of(one).low > 0), list.filter((one) => of(one).high < 0)];
}

export function lines(list) {
  return `${list.filter((line) => line !== '').join('\n')}\n`;
}

export function range([low, high], write = digits) {
  return `${write(low)} to ${write(high)}`;
}
