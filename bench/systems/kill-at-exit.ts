/** Ends processes with this one, also where it is told to stop halfway; until the returned handle is disposed. */
export function killAtExit(pids: readonly number[]): Disposable {
  const kill = (): void => {
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // ESRCH: it has ended.
      }
    }
  };
  process.once('exit', kill);
  return { [Symbol.dispose]: () => void process.off('exit', kill) };
}
