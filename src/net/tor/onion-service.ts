// Publishing our onion service over a control connection (control-spec, ADD_ONION). Without the Detach flag the service
// lives exactly as long as that connection: a daemon that dies is unpublished at once.

import type { OnionId } from '../../core/ids.ts';
import { ONION_STREAMS } from '../../core/limits.ts';
import { ControlRefusal } from './control-client.ts';
import type { ControlClient } from './control-client.ts';
import { malformed, plainArgument } from './control-lines.ts';

/** The port of every peer's onion service. Nothing listens on it: it names the stream inside Tor. */
export const ONION_PORT = 443;

const SYNTAX_ERROR = 512;

/**
 * Adds the service of `expandedKey` (base64 of 64 bytes) with the Unix socket `backend` behind it. Asks for the
 * proof-of-work defence and goes without it when this tor was built so. TOR_UNREACHABLE when tor refuses.
 */
export async function addOnion(
  control: ControlClient,
  expandedKey: string,
  id: OnionId,
  backend: string,
): Promise<void> {
  const command = (defence: string): string =>
    `ADD_ONION ED25519-V3:${plainArgument(expandedKey)} Flags=DiscardPK,MaxStreamsCloseCircuit ` +
    `MaxStreams=${ONION_STREAMS} ${defence}Port=${ONION_PORT},unix:${plainArgument(backend)}`;
  const reply = await control.command(command('PoWDefensesEnabled=1 ')).catch((error: unknown) => {
    if (error instanceof ControlRefusal && error.status === SYNTAX_ERROR) return control.command(command(''));
    throw error;
  });
  if (!reply.lines.some(({ text }) => text === `ServiceID=${id}`)) throw malformed('another onion than asked for');
}

export async function removeOnion(control: ControlClient, id: OnionId): Promise<void> {
  await control.command(`DEL_ONION ${id}`);
}
