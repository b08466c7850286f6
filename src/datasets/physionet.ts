/** What all sets on PhysioNet share: where they lie, and a list of every file with its sha256. */
import type { DownloadFacts } from './facts.ts';

/** `url` for people, `download` for programs. `bytes`: of all files together, about. */
export function physionet(
  slug: string,
  version: string,
  bytes?: number,
): { readonly url: string; readonly download: DownloadFacts } {
  return {
    url: `https://physionet.org/content/${slug}/${version}/`,
    download: {
      baseUrl: `https://physionet.org/files/${slug}/${version}/`,
      checksumList: 'SHA256SUMS.txt',
      ...(bytes === undefined ? {} : { bytes }),
    },
  };
}

/** How to get an open one. */
export const openAccess = 'Open to anyone: no account, no application.';
