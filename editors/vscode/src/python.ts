/** Finding a Python, and the virtual environment that the extension makes with it. */

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import * as path from 'node:path';

import { type Machine, onPath, program } from './locate';

export const OLDEST: readonly [number, number] = [3, 11];

/** What can be run as Python, the command and its first arguments. */
export type Interpreter = readonly [string, ...string[]];

export interface Verdict {
  interpreter: Interpreter;
  version: string;
  /** What is in the way of using it; empty: nothing. */
  problem: string;
}

/** What may be a Python on this machine, the best first. */
export function candidates(machine: Machine, preferred?: string): Interpreter[] {
  const names = ['python3', 'python', ...[14, 13, 12, 11].map((minor) => `python3.${minor}`)];
  const found: Interpreter[] = names
    .map((name) => onPath(name, machine))
    .filter((file): file is string => !!file)
    .map((file) => [file]);
  const launcher = machine.platform === 'win32' ? onPath('py', machine) : undefined;
  return [
    ...(preferred ? [[preferred] as const] : []),
    ...found,
    ...(launcher ? [[launcher, '-3'] as const] : []),
  ];
}

const QUESTION = `
import json, sys
try:
    import ensurepip, venv
    missing = ""
except ImportError as error:
    missing = error.name
print(json.dumps({"version": list(sys.version_info[:3]), "missing": missing}))
`;

/** Judge what a Python says of itself. */
export function judged(interpreter: Interpreter, said: string): Verdict {
  let version: number[];
  let missing: string;
  try {
    ({ version, missing } = JSON.parse(said) as { version: number[]; missing: string });
  } catch {
    return { interpreter, version: '?', problem: 'it does not run' };
  }
  const [major = 0, minor = 0] = version;
  const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  const problem = old
    ? `it is older than ${OLDEST.join('.')}`
    : missing
      ? `it lacks the module ${missing} (on Debian and Ubuntu: apt install python3-venv)`
      : '';
  return { interpreter, version: version.join('.'), problem };
}

/** Ask each candidate in turn; give the first good one, or all verdicts. */
export async function choose(
  interpreters: readonly Interpreter[],
): Promise<{ good?: Verdict; refused: Verdict[] }> {
  const refused: Verdict[] = [];
  for (const interpreter of interpreters) {
    const verdict = judged(interpreter, await answer(interpreter));
    if (!verdict.problem) {
      return { good: verdict, refused };
    }
    refused.push(verdict);
  }
  return { refused };
}

function answer([command, ...first]: Interpreter): Promise<string> {
  return new Promise((resolve) => {
    // -I: neither the environment nor the folder it runs in decides what is imported.
    const options = { timeout: 10_000, windowsHide: true };
    execFile(command, [...first, '-I', '-c', QUESTION], options, (error, stdout) =>
      resolve(error ? '' : stdout),
    );
  });
}

/** What is installed: a requirement as pip reads it, and the folder of wheels to take it from. */
export interface Source {
  requirement: string;
  /** Where there is none, or none for this Python, pip asks its index. */
  wheels: string | undefined;
}

/**
 * Make a virtual environment in `folder` and install or update the source in it; give the
 * server's program. Rejects when a step fails: a new folder is removed then, an old one is kept.
 */
export async function install(
  python: Interpreter,
  folder: string,
  { requirement, wheels }: Source,
  platform: NodeJS.Platform,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const [command, ...first] = python;
  const inside = program(folder, 'python', platform);
  const fresh = !existsSync(program(folder, 'twotrack', platform));
  // One whose Python is gone cannot be mended.
  const clear = existsSync(inside) ? [] : ['--clear'];
  const cwd = path.dirname(folder);
  await mkdir(cwd, { recursive: true });
  try {
    await run(command, [...first, '-I', '-m', 'venv', ...clear, folder], cwd, tell, signal);
    const pip = (...from: string[]): Promise<void> => {
      const args = ['-I', '-m', 'pip', 'install', '--upgrade', '--disable-pip-version-check'];
      return run(inside, [...args, ...from, '--', requirement], cwd, tell, signal);
    };
    if (wheels === undefined) {
      await pip();
    } else {
      await pip('--no-index', '--find-links', wheels).catch((error: unknown) => {
        signal.throwIfAborted();
        tell(`Not all of it is in the extension: ${String(error)}`);
        return pip('--find-links', wheels);
      });
    }
  } catch (error) {
    if (fresh) {
      await rm(folder, { recursive: true, force: true });
    }
    throw error;
  }
  return program(folder, 'twotrack', platform);
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  tell(`> ${command} ${args.join(' ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd, // -I and this: a folder that is open holds nothing that is run here
      signal,
      shell: false,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let last = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split(/\r?\n/).filter((each) => each.trim())) {
          last = line;
          tell(line);
        }
      });
    }
    child.on('error', reject);
    child.on('close', (status) =>
      status === 0
        ? resolve()
        : reject(new Error(`${path.basename(command)} failed (${status}): ${last}`)),
    );
  });
}
