import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { given, type Inspected, serverKeys } from '../src/settings';

function told(set: Record<string, Inspected>): object {
  return given(Object.keys(set), (key) => set[key]);
}

test('only what somebody set is told, in the shape of the TOML', () => {
  const set = {
    'completion.max_lines': { globalValue: 5 },
    'completion.debounce_ms': {},
    models: { globalValue: { a: { provider: 'ollama' } } },
    'routes.fast': { globalValue: ['a'], workspaceValue: ['b'] },
    'routes.strong': { workspaceValue: ['b'], workspaceFolderValue: ['c'] },
    'privacy.redact': { globalValue: false },
  };
  assert.deepEqual(told(set), {
    completion: { max_lines: 5 },
    models: { a: { provider: 'ollama' } },
    routes: { fast: ['b'], strong: ['c'] },
    privacy: { redact: false },
  });
});

test('empty strings and nulls are how the settings editor takes a value back', () => {
  const set = { 'network.proxy': { globalValue: '' }, 'budget.day': { globalValue: null } };
  assert.deepEqual(told(set), {});
});

test('the keys are those of the server, not the own ones', () => {
  const keys = serverKeys(JSON.parse(readFileSync('package.json', 'utf8')));
  assert.ok(keys.includes('models'));
  assert.ok(keys.includes('completion.debounce_ms'));
  assert.ok(!keys.some((key) => key.startsWith('server.') || key === 'preview'));
});
