/** Comments of a WFDB header → what they say of the subject, as the large databases write it. */
import type { WfdbHeader } from './header.ts';

/**
 * `#Age: 80`, `# <age>: 25  <sex>: M` and MIT-BIH's `# 69 M 1085 1629 x1` become age, sex; lines that follow an empty
 * `<diagnoses>:` are its value. Everything stands in `comments` as well.
 */
export function wfdbMetadata(header: WfdbHeader): Record<string, string> {
  const pairs = new Map(Object.entries(subjectOf(header.comments)));
  if (header.comments.length > 0) pairs.set('comments', header.comments.join('\n'));
  if (header.timeOfDay) pairs.set('time of day', header.timeOfDay);
  if (header.counterRateHz !== undefined) pairs.set('counter frequency', String(header.counterRateHz));
  if (header.baseCounter !== undefined) pairs.set('base counter', String(header.baseCounter));
  pairs.set('record', header.record);
  return Object.fromEntries(pairs);
}

/** What lines of comments say, by key in lower case. */
export function subjectOf(comments: readonly string[]): Record<string, string> {
  const pairs = new Map<string, string>();
  const note = (key: string, value: string) => {
    const name = key.trim().toLowerCase();
    if (value.trim() !== '' && !pairs.has(name)) pairs.set(name, value.trim());
  };
  let open: string | undefined;
  let list: string[] = [];
  const finish = () => {
    if (open !== undefined) note(open, list.join('; '));
    open = undefined;
    list = [];
  };
  for (const comment of comments) {
    const tagged = [...comment.matchAll(/<([A-Za-z][\w ]{0,40})>:?\s*([^<]*)/g)];
    if (tagged.length > 0) {
      finish();
      for (const [, key, value] of tagged) note(key!, value!);
      const [, key, value] = tagged.at(-1)!;
      if (value!.trim() === '') open = key!;
      continue;
    }
    if (open !== undefined) list.push(comment);
    const plain = /^([A-Za-z][\w ,-]{0,40}):\s*(.*)$/.exec(comment);
    if (plain) note(plain[1]!, plain[2]!);
    const person = /^(-?\d{1,3}) ([MF?])\b/.exec(comment);
    if (person && Number(person[1]) >= 0) note('age', person[1]!);
    if (person && person[2] !== '?') note('sex', person[2]!);
  }
  finish();
  return Object.fromEntries(pairs);
}
