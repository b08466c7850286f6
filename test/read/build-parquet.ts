/** A small Parquet file of pyarrow's: dictionary, plain and missing values, Snappy. */
import { readFileSync } from 'node:fs';

export function smallParquet(name = 'snappy.parquet'): Record<string, Uint8Array> {
  return { [name]: new Uint8Array(readFileSync(new URL(`../golden/read/tables/${name}`, import.meta.url))) };
}
