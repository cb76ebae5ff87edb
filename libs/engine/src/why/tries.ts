/**
 * Which try an attempt is of those that its retries allow: `2 of 3`. What was made before a user brought
 * the task back does not count: `the 2nd of 3 since the retry`.
 */
export function describeTry(attempt: number, limit: number, base: number): string {
  if (base === 0) return `${attempt} of ${limit + 1}`;
  return `the ${ordinal(attempt - base)} of ${limit + 1} since the retry`;
}

function ordinal(number: number): string {
  const isTeen = Math.floor((number % 100) / 10) === 1;
  return `${number}${isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')}`;
}
