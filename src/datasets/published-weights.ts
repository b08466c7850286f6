/** Weights that others published, as data: where they lie, what they are, whose they are. */
import type { DownloadFacts } from './facts.ts';

export interface PublishedWeights {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly url: string;
  readonly citation: string;
  /** On the Hugging Face hub. */
  readonly repository: string;
  readonly revision: string;
  readonly file: string;
  readonly bytes?: number;
  readonly sha256?: string;
}

const citation =
  'Wang J, Zhao S, Luo Z, et al. CBraMod: A Criss-Cross Brain Foundation Model for EEG Decoding. ICLR (2025). arXiv:2412.07236';

export const publishedWeights: Readonly<Record<string, PublishedWeights>> = {
  cbramod: {
    name: 'cbramod',
    title: "CBraMod's official EEG encoder",
    licence: 'Apache-2.0',
    url: 'https://huggingface.co/weighting666/CBraMod',
    citation,
    repository: 'weighting666/CBraMod',
    revision: 'main',
    file: 'pretrained_weights.pth',
    bytes: 19_775_842,
    sha256: '0792cb808c14e6b7a2bb2ce1dff379bc47bc54c49a779825bdfeb33bf8157178',
  },
  'cbramod-braindecode': {
    name: 'cbramod-braindecode',
    title: 'CBraMod as braindecode publishes it',
    licence: 'BSD-3-Clause',
    url: 'https://huggingface.co/braindecode/cbramod-pretrained',
    citation,
    repository: 'braindecode/cbramod-pretrained',
    revision: 'main',
    // Size and hash are not stated by the authors: the hub's own are taken, and it is said where it gives none.
    file: 'model.safetensors',
  },
};

/** Published weights as a download. `endpoint`: HF_ENDPOINT or a mirror, in place of the hub's address. */
export function weightsDownload(
  weights: PublishedWeights,
  endpoint = 'https://huggingface.co',
): DownloadFacts {
  const baseUrl = `${endpoint.replace(/\/+$/, '')}/${weights.repository}/resolve/${weights.revision}/`;
  return {
    baseUrl,
    files: [
      {
        url: weights.file,
        path: weights.file,
        ...(weights.bytes === undefined ? {} : { bytes: weights.bytes }),
        ...(weights.sha256 === undefined ? {} : { sha256: weights.sha256 }),
      },
    ],
  };
}
