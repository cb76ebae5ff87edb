/** What shutdown needs of a logger. */
export interface ShutdownLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ShutdownOptions {
  /** After this the process exits although something has not closed. */
  readonly deadlineMs: number;
  readonly log: ShutdownLog;
  /** For tests; default `process`. */
  readonly host?: ShutdownHost;
}

/** The part of `process` that shutdown touches. */
export interface ShutdownHost {
  on(signal: 'SIGTERM' | 'SIGINT', listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

export interface Shutdown {
  /** Aborted as soon as the process was asked to stop. */
  readonly signal: AbortSignal;
  /** What was deferred last is closed first. */
  defer(name: string, close: () => unknown): void;
  /** Closes everything and exits; a second call waits for the first. */
  stop(why: string, exitCode: number): Promise<void>;
}

/**
 * Stops the process in order: the first SIGTERM or SIGINT closes what was deferred, last first, and
 * exits with 0 (130 after SIGINT); 1 where something threw or the deadline passed. A second signal
 * exits at once.
 */
export function onShutdown(options: ShutdownOptions): Shutdown {
  const host = options.host ?? process;
  const asked = new AbortController();
  const open: { readonly name: string; readonly close: () => unknown }[] = [];
  let stopping: Promise<void> | null = null;

  const stop = (why: string, exitCode: number): Promise<void> => {
    stopping ??= closeAll(why, exitCode);
    return stopping;
  };
  const closeAll = async (why: string, exitCode: number): Promise<void> => {
    options.log.info({ why }, 'stopping');
    asked.abort();
    const deadline = setTimeout(() => {
      options.log.error({ open: open.map(({ name }) => name) }, 'not closed in time');
      host.exit(1);
    }, options.deadlineMs);
    const failed = await closeInTurn(open, options.log);
    clearTimeout(deadline);
    host.exit(failed ? 1 : exitCode);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const interrupted = signal === 'SIGINT';
    if (stopping !== null) {
      host.exit(interrupted ? 130 : 143);
      return;
    }
    stop(signal, interrupted ? 130 : 0).catch((error: unknown) => {
      options.log.error({ err: error }, 'could not stop in order');
      host.exit(1);
    });
  };
  host.on('SIGTERM', onSignal);
  host.on('SIGINT', onSignal);

  return { signal: asked.signal, defer: (name, close) => open.push({ name, close }), stop };
}

/** One thing that can't be closed does not keep the others open. */
async function closeInTurn(
  open: { readonly name: string; readonly close: () => unknown }[],
  log: ShutdownLog,
): Promise<boolean> {
  let failed = false;
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    try {
      await last.close();
    } catch (error: unknown) {
      failed = true;
      log.error({ err: error, name: last.name }, 'could not be closed');
    }
    open.pop();
  }
  return failed;
}
