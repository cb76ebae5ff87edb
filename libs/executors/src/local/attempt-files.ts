import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@runnel/core';

/** What the command of one attempt reads and what it hands on. Disposing removes all that it put there. */
export interface AttemptFiles extends AsyncDisposable {
  readonly outputFile: string;
  readonly inputsFile: string;
  readonly tasksFile: string;
  /** Of a command that has ended. */
  hasOutput(): boolean;
  /** The same: whether it wrote the tasks that it generated to their file. */
  hasTasks(): boolean;
}

/** A private directory that one attempt after another has, with a file for those that have no inputs. */
interface Slot {
  readonly directory: string;
  readonly noInputs: Stats;
}

const noInputsName = 'inputs.json';

/**
 * Gives each attempt its files in a directory of its own. Most commands use none, so a directory that was left as it was
 * found is given to another attempt later. An attempt's own names hold a number that is never given again: a process
 * that outlives its attempt can't write the output of a later one.
 *
 * The quick questions about the directory are asked synchronously. It is on this machine, and the detour by a thread
 * costs ten times as much.
 */
export class AttemptFilesStore implements AsyncDisposable {
  readonly #temporaryDir: string;
  readonly #idle: Slot[] = [];
  #attempts = 0;
  #isClosed = false;

  constructor(temporaryDir: string) {
    this.#temporaryDir = temporaryDir;
  }

  async open(inputs: JsonObject): Promise<AttemptFiles> {
    const slot = await this.#take();
    const number = ++this.#attempts;
    const outputName = `output-${number}.json`;
    const tasksName = `tasks-${number}.json`;
    const inputsName = hasEntries(inputs) ? `inputs-${number}.json` : noInputsName;
    const inputsFile = `${slot.directory}/${inputsName}`;
    let names: readonly string[] | null = null;
    const giveBack = (): Promise<void> =>
      this.#giveBack(slot, names ?? list(slot), [outputName, inputsName, tasksName]);
    try {
      if (inputsName !== noInputsName) {
        await writeFile(inputsFile, JSON.stringify(inputs), { mode: 0o600 });
      }
    } catch (error: unknown) {
      await giveBack();
      throw error;
    }
    return {
      outputFile: `${slot.directory}/${outputName}`,
      inputsFile,
      tasksFile: `${slot.directory}/${tasksName}`,
      hasOutput: () => {
        names = list(slot);
        return names?.includes(outputName) ?? false;
      },
      hasTasks: () => list(slot)?.includes(tasksName) ?? false,
      [Symbol.asyncDispose]: giveBack,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#idle.splice(0).map(({ directory }) => removeDirectory(directory)));
  }

  async #take(): Promise<Slot> {
    for (let slot = this.#idle.pop(); slot !== undefined; slot = this.#idle.pop()) {
      if (isAsMade(slot)) return slot;
      // Cleaned away as an old temporary file, or changed by a process that outlived its attempt.
      await removeDirectory(slot.directory);
    }
    return makeSlot(this.#temporaryDir);
  }

  async #giveBack(
    slot: Slot,
    names: readonly string[] | null,
    own: readonly string[],
  ): Promise<void> {
    if (!this.#isClosed && names !== null && removeOwn(slot, names, own)) this.#idle.push(slot);
    else await removeDirectory(slot.directory);
  }
}

function hasEntries(inputs: JsonObject): boolean {
  for (const _ in inputs) return true;
  return false;
}

/** Null where the command took the directory away, or the right to look into it. */
function list({ directory }: Slot): readonly string[] | null {
  try {
    return readdirSync(directory);
  } catch {
    return null;
  }
}

/** False where there is more than the attempt's own files: then the whole directory has to go. */
function removeOwn(slot: Slot, names: readonly string[], own: readonly string[]): boolean {
  try {
    for (const name of names) {
      if (name === noInputsName) continue;
      if (!own.includes(name)) return false;
      unlinkSync(`${slot.directory}/${name}`);
    }
    return true;
  } catch {
    // The output is a directory.
    return false;
  }
}

function makeSlot(temporaryDir: string): Slot {
  const directory = mkdtempSync(join(temporaryDir, 'runnel-'));
  const file = join(directory, noInputsName);
  writeFileSync(file, '{}', { mode: 0o400, flag: 'wx' });
  return { directory, noInputs: lstatSync(file) };
}

function isAsMade({ directory, noInputs }: Slot): boolean {
  const found = lstatSync(join(directory, noInputsName), { throwIfNoEntry: false });
  return (
    found !== undefined &&
    found.ino === noInputs.ino &&
    found.size === noInputs.size &&
    found.ctimeMs === noInputs.ctimeMs
  );
}

async function removeDirectory(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // What can't be removed from the temporary directory must not change how the attempt ended.
  }
}
