// Holds a Download stream to what was asked: one head first, then sections that cover exactly the wanted range without gap or
// overlap. So a peer can neither send without end nor answer a kind of section that was not asked for.

import { CELL_BYTES } from '../../core/limits.ts';
import type { DownloadRequest, DownloadSection } from '../../ports/peer-client.ts';
import { MalformedMessage } from '../wire-checks.ts';

const LEAF_BYTES = 32;

export class DownloadCover {
  readonly #request: DownloadRequest;
  #wantedBytes: number | undefined;
  #coveredBytes = 0;

  constructor(request: DownloadRequest) {
    this.#request = request;
  }

  /** Throws MalformedMessage when the section does not fit. */
  take(section: DownloadSection): void {
    if (this.#wantedBytes === undefined) {
      if (section.kind !== 'head') throw new MalformedMessage('the stream does not begin with its head');
      this.#wantedBytes = this.#wanted(section.totalBytes);
      return;
    }
    this.#coveredBytes += this.#coverOf(section);
    if (this.#coveredBytes > this.#wantedBytes) throw new MalformedMessage('the stream is longer than asked');
  }

  /** Throws MalformedMessage when something is missing at the end of the stream. */
  finish(): void {
    if (this.#wantedBytes !== this.#coveredBytes) throw new MalformedMessage('the stream is shorter than asked');
  }

  #wanted(totalBytes: number): number {
    const { offset, length } = this.#request;
    if (offset + length > totalBytes) throw new MalformedMessage('the blob is shorter than asked');
    return length === 0 ? totalBytes - offset : length;
  }

  #coverOf(section: DownloadSection): number {
    switch (section.kind) {
      case 'head':
        throw new MalformedMessage('the stream has a second head');
      case 'raw':
        if (this.#request.leaves) throw new MalformedMessage('bytes came in place of leaves');
        return section.bytes.length;
      case 'reference':
        if (this.#request.referenceContentId.length === 0) throw new MalformedMessage('a reference was not asked for');
        this.#atCell();
        return section.lengthBytes;
      case 'leaves':
        if (!this.#request.leaves) throw new MalformedMessage('leaves came in place of bytes');
        return (section.leaves.length / LEAF_BYTES) * CELL_BYTES;
    }
  }

  #atCell(): void {
    if (this.#coveredBytes % CELL_BYTES !== 0) throw new MalformedMessage('a reference begins within a cell');
  }
}
