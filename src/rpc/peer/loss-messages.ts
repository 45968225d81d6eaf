// ReportLoss on the wire: which cells of the responder's content the caller lost.

import { RPC_MESSAGE_BYTES, RPC_REQUEST_BYTES } from '../../core/limits.ts';
import { ReportLossRequest, ReportLossResponse } from '../../gen/bbrpc/v1/bbrpc.ts';
import type { LossReport } from '../../ports/peer-client.ts';
import { messageCodec } from '../message-codec.ts';
import { exactBytes } from '../wire-checks.ts';
import { risingRanges } from './challenge-messages.ts';
import { CONTENT_ID_BYTES } from './revision-messages.ts';

export const reportLossRequest = messageCodec<ReportLossRequest, LossReport>(ReportLossRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: { 2: {} },
  toWire: ({ contentId, ranges }) => ({
    contentId,
    ranges: ranges.map((range) => ({ startCell: BigInt(range.startCell), cells: range.cells })),
  }),
  fromWire: (wire) => ({
    contentId: exactBytes(wire.contentId, CONTENT_ID_BYTES, 'content_id'),
    ranges: risingRanges(wire.ranges),
  }),
});

export const reportLossResponse = messageCodec<ReportLossResponse, void>(ReportLossResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  shape: {},
  toWire: () => ReportLossResponse.create(),
  fromWire: () => undefined,
});
