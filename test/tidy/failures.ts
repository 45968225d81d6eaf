// A quiet reporter for node --test: only what failed, then one line of totals.

import { inspect } from 'node:util';
import type { TestEvent } from 'node:test/reporters';

export default async function* failures(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === 'test:fail' && event.data.details.type !== 'suite') {
      yield `failed: ${event.data.name} (${event.data.file ?? ''})\n${inspect(event.data.details.error.cause ?? event.data.details.error)}\n`;
    }
    if (event.type === 'test:summary' && event.data.file === undefined) {
      const { tests, passed } = event.data.counts;
      yield `${passed} of ${tests} tests passed\n`;
    }
  }
}
