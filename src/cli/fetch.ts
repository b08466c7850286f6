/** `heartmind fetch NAME`: open datasets and published weights brought; closed ones explained, and a folder of them checked. */
import { join } from 'node:path';
import { buildCommand, type TypedFlagParameter } from '@stricli/core';
import { ConfigError, DataError } from '../core/errors.ts';
import type { DatasetSpec } from '../datasets/dataset.ts';
import type { DownloadFacts } from '../datasets/facts.ts';
import type { Credentials } from '../datasets/fetch-http-node.ts';
import {
  type FetchOptions,
  type FetchProgress,
  type FetchResult,
  fetchDownload,
} from '../datasets/fetch-node.ts';
import { formatBytes } from '../datasets/fetch-space-node.ts';
import { type PublishedWeights, publishedWeights, weightsDownload } from '../datasets/published-weights.ts';
import { datasets } from '../datasets/registry.ts';
import { createProgress, type Progress, type ProgressMode } from '../train/progress.ts';
import { type Context, jsonFlag, optionalText, parseCount, parseText, workFlags } from './command.ts';
import { dataFolder } from './data-folder.ts';
import { access, explainClosed } from './fetch-closed.ts';
import { styled } from './standard-streams.ts';
import { version } from './version.ts';

interface Flags {
  readonly to?: string;
  readonly jobs: number;
  readonly only?: string;
  readonly mirror?: string;
  readonly dryRun: boolean;
  readonly verify: boolean;
  readonly keepArchives: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode;
}

const switchFlag = (brief: string) =>
  ({ kind: 'boolean', brief, default: false }) satisfies TypedFlagParameter<boolean>;

export const fetchCommand = buildCommand<Flags, [string], Context>({
  docs: {
    brief:
      'Fetch an open dataset or published weights; for closed datasets, how to apply and whether a copy is complete',
    customUsage: [
      { input: 'eegmat', brief: 'Into ~/.cache/heartmind/data/eegmat (or HEARTMIND_DATA), resumable' },
      { input: 'ptbxl --to /data/ptbxl --only "records100/**"', brief: 'A part of it, elsewhere' },
      {
        input: 'dreamer --to my-dreamer',
        brief: 'A set on request: how to apply, and is this folder complete?',
      },
      { input: 'cbramod', brief: "CBraMod's official weights" },
    ],
  },
  parameters: {
    flags: {
      to: optionalText('Folder (default: NAME below HEARTMIND_DATA or ~/.cache/heartmind/data)', 'folder'),
      jobs: {
        kind: 'parsed',
        parse: parseCount('--jobs'),
        brief: 'Files at once (default: 4)',
        default: '4',
        placeholder: 'n',
      },
      only: optionalText(
        "Only files that match: '*' within a name, '**' across folders, ',' between several",
        'pattern',
      ),
      mirror: optionalText("An address in place of the publisher's", 'url'),
      dryRun: switchFlag('Say what would be fetched, and fetch nothing'),
      verify: switchFlag('Read and hash again what is there'),
      keepArchives: switchFlag('Keep archives once they are unpacked'),
      ...jsonFlag,
      progress: workFlags.progress,
    },
    positional: {
      kind: 'tuple',
      parameters: [
        { brief: 'A dataset, cbramod or cbramod-braindecode', parse: parseText, placeholder: 'name' },
      ],
    },
  },
  async func(flags, name) {
    const { stdout } = this.process;
    const print = (value: unknown, text: string) =>
      stdout.write(flags.json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
    const folder = flags.to ?? dataFolder(name);
    const progress = createProgress(flags.progress, styled(process.stderr));
    const start = (download: DownloadFacts, mirror?: string, credentials?: Credentials) =>
      fetchWithProgress(name, download, folder, flags, progress, this.signal, mirror, credentials);
    if (Object.hasOwn(publishedWeights, name)) {
      const weights = publishedWeights[name]!;
      const endpoint = flags.mirror ?? (process.env.HF_ENDPOINT || undefined);
      const result = await start(weightsDownload(weights, endpoint));
      const path = join(folder, weights.file);
      print({ name, licence: weights.licence, path, ...result }, describeWeights(weights, path, result));
      return;
    }
    const spec = findFetchable(name);
    const facts = spec.facts;
    if (facts?.download && (facts.access === 'open' || physionetCredentials(facts.download))) {
      const credentials = facts.access === 'open' ? undefined : physionetCredentials(facts.download);
      const result = await start(facts.download, flags.mirror, credentials);
      print({ name, licence: spec.licence, ...result }, describeResult(spec, result));
      return;
    }
    if (!facts)
      throw new DataError(
        `${name}: heartmind does not know its files. Fetch it from ${spec.url} and name the folder: --data ${name}=FOLDER.`,
      );
    const { report, text } = await explainClosed(spec, facts, folder);
    print({ name, ...access(spec, facts), folder, ...report }, text);
    if (!report?.complete)
      throw new DataError(
        report
          ? `${name}: ${folder} is not a complete copy. Compare the table above with what its publisher sent.`
          : `${name}: not at ${folder}. ${facts.access === 'open' ? 'Get it' : 'Apply for it'} as said above, then run: heartmind fetch ${name} --to FOLDER.`,
      );
  },
});

function findFetchable(name: string): DatasetSpec {
  if (Object.hasOwn(datasets, name)) return datasets[name]!;
  const known = [...Object.keys(datasets), ...Object.keys(publishedWeights)];
  throw new ConfigError(`fetch: '${name}' is unknown. Known: ${known.join(', ')}.`, 'name', known.join(', '));
}

async function fetchWithProgress(
  name: string,
  download: DownloadFacts,
  folder: string,
  flags: Flags,
  progress: Progress,
  signal: AbortSignal,
  mirror: string | undefined,
  credentials: Credentials | undefined,
): Promise<FetchResult> {
  const show = showProgress(name, progress);
  const options: FetchOptions = {
    jobs: flags.jobs,
    dryRun: flags.dryRun,
    verify: flags.verify,
    keepArchives: flags.keepArchives,
    ...(flags.only === undefined ? {} : { only: flags.only }),
    ...(mirror === undefined ? {} : { mirror }),
    http: {
      environment: process.env,
      userAgent: `heartmind/${version}`,
      ...(credentials ? { credentials } : {}),
    },
    signal,
    onProgress: show.update,
    onLog: (text) => progress.log(text),
  };
  try {
    return await fetchDownload(name, download, folder, options);
  } finally {
    show.end();
  }
}

/** In megabytes where the size is known, in files else. */
function showProgress(name: string, progress: Progress) {
  let stage: ReturnType<Progress['stage']> | undefined;
  const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;
  return {
    update({ files, totalFiles, bytes, totalBytes }: FetchProgress) {
      const isSized = totalBytes !== undefined && totalBytes > 0;
      stage ??= isSized
        ? progress.stage(`fetch ${name}`, megabytes(totalBytes), 'MB')
        : progress.stage(`fetch ${name}`, totalFiles, 'files');
      stage.update(isSized ? megabytes(bytes) : files, isSized ? { files } : { MB: megabytes(bytes) });
    },
    end: () => stage?.end(),
  };
}

/** For PhysioNet's sets behind a login: the user's own, by the environment, sent to that host alone. */
function physionetCredentials({ baseUrl }: DownloadFacts): Credentials | undefined {
  const { PHYSIONET_USER: user, PHYSIONET_PASSWORD: password } = process.env;
  if (!user || !password || new URL(baseUrl).hostname !== 'physionet.org') return undefined;
  return { origin: new URL(baseUrl).origin, user, password };
}

function describeResult(spec: DatasetSpec, result: FetchResult): string {
  return [
    ...describeFetched(result),
    `licence   ${spec.licence}`,
    `cite      ${spec.citation}`,
    ...(result.dryRun ? [] : [`use it    --data ${spec.name}=${result.folder}`]),
  ].join('\n');
}

function describeFetched({
  folder,
  files,
  present,
  fetched,
  unpacked,
  bytes,
  dryRun,
}: FetchResult): string[] {
  const size = bytes === undefined ? 'size unknown' : `${dryRun ? 'about ' : ''}${formatBytes(bytes)}`;
  const verb = dryRun ? 'would be fetched' : 'fetched and checked';
  const shown = dryRun ? fetched.slice(0, 20).map(({ path, url }) => `          ${path}  ←  ${url}`) : [];
  const rest = dryRun && fetched.length > 20 ? [`          … and ${fetched.length - 20} more`] : [];
  return [
    `folder    ${folder}`,
    `files     ${files}: ${present} there already, ${fetched.length} ${verb} (${size})${unpacked > 0 ? `, ${unpacked} unpacked` : ''}`,
    ...shown,
    ...rest,
  ];
}

function describeWeights(weights: PublishedWeights, path: string, result: FetchResult): string {
  const verified = result.fetched[0]?.verified;
  const proof: Readonly<Record<string, string>> = {
    sha256: "sha256 as the project's own record says",
    hub: 'sha256 as the hub says',
    none: 'no checksum is known: taken as the server sent it',
  };
  return [
    ...describeFetched(result),
    ...(verified && !result.dryRun ? [`verified  ${proof[verified] ?? verified}`] : []),
    `licence   ${weights.licence}`,
    `cite      ${weights.citation}`,
    ...(result.dryRun ? [] : [`use it    --eeg ${path}`]),
  ].join('\n');
}
