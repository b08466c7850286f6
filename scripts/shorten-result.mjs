#!/usr/bin/env node
/**
 * A whole result of `heartmind evaluate` → what the ladders' tables read of it: scores, comparisons with the first rung,
 * calibration, spread over seeds. Predictions by window, curves and trials are left out.
 *
 *   node scripts/shorten-result.mjs RUN/result.json results/NAME.json
 */
import { readFileSync, writeFileSync } from 'node:fs';

const [from, to] = process.argv.slice(2);
if (!from || !to)
  throw new Error('shorten-result: two files are needed. Write: RUN/result.json results/NAME.json.');
const whole = JSON.parse(readFileSync(from, 'utf8'));
const { trials: _t, details: _d, abstention: _a, curves: _c, reconstructions: _r, ...kept } = whole;
const comparisons = (kept.comparisons ?? []).filter(({ kind }) => kind === 'first rung');
writeFileSync(to, `${JSON.stringify({ ...kept, comparisons }, null, 1)}\n`);
