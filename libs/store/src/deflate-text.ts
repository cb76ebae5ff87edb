import { deflateRawSync } from 'node:zlib';

/** To make a deflater ready takes longer than all else that is done with so little. */
const storedBytes = 1_024;
/** Up to here a small window finds as much, and is made sooner. */
const smallBytes = 8_192;
const forSmall = { level: 3, windowBits: 13, memLevel: 5, chunkSize: 4_096 };

/** A raw deflate stream (RFC 1951), made at once: for texts of some kilobytes. */
export function deflateText(bytes: Buffer): Buffer {
  if (bytes.length <= storedBytes) return storeAsItIs(bytes);
  return deflateRawSync(bytes, bytes.length <= smallBytes ? forSmall : { level: 3 });
}

/** A stream of one block that is not compressed: RFC 1951, 3.2.4. */
function storeAsItIs(bytes: Buffer): Buffer {
  const block = Buffer.allocUnsafe(5 + bytes.length);
  block.writeUInt8(1, 0);
  block.writeUInt16LE(bytes.length, 1);
  block.writeUInt16LE(bytes.length ^ 0xff_ff, 3);
  bytes.copy(block, 5);
  return block;
}
