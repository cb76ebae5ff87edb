import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { expect } from 'vitest';

/** Secrets that are easy to get wrong. */
export const canaries: Readonly<Record<string, string>> = {
  PLAIN: 'canary-plain-4711',
  LINES:
    '-----BEGIN CANARY-----\nMIIcanaryFirst0123456789\nMIIcanarySecond987654321\n-----END CANARY-----',
  QUOTES: `canary"quo'tes\`$HOME\\end`,
  REGEX: 'canary.*+?^{}$()|[]\\regex',
  UNICODE: 'canary-ünï-日本語-🔑-end',
  OUTER: 'canary-outer-inner-7391-end',
  INNER: 'inner-7391',
  BY_PATH: 'canary-by-path-8812',
  BY_VARIABLE: 'canary-by-variable-3345',
};
/** Of the canaries. */
export const names = Object.keys(canaries);

/** Prints a secret: in halves, longer apart than a log waits to be stored; as it is; as an error; in base64, in lines and in one. */
export const print = `
echo "$MARKER"
printf %s "$SECRET" | head -c 8; sleep 0.6; printf %s "$SECRET" | tail -c +9; echo
printf '%s\\n' "$SECRET" >&2
printf %s "$SECRET" | base64; printf %s "$SECRET" | base64 -w 0
echo; env | cat
exit "$CODE"`;

/** Writes a secret into its output, as a value and as a name. */
export const handOn = `
const { MARKER: marker, SECRET: value, RUNNEL_OUTPUT: file } = process.env;
fs.writeFileSync(file, JSON.stringify({ marker, value, list: [{ [value]: 'x ' + value }] }));`;

/** What a search may find of a value, each long enough to be nothing else. */
function traces(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const [first, second] = [bytes.subarray(0, 8), bytes.subarray(8)];
  const encoded = bytes.toString('base64');
  return [
    ...[value, ...value.split('\n'), first.toString(), second.toString()],
    ...[JSON.stringify(value).slice(1, -1), encodeURIComponent(value)],
    ...[encoded.slice(0, Math.min(12, encoded.length - 4)), encoded.slice(-12, -4)],
  ].filter((trace) => trace.length >= 6 && !trace.includes('\u{fffd}'));
}

/** Fails with every place at which something of a canary is. */
export function expectNoCanary(places: readonly (readonly [place: string, bytes: Buffer])[]): void {
  const found = places.flatMap(([place, bytes]) =>
    names.flatMap((name) =>
      traces(canaries[name] ?? '')
        .filter((trace) => bytes.includes(trace))
        .map((trace) => `${name} as ${JSON.stringify(trace)} in ${place}`),
    ),
  );
  expect(found).toEqual([]);
}

/** All files below a folder. */
export function readAll(dir: string): readonly (readonly [string, Buffer])[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [file, readFileSync(file)] as const);
}

/** A PATH for a worker that has to do without its helpers. */
export async function pathWithoutPython(folder: string): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const tool of ['sh', 'cat', 'head', 'tail', 'sleep', 'base64', 'node', 'env']) {
    await symlink(findTool(tool), join(bin, tool));
  }
  return bin;
}

function findTool(tool: string): string {
  const folders = [dirname(process.execPath), ...(process.env['PATH'] ?? '').split(delimiter)];
  const found = folders
    .map((folder) => join(folder, tool))
    .find((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  if (found === undefined) throw new Error(`there is no ${tool} on this machine`);
  return found;
}
