import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';

import type { Machine } from '../src/locate';
import { candidates, choose, install, judged } from '../src/python';

function machine(platform: NodeJS.Platform, files: string[]): Machine {
  const env = { PATH: platform === 'win32' ? 'C:\\P' : '/usr/bin' };
  return { platform, env, home: '/home/me', runs: (file) => files.includes(file) };
}

test('the preferred Python comes first, then what is on the PATH', () => {
  const here = machine('linux', ['/usr/bin/python3', '/usr/bin/python3.12']);
  assert.deepEqual(candidates(here, '/ws/.venv/bin/python'), [
    ['/ws/.venv/bin/python'],
    ['/usr/bin/python3'],
    ['/usr/bin/python3.12'],
  ]);
  assert.deepEqual(candidates(machine('linux', [])), []);
});

test('Windows has a launcher', () => {
  assert.deepEqual(candidates(machine('win32', ['C:\\P\\py.exe'])), [['C:\\P\\py.exe', '-3']]);
});

const said = (version: number[], missing = ''): string => JSON.stringify({ version, missing });

test('what a Python says of itself', () => {
  assert.equal(judged(['p'], said([3, 11, 0])).problem, '');
  assert.equal(judged(['p'], said([4, 0, 0])).problem, '');
  assert.match(judged(['p'], said([3, 10, 9])).problem, /older than 3\.11/);
  assert.match(judged(['p'], said([2, 7, 18])).problem, /older/);
  assert.match(judged(['p'], said([3, 12, 1], 'ensurepip')).problem, /python3-venv/);
  assert.match(judged(['p'], '').problem, /does not run/);
});

test('one that does not run is passed over', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'twotrack-'));
  const good = path.join(folder, 'good');
  const answer = said([3, 12, 4]);
  writeFileSync(good, `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
  const { good: found, refused } = await choose([['/nowhere/python'], [good]]);
  assert.equal(found?.version, '3.12.4');
  assert.deepEqual(
    refused.map(({ problem }) => problem),
    ['it does not run'],
  );
  rmSync(folder, { recursive: true });
});

/**
 * A Python that writes down how it was called, and makes a "virtual environment" of itself. Its
 * pip ends with `pip`, and with `offline` where it may not ask an index.
 */
function recorder(folder: string, pip: number, offline = pip): string {
  const file = path.join(folder, 'python');
  const script = `#!/bin/sh
printf '%s|' "$PWD" "$@" >> '${folder}/calls'; echo >> '${folder}/calls'
case "$*" in
  *'-m venv'*) mkdir -p "$5/bin" && cp "$0" "$5/bin/python" ;;
  *--no-index*) exit ${offline} ;;
  *'-m pip'*) echo "could not find it" >&2; exit ${pip} ;;
esac
`;
  writeFileSync(file, script, { mode: 0o755 });
  return file;
}

test('a virtual environment is made, and the requirement is one argument', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'twotrack-'));
  const venv = path.join(folder, 'a b', 'server');
  const requirement = '--evil; $(touch x) twotrack[local]';
  const signal = new AbortController().signal;
  const source = { requirement, wheels: undefined };
  const made = await install([recorder(folder, 0)], venv, source, 'linux', () => {}, signal);
  assert.equal(made, path.join(venv, 'bin', 'twotrack'));
  assert.deepEqual(readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n'), [
    `${path.dirname(venv)}|-I|-m|venv|--clear|${venv}|`,
    `${path.dirname(venv)}|-I|-m|pip|install|--upgrade|--disable-pip-version-check|--|${requirement}|`,
  ]);
  rmSync(folder, { recursive: true });
});

test('wheels that come along are enough; where they are not, the index is asked too', async () => {
  const pip = '-I|-m|pip|install|--upgrade|--disable-pip-version-check|';
  const alone = `${pip}--no-index|--find-links|/wheels|--|twotrack[local]|`;
  const both = `${pip}--find-links|/wheels|--|twotrack[local]|`;
  for (const [offline, expected] of [
    [0, [alone]],
    [1, [alone, both]],
  ] as const) {
    const folder = mkdtempSync(path.join(tmpdir(), 'twotrack-'));
    const python = [recorder(folder, 0, offline)] as const;
    const source = { requirement: 'twotrack[local]', wheels: '/wheels' };
    const signal = new AbortController().signal;
    await install(python, path.join(folder, 'server'), source, 'linux', () => {}, signal);
    const calls = readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n').slice(1);
    assert.deepEqual(
      calls,
      expected.map((call) => `${folder}|${call}`),
    );
    rmSync(folder, { recursive: true });
  }
});

test('what fails says so, and leaves no half of an environment', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'twotrack-'));
  const venv = path.join(folder, 'server');
  const lines: string[] = [];
  const signal = new AbortController().signal;
  await assert.rejects(
    install(
      [recorder(folder, 1)],
      venv,
      { requirement: 'x', wheels: undefined },
      'linux',
      (line) => lines.push(line),
      signal,
    ),
    /python failed \(1\): could not find it/,
  );
  assert.ok(lines.includes('could not find it'));
  assert.throws(() => readFileSync(path.join(venv, 'bin', 'python')));
  rmSync(folder, { recursive: true });
});
