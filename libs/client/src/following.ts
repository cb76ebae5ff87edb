import type { Client } from './client.ts';
import type { Http } from './http.ts';
import { readEventStream } from './read-event-stream.ts';
import { runPath, taskPath } from './run-path.ts';
import { droppedHeader } from './wire.ts';

/** Logs, and what happens to a run. */
export function following(http: Http): Pick<Client, 'getLog' | 'followLog' | 'followEvents'> {
  return {
    async getLog(id, task, options = {}) {
      const { headers, text } = await http.readText({
        method: 'GET',
        path: `${taskPath(id, task)}/log`,
        query: { attempt: options.attempt },
        signal: options.signal,
      });
      return { text, droppedBytes: Number(headers.get(droppedHeader) ?? 0) };
    },
    followLog: (id, task, options = {}) =>
      http.stream({
        method: 'GET',
        path: `${taskPath(id, task)}/log`,
        query: { follow: true, attempt: options.attempt },
        isTimed: false,
        signal: options.signal,
      }),
    followEvents: (id, { after, signal } = {}) =>
      readEventStream(
        http.stream({
          method: 'GET',
          path: `${runPath(id)}/events`,
          ...(after === undefined ? {} : { headers: { 'Last-Event-ID': String(after) } }),
          isTimed: false,
          signal,
        }),
      ),
  };
}
