import { type WireWorker, wireWorkers } from '@runnel/client';
import { readWorkers, type WorkerRecord } from '@runnel/store';
import { jsonOf, type Route } from '../route.ts';
import { toIso } from '../run-answer.ts';

const list: Route = {
  method: 'get',
  path: '/api/v1/workers',
  operation: {
    operationId: 'listWorkers',
    summary: 'Workers that are alive',
    responses: { '200': { description: 'The workers', content: jsonOf(wireWorkers) } },
  },
  async handle({ redis, settings, clock }, _request, response) {
    const workers = await readWorkers(redis, settings.namespace, clock.now());
    response.json({ workers: workers.map(toWireWorker) });
  },
};

function toWireWorker(worker: WorkerRecord): WireWorker {
  const { name, host, pid, version, slots, executors, running, isStopping } = worker;
  const times = { startedAt: toIso(worker.startedAt), seenAt: toIso(worker.seenAt) };
  return { name, host, pid, version, ...times, slots, executors, running, isStopping };
}

export const workerRoutes: readonly Route[] = [list];
