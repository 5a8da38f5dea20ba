import assert from 'node:assert/strict';
import { test } from 'node:test';

import { starts } from '../src/hunks';

test('hunks stand further down by the lines that came above them', () => {
  const at = (first: number, last: number, text: string) => ({
    range: { start: { line: first, character: 0 }, end: { line: last, character: 0 } },
    text,
  });
  assert.deepEqual(starts([at(1, 1, 'a\nb\n'), at(4, 6, ''), at(9, 9, 'c')]), [1, 6, 9]);
  assert.deepEqual(starts([at(1, 1, 'a\r\nb\r\n'), at(4, 4, 'c')]), [1, 6]);
});
