/** `heartmind info FILE…`: what a recording holds, and whether its signals can be trusted; without a file, the devices. */
import { buildCommand } from '@stricli/core';
import type { Recording } from '../core/recording.ts';
import { microvolts } from '../core/units.ts';
import { openRecordingFile } from '../read/file-node.ts';
import { type DeviceReport, tryDevices } from '../runtime/devices.ts';
import { createNodeBackend } from '../runtime/ort-node.ts';
import { checkQuality, type Quality } from '../signal/quality.ts';
import { type Context, jsonFlag } from './command.ts';
import { renderTable } from './table.ts';

/** Seconds of every channel that are read for the quality column; enough to see a loose electrode. */
const qualitySeconds = 300;

interface Flags {
  readonly json: boolean;
  readonly tolerant: boolean;
}

export const infoCommand = buildCommand<Flags, string[], Context>({
  docs: {
    brief: 'Show what a recording holds (channels, rates, units, quality), or which devices can compute here',
    customUsage: [
      { input: 'my.edf', brief: 'One file' },
      { input: '--json 100.hea | jq .channels', brief: 'A WFDB record, for machines' },
      { input: '--tolerant broken.edf', brief: 'A truncated file, up to its last whole record' },
      { input: '', brief: 'Which of cpu, webgpu and cuda are usable here' },
    ],
  },
  parameters: {
    flags: {
      ...jsonFlag,
      tolerant: {
        kind: 'boolean',
        brief: 'Open truncated files up to their last whole record',
        default: false,
      },
    },
    positional: {
      kind: 'array',
      parameter: {
        brief: 'EDF, EDF+, WFDB header or MAT v4 file; .gz too',
        parse: String,
        placeholder: 'file',
      },
    },
  },
  async func(flags, ...paths) {
    if (paths.length === 0) {
      const reports = await tryDevices(['cpu', 'webgpu', 'cuda'], (device) => createNodeBackend({ device }));
      this.process.stdout.write(flags.json ? `${JSON.stringify(reports)}\n` : describeDevices(reports));
      return;
    }
    const summaries = [];
    for (const path of paths) {
      const recording = await openRecordingFile(path, { tolerant: flags.tolerant });
      try {
        const summary = await summarise(recording);
        if (flags.json) summaries.push(summary);
        else this.process.stdout.write(`${describe(summary)}\n`);
      } finally {
        await recording.close();
      }
    }
    if (flags.json)
      this.process.stdout.write(`${JSON.stringify(paths.length === 1 ? summaries[0] : summaries)}\n`);
  },
});

function describeDevices(reports: readonly DeviceReport[]): string {
  const yesNo = (value: boolean) => (value ? 'yes' : 'no');
  const table = renderTable(
    ['device', 'usable', 'float16', 'keeps the state'],
    reports.map(({ device, usable, float16, resident }) => [
      device,
      yesNo(usable),
      usable ? yesNo(float16) : '–',
      usable ? yesNo(resident || device === 'cpu') : '–',
    ]),
  );
  return `${table}\n\n${reports.map(({ description }) => description).join('\n')}\n`;
}

type Summary = Awaited<ReturnType<typeof summarise>>;

async function summarise(recording: Recording) {
  const channels = [];
  for (const [index, channel] of recording.channels.entries()) {
    const length = Math.min(channel.lengthSamples, Math.ceil(qualitySeconds * channel.rateHz));
    const samples = await recording.read(index, 0, length);
    const unitMicrovolts = microvolts(channel.unit);
    const quality =
      length > 0
        ? checkQuality(samples, channel.rateHz, {
            ...(unitMicrovolts === undefined ? {} : { unitMicrovolts }),
            ...(channel.range ? { range: channel.range } : {}),
          })
        : undefined;
    channels.push({ ...channel, ...spread(samples), quality });
  }
  const labels = new Map<string, number>();
  for (const { label } of recording.annotations) labels.set(label, (labels.get(label) ?? 0) + 1);
  return {
    source: recording.source,
    format: recording.format,
    startTime: recording.startTime?.toISOString() ?? null,
    duration: recording.duration,
    spans: recording.spans,
    metadata: recording.metadata,
    channels,
    annotations: Object.fromEntries([...labels].sort((a, b) => b[1] - a[1])),
    log: recording.log,
  };
}

function spread(samples: Float64Array): { readonly mean: number | null; readonly deviation: number | null } {
  let [count, mean, squares] = [0, 0, 0];
  for (const x of samples) {
    if (!Number.isFinite(x)) continue;
    count++;
    const delta = x - mean;
    mean += delta / count;
    squares += delta * (x - mean);
  }
  return count === 0 ? { mean: null, deviation: null } : { mean, deviation: Math.sqrt(squares / count) };
}

function describe(summary: Summary): string {
  const gaps = summary.spans.length - 1;
  const lines = [
    `${summary.source}: ${summary.format}, ${formatSeconds(summary.duration)}${gaps > 0 ? ` with ${gaps} gaps` : ''}${
      summary.startTime ? `, from ${summary.startTime.slice(0, 19).replace('T', ' ')}` : ''
    }`,
    ...Object.entries(summary.metadata).map(([key, value]) => `  ${key}: ${value}`),
    '',
    renderTable(
      ['#', 'channel', 'unit', 'rate Hz', 'samples', 'mean ± sd', 'quality'],
      summary.channels.map((channel, index) => [
        String(index),
        channel.name,
        channel.unit,
        String(Number(channel.rateHz.toFixed(3))),
        String(channel.lengthSamples),
        channel.mean === null ? '–' : `${channel.mean.toPrecision(3)} ± ${channel.deviation!.toPrecision(3)}`,
        channel.quality ? describeQuality(channel.quality) : 'empty',
      ]),
      ['right', 'left', 'left', 'right', 'right', 'right', 'left'],
    ),
  ];
  const labels = Object.entries(summary.annotations);
  if (labels.length > 0) {
    const shown = labels.slice(0, 12).map(([label, count]) => `${label || '(empty)'} × ${count}`);
    lines.push(
      '',
      `annotations: ${shown.join(', ')}${labels.length > 12 ? `, … (${labels.length} labels)` : ''}`,
    );
  }
  for (const entry of summary.log) lines.push(`note: ${entry}`);
  return `${lines.join('\n')}\n`;
}

function describeQuality(quality: Quality): string {
  const faults = [
    quality.flat ? 'flat' : '',
    quality.clipped > 0.001 ? `clipped ${(100 * quality.clipped).toFixed(1)} %` : '',
    quality.outOfRange ? 'out of range' : '',
    quality.nonFinite > 0 ? `${quality.nonFinite} missing` : '',
  ].filter((fault) => fault !== '');
  return faults.length === 0 ? 'ok' : faults.join(', ');
}

/** `95.4 s`, `12 min 3 s`, `2 h 5 min`. */
function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
