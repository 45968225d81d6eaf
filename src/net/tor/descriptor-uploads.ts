// Is our onion service announced? Tor uploads two descriptors, one for this and one for the next time period, each to
// several directories, and tells of each upload (control-spec, HS_DESC). A caller that asks a directory which has none
// yet is told that we do not exist, so the first upload alone is not enough.

import type { OnionId } from '../../core/ids.ts';

const DESCRIPTORS = 2;

export class DescriptorUploads {
  readonly #id: OnionId;
  readonly #descriptors = new Set<string>();
  #pending = 0;
  #done = 0;

  constructor(id: OnionId) {
    this.#id = id;
  }

  /** Takes the text of an event; others than our own are ignored. */
  take(event: string): void {
    const [kind, action, address, , , descriptor] = event.split(' ');
    if (kind !== 'HS_DESC' || address !== this.#id) return;
    if (action === 'UPLOAD' && descriptor !== undefined) {
      this.#pending += 1;
      if (this.#descriptors.size < DESCRIPTORS) this.#descriptors.add(descriptor);
    }
    if (action === 'UPLOADED') this.#done += 1;
    if (action === 'UPLOADED' || action === 'FAILED') this.#pending = Math.max(0, this.#pending - 1);
  }

  /** At least one directory has a descriptor. */
  get begun(): boolean {
    return this.#done > 0;
  }

  /** Both descriptors are where they belong, as far as their directories could be reached. */
  get complete(): boolean {
    return this.begun && this.#pending === 0 && this.#descriptors.size === DESCRIPTORS;
  }
}
