import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { deflateText } from './deflate-text.ts';

test.each([0, 1, 500, 1_024, 1_025, 8_192, 8_193, 100_000])(
  '%d bytes are inflated to what they were',
  (size) => {
    const bytes = Buffer.alloc(size, 'abcdé');

    expect(inflateRawSync(deflateText(bytes)).equals(bytes)).toBe(true);
  },
);
