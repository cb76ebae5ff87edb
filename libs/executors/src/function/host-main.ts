import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type HostChannel, serveFunctions } from './host.ts';
import { writeOutbox } from './outbox.ts';
import type { ThreadData } from './protocol.ts';

// The program of a host. A thread gets its modules as workerData, a process as its arguments.
if (isMainThread) await serveFunctions(processChannel(), process.argv.slice(2));
else await serveInThread(workerData);

async function serveInThread(data: ThreadData): Promise<void> {
  const outbox = writeOutbox(data.outbox);
  // Once a record was too large for the outbox, the rest of the batch is posted too: the order stays.
  let full = false;
  const post = (record: string): void => parentPort?.postMessage(record);
  await serveFunctions(
    {
      write(record) {
        full ||= !outbox.write(record);
        if (full) post(record);
      },
      post,
      onRequest: (receive) => {
        parentPort?.on('message', (text: string) => {
          full = false;
          receive(text);
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
    write: post,
    post,
    onRequest: (receive) => {
      process.on('message', (text) => receive(String(text)));
    },
  };
}
