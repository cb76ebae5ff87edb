/** Does work again and again; work that is still going on when its next time comes is not started twice. */
export function repeat(
  everyMs: number,
  work: () => Promise<unknown>,
  onError: (error: Error) => void,
): NodeJS.Timeout {
  let isBusy = false;
  const run = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      await work();
    } catch (error: unknown) {
      onError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      isBusy = false;
    }
  };
  return setInterval(() => void run(), everyMs);
}
