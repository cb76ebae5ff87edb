import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type HostChannel, serveFunctions } from './host.ts';
import { cacheVariable } from './host-options.ts';
import { writeOutbox } from './outbox.ts';
import {
  decodeRequest,
  encodeRecord,
  type HostRequest,
  succeeded,
  type ThreadData,
} from './protocol.ts';

// The program of a host. A thread gets its modules as workerData, a process as its arguments.

// Node has read it; functions and what they start don't see it.
delete process.env[cacheVariable];
if (isMainThread) await serveFunctions(processChannel(), process.argv.slice(2));
else await serveInThread(workerData);

async function serveInThread(data: ThreadData): Promise<void> {
  const outbox = writeOutbox(data.outbox);
  // Once a record was too large for the outbox, the rest of the batch is posted too: the order stays.
  let full = false;
  const post = (record: string): void => parentPort?.postMessage(record);
  const write = (record: string): void => {
    full ||= !outbox.write(record);
    if (full) post(record);
  };
  await serveFunctions(
    {
      end(position, durationMs) {
        if (outbox.end(position, durationMs)) return;
        write(encodeRecord(['end', position, durationMs, succeeded]));
      },
      write,
      post,
      onRequest: (receive) => {
        parentPort?.on('message', (request: HostRequest) => {
          if (request.kind === 'run') full = false;
          receive(request);
        });
      },
    },
    data.modules,
  );
}

function processChannel(): HostChannel {
  // The worker is gone: nobody waits for the result.
  process.on('disconnect', () => process.exit());
  const post = (record: string): void => {
    process.send?.(record);
  };
  return {
    end: (position, durationMs) => post(encodeRecord(['end', position, durationMs, succeeded])),
    write: post,
    post,
    onRequest: (receive) => {
      process.on('message', (text) => receive(decodeRequest(String(text))));
    },
  };
}
