// An executor of one's own. The worker's setting `executors: ["./shout.ts"]` adds it; a task then says
// `executor: shout` and `details: { text: hello }`.
import { defineExecutor } from '@runnel/core';
import { z } from 'zod';

export const shout = defineExecutor({
  name: 'shout',
  details: z.strictObject({ text: z.string() }),
  async execute({ details, log }) {
    const loud = `${details.text.toUpperCase()}!`;
    log.write(`${loud}\n`);
    return { outcome: 'succeeded', output: { loud } };
  },
});
