import { expect, test } from 'vitest';
import { readEventStream } from './read-event-stream.ts';

const event = {
  ...{ specversion: '1.0', id: '1', type: 'runnel.run.started', source: '/api/v1/runs/r' },
  ...{ time: '2030-01-31T08:00:00.000Z', datacontenttype: 'application/json', data: { run: 'r' } },
};

async function* chunksOf(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

test.each([1, 7, 10_000])('events are put together from chunks of %i characters', async (size) => {
  const text = `:\n\nid: 1\ndata: ${JSON.stringify(event)}\n\n:\n\ndata: ${JSON.stringify(event)}\n\n`;
  const found: unknown[] = [];

  for await (const one of readEventStream(chunksOf(text, size))) found.push(one);

  expect(found).toEqual([event, event]);
});

test('an event that breaks off is not told', async () => {
  const text = `data: ${JSON.stringify(event)}\n\nid: 2\ndata: {"spec`;
  const found: unknown[] = [];

  for await (const one of readEventStream(chunksOf(text, 5))) found.push(one);

  expect(found).toEqual([event]);
});
