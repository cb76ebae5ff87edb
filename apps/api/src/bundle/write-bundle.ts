import { createHash, type Hash } from 'node:crypto';
import { ConflictError } from '@runnel/core';
import { packParts } from '@runnel/engine';
import {
  joinTasks,
  listTasks,
  openSpec,
  type RunInfo,
  type RunSummary,
  readOutputs,
  readRecord,
  readSections,
  readTaskLogs,
  type SpecText,
  standOf,
  type TaskSummary,
} from '@runnel/store';
import type { ApiContext } from '../context.ts';
import { toWireRunSummary } from '../run-answer.ts';
import { toWireTask, toWireTasks } from '../task-answer.ts';
import { bundleVersion } from './bundle-lines.ts';

/** Tasks that are read together. */
const tasksPerPage = 250;

export interface BundleRequest {
  readonly run: RunSummary;
  readonly info: RunInfo;
  /** Of the API, for links. */
  readonly base: string;
}

/**
 * A run that has ended as lines of JSON, as far as it is taken: a head with its spec, a line a task, the pages
 * of its keys, and an end by which a bundle that was cut off is told from a whole one.
 *
 * @throws ConflictError where the run changes meanwhile.
 */
export async function* writeBundle(
  context: ApiContext,
  request: BundleRequest,
): AsyncGenerator<string, void, undefined> {
  const { redis, settings } = context;
  const { id } = request.run.facts.handle;
  const hash = createHash('sha256');
  const { archived: _, copyToken: __, ...record } = await readRecord(redis, settings.namespace, id);
  yield* hashed(hash, writeHead(context, request, record));
  let tasks = 0;
  for await (const line of writeTasks(context, request)) {
    tasks++;
    yield* hashed(hash, [line]);
  }
  let parts = 0;
  for await (const { bytes } of packParts(readSections(redis, request.run.facts.handle))) {
    await context.runs.stay(id);
    const data = Buffer.from(bytes).toString('base64');
    yield* hashed(hash, [`${JSON.stringify({ part: parts++, data })}\n`]);
  }
  const now = await readRecord(redis, settings.namespace, id);
  if (standOf(now) !== standOf(record)) {
    throw new ConflictError(`run ${id} was changed or deleted while it was exported: ask again`);
  }
  yield `${JSON.stringify({ end: { tasks, parts, sha256: hash.digest('hex') } })}\n`;
}

async function* hashed(
  hash: Hash,
  texts: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<string, void, undefined> {
  for await (const text of texts) {
    hash.update(text);
    yield text;
  }
}

/** One line, piece by piece: the spec may be as large as the run. */
async function* writeHead(
  { redis, settings }: ApiContext,
  { run, base }: BundleRequest,
  record: Readonly<Record<string, string>>,
): AsyncGenerator<string, void, undefined> {
  const { isArchived: _, links: __, ...summary } = toWireRunSummary(run, base);
  const { revision } = run.facts;
  const head = { runnelBundle: bundleVersion, run: { ...summary, revision }, record };
  yield `${JSON.stringify(head).slice(0, -1)},"spec":`;
  yield* textOf(await openSpec(redis, settings.namespace, summary.id));
  yield '}\n';
}

async function* textOf(spec: SpecText): AsyncGenerator<string, void, undefined> {
  const texts = spec.format === 'document' ? spec.text.setEncoding('utf8') : joinTasks(spec);
  // Between values line breaks mean nothing, and inside of them there are none.
  for await (const text of texts) yield String(text).replaceAll(/[\r\n]/g, ' ');
}

async function* writeTasks(
  context: ApiContext,
  { info, base }: BundleRequest,
): AsyncGenerator<string, void, undefined> {
  for (let from: number | null = 0; from !== null; ) {
    // Whoever takes it may take longer than a copy stays.
    await context.runs.stay(info.facts.handle.id);
    const page: Awaited<ReturnType<typeof listTasks>> = await listTasks(context.redis, info, {
      from,
      limit: tasksPerPage,
    });
    yield* await describeTasks(context, info, page.tasks, base);
    from = page.next;
  }
}

async function describeTasks(
  context: ApiContext,
  info: RunInfo,
  tasks: readonly TaskSummary[],
  base: string,
): Promise<readonly string[]> {
  const { redis } = context;
  const numbers = tasks.map(({ task }) => task.number);
  const [wire, outputs, logs] = await Promise.all([
    toWireTasks(context, info, tasks),
    readOutputs(redis, info, numbers),
    readTaskLogs(redis, info.facts.handle, tasks),
  ]);
  return await Promise.all(
    wire.map(async (summary) => {
      const { number, state, attempt } = summary;
      const hasMore = attempt > 1 || state === 'failed';
      const past = hasMore ? await toWireTask(context, info, { number, base }) : null;
      const { failures = [], successes = [] } = past ?? {};
      const written = (logs.get(number) ?? []).map(({ attempt: of, droppedBytes, tail }) => ({
        ...{ attempt: of, droppedBytes, text: tail.toString() },
      }));
      const output = outputs.get(number) ?? null;
      const task = { ...summary, output, failures, successes, logs: written };
      return `${JSON.stringify({ task })}\n`;
    }),
  );
}
