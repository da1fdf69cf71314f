// Tests of an application that fail, each as it should.

import { expect, test } from '@vestibule/playwright';

test('a failure shows the log', async ({ vestibule }) => {
  expect(vestibule.url).toBe('elsewhere');
});

test('a server that has died fails the test', async ({ vestibule }) => {
  // As the system would, when it is out of memory.
  await vestibule.restart('SIGKILL', () => {
    throw new Error('it is not started again');
  }).catch(() => {});
});

test.describe('with a setting that is none', () => {
  test.use({ settings: { CONFIRM_DEADLINE: 'soon' } });

  test('a server that does not start says why', async ({ vestibule }) => {
    expect(vestibule).toBeUndefined();
  });
});
