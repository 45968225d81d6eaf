// The status at each change. Changes are announced by the daemon's events; nothing is asked on time.

import { BarterBackupClientService as Service } from '../src/gen/clirpc/v1/clirpc.ts';
import type { StatusResponse } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from './context.ts';
import { safeText } from './safe-text.ts';

/**
 * Yields the status now and after each event; progress in between goes to the output when `showProgress` is set. Ends when
 * the daemon does; throws TIMEOUT after --timeout.
 */
export async function* watchStatus(context: Context, showProgress: boolean): AsyncGenerator<StatusResponse> {
  const client = await context.client();
  let torWords = '';
  // The first event comes when the subscription is in place: a change after it cannot be missed.
  for await (const event of client.stream(Service.events, { progress: showProgress })) {
    if (event.progress !== undefined) {
      if (showProgress) context.out.progress(event.progress);
      continue;
    }
    const status = await client.unary(Service.status, {});
    const words = status.tor?.words ?? '';
    if (showProgress && words !== '' && words !== torWords) context.out.note(`* Tor: ${safeText(words)}`);
    torWords = words;
    yield status;
  }
}
