import {
  type Delivery,
  decodeDelivery,
  decodeOutcome,
  finalStateOf,
  outcomeBytes,
} from '@runnel/store';
import type { Redis } from 'ioredis';
import type { Call } from './gated-redis.ts';
import { scriptOf } from './variant.ts';

/** An outcome that came into the stream. */
interface Appended {
  readonly carrier: number;
  readonly token: string;
  readonly places: readonly number[];
  readonly at: number;
}

export interface WatchOptions {
  readonly redis: Redis;
  /** Key of the run's deliveries. */
  readonly deliveries: string;
  /** Where the run, or classes of it, may be paused. */
  readonly meta?: string;
  readonly paused?: string;
  /** Where tasks may be brought back or kept by a change: what has ended is not given away. */
  readonly state?: string;
  fail(what: string): void;
}

/**
 * Looks at what passes between the processes and Redis. A protocol that heals itself can hide that
 * it was broken: tasks would only run again. So some of its promises are looked at here.
 */
export class ProtocolWatch {
  readonly #options: WatchOptions;
  #time = 0;
  readonly #appended: Appended[] = [];
  /** The highest start of a job under which each carrier was claimed, and that claim's token. */
  readonly #claims = new Map<number, { readonly started: number; readonly token: string }>();
  /** When each process first found a carrier lost. */
  readonly #suspected = new Map<string, number>();
  readonly #added = new Set<number>();
  /** Outcomes that came while the run was frozen: a later turn may settle them. */
  #stashed = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  onAdd(carrier: number): void {
    this.#added.add(carrier);
  }

  onStates(process: string, carriers: readonly number[], lost: readonly number[]): void {
    for (const carrier of carriers) {
      const key = `${process}.${carrier}`;
      if (!lost.includes(carrier)) this.#suspected.delete(key);
      else if (!this.#suspected.has(key)) this.#suspected.set(key, ++this.#time);
    }
  }

  /** Carries a command to Redis and looks at both ways. */
  carry(process: string, [name, args]: Call, send: () => unknown): unknown {
    if (name === 'xadd') this.#onAppend(args);
    const script = scriptOf(args);
    if (script === 'claim-delivery') return this.#claim(args, send);
    if (script === 'take-turn') return this.#turn(args, send);
    if (script === 'reissue-delivery') return this.#reissue(process, args, send);
    return send();
  }

  #onAppend(args: readonly unknown[]): void {
    const field = (letter: string): unknown => args[args.indexOf(letter) + 1];
    const [packed, token] = [field('p'), field('t')];
    if (!Buffer.isBuffer(packed) || !Buffer.isBuffer(token) || packed.length === 0) return;
    const places = placesIn(packed);
    const carrier = Number(field('c'));
    this.#appended.push({ carrier, token: token.toString('hex'), places, at: ++this.#time });
  }

  /** A claim is answered under its own token, and only to a later start than the last. */
  async #claim(args: readonly unknown[], send: () => unknown): Promise<unknown> {
    const isPaused = await this.#readPaused();
    const isFrozen = await this.#readFrozen();
    const reply = await send();
    const packed: unknown = Array.isArray(reply) ? reply[0] : null;
    if (!Buffer.isBuffer(packed)) return reply;
    const [carrier, started, token] = args.slice(3 + Number(args[2]));
    const own = Buffer.isBuffer(token) ? token.toString('hex') : '';
    const found = decodeDelivery(Number(carrier), packed).token.toString('hex');
    if (own !== found) this.#options.fail(`${carrier} was claimed under another's token`);
    const last = this.#claims.get(Number(carrier));
    if (last !== undefined && last.token !== own && last.started >= Number(started)) {
      this.#options.fail(`${carrier} was claimed by a start that was late`);
    }
    const isNew = last?.token !== own;
    if (isNew && isPaused(decodeDelivery(Number(carrier), packed).group)) {
      this.#options.fail(`${carrier} was claimed though it is paused`);
    }
    if (isNew && isFrozen) this.#options.fail(`${carrier} was claimed while its run was frozen`);
    if (isNew) await this.#checkEnded(decodeDelivery(Number(carrier), packed));
    this.#claims.set(Number(carrier), { started: Number(started), token: own });
    return reply;
  }

  /** Once a delivery was claimed again, what an earlier claim reports does not count. */
  async #turn(args: readonly unknown[], send: () => unknown): Promise<unknown> {
    const keyCount = Number(args[2]);
    // After now, budget, what to tell and a token: the queues that shares are given for, and these.
    const queues = Number(args[3 + keyCount + 4]);
    const settlements = args.slice(3 + keyCount + 5 + 3 * queues);
    let current = 0;
    for (let at = 0; at + 5 <= settlements.length; at += 5) {
      const [carrier, token, outcomes] = settlements.slice(at, at + 3);
      if (!Buffer.isBuffer(token) || !Buffer.isBuffer(outcomes)) continue;
      const last = this.#claims.get(Number(carrier));
      const isStale = last !== undefined && last.token !== token.toString('hex');
      if (!isStale) current += outcomes.length / outcomeBytes;
    }
    const isPaused = await this.#readPaused();
    const reply = await send();
    this.#checkReserved(reply, isPaused);
    const accepted = Array.isArray(reply) ? Number(reply[4]) : 0;
    if (Array.isArray(reply) && String(reply[0]) === 'editing') {
      this.#stashed += current;
      this.#keepStashed(settlements);
    }
    if (accepted > current + this.#stashed) {
      this.#options.fail('an outcome of a lost claim was accepted');
    }
    this.#stashed -= Math.max(0, accepted - current);
    return reply;
  }

  /** What a frozen run keeps has reached the run as an entry of the stream has. */
  #keepStashed(settlements: readonly unknown[]): void {
    for (let at = 0; at + 5 <= settlements.length; at += 5) {
      const [carrier, token, packed] = settlements.slice(at, at + 3);
      if (!Buffer.isBuffer(token) || !Buffer.isBuffer(packed)) continue;
      this.#appended.push({
        ...{ carrier: Number(carrier), token: token.toString('hex'), at: ++this.#time },
        places: placesIn(packed),
      });
    }
  }

  /** An open place of a delivery is a task that has not ended. */
  async #checkEnded({ ids, open }: Delivery): Promise<void> {
    const { redis, state, fail } = this.#options;
    if (state === undefined) return;
    const states = await redis.getBuffer(state);
    for (const [place, id] of ids.entries()) {
      const hasEnded = finalStateOf(states?.[id] ?? 0) !== undefined;
      if (open[place] && hasEnded) fail(`${id} was given away, and has ended`);
    }
  }

  /** Nothing that is paused is given away without a claim. */
  #checkReserved(reply: unknown, isPaused: (group: number) => boolean): void {
    const reserved: unknown = Array.isArray(reply) ? reply[6] : null;
    for (const packed of Array.isArray(reserved) ? reserved : []) {
      if (!Buffer.isBuffer(packed) || !isPaused(packed.readUInt32LE(16))) continue;
      this.#options.fail('what is paused was reserved');
    }
  }

  async #readFrozen(): Promise<boolean> {
    const { redis, meta } = this.#options;
    return meta !== undefined && (await redis.hexists(meta, 'editing')) === 1;
  }

  /** Which groups may not start, as it stands. */
  async #readPaused(): Promise<(group: number) => boolean> {
    const { redis, meta, paused } = this.#options;
    if (meta === undefined || paused === undefined) return () => false;
    const [isWhole, groups] = await Promise.all([
      redis.hexists(meta, 'pausedAt'),
      redis.hkeys(paused),
    ]);
    return (group) => isWhole === 1 || groups.includes(`g${group}`);
  }

  /** A carrier is given up only if it had come into the queue, and when what it reported is settled. */
  async #reissue(process: string, args: readonly unknown[], send: () => unknown): Promise<unknown> {
    const carrier = Number(args[3 + Number(args[2])]);
    const before = await this.#read(carrier);
    const reply = await send();
    if (before === null || Number(reply) === 0) return reply;
    const { fail } = this.#options;
    if (!this.#added.has(carrier)) fail(`${carrier} was given up, and never came into the queue`);
    const since = this.#suspected.get(`${process}.${carrier}`) ?? 0;
    const token = before.token.toString('hex');
    const isOpen = this.#appended.some(
      (one) =>
        one.carrier === carrier &&
        one.token === token &&
        one.at < since &&
        one.places.some((place) => before.open[place]),
    );
    if (isOpen) fail(`${carrier} was given up before its outcomes were settled`);
    return reply;
  }

  async #read(carrier: number): Promise<Delivery | null> {
    const packed = await this.#options.redis.hgetBuffer(this.#options.deliveries, String(carrier));
    return packed === null ? null : decodeDelivery(carrier, packed);
  }
}

function placesIn(packed: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = 0; at < packed.length; at += outcomeBytes)
    places.push(decodeOutcome(packed, at).place);
  return places;
}
