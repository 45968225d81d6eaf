// The states of a contract, per peer and direction (docs/protocol.md, "Contract lifecycle").

export const CONTRACT_STATES = ['PROPOSED', 'ACTIVE', 'DEGRADED', 'GRACE', 'EXPIRED', 'ENDING', 'RELEASED'] as const;
export type ContractState = (typeof CONTRACT_STATES)[number];
