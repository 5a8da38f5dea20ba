import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Conflict, rebased, type Replacement } from '../src/rebase';

function at(from: [number, number], to: [number, number], text: string): Replacement {
  const [start, end] = [from, to].map(([line, character]) => ({ line, character }));
  return { range: { start: start!, end: end! }, text };
}

const EDIT = at([2, 4], [2, 9], 'new');
const CASES: [string, Replacement[], Replacement][] = [
  ['nothing', [], EDIT],
  ['a line above', [at([0, 0], [0, 0], 'x\n')], at([3, 4], [3, 9], 'new')],
  ['lines above, with CRLF', [at([0, 0], [0, 0], 'x\r\ny\r\n')], at([4, 4], [4, 9], 'new')],
  ['a line above removed', [at([0, 0], [1, 0], '')], at([1, 4], [1, 9], 'new')],
  ['in the same line before it', [at([2, 0], [2, 1], 'abc')], at([2, 6], [2, 11], 'new')],
  ['the line broken before it', [at([2, 2], [2, 2], '\n ')], at([3, 3], [3, 8], 'new')],
  ['lines joined before it', [at([1, 5], [2, 1], '')], at([1, 8], [1, 13], 'new')],
  ['below', [at([2, 10], [5, 0], '')], EDIT],
  ['key by key', [at([0, 0], [0, 0], 'a'), at([0, 1], [0, 1], '\n')], at([3, 4], [3, 9], 'new')],
];
for (const [name, typed, wanted] of CASES) {
  test(`typed meanwhile: ${name}`, () => assert.deepEqual(rebased([EDIT], typed), [wanted]));
}

for (const typed of [
  at([2, 4], [2, 4], 'x'), // at its very start
  at([2, 9], [2, 9], 'x'), // at its very end
  at([2, 6], [2, 6], 'x'),
  at([1, 0], [3, 0], ''),
]) {
  test(`what touches it is a conflict: ${JSON.stringify(typed.range)}`, () => {
    assert.throws(() => rebased([EDIT], [typed]), Conflict);
  });
}
