/** Binary files that went through a text-mode transfer: bytes → a sentence that says what happened, or nothing. */
import type { ByteSource } from '../core/bytes.ts';

/**
 * Called where the size is wrong. A transfer that turned LF into CR LF leaves no bare LF and makes the file longer;
 * the other direction leaves no CR LF and makes it shorter. In honest samples both kinds occur by chance.
 */
export async function explainLineEndings(
  source: ByteSource,
  dataStart: number,
  promisedBytes: number,
): Promise<string | undefined> {
  const end = Math.min(source.byteLength, dataStart + 4 * 1024 * 1024);
  const bytes = await source.read(Math.min(dataStart, end), end);
  let [pairs, bareFeeds, bareReturns] = [0, 0, 0];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] === 13) pairs++;
    else if (bytes[i] === 10) bareFeeds++;
    else if (bytes[i] === 13 && bytes[i + 1] !== 10) bareReturns++;
  }
  const excess = source.byteLength - promisedBytes;
  const sizes = `has ${source.byteLength} bytes, header promises ${promisedBytes}`;
  if (excess > 0 && bareFeeds === 0 && pairs >= 8)
    return `${sizes}, and every line feed in it follows a carriage return. A text-mode transfer (FTP, git autocrlf) has put carriage returns into the samples; fetch the file again in binary mode.`;
  if (excess < 0 && pairs === 0 && bareReturns === 0 && bareFeeds >= 256)
    return `${sizes}, and it holds no carriage return at all. A text-mode transfer has removed bytes from the samples; fetch the file again in binary mode.`;
  return undefined;
}
