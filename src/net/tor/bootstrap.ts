// How far tor is, in words for people (control-spec, "status/bootstrap-phase").

import { keywordArguments } from './control-lines.ts';

export type Bootstrap = { readonly percent: number; readonly words: string };

// By tor's own tag; tor's summary stands in for a tag that is not here.
const WORDS: Readonly<Record<string, string>> = {
  starting: 'starting',
  conn_pt: 'connecting to the bridge program',
  conn_done_pt: 'connected to the bridge program',
  conn_proxy: 'connecting to the proxy',
  conn: 'connecting to the Tor network',
  conn_done: 'connected to a relay',
  handshake: 'greeting a relay',
  handshake_done: 'a relay answered',
  onehop_create: 'asking for the list of relays',
  requesting_status: 'asking for the list of relays',
  loading_status: 'loading the list of relays',
  loading_keys: 'loading the keys of the authorities',
  requesting_descriptors: 'asking for details of the relays',
  loading_descriptors: 'loading details of the relays',
  enough_dirinfo: 'knows enough relays',
  ap_conn: 'connecting to a relay',
  ap_conn_done: 'connected to a relay',
  ap_handshake: 'greeting a relay',
  ap_handshake_done: 'a relay answered',
  circuit_create: 'building a circuit',
  done: 'connected',
};

/** What tor calls trouble in a word of its own; any other warning is a sentence already. */
const TROUBLE: Readonly<Record<string, string>> = { DONE: 'a relay closed the connection' };

/** Reads a GETINFO value or the text of a STATUS_CLIENT event; undefined for anything else. */
export function readBootstrap(text: string): Bootstrap | undefined {
  if (!/(^|\s)BOOTSTRAP\s/.test(text)) return undefined;
  const words = keywordArguments(text);
  const percent = Number(words.get('PROGRESS'));
  if (!Number.isInteger(percent) || percent < 0 || percent > 100) return undefined;
  const warning = words.get('WARNING');
  const doing = WORDS[words.get('TAG') ?? ''] ?? words.get('SUMMARY') ?? 'starting';
  if (warning === undefined) return { percent, words: doing };
  return { percent, words: `${doing}, trouble: ${TROUBLE[warning] ?? warning.slice(0, 100)}` };
}
