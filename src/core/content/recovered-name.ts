// The name that a file of a merged fork gets where our line has another file of this name (docs/protocol.md, "Lineage").

import { sha256 } from '../crypto/hash.ts';
import { PATH_BYTES, PATH_COMPONENT_BYTES } from '../limits.ts';

const SLASH = 0x2f;

/**
 * `path` is `top` or lies below it; `top` is the name that is taken. `sequence` is that of the fork, `attempt` 1 unless that
 * name is taken, too. What would be too long gets a short name at the top, by which nothing is lost but its folder.
 */
export function recoveredName(path: Buffer, top: Buffer, sequence: number, attempt: number): Buffer {
  const word = `recovered-${sequence}${attempt === 1 ? '' : `.${attempt}`}`;
  const component = Buffer.concat([top.subarray(top.lastIndexOf(SLASH) + 1), Buffer.from(`.${word}`)]);
  const name = Buffer.concat([top.subarray(0, top.lastIndexOf(SLASH) + 1), component, path.subarray(top.length)]);
  const isShort = component.length <= PATH_COMPONENT_BYTES && name.length <= PATH_BYTES;
  return isShort ? name : Buffer.from(`${word}-${sha256(path).toString('hex', 0, 8)}`);
}
