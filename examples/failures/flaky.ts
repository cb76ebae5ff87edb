// Succeeds at the third attempt; Runnel counts them in RUNNEL_ATTEMPT.
const { RUNNEL_ATTEMPT = '1' } = process.env;
if (Number(RUNNEL_ATTEMPT) < 3) {
  process.stderr.write(`attempt ${RUNNEL_ATTEMPT}: the source does not answer\n`);
  process.exitCode = 1;
}
