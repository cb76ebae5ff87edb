import { describe, expect, test } from 'vitest';
import type { Archive, ArchivedRun, ArchivePage, ArchiveQuery } from './archive.ts';

const noon = 1_900_000_000_000;

function runOf(id: string, more: Partial<ArchivedRun> = {}): ArchivedRun {
  const { name = null, tags = {} } = more;
  return {
    ...{ id, name, tags, state: 'succeeded', createdAt: noon, startedAt: noon, endedAt: noon + 5 },
    ...{ taskCount: 2, priority: 0, revision: 1, classes: null },
    record: { id, tags: JSON.stringify(tags), ...(name === null ? {} : { name }) },
    ...more,
  };
}

let copies = 0;

/** Keeps a run of one part. */
async function keep(archive: Archive, run: ArchivedRun): Promise<void> {
  const key = { run: run.id, copy: ++copies };
  const parts = [{ number: 0, bytes: Buffer.from(run.id) }];
  await archive.seal(key, { run, parts, partCount: 1, statistics: null, now: noon });
}

/** All pages of a search. */
async function findAll(
  archive: Archive,
  query: Omit<ArchiveQuery, 'limit'>,
  limit = 100,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let page: ArchivePage = await archive.find({ ...query, limit });
  ids.push(...page.runs.map(({ id }) => id));
  while (page.next !== null) {
    page = await archive.find({ ...query, limit, after: page.next });
    ids.push(...page.runs.map(({ id }) => id));
  }
  return ids;
}

/** What every archive does. `open` gives an empty one; opened again it is the same. */
export function archiveSuite(open: () => Promise<Archive>): void {
  describe('keeping', () => {
    test('a run is seen once its copy is sealed, with all its parts in order', async () => {
      await using archive = await open();
      const key = { run: 'a', copy: ++copies };
      const run = runOf('a', { name: 'n', tags: { team: 'data' }, classes: '[]' });
      const last = [{ number: 2, bytes: Buffer.from([0, 255]) }];

      await archive.put(key, [{ number: 0, bytes: Buffer.from('x') }], noon);
      await archive.put(key, [{ number: 1, bytes: Buffer.from('y') }], noon);
      const before = await archive.read('a');
      await archive.seal(key, { run, parts: last, partCount: 3, statistics: null, now: noon });
      const found = await archive.read('a');
      const [first, second] = await archive.readParts(key, 0);
      const rest = await archive.readParts(key, 2);

      expect(before).toBeNull();
      expect(found).toEqual({ run, copy: key.copy, partCount: 3 });
      expect([first, second, ...rest].map((part) => [...(part?.bytes ?? [])])).toEqual([
        [120],
        [121],
        [0, 255],
      ]);
      expect(await archive.readParts(key, 3)).toEqual([]);
    });

    test('what was measured of runs is read apart from them, where something was', async () => {
      await using archive = await open();
      const sealing = { parts: [{ number: 0, bytes: Buffer.from('x') }], partCount: 1, now: noon };
      const statistics = '[{"class":"ü"}]';
      await archive.seal({ run: 'a', copy: ++copies }, { ...sealing, run: runOf('a'), statistics });
      await keep(archive, runOf('b'));

      expect(await archive.readStatistics(['a', 'b', 'gone'])).toEqual([{ id: 'a', statistics }]);
      expect([...(await archive.known(['gone', 'b', 'a']))].sort()).toEqual(['a', 'b']);
      expect(await archive.known([])).toEqual([]);
      await archive.remove('a');
      expect(await archive.readStatistics(['a'])).toEqual([]);
    });

    test('what is sent again changes nothing', async () => {
      await using archive = await open();
      const key = { run: 'a', copy: ++copies };
      const parts = [{ number: 0, bytes: Buffer.from('x') }];
      const sealing = {
        run: runOf('a', { tags: { a: 'b' } }),
        parts,
        partCount: 1,
        statistics: null,
        now: noon,
      };

      await archive.put(key, parts, noon);
      await archive.put(key, parts, noon);
      await archive.seal(key, sealing);
      await archive.seal(key, sealing);

      expect(await findAll(archive, {})).toEqual(['a']);
      expect(await archive.listTagKeys()).toEqual([{ value: 'a', runs: 1 }]);
      expect(await archive.readParts(key, 0)).toHaveLength(1);
    });

    test('a newer copy of a run takes the place of the older one', async () => {
      await using archive = await open();
      await keep(archive, runOf('a', { state: 'failed', tags: { old: 'tag' } }));
      const before = await archive.read('a');

      await keep(archive, runOf('a', { state: 'succeeded', tags: { new: 'tag' } }));

      expect((await archive.read('a'))?.run.state).toBe('succeeded');
      expect(await findAll(archive, {})).toEqual(['a']);
      expect(await findAll(archive, { state: 'failed' })).toEqual([]);
      expect(await archive.listTagKeys()).toEqual([{ value: 'new', runs: 1 }]);
      expect(await archive.readParts({ run: 'a', copy: before?.copy ?? 0 }, 0)).toEqual([]);
    });

    test('a second copy with the very same record is dropped', async () => {
      await using archive = await open();
      const run = runOf('a', { record: { state: 'failed', ended: '5' } });
      const first = { run: 'a', copy: ++copies };
      const second = { run: 'a', copy: ++copies };
      const parts = [{ number: 0, bytes: Buffer.from('x') }];

      const sealed = await archive.seal(first, {
        run,
        parts,
        partCount: 1,
        statistics: null,
        now: noon,
      });
      const again = await archive.seal(second, {
        run,
        parts,
        partCount: 1,
        statistics: null,
        now: noon,
      });

      expect([sealed, again]).toEqual([true, false]);
      expect((await archive.read('a'))?.copy).toBe(first.copy);
      expect(await archive.readParts(second, 0)).toEqual([]);
      expect(await archive.dropUnsealed(noon + 1)).toBe(0);
    });

    test('of copies that are sealed at once one is seen, and nothing is left of the others', async () => {
      await using archive = await open();
      const run = runOf('a', { tags: { team: 'data' } });
      const keys = [1, 2, 3, 4].map(() => ({ run: 'a', copy: ++copies }));
      const parts = [{ number: 0, bytes: Buffer.from('x') }];

      const sealed = await Promise.all(
        keys.map((key) =>
          archive.seal(key, { run, parts, partCount: 1, statistics: null, now: noon }),
        ),
      );

      const kept = keys.filter((_, index) => sealed[index]);
      expect(kept).toEqual([{ run: 'a', copy: (await archive.read('a'))?.copy }]);
      expect(await archive.listTagKeys()).toEqual([{ value: 'team', runs: 1 }]);
      const left = await Promise.all(keys.map((key) => archive.readParts(key, 0)));
      expect(left.flat()).toHaveLength(1);
      expect(await archive.dropUnsealed(noon + 1)).toBe(0);
    });

    test('a run of which several copies were sealed at once goes with one removal', async () => {
      await using archive = await open();
      const sealing = { parts: [], partCount: 0, statistics: null, now: noon };

      await Promise.all(
        ['failed', 'succeeded', 'cancelled'].map((state) =>
          archive.seal(
            { run: 'a', copy: ++copies },
            { ...sealing, run: runOf('a', { state, tags: { state }, record: { state } }) },
          ),
        ),
      );
      const seen = await findAll(archive, {});
      const removed = await archive.remove('a');

      expect([seen, removed]).toEqual([['a'], true]);
      expect(await findAll(archive, {})).toEqual([]);
      expect(await archive.listTagKeys()).toEqual([]);
    });

    test('a copy that lost parts is not sealed', async () => {
      await using archive = await open();
      const key = { run: 'a', copy: ++copies };
      await archive.put(key, [{ number: 0, bytes: Buffer.from('x') }], noon);
      await archive.dropUnsealed(noon + 1);

      const sealing = { run: runOf('a'), parts: [], partCount: 1, statistics: null, now: noon };
      await expect(archive.seal(key, sealing)).rejects.toThrow('has lost parts');

      expect(await archive.read('a')).toBeNull();
    });

    test('copies that were begun and not sealed go, others stay', async () => {
      await using archive = await open();
      const old = { run: 'a', copy: ++copies };
      const young = { run: 'b', copy: ++copies };
      await archive.put(old, [{ number: 0, bytes: Buffer.from('x') }], noon);
      await archive.put(young, [{ number: 0, bytes: Buffer.from('x') }], noon + 10);
      await keep(archive, runOf('c'));

      const dropped = await archive.dropUnsealed(noon + 5);

      expect(dropped).toBe(1);
      expect(await archive.readParts(old, 0)).toEqual([]);
      expect(await archive.readParts(young, 0)).toHaveLength(1);
      expect(await archive.read('c')).not.toBeNull();
    });

    test('a run that is removed leaves nothing to be found', async () => {
      await using archive = await open();
      await keep(archive, runOf('a', { name: 'n', tags: { team: 'data' } }));
      const copy = (await archive.read('a'))?.copy ?? 0;

      const removed = await archive.remove('a');
      const again = await archive.remove('a');

      expect([removed, again]).toEqual([true, false]);
      expect(await archive.read('a')).toBeNull();
      expect(await findAll(archive, {})).toEqual([]);
      expect(await archive.listTagKeys()).toEqual([]);
      expect(await archive.readParts({ run: 'a', copy }, 0)).toEqual([]);
    });

    test('the oldest ends go, by age and by number, so many at once', async () => {
      await using archive = await open();
      for (const n of [3, 1, 2, 4, 5]) {
        await keep(archive, runOf(`r${n}`, { endedAt: noon + n, createdAt: noon - n }));
      }

      const byAge = await archive.prune({ endedBefore: noon + 3, mostRuns: null, limit: 1 });
      const left = await findAll(archive, {});
      const byCount = await archive.prune({ endedBefore: null, mostRuns: 2, limit: 10 });
      const none = await archive.prune({ endedBefore: noon, mostRuns: 2, limit: 10 });

      expect([byAge, byCount, none]).toEqual([1, 2, 0]);
      expect(left).toEqual(['r2', 'r3', 'r4', 'r5']);
      expect(await findAll(archive, {})).toEqual(['r4', 'r5']);
    });
  });

  describe('finding', () => {
    test('runs come newest first, page by page, none twice and none left out', async () => {
      await using archive = await open();
      const ids = ['e', 'd', 'c', 'b', 'a'];
      // Two of one time.
      for (const [n, id] of ids.entries()) {
        await keep(archive, runOf(id, { createdAt: noon - Math.floor(n / 2) }));
      }

      expect(await findAll(archive, {}, 2)).toEqual(ids);
      expect(await findAll(archive, {}, 5)).toEqual(ids);
      expect(await findAll(archive, { state: 'succeeded' }, 1)).toEqual(ids);
    });

    test('each condition holds alone and with the others', async () => {
      await using archive = await open();
      await keep(archive, runOf('a', { name: 'Daily load', tags: { team: 'data', env: 'test' } }));
      await keep(archive, runOf('b', { name: 'daily check', tags: { team: 'dawn', env: 'test' } }));
      await keep(archive, runOf('c', { name: 'load', tags: { team: 'ops' }, state: 'failed' }));
      await keep(archive, runOf('d', { createdAt: noon + 10, endedAt: noon + 20 }));
      const tag = (key: string, value: string, isPrefix = false) => ({ key, value, isPrefix });

      const found = (query: Omit<ArchiveQuery, 'limit'>) => findAll(archive, query);
      expect(await found({ tags: [tag('team', 'data')] })).toEqual(['a']);
      expect(await found({ tags: [tag('team', 'da', true)] })).toEqual(['b', 'a']);
      expect(await found({ tags: [tag('team', '', true)] })).toEqual(['c', 'b', 'a']);
      expect(await found({ tags: [tag('team', 'da', true), tag('env', 'test')] })).toEqual([
        'b',
        'a',
      ]);
      expect(await found({ tags: [tag('team', 'data'), tag('team', 'dawn')] })).toEqual([]);
      expect(await found({ tags: [tag('none', 'x')] })).toEqual([]);
      expect(await found({ name: 'load' })).toEqual(['c']);
      expect(await found({ text: 'LOAD' })).toEqual(['c', 'a']);
      expect(await found({ text: 'load', tags: [tag('env', 'test')] })).toEqual(['a']);
      expect(await found({ state: 'failed' })).toEqual(['c']);
      expect(await found({ since: noon + 10 })).toEqual(['d']);
      expect(await found({ until: noon + 9 })).toEqual(['c', 'b', 'a']);
      expect(await found({ endedSince: noon + 20, endedUntil: noon + 20 })).toEqual(['d']);
      expect(await found({ endedUntil: noon + 5, state: 'failed' })).toEqual(['c']);
    });

    test('many values that begin alike are found as few are', async () => {
      await using archive = await open();
      const ids: string[] = [];
      for (let n = 0; n < 80; n++) {
        ids.push(`r${String(n).padStart(3, '0')}`);
        const tags = { day: `2030-${n}`, half: n % 2 === 0 ? 'a' : 'b' };
        const name = `report of day ${n}`;
        await keep(archive, runOf(ids[n] ?? '', { createdAt: noon - n, tags, name }));
      }
      const byDay = { key: 'day', value: '2030-', isPrefix: true };
      const byHalf = { key: 'half', value: 'b', isPrefix: false };
      const odd = ids.filter((_, n) => n % 2 === 1);

      expect(await findAll(archive, { tags: [byDay] }, 7)).toEqual(ids);
      expect(await findAll(archive, { tags: [byDay, byHalf] }, 7)).toEqual(odd);
      expect(await findAll(archive, { text: 'of day' }, 7)).toEqual(ids);
      expect(await findAll(archive, { tags: [{ ...byDay, value: '2030-1' }] }, 3)).toEqual(
        ids.filter((_, n) => String(n).startsWith('1')),
      );
    });

    test('tags are counted by key and by value', async () => {
      await using archive = await open();
      await keep(archive, runOf('a', { tags: { team: 'data', 'env:x': '1' } }));
      await keep(archive, runOf('b', { tags: { team: 'data' } }));
      await keep(archive, runOf('c', { tags: { team: 'ops' } }));

      expect(await archive.listTagKeys()).toEqual([
        { value: 'env:x', runs: 1 },
        { value: 'team', runs: 3 },
      ]);
      expect(await archive.listTagValues({ key: 'team', prefix: '', limit: 10 })).toEqual([
        { value: 'data', runs: 2 },
        { value: 'ops', runs: 1 },
      ]);
      expect(await archive.listTagValues({ key: 'team', prefix: 'o', limit: 10 })).toHaveLength(1);
      expect(await archive.listTagValues({ key: 'team', prefix: '', limit: 1 })).toHaveLength(1);
    });

    test('what no run has is found nowhere, whatever letters it has', async () => {
      await using archive = await open();
      await keep(archive, runOf('a', { tags: { team: 'data' } }));

      for (const odd of [
        '\0',
        'a\0',
        '\ud800',
        `'"\\%_`,
        '\u202eabc',
        '\u{1f600}',
        'x'.repeat(10_000),
      ]) {
        expect(await archive.read(odd)).toBeNull();
        expect(await archive.remove(odd)).toBe(false);
        const found = await archive.listTagValues({ key: 'team', prefix: odd, limit: 10 });
        expect([found, await archive.listTagValues({ key: odd, prefix: '', limit: 10 })]).toEqual([
          [],
          [],
        ]);
        expect(await findAll(archive, { name: odd })).toEqual([]);
        expect(await findAll(archive, { text: odd })).toEqual([]);
        expect(await findAll(archive, { tags: [{ key: odd, value: '', isPrefix: true }] })).toEqual(
          [],
        );
      }
    });

    test('tags that are searched by the same letters leave nothing behind', async () => {
      await using archive = await open();
      await keep(archive, runOf('a', { tags: { 'k\0': '1', 'k\ufffd': '2' } }));
      const before = await archive.listTagKeys();

      await archive.remove('a');

      expect(before).toEqual([{ value: 'k\ufffd', runs: 1 }]);
      expect(await archive.listTagKeys()).toEqual([]);
    });

    test('texts that no database likes are kept as they are, and found', async () => {
      await using archive = await open();
      const tags = { zero: 'a\0b', half: '\ud800', quote: `'"\\%_`, long: 'x'.repeat(5_000) };
      await keep(archive, runOf('a', { name: 'z\0', tags }));

      expect((await archive.read('a'))?.run).toMatchObject({ name: 'z\0', tags });
      for (const [key, value] of Object.entries(tags)) {
        expect(await findAll(archive, { tags: [{ key, value, isPrefix: false }] })).toEqual(['a']);
      }
      expect(await findAll(archive, { text: 'z\0' })).toEqual(['a']);
      expect(
        await findAll(archive, { tags: [{ key: 'quote', value: `'"\\%`, isPrefix: true }] }),
      ).toEqual(['a']);
    });
  });
}
