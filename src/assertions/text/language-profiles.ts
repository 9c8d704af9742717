/**
 * Detects languages by script. An alphabet of one common language identifies it. Languages that share an alphabet
 * differ in their commonest short words and in letters that only some of them have.
 */
export interface LanguageProfile {
  readonly code: string;
  readonly words: ReadonlySet<string>;
  /** Letters that distinguish it from other languages of its script. */
  readonly letters: string;
}

export const languageCodes = [
  'ar',
  'bg',
  'bn',
  'cs',
  'da',
  'de',
  'el',
  'en',
  'es',
  'fa',
  'fi',
  'fr',
  'he',
  'hi',
  'hu',
  'id',
  'it',
  'ja',
  'ko',
  'nl',
  'no',
  'pl',
  'pt',
  'ro',
  'ru',
  'sv',
  'ta',
  'th',
  'tr',
  'uk',
  'vi',
  'zh',
] as const;

export type LanguageCode = (typeof languageCodes)[number];

/** Scripts that one of the languages here writes alone. */
export const singleScripts: readonly (readonly [script: string, code: LanguageCode])[] = [
  ['Greek', 'el'],
  ['Hebrew', 'he'],
  ['Devanagari', 'hi'],
  ['Bengali', 'bn'],
  ['Tamil', 'ta'],
  ['Thai', 'th'],
  ['Hangul', 'ko'],
];

export const latinProfiles: readonly LanguageProfile[] = [
  profile(
    'en',
    'the of and to in is you that it for was on are with as his they be at this have from or had by but not what all were we when your can said there use an each which she do how their if will up other about out many then them these so some her would make like him into time has look two more go see no could people my than been who its now find down did get come made may part our us hello thanks thank please sorry i yes sure course help need order request should still let know while after before again also because very any does here where why',
  ),
  profile(
    'de',
    'der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde ich wir ihr ihre ihren ihnen kann können uns mein dein bitte danke hallo wenn was hier keine kein diese dieser ja nein natürlich leider gerne weil doch schon jetzt heute immer nichts ohne während jedoch innerhalb sehen sollte würde muss alle',
    'äöüß',
  ),
  profile(
    'fr',
    'le la les de des du et en un une est que qui dans pour pas au aux sur se ce il elle nous vous ils elles ne plus par je son sa ses avec tout mais ou où comme on être avoir sont été cette ces leur leurs votre vos notre nos mon ma mes si bien peut fait faire merci bonjour très aussi d l qu c j n s oui non veuillez voici aucun alors toujours après avant dès chez jours s’il afin car donc cela',
    'çèêëîïûùœæéàâô',
  ),
  profile(
    'es',
    'el la los las de del y en un una que es por para con no se su sus lo le les al como más pero este esta esto está son ser ha han hay muy sin sobre también me mi si ya o cuando donde quien desde todo todos nos usted ustedes yo tu te hola gracias porque entre fue hasta sí claro favor puede puedes tiene tengo bien ahora siempre nunca días así aquí nada cada mejor',
    'ñ¿¡áíóúé',
  ),
  profile(
    'it',
    'il lo la i gli le di del della dei delle dello degli e in un una uno che è per non con si su da dal dalla al alla nel nella sono come più ma anche se o ha ho hai mi ti ci questo questa questi quello suo sua tuo mio essere molto quando dove tutto grazie ciao c l d un’ sì mille prego va bene allora perché può puoi adesso sempre ancora giorni stato stata entro vostro nostro ogni',
    'èìòùàé',
  ),
  profile(
    'pt',
    'o a os as de do da dos das e em no na nos nas um uma que é para com não por se seu sua seus suas mais como mas foi ao à são tem também já ou ser quando muito eu você vocês ele ela isso este esta está meu minha obrigado obrigada olá pelo pela até sem entre sobre sim claro favor pode posso agora sempre ainda dias bem assim aqui nada cada melhor nosso',
    'ãõçáâêéíóú',
  ),
  profile(
    'nl',
    'de het een en van in is dat op te zijn met voor niet die aan er om ook als bij of uit maar naar door over nog wel kan dan meer je ik u we wij hij zij ze uw jouw mijn ons hun wat wordt worden heeft hebben had geen deze dit heel hallo bedankt dank graag waar hoe kunnen ja nee natuurlijk alstublieft moet moeten al nooit altijd binnen onze zou zonder waarom alle',
  ),
  profile(
    'sv',
    'och att det i en som på är av för med den till inte ett om har de jag han var vi men så kan från du nu eller när där vid också ska skulle hon mot mig dig sig bara hur vad er era din ditt min mitt tack hej mycket alla blir efter ja nej inom gärna tyvärr måste dagar vår våra denna detta dem själv utan under mer någon',
    'åäö',
  ),
  profile(
    'da',
    'og at det i en som på er af for med den til ikke et om har de jeg han var vi men så kan fra du nu eller når der ved også skal skulle hun mod mig dig sig kun hvordan hvad jeres din dit min mit tak hej meget alle bliver efter hvis været noget ja nej inden gerne desværre må dage vores denne dette dem selv uden under mere dag kunne nogen',
    'æøå',
  ),
  profile(
    'no',
    'og å det i en som på er av for med den til ikke et om har de jeg han var vi men så kan fra du nå eller når der ved også skal skulle hun mot meg deg seg bare hvordan hva deres din ditt min mitt takk hei mye alle blir etter hvis vært noe dere ja nei innen gjerne dessverre må dager vår våre denne dette dem selv uten under mer dag kunne noen',
    'æøå',
  ),
  profile(
    'fi',
    'ja on ei se että oli hän mutta ovat kun niin myös kuin joka sen tai jos mitä mikä nyt vain minä sinä me te he olen olet ole olla voi jo vielä sitten tämä tätä tässä siitä ovat kiitos hei ne mukaan kanssa ennen jälkeen hyvin kaikki koska teidän kyllä joo päivän kuluessa aina ilman nämä sekä teille minun sinun',
    'äö',
  ),
  profile(
    'pl',
    'i w na z nie się jest że do to o jak po co za od przez ale dla tak był była być już tylko lub oraz przy ich jego jej ten ta te tego tej są czy może mnie ci mi my wy pan pani bardzo dziękuję dzień dobry gdy który która które proszę oczywiście niestety zawsze nigdy dni teraz bez pod nad',
    'ąęłńśźżćó',
  ),
  profile(
    'cs',
    'a v na se je že to s z do o i ve k jako za pro ale by tak jsou byl byla bylo být jeho její podle nebo od po při co když který která které jsem jste jsme již ještě pouze také může mohou není děkuji dobrý den prosím vás váš vaše ano ne bohužel vždy nikdy dnů dní nyní bez pod nad',
    'ěřůčšžýáíéťďň',
  ),
  profile(
    'tr',
    've bir bu da de için ile çok daha olarak gibi en ne o ama var yok ben sen biz siz onlar mi mı kadar sonra olan oldu olduğu her ya veya ise değil şey nasıl neden bana sana merhaba teşekkür ederim lütfen iyi tüm evet hayır tabii maalesef zaman gün içinde şimdi',
    'ğışçöü',
  ),
  profile(
    'ro',
    'și de la în a cu pe un o nu este că să din care pentru mai ce sunt au fost ca se el ea ei le îi iar dar sau după prin dacă foarte eu tu noi voi lui lor această acest aceasta acesta am ai bună mulțumesc vă te fi vor da sigur poate zile acum mereu fără rog',
    'ăâîșțşţ',
  ),
  profile(
    'hu',
    'a az és hogy nem is egy ez van volt meg csak de ha már még mint el vagy ki be lesz kell mert után azt ezt én te ő mi ti ők minden nagyon itt ott hogyan mi köszönöm szia kérem vagyok lehet önnek ön között szerint igen sajnos természetesen mindig soha nap most nélkül belül',
    'őűáéíóöüú',
  ),
  profile(
    'id',
    'yang dan di ke dari ini itu untuk dengan tidak pada adalah dalam akan juga saya anda kami kita mereka dia ia bisa dapat ada oleh sebagai karena atau telah sudah lebih seperti tersebut hanya jika apa bagaimana terima kasih silakan halo lagi belum kepada bahwa ya tentu maaf selalu hari sekarang tanpa',
  ),
  profile(
    'vi',
    'và của là có không được cho một trong người với này các đã những để khi tôi bạn chúng ta rất cũng như thì ra vào ở nhiều hơn sẽ từ đến lại làm việc xin cảm ơn chào đó anh chị vâng dạ lỗi luôn ngày bây giờ',
    'ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ',
  ),
];

export const cyrillicProfiles: readonly LanguageProfile[] = [
  profile(
    'ru',
    'и в не на что я с он а как это по но они к у ты из мы за вы так же от все было бы о его только мне был для ещё еще нет да если или ни быть до вам вас ваш ваше спасибо пожалуйста здравствуйте уже при очень когда который может где этот конечно сейчас всегда дней дня течение этом эта была были себя после без',
    'ыэё',
  ),
  profile(
    'uk',
    'і в не на що я з він а як це по але вони до у ти із ми за ви так же від все було би о його тільки мені був для ще ні та якщо або бути вам вас ваш дякую будь ласка вже при дуже коли який може де цей є й також звичайно зараз завжди днів дня протягом цьому була були себе після без',
    'іїєґ',
  ),
  profile(
    'bg',
    'и в не на че аз с той а как това по но те към у ти от ние за вие така все беше би о него само ми бил да ще ако или до ви вас вашият благодаря моля здравейте вече при много когато който може къде този са е се си със съм разбира сега винаги дни ден рамките тази бяха след без',
    'ъщ',
  ),
];

function profile(code: LanguageCode, words: string, letters = ''): LanguageProfile {
  return { code, words: new Set(words.split(' ')), letters };
}
