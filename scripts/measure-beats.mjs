#!/usr/bin/env node
/**
 * How many annotated beats the R-peak detector finds, and how many it invents: MIT-BIH Arrhythmia (first signal of
 * every record of the folder) and LUDB (every lead of every record), matched as ANSI/AAMI EC57 asks, within 150 and
 * 50 ms; beside it NeuroKit2's methods on the same samples in the same run, where a Python is given.
 *   node scripts/measure-beats.mjs [--mitdb FOLDER] [--ludb FOLDER] [--python PATH]
 * Writes results/beats.json; `node scripts/measure-beats.mjs --tables [--check]` writes docs/signals.md's tables from it.
 * Times are CPU seconds of the process.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const output = join(root, 'results/beats.json');
const document = join(root, 'docs/signals.md');
const { values: flags } = parseArgs({
  options: {
    mitdb: { type: 'string', default: join(homedir(), '.cache/heartmind/data/mitdb') },
    ludb: { type: 'string', default: join(homedir(), '.cache/heartmind/data/ludb') },
    python: { type: 'string' },
    tables: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
});
/** EC57's learning period. */
const learningSeconds = 300;
const tolerances = [0.15, 0.05];
const methods = ['neurokit', 'pantompkins1985', 'elgendi2010'];
/** Annotations that mark a beat: WFDB's beat codes 1–13, 25, 30, 34, 38, 41 (annot(5)). */
const beatLabels = new Set([...'NLRaVFJASEj/QBe?nfr']);

if (!flags.tables) await measure();
process.exit(writeTables() ? 0 : 1);

async function measure() {
  const { detectBeats, matchBeats } = await import('heartmind');
  const { openRecordingFile, readWfdbAnnotations, openFolder } = await import('heartmind/node');
  const signals = [...(await readMitdb()), ...(await readLudb())];
  if (signals.length === 0) throw new Error(`no records in ${flags.mitdb} or ${flags.ludb}.`);
  const named = ['mitdb', 'ludb'].map((name) => `--${name} FOLDER`);
  const peer = flags.python ? ['--python PATH'] : [];
  const result = {
    command: ['node scripts/measure-beats.mjs', ...named, ...peer].join(' '),
    date: new Date().toISOString().slice(0, 10),
    learningSeconds,
    tolerances,
    sets: {},
    peers: null,
  };
  const detectors = new Map([['heartmind', detectOurs()]]);
  if (flags.python) for (const [name, found] of detectPeers()) detectors.set(name, found);
  for (const set of new Set(signals.map(({ set }) => set))) {
    const indices = signals.flatMap((signal, i) => (signal.set === set ? [i] : []));
    result.sets[set] = {
      records: new Set(indices.map((i) => signals[i].record)).size,
      signals: indices.length,
      hours: round(indices.reduce((sum, i) => sum + signals[i].x.length / signals[i].rateHz, 0) / 3600, 3),
      detectors: Object.fromEntries(
        [...detectors].map(([name, found]) => [
          name,
          {
            seconds: round(found.secondsOf?.[set] ?? Number.NaN, 3),
            withoutBeats: indices.filter((i) => found.beats[i] === null || found.beats[i].length === 0)
              .length,
            raised: indices.filter((i) => found.beats[i] === null).length,
            scores: scoresOf(indices, found.beats),
          },
        ]),
      ),
    };
  }
  writeFileSync(output, `${JSON.stringify(result, null, 2)}\n`);

  function scoresOf(indices, beats) {
    const scores = [];
    for (const fromSeconds of signals[indices[0]].isLong ? [0, learningSeconds] : [0])
      for (const toleranceSeconds of tolerances)
        scores.push(gross(indices, beats, { fromSeconds, toleranceSeconds }));
    return scores;
  }

  /** Counts summed over signals, as EC57's gross statistics. */
  function gross(indices, beats, { fromSeconds, toleranceSeconds }) {
    let [matched, missed, extra, squares, worst] = [0, 0, 0, 0, 1];
    for (const i of indices) {
      const { annotated, from, to, excluded } = signals[i];
      const match = matchBeats(annotated, beats[i] ?? [], {
        toleranceSeconds,
        fromSeconds: Math.max(from, fromSeconds),
        toSeconds: to,
        excluded,
      });
      matched += match.matched;
      missed += match.missed;
      extra += match.extra;
      worst = Math.min(worst, match.sensitivity, match.positivePredictivity || 0);
      for (const error of match.errors) squares += error * error;
    }
    return {
      toleranceSeconds,
      fromSeconds,
      annotated: matched + missed,
      missed,
      extra,
      sensitivity: round(matched / (matched + missed), 5),
      positivePredictivity: round(matched / (matched + extra), 5),
      worstSignal: round(worst, 5),
      rmsErrorMilliseconds: round(1000 * Math.sqrt(squares / matched), 2),
    };
  }

  function detectOurs() {
    const secondsOf = {};
    detectBeats(signals[0].x, signals[0].rateHz);
    const beats = signals.map(({ set, x, rateHz }) => {
      const start = process.cpuUsage();
      const found = detectBeats(x, rateHz);
      const { user, system } = process.cpuUsage(start);
      secondsOf[set] = (secondsOf[set] ?? 0) + (user + system) / 1e6;
      return found;
    });
    return { beats, secondsOf };
  }

  /** One process for each set, so that times are a set's. */
  function detectPeers() {
    const folder = mkdtempSync(join(tmpdir(), 'heartmind-beats-'));
    const found = new Map(methods.map((name) => [name, { beats: [], secondsOf: {}, errors: {} }]));
    try {
      for (const set of new Set(signals.map(({ set }) => set))) {
        const indices = signals.flatMap((signal, i) => (signal.set === set ? [i] : []));
        const entries = [];
        let start = 0;
        for (const i of indices) {
          entries.push({ start, length: signals[i].x.length, rateHz: signals[i].rateHz });
          start += signals[i].x.length;
        }
        const all = new Float64Array(start);
        for (const [k, i] of indices.entries()) all.set(signals[i].x, entries[k].start);
        writeFileSync(join(folder, 'signals.f64'), new Uint8Array(all.buffer));
        writeFileSync(join(folder, 'index.json'), JSON.stringify({ signals: entries, methods }));
        const script = join(root, 'scripts/measure_beats_peer.py');
        const text = execFileSync(
          flags.python,
          [script, join(folder, 'index.json'), join(folder, 'signals.f64')],
          { maxBuffer: 2 ** 30, env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' } },
        ).toString();
        const peer = JSON.parse(text);
        result.peers = { versions: peer.versions, errors: { ...result.peers?.errors } };
        for (const name of methods) {
          const { peaks, seconds, errors } = peer.methods[name];
          const entry = found.get(name);
          entry.secondsOf[set] = seconds;
          for (const [message, count] of Object.entries(errors)) {
            const key = `${name}: ${message}`;
            result.peers.errors[key] = (result.peers.errors[key] ?? 0) + count;
          }
          for (const [k, i] of indices.entries())
            entry.beats[i] = peaks[k]?.map((sample) => sample / signals[i].rateHz).sort((a, b) => a - b);
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    return [...found].map(([name, entry]) => [`neurokit2 ${name}`, entry]);
  }

  async function readMitdb() {
    if (!existsSync(flags.mitdb)) return [];
    const records = readdirSync(flags.mitdb)
      .filter((name) => /^\d+\.hea$/.test(name))
      .sort();
    const read = [];
    for (const name of records) {
      const recording = await openRecordingFile(join(flags.mitdb, name));
      const { rateHz, lengthSamples } = recording.channels[0];
      const x = await recording.read(0, 0, lengthSamples);
      const annotated = [];
      const excluded = [];
      for (const { label, start } of recording.annotations) {
        if (beatLabels.has(label)) annotated.push(start);
        else if (label === '[') excluded.push([start, Number.POSITIVE_INFINITY]);
        else if (label === ']' && excluded.length > 0) excluded.at(-1)[1] = start;
      }
      await recording.close();
      const to = Number.POSITIVE_INFINITY;
      read.push({ set: 'mitdb', record: name, x, rateHz, annotated, excluded, from: 0, to, isLong: true });
    }
    return read;
  }

  /**
   * Two halves, because settings were chosen on the first. LUDB annotates whole beats only, so what lies before the first
   * and after the last annotation does not count.
   */
  async function readLudb() {
    const at = join(flags.ludb, 'data');
    if (!existsSync(at)) return [];
    const folder = await openFolder(at);
    const records = readdirSync(at).filter((name) => /^\d+\.hea$/.test(name));
    const read = [];
    for (const name of records.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))) {
      const recording = await openRecordingFile(join(at, name));
      for (const [c, { name: lead, rateHz, lengthSamples }] of recording.channels.entries()) {
        const source = await folder.open(`${name.slice(0, -4)}.${lead.toLowerCase()}`);
        const annotations = await readWfdbAnnotations(source, rateHz);
        await source.close?.();
        const annotated = annotations.filter(({ label }) => label === 'N').map(({ start }) => start);
        if (annotated.length === 0) continue;
        const x = await recording.read(c, 0, lengthSamples);
        const [from, to] = [annotated[0] - tolerances[0], annotated.at(-1) + tolerances[0]];
        read.push({
          set: Number.parseInt(name, 10) <= 100 ? 'ludb-1-100' : 'ludb-101-200',
          record: name,
          x,
          rateHz,
          annotated,
          excluded: [],
          from,
          to,
          isLong: false,
        });
      }
      await recording.close();
    }
    return read;
  }
}

/** The document's tables from results/beats.json; false where `--check` finds another. */
function writeTables() {
  if (!existsSync(document) || !existsSync(output)) return true;
  const result = JSON.parse(readFileSync(output, 'utf8'));
  const text = readFileSync(document, 'utf8');
  const updated = text.replace(
    /(<!-- table beats-([\w-]+) -->\n)[\s\S]*?(<!-- \/table -->)/g,
    (_, open, set, close) => `${open}${renderSet(result, set)}${close}`,
  );
  if (updated === text) return true;
  if (flags.check) {
    console.error(
      'docs/signals.md: a table differs from results/beats.json. Run `node scripts/measure-beats.mjs --tables`.',
    );
    return false;
  }
  writeFileSync(document, updated);
  return true;
}

function renderSet({ sets, learningSeconds }, name) {
  const set = sets[name];
  if (!set) return 'Not measured yet.\n';
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const percent = (value) => (value === null ? '–' : `${(100 * value).toFixed(2)} %`);
  const rows = Object.entries(set.detectors).flatMap(
    ([detector, { seconds, raised, withoutBeats, scores }]) =>
      scores.map((score, i) => [
        i === 0 ? detector : '',
        `${1000 * score.toleranceSeconds} ms${score.fromSeconds > 0 ? `, after ${learningSeconds / 60} min` : ''}`,
        percent(score.sensitivity),
        percent(score.positivePredictivity),
        String(score.missed),
        String(score.extra),
        `${score.rmsErrorMilliseconds} ms`,
        i === 0 ? `${withoutBeats}${raised > 0 ? ` (${raised} raised)` : ''}` : '',
        i === 0 ? `${seconds} s` : '',
      ]),
  );
  const head = [
    'detector',
    'within',
    'sensitivity',
    'positive predictivity',
    'missed',
    'extra',
    'RMS error',
    'signals without a beat',
    'CPU time',
  ];
  const title = `${set.records} records, ${set.signals} signals, ${set.hours} hours, ${set.detectors.heartmind.scores[0].annotated} annotated beats.`;
  return [title, '', line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n');
}

function round(value, digits) {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}
