// bb events: what happened in the daemon lately, or with --follow what happens from now on; one line each.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Event } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption } from '../context.ts';
import { shortId } from '../format.ts';
import type { Result } from '../output.ts';
import { progressJson, progressText } from '../progress.ts';
import { safeText } from '../safe-text.ts';
import { timeView } from '../views.ts';

/** Stands behind what has happened, and before what is to come. */
const SUBSCRIBED = 'subscribed';

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const { out } = context;
  const follow = flagOption(options, 'follow');
  let events = 0;
  let sequence = 0n;
  for await (const event of (await context.client()).stream(Service.events, { progress: follow, recent: !follow })) {
    sequence = event.sequence;
    if (!follow && event.name === SUBSCRIBED) break;
    events += 1;
    out.line(eventView(event));
    out.print(eventText(event));
  }
  return { data: { events, sequence: Number(sequence) } };
}

function eventView(event: Event): unknown {
  return {
    t: 'event',
    sequence: Number(event.sequence),
    at: timeView(event.atMs),
    name: event.name,
    attributes: event.attributes,
    ...(event.progress === undefined ? {} : { progress: { ...progressJson(event.progress), t: undefined } }),
  };
}

function eventText(event: Event): string {
  const attributes = attributesOf(event).map(([key, value]) => ` ${safeText(key)}=${safeText(value)}`);
  const progress = event.progress === undefined ? '' : ` ${safeText(progressText(event.progress))}`;
  return `${timeView(event.atMs) ?? '-'}  ${safeText(event.name)}${attributes.join('')}${progress}`;
}

/** A peer is called as in every other command. */
function attributesOf({ attributes }: Event): [string, string][] {
  const { peer, name, ...others } = attributes;
  return peer === undefined ? Object.entries(attributes) : [['peer', name ?? shortId(peer)], ...Object.entries(others)];
}
