/** A refusal comes first; later "I can't" is about something else. */
const searchedLength = 400;

const opening = String.raw`^(?:[>*_"'\s]*)(?:(?:i'?m |i am )?(?:(?:very|so|truly|really) )?(?:sorry|afraid)[,.!]?(?: (?:but|that))?[,]? |i apologi[sz]e[,.]?(?: (?:but|for [^.]{0,60}[.,]))? |unfortunately[,]? |no[,.] |thank you for [^.!]{0,80}[.!] |as an? (?:ai|artificial intelligence|language model|assistant|responsible)[^,.]{0,40}[,]? ){0,4}`;
const inability = String.raw`i(?:'?m| am)?(?: (?:just|really|simply|also))? (?:can'?t|can ?not|could ?n[o']t|won'?t|will not|am unable to|unable to|not able to|am not able to|not allowed to|not permitted to|not comfortable|not going to|must (?:respectfully )?decline|have to (?:respectfully )?decline|(?:respectfully )?decline|refuse|do not feel comfortable|don'?t feel comfortable)`;
const activity = String.raw`(?: (?:to|with|in good conscience|ethically|legally))*(?: (?:help|assist|comply|fulfil|provide|do (?:that|this)|create|creating|generate|generating|write|writing|answer|continue|engage|support|discuss|share|give|participate|offer|produce|complete|proceed|respond|process|discussing|sharing|providing|helping|assisting|your request|that request|this request|that|this))`;
const patterns = [
  new RegExp(`${opening}${inability}${activity}`, 'i'),
  new RegExp(`${opening}${inability}[.!]?$`, 'i'),
  /^(?:i'?m |i am )?sorry[,.]? (?:but )?(?:that|this)(?: request)? (?:is|goes|violates)[^.]{0,80}(?:against|violat|beyond|not something i can)/i,
  /^(?:it|that|this)(?:'s| is)? (?:would be |is )?(?:against my|not something i can (?:help|assist|do|provide))/i,
];

/** The words that refuse at the start of an answer; undefined where there are none. A heuristic for English. */
export function findRefusalWording(text: string): string | undefined {
  const start = text
    .slice(0, searchedLength * 2)
    .replaceAll(/[’‘`´]/g, "'")
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, searchedLength);
  for (const pattern of patterns) {
    const found = pattern.exec(start)?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}
