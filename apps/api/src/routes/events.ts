import { type WireEvent, wireEvent } from '@runnel/client';
import { toCloudEvents } from '@runnel/engine';
import type { RunInfo } from '@runnel/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { followEvents, hasMore } from '../events/follow-events.ts';
import { requireRoom, waitForDrain } from '../followers.ts';
import { RequestError } from '../request-error.ts';
import { idPath, type Route, readQuery } from '../route.ts';
import { readInfo } from './tasks.ts';

const number = z
  .string()
  .regex(/^\d{1,15}$/, 'must be the number of an event')
  .transform(Number);

const query = z.strictObject({
  after: number
    .optional()
    .meta({ override: { type: 'integer', minimum: 0 } })
    .describe('The last event that is known already; the header Last-Event-ID goes before it.'),
});

const follow: Route = {
  method: 'get',
  path: '/api/v1/runs/{id}/events',
  operation: {
    operationId: 'followEvents',
    summary: 'What happens to a run and its tasks, to its end',
    description:
      'Server-sent events, each with a CloudEvent in JSON as `data` and its number as `id`. What happened before comes ' +
      'first. A client that comes back with `Last-Event-ID` gets what it has missed; where that is not kept any more, ' +
      'one `runnel.feed.reset` and then what is kept.',
    requestParams: {
      path: idPath,
      query,
      header: z.object({ 'Last-Event-ID': z.string().optional() }),
    },
    responses: {
      '200': { description: 'Events', content: { 'text/event-stream': { schema: wireEvent } } },
      '204': { description: 'The run has ended, and everything is known: do not come back' },
    },
  },
  async handle(context, request, response) {
    const after = readAfter(request);
    const info = await readInfo(context, request);
    if (await hasMore(context, info, after)) await stream(context, response, { info, after });
    else response.status(204).end();
  },
};

function readAfter(request: Request): number {
  const { after = 0 } = readQuery(query, request);
  const header = request.get('Last-Event-ID');
  if (header === undefined || header === '') return after;
  const parsed = number.safeParse(header);
  if (parsed.success) return parsed.data;
  throw new RequestError(400, `Last-Event-ID: ${parsed.error.issues[0]?.message}`);
}

async function stream(
  context: ApiContext,
  response: Response,
  { info, after }: { readonly info: RunInfo; readonly after: number },
): Promise<void> {
  requireRoom(context);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, context.stopping]);
  response.status(200).setHeader('Content-Type', 'text/event-stream; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  // Proxies that gather answers would hold back every event.
  response.setHeader('X-Accel-Buffering', 'no');
  response.flushHeaders();
  for await (const told of followEvents(context, { info, after, signal })) {
    const events = await toCloudEvents(context, info, told);
    const text = events.length === 0 ? ':\n\n' : events.map(toText).join('');
    if (!response.write(text)) await waitForDrain(response, signal);
  }
  response.end();
}

/** Only what has a number of its own is an `id`: a client comes back with the last one that it got. */
function toText(event: WireEvent): string {
  const id = /^\d+$/.test(event.id) ? `id: ${event.id}\n` : '';
  return `${id}data: ${JSON.stringify(event)}\n\n`;
}

export const eventRoutes: readonly Route[] = [follow];
