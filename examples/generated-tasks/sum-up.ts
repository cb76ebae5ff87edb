import { globSync, readFileSync, writeFileSync } from 'node:fs';

/** Adds up what the generated tasks have counted in the run's directory. */
const counts = globSync('*.count').map((file) => Number(readFileSync(file, 'utf8')));
const words = counts.reduce((sum, count) => sum + count, 0);

process.stdout.write(`${words} words in ${counts.length} books\n`);
writeFileSync(process.env['RUNNEL_OUTPUT'] ?? 'output.json', JSON.stringify({ words }));
