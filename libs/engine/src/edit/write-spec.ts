import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createDeflateRaw, inflateRaw } from 'node:zlib';
import type { Plan } from '@runnel/core';
import { encodeSpec, joinTasks, type Shadow } from '@runnel/store';
import type { SubmittedSpec } from '../submit.ts';

const inflate = promisify(inflateRaw);

/**
 * Writes the spec of a new revision as one document. Tasks that came one by one have their texts in the plan,
 * but in the run they may have other numbers: their texts go into the document.
 */
export async function writeSpec(
  { pages }: Shadow,
  spec: SubmittedSpec,
  { texts }: Pick<Plan, 'texts'>,
): Promise<void> {
  if (spec.kind === 'document') {
    await pages.write({ key: 'spec', field: null, bytes: encodeSpec(spec.value).deflated });
    return;
  }
  const head = (await inflate(spec.record.deflated)).toString();
  const document = Readable.from(joinTasks({ head, tasks: inflateAll(texts ?? []) }));
  // Where it breaks off, the reader is told.
  const deflated = pipeline(document, createDeflateRaw({ level: 3 }), () => undefined);
  let at = 0;
  for await (const bytes of deflated) {
    if (!Buffer.isBuffer(bytes)) continue;
    await pages.writeAt('spec', at, bytes);
    at += bytes.length;
  }
}

async function* inflateAll(texts: readonly Buffer[]): AsyncGenerator<string> {
  for (const chunk of texts) yield (await inflate(chunk)).toString();
}
