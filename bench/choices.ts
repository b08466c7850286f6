/** What the choices in the code are worth: each way against the others, in turns. */
import { choices } from './ours/choices.ts';
import { race } from './race.ts';
import type { Case } from './report.ts';
import type { Rivals } from './rivals.ts';

export async function measureChoices(
  rivals: Rivals,
  full: boolean,
  say: (line: string) => void,
): Promise<Case[]> {
  const cases: Case[] = [];
  for (const [name, ways] of Object.entries(choices)) {
    say(name);
    const entries = Object.keys(ways).map((way) => rivals.ours({ task: 'choice', name, way }, way));
    const outcomes = await race(entries, { seconds: full ? 12 : 3, rounds: 5, say });
    cases.push({ name, settings: {}, outcomes });
  }
  return cases;
}
