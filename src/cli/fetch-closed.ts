/** `fetch` of a dataset that heartmind cannot bring: how to come by it, and whether somebody's folder is complete. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetSpec } from '../datasets/dataset.ts';
import type { DatasetFacts } from '../datasets/facts.ts';
import { compareLayout, type LayoutReport } from '../datasets/fetch-layout.ts';
import { formatBytes } from '../datasets/fetch-space-node.ts';
import { openFolder } from '../datasets/folder-node.ts';
import { renderTable } from './table.ts';

/** How to apply or where to get it, and the user's folder against a complete copy. */
export async function explainClosed(
  spec: ClosedSpec,
  facts: DatasetFacts,
  folder: string,
): Promise<{ report: LayoutReport | undefined; text: string }> {
  const report = await checkFolder(facts, folder);
  return { report, text: describeClosed(spec, facts, folder, report) };
}

type ClosedSpec = Pick<DatasetSpec, 'title' | 'licence' | 'url' | 'citation'>;

async function checkFolder(facts: DatasetFacts, folder: string): Promise<LayoutReport | undefined> {
  if (
    !(await stat(folder).then(
      (status) => status.isDirectory(),
      () => false,
    ))
  )
    return undefined;
  const opened = await openFolder(folder);
  const files = [];
  for (const path of await opened.list()) files.push({ path, bytes: (await stat(join(folder, path))).size });
  return compareLayout(facts.layout, files);
}

export function access(spec: ClosedSpec, facts: DatasetFacts) {
  const { access, how, applyUrl } = facts;
  return {
    title: spec.title,
    access,
    how,
    applyUrl: applyUrl ?? spec.url,
    licence: spec.licence,
    citation: spec.citation,
  };
}

const doors: Readonly<Record<DatasetFacts['access'], string>> = {
  open: 'anyone may have it; heartmind does not fetch it by itself',
  credentialed: 'after training or a signed agreement',
  request: 'its authors decide',
};

function describeClosed(
  spec: ClosedSpec,
  facts: DatasetFacts,
  folder: string,
  report: LayoutReport | undefined,
): string {
  const isOpen = facts.access === 'open';
  const place = facts.applyUrl ?? spec.url;
  const lines = [
    spec.title,
    `access    ${facts.access}: ${doors[facts.access]}`,
    `how       ${facts.how}`,
    ...(place === '' ? [] : [`${isOpen ? 'fetch it' : 'apply   '}  ${place}`]),
    `licence   ${spec.licence}`,
    `cite      ${spec.citation}`,
  ];
  if (facts.access === 'credentialed' && facts.download)
    lines.push(
      'then      set PHYSIONET_USER and PHYSIONET_PASSWORD, and run this again: it is fetched over https.',
    );
  if (!report) return [...lines, `folder    ${folder}: not there`].join('\n');
  const rows = report.rows.map(({ path, what, found, expected, bytes, state }) => [
    state,
    path,
    expected === undefined ? `${found}` : `${found} of ${expected}`,
    formatBytes(bytes),
    what,
  ]);
  const several = (paths: readonly string[]) =>
    `${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ', …' : ''}`;
  return [
    ...lines,
    `folder    ${folder}: ${report.complete ? 'complete' : 'not complete'} (${formatBytes(report.bytes)})`,
    '',
    renderTable(['', 'files', 'found', 'size', 'what'], rows, ['left', 'left', 'right', 'right', 'left']),
    ...(report.empty.length > 0 ? ['', `empty     ${report.empty.length}: ${several(report.empty)}`] : []),
    ...(report.unnamed.length > 0
      ? ['', `surplus   ${report.unnamed.length}: ${several(report.unnamed)}`]
      : []),
    '',
  ].join('\n');
}
