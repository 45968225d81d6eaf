// Metadata <-> its protobuf bytes (storedpb.v1.Metadata). A port because protobuf stops at `rpc`
// and `storage/stored`.

import type { Metadata } from '../core/content/metadata.ts';

export interface MetadataCodec {
  /** TOO_LARGE above METADATA_BYTES. */
  encode(metadata: Metadata): Buffer;
  /** Undefined for bytes that are not a valid Metadata; INCOMPATIBLE when they say that only a newer version reads them. */
  decode(bytes: Buffer): Metadata | undefined;
}
