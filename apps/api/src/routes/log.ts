import { droppedHeader } from '@runnel/client';
import { isFinalTaskState, NotFoundError } from '@runnel/core';
import { type RunInfo, readLog, readTask, type TaskDetail } from '@runnel/store';
import type { Response } from 'express';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { droppedLine, followLog } from '../follow-log.ts';
import { requireRoom, waitForDrain } from '../followers.ts';
import { flag, type Route, readQuery, taskPath } from '../route.ts';
import { readTaskPlace } from './tasks.ts';

const query = z.strictObject({
  attempt: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'must be a number from 1')
    .transform(Number)
    .optional()
    .meta({ override: { type: 'integer', minimum: 1 } })
    .describe('Default: the last.'),
  follow: flag.describe('Go on until the attempt has ended. Default false.'),
});

const read: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/tasks/{task}/log',
  operation: {
    operationId: 'getLog',
    summary: 'What an attempt wrote',
    requestParams: { path: taskPath, query },
    responses: {
      '200': {
        description: `The text; where its beginning was not kept, a line says so and ${droppedHeader} has the bytes`,
        headers: z.object({ [droppedHeader]: z.string().describe('Bytes that were not kept.') }),
        content: { 'text/plain': { schema: z.string() } },
      },
    },
  },
  async handle(context, request, response) {
    const { attempt, follow } = readQuery(query, request);
    const { info, number } = await readTaskPlace(context, request);
    const task = await readTask(context.redis, info, number);
    requireAttempt(task, attempt);
    if (follow === 'true') await stream(context, response, { info, task, attempt });
    else await sendWhole(context, response, { info, task, attempt });
  },
};

interface LogRequest {
  readonly info: RunInfo;
  readonly task: TaskDetail;
  readonly attempt: number | undefined;
}

function requireAttempt(task: TaskDetail, attempt: number | undefined): void {
  // The first may be followed before it has begun.
  if (attempt === undefined || attempt <= Math.max(1, task.attempt)) return;
  throw new NotFoundError(
    `task ${task.task.id} has no attempt ${attempt}; its last is ${task.attempt}`,
  );
}

async function sendWhole(
  { redis }: ApiContext,
  response: Response,
  { info, task, attempt }: LogRequest,
): Promise<void> {
  const { handle } = info.facts;
  const read = (which: number) => readLog(redis, handle, task.task.number, which);
  const wanted = attempt ?? Math.max(1, task.attempt);
  let log = await read(wanted);
  // Between two attempts the next one is counted already, but has written nothing.
  const isBetween = task.state !== 'running' && !isFinalTaskState(task.state) && wanted > 1;
  if (log === null && attempt === undefined && isBetween) log = await read(wanted - 1);
  const dropped = log?.droppedBytes ?? 0;
  writeHead(response, dropped);
  response.end(Buffer.concat([Buffer.from(droppedLine(dropped)), log?.tail ?? Buffer.alloc(0)]));
}

async function stream(
  context: ApiContext,
  response: Response,
  { info, task, attempt }: LogRequest,
): Promise<void> {
  requireRoom(context);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, context.stopping]);
  const which = attempt ?? Math.max(1, task.attempt);
  for await (const part of followLog(context, {
    info,
    task: task.task.number,
    attempt: which,
    signal,
  })) {
    if (!response.headersSent) writeHead(response, part.droppedBytes);
    if (part.bytes.length === 0) response.flushHeaders();
    else if (!response.write(part.bytes)) await waitForDrain(response, signal);
  }
  response.end();
}

function writeHead(response: Response, droppedBytes: number): void {
  response.status(200).type('text/plain; charset=utf-8');
  response.setHeader(droppedHeader, String(droppedBytes));
  response.setHeader('Cache-Control', 'no-store');
}

export const logRoutes: readonly Route[] = [read];
