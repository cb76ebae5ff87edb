import { type WireEvent, wireEvent } from './wire-events.ts';

/** Events out of a `text/event-stream`: a blank line ends one; what is not `data` is passed over. */
export async function* readEventStream(
  chunks: AsyncIterable<string>,
): AsyncGenerator<WireEvent, void, undefined> {
  let rest = '';
  for await (const chunk of chunks) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block
        .split('\n')
        .flatMap((line) => (line.startsWith('data:') ? [line.slice('data:'.length).trim()] : []));
      if (data.length > 0) yield wireEvent.parse(JSON.parse(data.join('\n')));
    }
  }
}
