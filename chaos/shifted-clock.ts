import { readFileSync } from 'node:fs';

// Preloaded into a process whose clock jumps: Date.now is off by as many ms as a file says. Timers go on evenly, as they
// do where somebody sets the clock of a machine.

const file = process.env['CHAOS_CLOCK'] ?? '';
const lookEveryMs = 100;
const real = Date.now;
let offMs = 0;

function look(): void {
  try {
    offMs = Number(readFileSync(file, 'utf8'));
  } catch {
    offMs = 0;
  }
}

look();
setInterval(look, lookEveryMs).unref();
Date.now = () => real() + offMs;
