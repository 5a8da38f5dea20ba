import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import type { EditResult, Page, Requests, SentPage, ServerNotifications } from '../src/protocol';
import { answered, face, page } from '../src/words';

/** What a real server said: tests/editors/recording.py takes it down. */
interface Recording {
  answers: { [Method in keyof Requests]: Requests[Method]['result'] };
  edits: { refactor: EditResult; explain: EditResult };
  notifications: {
    [Method in keyof ServerNotifications]: [Method, ServerNotifications[Method]];
  }[keyof ServerNotifications][];
}

const path = process.env['TWOTRACK_RECORDING'];
const skip = path ? false : 'no recording: tests/editors/vscode/test_package.py brings one';
const recording = path ? (JSON.parse(readFileSync(path, 'utf8')) as Recording) : undefined!;
const MISSING = /undefined|null|NaN|\[object/;

function whole(text: string): string {
  assert.doesNotMatch(text, MISSING);
  return text;
}

test('the status of a real server is shown whole', { skip }, () => {
  const statuses = recording.notifications.flatMap(([name, params]) =>
    name === 'twotrack/didChangeStatus' ? [params] : [],
  );
  for (const status of [recording.answers['twotrack/status'], ...statuses]) {
    const { text, tooltip } = face('running', status);
    assert.match(whole(text), /fast: quick/);
    assert.match(whole(tooltip), /\| refactor \| strong \| clever \|/);
  }
  const { tooltip } = face('running', recording.answers['twotrack/status']);
  assert.match(tooltip, /Last: explain clever in \d+ ms for \\?\$0\.\d+/);
});

test('what was sent names task, model, outcome, time and cost', { skip }, () => {
  const { markdown, requests }: SentPage = recording.answers['twotrack/requests'];
  assert.match(markdown, /^## .* · refactor · clever · answered in \d+ ms · \$0\.\d+$/m);
  assert.match(markdown, /^## .* · explain · clever · answered in \d+ ms · \$0\.\d+$/m);
  for (const heading of markdown.match(/^## .*$/gm) ?? []) {
    whole(heading);
  }
  const [first] = requests.filter(({ task }) => task === 'refactor');
  assert.ok(first && first.model === 'clever' && first.outcome === 'answered');
  assert.ok(first.ms > 0 && first.costUsd! > 0);
});

test('an edit and an explanation say who answered, how fast and for how much', { skip }, () => {
  const { refactor, explain } = recording.edits;
  assert.match(whole(answered(refactor)), /^clever in .*s for \$0\.\d+$/);
  assert.ok(refactor.edit);
  assert.match(whole(page(explain)), /multiplies[^]*clever in .*s for \\?\$0/);
});

test('a notice has a reason and what mends it', { skip }, () => {
  const [notice] = recording.notifications.flatMap(([name, params]) =>
    name === 'twotrack/notice' ? [params] : [],
  );
  assert.equal(notice?.reason, 'The API key of clever was refused.');
  assert.deepEqual([notice?.remedy, notice?.model], ['key', 'clever']);
  const ledger: Page = recording.answers['twotrack/ledger'];
  whole(ledger.markdown);
});
