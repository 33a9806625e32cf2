// Keys and tokens of payment, shop, mail and chat services.
import type { PrefixDetector } from '../../detector.ts'
import { alphabets, type Form, hasDigit, isRandom } from './form.ts'

export const serviceForms: readonly Form[] = [
  { id: 'stripe-key', prefixes: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], body: 'alphanumeric', least: 16, check: hasDigit },
  { id: 'stripe-key', prefixes: ['whsec_'], body: 'base64', least: 24 },
  { id: 'shopify-token', prefixes: ['shpat_', 'shpca_', 'shppa_', 'shpss_'], body: 'hex', least: 32, most: 32 },
  { id: 'square-token', prefixes: ['sq0atp-'], body: 'url', least: 22, most: 60 },
  { id: 'square-token', prefixes: ['sq0csp-'], body: 'url', least: 40, most: 60 },
  { id: 'square-token', prefixes: ['EAAA'], body: 'url', least: 60, most: 60, check: hasDigit },
  { id: 'twilio-key', prefixes: ['SK'], body: 'hex', least: 32, most: 32 },
  { id: 'sendgrid-key', prefixes: ['SG.'], body: 'dotted', least: 40, check: value => /^SG\.[\w-]{16,}\.[\w-]{16,}$/.test(value) },
  { id: 'mailgun-key', prefixes: ['key-', 'pubkey-'], body: 'hex', least: 32, most: 32 },
  {
    id: 'slack-token',
    prefixes: ['xoxa-', 'xoxb-', 'xoxe-', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-', 'xoxe.xoxb-', 'xoxe.xoxp-', 'xapp-'],
    body: 'dashed',
    least: 10,
    check: hasDigit,
  },
  {
    id: 'slack-webhook',
    prefixes: ['hooks.slack.com/services/', 'hooks.slack.com/workflows/', 'hooks.slack.com/triggers/'],
    body: 'base64',
    least: 30,
    check: hasDigit,
    keepsPrefix: true,
  },
]

const telegramSecret = 33

/** A bot token: the number of the bot, `:AA`, and 33 more characters. */
export const telegramToken: PrefixDetector = {
  id: 'telegram-token',
  action: 'replace',
  on: 'prefix',
  prefixes: [':AA'],
  body: alphabets.url!,
  embedded: true,
  find(text, at, from, floor) {
    const end = from + telegramSecret
    for (let i = from; i < end; i++) if (alphabets.url![text.charCodeAt(i)] !== 1) return undefined
    if (alphabets.url![text.charCodeAt(end)] === 1) return undefined
    const number = /(?<![A-Za-z0-9])(?:bot)?(\d{6,12})$/.exec(text.slice(Math.max(floor, at - 17), at))
    if (number === null || !isRandom(text, from, end)) return undefined
    return { start: at - number[1]!.length, end }
  },
}

const discord = /^[MNO][A-Za-z\d_-]{22,27}\.[\w-]{6}\.[\w-]{27,40}$/
const dot = 0x2e

/** A bot token: the number of the bot in base64, whose first characters are few, a time, and a signature. */
export const discordToken: PrefixDetector = {
  id: 'discord-token',
  action: 'replace',
  on: 'prefix',
  prefixes: ['MD', 'MT', 'Mj', 'Mz', 'ND', 'NT', 'Nj', 'Nz', 'OD', 'OT'],
  body: alphabets.dotted!,
  find(text, at) {
    for (let first = 23; first <= 28; first++) {
      if (text.charCodeAt(at + first) !== dot || text.charCodeAt(at + first + 7) !== dot) continue
      let end = at + first + 8
      while (end - at < 80 && alphabets.url![text.charCodeAt(end)] === 1) end++
      const value = text.slice(at, end)
      const number = Buffer.from(value.slice(0, first), 'base64url').toString('latin1')
      if (discord.test(value) && /^\d{16,20}$/.test(number)) return { start: at, end }
    }
    return undefined
  },
}
