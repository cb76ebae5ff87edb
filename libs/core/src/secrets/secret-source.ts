import type { AttemptFailed } from '../outcome.ts';

/** Where a worker finds secrets. Each call looks again, so that one that was changed is found. */
export interface SecretSource {
  /** Rejects with a SecretError that says where was looked. */
  read(name: string): Promise<string>;
}

/** Longer names are a mistake; they also become names of files and variables. */
export const maxSecretName = 128;

/** A secret's name also is the name of a file and part of a variable's: nothing in it may lead elsewhere. */
export function isSecretName(name: string): boolean {
  return name.length <= maxSecretName && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/** What a name must be, for a message. */
export const secretNameRule = `a letter or "_", then letters, digits or "_", at most ${maxSecretName}`;

/** A worker has no such secret, or can't use what it has. The message never holds a value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** Another try would not find it either. */
export function describeMissingSecret({ message }: SecretError): AttemptFailed {
  return { outcome: 'failed', reason: 'secret-missing', message, retryable: false };
}
