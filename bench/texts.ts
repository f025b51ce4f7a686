// Texts as people write them to a shop: a few languages, numbers, now and then an emoji.
import { randomFrom } from '../src/app/cli/random.ts'

const WORDS = `
hello hi good morning thanks thank you please the a is my our your order package parcel delivery
address street tomorrow today yesterday week monday friday when where what how much does it cost
price invoice payment card refund return exchange size colour blue red green black white large small
open opening hours closed appointment doctor meeting call me back later soon now not yet still
waiting arrived broken missing wrong right perfect great super fine okay sorry problem help question
hallo guten morgen danke bitte ich habe eine bestellung paket lieferung straße morgen heute gestern
wann kommt wo ist mein rechnung bezahlt zurück größe farbe blau rot grün geöffnet schließen termin
können sie mir helfen leider kaputt fehlt falsch schön vielen dank für die schnelle antwort grüße
hola buenos días gracias por favor pedido paquete entrega dirección mañana hoy cuándo llega dónde
está precio factura pago devolución tamaño color azul rojo verde abierto cerrado cita ayuda problema
bom dia obrigado obrigada encomenda endereço amanhã quanto custa fatura pagamento ajuda você está
नमस्ते धन्यवाद कृपया मेरा ऑर्डर कब आएगा पता कल आज привет спасибо заказ когда доставка адрес завтра
مرحبا شكرا من فضلك طلب متى العنوان 你好 谢谢 订单 什么时候 地址 明天 こんにちは ありがとう 注文 住所
`
  .trim()
  .split(/\s+/)

const EMOJI = ['👍', '🙏', '😊', '❤️', '📦', '🎉', '😅', '👋']

/** A text of 3 to 40 words, the same one for the same number. */
export function textFor(index: number): string {
  const random = randomFrom(index)
  // The square makes short texts the common ones.
  const length = 3 + Math.floor(random() ** 2 * 38)
  const words: string[] = []
  for (let i = 0; i < length; i++) words.push(wordFrom(random))
  if (random() < 0.2) words.push(EMOJI[Math.floor(random() * EMOJI.length)] ?? '')
  return words.join(' ')
}

function wordFrom(random: () => number): string {
  if (random() < 0.06) return String(Math.floor(random() * 1_000_000))
  return WORDS[Math.floor(random() * WORDS.length)] ?? ''
}
