/** What a long run keeps as it goes, so that a stopped one goes on: small files by name, taken only where they are of the same. */
import { sha256 } from '../core/sha256.ts';

/** Small files of a run. */
export interface KeptFiles {
  load(name: string): Promise<Uint8Array | undefined>;
  save(name: string, bytes: Uint8Array): Promise<void>;
}

/** A name for everything that a result follows from: plain data → sha256. */
export function identityOf(everything: unknown): Promise<string> {
  return sha256(new TextEncoder().encode(JSON.stringify(everything)));
}

interface KeptUnit {
  readonly identity?: unknown;
  /** Of the result; absent in files of earlier versions. */
  readonly sha256?: unknown;
  readonly result?: unknown;
}

/** What was kept under this path by the same identity, as `read` takes it; undefined where it is absent, of another, damaged. */
export async function loadUnit<T>(
  kept: KeptFiles | undefined,
  path: string,
  identity: string,
  read: (result: unknown) => T | undefined,
): Promise<T | undefined> {
  const bytes = await kept?.load(path);
  if (!bytes) return undefined;
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as KeptUnit;
    const isWhole = value.sha256 === undefined || value.sha256 === (await identityOf(value.result));
    return isWhole && value.identity === identity ? read(value.result) : undefined;
  } catch {
    return undefined; // a damaged file is computed again
  }
}

export async function saveUnit(
  kept: KeptFiles | undefined,
  path: string,
  identity: string,
  result: unknown,
): Promise<void> {
  if (!kept) return;
  const unit: KeptUnit = { identity, sha256: await identityOf(result), result };
  await kept.save(path, new TextEncoder().encode(`${JSON.stringify(unit)}\n`));
}
