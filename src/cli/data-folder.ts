/** Where `fetch` puts datasets and weights, and every other verb looks for them by name. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder of that name below HEARTMIND_DATA, else below ~/.cache/heartmind/data; it need not be there. */
export function dataFolder(name: string): string {
  return join(process.env.HEARTMIND_DATA || join(homedir(), '.cache/heartmind/data'), name);
}

/** The same where it is there. */
export async function fetchedFolder(name: string): Promise<string | undefined> {
  const folder = dataFolder(name);
  const status = await stat(folder).catch(() => undefined);
  return status?.isDirectory() ? folder : undefined;
}
