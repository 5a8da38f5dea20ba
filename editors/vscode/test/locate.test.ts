import assert from 'node:assert/strict';
import { test } from 'node:test';

import { amongTools, expanded, type Machine, onPath, program, server } from '../src/locate';

function machine(given: Partial<Machine> & { files?: string[] } = {}): Machine {
  const { files = [], ...rest } = given;
  return { platform: 'linux', env: {}, home: '/home/me', runs: (f) => files.includes(f), ...rest };
}

test('a program is found in the first folder of the PATH that has it', () => {
  const files = ['/b/twotrack', '/c/twotrack'];
  assert.equal(onPath('twotrack', machine({ env: { PATH: '/a:/b:/c' }, files })), '/b/twotrack');
  assert.equal(onPath('twotrack', machine({ env: {}, files })), undefined);
});

test('folders that are not absolute are passed over: they would be the workspace', () => {
  const files = ['twotrack', './twotrack', 'bin/twotrack', '/twotrack'];
  for (const PATH of ['', '.', ':', 'bin', '..:.']) {
    assert.equal(onPath('twotrack', machine({ env: { PATH }, files })), undefined);
  }
});

test('Windows: Path in any case, semicolons, .exe', () => {
  const files = ['C:\\Tools\\twotrack.exe'];
  const env = { Path: 'D:\\None;C:\\Tools' };
  assert.equal(onPath('twotrack', machine({ platform: 'win32', env, files })), files[0]);
});

test('~ is the home directory, but only in front', () => {
  assert.equal(expanded('~/bin/twotrack', machine()), '/home/me/bin/twotrack');
  assert.equal(expanded(' ~ ', machine()), '/home/me');
  assert.equal(expanded('/a/~/b', machine()), '/a/~/b');
  assert.equal(expanded('~other/b', machine()), '~other/b');
});

const TOOLS: [string, Partial<Machine>, string][] = [
  ['uv', {}, '/home/me/.local/share/uv/tools/twotrack/bin/twotrack'],
  ['uv elsewhere', { env: { UV_TOOL_DIR: '/uv' } }, '/uv/twotrack/bin/twotrack'],
  ['XDG', { env: { XDG_DATA_HOME: '/data' } }, '/data/uv/tools/twotrack/bin/twotrack'],
  ['pipx', {}, '/home/me/.local/share/pipx/venvs/twotrack/bin/twotrack'],
  ['an older pipx', {}, '/home/me/.local/pipx/venvs/twotrack/bin/twotrack'],
  ['pipx elsewhere', { env: { PIPX_HOME: '/pipx' } }, '/pipx/venvs/twotrack/bin/twotrack'],
  [
    'macOS',
    { platform: 'darwin' },
    '/home/me/Library/Application Support/pipx/venvs/twotrack/bin/twotrack',
  ],
  [
    'Windows',
    { platform: 'win32', env: { APPDATA: 'C:\\R' }, home: 'C:\\me' },
    'C:\\R\\uv\\tools\\twotrack\\Scripts\\twotrack.exe',
  ],
];
for (const [name, given, file] of TOOLS) {
  test(`a tool: ${name}`, () => {
    assert.equal(amongTools(machine({ ...given, files: [file] })), file);
  });
}

test('the order: the setting, the PATH, tools, the own environment', () => {
  const own = program('/own', 'twotrack', 'linux');
  const tool = TOOLS[0]![2];
  const files = ['/set/twotrack', '/usr/bin/twotrack', tool, own];
  const env = { PATH: '/usr/bin' };
  const found = (setting: string, there: string[]) =>
    server(setting, '/own', machine({ env, files: there }));
  assert.deepEqual(found('/set/twotrack', files), { program: '/set/twotrack' });
  assert.deepEqual(found('', files), { program: '/usr/bin/twotrack' });
  assert.deepEqual(found('', [tool, own]), { program: tool });
  assert.deepEqual(found('', [own]), { program: own });
  assert.deepEqual(found('', []), { missing: '' });
});

test('a setting that cannot be run is told, and nothing else is taken for it', () => {
  const there = machine({ env: { PATH: '/usr/bin' }, files: ['/usr/bin/twotrack', 'a/twotrack'] });
  assert.deepEqual(server('/set/twotrack', '/own', there), { missing: '/set/twotrack' });
  assert.deepEqual(server('a/twotrack', '/own', there), { missing: 'a/twotrack' });
  assert.deepEqual(server('twotrack', '/own', there), { program: '/usr/bin/twotrack' });
});
