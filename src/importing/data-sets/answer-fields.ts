/** Names without signs and in lower case: `Expected Output`, `expected_output` and `expectedOutput` are one. */
function plain(name: string): string {
  return name
    .replace(/^.*\./, '')
    .normalize()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

const words = (text: string) => new Set(text.split(/\s+/).filter((word) => word !== ''));

/** What tools and data sets call the golden answer. */
const GOLDEN = words(`
  expected expectedoutput expectedanswer expectedanswers expectedresponse expectedresult expectedvalue expectedlabel
  expectedoutputs ideal idealanswer idealresponse idealoutput groundtruth groundtruths groundtruthanswer gt gold golden
  goldanswer goldenanswer goldoutput goldenoutput goldlabel reference references referenceanswer referenceanswers
  referenceoutput referenceoutputs referenceresponse target targets targetoutput targetanswer label labels answer answers
  correct correctanswer correctanswers correctoutput correctresponse bestanswer solution canonicalsolution finalanswer
  chosen preferred ответ правильныйответ 答案 正确答案 参考答案 标准答案 正解 答え 정답 respuesta réponse antwort risposta
  resposta`);

/** Golden where no other field is: beside one, they are what some model answered. */
const RECORDED = words('output outputs completion response generation result');

/** Always what some model answered. */
const ACTUAL = words(`
  actual actualoutput actualanswer actualresponse prediction predicted predictedoutput generated generatedoutput
  modeloutput modelresponse modelanswer rejected`);

/** May be the golden answer of a classification, a summary or a translation. */
const CLASSES = words(`
  category class classification intent sentiment verdict score rating grade topic summary highlights translation sql code`);

const GIVES_AWAY =
  /answer|expect|gold|truth|ideal|correct|solution|reference|rationale|explanation|completion|response|output|label|annotation|rubric|grading|^(?:unit)?tests?(?:list|cases?)?$/;

/** Fields such as `answer_format` describe the answer. */
const DESCRIBES = /(?:language|lang|format|type|length|schema|style|url|id|count|choices|options|instructions?)$/;

/** Kept with a row by other tools, and sent to no model. */
const BOOKKEEPING = words(`
  metadata additionalmetadata tags name createdat updatedat modifiedat created datasetid datasetname sourcetraceid
  sourceobservationid sourcerunid status split splits comments rootspanid spanid isroot origin projectid logid xactid
  paginationkey auditdata facets classifications sourcefile customcolumnkeyvalues toolscalled expectedtools sandbox files
  setup scores metrics attachments scenario userdescription expectedoutcome validationstatus archivedat exampleid
  htmlsourcepath validfrom isdeleted mediareferences attachmenturls runs orgid comparisonkey asyncscoringstate assets
  datasetrecordid lastupdatedby lastupdatetime createtime createdby`);

export interface AnswerFields {
  /** The field of the golden answer. */
  readonly golden: string | undefined;
  /** Fields that may give the answer away, and so are no variables. */
  readonly hidden: readonly string[];
}

/** Which field holds the golden answer; a sentence where that is unclear. */
export function chooseAnswerFields(
  names: readonly string[],
  expected: string | false | undefined,
): AnswerFields | string {
  const actual = names.filter((name) => ACTUAL.has(plain(name)));
  if (expected === false) return { golden: undefined, hidden: actual };
  const suspicious = new Set(names.filter(isSuspicious));
  const hide = (golden: string) => names.filter((name) => name !== golden && namesAnswer(name));
  if (expected !== undefined) return { golden: expected, hidden: hide(expected) };
  const strong = names.filter((name) => GOLDEN.has(plain(name)));
  const weak = names.filter((name) => RECORDED.has(plain(name)));
  const candidates = strong.length > 0 ? strong : weak;
  const [golden] = candidates;
  if (candidates.length > 1) return `${candidates.map(quoted).join(' and ')} may each hold the golden answer`;
  if (golden !== undefined) return { golden, hidden: hide(golden) };
  const maybe = names
    .filter((name) => suspicious.has(name) || CLASSES.has(plain(name)))
    .filter((name) => !actual.includes(name));
  if (maybe.length > 0) return `${maybe.map(quoted).join(' and ')} may hold the golden answer`;
  return { golden: undefined, hidden: actual };
}

function isSuspicious(name: string): boolean {
  return GIVES_AWAY.test(plain(name)) && !DESCRIBES.test(plain(name));
}

/** True for what may be called so since it holds an answer, right or wrong, or says which one is right. */
export function namesAnswer(name: string): boolean {
  return [GOLDEN, RECORDED, ACTUAL].some((known) => known.has(plain(name))) || isSuspicious(name);
}

function quoted(name: string): string {
  return `"${name}"`;
}

/** True for what another tool keeps with a row. Only rows with an envelope (`input`, `inputs`) are known to be of one. */
export function isBookkeeping(name: string, value: unknown, hasEnvelope: boolean): boolean {
  const isMetadata = ['metadata', 'source'].includes(plain(name)) && typeof value === 'object';
  return isMetadata || (hasEnvelope && BOOKKEEPING.has(plain(name)));
}

/** True for a field that holds nothing but the answer as text or content. */
export function isTextField(name: string): boolean {
  return GOLDEN.has(plain(name)) || RECORDED.has(plain(name)) || ['text', 'content', 'value'].includes(plain(name));
}
