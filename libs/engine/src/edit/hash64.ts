import { isJsonObject, type Json } from '@runnel/core';

/** Two words that a text hashes to; kept between calls, since a million calls make a million hashes. */
export interface Hash64 {
  low: number;
  high: number;
}

/**
 * A 64-bit hash of a text, in two lanes that mix with each other at the end (cyrb53 by bryc, public domain).
 * No secret: it tells texts apart, whose like are a task's two revisions or the ids of one run.
 */
export function hashText(text: string, into: Hash64): void {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  const c = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  const d = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  into.low = (c ^ (d >>> 15)) >>> 0;
  into.high = (d ^ (c >>> 15)) >>> 0;
}

/** The same of a number of 32 bits. */
export function hashWord(word: number, into: Hash64): void {
  into.low = finish(word ^ 0x9e3779b9);
  into.high = finish(Math.imul(word, 0x85ebca6b) ^ 0x2545f491);
}

function finish(word: number): number {
  const a = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (b ^ (b >>> 16)) >>> 0;
}

/** JSON in which equal values are equal texts: fields in the order of their names. */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (!isJsonObject(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${fields.join(',')}}`;
}
