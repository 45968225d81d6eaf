// A connection to tor's control socket: one command at a time, replies in order, events apart.
// Invariant: every command settles: with its reply, with tor's refusal, or with the end of the connection.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { BbError } from '../../core/errors.ts';
import { CONTROL_QUEUE_COMMANDS } from '../../core/limits.ts';
import { authenticate } from './control-auth.ts';
import { ControlReader, malformed } from './control-lines.ts';
import type { ControlReply } from './control-lines.ts';

/** tor's answer to a command that it refused, such as 512 for an argument it does not know. */
export class ControlRefusal extends BbError {
  readonly status: number;

  constructor(status: number, text: string) {
    super('TOR_UNREACHABLE', `tor refused a command: ${status} ${text}`);
    this.status = status;
  }
}

type Waiting = {
  readonly line: string;
  readonly resolve: (reply: ControlReply) => void;
  readonly reject: (error: BbError) => void;
};

const ASYNC_EVENT = 650;

export class ControlClient {
  readonly #socket: Socket;
  readonly #reader = new ControlReader();
  readonly #queue: Waiting[] = [];
  readonly #eventListeners = new Set<(text: string) => void>();
  readonly #closeListeners = new Set<() => void>();
  #sent: Waiting | undefined;
  #end: BbError | undefined;
  #version = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('error', (cause) =>
      this.#finish(new BbError('TOR_UNREACHABLE', 'the control connection broke', { cause })),
    );
    socket.on('close', () => this.#finish(new BbError('TOR_UNREACHABLE', 'tor closed the control connection')));
  }

  /** Connects to the Unix socket at `path` and authenticates. TOR_UNREACHABLE when either fails. */
  static async open(path: string): Promise<ControlClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (cause) =>
        reject(new BbError('TOR_UNREACHABLE', "tor's control socket cannot be reached", { cause })),
      );
    });
    const client = new ControlClient(socket);
    try {
      client.#version = await authenticate((line) => client.command(line));
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  get version(): string {
    return this.#version;
  }

  /** Sends one line and returns the positive reply. The caller quotes arguments (control-lines.ts). */
  command(line: string): Promise<ControlReply> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (/[\r\n\0]/.test(line)) return Promise.reject(new BbError('BAD_CONFIG', 'a control command must be one line'));
    if (this.#queue.length >= CONTROL_QUEUE_COMMANDS) {
      return Promise.reject(new BbError('TOR_UNREACHABLE', 'tor does not answer its control connection'));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ line, resolve, reject });
      this.#sendNext();
    });
  }

  /** The value of one GETINFO key; lists come as lines. */
  async getInfo(key: string): Promise<string> {
    const reply = await this.command(`GETINFO ${key}`);
    const found = reply.lines.find(({ text }) => text.startsWith(`${key}=`));
    if (found === undefined) throw malformed('a GETINFO reply without its key');
    const value = found.text.slice(key.length + 1);
    return found.data.length > 0 ? found.data.join('\n') : value;
  }

  /** Text of each 650 event, after the status. Returns the function that ends it. */
  onEvent(listener: (text: string) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Called once when the connection is over, whoever ended it. */
  onClose(listener: () => void): void {
    if (this.#end === undefined) this.#closeListeners.add(listener);
    else listener();
  }

  close(): void {
    this.#finish(new BbError('TOR_UNREACHABLE', 'the control connection was closed'));
  }

  #read(bytes: Buffer): void {
    try {
      for (const reply of this.#reader.feed(bytes)) this.#take(reply);
    } catch (error) {
      this.#finish(error instanceof BbError ? error : malformed('unreadable'));
    }
  }

  #take(reply: ControlReply): void {
    const last = reply.lines.at(-1)?.text ?? '';
    if (reply.status === ASYNC_EVENT) {
      for (const { text } of reply.lines) for (const listener of this.#eventListeners) listener(text);
      return;
    }
    const waiting = this.#sent;
    if (waiting === undefined) throw malformed('an answer without a question');
    this.#sent = undefined;
    if (reply.status >= 200 && reply.status < 300) waiting.resolve(reply);
    else waiting.reject(new ControlRefusal(reply.status, last));
    this.#sendNext();
  }

  #sendNext(): void {
    if (this.#sent !== undefined || this.#end !== undefined) return;
    this.#sent = this.#queue.shift();
    if (this.#sent !== undefined) this.#socket.write(`${this.#sent.line}\r\n`);
  }

  #finish(error: BbError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#socket.destroy();
    this.#sent?.reject(error);
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
    for (const listener of this.#closeListeners) listener();
    this.#closeListeners.clear();
  }
}
