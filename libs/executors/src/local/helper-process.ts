import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type Frame, FrameReader } from './helper-frames.ts';
import { LastPidFile } from './last-pid-file.ts';
import {
  type GroupSignal,
  killGroup,
  type NotStarted,
  type ProcessEnd,
  type ProcessRequest,
  type StartedProcess,
} from './process-starter.ts';

const program = fileURLToPath(new URL('./command-helper.py', import.meta.url));

/** Of the protocol that is described in command-helper.py. */
const protocol = '1';

/** A start takes 20 ms; this is for a machine that swaps. */
const helloMs = 10_000;

/** How long a command that was killed may take to vanish before its helper is given up. */
const stopMs = 5_000;

/** Of what a broken helper says; its first line goes into a message. */
const maxComplaintBytes = 4_096;

interface Job {
  readonly request: ProcessRequest;
  readonly started: PromiseWithResolvers<StartedProcess | NotStarted>;
  readonly ended: PromiseWithResolvers<ProcessEnd>;
  pid: number | null;
  hasLeaderEnded: boolean;
}

export interface HelperOptions {
  /** Finds and runs Python 3. */
  readonly python: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly temporaryDir: string;
  /** Called when a command is over and the next one may come. */
  readonly onIdle: () => void;
  /** Called once, when the process has ended, for whatever reason. */
  readonly onGone: () => void;
}

/** A helper died before it had started the command that it was asked for: another one can be asked. */
export class NothingStartedError extends Error {
  override readonly name = 'NothingStartedError';
}

/**
 * One small process that starts commands for the worker, one at a time.
 *
 * What can die, and what happens then. The worker: the helper sees the end of its stdin, kills its command's group and
 * ends. The helper: the worker sees its end, kills the group of its command, and the attempt fails; the number of the
 * group is read from a file that both have open, because a helper keeps a started command to itself for a moment.
 */
export class HelperProcess {
  /** Resolves when commands can be run; rejects where the process is not a working helper. */
  readonly ready: Promise<void>;
  readonly #hello = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  readonly #child: ChildProcess;
  readonly #frames = new FrameReader();
  readonly #lastPid: LastPidFile;
  readonly #onIdle: () => void;
  #complaint = '';
  #job: Job | null = null;
  #requests = 0;
  #isStopping = false;

  constructor(options: HelperOptions) {
    this.#onIdle = options.onIdle;
    this.#lastPid = new LastPidFile(options.temporaryDir);
    const subprocess = execa(options.python, ['-I', '-S', program, this.#lastPid.path], {
      cwd: '/',
      env: options.environment,
      extendEnv: false,
      // Out of the worker's group: what a terminal sends to that is the worker's business.
      detached: true,
      cleanup: false,
      reject: false,
      buffer: false,
      encoding: 'buffer',
      stdin: 'pipe',
    });
    this.#child = subprocess.nodeChildProcess;
    this.ready = this.#waitForHello();
    // With reject: false it always resolves: after the end, or at once with the reason where nothing started.
    subprocess.then(({ originalMessage, shortMessage }) => {
      this.#end(originalMessage ?? shortMessage);
      options.onGone();
    });
    this.#listen();
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Carries out a request that encodeRequest() made text of. Only after `ready`, and after the last one's end. */
  run(request: ProcessRequest, encoded: string): Promise<StartedProcess | NotStarted> {
    const job: Job = {
      request,
      started: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      pid: null,
      hasLeaderEnded: false,
    };
    this.#job = job;
    this.#requests++;
    this.#child.stdin?.write(encoded);
    return job.started.promise;
  }

  /** Kills the running command, then ends the helper. Resolves when both are gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#job === null) this.#child.kill('SIGKILL');
    else this.#signal(this.#job, 'SIGKILL');
    const giveUp = setTimeout(() => this.#child.kill('SIGKILL'), stopMs);
    await this.#gone.promise;
    clearTimeout(giveUp);
  }

  async #waitForHello(): Promise<void> {
    const limit = setTimeout(() => {
      this.#hello.reject(new Error(`it said nothing for ${helloMs} ms`));
      this.#child.kill('SIGKILL');
    }, helloMs);
    try {
      await this.#hello.promise;
    } finally {
      clearTimeout(limit);
    }
  }

  #listen(): void {
    const { stdin, stdout, stderr } = this.#child;
    // A write to a helper that just died; its end is told by itself.
    stdin?.on('error', () => undefined);
    stdout?.on('data', (chunk: Buffer) => {
      this.#frames.push(chunk);
      this.#takeFrames();
    });
    stderr?.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-maxComplaintBytes);
    });
    this.#child.once('exit', () => this.#killOrphans());
  }

  #takeFrames(): void {
    try {
      for (let frame = this.#frames.next(); frame !== null; frame = this.#frames.next()) {
        if (!this.#take(frame)) {
          this.#waitForLog();
          return;
        }
      }
    } catch (error: unknown) {
      // Not a helper that speaks, or a log that throws: nothing that comes can be trusted to reach its place.
      this.#complaint = error instanceof Error ? error.message : String(error);
      this.#child.kill('SIGKILL');
    }
  }

  /** Reads nothing while the log can't follow: then the helper stops to read from its command. */
  #waitForLog(): void {
    const { stdout } = this.#child;
    const goOn = (): void => {
      stdout?.resume();
      this.#takeFrames();
    };
    stdout?.pause();
    this.#job?.request.log.drained().then(goOn, goOn);
  }

  /** False where the log asks to wait. */
  #take({ kind, body }: Frame): boolean {
    const job = this.#job;
    if (job === null) {
      this.#greet(kind, body);
      return true;
    }
    switch (kind) {
      case 'O':
        return job.request.log.write(body);
      case 'S':
        this.#tellStarted(job, Number(body.toString()));
        return true;
      case 'X':
        job.hasLeaderEnded = true;
        return true;
      case 'D':
        this.#tellEnded(job, body.toString());
        return true;
      case 'E':
        this.#beIdle();
        job.started.resolve(describeNotStarted(body.toString()));
        return true;
      default:
        throw new Error(`it wrote a frame of the unknown kind ${JSON.stringify(kind)}`);
    }
  }

  #greet(kind: string, body: Buffer): void {
    const version = body.toString('utf8', 0, 60);
    if (kind !== 'H' || version !== protocol) {
      throw new Error(`it wrote ${JSON.stringify(kind + version)} where a greeting was due`);
    }
    this.#lastPid.removeName();
    this.#hello.resolve();
  }

  #tellStarted(job: Job, pid: number): void {
    job.pid = pid;
    job.started.resolve({
      kind: 'started',
      pid,
      ended: job.ended.promise,
      signalGroup: (signal) => this.#signal(job, signal),
    });
    if (this.#isStopping) this.#signal(job, 'SIGKILL');
  }

  #tellEnded(job: Job, text: string): void {
    const [pid = 0, code = -1, signal = 0, cpuMicros = 0, rssBytes = -1] = text
      .split(' ')
      .map(Number);
    job.hasLeaderEnded = true;
    if (job.pid === null) this.#tellStarted(job, pid);
    job.ended.resolve({
      exitCode: code === -1 ? null : code,
      signal: signal === 0 ? null : nameSignal(signal),
      cpuMs: cpuMicros / 1_000,
      maxRssBytes: rssBytes === -1 ? null : rssBytes,
    });
    this.#beIdle();
  }

  #beIdle(): void {
    this.#job = null;
    if (this.#isStopping) this.#child.kill('SIGKILL');
    else this.#onIdle();
  }

  #signal(job: Job, signal: GroupSignal): boolean {
    if (job !== this.#job || job.pid === null || job.hasLeaderEnded) return false;
    return killGroup(job.pid, signal);
  }

  /** The group of a command whose helper has died. */
  #killOrphans(): void {
    const pid = this.#job === null ? null : this.#lastPid.read(this.#requests);
    if (pid !== null) killGroup(pid, 'SIGKILL');
  }

  #end(reason: string | undefined): void {
    const why = this.#complaint.trim().split('\n').at(-1) || reason || 'it ended';
    this.#hello.reject(new Error(why));
    if (this.#job !== null) this.#fail(this.#job, why);
    this.#lastPid[Symbol.dispose]();
    this.#gone.resolve();
  }

  #fail({ started, ended }: Job, why: string): void {
    const message = `the helper process that ran the command has died: ${why}`;
    const hasStarted = this.#lastPid.read(this.#requests) !== null;
    started.reject(hasStarted ? new Error(message) : new NothingStartedError(message));
    ended.promise.catch(() => undefined);
    ended.reject(new Error(message));
  }
}

function describeNotStarted(text: string): NotStarted {
  const blank = text.indexOf(' ');
  return { kind: 'not-started', code: text.slice(0, blank), message: text.slice(blank + 1) };
}

/** SIGKILL for 9. Real-time signals have no names. */
function nameSignal(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `signal ${number}`;
}
