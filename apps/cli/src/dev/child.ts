// What `runnel dev` starts an app with: the app, and an end of it when whoever started it is gone.

const app = process.argv[2];
if (app === undefined || !['api', 'listener', 'worker'].includes(app)) {
  throw new Error(`child.ts starts api, listener or worker, not ${app}`);
}
process.title = `runnel ${app}`;

// Killed, the parent can't stop anyone. Its Redis goes with it, so closing in order is out of the
// question; the handlers of `exit` end the processes of tasks.
process.on('disconnect', () => process.exit(1));
// Nothing is ever received: the channel alone must not keep a process that is done.
process.channel?.unref();

await import(new URL(`../../../${app}/src/main.ts`, import.meta.url).href);
