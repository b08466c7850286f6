/** A process that opens one bomb from its folder and tells CPU time and memory; its parent kills it when it hangs. */
import { fileSource } from '../../src/read/file-node.ts';
import { bombs, openBomb } from './bombs.ts';

const [name, path] = process.argv.slice(2);
const one = bombs.find((known) => known.name === name)!;
const before = process.cpuUsage();
const source = await fileSource(path!);
const { outcome, fact } = await openBomb(one, source);
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({
    outcome,
    fact,
    cpu: (user + system) / 1e6,
    mb: process.resourceUsage().maxRSS / 1024,
  }),
);
