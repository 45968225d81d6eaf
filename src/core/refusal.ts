// A refusal that the wire protocol names: the peer answered, and the answer is no. A value of the protocol,
// not a fault (docs/protocol.md, "Errors").

/** Names in the trailer `bb-error` (docs/protocol.md, "Errors"). */
export type RefusalName =
  | 'NO_CONTRACT'
  | 'TERMS_REJECTED'
  | 'UNKNOWN_CONTENT'
  | 'BAD_RANGE'
  | 'SUPERSEDED'
  | 'RATE_LIMITED'
  | 'RECOVERING'
  | 'REPLICA_LOST'
  | 'CHALLENGE_BUSY'
  | 'UNSUPPORTED_VERSION'
  | 'UNIMPLEMENTED'
  | 'INTERNAL';

export class PeerRefusal extends Error {
  readonly refusal: RefusalName;
  readonly retryAfterSeconds: number;

  constructor(refusal: RefusalName, retryAfterSeconds = 0) {
    super(`refused: ${refusal}`);
    this.name = 'PeerRefusal';
    this.refusal = refusal;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
