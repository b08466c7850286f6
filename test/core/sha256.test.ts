import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSha256 } from '../../src/core/sha256.ts';

test("equals Node's in a page too, however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (parts) => {
      const due = createHash('sha256').update(Buffer.concat(parts)).digest('hex');
      for (const hash of [createSha256(), createSha256(null)]) {
        for (const part of parts) hash.update(part);
        expect(hash.hex()).toBe(due);
      }
    }),
  );
});
