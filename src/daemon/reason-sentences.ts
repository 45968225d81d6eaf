// Why a peer said no, or not yet, in a sentence for the one who asked.

/** The stable words of an answer, for people; an unknown word of a newer peer is shown as it is. */
const REASON_SENTENCES: Readonly<Record<string, string>> = {
  OVER_BUDGET: 'it asks for more than the peer has left to give (OVER_BUDGET)',
  STRANGER_LIMIT: 'the peer has not added you and gives strangers less (STRANGER_LIMIT)',
  NOT_ADDED: 'the peer has not added you; its user has to accept (NOT_ADDED)',
  BY_HAND: 'the user of the peer decides about every proposal (BY_HAND)',
  LESS_FOR_YOU: 'it gives the peer less, or for a shorter time, than now; its user has to accept (LESS_FOR_YOU)',
  LONG_GRACE: 'the peer has not added you and gives strangers 7 days at first; its user has to accept (LONG_GRACE)',
  FAILED_BEFORE: 'you did not keep your side of the last contract; the user of the peer has to accept (FAILED_BEFORE)',
  BUSY: 'too many proposals wait for the user of the peer; try again later (BUSY)',
  ENDING: 'notice was given; propose anew when the contract is over (ENDING)',
  REJECTED: 'the user of the peer said no (REJECTED)',
  WITHDRAWN: 'the peer took its proposal back (WITHDRAWN)',
  UNEQUAL: 'one side would give more than twice what it gets; propose a fairer exchange (UNEQUAL)',
  TOO_SMALL: 'an amount is too small to hold anything (TOO_SMALL)',
  OLD_VERSION: 'newer terms were signed before (OLD_VERSION)',
  CROSSED:
    'the peer proposed terms of its own first, which arrive at its next contact; see bb contracts list (CROSSED)',
};

export function reasonSentence(word: string): string {
  return REASON_SENTENCES[word] ?? word;
}
