// Made-up messages that look like a day of real ones: many scripts, emoji, a few busy senders.
import { pick, type Random } from './random.ts'

/** A message in the words of the webhook. */
export type WireMessage = {
  readonly message_id: string
  readonly from: string
  readonly to: string
  readonly ts: string
  readonly text: string
}

/** From the range that British films use: no such number is ever given to anybody. */
const SENDERS = { prefix: '+447700900', count: 1000 }
export const RECIPIENT = '+14155550101'
/** When what has a seed begins, ms since 1970: nothing may depend on the day it is used. */
export const SEEDED_START = Date.UTC(2025, 0, 15, 10)
const LONGEST_PARAGRAPHS = 12

/** First names, in many scripts. */
export const NAMES = [
  ...['Zoë', 'Łukasz', 'İbrahim', 'Nguyễn Ánh', 'Σωκράτης', 'Дмитрий', 'محمد', 'דוד', 'प्रिया'],
  ...['สมชาย', '王小明', '美咲', '김민준', 'Ọláyẹmí', 'José', 'Weiß', 'አበበ', 'தமிழ்'],
]
const TEXTS = [
  'Hello, this is {name}. Is order {n} on its way?',
  'Thank you! 🙏',
  'Grüße aus Köln, hier ist {name}. Die Straße ist gesperrt, ich komme {n} Minuten später.',
  'Bonjour, c’est {name} : ma commande nº {n} est arrivée cassée 😢',
  'Merhaba, ben {name}. İade için {n} numarasını aldım.',
  'Здравствуйте, это {name}. Когда привезут заказ {n}?',
  'مرحبا، أنا {name}. أين الطلب رقم {n}؟',
  'שלום, כאן {name}. מה עם הזמנה {n}?',
  'नमस्ते, मैं {name} हूँ। ऑर्डर {n} कब आएगा?',
  'สวัสดีค่ะ ฉันชื่อ {name} สั่งของหมายเลข {n}',
  '你好,我是{name}。订单{n}什么时候到?🚚',
  'こんにちは、{name}です。注文番号{n}について質問があります。',
  '안녕하세요, {name}입니다. 주문 {n} 확인 부탁드려요 😊',
  'Γεια σας, είμαι ο {name}. Η παραγγελία {n} δεν ήρθε ακόμα.',
  '👍🏽',
  '👨‍👩‍👧‍👦🎉 {name} + {n}',
  'https://example.com/order/{n}?from=chat&q=100%25',
  '=SUM(A1:A{n})',
  'Line one\nLine two, "quoted", and a tab\there; {name}',
  'cafe\u0301 or café? {name} pays {n} €',
]

export type MadeUpRun = {
  /** The same run gives the same ids. */
  readonly run: string
  readonly random: Random
  /** Whether it has a seed: then times begin at SEEDED_START, else they are now. */
  readonly seeded: boolean
}

/** Message number `index` of a run; to be asked for in order, for each takes random numbers. */
export function madeUpMessage({ run, random, seeded }: MadeUpRun, index: number): WireMessage {
  // The cube makes few senders send much, as in real life.
  const sender = Math.floor(random() ** 3 * SENDERS.count)
  const offsetMs = Math.floor(random() * 1000)
  const sentAt = seeded ? SEEDED_START + index * 1000 + offsetMs : Date.now()
  return {
    message_id: `made-up.${run}.${index + 1}`,
    from: `${SENDERS.prefix}${String(sender).padStart(3, '0')}`,
    to: RECIPIENT,
    ts: new Date(sentAt).toISOString(),
    text: madeUpText(random),
  }
}

/** Some sentences, in one of many scripts. */
export function madeUpText(random: Random): string {
  const paragraphs = random() < 0.05 ? 1 + Math.floor(random() * LONGEST_PARAGRAPHS) : 1
  return Array.from({ length: paragraphs }, () => sentence(random)).join('\n\n')
}

function sentence(random: Random): string {
  return pick(TEXTS, random)
    .replaceAll('{name}', pick(NAMES, random))
    .replaceAll('{n}', String(1 + Math.floor(random() * 9999)))
}
