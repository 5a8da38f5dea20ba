import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Backoff } from '../src/backoff';

test('each end doubles the wait, up to a minute, and only the first is said', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 10 }, () => backoff.next(1000));
  assert.deepEqual(
    waits.map(({ waitMs }) => waitMs),
    [250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000],
  );
  assert.deepEqual(
    waits.map(({ first }) => first),
    [true, ...Array<boolean>(9).fill(false)],
  );
});

test('a server that was well for a while begins anew; so does one that the person started', () => {
  const backoff = new Backoff();
  backoff.next(0);
  backoff.next(0);
  assert.deepEqual(backoff.next(120_000), { waitMs: 250, first: true });
  backoff.next(0);
  backoff.reset();
  assert.deepEqual(backoff.next(0), { waitMs: 250, first: true });
});
