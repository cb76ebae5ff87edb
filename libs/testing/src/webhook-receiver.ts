import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

export interface ReceivedMessage {
  readonly id: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a receiver answers its n-th message, from 0; a number is a status. */
export type Answering = (
  message: ReceivedMessage,
  index: number,
) => number | ((response: ServerResponse) => void);

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly messages: readonly ReceivedMessage[];
  answer: Answering;
  /** Resolves when so many messages have come. */
  wait(count: number): Promise<void>;
}

/** A real HTTP server that keeps what it gets. */
export async function startReceiver(answer: Answering = () => 204): Promise<Receiver> {
  return await startReceiverAt('127.0.0.1', answer);
}

export async function startReceiverAt(host: string, answer: Answering): Promise<Receiver> {
  const messages: ReceivedMessage[] = [];
  let onMessage = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const id = String(request.headers['webhook-id']);
    const body = Buffer.concat(chunks).toString();
    const message = { id, path: request.url ?? '', headers: request.headers, body };
    messages.push(message);
    onMessage.resolve();
    onMessage = Promise.withResolvers();
    const answered = receiver.answer(message, messages.length - 1);
    if (typeof answered === 'number') response.writeHead(answered).end();
    else answered(response);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const receiver: Receiver = {
    url: `http://${host}:${port}/hook`,
    messages,
    answer,
    async wait(count) {
      while (messages.length < count) await onMessage.promise;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}
