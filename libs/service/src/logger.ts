import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { maskUrl } from './describe-settings.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** The process that speaks, such as `worker`. */
  readonly name: string;
  readonly level: string;
  /** Values that must never be written, wherever in a line they stand. */
  readonly secrets?: readonly (string | null)[];
  /** Default: standard output. A command whose output is data passes `process.stderr`. */
  readonly to?: DestinationStream;
}

/** Field names whose values are secrets by their nature. */
const secretFields = ['token', 'password', 'authorization', 'cookie'];

/** JSON lines; secrets and the passwords in addresses are masked in the finished line. */
export function createLogger(options: LoggerOptions): Logger {
  // Shorter values would mask ordinary words.
  const secrets = (options.secrets ?? []).filter((secret) => secret !== null && secret.length >= 6);
  const mask = (line: string): string =>
    secrets.reduce<string>(
      (masked, secret) => masked.replaceAll(secret ?? '', '***'),
      maskUrl(line),
    );
  return pino(
    {
      name: options.name,
      level: options.level,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.headers.${field}`]),
        censor: '***',
      },
      hooks: { streamWrite: mask },
    },
    options.to ?? destination({ fd: 1, sync: true }),
  );
}
