/** What a dataset is and how to get it, as data: `info`, `fetch` and docs/datasets.md are drawn from it. */

export interface DatasetFacts {
  /** open: anyone may fetch it; credentialed: after training or a signed agreement; request: its authors decide. */
  readonly access: 'open' | 'credentialed' | 'request';
  /** What to do to get it, for people: where to apply, what to sign. */
  readonly how: string;
  readonly applyUrl?: string;
  /** Absent where the publisher does not tell. */
  readonly subjects?: number;
  /** Recordings or trials, as the publisher counts. */
  readonly recordings?: number;
  readonly signals: readonly SignalFacts[];
  /** What each label means: target → its scale, classes, and where it comes from. */
  readonly labels: Readonly<Record<string, string>>;
  /** Where the publisher's own data hold equal recordings under several subjects: what is known, for a note instead of an error. */
  readonly duplicates?: string;
  /** The files that a complete folder holds. */
  readonly layout: readonly LayoutFacts[];
  readonly download?: DownloadFacts;
  /** What a user must know: leaks, duplicates, missing subjects, how splits were published. */
  readonly notes?: readonly string[];
}

export interface SignalFacts {
  readonly kind: 'eeg' | 'ecg' | 'other';
  readonly channels: readonly string[];
  /** Several where the publisher gives copies at several rates. Hz. */
  readonly ratesHz: readonly number[];
  readonly unit: string;
  readonly note?: string;
}

export interface LayoutFacts {
  /** Path inside the folder; `*` and `?` within a name, `**` for folders. */
  readonly path: string;
  readonly what: string;
  /** How many a complete copy holds. */
  readonly count?: number;
}

export interface DownloadFacts {
  /** Files lie below this address. */
  readonly baseUrl: string;
  /** Bytes of all files together, about. */
  readonly bytes?: number;
  /** Where the publisher lists the files with their sha256: a path below `baseUrl` (PhysioNet: SHA256SUMS.txt). */
  readonly checksumList?: string;
  /** Named files, where there is no list: paths below `baseUrl` or whole addresses. */
  readonly files?: readonly DownloadFile[];
}

export interface DownloadFile {
  readonly url: string;
  /** Path inside the folder. */
  readonly path: string;
  readonly bytes?: number;
  readonly sha256?: string;
  readonly md5?: string;
  /** An archive to be unpacked in place. */
  readonly unpack?: 'zip' | 'tar.gz';
}
