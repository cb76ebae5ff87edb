// count.mjs RESULTS CODE: the totals of vitest's JSON report as the last line, and an exit code that is
// 0 only where tests ran and all of them passed.

import { readFileSync } from 'node:fs';

const [file, code] = process.argv.slice(2);
const report = readReport();
const { passed, failed } = countTests(report);

if (report === null) process.stdout.write('There are no results: the tests did not start.\n');
else if (passed + failed === 0) process.stdout.write('No test ran.\n');
else if (code !== '0' && failed === 0) {
  process.stdout.write(`The tests passed, but npm test ended with code ${code}.\n`);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = code === '0' && failed === 0 && passed > 0 ? 0 : 1;

function readReport() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** A file that could not be loaded, or whose set-up failed, counts as one failed test. */
function countTests(results) {
  const files = results?.testResults ?? [];
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const broken = files.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failed: tests.filter((test) => test.status === 'failed').length + broken.length,
  };
}
