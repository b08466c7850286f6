#!/usr/bin/env node
/**
 * Writes the tables of docs/many-machines.md from bench/results/mpi.json, between `<!-- NAME -->` and `<!-- /NAME -->`:
 * what was measured, and the scaling efficiency that a model gives from it. `--check` writes nothing and ends with 1
 * where a table is not what its JSON gives.
 *
 * The model, for p nodes of one rank each and n bytes of gradients:
 *   sum(p) = min(2 ⌈log₂p⌉ α, 2 (p − 1) α) + 2 (p − 1)/p · n/bandwidth + (p − 1)/p · n · γ
 *     Rabenseifner's or the ring's Allreduce, whichever has less latency: both move the same bytes;
 *   efficiency(p) = c / (c · (1 + v √(2 ln p)) + sum(p)), weak scaling: every node has the same share of a batch that
 *     grows with p; c is a node's seconds of computing an update, v their coefficient of variation: the slowest of p
 *     normally distributed nodes is √(2 ln p) deviations behind the mean (an upper bound).
 * α: the smallest Allreduce over TCP, which is one exchange (measured, median: the best may find the other's message there
 *   already) + 5 µs of wire and switch (assumed).
 * γ: seconds a byte of what a host does to sum (measured: the largest Allreduce over shared memory, best).
 * bandwidth: 90 % of the line's rate (assumed). v: 0.02 (assumed; dedicated nodes of one kind).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const measured = JSON.parse(readFileSync(join(root, 'bench/results/mpi.json'), 'utf8'));
const wire = 5e-6;
const share = 0.9;
const variation = 0.02;
const gradientBytes = measured.allreduce.tcp.rows.at(-1).bytes;

const alpha = measured.allreduce.tcp.rows[0].median + wire;
const shared = measured.allreduce.sharedMemory.rows.at(-1);
const gamma = shared.best / shared.bytes;

/** Seconds of an Allreduce of all gradients over p nodes. */
function sumSeconds(p, gigabits) {
  const latency = Math.min(2 * Math.ceil(Math.log2(p)), 2 * (p - 1)) * alpha;
  const part = ((p - 1) / p) * gradientBytes;
  return latency + (2 * part) / ((share * gigabits * 1e9) / 8) + part * gamma;
}

function efficiency(p, gigabits, computing) {
  const slowest = computing * (1 + variation * Math.sqrt(2 * Math.log(p)));
  return computing / (slowest + sumSeconds(p, gigabits));
}

const tables = { measured: measuredTable(), updates: updatesTable(), scaling: scalingTable() };
const path = join(root, 'docs/many-machines.md');
const text = readFileSync(path, 'utf8');
const updated = text.replace(
  /(<!-- (measured|updates|scaling) -->\n)[\s\S]*?(<!-- \/\2 -->)/g,
  (_, open, name, close) => `${open}${tables[name]}${close}`,
);
if (process.argv.includes('--check')) {
  if (updated !== text) {
    console.error(
      'docs/many-machines.md: a table differs from bench/results/mpi.json. Run `node scripts/cluster/write-scaling.mjs`.',
    );
    process.exit(1);
  }
} else writeFileSync(path, updated);

function measuredTable() {
  const rows = measured.allreduce.sharedMemory.rows.map(({ bytes, median, best }, i) => {
    const tcp = measured.allreduce.tcp.rows[i];
    return `| ${size(bytes)} | ${ms(best)} | ${ms(median)} | ${ms(tcp.best)} | ${ms(tcp.median)} |`;
  });
  return [
    `${measured.openmpi}, ${measured.machine.processor}; ${measured.date.slice(0, 10)}, ${measured.commit}. TCP: ${measured.allreduce.tcp.note}. Load of the machine before: ${measured.loadBefore.toFixed(1)}${measured.loadBefore > 0.5 ? ' (other work ran beside: take the best, not the median)' : ''}.`,
    '',
    '| bytes | shared memory, best | median | TCP, best | median |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function updatesTable() {
  const names = { sharedMemory: 'shared memory', tcp: 'TCP' };
  const rows = Object.entries(measured.update).map(([way, { compute, wait, sum, updates }]) => {
    const part = sum.best / (compute.best + sum.best);
    const both = ({ best, median }) => `${ms(best)} / ${ms(median)}`;
    return `| ${names[way]} | ${both(compute)} | ${both(wait)} | ${both(sum)} | ${(100 * part).toFixed(1)} % | ${updates} |`;
  });
  const { windowsPerRank, threadsPerRank, tokensPerWindow } = measured.update.tcp;
  return [
    `Two ranks of ${threadsPerRank} thread, ${windowsPerRank} windows of ${tokensPerWindow} tokens each; best / median over the updates.`,
    '',
    '| | computing | waiting for the slower rank | summing | summing, of the best update | updates |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function scalingTable() {
  const here = measured.update.tcp.compute.best;
  const cases = [
    [`${ms(here)} (measured here: ${measured.update.tcp.windowsPerRank} windows on one core)`, here],
    ['1000 ms', 1],
    ['100 ms (an accelerator)', 0.1],
  ];
  const rows = cases.flatMap(([label, computing]) =>
    [10, 25, 100].map((gigabits) => {
      const cells = [8, 64, 512].map((p) => `${(100 * efficiency(p, gigabits, computing)).toFixed(1)} %`);
      return `| ${label} | ${gigabits} Gb/s | ${ms(sumSeconds(512, gigabits))} | ${cells.join(' | ')} |`;
    }),
  );
  return [
    `α = ${(alpha * 1e6).toFixed(0)} µs, γ = ${(gamma * 1e9).toFixed(2)} ns a byte, n = ${(gradientBytes / 1e6).toFixed(1)} MB, v = ${variation}.`,
    '',
    '| computing of an update | network | sum over 512 nodes | 8 nodes | 64 nodes | 512 nodes |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function size(bytes) {
  return bytes >= 1e6 ? `${bytes / 1e6} MB` : `${bytes / 1e3} kB`;
}

function ms(seconds) {
  const value = 1000 * seconds;
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ms`;
}
