import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import type { Status, TaskRoute } from '../src/protocol';
import { answered, face, page, plain, spending, usd } from '../src/words';

const ALL = { language: null, files: null, until: null };
const STATUS: Status = {
  busy: 0,
  paused: false,
  pauses: [],
  spentToday: 0,
  spentMonth: 0,
  budgetDay: null,
  budgetMonth: null,
  last: null,
  tasks: {
    complete: { track: 'fast', models: ['codestral', 'recall'], using: 'codestral', chosen: false },
    fix: { track: 'strong', models: ['sonnet'], using: 'sonnet', chosen: true },
  },
  models: [
    {
      name: 'codestral',
      provider: 'codestral',
      model: 'codestral-latest',
      local: false,
      problem: null,
    },
  ],
  noModel: null,
  problems: [],
  ledger: '/data/ledger.sqlite3',
};

test('the status bar says track, model, and what was spent', () => {
  assert.equal(face('running', STATUS).text, '$(sparkle) fast: codestral');
  assert.equal(
    face('running', { ...STATUS, spentToday: 0.126 }).text,
    '$(sparkle) fast: codestral $0.13',
  );
  assert.match(face('running', { ...STATUS, busy: 2 }).text, /^\$\(sync~spin\) /);
  assert.equal(
    face('running', { ...STATUS, paused: true, pauses: [ALL] }).text,
    '$(debug-pause) paused',
  );
  assert.match(
    face('running', { ...STATUS, problems: ['x: unknown option'] }).text,
    /^\$\(warning\)/,
  );
});

test('it says that completions are off for the language of the open file', () => {
  assert.equal(face('running', STATUS, 'markdown').text, '$(circle-slash) off for markdown');
  const paused = { ...STATUS, paused: true, pauses: [ALL] };
  assert.equal(face('running', paused, 'markdown').text, '$(debug-pause) paused');
});

test('it says so where there is no model, no server, or no answer yet', () => {
  const none: Status['tasks'] = {
    complete: { track: 'fast', models: [], using: null, chosen: false },
  };
  assert.equal(face('running', { ...STATUS, tasks: none }).text, '$(warning) no model');
  assert.match(face('missing', undefined).tooltip, /not found/);
  assert.match(face('starting', undefined).text, /spin/);
  assert.ok(face('stopped', undefined).warning);
  assert.ok(!face('running', undefined).warning);
});

test('a limit that is reached is a warning', () => {
  const spent = { ...STATUS, spentToday: 1, budgetDay: 1 };
  assert.ok(face('running', spent).warning);
  assert.ok(!face('running', { ...spent, budgetDay: 2 }).warning);
  assert.equal(spending(spent), 'Spent today $1.00 of $1.00, this month $0');
});

test('the tooltip shows each task, and shows names as they are', () => {
  const odd: TaskRoute = { track: 'fast', models: [], using: 'a_b|[c](d)', chosen: false };
  const { tooltip } = face('running', { ...STATUS, tasks: { ...STATUS.tasks, complete: odd } });
  assert.match(tooltip, /\| fix \| strong \| sonnet \(chosen\) \|/);
  assert.ok(tooltip.includes('a\\_b\\|\\[c\\]\\(d\\)'));
});

test('amounts', () => {
  assert.deepEqual([0, 0.00042, 0.0099, 0.01, 12.345].map(usd), [
    '$0',
    '$0.0004',
    '$0.01',
    '$0.01',
    '$12.35',
  ]);
  assert.equal(answered({ model: 'm', ms: 1234, costUsd: 0.02 }), 'm in 1.2 s for $0.02');
  assert.equal(answered({ ms: 12.4, costUsd: null }), 'in 12 ms');
});

test('without a model nothing looks well: a warning, and a click that leads to one', () => {
  const own: TaskRoute = { track: 'fast', models: ['recall'], using: 'recall', chosen: false };
  const noModel = 'No model: completions come from your own code alone.';
  const poor = { ...STATUS, tasks: { complete: own }, noModel };
  const shown = face('running', poor);
  assert.equal(shown.text, '$(warning) no model');
  assert.ok(shown.warning && shown.mends);
  assert.match(shown.tooltip, /from your own code alone.*\(command:twotrack\.addModel\)/);
  assert.equal(
    face('running', { ...poor, paused: true, pauses: [ALL] }).text,
    '$(debug-pause) paused',
  );
  assert.ok(!face('running', STATUS).mends);
});

test('an explanation says who wrote it', () => {
  const result = { title: 'Explain area', text: 'It *multiplies*.', edit: null };
  assert.equal(
    page({ ...result, model: 'sonnet', ms: 1234, costUsd: 0.02 }),
    '# Explain area\n\nIt *multiplies*.\n\n---\n\nsonnet in 1.2 s for $0.02\n',
  );
});

test('the name of a file is no link and hides nothing in a message', () => {
  assert.equal(plain('[Install](command:x).py'), '[Install] (command:x).py');
  assert.equal(plain('[a] [b]\n:c'), '[a] [b] :c');
  assert.equal(plain('user\u202e\u2066gnp.exe'), 'user\ufffd\ufffdgnp.exe');
  assert.equal(plain('a\u200b\x1b\n\u2028b'), 'a\ufffd\ufffd b');
  assert.equal(plain('می‌خواهم ❤️.py'), 'می‌خواهم ❤️.py');
});

test('a message that is not constant goes through the one function', () => {
  for (const name of readdirSync('src').filter((each) => each.endsWith('.ts'))) {
    const text = readFileSync(`src/${name}`, 'utf8');
    const shown = text.matchAll(/window\.show(?:Information|Warning|Error)Message\(\s*([^'\s])/g);
    assert.deepEqual(
      [...shown].map(([call]) => `${name}: ${call}`),
      [],
    );
  }
});
