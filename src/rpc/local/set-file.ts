// SetFile: the first message says what to set, further ones carry the bytes of a streamed file. The source is read no faster
// than the daemon takes it. A tree that the daemon reads itself goes on when the caller leaves; a stream that breaks does not.

import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { LocalApi, ProgressView, SetFileResult, SetFileSource } from '../../daemon/local-api.ts';
import type { SetFileRequest, SetFileUpdate } from '../../gen/clirpc/v1/clirpc.ts';
import { MalformedMessage } from '../wire-checks.ts';
import { failed } from './local-calls.ts';
import type { LocalCallDeps } from './local-calls.ts';
import { progressMessage, revisionMessage } from './views.ts';

type SetFileCall = ServerDuplexStream<SetFileRequest, SetFileUpdate>;

const PERMISSION_BITS = 0o7777;
const PRIVATE_MODE = 0o600;

export function setFileHandler(deps: LocalCallDeps, api: LocalApi): (call: SetFileCall) => void {
  return (call) => {
    run(api, call).then(
      (result) => {
        call.write(resultMessage(result));
        call.end();
      },
      (error: unknown) => call.emit('error', failed(deps, error)),
    );
  };
}

async function run(api: LocalApi, call: SetFileCall): Promise<SetFileResult> {
  // The default iterator would destroy the stream at its end, and with it our answer.
  const messages = call.iterator({ destroyOnReturn: false }) as AsyncIterator<SetFileRequest>;
  const first = await messages.next();
  if (first.done) throw new MalformedMessage('nothing was named to set');
  const source = sourceOf(first.value, messages);
  const onProgress = (progress: ProgressView): void => {
    // A caller that does not read loses steps in between, never the result.
    if (!call.destroyed && !call.writableNeedDrain) call.write(progressUpdate(progress));
  };
  const broken = new AbortController();
  if (source.kind === 'stream') call.once('cancelled', () => broken.abort());
  return api.setFile(source, onProgress, broken.signal);
}

function sourceOf(first: SetFileRequest, rest: AsyncIterator<SetFileRequest>): SetFileSource {
  const name = first.file?.name ?? Buffer.alloc(0);
  if (!first.fromStream) {
    if (first.path.length === 0) throw new MalformedMessage('neither a path nor a stream was given');
    return { kind: 'path', path: first.path, name };
  }
  if (first.path.length > 0) throw new MalformedMessage('both a path and a stream were given');
  const mode = first.mode === 0 ? PRIVATE_MODE : first.mode & PERMISSION_BITS;
  return { kind: 'stream', name, bytes: bytesOf(first, rest), mode };
}

async function* bytesOf(first: SetFileRequest, rest: AsyncIterator<SetFileRequest>): AsyncGenerator<Buffer> {
  if (first.file !== undefined && first.file.data.length > 0) yield first.file.data;
  for (;;) {
    const next = await rest.next();
    if (next.done) return;
    if (next.value.file !== undefined && next.value.file.data.length > 0) yield next.value.file.data;
  }
}

function progressUpdate(progress: ProgressView): SetFileUpdate {
  return {
    progress: progressMessage(progress),
    revision: undefined,
    addedFiles: 0n,
    removedFiles: 0n,
    unchanged: false,
    skippedFiles: 0n,
    skippedNames: [],
  };
}

function resultMessage(result: SetFileResult): SetFileUpdate {
  return {
    progress: undefined,
    revision: result.revision && revisionMessage(result.revision),
    addedFiles: BigInt(result.addedFiles),
    removedFiles: BigInt(result.removedFiles),
    unchanged: result.unchanged,
    skippedFiles: BigInt(result.skippedFiles),
    skippedNames: [...result.skippedNames],
  };
}
