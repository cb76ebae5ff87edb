import { createHmac } from 'node:crypto';
import { SecretError } from '@runnel/core';

/** What a signature is about (Standard Webhooks, https://www.standardwebhooks.com). */
export interface SignedParts {
  readonly id: string;
  /** Seconds. */
  readonly timestamp: number;
  readonly body: string;
}

const prefix = 'whsec_';
/** The specification's bounds of a key. */
const leastBytes = 24;
const mostBytes = 64;

/** `v1,<base64 of the HMAC-SHA256 of id.timestamp.body>`. */
export function signMessage(key: Buffer, { id, timestamp, body }: SignedParts): string {
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return `v1,${signature}`;
}

/** The key of a secret as it is written: `whsec_` and base64. Throws SecretError for anything else. */
export function parseSigningKey(name: string, secret: string): Buffer {
  const text = secret.trim();
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : '';
  const key = Buffer.from(encoded, 'base64');
  const isBase64 = /^[A-Za-z\d+/]+={0,2}$/.test(encoded);
  if (isBase64 && key.length >= leastBytes && key.length <= mostBytes) return key;
  throw new SecretError(
    `the secret ${JSON.stringify(name)} can't sign: it must be "${prefix}" and ${leastBytes} to ${mostBytes} bytes in base64, as of: echo "${prefix}$(openssl rand -base64 32)"`,
  );
}
