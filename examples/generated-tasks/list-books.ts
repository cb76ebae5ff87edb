/** Writes a task for each book to stdout, a line each, and one that waits for all of them. */
const books = {
  'a-tale': 'It was the best of times',
  emma: 'Emma Woodhouse, handsome, clever, and rich',
};

for (const [name, text] of Object.entries(books)) {
  const command = ['sh', '-c', 'echo "$TEXT" | wc -w > "$NAME.count"'];
  const details = { command, environment: { NAME: name, TEXT: text } };
  process.stdout.write(`${JSON.stringify({ class: 'count', id: name, details })}\n`);
}
const check = { command: ['sh', '-c', 'ls *.count'] };
process.stdout.write(`${JSON.stringify({ class: 'check', parents: ['count'], details: check })}\n`);
