import { createReadStream } from 'node:fs';
import { dirname, extname } from 'node:path';
import { UsageError } from './exit-codes.ts';
import { findFile } from './find-file.ts';
import { isFields } from './parameter-overrides.ts';
import type { SpecChanges, SpecFile, SpecSource } from './spec-file.ts';

/** True for a spec with a task a line, which may be larger than memory. */
export function isLinesFile(path: string): boolean {
  return ['.ndjson', '.jsonl'].includes(extname(path).toLowerCase());
}

/** Opens a spec that is read line by line each time it is sent. Throws UsageError. */
export async function openLinesFile(source: SpecSource, changes: SpecChanges): Promise<SpecFile> {
  if (changes.overrides.size > 0) {
    throw new UsageError(`${source.path}: -p: a spec with a task a line has no parameters`);
  }
  const path = await findFile(source);
  const readLines = (): AsyncIterable<string> => changeHead(readBlocks(path), changes);
  return {
    label: source.path,
    folder: dirname(path),
    value: null,
    locate: () => undefined,
    overridden: new Set(),
    get document() {
      return { lines: readLines() };
    },
    readLines,
  };
}

/** Whole lines, many at once, without the last line break. */
async function* readBlocks(path: string): AsyncGenerator<string> {
  let open = '';
  for await (const piece of createReadStream(path, { encoding: 'utf8', highWaterMark: 262_144 })) {
    const text = open + String(piece);
    const end = text.lastIndexOf('\n');
    if (end !== -1) yield text.slice(0, end);
    open = text.slice(end + 1);
  }
  if (open !== '') yield open;
}

async function* changeHead(
  blocks: AsyncIterable<string>,
  { name, tags }: SpecChanges,
): AsyncGenerator<string> {
  let isFirst = name !== undefined || Object.keys(tags).length > 0;
  for await (const block of blocks) {
    if (!isFirst) {
      yield block;
      continue;
    }
    isFirst = false;
    const end = block.includes('\n') ? block.indexOf('\n') : block.length;
    yield applyToHead(block.slice(0, end), { name, tags }) + block.slice(end);
  }
}

/** A head that can't be read is sent as it is: its own check says what is wrong. */
function applyToHead(line: string, { name, tags }: Pick<SpecChanges, 'name' | 'tags'>): string {
  const head = parseHead(line);
  if (!isFields(head)) return line;
  const old = head['tags'];
  return JSON.stringify({
    ...head,
    ...(name === undefined ? {} : { name }),
    tags: { ...(isFields(old) ? old : {}), ...tags },
  });
}

function parseHead(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Told by whoever reads the line in full.
    return null;
  }
}
