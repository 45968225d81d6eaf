// One call about the disk fails, the n-th of its kind, in a daemon that goes on living: for setting files, where the user
// waits for the answer, and for publishing and recovering, where nobody does and the daemon has to try again.

import { isBbError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { DaemonWorld } from '../contract/daemon-world.ts';
import { cellFaults, filesOf, markFaults, orphans } from './cut-checks.ts';
import { closeOrderly, isState, startAll } from './cut-lives.ts';
import { patientWorld, setNew, settled } from './cut-recordings.ts';
import type { Recording } from './cut-recordings.ts';
import { DiskModel } from './disk-model.ts';
import { CALLS, DiskWatch, readImage, writeImage } from './disk-watch.ts';
import type { Fault } from './disk-watch.ts';

/** What the user may be told. */
const CLEAN: Readonly<Record<Fault['code'], readonly ErrorCode[]>> = {
  ENOSPC: ['NO_SPACE'],
  EIO: ['UNUSABLE_ENVIRONMENT', 'INTEGRITY'],
};

export type Failure = { readonly name: string; readonly struck: boolean; readonly faults: readonly string[] };

/** Every kind of call, its first, second, ... until the operation does not meet it any more. */
export async function* everyFailure(recording: Recording, below: string): AsyncGenerator<Failure> {
  for (const call of CALLS) {
    for (let nth = 1; ; nth++) {
      const code = nth % 2 === 0 ? 'ENOSPC' : 'EIO';
      const first = await failOnce(recording, { call, nth, code, stays: false, below });
      yield first;
      if (!first.struck) break;
      yield await failOnce(recording, { call, nth, code: code === 'EIO' ? 'ENOSPC' : 'EIO', stays: true, below });
    }
  }
}

export async function failOnce(recording: Recording, fault: Fault): Promise<Failure> {
  const { call, nth, code, stays, below } = fault;
  const name = `${recording.operation} below ${below}: ${code} at ${call} ${nth}${stays ? ' and from then on' : ''}`;
  const world = patientWorld();
  const watch = new DiskWatch(world.dir);
  const faults: string[] = [];
  try {
    await writeImage(world.dir, new DiskModel(recording.base).afterKill());
    watch.begin(readImage(world.dir));
    const [owner] = await startAll(world, recording);
    if (owner === undefined) throw new Error('a recording has an owner');
    for (const node of world.nodes.values()) if (node.daemon.state !== 'NOT_INITIALISED') await node.unlock();
    await faultInLife(world, watch, recording, fault, faults);
    return { name, struck: watch.struckEver > 0, faults };
  } catch (error) {
    return { name, struck: true, faults: [...faults, error instanceof Error ? (error.stack ?? '') : String(error)] };
  } finally {
    watch.stop();
    await closeOrderly(world);
  }
}

async function faultInLife(
  world: DaemonWorld,
  watch: DiskWatch,
  recording: Recording,
  fault: Fault,
  faults: string[],
): Promise<void> {
  const owner = world.node('owner');
  watch.fail(fault);
  if (recording.operation === 'recover') {
    await owner.init('recover').catch(() => {
      watch.fail(undefined);
      return owner.daemon.state === 'NOT_INITIALISED' ? owner.init('recover') : owner.unlock();
    });
  } else {
    const error = await setNew(owner).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (recording.operation === 'setfile') watch.fail(undefined);
    const clean = CLEAN[fault.code];
    if (error !== undefined && !clean.some((code) => isBbError(error, code)))
      faults.push(`told the user: ${error instanceof Error ? error.message : 'no error'}`);
    const files = await filesOf(owner);
    if (!isState(files, recording, error === undefined ? 'new' : 'old')) {
      faults.push(`lost: after ${error === undefined ? 'success' : 'a failure'} the files are others`);
    }
    if (error !== undefined) await setNew(owner);
  }
  if (fault.stays) watch.fail(undefined);
  await settled(world);
  watch.fail(undefined);
  if (!isState(await filesOf(owner), recording, 'new')) faults.push('lost: the files that were set in the end');
  for (const node of world.nodes.values()) {
    faults.push(...markFaults(node.dir), ...(await cellFaults(node)));
    await node.daemon.lock();
    await node.unlock();
    faults.push(...(await orphans(node)).map((what) => `${node.name} after a start: ${what}`), ...markFaults(node.dir));
  }
}
