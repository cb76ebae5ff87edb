#!/usr/bin/env node
// Starts the command on the Node of the clone where the running one is too old. Runs on Node 20 and
// later with nothing installed.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The sources are TypeScript and use what Node has from here on. */
const neededMajor = 26;

const folder = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const main = join(folder, 'apps/cli/src/main.ts');
const ownNode = join(folder, 'node_modules/.bin/node');
const isInstalled = existsSync(join(folder, 'node_modules/@runnel/cli'));

if (!isInstalled) {
  refuse(`the packages are not installed: run "npm ci" (or "npm start") in ${folder}`);
} else if (Number(process.versions.node.split('.')[0]) >= neededMajor) {
  await import(pathToFileURL(main).href);
} else if (existsSync(ownNode)) {
  startOnOwnNode();
} else {
  refuse(
    `Node ${process.versions.node} is too old and the clone has none of its own: run "npm ci" (or "npm start") in ${folder}, without --ignore-scripts`,
  );
}

function refuse(message) {
  process.stderr.write(`runnel: ${message}\n`);
  process.exitCode = 2;
}

function startOnOwnNode() {
  const child = spawn(ownNode, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A Ctrl-C in a terminal reaches both processes: the command takes two that come together for one.
  const forward = (signal) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  child.on('error', (error) => refuse(`${ownNode} does not start: ${error.message}`));
  child.on('exit', (code, signal) => {
    for (const name of signals) process.off(name, forward);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}
