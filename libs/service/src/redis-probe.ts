import { connect } from 'node:net';

/** A server that does not answer a local question in this time is taken for busy. */
const answerWithinMs = 2_000;

export interface ProbedRedis {
  readonly port: number;
  readonly password: string;
  /** Another server may have taken the port: only this process counts. */
  readonly pid: number;
}

/** True once the server with this pid answers on this port and has loaded its data. */
export async function isRedisAnswering(probed: ProbedRedis): Promise<boolean> {
  const info = await ask(probed.port, `AUTH ${probed.password}\r\nINFO\r\n`);
  return info.includes(`\r\nprocess_id:${probed.pid}\r\n`) && info.includes('\r\nloading:0\r\n');
}

/** Sends plain commands, without a client library, and returns what came back until INFO's end. */
async function ask(port: number, commands: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let answer = '';
  const socket = connect({ port, host: '127.0.0.1' });
  const finish = (): void => {
    socket.destroy();
    resolve(answer);
  };
  socket.setTimeout(answerWithinMs, finish).on('error', finish).on('close', finish);
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
    if (isComplete(answer)) finish();
  });
  socket.write(commands);
  return promise;
}

/** An error, or `+OK` and a bulk string with its announced length. */
function isComplete(answer: string): boolean {
  if (/^-|\r\n-/.test(answer)) return true;
  const bulk = /^\+OK\r\n\$(\d+)\r\n/.exec(answer);
  return bulk !== null && answer.length >= bulk[0].length + Number(bulk[1]);
}
