// Why a peer said no, or not yet, in a sentence for the one who asked.

/** The stable words of an answer, for people; an unknown word of a newer peer is shown as it is. */
const REASON_SENTENCES: Readonly<Record<string, string>> = {
  OVER_BUDGET: 'it asks for more than the peer has left to give (OVER_BUDGET)',
  STRANGER_LIMIT: 'the peer has not added you and gives strangers less (STRANGER_LIMIT)',
  NOT_ADDED: 'the peer has to add you first with bb connect; then propose again (NOT_ADDED)',
  UNEQUAL: 'one side would give more than twice what it gets; propose a fairer exchange (UNEQUAL)',
  OLD_VERSION: 'newer terms were signed before (OLD_VERSION)',
  CROSSED: 'the peer is proposing terms of its own just now; see bb contracts list (CROSSED)',
  EXISTS: 'the peer has a contract with you already (EXISTS)',
};

export function reasonSentence(word: string): string {
  return REASON_SENTENCES[word] ?? word;
}
