// The unlocked identity. It offers verbs, not bytes: the few keys that leave it go to workers, TLS and tor, each named
// for its one use. Made by unlock, wiped by lock.
// Invariant: after wipe() every call is a bug and throws.

import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { invariant } from '../errors.ts';
import { onionIdFromPubkey } from '../ids.ts';
import type { OnionId } from '../ids.ts';
import { equalBytes } from './compare.ts';
import { openContentId, sealContentId } from './content-id.ts';
import type { ContentRevision } from './content-id.ts';
import { wrapDirKey, unwrapDirKey } from './dir-keys.ts';
import type { DirKeyName } from './dir-keys.ts';
import { ed25519Pair, ed25519Sign } from './ed25519.ts';
import type { Ed25519Pair } from './ed25519.ts';
import { openHead, sealHead } from './head.ts';
import type { HeadCopy } from './head.ts';
import { expandKeys, wipeKeys } from './keys.ts';
import type { KeySet } from './keys.ts';

const OPENED_IDS = 64;

export class Keyring {
  /** 32-byte onion key: the identity. */
  readonly pubkey: Buffer;
  readonly onionId: OnionId;
  readonly #keys: KeySet;
  #pair: Ed25519Pair | undefined;
  /** Ids of ours that were opened last: storers name the same ones at every contact. */
  readonly #opened = new Map<string, ContentRevision>();

  /** `master` has 64 bytes; the caller wipes it. */
  constructor(master: Uint8Array) {
    this.#keys = expandKeys(master);
    this.#pair = ed25519Pair(this.#keys.onionSeed);
    this.pubkey = this.#pair.pubkey;
    this.onionId = onionIdFromPubkey(this.pubkey);
  }

  /** Ed25519 signature (64 bytes) with the onion key. Callers put a context string in front of the message. */
  sign(message: Uint8Array): Buffer {
    return ed25519Sign(this.#unwiped().pair.privateKey, message);
  }

  /** The onion key for TLS and for its certificate. */
  tlsKey(): KeyObject {
    return this.#unwiped().pair.privateKey;
  }

  /** Expanded 64-byte secret key in base64 as ADD_ONION ED25519-V3 takes it (RFC 8032, 5.1.5, clamped). */
  torExpandedKey(): string {
    const expanded = createHash('sha512').update(this.#unwiped().keys.onionSeed).digest();
    expanded[0] = (expanded[0] ?? 0) & 248;
    expanded[31] = ((expanded[31] ?? 0) & 63) | 64;
    const text = expanded.toString('base64');
    expanded.fill(0);
    return text;
  }

  /** 16-byte check value for the header file: tells a right secret from a wrong one. */
  verifyTag(): Buffer {
    return Buffer.from(this.#unwiped().keys.verify);
  }

  isVerifyTag(tag: Uint8Array): boolean {
    return equalBytes(this.#unwiped().keys.verify, tag);
  }

  sealContentId(revision: ContentRevision): Buffer {
    return sealContentId(this.#unwiped().keys.cidSiv, revision);
  }

  /** Undefined when the id is not ours; INCOMPATIBLE or INTEGRITY as decodeRevision. */
  openContentId(contentId: Uint8Array): ContentRevision | undefined {
    const { keys } = this.#unwiped();
    const name = Buffer.from(contentId).toString('latin1');
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const revision = openContentId(keys.cidSiv, contentId);
    if (revision === undefined) return undefined;
    const [oldest] = this.#opened.keys();
    if (this.#opened.size >= OPENED_IDS && oldest !== undefined) this.#opened.delete(oldest);
    this.#opened.set(name, revision);
    return revision;
  }

  /** One head copy, a whole number of cells. */
  sealHead(contentId: Uint8Array, copy: HeadCopy, metadata: Uint8Array): Buffer {
    return sealHead(this.#unwiped().keys, contentId, copy, metadata);
  }

  /** Metadata bytes, or undefined when the copy is damaged; `metaBytes` as in the opened content_id. */
  openHead(contentId: Uint8Array, copy: HeadCopy, metaBytes: number, head: Uint8Array): Buffer | undefined {
    return openHead(this.#unwiped().keys, contentId, copy, metaBytes, head);
  }

  /** Copies for workers, which wipe them at lock. */
  cellKeys(): { readonly id: Buffer; readonly enc: Buffer } {
    const { cellId, cellEnc } = this.#unwiped().keys;
    return { id: Buffer.from(cellId), enc: Buffer.from(cellEnc) };
  }

  chunkKeys(): { readonly id: Buffer; readonly cdc: Buffer } {
    const { chunkId, cdc } = this.#unwiped().keys;
    return { id: Buffer.from(chunkId), cdc: Buffer.from(cdc) };
  }

  /** Wraps one of the two random keys of a data directory; 48 bytes. */
  wrapDirKey(name: DirKeyName, key: Uint8Array): Buffer {
    return wrapDirKey(name, this.#kek(name), key);
  }

  /** Undefined when the wrapped key is damaged or another identity's. */
  unwrapDirKey(name: DirKeyName, wrapped: Uint8Array): Buffer | undefined {
    return unwrapDirKey(name, this.#kek(name), wrapped);
  }

  wipe(): void {
    this.#pair = undefined;
    this.#opened.clear();
    wipeKeys(this.#keys);
  }

  #kek(name: DirKeyName): Buffer {
    const { keys } = this.#unwiped();
    return name === 'wrap' ? keys.wrapKek : keys.dbKek;
  }

  #unwiped(): { readonly keys: KeySet; readonly pair: Ed25519Pair } {
    invariant(this.#pair !== undefined, 'the keyring was used after lock');
    return { keys: this.#keys, pair: this.#pair };
  }
}
