import { openAsBlob } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Graph } from './graph.ts';

/** A run spec whose tasks are made one by one, since a million of them are 150 MB of text. */
export interface Spec {
  readonly head: Readonly<Record<string, unknown>>;
  tasks(): Iterable<object>;
}

export interface SpecFile {
  readonly contentType: string;
  readonly body: Blob;
}

/** How specs are sent. */
const contentType: 'application/json' | 'application/x-ndjson' = 'application/json';

/** Lines are written so many characters at a time. */
const writtenChars = 1_048_576;

/** Every task on its own, with its own id and details. */
export function specOfGraph(graph: Graph, firstInput = 0): Spec {
  return {
    head: { defaults: { executor: 'function' } },
    *tasks() {
      for (let task = 0; task < graph.count; task++) {
        const parents = graph.parentsOf(task).map((parent) => ({ id: `t${parent}` }));
        yield {
          class: 'work',
          id: `t${task}`,
          details: { name: 'work', input: firstInput + task },
          ...(parents.length === 0 ? {} : { parents }),
        };
      }
    },
  };
}

/** Independent tasks from a parameter; `firstInput` is the first task's input. */
export function specOfProduct(count: number, firstInput = 0): Spec {
  return {
    head: {
      parameters: { N: { from: firstInput, to: firstInput + count - 1 } },
      defaults: { executor: 'function' },
    },
    tasks: () => [{ class: 'work', details: { name: 'work', input: '{{N}}' } }],
  };
}

/** The spec of `fan`, as one would write it. */
export function specOfFan(width: number, firstInput = 0): Spec {
  const call = (input: number | string): object => ({ name: 'work', input });
  return {
    head: {
      parameters: { N: { from: firstInput + 1, to: firstInput + width } },
      defaults: { executor: 'function' },
    },
    tasks: () => [
      { class: 'start', details: call(firstInput) },
      { class: 'work', parents: ['start'], details: call('{{N}}') },
      { class: 'end', parents: ['work'], details: call(firstInput + width + 1) },
    ],
  };
}

/**
 * Writes a spec to a file, from which it is sent: no text in memory, and nothing is made while time is measured. Now and
 * then the event loop goes on, so that connections which the server closes meanwhile are not taken for open.
 */
export async function writeSpec(spec: Spec, path: string): Promise<SpecFile> {
  await using file = await open(path, 'w');
  let text = '';
  for (const part of contentType === 'application/json' ? jsonOf(spec) : linesOf(spec)) {
    text += part;
    if (text.length < writtenChars) continue;
    await file.write(text);
    text = '';
  }
  await file.write(text);
  return { contentType, body: await openAsBlob(path) };
}

function* jsonOf({ head, tasks }: Spec): Iterable<string> {
  const fields = JSON.stringify(head).slice(1, -1);
  yield `{${fields}${fields === '' ? '' : ','}"tasks":[`;
  let separator = '';
  for (const task of tasks()) {
    yield `${separator}${JSON.stringify(task)}`;
    separator = ',\n';
  }
  yield ']}';
}

function* linesOf({ head, tasks }: Spec): Iterable<string> {
  yield `${JSON.stringify(head)}\n`;
  for (const task of tasks()) yield `${JSON.stringify(task)}\n`;
}
