// Every method of bbrpc in one table: its path, its messages, who may call it. A method of the service without a row, or a
// row without a method, does not compile; the server and the client both read this table and nothing else.

import type { CallerClass } from '../../daemon/peer-api.ts';
import { BarterBackupServerService } from '../../gen/bbrpc/v1/bbrpc.ts';
import type { Codec } from '../message-codec.ts';
import { challengeRequest, challengeResponse } from './challenge-messages.ts';
import { reportLossRequest, reportLossResponse } from './loss-messages.ts';
import {
  acceptContractRequest,
  acceptContractResponse,
  endContractRequest,
  endContractResponse,
  getContractRequest,
  getContractResponse,
  proposeContractRequest,
  proposeContractResponse,
} from './contract-messages.ts';
import { downloadRequest, downloadResponse } from './download-messages.ts';
import {
  healthCheckRequest,
  healthCheckResponse,
  peerExchangeRequest,
  peerExchangeResponse,
} from './identity-messages.ts';
import {
  getContentRevisionRequest,
  getContentRevisionResponse,
  setContentRevisionRequest,
  setContentRevisionResponse,
} from './revision-messages.ts';

export type PeerMethodName = keyof typeof BarterBackupServerService;

/** One request; one response (unary) or many (stream). */
export type PeerMethod<Kind extends 'unary' | 'stream', Request, Response> = {
  readonly path: string;
  readonly kind: Kind;
  readonly quota: Quota;
  readonly callers: readonly CallerClass[];
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
};

/** What bounds a caller: its calls in a minute, or how many run at once (docs/protocol.md, "Limits"). */
export type Quota = 'calls' | 'parallel';

/** A method of the wire that this version answers with UNIMPLEMENTED, whoever asks. */
export type AbsentMethod = { readonly path: string; readonly kind: 'absent' };

type Row =
  | AbsentMethod
  | {
      readonly path: string;
      readonly kind: 'unary' | 'stream';
      readonly quota: Quota;
      readonly callers: readonly CallerClass[];
      readonly request: object;
      readonly response: object;
    };

const EVERYBODY: readonly CallerClass[] = ['own', 'known', 'unknown'];
const STRANGERS_TOO: readonly CallerClass[] = ['known', 'unknown'];
const KNOWN: readonly CallerClass[] = ['known'];

function unary<Request, Response>(
  name: PeerMethodName,
  callers: readonly CallerClass[],
  request: Codec<Request>,
  response: Codec<Response>,
): PeerMethod<'unary', Request, Response> {
  return { path: BarterBackupServerService[name].path, kind: 'unary', quota: 'calls', callers, request, response };
}

function absent(name: PeerMethodName): AbsentMethod {
  return { path: BarterBackupServerService[name].path, kind: 'absent' };
}

export const PEER_METHODS = {
  healthCheck: unary('healthCheck', EVERYBODY, healthCheckRequest, healthCheckResponse),
  peerExchange: unary('peerExchange', STRANGERS_TOO, peerExchangeRequest, peerExchangeResponse),
  getContentRevision: unary('getContentRevision', STRANGERS_TOO, getContentRevisionRequest, getContentRevisionResponse),
  setContentRevision: unary('setContentRevision', KNOWN, setContentRevisionRequest, setContentRevisionResponse),
  download: {
    path: BarterBackupServerService.download.path,
    kind: 'stream',
    quota: 'parallel',
    callers: KNOWN,
    request: downloadRequest,
    response: downloadResponse,
  },
  proposeContract: unary('proposeContract', STRANGERS_TOO, proposeContractRequest, proposeContractResponse),
  acceptContract: unary('acceptContract', KNOWN, acceptContractRequest, acceptContractResponse),
  endContract: unary('endContract', KNOWN, endContractRequest, endContractResponse),
  getContract: unary('getContract', KNOWN, getContractRequest, getContractResponse),
  challenge: unary('challenge', KNOWN, challengeRequest, challengeResponse),
  encryptedDownload: absent('encryptedDownload'),
  chat: absent('chat'),
  encryptedChat: absent('encryptedChat'),
  reportLoss: unary('reportLoss', KNOWN, reportLossRequest, reportLossResponse),
} as const satisfies Record<PeerMethodName, Row>;
