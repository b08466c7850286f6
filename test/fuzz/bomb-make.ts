import { mkdirSync, writeFileSync } from 'node:fs';
import { bombs } from './bombs.ts';

const [folder, ...only] = process.argv.slice(2);
for (const b of bombs) {
  if (only.length && !only.includes(b.name)) continue;
  const dir = `${folder}/${b.name.replaceAll(' ', '-')}`;
  mkdirSync(dir, { recursive: true });
  const t = performance.now();
  const files = b.make((c) => Math.ceil(c));
  for (const [n, bytes] of Object.entries(files)) writeFileSync(`${dir}/${n}`, bytes);
  console.log(
    b.name,
    '|',
    Object.keys(files)[0],
    Object.values(files).reduce((s, x) => s + x.length, 0),
    Math.round(performance.now() - t),
  );
}
